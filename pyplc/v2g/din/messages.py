"""DIN 70121 (`urn:din:70121:2012:MsgDef`): every message and type, declared once.

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
from ..xmldsig import DSIG, Signature, SignedInfo

DEF = "urn:din:70121:2012:MsgDef"
HEADER = "urn:din:70121:2012:MsgHeader"
BODY = "urn:din:70121:2012:MsgBody"
TYPES = "urn:din:70121:2012:MsgDataTypes"


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

    XSD: ClassVar[Xsd] = Xsd(DEF, abstract=True)


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
    EVCabinConditioning: bool | None = None
    EVRESSConditioning: bool | None = None
    EVErrorCode: DC_EVErrorCode
    EVRESSSOC: Annotated[int, Bits(0, 100), Unit("%")]


class CableCheckReq(BodyElement):
    """Vehicle: check the cable, I am in state C."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    DC_EVStatus: DC_EVStatus


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
    FAILED_EVSEPresentVoltageToLow = 20
    FAILED_MeteringSignatureNotValid = 21
    FAILED_WrongEnergyTransferType = 22


class EVSEStatus(Element):
    """EVSEStatus."""

    XSD: ClassVar[Xsd] = Xsd(TYPES, abstract=True)


class isolationLevel(Enumeration):
    """Result of the isolation measurement."""

    Invalid = 0
    Valid = 1
    Warning = 2
    Fault = 3


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


class EVSENotification(Enumeration):
    """What the charger asks of the vehicle."""

    None_ = 0, "None"
    StopCharging = 1
    ReNegotiation = 2


class DC_EVSEStatus(EVSEStatus):
    """State of the charger: isolation, status code, notification."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    EVSEIsolationStatus: isolationLevel | None = None
    EVSEStatusCode: DC_EVSEStatusCode
    NotificationMaxDelay: Annotated[int, Unsigned(0xFFFFFFFF), Unit("s")]
    EVSENotification: EVSENotification


class EVSEProcessing(Enumeration):
    """Whether the charger is done."""

    Finished = 0
    Ongoing = 1


class CableCheckRes(BodyElement):
    """Charger: the isolation, Ongoing until it is measured."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    ResponseCode: responseCode
    DC_EVSEStatus: DC_EVSEStatus
    EVSEProcessing: EVSEProcessing


class ListOfRootCertificateIDs(Element):
    """List Of Root Certificate IDs."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    RootCertificateID: Annotated[list[Annotated[str, Text(40)]], Occurs(1)]


class CertificateInstallationReq(BodyElement):
    """Vehicle: give me a contract certificate."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    Id: Annotated[str, Text(), Attribute()] | None = None
    OEMProvisioningCert: Annotated[bytes, Binary(1200, base64=True)]
    ListOfRootCertificateIDs: ListOfRootCertificateIDs
    DHParams: Annotated[bytes, Binary(256, base64=True)]


class SubCertificates(Element):
    """Sub Certificates."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    Certificate: Annotated[list[Annotated[bytes, Binary(1200, base64=True)]], Occurs(1)]


class CertificateChain(Element):
    """Certificate Chain."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    Certificate: Annotated[bytes, Binary(1200, base64=True)]
    SubCertificates: SubCertificates | None = None


class CertificateInstallationRes(BodyElement):
    """Charger: contract certificate and its encrypted key."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    Id: Annotated[str, Text(), Attribute()]
    ResponseCode: responseCode
    ContractSignatureCertChain: CertificateChain
    ContractSignatureEncryptedPrivateKey: Annotated[bytes, Binary(128, base64=True)]
    DHParams: Annotated[bytes, Binary(256, base64=True)]
    ContractID: Annotated[str, Text(24)]


class CertificateUpdateReq(BodyElement):
    """Vehicle: renew my contract certificate."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    Id: Annotated[str, Text(), Attribute()] | None = None
    ContractSignatureCertChain: CertificateChain
    ContractID: Annotated[str, Text(24)]
    ListOfRootCertificateIDs: ListOfRootCertificateIDs
    DHParams: Annotated[bytes, Binary(256, base64=True)]


