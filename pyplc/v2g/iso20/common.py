"""ISO 15118-20 CommonMessages: every message and type, declared once.

Namespace `urn:iso:std:iso:15118:-20:CommonMessages`, V2GTP payload type 0x8002.
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
    Integer,
    Occurs,
    OneOf,
    Text,
    Unit,
    Unsigned,
    Xsd,
)
from ..xmldsig import SignedInfo
from .types import (
    EVSEStatus,
    ListOfRootCertificateIDs,
    MeterInfo,
    RationalNumber,
    Receipt,
    V2GMessage,
    V2GRequest,
    V2GResponse,
    processing,
)

MESSAGES = "urn:iso:std:iso:15118:-20:CommonMessages"


class SessionSetupReq(V2GRequest):
    """Vehicle: who I am (EVCCID)."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    EVCCID: Annotated[str, Text(255)]


class SessionSetupRes(V2GResponse):
    """Charger: who I am (EVSEID); the session id is in the header."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    EVSEID: Annotated[str, Text(255)]


class AuthorizationSetupReq(V2GRequest):
    """Vehicle: how can I be authorised?"""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)


class authorization(Enumeration):
    """Authorization."""

    EIM = 0
    PnC = 1


class EIM_ASResAuthorizationMode(Element):
    """EIM ASRes Authorization Mode."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)


class SupportedProvidersList(Element):
    """Supported Providers List."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    ProviderID: Annotated[list[Annotated[str, Text(80)]], Occurs(1, 128)]


class PnC_ASResAuthorizationMode(Element):
    """Pn C ASRes Authorization Mode."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    GenChallenge: Annotated[bytes, Binary(16, base64=True, min_length=16)]
    SupportedProviders: SupportedProvidersList | None = None


class AuthorizationSetupRes(V2GResponse):
    """Charger: the ways of authorisation."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    AuthorizationServices: Annotated[list[authorization], Occurs(1, 2)]
    CertificateInstallationService: bool
    EIM_ASResAuthorizationMode: Annotated[EIM_ASResAuthorizationMode, OneOf("EIM_ASResAuthorizationMode")] | None = None
    PnC_ASResAuthorizationMode: Annotated[PnC_ASResAuthorizationMode, OneOf("EIM_ASResAuthorizationMode")] | None = None


class EIM_AReqAuthorizationMode(Element):
    """EIM AReq Authorization Mode."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)


class SubCertificates(Element):
    """Sub Certificates."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    Certificate: Annotated[list[Annotated[bytes, Binary(1600, base64=True)]], Occurs(1, 3)]


class ContractCertificateChain(Element):
    """Contract Certificate Chain."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    Certificate: Annotated[bytes, Binary(1600, base64=True)]
    SubCertificates: SubCertificates


class PnC_AReqAuthorizationMode(Element):
    """Pn C AReq Authorization Mode."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    Id: Annotated[str, Text(), Attribute(qualified=True)]
    GenChallenge: Annotated[bytes, Binary(16, base64=True, min_length=16)]
    ContractCertificateChain: ContractCertificateChain


class AuthorizationReq(V2GRequest):
    """Vehicle: may I charge? Repeated while the answer is Ongoing."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    SelectedAuthorizationService: authorization
    EIM_AReqAuthorizationMode: Annotated[EIM_AReqAuthorizationMode, OneOf("EIM_AReqAuthorizationMode")] | None = None
    PnC_AReqAuthorizationMode: Annotated[PnC_AReqAuthorizationMode, OneOf("EIM_AReqAuthorizationMode")] | None = None


class AuthorizationRes(V2GResponse):
    """Charger: Finished when the driver is authorised."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    EVSEProcessing: processing


class ServiceIDList(Element):
    """Service IDList."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    ServiceID: Annotated[list[Annotated[int, Unsigned(0xFFFF)]], Occurs(1, 16)]


