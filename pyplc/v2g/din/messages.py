"""DIN 70121 (`urn:din:70121:2012:MsgDef`): every message and type, declared once, in the order of the schema.

Names are the schema's; a type without an element of its own loses the suffix `Type`. `encode` and `decode` at the end
are what sessions use.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from ...exi import codec
from ...exi.declare import (
    Attribute,
    Binary,
    Bits,
    Element,
    Enumeration,
    Group,
    Integer,
    Member,
    Namespace,
    Occurs,
    OneOf,
    Text,
    Unit,
    Unsigned,
    Xsd,
)
from ...exi.errors import ExiError
from ...units import PhysicalValueArithmetic
from ..xmldsig import DSIG, Signature

DEF = "urn:din:70121:2012:MsgDef"
HEADER = "urn:din:70121:2012:MsgHeader"
BODY = "urn:din:70121:2012:MsgBody"
TYPES = "urn:din:70121:2012:MsgDataTypes"


class faultCode(Enumeration):
    """`faultCodeType` of the schema."""

    ParsingError = 0
    NoTLSRootCertificatAvailable = 1
    UnknownError = 2


class Notification(Element, kw_only=True):
    """`NotificationType` of the schema."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    FaultCode: faultCode
    FaultMsg: Annotated[str, Text(64)] | None = None


class MessageHeader(Element, kw_only=True):
    """Session id as it was received, zero in the first request; notification and signature are not used."""

    XSD: ClassVar[Xsd] = Xsd(HEADER)

    SessionID: Annotated[bytes, Binary(8)]
    Notification: Notification | None = None
    Signature: Annotated[Signature, Namespace(DSIG)] | None = None


class BodyElement(Element, kw_only=True):
    """`BodyBaseType` of the schema."""

    XSD: ClassVar[Xsd] = Xsd(DEF, abstract=True)


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


class DC_EVStatus(Element, kw_only=True):
    """State of the vehicle: ready, error, state of charge in percent."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    EVReady: bool
    EVCabinConditioning: bool | None = None
    EVRESSConditioning: bool | None = None
    EVErrorCode: DC_EVErrorCode
    EVRESSSOC: Annotated[int, Bits(0, 100)]


class CableCheckReq(Element, kw_only=True):
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
    """`EVSENotificationType` of the schema."""

    None_ = 0
    StopCharging = 1
    ReNegotiation = 2




    @property
    def text(self) -> str:
        """The schema's spelling."""
        return {"None_": "None"}.get(self.name, self.name)


class DC_EVSEStatus(Element, kw_only=True):
    """State of the charger: isolation, status code, notification (always None in DIN)."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    EVSEIsolationStatus: isolationLevel | None = None
    EVSEStatusCode: DC_EVSEStatusCode
    NotificationMaxDelay: Annotated[int, Unsigned(0xFFFFFFFF)]
    EVSENotification: EVSENotification


class EVSEProcessing(Enumeration):
    """`EVSEProcessingType` of the schema."""

    Finished = 0
    Ongoing = 1


class CableCheckRes(Element, kw_only=True):
    """Charger: the isolation, Ongoing until it is measured."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    ResponseCode: responseCode
    DC_EVSEStatus: DC_EVSEStatus
    EVSEProcessing: EVSEProcessing


class ListOfRootCertificateIDs(Element, kw_only=True):
    """`ListOfRootCertificateIDsType` of the schema."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    RootCertificateID: Annotated[list[Annotated[str, Text(40)]], Occurs(1)]


class CertificateInstallationReq(Element, kw_only=True):
    """`CertificateInstallationReqType` of the schema."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    Id: Annotated[str, Text(), Attribute] | None = None
    OEMProvisioningCert: Annotated[bytes, Binary(1200, base64=True)]
    ListOfRootCertificateIDs: ListOfRootCertificateIDs
    DHParams: Annotated[bytes, Binary(256, base64=True)]