class CertificateUpdateRes(BodyElement):
    """Charger: the renewed certificate and its encrypted key."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    Id: Annotated[str, Text(), Attribute()]
    ResponseCode: responseCode
    ContractSignatureCertChain: CertificateChain
    ContractSignatureEncryptedPrivateKey: Annotated[bytes, Binary(128, base64=True)]
    DHParams: Annotated[bytes, Binary(256, base64=True)]
    ContractID: Annotated[str, Text(24)]
    RetryCounter: Annotated[int, Integer(-0x8000, 0x7FFF)]


class EVRequestedEnergyTransfer(Enumeration):
    """EVRequested Energy Transfer."""

    AC_single_phase_core = 0
    AC_three_phase_core = 1
    DC_core = 2
    DC_extended = 3
    DC_combo_core = 4
    DC_unique = 5


class EVChargeParameter(Element):
    """EVCharge Parameter."""

    XSD: ClassVar[Xsd] = Xsd(TYPES, abstract=True)


class unitSymbol(Enumeration):
    """Units of physical values."""

    h = 0
    m = 1
    s = 2
    A = 3
    Ah = 4
    V = 5
    VA = 6
    W = 7
    W_s = 8, "W/s"
    Wh = 9


class PhysicalValue(PhysicalValueArithmetic, Element):
    """A value with its unit: Value x 10^Multiplier."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    Multiplier: Annotated[int, Bits(-3, 3)]
    Unit: unitSymbol | None = None
    Value: Annotated[int, Integer(-0x8000, 0x7FFF)]


class AC_EVChargeParameter(EVChargeParameter):
    """AC EVCharge Parameter."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    DepartureTime: Annotated[int, Unsigned(0xFFFFFFFF), Unit("s")]
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

    EVRequestedEnergyTransferType: EVRequestedEnergyTransfer
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

    start: Annotated[int, Unsigned(0xFFFFFFFF), Unit("s")]
    duration: Annotated[int, Unsigned(0xFFFFFFFF), Unit("s")] | None = None


class Entry(Element):
    """Entry."""

    XSD: ClassVar[Xsd] = Xsd(TYPES, abstract=True)

    TimeInterval: Annotated[TimeInterval, Group(RelativeTimeInterval)]


class PMaxScheduleEntry(Entry):
    """PMax Schedule Entry."""

    XSD: ClassVar[Xsd] = Xsd(TYPES, window=96)

    PMax: Annotated[int, Integer(-0x8000, 0x7FFF), Unit("W")]


class PMaxSchedule(Element):
    """PMax Schedule."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    PMaxScheduleID: Annotated[int, Integer(-0x8000, 0x7FFF)]
    PMaxScheduleEntry: Annotated[list[PMaxScheduleEntry], Occurs(1)]


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

    startValue: Annotated[int, Unsigned(0xFFFFFFFF)]
    Cost: Annotated[list[Cost], Occurs(0)] = []


class SalesTariffEntry(Entry):
    """Sales Tariff Entry."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    EPriceLevel: Annotated[int, Bits(0, 255)]
    ConsumptionCost: Annotated[list[ConsumptionCost], Occurs(0)] = []


class SalesTariff(Element):
    """Sales Tariff."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    Id: Annotated[str, Text(), Attribute()]
    SalesTariffID: Annotated[int, Integer(-0x8000, 0x7FFF)]
    SalesTariffDescription: Annotated[str, Text(32)] | None = None
    NumEPriceLevels: Annotated[int, Bits(0, 255)]
    SalesTariffEntry: Annotated[list[SalesTariffEntry], Occurs(1)]


class SAScheduleTuple(Element):
    """SASchedule Tuple."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    SAScheduleTupleID: Annotated[int, Integer(-0x8000, 0x7FFF)]
    PMaxSchedule: PMaxSchedule
    SalesTariff: SalesTariff | None = None


class SAScheduleList(SASchedules):
    """Schedules of maximum power."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    SAScheduleTuple: Annotated[list[SAScheduleTuple], Occurs(1)]


