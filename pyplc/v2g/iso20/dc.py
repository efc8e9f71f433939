"""ISO 15118-20 DC: every message and type, declared once.

Namespace `urn:iso:std:iso:15118:-20:DC`, V2GTP payload type 0x8004.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from ...exi.codec import Fragment, Schema
from ...exi.declare import Bits, Element, Group, Unit, Xsd
from ..xmldsig import SignedInfo
from .types import (
    ChargeLoopReq,
    ChargeLoopRes,
    ChargeParameterDiscoveryReq,
    ChargeParameterDiscoveryRes,
    CLReqControlMode,
    CLResControlMode,
    Dynamic_CLReqControlMode,
    Dynamic_CLResControlMode,
    RationalNumber,
    Scheduled_CLReqControlMode,
    Scheduled_CLResControlMode,
    V2GMessage,
    V2GRequest,
    V2GResponse,
    processing,
)

DC = "urn:iso:std:iso:15118:-20:DC"


class DC_CPDReqEnergyTransferMode(Element):
    """DC CPDReq Energy Transfer Mode."""

    XSD: ClassVar[Xsd] = Xsd(DC)

    EVMaximumChargePower: Annotated[RationalNumber, Unit("W")]
    EVMinimumChargePower: Annotated[RationalNumber, Unit("W")]
    EVMaximumChargeCurrent: Annotated[RationalNumber, Unit("A")]
    EVMinimumChargeCurrent: Annotated[RationalNumber, Unit("A")]
    EVMaximumVoltage: Annotated[RationalNumber, Unit("V")]
    EVMinimumVoltage: Annotated[RationalNumber, Unit("V")]
    TargetSOC: Annotated[int, Bits(0, 100), Unit("%")] | None = None


class BPT_DC_CPDReqEnergyTransferMode(DC_CPDReqEnergyTransferMode):
    """BPT DC CPDReq Energy Transfer Mode."""

    XSD: ClassVar[Xsd] = Xsd(DC)

    EVMaximumDischargePower: Annotated[RationalNumber, Unit("W")]
    EVMinimumDischargePower: Annotated[RationalNumber, Unit("W")]
    EVMaximumDischargeCurrent: Annotated[RationalNumber, Unit("A")]
    EVMinimumDischargeCurrent: Annotated[RationalNumber, Unit("A")]


class DC_ChargeParameterDiscoveryReq(ChargeParameterDiscoveryReq):
    """Vehicle: DC Charge Parameter Discovery."""

    XSD: ClassVar[Xsd] = Xsd(DC)

    DC_CPDReqEnergyTransferMode: Annotated[DC_CPDReqEnergyTransferMode, Group(BPT_DC_CPDReqEnergyTransferMode)]


class DC_CPDResEnergyTransferMode(Element):
    """DC CPDRes Energy Transfer Mode."""

    XSD: ClassVar[Xsd] = Xsd(DC)

    EVSEMaximumChargePower: Annotated[RationalNumber, Unit("W")]
    EVSEMinimumChargePower: Annotated[RationalNumber, Unit("W")]
    EVSEMaximumChargeCurrent: Annotated[RationalNumber, Unit("A")]
    EVSEMinimumChargeCurrent: Annotated[RationalNumber, Unit("A")]
    EVSEMaximumVoltage: Annotated[RationalNumber, Unit("V")]
    EVSEMinimumVoltage: Annotated[RationalNumber, Unit("V")]
    EVSEPowerRampLimitation: Annotated[RationalNumber, Unit("%/min")] | None = None


class BPT_DC_CPDResEnergyTransferMode(DC_CPDResEnergyTransferMode):
    """BPT DC CPDRes Energy Transfer Mode."""

    XSD: ClassVar[Xsd] = Xsd(DC)

    EVSEMaximumDischargePower: Annotated[RationalNumber, Unit("W")]
    EVSEMinimumDischargePower: Annotated[RationalNumber, Unit("W")]
    EVSEMaximumDischargeCurrent: Annotated[RationalNumber, Unit("A")]
    EVSEMinimumDischargeCurrent: Annotated[RationalNumber, Unit("A")]


class DC_ChargeParameterDiscoveryRes(ChargeParameterDiscoveryRes):
    """Charger: DC Charge Parameter Discovery."""

    XSD: ClassVar[Xsd] = Xsd(DC)

    DC_CPDResEnergyTransferMode: Annotated[DC_CPDResEnergyTransferMode, Group(BPT_DC_CPDResEnergyTransferMode)]


class DC_CableCheckReq(V2GRequest):
    """Vehicle: DC Cable Check."""

    XSD: ClassVar[Xsd] = Xsd(DC)


class DC_CableCheckRes(V2GResponse):
    """Charger: DC Cable Check."""

    XSD: ClassVar[Xsd] = Xsd(DC)

    EVSEProcessing: processing


class DC_PreChargeReq(V2GRequest):
    """Vehicle: DC Pre Charge."""

    XSD: ClassVar[Xsd] = Xsd(DC)

    EVProcessing: processing
    EVPresentVoltage: Annotated[RationalNumber, Unit("V")]
    EVTargetVoltage: Annotated[RationalNumber, Unit("V")]


class DC_PreChargeRes(V2GResponse):
    """Charger: DC Pre Charge."""

    XSD: ClassVar[Xsd] = Xsd(DC)

    EVSEPresentVoltage: Annotated[RationalNumber, Unit("V")]


class Dynamic_DC_CLReqControlMode(Dynamic_CLReqControlMode):
    """Dynamic DC CLReq Control Mode."""

    XSD: ClassVar[Xsd] = Xsd(DC)

    EVMaximumChargePower: Annotated[RationalNumber, Unit("W")]
    EVMinimumChargePower: Annotated[RationalNumber, Unit("W")]
    EVMaximumChargeCurrent: Annotated[RationalNumber, Unit("A")]
    EVMaximumVoltage: Annotated[RationalNumber, Unit("V")]
    EVMinimumVoltage: Annotated[RationalNumber, Unit("V")]


class BPT_Dynamic_DC_CLReqControlMode(Dynamic_DC_CLReqControlMode):
    """BPT Dynamic DC CLReq Control Mode."""

    XSD: ClassVar[Xsd] = Xsd(DC)

    EVMaximumDischargePower: Annotated[RationalNumber, Unit("W")]
    EVMinimumDischargePower: Annotated[RationalNumber, Unit("W")]
    EVMaximumDischargeCurrent: Annotated[RationalNumber, Unit("A")]
    EVMaximumV2XEnergyRequest: Annotated[RationalNumber, Unit("Wh")] | None = None
    EVMinimumV2XEnergyRequest: Annotated[RationalNumber, Unit("Wh")] | None = None


class Scheduled_DC_CLReqControlMode(Scheduled_CLReqControlMode):
    """Scheduled DC CLReq Control Mode."""

    XSD: ClassVar[Xsd] = Xsd(DC)

    EVTargetCurrent: Annotated[RationalNumber, Unit("A")]
    EVTargetVoltage: Annotated[RationalNumber, Unit("V")]
    EVMaximumChargePower: Annotated[RationalNumber, Unit("W")] | None = None
    EVMinimumChargePower: Annotated[RationalNumber, Unit("W")] | None = None
    EVMaximumChargeCurrent: Annotated[RationalNumber, Unit("A")] | None = None
    EVMaximumVoltage: Annotated[RationalNumber, Unit("V")] | None = None
    EVMinimumVoltage: Annotated[RationalNumber, Unit("V")] | None = None


class BPT_Scheduled_DC_CLReqControlMode(Scheduled_DC_CLReqControlMode):
    """BPT Scheduled DC CLReq Control Mode."""

    XSD: ClassVar[Xsd] = Xsd(DC)

    EVMaximumDischargePower: Annotated[RationalNumber, Unit("W")] | None = None
    EVMinimumDischargePower: Annotated[RationalNumber, Unit("W")] | None = None
    EVMaximumDischargeCurrent: Annotated[RationalNumber, Unit("A")] | None = None


class DC_ChargeLoopReq(ChargeLoopReq):
    """Vehicle: DC Charge Loop."""

    XSD: ClassVar[Xsd] = Xsd(DC)

    EVPresentVoltage: Annotated[RationalNumber, Unit("V")]
    CLReqControlMode: Annotated[
        CLReqControlMode,
        Group(
            BPT_Dynamic_DC_CLReqControlMode,
            BPT_Scheduled_DC_CLReqControlMode,
            Dynamic_DC_CLReqControlMode,
            Scheduled_DC_CLReqControlMode,
        ),
    ]


class Dynamic_DC_CLResControlMode(Dynamic_CLResControlMode):
    """Dynamic DC CLRes Control Mode."""

    XSD: ClassVar[Xsd] = Xsd(DC)

    EVSEMaximumChargePower: Annotated[RationalNumber, Unit("W")]
    EVSEMinimumChargePower: Annotated[RationalNumber, Unit("W")]
    EVSEMaximumChargeCurrent: Annotated[RationalNumber, Unit("A")]
    EVSEMaximumVoltage: Annotated[RationalNumber, Unit("V")]


class BPT_Dynamic_DC_CLResControlMode(Dynamic_DC_CLResControlMode):
    """BPT Dynamic DC CLRes Control Mode."""

    XSD: ClassVar[Xsd] = Xsd(DC)

    EVSEMaximumDischargePower: Annotated[RationalNumber, Unit("W")]
    EVSEMinimumDischargePower: Annotated[RationalNumber, Unit("W")]
    EVSEMaximumDischargeCurrent: Annotated[RationalNumber, Unit("A")]
    EVSEMinimumVoltage: Annotated[RationalNumber, Unit("V")]


class Scheduled_DC_CLResControlMode(Scheduled_CLResControlMode):
    """Scheduled DC CLRes Control Mode."""

    XSD: ClassVar[Xsd] = Xsd(DC)

    EVSEMaximumChargePower: Annotated[RationalNumber, Unit("W")] | None = None
    EVSEMinimumChargePower: Annotated[RationalNumber, Unit("W")] | None = None
    EVSEMaximumChargeCurrent: Annotated[RationalNumber, Unit("A")] | None = None
    EVSEMaximumVoltage: Annotated[RationalNumber, Unit("V")] | None = None


class BPT_Scheduled_DC_CLResControlMode(Scheduled_DC_CLResControlMode):
    """BPT Scheduled DC CLRes Control Mode."""

    XSD: ClassVar[Xsd] = Xsd(DC)

    EVSEMaximumDischargePower: Annotated[RationalNumber, Unit("W")] | None = None
    EVSEMinimumDischargePower: Annotated[RationalNumber, Unit("W")] | None = None
    EVSEMaximumDischargeCurrent: Annotated[RationalNumber, Unit("A")] | None = None
    EVSEMinimumVoltage: Annotated[RationalNumber, Unit("V")] | None = None


class DC_ChargeLoopRes(ChargeLoopRes):
    """Charger: DC Charge Loop."""

    XSD: ClassVar[Xsd] = Xsd(DC)

    EVSEPresentCurrent: Annotated[RationalNumber, Unit("A")]
    EVSEPresentVoltage: Annotated[RationalNumber, Unit("V")]
    EVSEPowerLimitAchieved: bool
    EVSECurrentLimitAchieved: bool
    EVSEVoltageLimitAchieved: bool
    CLResControlMode: Annotated[
        CLResControlMode,
        Group(
            BPT_Dynamic_DC_CLResControlMode,
            BPT_Scheduled_DC_CLResControlMode,
            Dynamic_DC_CLResControlMode,
            Scheduled_DC_CLResControlMode,
        ),
    ]


class DC_WeldingDetectionReq(V2GRequest):
    """Vehicle: DC Welding Detection."""

    XSD: ClassVar[Xsd] = Xsd(DC)

    EVProcessing: processing


class DC_WeldingDetectionRes(V2GResponse):
    """Charger: DC Welding Detection."""

    XSD: ClassVar[Xsd] = Xsd(DC)

    EVSEPresentVoltage: Annotated[RationalNumber, Unit("V")]


SCHEMA: Schema[V2GMessage] = Schema(
    "iso20_dc",
    bits=6,
    roots={
        DC_CableCheckReq: 11,
        DC_CableCheckRes: 12,
        DC_ChargeLoopReq: 13,
        DC_ChargeLoopRes: 14,
        DC_ChargeParameterDiscoveryReq: 15,
        DC_ChargeParameterDiscoveryRes: 16,
        DC_PreChargeReq: 17,
        DC_PreChargeRes: 18,
        DC_WeldingDetectionReq: 19,
        DC_WeldingDetectionRes: 20,
    },
    names=149,
    fragments={
        "DC_ChargeParameterDiscoveryRes": Fragment(26, DC_ChargeParameterDiscoveryRes),
        "SignedInfo": Fragment(129, SignedInfo),
    },
)
"""The document grammar (48 global elements) and the fragments that are signed (149 element names)."""


def encode(message: V2GMessage) -> bytes:
    """The EXI stream of a message, its header included; raises ExiValueError for a value the schema cannot carry."""
    return SCHEMA.encode(message)


def decode(data: bytes) -> V2GMessage:
    """The message in an EXI stream; raises ExiError with the bit where it is none."""
    return SCHEMA.decode(data)


__all__ = [
    "BPT_DC_CPDReqEnergyTransferMode",
    "BPT_DC_CPDResEnergyTransferMode",
    "BPT_Dynamic_DC_CLReqControlMode",
    "BPT_Dynamic_DC_CLResControlMode",
    "BPT_Scheduled_DC_CLReqControlMode",
    "BPT_Scheduled_DC_CLResControlMode",
    "DC",
    "DC_CPDReqEnergyTransferMode",
    "DC_CPDResEnergyTransferMode",
    "DC_CableCheckReq",
    "DC_CableCheckRes",
    "DC_ChargeLoopReq",
    "DC_ChargeLoopRes",
    "DC_ChargeParameterDiscoveryReq",
    "DC_ChargeParameterDiscoveryRes",
    "DC_PreChargeReq",
    "DC_PreChargeRes",
    "DC_WeldingDetectionReq",
    "DC_WeldingDetectionRes",
    "Dynamic_DC_CLReqControlMode",
    "Dynamic_DC_CLResControlMode",
    "SCHEMA",
    "Scheduled_DC_CLReqControlMode",
    "Scheduled_DC_CLResControlMode",
    "decode",
    "encode",
]