class SubCertificates(Element, kw_only=True):
    """`SubCertificatesType` of the schema."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    Certificate: Annotated[list[Annotated[bytes, Binary(1200, base64=True)]], Occurs(1)]


class CertificateChain(Element, kw_only=True):
    """`CertificateChainType` of the schema."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    Certificate: Annotated[bytes, Binary(1200, base64=True)]
    SubCertificates: SubCertificates | None = None


class CertificateInstallationRes(Element, kw_only=True):
    """`CertificateInstallationResType` of the schema."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    Id: Annotated[str, Text(), Attribute]
    ResponseCode: responseCode
    ContractSignatureCertChain: CertificateChain
    ContractSignatureEncryptedPrivateKey: Annotated[bytes, Binary(128, base64=True)]
    DHParams: Annotated[bytes, Binary(256, base64=True)]
    ContractID: Annotated[str, Text(24)]


class CertificateUpdateReq(Element, kw_only=True):
    """`CertificateUpdateReqType` of the schema."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    Id: Annotated[str, Text(), Attribute] | None = None
    ContractSignatureCertChain: CertificateChain
    ContractID: Annotated[str, Text(24)]
    ListOfRootCertificateIDs: ListOfRootCertificateIDs
    DHParams: Annotated[bytes, Binary(256, base64=True)]


class CertificateUpdateRes(Element, kw_only=True):
    """`CertificateUpdateResType` of the schema."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    Id: Annotated[str, Text(), Attribute]
    ResponseCode: responseCode
    ContractSignatureCertChain: CertificateChain
    ContractSignatureEncryptedPrivateKey: Annotated[bytes, Binary(128, base64=True)]
    DHParams: Annotated[bytes, Binary(256, base64=True)]
    ContractID: Annotated[str, Text(24)]
    RetryCounter: Annotated[int, Integer(-0x8000, 0x7FFF)]


class EVRequestedEnergyTransfer(Enumeration):
    """`EVRequestedEnergyTransferType` of the schema."""

    AC_single_phase_core = 0
    AC_three_phase_core = 1
    DC_core = 2
    DC_extended = 3
    DC_combo_core = 4
    DC_unique = 5


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
    W_s = 8
    Wh = 9




    @property
    def text(self) -> str:
        """The schema's spelling."""
        return {"W_s": "W/s"}.get(self.name, self.name)


class PhysicalValue(PhysicalValueArithmetic, Element, frozen=True, kw_only=True):
    """A value with its unit: Value x 10^Multiplier."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    Multiplier: Annotated[int, Bits(-3, 3)]
    Unit: unitSymbol | None = None
    Value: Annotated[int, Integer(-0x8000, 0x7FFF)]


class AC_EVChargeParameter(Element, kw_only=True):
    """`AC_EVChargeParameterType` of the schema."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    DepartureTime: Annotated[int, Unsigned(0xFFFFFFFF)]
    EAmount: Annotated[PhysicalValue, Unit("Wh")]
    EVMaxVoltage: Annotated[PhysicalValue, Unit("V")]
    EVMaxCurrent: Annotated[PhysicalValue, Unit("A")]
    EVMinCurrent: Annotated[PhysicalValue, Unit("A")]


