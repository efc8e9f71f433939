"""ISO 15118-2:2013 (`urn:iso:15118:2:2013:MsgDef`): every message and type, declared once.

Names are the schema's; a type without an element of its own loses the suffix `Type`. `encode` and `decode` at the end
are what sessions use.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from ...exi.codec import Fragment, Schema
from ...exi.declare import (
    Attribute,
    Binary,
    Bits,
    Content,
    Element,
    Enumeration,
    Group,
    Integer,
    Namespace,
    Occurs,
    OneOf,
    Text,
    Unit,
    Unsigned,
    Xsd,
)
from ...exi.errors import ExiError, ExiValueError
from ...units import PhysicalValueArithmetic
from ..xmldsig import DSIG, Signature, SignedInfo, X509IssuerSerial

DEF = "urn:iso:15118:2:2013:MsgDef"
HEADER = "urn:iso:15118:2:2013:MsgHeader"
BODY = "urn:iso:15118:2:2013:MsgBody"
TYPES = "urn:iso:15118:2:2013:MsgDataTypes"


class faultCode(Enumeration):
    """Kind of a notified fault."""

    ParsingError = 0
    NoTLSRootCertificatAvailable = 1
    UnknownError = 2


class Notification(Element):
    """A fault told by one side."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    FaultCode: faultCode
    FaultMsg: Annotated[str, Text(64)] | None = None


class MessageHeader(Element):
    """Session id as it was received, zero in the first request."""

    XSD: ClassVar[Xsd] = Xsd(HEADER, window=77)

    SessionID: Annotated[bytes, Binary(8)]
    Notification: Notification | None = None
    Signature: Annotated[Signature, Namespace(DSIG)] | None = None


class BodyElement(Element):
    """Head of all messages; abstract."""

    XSD: ClassVar[Xsd] = Xsd(BODY, abstract=True)


class AuthorizationReq(BodyElement):
    """Vehicle: may I charge? Repeated while the answer is Ongoing."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    Id: Annotated[str, Text(), Attribute(qualified=True)] | None = None
    GenChallenge: Annotated[bytes, Binary(16, base64=True, min_length=16)] | None = None


class responseCode(Enumeration):
    """What a charger answers; everything from FAILED on ends the session."""

    OK = 0
    OK_NewSessionEstablished = 1
    OK_OldSessionJoined = 2
    OK_CertificateExpiresSoon = 3
    FAILED = 4
    FAILED_SequenceError = 5
    FAILED_ServiceIDInvalid = 6
    FAILED_UnknownSession = 7
    FAILED_ServiceSelectionInvalid = 8
    FAILED_PaymentSelectionInvalid = 9
    FAILED_CertificateExpired = 10
    FAILED_SignatureError = 11
    FAILED_NoCertificateAvailable = 12
    FAILED_CertChainError = 13
    FAILED_ChallengeInvalid = 14
    FAILED_ContractCanceled = 15
    FAILED_WrongChargeParameter = 16
    FAILED_PowerDeliveryNotApplied = 17
    FAILED_TariffSelectionInvalid = 18
    FAILED_ChargingProfileInvalid = 19
    FAILED_MeteringSignatureNotValid = 20
    FAILED_NoChargeServiceSelected = 21
    FAILED_WrongEnergyTransferMode = 22
    FAILED_ContactorError = 23
    FAILED_CertificateNotAllowedAtThisEVSE = 24
    FAILED_CertificateRevoked = 25


class EVSEProcessing(Enumeration):
    """Whether the charger is done."""

    Finished = 0
    Ongoing = 1
    Ongoing_WaitingForCustomerInteraction = 2


class AuthorizationRes(BodyElement):
    """Charger: Finished when the driver is authorised."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    ResponseCode: responseCode
    EVSEProcessing: EVSEProcessing


class EVStatus(Element):
    """EVStatus."""

    XSD: ClassVar[Xsd] = Xsd(TYPES, abstract=True)


class DC_EVErrorCode(Enumeration):
    """Error of a vehicle."""

    NO_ERROR = 0
    FAILED_RESSTemperatureInhibit = 1
    FAILED_EVShiftPosition = 2
    FAILED_ChargerConnectorLockFault = 3
    FAILED_EVRESSMalfunction = 4
    FAILED_ChargingCurrentdifferential = 5
    FAILED_ChargingVoltageOutOfRange = 6
    Reserved_A = 7
    Reserved_B = 8
    Reserved_C = 9
    FAILED_ChargingSystemIncompatibility = 10
    NoData = 11


