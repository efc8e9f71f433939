"""ISO 15118-20 ACDP: every message and type, declared once.

Namespace `urn:iso:std:iso:15118:-20:ACDP`, V2GTP payload type 0x8005.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from ...exi.codec import Fragment, Schema
from ...exi.declare import Bits, Element, Enumeration, Integer, Xsd
from ..xmldsig import SignedInfo
from .types import RationalNumber, V2GMessage, V2GRequest, V2GResponse, processing

ACDP = "urn:iso:std:iso:15118:-20:ACDP"


class ACDP_VehiclePositioningReq(V2GRequest):
    """Vehicle: ACDP Vehicle Positioning."""

    XSD: ClassVar[Xsd] = Xsd(ACDP)

    EVMobilityStatus: bool
    EVPositioningSupport: bool


class ACDP_VehiclePositioningRes(V2GResponse):
    """Charger: ACDP Vehicle Positioning."""

    XSD: ClassVar[Xsd] = Xsd(ACDP)

    EVSEProcessing: processing
    EVSEPositioningSupport: bool
    EVRelativeXDeviation: Annotated[int, Integer(-0x8000, 0x7FFF)]
    EVRelativeYDeviation: Annotated[int, Integer(-0x8000, 0x7FFF)]
    ContactWindowXc: Annotated[int, Integer(-0x8000, 0x7FFF)]
    ContactWindowYc: Annotated[int, Integer(-0x8000, 0x7FFF)]
    EVInChargePosition: bool


class electricalChargingDeviceStatus(Enumeration):
    """Electrical Charging Device Status."""

    State_A = 0
    State_B = 1
    State_C = 2
    State_D = 3


class ACDP_ConnectReq(V2GRequest):
    """Vehicle: ACDP Connect."""

    XSD: ClassVar[Xsd] = Xsd(ACDP)

    EVElectricalChargingDeviceStatus: electricalChargingDeviceStatus


class ACDP_DisconnectReq(ACDP_ConnectReq):
    """Vehicle: ACDP Disconnect."""

    XSD: ClassVar[Xsd] = Xsd(ACDP)


class mechanicalChargingDeviceStatus(Enumeration):
    """Mechanical Charging Device Status."""

    Home = 0
    Moving = 1
    EndPosition = 2


class ACDP_ConnectRes(V2GResponse):
    """Charger: ACDP Connect."""

    XSD: ClassVar[Xsd] = Xsd(ACDP)

    EVSEProcessing: processing
    EVSEElectricalChargingDeviceStatus: electricalChargingDeviceStatus
    EVSEMechanicalChargingDeviceStatus: mechanicalChargingDeviceStatus


class ACDP_DisconnectRes(ACDP_ConnectRes):
    """Charger: ACDP Disconnect."""

    XSD: ClassVar[Xsd] = Xsd(ACDP)


class cpStatus(Enumeration):
    """Cp Status."""

    StateA = 0
    StateB = 1
    StateC = 2
    StateD = 3
    StateE = 4


class errorCode(Enumeration):
    """Error Code."""

    OK_NoEVError = 0
    FAILED = 1
    FAILED_EmergencyEvent = 2
    FAILED_Breaker = 3
    FAILED_RESSTemperatureInhibit = 4
    FAILED_RESS = 5
    FAILED_ChargingCurrentDifferential = 6
    FAILED_ChargingVoltageOutOfRange = 7
    FAILED_Reserved1 = 8
    FAILED_Reserved2 = 9


class EVTechnicalStatus(Element):
    """EVTechnical Status."""

    XSD: ClassVar[Xsd] = Xsd(ACDP)

    EVReadyToCharge: bool
    EVImmobilizationRequest: bool
    EVImmobilized: bool | None = None
    EVWLANStrength: RationalNumber | None = None
    EVCPStatus: cpStatus | None = None
    EVSOC: Annotated[int, Bits(0, 100)] | None = None
    EVErrorCode: errorCode | None = None
    EVTimeout: bool | None = None


class ACDP_SystemStatusReq(V2GRequest):
    """Vehicle: ACDP System Status."""

    XSD: ClassVar[Xsd] = Xsd(ACDP)

    EVTechnicalStatus: EVTechnicalStatus


class isolationStatus(Enumeration):
    """Isolation Status."""

    Invalid = 0
    Safe = 1
    Warning = 2
    Fault = 3


class ACDP_SystemStatusRes(V2GResponse):
    """Charger: ACDP System Status."""

    XSD: ClassVar[Xsd] = Xsd(ACDP)

    EVSEMechanicalChargingDeviceStatus: mechanicalChargingDeviceStatus
    EVSEReadyToCharge: bool
    EVSEIsolationStatus: isolationStatus
    EVSEDisabled: bool
    EVSEUtilityInterruptEvent: bool
    EVSEEmergencyShutdown: bool
    EVSEMalfunction: bool
    EVInChargePosition: bool
    EVAssociationStatus: bool


SCHEMA: Schema[V2GMessage] = Schema(
    "iso20_acdp",
    bits=6,
    roots={
        ACDP_ConnectReq: 0,
        ACDP_ConnectRes: 1,
        ACDP_DisconnectReq: 2,
        ACDP_DisconnectRes: 3,
        ACDP_SystemStatusReq: 4,
        ACDP_SystemStatusRes: 5,
        ACDP_VehiclePositioningReq: 6,
        ACDP_VehiclePositioningRes: 7,
    },
    names=129,
    fragments={
        "SignedInfo": Fragment(110, SignedInfo),
    },
)
"""The document grammar (34 global elements) and the fragments that are signed (129 element names)."""


def encode(message: V2GMessage) -> bytes:
    """The EXI stream of a message, its header included; raises ExiValueError for a value the schema cannot carry."""
    return SCHEMA.encode(message)


def decode(data: bytes) -> V2GMessage:
    """The message in an EXI stream; raises ExiError with the bit where it is none."""
    return SCHEMA.decode(data)


__all__ = [
    "ACDP",
    "ACDP_ConnectReq",
    "ACDP_ConnectRes",
    "ACDP_DisconnectReq",
    "ACDP_DisconnectRes",
    "ACDP_SystemStatusReq",
    "ACDP_SystemStatusRes",
    "ACDP_VehiclePositioningReq",
    "ACDP_VehiclePositioningRes",
    "EVTechnicalStatus",
    "SCHEMA",
    "cpStatus",
    "decode",
    "electricalChargingDeviceStatus",
    "encode",
    "errorCode",
    "isolationStatus",
    "mechanicalChargingDeviceStatus",
]