class DC_EVChargeParameter(Element, kw_only=True):
    """`DC_EVChargeParameterType` of the schema."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    DC_EVStatus: DC_EVStatus
    EVMaximumCurrentLimit: Annotated[PhysicalValue, Unit("A")]
    EVMaximumPowerLimit: Annotated[PhysicalValue, Unit("W")] | None = None
    EVMaximumVoltageLimit: Annotated[PhysicalValue, Unit("V")]
    EVEnergyCapacity: Annotated[PhysicalValue, Unit("Wh")] | None = None
    EVEnergyRequest: Annotated[PhysicalValue, Unit("Wh")] | None = None
    FullSOC: Annotated[int, Bits(0, 100)] | None = None
    BulkSOC: Annotated[int, Bits(0, 100)] | None = None


class EVChargeParameter(Element, kw_only=True):
    """`EVChargeParameterType` of the schema."""

    XSD: ClassVar[Xsd] = Xsd(TYPES, abstract=True)


EVChargeParameterGroup = Annotated[
    AC_EVChargeParameter | DC_EVChargeParameter | EVChargeParameter,
    Group(
        "EVChargeParameter",
        (
            Member("AC_EVChargeParameter", AC_EVChargeParameter, TYPES),
            Member("DC_EVChargeParameter", DC_EVChargeParameter, TYPES),
            Member("EVChargeParameter", EVChargeParameter, TYPES),
        ),
    ),
]


class ChargeParameterDiscoveryReq(Element, kw_only=True):
    """Vehicle: its limits, capacity and request."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    EVRequestedEnergyTransferType: EVRequestedEnergyTransfer
    EVChargeParameter: EVChargeParameterGroup


class RelativeTimeInterval(Element, kw_only=True):
    """`RelativeTimeIntervalType` of the schema."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    start: Annotated[int, Unsigned(0xFFFFFFFF)]
    duration: Annotated[int, Unsigned(0xFFFFFFFF)] | None = None


class TimeInterval(Element, kw_only=True):
    """`IntervalType` of the schema."""

    XSD: ClassVar[Xsd] = Xsd(TYPES, abstract=True)


TimeIntervalGroup = Annotated[
    RelativeTimeInterval | TimeInterval,
    Group(
        "TimeInterval",
        (
            Member("RelativeTimeInterval", RelativeTimeInterval, TYPES),
            Member("TimeInterval", TimeInterval, TYPES),
        ),
    ),
]


class PMaxScheduleEntry(Element, kw_only=True):
    """`PMaxScheduleEntryType` of the schema."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    TimeInterval: TimeIntervalGroup
    PMax: Annotated[int, Integer(-0x8000, 0x7FFF)]


class PMaxSchedule(Element, kw_only=True):
    """`PMaxScheduleType` of the schema."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    PMaxScheduleID: Annotated[int, Integer(-0x8000, 0x7FFF)]
    PMaxScheduleEntry: Annotated[list[PMaxScheduleEntry], Occurs(1)]


class costKind(Enumeration):
    """`costKindType` of the schema."""

    relativePricePercentage = 0
    RenewableGenerationPercentage = 1
    CarbonDioxideEmission = 2


class Cost(Element, kw_only=True):
    """`CostType` of the schema."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    costKind: costKind
    amount: Annotated[int, Unsigned(0xFFFFFFFF)]
    amountMultiplier: Annotated[int, Bits(-3, 3)] | None = None


class ConsumptionCost(Element, kw_only=True):
    """`ConsumptionCostType` of the schema."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    startValue: Annotated[int, Unsigned(0xFFFFFFFF)]
    Cost: Annotated[list[Cost], Occurs(0)] = []


class SalesTariffEntry(Element, kw_only=True):
    """`SalesTariffEntryType` of the schema."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    TimeInterval: TimeIntervalGroup
    EPriceLevel: Annotated[int, Bits(0, 255)]
    ConsumptionCost: Annotated[list[ConsumptionCost], Occurs(0)] = []


class SalesTariff(Element, kw_only=True):
    """`SalesTariffType` of the schema."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    Id: Annotated[str, Text(), Attribute]
    SalesTariffID: Annotated[int, Integer(-0x8000, 0x7FFF)]
    SalesTariffDescription: Annotated[str, Text(32)] | None = None
    NumEPriceLevels: Annotated[int, Bits(0, 255)]
    SalesTariffEntry: Annotated[list[SalesTariffEntry], Occurs(1)]


class SAScheduleTuple(Element, kw_only=True):
    """`SAScheduleTupleType` of the schema."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    SAScheduleTupleID: Annotated[int, Integer(-0x8000, 0x7FFF)]
    PMaxSchedule: PMaxSchedule
    SalesTariff: SalesTariff | None = None