class EVSEChargeParameter(Element):
    """EVSECharge Parameter."""

    XSD: ClassVar[Xsd] = Xsd(TYPES, abstract=True)


class AC_EVSEStatus(EVSEStatus):
    """AC EVSEStatus."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    PowerSwitchClosed: bool
    RCD: bool
    NotificationMaxDelay: Annotated[int, Unsigned(0xFFFFFFFF), Unit("s")]
    EVSENotification: EVSENotification


class AC_EVSEChargeParameter(EVSEChargeParameter):
    """AC EVSECharge Parameter."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    AC_EVSEStatus: AC_EVSEStatus
    EVSEMaxVoltage: Annotated[PhysicalValue, Unit("V")]
    EVSEMaxCurrent: Annotated[PhysicalValue, Unit("A")]
    EVSEMinCurrent: Annotated[PhysicalValue, Unit("A")]


class DC_EVSEChargeParameter(EVSEChargeParameter):
    """DC EVSECharge Parameter."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    DC_EVSEStatus: DC_EVSEStatus
    EVSEMaximumCurrentLimit: Annotated[PhysicalValue, Unit("A")]
    EVSEMaximumPowerLimit: Annotated[PhysicalValue, Unit("W")] | None = None
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
    SASchedules: Annotated[SASchedules, Group(SAScheduleList)]
    EVSEChargeParameter: Annotated[EVSEChargeParameter, Group(AC_EVSEChargeParameter, DC_EVSEChargeParameter)]


class ChargingStatusReq(BodyElement):
    """Vehicle: how is the AC charge going?"""

    XSD: ClassVar[Xsd] = Xsd(BODY)


class MeterInfo(Element):
    """Meter Info."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    MeterID: Annotated[str, Text(32)]
    MeterReading: Annotated[PhysicalValue, Unit("Wh")] | None = None
    SigMeterReading: Annotated[bytes, Binary(32, base64=True)] | None = None
    MeterStatus: Annotated[int, Integer(-0x8000, 0x7FFF)] | None = None
    TMeter: Annotated[int, Integer(-(1 << 63), (1 << 63) - 1)] | None = None


class ChargingStatusRes(BodyElement):
    """Charger: state of the AC charge, meter, receipt wanted."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    ResponseCode: responseCode
    EVSEID: Annotated[bytes, Binary(32)]
    SAScheduleTupleID: Annotated[int, Integer(-0x8000, 0x7FFF)]
    EVSEMaxCurrent: Annotated[PhysicalValue, Unit("A")] | None = None
    MeterInfo: MeterInfo | None = None
    ReceiptRequired: bool
    AC_EVSEStatus: AC_EVSEStatus


class ContractAuthenticationReq(BodyElement):
    """Vehicle: may I charge? Repeated while the answer is Ongoing."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    Id: Annotated[str, Text(), Attribute()] | None = None
    GenChallenge: Annotated[str, Text()] | None = None


class ContractAuthenticationRes(BodyElement):
    """Charger: Finished when the driver is authorised."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    ResponseCode: responseCode
    EVSEProcessing: EVSEProcessing


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


class MeteringReceiptReq(BodyElement):
    """Vehicle: the meter reading, signed."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    Id: Annotated[str, Text(), Attribute()] | None = None
    SessionID: Annotated[bytes, Binary(8)]
    SAScheduleTupleID: Annotated[int, Integer(-0x8000, 0x7FFF)] | None = None
    MeterInfo: MeterInfo


class MeteringReceiptRes(BodyElement):
    """Charger: receipt taken, or FAILED."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    ResponseCode: responseCode
    AC_EVSEStatus: AC_EVSEStatus


class PaymentDetailsReq(BodyElement):
    """Vehicle: my contract and its certificates."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    ContractID: Annotated[str, Text(24)]
    ContractSignatureCertChain: CertificateChain