class ServiceDiscoveryReq(V2GRequest):
    """Vehicle: what do you offer?"""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    SupportedServiceIDs: ServiceIDList | None = None


class Service(Element):
    """Service."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    ServiceID: Annotated[int, Unsigned(0xFFFF)]
    FreeService: bool


class ServiceList(Element):
    """Service List."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    Service: Annotated[list[Service], Occurs(1, 8)]


class ServiceDiscoveryRes(V2GResponse):
    """Charger: payment options and services."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    ServiceRenegotiationSupported: bool
    EnergyTransferServiceList: ServiceList
    VASList: ServiceList | None = None


class ServiceDetailReq(V2GRequest):
    """Vehicle: tell me the parameters of a service."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    ServiceID: Annotated[int, Unsigned(0xFFFF)]


class Parameter(Element):
    """Parameter."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    Name: Annotated[str, Text(80), Attribute(qualified=True)]
    boolValue: Annotated[bool, OneOf("boolValue")] | None = None
    byteValue: Annotated[int, Bits(-128, 127), OneOf("boolValue")] | None = None
    shortValue: Annotated[int, Integer(-0x8000, 0x7FFF), OneOf("boolValue")] | None = None
    intValue: Annotated[int, Integer(-0x80000000, 0x7FFFFFFF), OneOf("boolValue")] | None = None
    rationalNumber: Annotated[RationalNumber, OneOf("boolValue")] | None = None
    finiteString: Annotated[str, Text(80), OneOf("boolValue")] | None = None


class ParameterSet(Element):
    """Parameter Set."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    ParameterSetID: Annotated[int, Unsigned(0xFFFF)]
    Parameter: Annotated[list[Parameter], Occurs(1, 32)]


class ServiceParameterList(Element):
    """Service Parameter List."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    ParameterSet: Annotated[list[ParameterSet], Occurs(1, 32)]


class ServiceDetailRes(V2GResponse):
    """Charger: the parameter sets of a service."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    ServiceID: Annotated[int, Unsigned(0xFFFF)]
    ServiceParameterList: ServiceParameterList


class SelectedService(Element):
    """Selected Service."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    ServiceID: Annotated[int, Unsigned(0xFFFF)]
    ParameterSetID: Annotated[int, Unsigned(0xFFFF)]


class SelectedServiceList(Element):
    """Selected Service List."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    SelectedService: Annotated[list[SelectedService], Occurs(1, 16)]


class ServiceSelectionReq(V2GRequest):
    """Vehicle: Service Selection."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    SelectedEnergyTransferService: SelectedService
    SelectedVASList: SelectedServiceList | None = None


class ServiceSelectionRes(V2GResponse):
    """Charger: Service Selection."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)


class Dynamic_SEReqControlMode(Element):
    """Dynamic SEReq Control Mode."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    DepartureTime: Annotated[int, Unsigned(0xFFFFFFFF), Unit("s")]
    MinimumSOC: Annotated[int, Bits(0, 100), Unit("%")] | None = None
    TargetSOC: Annotated[int, Bits(0, 100), Unit("%")] | None = None
    EVTargetEnergyRequest: Annotated[RationalNumber, Unit("Wh")]
    EVMaximumEnergyRequest: Annotated[RationalNumber, Unit("Wh")]
    EVMinimumEnergyRequest: Annotated[RationalNumber, Unit("Wh")]
    EVMaximumV2XEnergyRequest: Annotated[RationalNumber, Unit("Wh")] | None = None
    EVMinimumV2XEnergyRequest: Annotated[RationalNumber, Unit("Wh")] | None = None


class EVPowerScheduleEntry(Element):
    """EVPower Schedule Entry."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    Duration: Annotated[int, Unsigned(0xFFFFFFFF), Unit("s")]
    Power: Annotated[RationalNumber, Unit("W")]