class SAScheduleList(Element, kw_only=True):
    """Schedules of maximum power; the vehicle ignores them in DIN."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    SAScheduleTuple: Annotated[list[SAScheduleTuple], Occurs(1)]


class SASchedules(Element, kw_only=True):
    """`SASchedulesType` of the schema."""

    XSD: ClassVar[Xsd] = Xsd(TYPES, abstract=True)


SASchedulesGroup = Annotated[
    SAScheduleList | SASchedules,
    Group(
        "SASchedules",
        (
            Member("SAScheduleList", SAScheduleList, TYPES),
            Member("SASchedules", SASchedules, TYPES),
        ),
    ),
]


class AC_EVSEStatus(Element, kw_only=True):
    """`AC_EVSEStatusType` of the schema."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    PowerSwitchClosed: bool
    RCD: bool
    NotificationMaxDelay: Annotated[int, Unsigned(0xFFFFFFFF)]
    EVSENotification: EVSENotification


class AC_EVSEChargeParameter(Element, kw_only=True):
    """`AC_EVSEChargeParameterType` of the schema."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    AC_EVSEStatus: AC_EVSEStatus
    EVSEMaxVoltage: Annotated[PhysicalValue, Unit("V")]
    EVSEMaxCurrent: Annotated[PhysicalValue, Unit("A")]
    EVSEMinCurrent: Annotated[PhysicalValue, Unit("A")]


class DC_EVSEChargeParameter(Element, kw_only=True):
    """`DC_EVSEChargeParameterType` of the schema."""

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


class EVSEChargeParameter(Element, kw_only=True):
    """`EVSEChargeParameterType` of the schema."""

    XSD: ClassVar[Xsd] = Xsd(TYPES, abstract=True)


EVSEChargeParameterGroup = Annotated[
    AC_EVSEChargeParameter | DC_EVSEChargeParameter | EVSEChargeParameter,
    Group(
        "EVSEChargeParameter",
        (
            Member("AC_EVSEChargeParameter", AC_EVSEChargeParameter, TYPES),
            Member("DC_EVSEChargeParameter", DC_EVSEChargeParameter, TYPES),
            Member("EVSEChargeParameter", EVSEChargeParameter, TYPES),
        ),
    ),
]


class ChargeParameterDiscoveryRes(Element, kw_only=True):
    """Charger: its limits and the schedule."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    ResponseCode: responseCode
    EVSEProcessing: EVSEProcessing
    SASchedules: SASchedulesGroup
    EVSEChargeParameter: EVSEChargeParameterGroup


class ChargingStatusReq(Element, kw_only=True):
    """`ChargingStatusReqType` of the schema."""

    XSD: ClassVar[Xsd] = Xsd(BODY)


class MeterInfo(Element, kw_only=True):
    """`MeterInfoType` of the schema."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    MeterID: Annotated[str, Text(32)]
    MeterReading: Annotated[PhysicalValue, Unit("Wh")] | None = None
    SigMeterReading: Annotated[bytes, Binary(32, base64=True)] | None = None
    MeterStatus: Annotated[int, Integer(-0x8000, 0x7FFF)] | None = None
    TMeter: Annotated[int, Integer(-(1 << 63), (1 << 63) - 1)] | None = None


class ChargingStatusRes(Element, kw_only=True):
    """`ChargingStatusResType` of the schema."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    ResponseCode: responseCode
    EVSEID: Annotated[bytes, Binary(32)]
    SAScheduleTupleID: Annotated[int, Integer(-0x8000, 0x7FFF)]
    EVSEMaxCurrent: Annotated[PhysicalValue, Unit("A")] | None = None
    MeterInfo: MeterInfo | None = None
    ReceiptRequired: bool
    AC_EVSEStatus: AC_EVSEStatus


