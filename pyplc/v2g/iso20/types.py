"""ISO 15118-20 CommonTypes: what several schemas share, declared once."""

from __future__ import annotations

from typing import Annotated, ClassVar

from ...exi.declare import Binary, Bits, Element, Enumeration, Integer, Namespace, Occurs, Text, Unit, Unsigned, Xsd
from ...units import RationalNumberArithmetic
from ..xmldsig import DSIG, Signature, X509IssuerSerial

TYPES = "urn:iso:std:iso:15118:-20:CommonTypes"


class MessageHeader(Element):
    """Session id as it was received, zero in the first request."""

    XSD: ClassVar[Xsd] = Xsd(TYPES, window=120)

    SessionID: Annotated[bytes, Binary(8, min_length=8)]
    TimeStamp: Annotated[int, Unsigned((1 << 64) - 1)]
    Signature: Annotated[Signature, Namespace(DSIG)] | None = None


class V2GMessage(Element):
    """V2 GMessage."""

    XSD: ClassVar[Xsd] = Xsd(TYPES, abstract=True)

    Header: MessageHeader


class V2GRequest(V2GMessage):
    """V2 GRequest."""

    XSD: ClassVar[Xsd] = Xsd(TYPES, abstract=True)


class responseCode(Enumeration):
    """What a charger answers; everything from FAILED on ends the session."""

    OK = 0
    OK_CertificateExpiresSoon = 1
    OK_NewSessionEstablished = 2
    OK_OldSessionJoined = 3
    OK_PowerToleranceConfirmed = 4
    WARNING_AuthorizationSelectionInvalid = 5
    WARNING_CertificateExpired = 6
    WARNING_CertificateNotYetValid = 7
    WARNING_CertificateRevoked = 8
    WARNING_CertificateValidationError = 9
    WARNING_ChallengeInvalid = 10
    WARNING_EIMAuthorizationFailure = 11
    WARNING_eMSPUnknown = 12
    WARNING_EVPowerProfileViolation = 13
    WARNING_GeneralPnCAuthorizationError = 14
    WARNING_NoCertificateAvailable = 15
    WARNING_NoContractMatchingPCIDFound = 16
    WARNING_PowerToleranceNotConfirmed = 17
    WARNING_ScheduleRenegotiationFailed = 18
    WARNING_StandbyNotAllowed = 19
    WARNING_WPT = 20
    FAILED = 21
    FAILED_AssociationError = 22
    FAILED_ContactorError = 23
    FAILED_EVPowerProfileInvalid = 24
    FAILED_EVPowerProfileViolation = 25
    FAILED_MeteringSignatureNotValid = 26
    FAILED_NoEnergyTransferServiceSelected = 27
    FAILED_NoServiceRenegotiationSupported = 28
    FAILED_PauseNotAllowed = 29
    FAILED_PowerDeliveryNotApplied = 30
    FAILED_PowerToleranceNotConfirmed = 31
    FAILED_ScheduleRenegotiation = 32
    FAILED_ScheduleSelectionInvalid = 33
    FAILED_SequenceError = 34
    FAILED_ServiceIDInvalid = 35
    FAILED_ServiceSelectionInvalid = 36
    FAILED_SignatureError = 37
    FAILED_UnknownSession = 38
    FAILED_WrongChargeParameter = 39


class V2GResponse(V2GMessage):
    """V2 GResponse."""

    XSD: ClassVar[Xsd] = Xsd(TYPES, abstract=True)

    ResponseCode: responseCode


class ChargeParameterDiscoveryReq(V2GRequest):
    """Vehicle: its limits and its request."""

    XSD: ClassVar[Xsd] = Xsd(TYPES, abstract=True)


class ChargeParameterDiscoveryRes(V2GResponse):
    """Charger: its limits and the schedule."""

    XSD: ClassVar[Xsd] = Xsd(TYPES, abstract=True)


class RationalNumber(RationalNumberArithmetic, Element):
    """A number: Value x 10^Exponent; its unit follows from the element."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    Exponent: Annotated[int, Bits(-128, 127)]
    Value: Annotated[int, Integer(-0x8000, 0x7FFF)]


class DisplayParameters(Element):
    """Display Parameters."""

    XSD: ClassVar[Xsd] = Xsd(TYPES, window=64)

    PresentSOC: Annotated[int, Bits(0, 100), Unit("%")] | None = None
    MinimumSOC: Annotated[int, Bits(0, 100), Unit("%")] | None = None
    TargetSOC: Annotated[int, Bits(0, 100), Unit("%")] | None = None
    MaximumSOC: Annotated[int, Bits(0, 100), Unit("%")] | None = None
    RemainingTimeToMinimumSOC: Annotated[int, Unsigned(0xFFFFFFFF), Unit("s")] | None = None
    RemainingTimeToTargetSOC: Annotated[int, Unsigned(0xFFFFFFFF), Unit("s")] | None = None
    RemainingTimeToMaximumSOC: Annotated[int, Unsigned(0xFFFFFFFF), Unit("s")] | None = None
    ChargingComplete: bool | None = None
    BatteryEnergyCapacity: Annotated[RationalNumber, Unit("Wh")] | None = None
    InletHot: bool | None = None


class ChargeLoopReq(V2GRequest):
    """Vehicle: Charge Loop."""

    XSD: ClassVar[Xsd] = Xsd(TYPES, abstract=True)

    DisplayParameters: DisplayParameters | None = None
    MeterInfoRequested: bool


class evseNotification(Enumeration):
    """Evse Notification."""

    Pause = 0
    ExitStandby = 1
    Terminate = 2
    ScheduleRenegotiation = 3
    ServiceRenegotiation = 4
    MeteringConfirmation = 5


class EVSEStatus(Element):
    """EVSEStatus."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    NotificationMaxDelay: Annotated[int, Unsigned(0xFFFF), Unit("s")]
    EVSENotification: evseNotification