class DC_EVStatus(EVStatus):
    """State of the vehicle: ready, error, state of charge in percent."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    EVReady: bool
    EVErrorCode: DC_EVErrorCode
    EVRESSSOC: Annotated[int, Bits(0, 100), Unit("%")]


class CableCheckReq(BodyElement):
    """Vehicle: check the cable, I am in state C."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    DC_EVStatus: DC_EVStatus


class EVSENotification(Enumeration):
    """What the charger asks of the vehicle."""

    None_ = 0, "None"
    StopCharging = 1
    ReNegotiation = 2


class EVSEStatus(Element):
    """EVSEStatus."""

    XSD: ClassVar[Xsd] = Xsd(TYPES, abstract=True)

    NotificationMaxDelay: Annotated[int, Unsigned(0xFFFF), Unit("s")]
    EVSENotification: EVSENotification


class isolationLevel(Enumeration):
    """Result of the isolation measurement."""

    Invalid = 0
    Valid = 1
    Warning = 2
    Fault = 3
    No_IMD = 4


class DC_EVSEStatusCode(Enumeration):
    """State of a DC charger."""

    EVSE_NotReady = 0
    EVSE_Ready = 1
    EVSE_Shutdown = 2
    EVSE_UtilityInterruptEvent = 3
    EVSE_IsolationMonitoringActive = 4
    EVSE_EmergencyShutdown = 5
    EVSE_Malfunction = 6
    Reserved_8 = 7
    Reserved_9 = 8
    Reserved_A = 9
    Reserved_B = 10
    Reserved_C = 11


class DC_EVSEStatus(EVSEStatus):
    """State of the charger: isolation, status code, notification."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    EVSEIsolationStatus: isolationLevel | None = None
    EVSEStatusCode: DC_EVSEStatusCode


class CableCheckRes(BodyElement):
    """Charger: the isolation, Ongoing until it is measured."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    ResponseCode: responseCode
    DC_EVSEStatus: DC_EVSEStatus
    EVSEProcessing: EVSEProcessing


class ListOfRootCertificateIDs(Element):
    """List Of Root Certificate IDs."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    RootCertificateID: Annotated[list[X509IssuerSerial], Occurs(1, 20)]


class CertificateInstallationReq(BodyElement):
    """Vehicle: give me a contract certificate."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    Id: Annotated[str, Text(), Attribute(qualified=True)]
    OEMProvisioningCert: Annotated[bytes, Binary(800, base64=True)]
    ListOfRootCertificateIDs: ListOfRootCertificateIDs


class SubCertificates(Element):
    """Sub Certificates."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    Certificate: Annotated[list[Annotated[bytes, Binary(800, base64=True)]], Occurs(1, 4)]


class CertificateChain(Element):
    """Certificate Chain."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    Id: Annotated[str, Text(), Attribute(qualified=True)] | None = None
    Certificate: Annotated[bytes, Binary(800, base64=True)]
    SubCertificates: SubCertificates | None = None


class ContractSignatureEncryptedPrivateKey(Element):
    """Contract Signature Encrypted Private Key."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    Id: Annotated[str, Text(), Attribute(qualified=True)]
    value: Annotated[bytes, Binary(48, base64=True), Content()]


class DiffieHellmanPublickey(Element):
    """Diffie Hellman Publickey."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    Id: Annotated[str, Text(), Attribute(qualified=True)]
    value: Annotated[bytes, Binary(65, base64=True), Content()]


class EMAID(Element):
    """EMAID."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    Id: Annotated[str, Text(), Attribute(qualified=True)]
    value: Annotated[str, Text(15, min_length=14), Content()]


class CertificateInstallationRes(BodyElement):
    """Charger: contract certificate and its encrypted key."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    ResponseCode: responseCode
    SAProvisioningCertificateChain: CertificateChain
    ContractSignatureCertChain: CertificateChain
    ContractSignatureEncryptedPrivateKey: ContractSignatureEncryptedPrivateKey
    DHpublickey: DiffieHellmanPublickey
    eMAID: EMAID