class ContractAuthenticationReq(Element, kw_only=True):
    """Vehicle: may I charge? Repeated while the answer is Ongoing."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    Id: Annotated[str, Text(), Attribute] | None = None
    GenChallenge: Annotated[str, Text()] | None = None


class ContractAuthenticationRes(Element, kw_only=True):
    """Charger: Finished when the driver is authorised."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    ResponseCode: responseCode
    EVSEProcessing: EVSEProcessing


class CurrentDemandReq(Element, kw_only=True):
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


class CurrentDemandRes(Element, kw_only=True):
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


class MeteringReceiptReq(Element, kw_only=True):
    """`MeteringReceiptReqType` of the schema."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    Id: Annotated[str, Text(), Attribute] | None = None
    SessionID: Annotated[bytes, Binary(8)]
    SAScheduleTupleID: Annotated[int, Integer(-0x8000, 0x7FFF)] | None = None
    MeterInfo: MeterInfo


class MeteringReceiptRes(Element, kw_only=True):
    """`MeteringReceiptResType` of the schema."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    ResponseCode: responseCode
    AC_EVSEStatus: AC_EVSEStatus


class PaymentDetailsReq(Element, kw_only=True):
    """`PaymentDetailsReqType` of the schema."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    ContractID: Annotated[str, Text(24)]
    ContractSignatureCertChain: CertificateChain


class PaymentDetailsRes(Element, kw_only=True):
    """`PaymentDetailsResType` of the schema."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    ResponseCode: responseCode
    GenChallenge: Annotated[str, Text()]
    DateTimeNow: Annotated[int, Integer(-(1 << 63), (1 << 63) - 1)]


class ProfileEntry(Element, kw_only=True):
    """`ProfileEntryType` of the schema."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    ChargingProfileEntryStart: Annotated[int, Unsigned(0xFFFFFFFF)]
    ChargingProfileEntryMaxPower: Annotated[int, Integer(-0x8000, 0x7FFF)]


class ChargingProfile(Element, kw_only=True):
    """`ChargingProfileType` of the schema."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    SAScheduleTupleID: Annotated[int, Integer(-0x8000, 0x7FFF)]
    ProfileEntry: Annotated[list[ProfileEntry], Occurs(1)]


class DC_EVPowerDeliveryParameter(Element, kw_only=True):
    """`DC_EVPowerDeliveryParameterType` of the schema."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    DC_EVStatus: DC_EVStatus
    BulkChargingComplete: bool | None = None
    ChargingComplete: bool


class EVPowerDeliveryParameter(Element, kw_only=True):
    """`EVPowerDeliveryParameterType` of the schema."""

    XSD: ClassVar[Xsd] = Xsd(TYPES, abstract=True)


EVPowerDeliveryParameterGroup = Annotated[
    DC_EVPowerDeliveryParameter | EVPowerDeliveryParameter,
    Group(
        "EVPowerDeliveryParameter",
        (
            Member("DC_EVPowerDeliveryParameter", DC_EVPowerDeliveryParameter, TYPES),
            Member("EVPowerDeliveryParameter", EVPowerDeliveryParameter, TYPES),
        ),
    ),
]


class PowerDeliveryReq(Element, kw_only=True):
    """Vehicle: power on (true) or off (false)."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    ReadyToChargeState: bool
    ChargingProfile: ChargingProfile | None = None
    EVPowerDeliveryParameter: EVPowerDeliveryParameterGroup | None = None


class EVSEStatus(Element, kw_only=True):
    """`EVSEStatusType` of the schema."""

    XSD: ClassVar[Xsd] = Xsd(TYPES, abstract=True)


EVSEStatusGroup = Annotated[
    AC_EVSEStatus | DC_EVSEStatus | EVSEStatus,
    Group(
        "EVSEStatus",
        (
            Member("AC_EVSEStatus", AC_EVSEStatus, TYPES),
            Member("DC_EVSEStatus", DC_EVSEStatus, TYPES),
            Member("EVSEStatus", EVSEStatus, TYPES),
        ),
    ),
]