class EVPowerScheduleEntryList(Element):
    """EVPower Schedule Entry List."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    EVPowerScheduleEntry: Annotated[list[EVPowerScheduleEntry], Occurs(1, 1024)]


class EVPowerSchedule(Element):
    """EVPower Schedule."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    TimeAnchor: Annotated[int, Unsigned((1 << 64) - 1)]
    EVPowerScheduleEntries: EVPowerScheduleEntryList


class EVPriceRule(Element):
    """EVPrice Rule."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    EnergyFee: RationalNumber
    PowerRangeStart: Annotated[RationalNumber, Unit("W")]


class EVPriceRuleStack(Element):
    """EVPrice Rule Stack."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    Duration: Annotated[int, Unsigned(0xFFFFFFFF), Unit("s")]
    EVPriceRule: Annotated[list[EVPriceRule], Occurs(1, 8)]


class EVPriceRuleStackList(Element):
    """EVPrice Rule Stack List."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    EVPriceRuleStack: Annotated[list[EVPriceRuleStack], Occurs(1, 1024)]


class EVAbsolutePriceSchedule(Element):
    """EVAbsolute Price Schedule."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    TimeAnchor: Annotated[int, Unsigned((1 << 64) - 1)]
    Currency: Annotated[str, Text(3)]
    PriceAlgorithm: Annotated[str, Text(255)]
    EVPriceRuleStacks: EVPriceRuleStackList


class EVEnergyOffer(Element):
    """EVEnergy Offer."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    EVPowerSchedule: EVPowerSchedule
    EVAbsolutePriceSchedule: EVAbsolutePriceSchedule


class Scheduled_SEReqControlMode(Element):
    """Scheduled SEReq Control Mode."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    DepartureTime: Annotated[int, Unsigned(0xFFFFFFFF), Unit("s")] | None = None
    EVTargetEnergyRequest: Annotated[RationalNumber, Unit("Wh")] | None = None
    EVMaximumEnergyRequest: Annotated[RationalNumber, Unit("Wh")] | None = None
    EVMinimumEnergyRequest: Annotated[RationalNumber, Unit("Wh")] | None = None
    EVEnergyOffer: EVEnergyOffer | None = None


class ScheduleExchangeReq(V2GRequest):
    """Vehicle: Schedule Exchange."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    MaximumSupportingPoints: Annotated[int, Bits(12, 1024)]
    Dynamic_SEReqControlMode: Annotated[Dynamic_SEReqControlMode, OneOf("Dynamic_SEReqControlMode")] | None = None
    Scheduled_SEReqControlMode: Annotated[Scheduled_SEReqControlMode, OneOf("Dynamic_SEReqControlMode")] | None = None


class PriceSchedule(Element):
    """Price Schedule."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES, abstract=True)

    TimeAnchor: Annotated[int, Unsigned((1 << 64) - 1)]
    PriceScheduleID: Annotated[int, Unsigned(0xFFFFFFFF, low=1)]
    PriceScheduleDescription: Annotated[str, Text(160)] | None = None


class TaxRule(Element):
    """Tax Rule."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    TaxRuleID: Annotated[int, Unsigned(0xFFFFFFFF, low=1)]
    TaxRuleName: Annotated[str, Text(80)] | None = None
    TaxRate: RationalNumber
    TaxIncludedInPrice: bool | None = None
    AppliesToEnergyFee: bool
    AppliesToParkingFee: bool
    AppliesToOverstayFee: bool
    AppliesMinimumMaximumCost: bool


class TaxRuleList(Element):
    """Tax Rule List."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    TaxRule: Annotated[list[TaxRule], Occurs(1, 10)]


class PriceRule(Element):
    """Price Rule."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    EnergyFee: RationalNumber
    ParkingFee: RationalNumber | None = None
    ParkingFeePeriod: Annotated[int, Unsigned(0xFFFFFFFF)] | None = None
    CarbonDioxideEmission: Annotated[int, Unsigned(0xFFFF)] | None = None
    RenewableGenerationPercentage: Annotated[int, Bits(0, 255)] | None = None
    PowerRangeStart: Annotated[RationalNumber, Unit("W")]


class PriceRuleStack(Element):
    """Price Rule Stack."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    Duration: Annotated[int, Unsigned(0xFFFFFFFF), Unit("s")]
    PriceRule: Annotated[list[PriceRule], Occurs(1, 8)]