class CertificateUpdateReq(BodyElement):
    """Vehicle: renew my contract certificate."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    Id: Annotated[str, Text(), Attribute(qualified=True)]
    ContractSignatureCertChain: CertificateChain
    eMAID: Annotated[str, Text(15, min_length=14)]
    ListOfRootCertificateIDs: ListOfRootCertificateIDs


class CertificateUpdateRes(BodyElement):
    """Charger: the renewed certificate and its encrypted key."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    ResponseCode: responseCode
    SAProvisioningCertificateChain: CertificateChain
    ContractSignatureCertChain: CertificateChain
    ContractSignatureEncryptedPrivateKey: ContractSignatureEncryptedPrivateKey
    DHpublickey: DiffieHellmanPublickey
    eMAID: EMAID
    RetryCounter: Annotated[int, Integer(-0x8000, 0x7FFF)] | None = None


class EnergyTransferMode(Enumeration):
    """Energy Transfer Mode."""

    AC_single_phase_core = 0
    AC_three_phase_core = 1
    DC_core = 2
    DC_extended = 3
    DC_combo_core = 4
    DC_unique = 5


class EVChargeParameter(Element):
    """EVCharge Parameter."""

    XSD: ClassVar[Xsd] = Xsd(TYPES, abstract=True)

    DepartureTime: Annotated[int, Unsigned(0xFFFFFFFF), Unit("s")] | None = None


class unitSymbol(Enumeration):
    """Units of physical values."""

    h = 0
    m = 1
    s = 2
    A = 3
    V = 4
    W = 5
    Wh = 6


class PhysicalValue(PhysicalValueArithmetic, Element):
    """A value with its unit: Value x 10^Multiplier."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    Multiplier: Annotated[int, Bits(-3, 3)]
    Unit: unitSymbol
    Value: Annotated[int, Integer(-0x8000, 0x7FFF)]


class AC_EVChargeParameter(EVChargeParameter):
    """AC EVCharge Parameter."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    EAmount: Annotated[PhysicalValue, Unit("Wh")]
    EVMaxVoltage: Annotated[PhysicalValue, Unit("V")]
    EVMaxCurrent: Annotated[PhysicalValue, Unit("A")]
    EVMinCurrent: Annotated[PhysicalValue, Unit("A")]


class DC_EVChargeParameter(EVChargeParameter):
    """DC EVCharge Parameter."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    DC_EVStatus: DC_EVStatus
    EVMaximumCurrentLimit: Annotated[PhysicalValue, Unit("A")]
    EVMaximumPowerLimit: Annotated[PhysicalValue, Unit("W")] | None = None
    EVMaximumVoltageLimit: Annotated[PhysicalValue, Unit("V")]
    EVEnergyCapacity: Annotated[PhysicalValue, Unit("Wh")] | None = None
    EVEnergyRequest: Annotated[PhysicalValue, Unit("Wh")] | None = None
    FullSOC: Annotated[int, Bits(0, 100), Unit("%")] | None = None
    BulkSOC: Annotated[int, Bits(0, 100), Unit("%")] | None = None


class ChargeParameterDiscoveryReq(BodyElement):
    """Vehicle: its limits and its request."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    MaxEntriesSAScheduleTuple: Annotated[int, Unsigned(0xFFFF)] | None = None
    RequestedEnergyTransferMode: EnergyTransferMode
    EVChargeParameter: Annotated[EVChargeParameter, Group(AC_EVChargeParameter, DC_EVChargeParameter)]


class SASchedules(Element):
    """SASchedules."""

    XSD: ClassVar[Xsd] = Xsd(TYPES, abstract=True)


class TimeInterval(Element):
    """Time Interval."""

    XSD: ClassVar[Xsd] = Xsd(TYPES, abstract=True)


class RelativeTimeInterval(TimeInterval):
    """Relative Time Interval."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    start: Annotated[int, Unsigned(16777214), Unit("s")]
    duration: Annotated[int, Unsigned(86400), Unit("s")] | None = None


class Entry(Element):
    """Entry."""

    XSD: ClassVar[Xsd] = Xsd(TYPES, abstract=True)

    TimeInterval: Annotated[TimeInterval, Group(RelativeTimeInterval)]


class PMaxScheduleEntry(Entry):
    """PMax Schedule Entry."""

    XSD: ClassVar[Xsd] = Xsd(TYPES, window=112)

    PMax: Annotated[PhysicalValue, Unit("W")]


class PMaxSchedule(Element):
    """PMax Schedule."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    PMaxScheduleEntry: Annotated[list[PMaxScheduleEntry], Occurs(1, 1024)]


