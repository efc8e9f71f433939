"""ISO 15118-20 WPT: every message and type, declared once.

Namespace `urn:iso:std:iso:15118:-20:WPT`, V2GTP payload type 0x8006.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from ...exi.codec import Fragment, Schema
from ...exi.declare import Binary, Bits, Element, Enumeration, Integer, Occurs, OneOf, Text, Unit, Unsigned, Xsd
from ..xmldsig import SignedInfo
from .types import (
    ChargeLoopReq,
    ChargeLoopRes,
    ChargeParameterDiscoveryReq,
    ChargeParameterDiscoveryRes,
    RationalNumber,
    V2GMessage,
    V2GRequest,
    V2GResponse,
    processing,
)

WPT = "urn:iso:std:iso:15118:-20:WPT"


class WPT_FinePositioningMethod(Enumeration):
    """WPT Fine Positioning Method."""

    Manual = 0
    LF_TxEV = 1
    LF_TxPrimaryDevice = 2
    LPE = 3
    Proprietary = 4


class WPT_FinePositioningMethodList(Element):
    """WPT Fine Positioning Method List."""

    XSD: ClassVar[Xsd] = Xsd(WPT)

    WPT_FinePositioningMethod: Annotated[list[WPT_FinePositioningMethod], Occurs(1, 8)]


class WPT_PairingMethod(Enumeration):
    """WPT Pairing Method."""

    External_confirmation = 0, "External confirmation"
    LPE = 1
    LF_TxEV = 2
    LF_TxPrimaryDevice = 3
    Optical = 4
    Proprietary = 5


class WPT_PairingMethodList(Element):
    """WPT Pairing Method List."""

    XSD: ClassVar[Xsd] = Xsd(WPT)

    WPT_PairingMethod: Annotated[list[WPT_PairingMethod], Occurs(1, 8)]


class WPT_AlignmentCheckMethod(Enumeration):
    """WPT Alignment Check Method."""

    PowerCheck = 0
    LPE = 1
    Proprietary = 2


class WPT_AlignmentCheckMethodList(Element):
    """WPT Alignment Check Method List."""

    XSD: ClassVar[Xsd] = Xsd(WPT)

    WPT_AlignmentCheckMethod: Annotated[list[WPT_AlignmentCheckMethod], Occurs(1, 8)]


class WPT_CoordinateXYZ(Element):
    """WPT Coordinate XYZ."""

    XSD: ClassVar[Xsd] = Xsd(WPT)

    Coord_X: Annotated[int, Integer(-0x8000, 0x7FFF)]
    Coord_Y: Annotated[int, Integer(-0x8000, 0x7FFF)]
    Coord_Z: Annotated[int, Integer(-0x8000, 0x7FFF)]


class WPT_TxRxSpecData(Element):
    """WPT Tx Rx Spec Data."""

    XSD: ClassVar[Xsd] = Xsd(WPT)

    TxRxIdentifier: Annotated[int, Unsigned(0xFFFFFFFF, low=1)]
    TxRxPosition: WPT_CoordinateXYZ
    TxRxOrientation: WPT_CoordinateXYZ


class WPT_TxRxPulseOrder(Element):
    """WPT Tx Rx Pulse Order."""

    XSD: ClassVar[Xsd] = Xsd(WPT)

    IndexNumber: Annotated[int, Unsigned(0xFFFF)]
    TxRxIdentifier: Annotated[int, Unsigned(0xFFFFFFFF, low=1)]


class WPT_TxRxPackageSpecData(Element):
    """WPT Tx Rx Package Spec Data."""

    XSD: ClassVar[Xsd] = Xsd(WPT)

    PulseSequenceOrder: Annotated[list[WPT_TxRxPulseOrder], Occurs(2, 255)]
    PulseSeparationTime: Annotated[int, Unsigned(0xFFFF)]
    PulseDuration: Annotated[int, Unsigned(0xFFFF)]
    PackageSeparationTime: Annotated[int, Unsigned(0xFFFF)]


class WPT_LF_TransmitterData(Element):
    """WPT LF Transmitter Data."""

    XSD: ClassVar[Xsd] = Xsd(WPT)

    NumberOfTransmitters: Annotated[int, Bits(0, 255)]
    SignalFrequency: Annotated[RationalNumber, Unit("Hz")]
    TxSpecData: Annotated[list[WPT_TxRxSpecData], Occurs(2, 255)]
    TxPackageSpecData: WPT_TxRxPackageSpecData | None = None


class WPT_LF_ReceiverData(Element):
    """WPT LF Receiver Data."""

    XSD: ClassVar[Xsd] = Xsd(WPT)

    NumberOfReceivers: Annotated[int, Bits(0, 255)]
    RxSpecData: Annotated[list[WPT_TxRxSpecData], Occurs(2, 255)]


class WPT_LF_SystemSetupData(Element):
    """WPT LF System Setup Data."""

    XSD: ClassVar[Xsd] = Xsd(WPT)

    LF_TransmitterSetupData: Annotated[WPT_LF_TransmitterData, OneOf("LF_TransmitterSetupData")] | None = None
    LF_ReceiverSetupData: Annotated[WPT_LF_ReceiverData, OneOf("LF_TransmitterSetupData")] | None = None


class WPT_FinePositioningSetupReq(V2GRequest):
    """Vehicle: WPT Fine Positioning Setup."""

    XSD: ClassVar[Xsd] = Xsd(WPT)

    EVProcessing: processing
    EVDeviceFinePositioningMethodList: WPT_FinePositioningMethodList
    EVDevicePairingMethodList: WPT_PairingMethodList
    EVDeviceAlignmentCheckMethodList: WPT_AlignmentCheckMethodList
    NaturalOffset: Annotated[int, Unsigned(0xFFFF)]
    VendorSpecificDataContainer: Annotated[list[Annotated[bytes, Binary(256, base64=True)]], Occurs(0, 16)] = []
    LF_SystemSetupData: WPT_LF_SystemSetupData | None = None


class WPT_FinePositioningSetupRes(V2GResponse):
    """Charger: WPT Fine Positioning Setup."""

    XSD: ClassVar[Xsd] = Xsd(WPT)

    PrimaryDeviceFinePositioningMethodList: WPT_FinePositioningMethodList
    PrimaryDevicePairingMethodList: WPT_PairingMethodList
    PrimaryDeviceAlignmentCheckMethodList: WPT_AlignmentCheckMethodList
    NaturalOffset: Annotated[int, Unsigned(0xFFFF)]
    VendorSpecificDataContainer: Annotated[list[Annotated[bytes, Binary(256, base64=True)]], Occurs(0, 16)] = []
    LF_SystemSetupData: WPT_LF_SystemSetupData | None = None


class WPT_EVResult(Enumeration):
    """WPT EVResult."""

    EVResultUnknown = 0
    EVResultSuccess = 1
    EVResultFailed = 2


class WPT_LF_TxData(Element):
    """WPT LF Tx Data."""

    XSD: ClassVar[Xsd] = Xsd(WPT)

    TxIdentifier: Annotated[int, Unsigned(0xFFFFFFFF, low=1)]
    EIRP: RationalNumber


class WPT_LF_TxDataList(Element):
    """WPT LF Tx Data List."""

    XSD: ClassVar[Xsd] = Xsd(WPT)

    WPT_LF_TxDataList: WPT_LF_TxData


class WPT_LF_RxRSSI(Element):
    """WPT LF Rx RSSI."""

    XSD: ClassVar[Xsd] = Xsd(WPT)

    TxIdentifier: Annotated[int, Unsigned(0xFFFFFFFF, low=1)]
    RSSI: RationalNumber


class WPT_LF_RxRSSIList(Element):
    """WPT LF Rx RSSIList."""

    XSD: ClassVar[Xsd] = Xsd(WPT)

    RSSIDataList: WPT_LF_RxRSSI


class WPT_LF_RxData(Element):
    """WPT LF Rx Data."""

    XSD: ClassVar[Xsd] = Xsd(WPT)

    RxIdentifier: Annotated[int, Unsigned(0xFFFFFFFF, low=1)]
    RSSIData: WPT_LF_RxRSSIList


class WPT_LF_RxDataList(Element):
    """WPT LF Rx Data List."""

    XSD: ClassVar[Xsd] = Xsd(WPT)

    WPT_LF_RxDataList: WPT_LF_RxData


class WPT_LF_DataPackage(Element):
    """WPT LF Data Package."""

    XSD: ClassVar[Xsd] = Xsd(WPT)

    PackageIndex: Annotated[int, Bits(0, 255)]
    LF_TxData: Annotated[WPT_LF_TxDataList, OneOf("LF_TxData")] | None = None
    LF_RxData: Annotated[WPT_LF_RxDataList, OneOf("LF_TxData")] | None = None


class WPT_LF_DataPackageList(Element):
    """WPT LF Data Package List."""

    XSD: ClassVar[Xsd] = Xsd(WPT)

    NumPackages: Annotated[int, Bits(0, 255)]
    WPT_LF_DataPackage: WPT_LF_DataPackage


class WPT_FinePositioningReq(V2GRequest):
    """Vehicle: WPT Fine Positioning."""

    XSD: ClassVar[Xsd] = Xsd(WPT)

    EVProcessing: processing
    EVResultCode: WPT_EVResult
    VendorSpecificDataContainer: Annotated[list[Annotated[bytes, Binary(256, base64=True)]], Occurs(0, 16)] = []
    WPT_LF_DataPackageList: WPT_LF_DataPackageList | None = None


class WPT_FinePositioningRes(V2GResponse):
    """Charger: WPT Fine Positioning."""

    XSD: ClassVar[Xsd] = Xsd(WPT)

    EVSEProcessing: processing
    VendorSpecificDataContainer: Annotated[list[Annotated[bytes, Binary(256, base64=True)]], Occurs(0, 16)] = []
    WPT_LF_DataPackageList: WPT_LF_DataPackageList | None = None


class WPT_PairingReq(V2GRequest):
    """Vehicle: WPT Pairing."""

    XSD: ClassVar[Xsd] = Xsd(WPT)

    EVProcessing: processing
    ObservedIDCode: Annotated[int, Unsigned(0xFFFFFFFF, low=1)] | None = None
    EVResultCode: WPT_EVResult
    VendorSpecificDataContainer: Annotated[list[Annotated[bytes, Binary(256, base64=True)]], Occurs(0, 16)] = []


class AlternativeSECC(Element):
    """Alternative SECC."""

    XSD: ClassVar[Xsd] = Xsd(WPT)

    SSID: Annotated[str, Text(255)] | None = None
    BSSID: Annotated[str, Text(12)] | None = None
    IPAddress: Annotated[str, Text(39)] | None = None
    Port: Annotated[int, Unsigned(0xFFFF)] | None = None


class AlternativeSECCList(Element):
    """Alternative SECCList."""

    XSD: ClassVar[Xsd] = Xsd(WPT)

    AlternativeSECC: Annotated[list[AlternativeSECC], Occurs(1, 8)]


class WPT_PairingRes(V2GResponse):
    """Charger: WPT Pairing."""

    XSD: ClassVar[Xsd] = Xsd(WPT)

    EVSEProcessing: processing
    ObservedIDCode: Annotated[int, Unsigned(0xFFFFFFFF, low=1)] | None = None
    AlternativeSECCList: AlternativeSECCList | None = None
    VendorSpecificDataContainer: Annotated[list[Annotated[bytes, Binary(256, base64=True)]], Occurs(0, 16)] = []


class WPT_ChargeParameterDiscoveryReq(ChargeParameterDiscoveryReq):
    """Vehicle: WPT Charge Parameter Discovery."""

    XSD: ClassVar[Xsd] = Xsd(WPT)

    EVPCMaxReceivablePower: Annotated[RationalNumber, Unit("W")]
    SDMaxGroundClearence: Annotated[int, Unsigned(0xFFFF)]
    SDMinGroundClearence: Annotated[int, Unsigned(0xFFFF)]
    EVPCNaturalFrequency: Annotated[RationalNumber, Unit("Hz")]
    EVPCDeviceLocalControl: bool
    VendorSpecificDataContainer: Annotated[list[Annotated[bytes, Binary(256, base64=True)]], Occurs(0, 16)] = []


class WPT_PowerClass(Enumeration):
    """WPT Power Class."""

    MF_WPT1 = 0, "MF-WPT1"
    MF_WPT2 = 1, "MF-WPT2"
    MF_WPT3 = 2, "MF-WPT3"
    MF_WPT4 = 3, "MF-WPT4"


class WPT_ChargeParameterDiscoveryRes(ChargeParameterDiscoveryRes):
    """Charger: WPT Charge Parameter Discovery."""

    XSD: ClassVar[Xsd] = Xsd(WPT)

    PDInputPowerClass: WPT_PowerClass
    SDMinOutputPower: Annotated[RationalNumber, Unit("W")]
    SDMaxOutputPower: Annotated[RationalNumber, Unit("W")]
    SDMaxGroundClearanceSupport: Annotated[int, Unsigned(0xFFFF)]
    SDMinGroundClearanceSupport: Annotated[int, Unsigned(0xFFFF)]
    PDMinCoilCurrent: Annotated[RationalNumber, Unit("A")]
    PDMaxCoilCurrent: Annotated[RationalNumber, Unit("A")]
    SDManufacturerSpecificDataContainer: Annotated[list[Annotated[bytes, Binary(256, base64=True)]], Occurs(0, 16)] = []


class WPT_AlignmentCheckReq(V2GRequest):
    """Vehicle: WPT Alignment Check."""

    XSD: ClassVar[Xsd] = Xsd(WPT)

    EVProcessing: processing
    TargetCoilCurrent: Annotated[RationalNumber, Unit("A")] | None = None
    EVResultCode: WPT_EVResult
    VendorSpecificDataContainer: Annotated[list[Annotated[bytes, Binary(256, base64=True)]], Occurs(0, 16)] = []


class WPT_AlignmentCheckRes(V2GResponse):
    """Charger: WPT Alignment Check."""

    XSD: ClassVar[Xsd] = Xsd(WPT)

    EVSEProcessing: processing
    PowerTransmitted: Annotated[RationalNumber, Unit("W")] | None = None
    SupplyDeviceCurrent: Annotated[RationalNumber, Unit("A")] | None = None
    VendorSpecificDataContainer: Annotated[list[Annotated[bytes, Binary(256, base64=True)]], Occurs(0, 16)] = []


class WPT_EVPCChargeDiagnostics(Enumeration):
    """WPT EVPCCharge Diagnostics."""

    EVPCNoIssue = 0
    EVPCTempOverheatDetected = 1
    EVPCPowerTransferAnomalyDetected = 2
    EVPCAnomalyDetected = 3


class WPT_EVPCPowerControlParameter(Element):
    """WPT EVPCPower Control Parameter."""

    XSD: ClassVar[Xsd] = Xsd(WPT)

    EVPCCoilCurrentRequest: Annotated[RationalNumber, Unit("A")]
    EVPCCoilCurrentInformation: Annotated[RationalNumber, Unit("A")]
    EVPCCurrentOutputInformation: Annotated[RationalNumber, Unit("A")]
    EVPCVoltageOutputInformation: Annotated[RationalNumber, Unit("V")]


class WPT_ChargeLoopReq(ChargeLoopReq):
    """Vehicle: WPT Charge Loop."""

    XSD: ClassVar[Xsd] = Xsd(WPT)

    EVPCPowerRequest: Annotated[RationalNumber, Unit("W")]
    EVPCPowerOutput: Annotated[RationalNumber, Unit("W")]
    EVPCChargeDiagnostics: WPT_EVPCChargeDiagnostics
    EVPCOperatingFrequency: Annotated[RationalNumber, Unit("Hz")] | None = None
    EVPCPowerControlParameter: WPT_EVPCPowerControlParameter | None = None
    ManufacturerSpecificDataContainer: Annotated[list[Annotated[bytes, Binary(256, base64=True)]], Occurs(0, 16)] = []


class WPT_SPCChargeDiagnostics(Enumeration):
    """WPT SPCCharge Diagnostics."""

    SPCNoIssue = 0
    SPCFODDetected = 1
    SPCLOPDetected = 2
    SPCTempOverheatDetected = 3
    SPCPowerTransferAnomalyDetected = 4
    SPCAnomalyDetected = 5


class WPT_SPCPowerControlParameter(Element):
    """WPT SPCPower Control Parameter."""

    XSD: ClassVar[Xsd] = Xsd(WPT)

    SPCPrimaryDeviceCoilCurrentInformation: Annotated[RationalNumber, Unit("A")]


class WPT_ChargeLoopRes(ChargeLoopRes):
    """Charger: WPT Charge Loop."""

    XSD: ClassVar[Xsd] = Xsd(WPT)

    EVPCPowerRequest: Annotated[RationalNumber, Unit("W")]
    SDPowerInput: Annotated[RationalNumber, Unit("W")] | None = None
    SPCMaxOutputPowerLimit: Annotated[RationalNumber, Unit("W")]
    SPCMinOutputPowerLimit: Annotated[RationalNumber, Unit("W")]
    SPCChargeDiagnostics: WPT_SPCChargeDiagnostics
    SPCOperatingFrequency: Annotated[RationalNumber, Unit("Hz")] | None = None
    SPCPowerControlParameter: WPT_SPCPowerControlParameter | None = None
    ManufacturerSpecificDataContainer: Annotated[list[Annotated[bytes, Binary(256, base64=True)]], Occurs(0, 16)] = []


SCHEMA: Schema[V2GMessage] = Schema(
    "iso20_wpt",
    bits=6,
    roots={
        WPT_AlignmentCheckReq: 25,
        WPT_AlignmentCheckRes: 26,
        WPT_ChargeLoopReq: 27,
        WPT_ChargeLoopRes: 28,
        WPT_ChargeParameterDiscoveryReq: 29,
        WPT_ChargeParameterDiscoveryRes: 30,
        WPT_FinePositioningReq: 31,
        WPT_FinePositioningRes: 32,
        WPT_FinePositioningSetupReq: 33,
        WPT_FinePositioningSetupRes: 34,
        WPT_PairingReq: 35,
        WPT_PairingRes: 36,
    },
    names=193,
    fragments={
        "SignedInfo": Fragment(146, SignedInfo),
    },
)
"""The document grammar (38 global elements) and the fragments that are signed (193 element names)."""


def encode(message: V2GMessage) -> bytes:
    """The EXI stream of a message, its header included; raises ExiValueError for a value the schema cannot carry."""
    return SCHEMA.encode(message)


def decode(data: bytes) -> V2GMessage:
    """The message in an EXI stream; raises ExiError with the bit where it is none."""
    return SCHEMA.decode(data)


__all__ = [
    "AlternativeSECC",
    "AlternativeSECCList",
    "SCHEMA",
    "WPT",
    "WPT_AlignmentCheckMethod",
    "WPT_AlignmentCheckMethodList",
    "WPT_AlignmentCheckReq",
    "WPT_AlignmentCheckRes",
    "WPT_ChargeLoopReq",
    "WPT_ChargeLoopRes",
    "WPT_ChargeParameterDiscoveryReq",
    "WPT_ChargeParameterDiscoveryRes",
    "WPT_CoordinateXYZ",
    "WPT_EVPCChargeDiagnostics",
    "WPT_EVPCPowerControlParameter",
    "WPT_EVResult",
    "WPT_FinePositioningMethod",
    "WPT_FinePositioningMethodList",
    "WPT_FinePositioningReq",
    "WPT_FinePositioningRes",
    "WPT_FinePositioningSetupReq",
    "WPT_FinePositioningSetupRes",
    "WPT_LF_DataPackage",
    "WPT_LF_DataPackageList",
    "WPT_LF_ReceiverData",
    "WPT_LF_RxData",
    "WPT_LF_RxDataList",
    "WPT_LF_RxRSSI",
    "WPT_LF_RxRSSIList",
    "WPT_LF_SystemSetupData",
    "WPT_LF_TransmitterData",
    "WPT_LF_TxData",
    "WPT_LF_TxDataList",
    "WPT_PairingMethod",
    "WPT_PairingMethodList",
    "WPT_PairingReq",
    "WPT_PairingRes",
    "WPT_PowerClass",
    "WPT_SPCChargeDiagnostics",
    "WPT_SPCPowerControlParameter",
    "WPT_TxRxPackageSpecData",
    "WPT_TxRxPulseOrder",
    "WPT_TxRxSpecData",
    "decode",
    "encode",
]