class PriceRuleStackList(Element):
    """Price Rule Stack List."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    PriceRuleStack: Annotated[list[PriceRuleStack], Occurs(1, 1024)]


class OverstayRule(Element):
    """Overstay Rule."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    OverstayRuleDescription: Annotated[str, Text(160)] | None = None
    StartTime: Annotated[int, Unsigned(0xFFFFFFFF)]
    OverstayFee: RationalNumber
    OverstayFeePeriod: Annotated[int, Unsigned(0xFFFFFFFF)]


class OverstayRuleList(Element):
    """Overstay Rule List."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    OverstayTimeThreshold: Annotated[int, Unsigned(0xFFFFFFFF)] | None = None
    OverstayPowerThreshold: Annotated[RationalNumber, Unit("W")] | None = None
    OverstayRule: Annotated[list[OverstayRule], Occurs(1, 5)]


class AdditionalService(Element):
    """Additional Service."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    ServiceName: Annotated[str, Text(80)]
    ServiceFee: RationalNumber


class AdditionalServiceList(Element):
    """Additional Service List."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    AdditionalService: Annotated[list[AdditionalService], Occurs(1, 5)]


class AbsolutePriceSchedule(PriceSchedule):
    """Absolute Price Schedule."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    Id: Annotated[str, Text(), Attribute(qualified=True)] | None = None
    Currency: Annotated[str, Text(3)]
    Language: Annotated[str, Text(3)]
    PriceAlgorithm: Annotated[str, Text(255)]
    MinimumCost: RationalNumber | None = None
    MaximumCost: RationalNumber | None = None
    TaxRules: TaxRuleList | None = None
    PriceRuleStacks: PriceRuleStackList
    OverstayRules: OverstayRuleList | None = None
    AdditionalSelectedServices: AdditionalServiceList | None = None


class PriceLevelScheduleEntry(Element):
    """Price Level Schedule Entry."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    Duration: Annotated[int, Unsigned(0xFFFFFFFF), Unit("s")]
    PriceLevel: Annotated[int, Bits(0, 255)]


class PriceLevelScheduleEntryList(Element):
    """Price Level Schedule Entry List."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    PriceLevelScheduleEntry: Annotated[list[PriceLevelScheduleEntry], Occurs(1, 1024)]


class PriceLevelSchedule(PriceSchedule):
    """Price Level Schedule."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    Id: Annotated[str, Text(), Attribute(qualified=True)] | None = None
    NumberOfPriceLevels: Annotated[int, Bits(0, 255)]
    PriceLevelScheduleEntries: PriceLevelScheduleEntryList


class Dynamic_SEResControlMode(Element):
    """Dynamic SERes Control Mode."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    DepartureTime: Annotated[int, Unsigned(0xFFFFFFFF), Unit("s")] | None = None
    MinimumSOC: Annotated[int, Bits(0, 100), Unit("%")] | None = None
    TargetSOC: Annotated[int, Bits(0, 100), Unit("%")] | None = None
    AbsolutePriceSchedule: Annotated[AbsolutePriceSchedule, OneOf("AbsolutePriceSchedule", optional=True)] | None = None
    PriceLevelSchedule: Annotated[PriceLevelSchedule, OneOf("AbsolutePriceSchedule", optional=True)] | None = None


class PowerScheduleEntry(Element):
    """Power Schedule Entry."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    Duration: Annotated[int, Unsigned(0xFFFFFFFF), Unit("s")]
    Power: Annotated[RationalNumber, Unit("W")]
    Power_L2: Annotated[RationalNumber, Unit("W")] | None = None
    Power_L3: Annotated[RationalNumber, Unit("W")] | None = None


class PowerScheduleEntryList(Element):
    """Power Schedule Entry List."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    PowerScheduleEntry: Annotated[list[PowerScheduleEntry], Occurs(1, 1024)]