class PowerDeliveryRes(Element, kw_only=True):
    """Charger: done, or FAILED."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    ResponseCode: responseCode
    EVSEStatus: EVSEStatusGroup


class PreChargeReq(Element, kw_only=True):
    """Vehicle: bring the outlet to the voltage of my battery, with less than 2 A."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    DC_EVStatus: DC_EVStatus
    EVTargetVoltage: Annotated[PhysicalValue, Unit("V")]
    EVTargetCurrent: Annotated[PhysicalValue, Unit("A")]


class PreChargeRes(Element, kw_only=True):
    """Charger: the voltage at the outlet."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    ResponseCode: responseCode
    DC_EVSEStatus: DC_EVSEStatus
    EVSEPresentVoltage: Annotated[PhysicalValue, Unit("V")]


class ServiceDetailReq(Element, kw_only=True):
    """`ServiceDetailReqType` of the schema."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    ServiceID: Annotated[int, Unsigned(0xFFFF)]


class valueType(Enumeration):
    """`valueType` of the schema."""

    bool = 0
    byte = 1
    short = 2
    int = 3
    physicalValue = 4
    string = 5


class Parameter(Element, kw_only=True):
    """`ParameterType` of the schema."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    Name: Annotated[str, Text(), Attribute]
    ValueType: Annotated[valueType, Attribute]
    boolValue: Annotated[bool, OneOf("choice")] | None = None
    byteValue: Annotated[int, Bits(-128, 127), OneOf("choice")] | None = None
    shortValue: Annotated[int, Integer(-0x8000, 0x7FFF), OneOf("choice")] | None = None
    intValue: Annotated[int, Integer(-0x80000000, 0x7FFFFFFF), OneOf("choice")] | None = None
    physicalValue: Annotated[PhysicalValue, OneOf("choice")] | None = None
    stringValue: Annotated[str, Text(), OneOf("choice")] | None = None


class ParameterSet(Element, kw_only=True):
    """`ParameterSetType` of the schema."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    ParameterSetID: Annotated[int, Integer(-0x8000, 0x7FFF)]
    Parameter: Annotated[list[Parameter], Occurs(1)]


class ServiceParameterList(Element, kw_only=True):
    """`ServiceParameterListType` of the schema."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    ParameterSet: Annotated[list[ParameterSet], Occurs(1)]


class ServiceDetailRes(Element, kw_only=True):
    """`ServiceDetailResType` of the schema."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    ResponseCode: responseCode
    ServiceID: Annotated[int, Unsigned(0xFFFF)]
    ServiceParameterList: ServiceParameterList | None = None


class serviceCategory(Enumeration):
    """`serviceCategoryType` of the schema."""

    EVCharging = 0
    Internet = 1
    ContractCertificate = 2
    OtherCustom = 3


class ServiceDiscoveryReq(Element, kw_only=True):
    """Vehicle: what do you offer?"""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    ServiceScope: Annotated[str, Text(32)] | None = None
    ServiceCategory: serviceCategory | None = None


class paymentOption(Enumeration):
    """`paymentOptionType` of the schema."""

    Contract = 0
    ExternalPayment = 1


class PaymentOptions(Element, kw_only=True):
    """`PaymentOptionsType` of the schema."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    PaymentOption: Annotated[list[paymentOption], Occurs(1)]


class ServiceTag(Element, kw_only=True):
    """`ServiceTagType` of the schema."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    ServiceID: Annotated[int, Unsigned(0xFFFF)]
    ServiceName: Annotated[str, Text(32)] | None = None
    ServiceCategory: serviceCategory
    ServiceScope: Annotated[str, Text(32)] | None = None


class EVSESupportedEnergyTransfer(Enumeration):
    """`EVSESupportedEnergyTransferType` of the schema."""

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