class costKind(Enumeration):
    """Cost Kind."""

    relativePricePercentage = 0
    RenewableGenerationPercentage = 1
    CarbonDioxideEmission = 2


class Cost(Element):
    """Cost."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    costKind: costKind
    amount: Annotated[int, Unsigned(0xFFFFFFFF)]
    amountMultiplier: Annotated[int, Bits(-3, 3)] | None = None


class ConsumptionCost(Element):
    """Consumption Cost."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    startValue: PhysicalValue
    Cost: Annotated[list[Cost], Occurs(1, 3)]


class SalesTariffEntry(Entry):
    """Sales Tariff Entry."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    EPriceLevel: Annotated[int, Bits(0, 255)] | None = None
    ConsumptionCost: Annotated[list[ConsumptionCost], Occurs(0, 3)] = []


class SalesTariff(Element):
    """Sales Tariff."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    Id: Annotated[str, Text(), Attribute(qualified=True)] | None = None
    SalesTariffID: Annotated[int, Bits(1, 255)]
    SalesTariffDescription: Annotated[str, Text(32)] | None = None
    NumEPriceLevels: Annotated[int, Bits(0, 255)] | None = None
    SalesTariffEntry: Annotated[list[SalesTariffEntry], Occurs(1, 1024)]


class SAScheduleTuple(Element):
    """SASchedule Tuple."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    SAScheduleTupleID: Annotated[int, Bits(1, 255)]
    PMaxSchedule: PMaxSchedule
    SalesTariff: SalesTariff | None = None


class SAScheduleList(SASchedules):
    """Schedules of maximum power."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    SAScheduleTuple: Annotated[list[SAScheduleTuple], Occurs(1, 3)]


class EVSEChargeParameter(Element):
    """EVSECharge Parameter."""

    XSD: ClassVar[Xsd] = Xsd(TYPES, abstract=True)


class AC_EVSEStatus(EVSEStatus):
    """AC EVSEStatus."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    RCD: bool


class AC_EVSEChargeParameter(EVSEChargeParameter):
    """AC EVSECharge Parameter."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    AC_EVSEStatus: AC_EVSEStatus
    EVSENominalVoltage: Annotated[PhysicalValue, Unit("V")]
    EVSEMaxCurrent: Annotated[PhysicalValue, Unit("A")]


class DC_EVSEChargeParameter(EVSEChargeParameter):
    """DC EVSECharge Parameter."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    DC_EVSEStatus: DC_EVSEStatus
    EVSEMaximumCurrentLimit: Annotated[PhysicalValue, Unit("A")]
    EVSEMaximumPowerLimit: Annotated[PhysicalValue, Unit("W")]
    EVSEMaximumVoltageLimit: Annotated[PhysicalValue, Unit("V")]
    EVSEMinimumCurrentLimit: Annotated[PhysicalValue, Unit("A")]
    EVSEMinimumVoltageLimit: Annotated[PhysicalValue, Unit("V")]
    EVSECurrentRegulationTolerance: Annotated[PhysicalValue, Unit("A")] | None = None
    EVSEPeakCurrentRipple: Annotated[PhysicalValue, Unit("A")]
    EVSEEnergyToBeDelivered: Annotated[PhysicalValue, Unit("Wh")] | None = None


class ChargeParameterDiscoveryRes(BodyElement):
    """Charger: its limits and the schedule."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    ResponseCode: responseCode
    EVSEProcessing: EVSEProcessing
    SASchedules: Annotated[SASchedules, Group(SAScheduleList)] | None = None
    EVSEChargeParameter: Annotated[EVSEChargeParameter, Group(AC_EVSEChargeParameter, DC_EVSEChargeParameter)]


class ChargingStatusReq(BodyElement):
    """Vehicle: how is the AC charge going?"""

    XSD: ClassVar[Xsd] = Xsd(BODY)