class PowerSchedule(Element):
    """Power Schedule."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    TimeAnchor: Annotated[int, Unsigned((1 << 64) - 1)]
    AvailableEnergy: Annotated[RationalNumber, Unit("Wh")] | None = None
    PowerTolerance: RationalNumber | None = None
    PowerScheduleEntries: PowerScheduleEntryList


class ChargingSchedule(Element):
    """Charging Schedule."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    PowerSchedule: PowerSchedule
    AbsolutePriceSchedule: Annotated[AbsolutePriceSchedule, OneOf("AbsolutePriceSchedule", optional=True)] | None = None
    PriceLevelSchedule: Annotated[PriceLevelSchedule, OneOf("AbsolutePriceSchedule", optional=True)] | None = None


_ChargingSchedule = ChargingSchedule  # a field has the name of the type


class ScheduleTuple(Element):
    """Schedule Tuple."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    ScheduleTupleID: Annotated[int, Unsigned(0xFFFFFFFF, low=1)]
    ChargingSchedule: ChargingSchedule
    DischargingSchedule: _ChargingSchedule | None = None


class Scheduled_SEResControlMode(Element):
    """Scheduled SERes Control Mode."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    ScheduleTuple: Annotated[list[ScheduleTuple], Occurs(1, 3)]


class ScheduleExchangeRes(V2GResponse):
    """Charger: Schedule Exchange."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    EVSEProcessing: processing
    GoToPause: bool | None = None
    Dynamic_SEResControlMode: Annotated[Dynamic_SEResControlMode, OneOf("Dynamic_SEResControlMode")] | None = None
    Scheduled_SEResControlMode: Annotated[Scheduled_SEResControlMode, OneOf("Dynamic_SEResControlMode")] | None = None


class chargeProgress(Enumeration):
    """Charge Progress."""

    Start = 0
    Stop = 1
    Standby = 2
    ScheduleRenegotiation = 3


class Dynamic_EVPPTControlMode(Element):
    """Dynamic EVPPTControl Mode."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)


class powerToleranceAcceptance(Enumeration):
    """Power Tolerance Acceptance."""

    PowerToleranceNotConfirmed = 0
    PowerToleranceConfirmed = 1


class Scheduled_EVPPTControlMode(Element):
    """Scheduled EVPPTControl Mode."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    SelectedScheduleTupleID: Annotated[int, Unsigned(0xFFFFFFFF, low=1)]
    PowerToleranceAcceptance: powerToleranceAcceptance | None = None


class EVPowerProfileEntryList(Element):
    """EVPower Profile Entry List."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    EVPowerProfileEntry: Annotated[list[PowerScheduleEntry], Occurs(1, 2048)]


class EVPowerProfile(Element):
    """EVPower Profile."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    TimeAnchor: Annotated[int, Unsigned((1 << 64) - 1)]
    Dynamic_EVPPTControlMode: Annotated[Dynamic_EVPPTControlMode, OneOf("Dynamic_EVPPTControlMode")] | None = None
    Scheduled_EVPPTControlMode: Annotated[Scheduled_EVPPTControlMode, OneOf("Dynamic_EVPPTControlMode")] | None = None
    EVPowerProfileEntries: EVPowerProfileEntryList


class channelSelection(Enumeration):
    """Channel Selection."""

    Charge = 0
    Discharge = 1


class PowerDeliveryReq(V2GRequest):
    """Vehicle: power on or off."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    EVProcessing: processing
    ChargeProgress: chargeProgress
    EVPowerProfile: EVPowerProfile | None = None
    BPT_ChannelSelection: channelSelection | None = None