class ServiceCharge(Element, kw_only=True):
    """`ServiceChargeType` of the schema."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    ServiceTag: ServiceTag
    FreeService: bool
    EnergyTransferType: EVSESupportedEnergyTransfer


class Service(Element, kw_only=True):
    """`ServiceType` of the schema."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    ServiceTag: ServiceTag
    FreeService: bool


class ServiceTagList(Element, kw_only=True):
    """`ServiceTagListType` of the schema."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    Service: Annotated[list[Service], Occurs(1)]


class ServiceDiscoveryRes(Element, kw_only=True):
    """Charger: payment options and the charge service."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    ResponseCode: responseCode
    PaymentOptions: PaymentOptions
    ChargeService: ServiceCharge
    ServiceList: ServiceTagList | None = None


class SelectedService(Element, kw_only=True):
    """`SelectedServiceType` of the schema."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    ServiceID: Annotated[int, Unsigned(0xFFFF)]
    ParameterSetID: Annotated[int, Integer(-0x8000, 0x7FFF)] | None = None


class SelectedServiceList(Element, kw_only=True):
    """`SelectedServiceListType` of the schema."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    SelectedService: Annotated[list[SelectedService], Occurs(1)]


class ServicePaymentSelectionReq(Element, kw_only=True):
    """Vehicle: what I take and how I pay."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    SelectedPaymentOption: paymentOption
    SelectedServiceList: SelectedServiceList


class ServicePaymentSelectionRes(Element, kw_only=True):
    """Charger: accepted, or FAILED."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    ResponseCode: responseCode


class SessionSetupReq(Element, kw_only=True):
    """Vehicle: who I am (EVCCID, its MAC)."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    EVCCID: Annotated[bytes, Binary(8)]


class SessionSetupRes(Element, kw_only=True):
    """Charger: who I am (EVSEID); the session id is in the header."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    ResponseCode: responseCode
    EVSEID: Annotated[bytes, Binary(32)]
    DateTimeNow: Annotated[int, Integer(-(1 << 63), (1 << 63) - 1)] | None = None


class SessionStopReq(Element, kw_only=True):
    """Vehicle: the session is over."""

    XSD: ClassVar[Xsd] = Xsd(BODY)