class MeterInfo(Element):
    """Meter Info."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    MeterID: Annotated[str, Text(32)]
    MeterReading: Annotated[int, Unsigned((1 << 64) - 1), Unit("Wh")] | None = None
    SigMeterReading: Annotated[bytes, Binary(64, base64=True)] | None = None
    MeterStatus: Annotated[int, Integer(-0x8000, 0x7FFF)] | None = None
    TMeter: Annotated[int, Integer(-(1 << 63), (1 << 63) - 1)] | None = None


class ChargingStatusRes(BodyElement):
    """Charger: state of the AC charge, meter, receipt wanted."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    ResponseCode: responseCode
    EVSEID: Annotated[str, Text(37, min_length=7)]
    SAScheduleTupleID: Annotated[int, Bits(1, 255)]
    EVSEMaxCurrent: Annotated[PhysicalValue, Unit("A")] | None = None
    MeterInfo: MeterInfo | None = None
    ReceiptRequired: bool | None = None
    AC_EVSEStatus: AC_EVSEStatus


class CurrentDemandReq(BodyElement):
    """Vehicle: what it wants now, each turn of the charge loop."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    DC_EVStatus: DC_EVStatus
    EVTargetCurrent: Annotated[PhysicalValue, Unit("A")]
    EVMaximumVoltageLimit: Annotated[PhysicalValue, Unit("V")] | None = None
    EVMaximumCurrentLimit: Annotated[PhysicalValue, Unit("A")] | None = None
    EVMaximumPowerLimit: Annotated[PhysicalValue, Unit("W")] | None = None
    BulkChargingComplete: bool | None = None
    ChargingComplete: bool
    RemainingTimeToFullSoC: Annotated[PhysicalValue, Unit("s")] | None = None
    RemainingTimeToBulkSoC: Annotated[PhysicalValue, Unit("s")] | None = None
    EVTargetVoltage: Annotated[PhysicalValue, Unit("V")]


class CurrentDemandRes(BodyElement):
    """Charger: what it gives now, which limits hold it, and the limits."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    ResponseCode: responseCode
    DC_EVSEStatus: DC_EVSEStatus
    EVSEPresentVoltage: Annotated[PhysicalValue, Unit("V")]
    EVSEPresentCurrent: Annotated[PhysicalValue, Unit("A")]
    EVSECurrentLimitAchieved: bool
    EVSEVoltageLimitAchieved: bool
    EVSEPowerLimitAchieved: bool
    EVSEMaximumVoltageLimit: Annotated[PhysicalValue, Unit("V")] | None = None
    EVSEMaximumCurrentLimit: Annotated[PhysicalValue, Unit("A")] | None = None
    EVSEMaximumPowerLimit: Annotated[PhysicalValue, Unit("W")] | None = None
    EVSEID: Annotated[str, Text(37, min_length=7)]
    SAScheduleTupleID: Annotated[int, Bits(1, 255)]
    MeterInfo: MeterInfo | None = None
    ReceiptRequired: bool | None = None


class MeteringReceiptReq(BodyElement):
    """Vehicle: the meter reading, signed."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    Id: Annotated[str, Text(), Attribute(qualified=True)] | None = None
    SessionID: Annotated[bytes, Binary(8)]
    SAScheduleTupleID: Annotated[int, Bits(1, 255)] | None = None
    MeterInfo: MeterInfo


class MeteringReceiptRes(BodyElement):
    """Charger: receipt taken, or FAILED."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    ResponseCode: responseCode
    EVSEStatus: Annotated[EVSEStatus, Group(AC_EVSEStatus, DC_EVSEStatus)]


class PaymentDetailsReq(BodyElement):
    """Vehicle: my contract and its certificates."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    eMAID: Annotated[str, Text(15, min_length=14)]
    ContractSignatureCertChain: CertificateChain


class PaymentDetailsRes(BodyElement):
    """Charger: a challenge to sign."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    ResponseCode: responseCode
    GenChallenge: Annotated[bytes, Binary(16, base64=True, min_length=16)]
    EVSETimeStamp: Annotated[int, Integer(-(1 << 63), (1 << 63) - 1)]


class paymentOption(Enumeration):
    """Payment Option."""

    Contract = 0
    ExternalPayment = 1


class SelectedService(Element):
    """Selected Service."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    ServiceID: Annotated[int, Unsigned(0xFFFF)]
    ParameterSetID: Annotated[int, Integer(-0x8000, 0x7FFF)] | None = None


class SelectedServiceList(Element):
    """Selected Service List."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    SelectedService: Annotated[list[SelectedService], Occurs(1, 16)]


class PaymentServiceSelectionReq(BodyElement):
    """Vehicle: what I take and how I pay."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    SelectedPaymentOption: paymentOption
    SelectedServiceList: SelectedServiceList


class PaymentServiceSelectionRes(BodyElement):
    """Charger: accepted, or FAILED."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    ResponseCode: responseCode