class PowerDeliveryRes(V2GResponse):
    """Charger: done, or FAILED."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    EVSEStatus: EVSEStatus | None = None


class Dynamic_SMDTControlMode(Element):
    """Dynamic SMDTControl Mode."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)


class Scheduled_SMDTControlMode(Element):
    """Scheduled SMDTControl Mode."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    SelectedScheduleTupleID: Annotated[int, Unsigned(0xFFFFFFFF, low=1)]


class SignedMeteringData(Element):
    """Signed Metering Data."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    Id: Annotated[str, Text(), Attribute(qualified=True)]
    SessionID: Annotated[bytes, Binary(8, min_length=8)]
    MeterInfo: MeterInfo
    Receipt: Receipt | None = None
    Dynamic_SMDTControlMode: Annotated[Dynamic_SMDTControlMode, OneOf("Dynamic_SMDTControlMode")] | None = None
    Scheduled_SMDTControlMode: Annotated[Scheduled_SMDTControlMode, OneOf("Dynamic_SMDTControlMode")] | None = None


class MeteringConfirmationReq(V2GRequest):
    """Vehicle: Metering Confirmation."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    SignedMeteringData: SignedMeteringData


class MeteringConfirmationRes(V2GResponse):
    """Charger: Metering Confirmation."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)


class chargingSession(Enumeration):
    """Charging Session."""

    Pause = 0
    Terminate = 1
    ServiceRenegotiation = 2


class SessionStopReq(V2GRequest):
    """Vehicle: the session is over."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    ChargingSession: chargingSession
    EVTerminationCode: Annotated[str, Text(80)] | None = None
    EVTerminationExplanation: Annotated[str, Text(160)] | None = None


class SessionStopRes(V2GResponse):
    """Charger: the session is over."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)


class SignedCertificateChain(Element):
    """Signed Certificate Chain."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    Id: Annotated[str, Text(), Attribute(qualified=True)]
    Certificate: Annotated[bytes, Binary(1600, base64=True)]
    SubCertificates: SubCertificates | None = None


class EMAIDList(Element):
    """EMAIDList."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    EMAID: Annotated[list[Annotated[str, Text(255)]], Occurs(1, 8)]


class CertificateInstallationReq(V2GRequest):
    """Vehicle: give me a contract certificate."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    OEMProvisioningCertificateChain: SignedCertificateChain
    ListOfRootCertificateIDs: ListOfRootCertificateIDs
    MaximumContractCertificateChains: Annotated[int, Bits(0, 255)]
    PrioritizedEMAIDs: EMAIDList | None = None


class CertificateChain(Element):
    """Certificate Chain."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    Certificate: Annotated[bytes, Binary(1600, base64=True)]
    SubCertificates: SubCertificates | None = None


class ecdhCurve(Enumeration):
    """Ecdh Curve."""

    SECP521 = 0
    X448 = 1


class SignedInstallationData(Element):
    """Signed Installation Data."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    Id: Annotated[str, Text(), Attribute(qualified=True)]
    ContractCertificateChain: ContractCertificateChain
    ECDHCurve: ecdhCurve
    DHPublicKey: Annotated[bytes, Binary(133, base64=True, min_length=133)]
    SECP521_EncryptedPrivateKey: (
        Annotated[bytes, Binary(94, base64=True, min_length=94), OneOf("SECP521_EncryptedPrivateKey")] | None
    ) = None
    X448_EncryptedPrivateKey: (
        Annotated[bytes, Binary(84, base64=True, min_length=84), OneOf("SECP521_EncryptedPrivateKey")] | None
    ) = None
    TPM_EncryptedPrivateKey: (
        Annotated[bytes, Binary(206, base64=True, min_length=206), OneOf("SECP521_EncryptedPrivateKey")] | None
    ) = None


class CertificateInstallationRes(V2GResponse):
    """Charger: contract certificate and its encrypted key."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    EVSEProcessing: processing
    CPSCertificateChain: CertificateChain
    SignedInstallationData: SignedInstallationData
    RemainingContractCertificateChains: Annotated[int, Bits(0, 255)]