class PaymentDetailsRes(BodyElement):
    """Charger: a challenge to sign."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    ResponseCode: responseCode
    GenChallenge: Annotated[str, Text()]
    DateTimeNow: Annotated[int, Integer(-(1 << 63), (1 << 63) - 1)]


class ProfileEntry(Element):
    """Profile Entry."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    ChargingProfileEntryStart: Annotated[int, Unsigned(0xFFFFFFFF), Unit("s")]
    ChargingProfileEntryMaxPower: Annotated[int, Integer(-0x8000, 0x7FFF), Unit("W")]


class ChargingProfile(Element):
    """Charging Profile."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    SAScheduleTupleID: Annotated[int, Integer(-0x8000, 0x7FFF)]
    ProfileEntry: Annotated[list[ProfileEntry], Occurs(1)]


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

    ReadyToChargeState: bool
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


class valueType(Enumeration):
    """Value Type."""

    bool = 0
    byte = 1
    short = 2
    int = 3
    physicalValue = 4
    string = 5


class Parameter(Element):
    """Parameter."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    Name: Annotated[str, Text(), Attribute()]
    ValueType: Annotated[valueType, Attribute()]
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
    Parameter: Annotated[list[Parameter], Occurs(1)]


class ServiceParameterList(Element):
    """Service Parameter List."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    ParameterSet: Annotated[list[ParameterSet], Occurs(1)]


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

    ServiceScope: Annotated[str, Text(32)] | None = None
    ServiceCategory: serviceCategory | None = None


class paymentOption(Enumeration):
    """Payment Option."""

    Contract = 0
    ExternalPayment = 1


class PaymentOptions(Element):
    """Payment Options."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    PaymentOption: Annotated[list[paymentOption], Occurs(1)]


class ServiceTag(Element):
    """Service Tag."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    ServiceID: Annotated[int, Unsigned(0xFFFF)]
    ServiceName: Annotated[str, Text(32)] | None = None
    ServiceCategory: serviceCategory
    ServiceScope: Annotated[str, Text(32)] | None = None


class Service(Element):
    """Service."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    ServiceTag: ServiceTag
    FreeService: bool


class EVSESupportedEnergyTransfer(Enumeration):
    """EVSESupported Energy Transfer."""

    AC_single_phase_core = 0
    AC_three_phase_core = 1
    DC_core = 2
    DC_extended = 3
    DC_combo_core = 4
    DC_dual = 5
    AC_core1p_DC_extended = 6
    AC_single_DC_core = 7
    AC_single_phase_three_phase_core_DC_extended = 8
    AC_core3p_DC_extended = 9


class ServiceCharge(Service):
    """Service Charge."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    EnergyTransferType: EVSESupportedEnergyTransfer


class ServiceTagList(Element):
    """Service Tag List."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    Service: Annotated[list[Service], Occurs(1)]


class ServiceDiscoveryRes(BodyElement):
    """Charger: payment options and services."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    ResponseCode: responseCode
    PaymentOptions: PaymentOptions
    ChargeService: ServiceCharge
    ServiceList: ServiceTagList | None = None


class SelectedService(Element):
    """Selected Service."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    ServiceID: Annotated[int, Unsigned(0xFFFF)]
    ParameterSetID: Annotated[int, Integer(-0x8000, 0x7FFF)] | None = None


class SelectedServiceList(Element):
    """Selected Service List."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    SelectedService: Annotated[list[SelectedService], Occurs(1)]


class ServicePaymentSelectionReq(BodyElement):
    """Vehicle: what I take and how I pay."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    SelectedPaymentOption: paymentOption
    SelectedServiceList: SelectedServiceList


class ServicePaymentSelectionRes(BodyElement):
    """Charger: accepted, or FAILED."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    ResponseCode: responseCode


class SessionSetupReq(BodyElement):
    """Vehicle: who I am (EVCCID)."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    EVCCID: Annotated[bytes, Binary(8)]