class chargeProgress(Enumeration):
    """Charge Progress."""

    Start = 0
    Stop = 1
    Renegotiate = 2


class ProfileEntry(Element):
    """Profile Entry."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    ChargingProfileEntryStart: Annotated[int, Unsigned(0xFFFFFFFF), Unit("s")]
    ChargingProfileEntryMaxPower: Annotated[PhysicalValue, Unit("W")]
    ChargingProfileEntryMaxNumberOfPhasesInUse: Annotated[int, Bits(1, 3)] | None = None


class ChargingProfile(Element):
    """Charging Profile."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    ProfileEntry: Annotated[list[ProfileEntry], Occurs(1, 24)]


class EVPowerDeliveryParameter(Element):
    """EVPower Delivery Parameter."""

    XSD: ClassVar[Xsd] = Xsd(TYPES, abstract=True)


class DC_EVPowerDeliveryParameter(EVPowerDeliveryParameter):
    """DC EVPower Delivery Parameter."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    DC_EVStatus: DC_EVStatus
    BulkChargingComplete: bool | None = None
    ChargingComplete: bool


class PowerDeliveryReq(BodyElement):
    """Vehicle: power on or off."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    ChargeProgress: chargeProgress
    SAScheduleTupleID: Annotated[int, Bits(1, 255)]
    ChargingProfile: ChargingProfile | None = None
    EVPowerDeliveryParameter: Annotated[EVPowerDeliveryParameter, Group(DC_EVPowerDeliveryParameter)] | None = None


class PowerDeliveryRes(BodyElement):
    """Charger: done, or FAILED."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    ResponseCode: responseCode
    EVSEStatus: Annotated[EVSEStatus, Group(AC_EVSEStatus, DC_EVSEStatus)]


class PreChargeReq(BodyElement):
    """Vehicle: bring the outlet to the voltage of my battery, with less than 2 A."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    DC_EVStatus: DC_EVStatus
    EVTargetVoltage: Annotated[PhysicalValue, Unit("V")]
    EVTargetCurrent: Annotated[PhysicalValue, Unit("A")]


class PreChargeRes(BodyElement):
    """Charger: the voltage at the outlet."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    ResponseCode: responseCode
    DC_EVSEStatus: DC_EVSEStatus
    EVSEPresentVoltage: Annotated[PhysicalValue, Unit("V")]


class ServiceDetailReq(BodyElement):
    """Vehicle: tell me the parameters of a service."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    ServiceID: Annotated[int, Unsigned(0xFFFF)]


class Parameter(Element):
    """Parameter."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    Name: Annotated[str, Text(), Attribute(qualified=True)]
    boolValue: Annotated[bool, OneOf("boolValue")] | None = None
    byteValue: Annotated[int, Bits(-128, 127), OneOf("boolValue")] | None = None
    shortValue: Annotated[int, Integer(-0x8000, 0x7FFF), OneOf("boolValue")] | None = None
    intValue: Annotated[int, Integer(-0x80000000, 0x7FFFFFFF), OneOf("boolValue")] | None = None
    physicalValue: Annotated[PhysicalValue, OneOf("boolValue")] | None = None
    stringValue: Annotated[str, Text(), OneOf("boolValue")] | None = None


class ParameterSet(Element):
    """Parameter Set."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    ParameterSetID: Annotated[int, Integer(-0x8000, 0x7FFF)]
    Parameter: Annotated[list[Parameter], Occurs(1, 16)]


class ServiceParameterList(Element):
    """Service Parameter List."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    ParameterSet: Annotated[list[ParameterSet], Occurs(1, 255)]


class ServiceDetailRes(BodyElement):
    """Charger: the parameter sets of a service."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    ResponseCode: responseCode
    ServiceID: Annotated[int, Unsigned(0xFFFF)]
    ServiceParameterList: ServiceParameterList | None = None


class serviceCategory(Enumeration):
    """Service Category."""

    EVCharging = 0
    Internet = 1
    ContractCertificate = 2
    OtherCustom = 3


class ServiceDiscoveryReq(BodyElement):
    """Vehicle: what do you offer?"""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    ServiceScope: Annotated[str, Text(64)] | None = None
    ServiceCategory: serviceCategory | None = None