class evCheckInStatus(Enumeration):
    """Ev Check In Status."""

    CheckIn = 0
    Processing = 1
    Completed = 2


class parkingMethod(Enumeration):
    """Parking Method."""

    AutoParking = 0
    MVGuideManual = 1
    Manual = 2


class VehicleCheckInReq(V2GRequest):
    """Vehicle: Vehicle Check In."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    EVCheckInStatus: evCheckInStatus
    ParkingMethod: parkingMethod
    VehicleFrame: Annotated[int, Integer(-0x8000, 0x7FFF)] | None = None
    DeviceOffset: Annotated[int, Integer(-0x8000, 0x7FFF)] | None = None
    VehicleTravel: Annotated[int, Integer(-0x8000, 0x7FFF)] | None = None


class VehicleCheckInRes(V2GResponse):
    """Charger: Vehicle Check In."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    ParkingSpace: Annotated[int, Integer(-0x8000, 0x7FFF)] | None = None
    DeviceLocation: Annotated[int, Integer(-0x8000, 0x7FFF)] | None = None
    TargetDistance: Annotated[int, Integer(-0x8000, 0x7FFF)] | None = None


class evCheckOutStatus(Enumeration):
    """Ev Check Out Status."""

    CheckOut = 0
    Processing = 1
    Completed = 2