class MeterInfo(Element):
    """Meter Info."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    MeterID: Annotated[str, Text(32)]
    ChargedEnergyReadingWh: Annotated[int, Unsigned((1 << 64) - 1), Unit("Wh")]
    BPT_DischargedEnergyReadingWh: Annotated[int, Unsigned((1 << 64) - 1), Unit("Wh")] | None = None
    CapacitiveEnergyReadingVARh: Annotated[int, Unsigned((1 << 64) - 1), Unit("varh")] | None = None
    BPT_InductiveEnergyReadingVARh: Annotated[int, Unsigned((1 << 64) - 1), Unit("varh")] | None = None
    MeterSignature: Annotated[bytes, Binary(64, base64=True)] | None = None
    MeterStatus: Annotated[int, Integer(-0x8000, 0x7FFF)] | None = None
    MeterTimestamp: Annotated[int, Unsigned((1 << 64) - 1)] | None = None


class DetailedCost(Element):
    """Detailed Cost."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    Amount: RationalNumber
    CostPerUnit: RationalNumber


class DetailedTax(Element):
    """Detailed Tax."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    TaxRuleID: Annotated[int, Unsigned(0xFFFFFFFF, low=1)]
    Amount: RationalNumber


class Receipt(Element):
    """Receipt."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    TimeAnchor: Annotated[int, Unsigned((1 << 64) - 1)]
    EnergyCosts: DetailedCost | None = None
    OccupancyCosts: DetailedCost | None = None
    AdditionalServicesCosts: DetailedCost | None = None
    OverstayCosts: DetailedCost | None = None
    TaxCosts: Annotated[list[DetailedTax], Occurs(0, 10)] = []


class ChargeLoopRes(V2GResponse):
    """Charger: Charge Loop."""

    XSD: ClassVar[Xsd] = Xsd(TYPES, abstract=True)

    EVSEStatus: EVSEStatus | None = None
    MeterInfo: MeterInfo | None = None
    Receipt: Receipt | None = None


class CLReqControlMode(Element):
    """CLReq Control Mode."""

    XSD: ClassVar[Xsd] = Xsd(TYPES, abstract=True)


class CLResControlMode(Element):
    """CLRes Control Mode."""

    XSD: ClassVar[Xsd] = Xsd(TYPES, abstract=True)


class Scheduled_CLReqControlMode(CLReqControlMode):
    """Scheduled CLReq Control Mode."""

    XSD: ClassVar[Xsd] = Xsd(TYPES, abstract=True)

    EVTargetEnergyRequest: Annotated[RationalNumber, Unit("Wh")] | None = None
    EVMaximumEnergyRequest: Annotated[RationalNumber, Unit("Wh")] | None = None
    EVMinimumEnergyRequest: Annotated[RationalNumber, Unit("Wh")] | None = None


class Scheduled_CLResControlMode(CLResControlMode):
    """Scheduled CLRes Control Mode."""

    XSD: ClassVar[Xsd] = Xsd(TYPES, abstract=True)


class Dynamic_CLReqControlMode(CLReqControlMode):
    """Dynamic CLReq Control Mode."""

    XSD: ClassVar[Xsd] = Xsd(TYPES, abstract=True)

    DepartureTime: Annotated[int, Unsigned(0xFFFFFFFF), Unit("s")] | None = None
    EVTargetEnergyRequest: Annotated[RationalNumber, Unit("Wh")]
    EVMaximumEnergyRequest: Annotated[RationalNumber, Unit("Wh")]
    EVMinimumEnergyRequest: Annotated[RationalNumber, Unit("Wh")]


class Dynamic_CLResControlMode(CLResControlMode):
    """Dynamic CLRes Control Mode."""

    XSD: ClassVar[Xsd] = Xsd(TYPES, abstract=True)

    DepartureTime: Annotated[int, Unsigned(0xFFFFFFFF), Unit("s")] | None = None
    MinimumSOC: Annotated[int, Bits(0, 100), Unit("%")] | None = None
    TargetSOC: Annotated[int, Bits(0, 100), Unit("%")] | None = None
    AckMaxDelay: Annotated[int, Unsigned(0xFFFF), Unit("s")] | None = None


class ListOfRootCertificateIDs(Element):
    """List Of Root Certificate IDs."""

    XSD: ClassVar[Xsd] = Xsd(TYPES)

    RootCertificateID: Annotated[list[X509IssuerSerial], Occurs(1, 20)]


class processing(Enumeration):
    """Processing."""

    Finished = 0
    Ongoing = 1
    Ongoing_WaitingForCustomerInteraction = 2


__all__ = [
    "CLReqControlMode",
    "CLResControlMode",
    "ChargeLoopReq",
    "ChargeLoopRes",
    "ChargeParameterDiscoveryReq",
    "ChargeParameterDiscoveryRes",
    "DetailedCost",
    "DetailedTax",
    "DisplayParameters",
    "Dynamic_CLReqControlMode",
    "Dynamic_CLResControlMode",
    "EVSEStatus",
    "ListOfRootCertificateIDs",
    "MessageHeader",
    "MeterInfo",
    "RationalNumber",
    "Receipt",
    "Scheduled_CLReqControlMode",
    "Scheduled_CLResControlMode",
    "TYPES",
    "V2GMessage",
    "V2GRequest",
    "V2GResponse",
    "evseNotification",
    "processing",
    "responseCode",
]