class PaymentOptionList(Element):
    """Payment Option List."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    PaymentOption: Annotated[list[paymentOption], Occurs(1, 2)]


class Service(Element):
    """Service."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    ServiceID: Annotated[int, Unsigned(0xFFFF)]
    ServiceName: Annotated[str, Text(32)] | None = None
    ServiceCategory: serviceCategory
    ServiceScope: Annotated[str, Text(64)] | None = None
    FreeService: bool


class SupportedEnergyTransferMode(Element):
    """Supported Energy Transfer Mode."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    EnergyTransferMode: Annotated[list[EnergyTransferMode], Occurs(1, 6)]


class ChargeService(Service):
    """Charge Service."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    SupportedEnergyTransferMode: SupportedEnergyTransferMode


class ServiceList(Element):
    """Service List."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    Service: Annotated[list[Service], Occurs(1, 8)]


class ServiceDiscoveryRes(BodyElement):
    """Charger: payment options and services."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    ResponseCode: responseCode
    PaymentOptionList: PaymentOptionList
    ChargeService: ChargeService
    ServiceList: ServiceList | None = None


class SessionSetupReq(BodyElement):
    """Vehicle: who I am (EVCCID)."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    EVCCID: Annotated[bytes, Binary(6)]


class SessionSetupRes(BodyElement):
    """Charger: who I am (EVSEID); the session id is in the header."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    ResponseCode: responseCode
    EVSEID: Annotated[str, Text(37, min_length=7)]
    EVSETimeStamp: Annotated[int, Integer(-(1 << 63), (1 << 63) - 1)] | None = None


class chargingSession(Enumeration):
    """Charging Session."""

    Terminate = 0
    Pause = 1


class SessionStopReq(BodyElement):
    """Vehicle: the session is over."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    ChargingSession: chargingSession


class SessionStopRes(BodyElement):
    """Charger: the session is over."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    ResponseCode: responseCode


class WeldingDetectionReq(BodyElement):
    """Vehicle: contactors are open, what do you measure?"""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    DC_EVStatus: DC_EVStatus


class WeldingDetectionRes(BodyElement):
    """Charger: the voltage at the outlet."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    ResponseCode: responseCode
    DC_EVSEStatus: DC_EVSEStatus
    EVSEPresentVoltage: Annotated[PhysicalValue, Unit("V")]


class Body(Element):
    """The body: one of the messages, or nothing."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    BodyElement: (
        Annotated[
            BodyElement,
            Group(
                AuthorizationReq,
                AuthorizationRes,
                CableCheckReq,
                CableCheckRes,
                CertificateInstallationReq,
                CertificateInstallationRes,
                CertificateUpdateReq,
                CertificateUpdateRes,
                ChargeParameterDiscoveryReq,
                ChargeParameterDiscoveryRes,
                ChargingStatusReq,
                ChargingStatusRes,
                CurrentDemandReq,
                CurrentDemandRes,
                MeteringReceiptReq,
                MeteringReceiptRes,
                PaymentDetailsReq,
                PaymentDetailsRes,
                PaymentServiceSelectionReq,
                PaymentServiceSelectionRes,
                PowerDeliveryReq,
                PowerDeliveryRes,
                PreChargeReq,
                PreChargeRes,
                ServiceDetailReq,
                ServiceDetailRes,
                ServiceDiscoveryReq,
                ServiceDiscoveryRes,
                SessionSetupReq,
                SessionSetupRes,
                SessionStopReq,
                SessionStopRes,
                WeldingDetectionReq,
                WeldingDetectionRes,
            ),
        ]
        | None
    ) = None


class V2G_Message(Element):
    """A message: header with the session id, body with at most one element."""

    XSD: ClassVar[Xsd] = Xsd(DEF)

    Header: MessageHeader
    Body: Body


SCHEMA: Schema[V2G_Message] = Schema(
    "iso2",
    bits=7,
    roots={V2G_Message: 76},
    names=243,
    fragments={
        "AuthorizationReq": Fragment(4, AuthorizationReq),
        "CertificateInstallationReq": Fragment(15, CertificateInstallationReq),
        "CertificateUpdateReq": Fragment(17, CertificateUpdateReq),
        "ContractSignatureCertChain": Fragment(33, CertificateChain, BODY),
        "ContractSignatureEncryptedPrivateKey": Fragment(34, ContractSignatureEncryptedPrivateKey, BODY),
        "DHpublickey": Fragment(45, DiffieHellmanPublickey, BODY),
        "MeteringReceiptReq": Fragment(121, MeteringReceiptReq),
        "SalesTariff": Fragment(174, SalesTariff, TYPES),
        "SignedInfo": Fragment(208, SignedInfo),
        "eMAID": Fragment(236, EMAID, BODY, attribute=4, attributes=10),
    },
)
"""The document grammar (80 global elements) and the fragments that are signed (243 element names)."""