class VehicleCheckOutReq(V2GRequest):
    """Vehicle: Vehicle Check Out."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    EVCheckOutStatus: evCheckOutStatus
    CheckOutTime: Annotated[int, Unsigned((1 << 64) - 1)]


class evseCheckOutStatus(Enumeration):
    """Evse Check Out Status."""

    Scheduled = 0
    Completed = 1


class VehicleCheckOutRes(V2GResponse):
    """Charger: Vehicle Check Out."""

    XSD: ClassVar[Xsd] = Xsd(MESSAGES)

    EVSECheckOutStatus: evseCheckOutStatus


SCHEMA: Schema[V2GMessage] = Schema(
    "iso20_common",
    bits=6,
    roots={
        AuthorizationReq: 0,
        AuthorizationRes: 1,
        AuthorizationSetupReq: 2,
        AuthorizationSetupRes: 3,
        CertificateInstallationReq: 7,
        CertificateInstallationRes: 8,
        MeteringConfirmationReq: 16,
        MeteringConfirmationRes: 17,
        PowerDeliveryReq: 21,
        PowerDeliveryRes: 22,
        ScheduleExchangeReq: 27,
        ScheduleExchangeRes: 28,
        ServiceDetailReq: 29,
        ServiceDetailRes: 30,
        ServiceDiscoveryReq: 31,
        ServiceDiscoveryRes: 32,
        ServiceSelectionReq: 33,
        ServiceSelectionRes: 34,
        SessionSetupReq: 35,
        SessionSetupRes: 36,
        SessionStopReq: 37,
        SessionStopRes: 38,
        VehicleCheckInReq: 49,
        VehicleCheckInRes: 50,
        VehicleCheckOutReq: 51,
        VehicleCheckOutRes: 52,
    },
    names=281,
    fragments={
        "AbsolutePriceSchedule": Fragment(0, AbsolutePriceSchedule, MESSAGES),
        "CPSCertificateChain": Fragment(22, CertificateChain, MESSAGES),
        "CertificateInstallationReq": Fragment(27, CertificateInstallationReq),
        "MeteringConfirmationReq": Fragment(119, MeteringConfirmationReq),
        "OEMProvisioningCertificateChain": Fragment(128, SignedCertificateChain, MESSAGES),
        "PnC_AReqAuthorizationMode": Fragment(151, PnC_AReqAuthorizationMode, MESSAGES),
        "PriceLevelSchedule": Fragment(167, PriceLevelSchedule, MESSAGES),
        "SignedInfo": Fragment(230, SignedInfo),
        "SignedInstallationData": Fragment(231, SignedInstallationData),
        "SignedMeteringData": Fragment(232, SignedMeteringData),
    },
)
"""The document grammar (54 global elements) and the fragments that are signed (281 element names)."""


def encode(message: V2GMessage) -> bytes:
    """The EXI stream of a message, its header included; raises ExiValueError for a value the schema cannot carry."""
    return SCHEMA.encode(message)


def decode(data: bytes) -> V2GMessage:
    """The message in an EXI stream; raises ExiError with the bit where it is none."""
    return SCHEMA.decode(data)


__all__ = [
    "AbsolutePriceSchedule",
    "AdditionalService",
    "AdditionalServiceList",
    "AuthorizationReq",
    "AuthorizationRes",
    "AuthorizationSetupReq",
    "AuthorizationSetupRes",
    "CertificateChain",
    "CertificateInstallationReq",
    "CertificateInstallationRes",
    "ChargingSchedule",
    "ContractCertificateChain",
    "Dynamic_EVPPTControlMode",
    "Dynamic_SEReqControlMode",
    "Dynamic_SEResControlMode",
    "Dynamic_SMDTControlMode",
    "EIM_AReqAuthorizationMode",
    "EIM_ASResAuthorizationMode",
    "EMAIDList",
    "EVAbsolutePriceSchedule",
    "EVEnergyOffer",
    "EVPowerProfile",
    "EVPowerProfileEntryList",
    "EVPowerSchedule",
    "EVPowerScheduleEntry",
    "EVPowerScheduleEntryList",
    "EVPriceRule",
    "EVPriceRuleStack",
    "EVPriceRuleStackList",
    "MESSAGES",
    "MeteringConfirmationReq",
    "MeteringConfirmationRes",
    "OverstayRule",
    "OverstayRuleList",
    "Parameter",
    "ParameterSet",
    "PnC_AReqAuthorizationMode",
    "PnC_ASResAuthorizationMode",
    "PowerDeliveryReq",
    "PowerDeliveryRes",
    "PowerSchedule",
    "PowerScheduleEntry",
    "PowerScheduleEntryList",
    "PriceLevelSchedule",
    "PriceLevelScheduleEntry",
    "PriceLevelScheduleEntryList",
    "PriceRule",
    "PriceRuleStack",
    "PriceRuleStackList",
    "PriceSchedule",
    "SCHEMA",
    "ScheduleExchangeReq",
    "ScheduleExchangeRes",
    "ScheduleTuple",
    "Scheduled_EVPPTControlMode",
    "Scheduled_SEReqControlMode",
    "Scheduled_SEResControlMode",
    "Scheduled_SMDTControlMode",
    "SelectedService",
    "SelectedServiceList",
    "Service",
    "ServiceDetailReq",
    "ServiceDetailRes",
    "ServiceDiscoveryReq",
    "ServiceDiscoveryRes",
    "ServiceIDList",
    "ServiceList",
    "ServiceParameterList",
    "ServiceSelectionReq",
    "ServiceSelectionRes",
    "SessionSetupReq",
    "SessionSetupRes",
    "SessionStopReq",
    "SessionStopRes",
    "SignedCertificateChain",
    "SignedInstallationData",
    "SignedMeteringData",
    "SubCertificates",
    "SupportedProvidersList",
    "TaxRule",
    "TaxRuleList",
    "VehicleCheckInReq",
    "VehicleCheckInRes",
    "VehicleCheckOutReq",
    "VehicleCheckOutRes",
    "authorization",
    "channelSelection",
    "chargeProgress",
    "chargingSession",
    "decode",
    "ecdhCurve",
    "encode",
    "evCheckInStatus",
    "evCheckOutStatus",
    "evseCheckOutStatus",
    "parkingMethod",
    "powerToleranceAcceptance",
]