class SessionStopRes(Element, kw_only=True):
    """Charger: the session is over."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    ResponseCode: responseCode


class WeldingDetectionReq(Element, kw_only=True):
    """Vehicle: contactors are open, what do you measure?"""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    DC_EVStatus: DC_EVStatus


class WeldingDetectionRes(Element, kw_only=True):
    """Charger: the voltage at the outlet."""

    XSD: ClassVar[Xsd] = Xsd(BODY)

    ResponseCode: responseCode
    DC_EVSEStatus: DC_EVSEStatus
    EVSEPresentVoltage: Annotated[PhysicalValue, Unit("V")]


BodyElementGroup = Annotated[
    BodyElement | CableCheckReq | CableCheckRes | CertificateInstallationReq | CertificateInstallationRes | CertificateUpdateReq | CertificateUpdateRes | ChargeParameterDiscoveryReq | ChargeParameterDiscoveryRes | ChargingStatusReq | ChargingStatusRes | ContractAuthenticationReq | ContractAuthenticationRes | CurrentDemandReq | CurrentDemandRes | MeteringReceiptReq | MeteringReceiptRes | PaymentDetailsReq | PaymentDetailsRes | PowerDeliveryReq | PowerDeliveryRes | PreChargeReq | PreChargeRes | ServiceDetailReq | ServiceDetailRes | ServiceDiscoveryReq | ServiceDiscoveryRes | ServicePaymentSelectionReq | ServicePaymentSelectionRes | SessionSetupReq | SessionSetupRes | SessionStopReq | SessionStopRes | WeldingDetectionReq | WeldingDetectionRes,
    Group(
        "BodyElement",
        (
            Member("BodyElement", BodyElement, DEF),
            Member("CableCheckReq", CableCheckReq, BODY),
            Member("CableCheckRes", CableCheckRes, BODY),
            Member("CertificateInstallationReq", CertificateInstallationReq, BODY),
            Member("CertificateInstallationRes", CertificateInstallationRes, BODY),
            Member("CertificateUpdateReq", CertificateUpdateReq, BODY),
            Member("CertificateUpdateRes", CertificateUpdateRes, BODY),
            Member("ChargeParameterDiscoveryReq", ChargeParameterDiscoveryReq, BODY),
            Member("ChargeParameterDiscoveryRes", ChargeParameterDiscoveryRes, BODY),
            Member("ChargingStatusReq", ChargingStatusReq, BODY),
            Member("ChargingStatusRes", ChargingStatusRes, BODY),
            Member("ContractAuthenticationReq", ContractAuthenticationReq, BODY),
            Member("ContractAuthenticationRes", ContractAuthenticationRes, BODY),
            Member("CurrentDemandReq", CurrentDemandReq, BODY),
            Member("CurrentDemandRes", CurrentDemandRes, BODY),
            Member("MeteringReceiptReq", MeteringReceiptReq, BODY),
            Member("MeteringReceiptRes", MeteringReceiptRes, BODY),
            Member("PaymentDetailsReq", PaymentDetailsReq, BODY),
            Member("PaymentDetailsRes", PaymentDetailsRes, BODY),
            Member("PowerDeliveryReq", PowerDeliveryReq, BODY),
            Member("PowerDeliveryRes", PowerDeliveryRes, BODY),
            Member("PreChargeReq", PreChargeReq, BODY),
            Member("PreChargeRes", PreChargeRes, BODY),
            Member("ServiceDetailReq", ServiceDetailReq, BODY),
            Member("ServiceDetailRes", ServiceDetailRes, BODY),
            Member("ServiceDiscoveryReq", ServiceDiscoveryReq, BODY),
            Member("ServiceDiscoveryRes", ServiceDiscoveryRes, BODY),
            Member("ServicePaymentSelectionReq", ServicePaymentSelectionReq, BODY),
            Member("ServicePaymentSelectionRes", ServicePaymentSelectionRes, BODY),
            Member("SessionSetupReq", SessionSetupReq, BODY),
            Member("SessionSetupRes", SessionSetupRes, BODY),
            Member("SessionStopReq", SessionStopReq, BODY),
            Member("SessionStopRes", SessionStopRes, BODY),
            Member("WeldingDetectionReq", WeldingDetectionReq, BODY),
            Member("WeldingDetectionRes", WeldingDetectionRes, BODY),
        ),
    ),
]


class Body(Element, kw_only=True):
    """The body: one of the 34 messages, or nothing."""

    XSD: ClassVar[Xsd] = Xsd(DEF)

    BodyElement: BodyElementGroup | None = None


class V2G_Message(Element, kw_only=True):
    """A message: header with the session id, body with at most one element."""

    XSD: ClassVar[Xsd] = Xsd(DEF)

    Header: MessageHeader
    Body: Body


SCHEMA = codec.Schema("din", roots={"V2G_Message": (77, V2G_Message)}, bits=7)
"""The document grammar: 81 global elements, V2G_Message is number 77."""


def encode(message: Element, session_id: bytes = b"") -> bytes:
    """The EXI stream of a message: a whole `V2G_Message`, or a body element with `session_id` for its header.

    Raises ExiValueError for a value the schema cannot carry.
    """
    if not isinstance(message, V2G_Message):
        message = V2G_Message(Header=MessageHeader(SessionID=session_id), Body=Body(BodyElement=message))  # type: ignore[arg-type]
    return SCHEMA.encode(message)


def decode(data: bytes) -> V2G_Message:
    """The message in an EXI stream; raises ExiError with the bit where it is none."""
    message = SCHEMA.decode(data)
    assert isinstance(message, V2G_Message)
    return message