def encode(message: Element, session_id: bytes = b"") -> bytes:
    """The EXI stream of a message: a whole `V2G_Message`, or a body element with `session_id` for its header.

    Raises ExiValueError for a value the schema cannot carry.
    """
    if not isinstance(message, V2G_Message):
        if not isinstance(message, BodyElement):
            raise ExiValueError(f"{type(message).__name__} is no body element of schema iso2")
        message = V2G_Message(Header=MessageHeader(SessionID=session_id), Body=Body(BodyElement=message))
    return SCHEMA.encode(message)


def decode(data: bytes) -> V2G_Message:
    """The message in an EXI stream; raises ExiError with the bit where it is none."""
    return SCHEMA.decode(data)


__all__ = [
    "AC_EVChargeParameter",
    "AC_EVSEChargeParameter",
    "AC_EVSEStatus",
    "AuthorizationReq",
    "AuthorizationRes",
    "BODY",
    "Body",
    "BodyElement",
    "CableCheckReq",
    "CableCheckRes",
    "CertificateChain",
    "CertificateInstallationReq",
    "CertificateInstallationRes",
    "CertificateUpdateReq",
    "CertificateUpdateRes",
    "ChargeParameterDiscoveryReq",
    "ChargeParameterDiscoveryRes",
    "ChargeService",
    "ChargingProfile",
    "ChargingStatusReq",
    "ChargingStatusRes",
    "ConsumptionCost",
    "ContractSignatureEncryptedPrivateKey",
    "Cost",
    "CurrentDemandReq",
    "CurrentDemandRes",
    "DC_EVChargeParameter",
    "DC_EVErrorCode",
    "DC_EVPowerDeliveryParameter",
    "DC_EVSEChargeParameter",
    "DC_EVSEStatus",
    "DC_EVSEStatusCode",
    "DC_EVStatus",
    "DEF",
    "DiffieHellmanPublickey",
    "EMAID",
    "EVChargeParameter",
    "EVPowerDeliveryParameter",
    "EVSEChargeParameter",
    "EVSENotification",
    "EVSEProcessing",
    "EVSEStatus",
    "EVStatus",
    "EnergyTransferMode",
    "Entry",
    "ExiError",
    "ExiValueError",
    "HEADER",
    "ListOfRootCertificateIDs",
    "MessageHeader",
    "MeterInfo",
    "MeteringReceiptReq",
    "MeteringReceiptRes",
    "Notification",
    "PMaxSchedule",
    "PMaxScheduleEntry",
    "Parameter",
    "ParameterSet",
    "PaymentDetailsReq",
    "PaymentDetailsRes",
    "PaymentOptionList",
    "PaymentServiceSelectionReq",
    "PaymentServiceSelectionRes",
    "PhysicalValue",
    "PowerDeliveryReq",
    "PowerDeliveryRes",
    "PreChargeReq",
    "PreChargeRes",
    "ProfileEntry",
    "RelativeTimeInterval",
    "SAScheduleList",
    "SAScheduleTuple",
    "SASchedules",
    "SCHEMA",
    "SalesTariff",
    "SalesTariffEntry",
    "SelectedService",
    "SelectedServiceList",
    "Service",
    "ServiceDetailReq",
    "ServiceDetailRes",
    "ServiceDiscoveryReq",
    "ServiceDiscoveryRes",
    "ServiceList",
    "ServiceParameterList",
    "SessionSetupReq",
    "SessionSetupRes",
    "SessionStopReq",
    "SessionStopRes",
    "SubCertificates",
    "SupportedEnergyTransferMode",
    "TYPES",
    "TimeInterval",
    "V2G_Message",
    "WeldingDetectionReq",
    "WeldingDetectionRes",
    "chargeProgress",
    "chargingSession",
    "costKind",
    "decode",
    "encode",
    "faultCode",
    "isolationLevel",
    "paymentOption",
    "responseCode",
    "serviceCategory",
    "unitSymbol",
]