class SessionSetupRes(BodyElement):
    """Charger: who I am (EVSEID); the session id is in the header."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    ResponseCode: responseCode
    EVSEID: Annotated[bytes, Binary(32)]
    DateTimeNow: Annotated[int, Integer(-(1 << 63), (1 << 63) - 1)] | None = None


class SessionStopReq(BodyElement):
    """Vehicle: the session is over."""

    XSD: ClassVar[Xsd] = Xsd(BODY)


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

    XSD: ClassVar[Xsd] = Xsd(DEF)

    BodyElement: (
        Annotated[
            BodyElement,
            Group(
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
                ContractAuthenticationReq,
                ContractAuthenticationRes,
                CurrentDemandReq,
                CurrentDemandRes,
                MeteringReceiptReq,
                MeteringReceiptRes,
                PaymentDetailsReq,
                PaymentDetailsRes,
                PowerDeliveryReq,
                PowerDeliveryRes,
                PreChargeReq,
                PreChargeRes,
                ServiceDetailReq,
                ServiceDetailRes,
                ServiceDiscoveryReq,
                ServiceDiscoveryRes,
                ServicePaymentSelectionReq,
                ServicePaymentSelectionRes,
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
    "din",
    bits=7,
    roots={V2G_Message: 77},
    names=245,
    fragments={
        "CertificateInstallationReq": Fragment(13, CertificateInstallationReq),
        "CertificateInstallationRes": Fragment(14, CertificateInstallationRes),
        "CertificateUpdateReq": Fragment(15, CertificateUpdateReq),
        "CertificateUpdateRes": Fragment(16, CertificateUpdateRes),
        "ContractAuthenticationReq": Fragment(28, ContractAuthenticationReq),
        "MeteringReceiptReq": Fragment(122, MeteringReceiptReq),
        "SalesTariff": Fragment(174, SalesTariff, TYPES),
        "SignedInfo": Fragment(212, SignedInfo),
    },
)
"""The document grammar (81 global elements) and the fragments that are signed (245 element names)."""


def encode(message: Element, session_id: bytes = b"") -> bytes:
    """The EXI stream of a message: a whole `V2G_Message`, or a body element with `session_id` for its header.

    Raises ExiValueError for a value the schema cannot carry.
    """
    if not isinstance(message, V2G_Message):
        if not isinstance(message, BodyElement):
            raise ExiValueError(f"{type(message).__name__} is no body element of schema din")
        message = V2G_Message(Header=MessageHeader(SessionID=session_id), Body=Body(BodyElement=message))
    return SCHEMA.encode(message)


def decode(data: bytes) -> V2G_Message:
    """The message in an EXI stream; raises ExiError with the bit where it is none."""
    return SCHEMA.decode(data)


__all__ = [
    "AC_EVChargeParameter",
    "AC_EVSEChargeParameter",
    "AC_EVSEStatus",
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
    "ChargingProfile",
    "ChargingStatusReq",
    "ChargingStatusRes",
    "ConsumptionCost",
    "ContractAuthenticationReq",
    "ContractAuthenticationRes",
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
    "EVChargeParameter",
    "EVPowerDeliveryParameter",
    "EVRequestedEnergyTransfer",
    "EVSEChargeParameter",
    "EVSENotification",
    "EVSEProcessing",
    "EVSEStatus",
    "EVSESupportedEnergyTransfer",
    "EVStatus",
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
    "PaymentOptions",
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
    "ServiceCharge",
    "ServiceDetailReq",
    "ServiceDetailRes",
    "ServiceDiscoveryReq",
    "ServiceDiscoveryRes",
    "ServiceParameterList",
    "ServicePaymentSelectionReq",
    "ServicePaymentSelectionRes",
    "ServiceTag",
    "ServiceTagList",
    "SessionSetupReq",
    "SessionSetupRes",
    "SessionStopReq",
    "SessionStopRes",
    "SubCertificates",
    "TYPES",
    "TimeInterval",
    "V2G_Message",
    "WeldingDetectionReq",
    "WeldingDetectionRes",
    "costKind",
    "decode",
    "encode",
    "faultCode",
    "isolationLevel",
    "paymentOption",
    "responseCode",
    "serviceCategory",
    "unitSymbol",
    "valueType",
]
