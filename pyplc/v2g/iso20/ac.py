"""ISO 15118-20 AC: every message and type, declared once.

Namespace `urn:iso:std:iso:15118:-20:AC`, V2GTP payload type 0x8003.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from ...exi.codec import Fragment, Schema
from ...exi.declare import Element, Group, Unit, Xsd
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
)

AC = "urn:iso:std:iso:15118:-20:AC"


class AC_CPDReqEnergyTransferMode(Element):
    """AC CPDReq Energy Transfer Mode."""

    XSD: ClassVar[Xsd] = Xsd(AC)

    EVMaximumChargePower: Annotated[RationalNumber, Unit("W")]
    EVMaximumChargePower_L2: Annotated[RationalNumber, Unit("W")] | None = None
    EVMaximumChargePower_L3: Annotated[RationalNumber, Unit("W")] | None = None
    EVMinimumChargePower: Annotated[RationalNumber, Unit("W")]
    EVMinimumChargePower_L2: Annotated[RationalNumber, Unit("W")] | None = None
    EVMinimumChargePower_L3: Annotated[RationalNumber, Unit("W")] | None = None


class BPT_AC_CPDReqEnergyTransferMode(AC_CPDReqEnergyTransferMode):
    """BPT AC CPDReq Energy Transfer Mode."""

    XSD: ClassVar[Xsd] = Xsd(AC)

    EVMaximumDischargePower: Annotated[RationalNumber, Unit("W")]
    EVMaximumDischargePower_L2: Annotated[RationalNumber, Unit("W")] | None = None
    EVMaximumDischargePower_L3: Annotated[RationalNumber, Unit("W")] | None = None
    EVMinimumDischargePower: Annotated[RationalNumber, Unit("W")]
    EVMinimumDischargePower_L2: Annotated[RationalNumber, Unit("W")] | None = None
    EVMinimumDischargePower_L3: Annotated[RationalNumber, Unit("W")] | None = None


class AC_ChargeParameterDiscoveryReq(ChargeParameterDiscoveryReq):
    """Vehicle: AC Charge Parameter Discovery."""

    XSD: ClassVar[Xsd] = Xsd(AC)

    AC_CPDReqEnergyTransferMode: Annotated[AC_CPDReqEnergyTransferMode, Group(BPT_AC_CPDReqEnergyTransferMode)]


class AC_CPDResEnergyTransferMode(Element):
    """AC CPDRes Energy Transfer Mode."""

    XSD: ClassVar[Xsd] = Xsd(AC)

    EVSEMaximumChargePower: Annotated[RationalNumber, Unit("W")]
    EVSEMaximumChargePower_L2: Annotated[RationalNumber, Unit("W")] | None = None
    EVSEMaximumChargePower_L3: Annotated[RationalNumber, Unit("W")] | None = None
    EVSEMinimumChargePower: Annotated[RationalNumber, Unit("W")]
    EVSEMinimumChargePower_L2: Annotated[RationalNumber, Unit("W")] | None = None
    EVSEMinimumChargePower_L3: Annotated[RationalNumber, Unit("W")] | None = None
    EVSENominalFrequency: Annotated[RationalNumber, Unit("Hz")]
    MaximumPowerAsymmetry: Annotated[RationalNumber, Unit("W")] | None = None
    EVSEPowerRampLimitation: Annotated[RationalNumber, Unit("%/min")] | None = None
    EVSEPresentActivePower: Annotated[RationalNumber, Unit("W")] | None = None
    EVSEPresentActivePower_L2: Annotated[RationalNumber, Unit("W")] | None = None
    EVSEPresentActivePower_L3: Annotated[RationalNumber, Unit("W")] | None = None


class BPT_AC_CPDResEnergyTransferMode(AC_CPDResEnergyTransferMode):
    """BPT AC CPDRes Energy Transfer Mode."""

    XSD: ClassVar[Xsd] = Xsd(AC)

    EVSEMaximumDischargePower: Annotated[RationalNumber, Unit("W")]
    EVSEMaximumDischargePower_L2: Annotated[RationalNumber, Unit("W")] | None = None
    EVSEMaximumDischargePower_L3: Annotated[RationalNumber, Unit("W")] | None = None
    EVSEMinimumDischargePower: Annotated[RationalNumber, Unit("W")]
    EVSEMinimumDischargePower_L2: Annotated[RationalNumber, Unit("W")] | None = None
    EVSEMinimumDischargePower_L3: Annotated[RationalNumber, Unit("W")] | None = None


class AC_ChargeParameterDiscoveryRes(ChargeParameterDiscoveryRes):
    """Charger: AC Charge Parameter Discovery."""

    XSD: ClassVar[Xsd] = Xsd(AC)

    AC_CPDResEnergyTransferMode: Annotated[AC_CPDResEnergyTransferMode, Group(BPT_AC_CPDResEnergyTransferMode)]


class Dynamic_AC_CLReqControlMode(Dynamic_CLReqControlMode):
    """Dynamic AC CLReq Control Mode."""

    XSD: ClassVar[Xsd] = Xsd(AC)

    EVMaximumChargePower: Annotated[RationalNumber, Unit("W")]
    EVMaximumChargePower_L2: Annotated[RationalNumber, Unit("W")] | None = None
    EVMaximumChargePower_L3: Annotated[RationalNumber, Unit("W")] | None = None
    EVMinimumChargePower: Annotated[RationalNumber, Unit("W")]
    EVMinimumChargePower_L2: Annotated[RationalNumber, Unit("W")] | None = None
    EVMinimumChargePower_L3: Annotated[RationalNumber, Unit("W")] | None = None
    EVPresentActivePower: Annotated[RationalNumber, Unit("W")]
    EVPresentActivePower_L2: Annotated[RationalNumber, Unit("W")] | None = None
    EVPresentActivePower_L3: Annotated[RationalNumber, Unit("W")] | None = None
    EVPresentReactivePower: Annotated[RationalNumber, Unit("var")]
    EVPresentReactivePower_L2: Annotated[RationalNumber, Unit("var")] | None = None
    EVPresentReactivePower_L3: Annotated[RationalNumber, Unit("var")] | None = None


class BPT_Dynamic_AC_CLReqControlMode(Dynamic_AC_CLReqControlMode):
    """BPT Dynamic AC CLReq Control Mode."""

    XSD: ClassVar[Xsd] = Xsd(AC)

    EVMaximumDischargePower: Annotated[RationalNumber, Unit("W")]
    EVMaximumDischargePower_L2: Annotated[RationalNumber, Unit("W")] | None = None
    EVMaximumDischargePower_L3: Annotated[RationalNumber, Unit("W")] | None = None
    EVMinimumDischargePower: Annotated[RationalNumber, Unit("W")]
    EVMinimumDischargePower_L2: Annotated[RationalNumber, Unit("W")] | None = None
    EVMinimumDischargePower_L3: Annotated[RationalNumber, Unit("W")] | None = None
    EVMaximumV2XEnergyRequest: Annotated[RationalNumber, Unit("Wh")] | None = None
    EVMinimumV2XEnergyRequest: Annotated[RationalNumber, Unit("Wh")] | None = None


class Scheduled_AC_CLReqControlMode(Scheduled_CLReqControlMode):
    """Scheduled AC CLReq Control Mode."""

    XSD: ClassVar[Xsd] = Xsd(AC)

    EVMaximumChargePower: Annotated[RationalNumber, Unit("W")] | None = None
    EVMaximumChargePower_L2: Annotated[RationalNumber, Unit("W")] | None = None
    EVMaximumChargePower_L3: Annotated[RationalNumber, Unit("W")] | None = None
    EVMinimumChargePower: Annotated[RationalNumber, Unit("W")] | None = None
    EVMinimumChargePower_L2: Annotated[RationalNumber, Unit("W")] | None = None
    EVMinimumChargePower_L3: Annotated[RationalNumber, Unit("W")] | None = None
    EVPresentActivePower: Annotated[RationalNumber, Unit("W")]
    EVPresentActivePower_L2: Annotated[RationalNumber, Unit("W")] | None = None
    EVPresentActivePower_L3: Annotated[RationalNumber, Unit("W")] | None = None
    EVPresentReactivePower: Annotated[RationalNumber, Unit("var")] | None = None
    EVPresentReactivePower_L2: Annotated[RationalNumber, Unit("var")] | None = None
    EVPresentReactivePower_L3: Annotated[RationalNumber, Unit("var")] | None = None


class BPT_Scheduled_AC_CLReqControlMode(Scheduled_AC_CLReqControlMode):
    """BPT Scheduled AC CLReq Control Mode."""

    XSD: ClassVar[Xsd] = Xsd(AC)

    EVMaximumDischargePower: Annotated[RationalNumber, Unit("W")] | None = None
    EVMaximumDischargePower_L2: Annotated[RationalNumber, Unit("W")] | None = None
    EVMaximumDischargePower_L3: Annotated[RationalNumber, Unit("W")] | None = None
    EVMinimumDischargePower: Annotated[RationalNumber, Unit("W")] | None = None
    EVMinimumDischargePower_L2: Annotated[RationalNumber, Unit("W")] | None = None
    EVMinimumDischargePower_L3: Annotated[RationalNumber, Unit("W")] | None = None


class AC_ChargeLoopReq(ChargeLoopReq):
    """Vehicle: AC Charge Loop."""

    XSD: ClassVar[Xsd] = Xsd(AC)

    CLReqControlMode: Annotated[
        CLReqControlMode,
        Group(
            BPT_Dynamic_AC_CLReqControlMode,
            BPT_Scheduled_AC_CLReqControlMode,
            Dynamic_AC_CLReqControlMode,
            Scheduled_AC_CLReqControlMode,
        ),
    ]


class Dynamic_AC_CLResControlMode(Dynamic_CLResControlMode):
    """Dynamic AC CLRes Control Mode."""

    XSD: ClassVar[Xsd] = Xsd(AC)

    EVSETargetActivePower: Annotated[RationalNumber, Unit("W")]
    EVSETargetActivePower_L2: Annotated[RationalNumber, Unit("W")] | None = None
    EVSETargetActivePower_L3: Annotated[RationalNumber, Unit("W")] | None = None
    EVSETargetReactivePower: Annotated[RationalNumber, Unit("var")] | None = None
    EVSETargetReactivePower_L2: Annotated[RationalNumber, Unit("var")] | None = None
    EVSETargetReactivePower_L3: Annotated[RationalNumber, Unit("var")] | None = None
    EVSEPresentActivePower: Annotated[RationalNumber, Unit("W")] | None = None
    EVSEPresentActivePower_L2: Annotated[RationalNumber, Unit("W")] | None = None
    EVSEPresentActivePower_L3: Annotated[RationalNumber, Unit("W")] | None = None


class BPT_Dynamic_AC_CLResControlMode(Dynamic_AC_CLResControlMode):
    """BPT Dynamic AC CLRes Control Mode."""

    XSD: ClassVar[Xsd] = Xsd(AC)


class Scheduled_AC_CLResControlMode(Scheduled_CLResControlMode):
    """Scheduled AC CLRes Control Mode."""

    XSD: ClassVar[Xsd] = Xsd(AC)

    EVSETargetActivePower: Annotated[RationalNumber, Unit("W")] | None = None
    EVSETargetActivePower_L2: Annotated[RationalNumber, Unit("W")] | None = None
    EVSETargetActivePower_L3: Annotated[RationalNumber, Unit("W")] | None = None
    EVSETargetReactivePower: Annotated[RationalNumber, Unit("var")] | None = None
    EVSETargetReactivePower_L2: Annotated[RationalNumber, Unit("var")] | None = None
    EVSETargetReactivePower_L3: Annotated[RationalNumber, Unit("var")] | None = None
    EVSEPresentActivePower: Annotated[RationalNumber, Unit("W")] | None = None
    EVSEPresentActivePower_L2: Annotated[RationalNumber, Unit("W")] | None = None
    EVSEPresentActivePower_L3: Annotated[RationalNumber, Unit("W")] | None = None


class BPT_Scheduled_AC_CLResControlMode(Scheduled_AC_CLResControlMode):
    """BPT Scheduled AC CLRes Control Mode."""

    XSD: ClassVar[Xsd] = Xsd(AC)


class AC_ChargeLoopRes(ChargeLoopRes):
    """Charger: AC Charge Loop."""

    XSD: ClassVar[Xsd] = Xsd(AC)

    EVSETargetFrequency: Annotated[RationalNumber, Unit("Hz")] | None = None
    CLResControlMode: Annotated[
        CLResControlMode,
        Group(
            BPT_Dynamic_AC_CLResControlMode,
            BPT_Scheduled_AC_CLResControlMode,
            Dynamic_AC_CLResControlMode,
            Scheduled_AC_CLResControlMode,
        ),
    ]


SCHEMA: Schema[V2GMessage] = Schema(
    "iso20_ac",
    bits=6,
    roots={
        AC_ChargeLoopReq: 2,
        AC_ChargeLoopRes: 3,
        AC_ChargeParameterDiscoveryReq: 4,
        AC_ChargeParameterDiscoveryRes: 5,
    },
    names=154,
    fragments={
        "AC_ChargeParameterDiscoveryRes": Fragment(5, AC_ChargeParameterDiscoveryRes),
        "SignedInfo": Fragment(135, SignedInfo),
    },
)
"""The document grammar (42 global elements) and the fragments that are signed (154 element names)."""


def encode(message: V2GMessage) -> bytes:
    """The EXI stream of a message, its header included; raises ExiValueError for a value the schema cannot carry."""
    return SCHEMA.encode(message)


def decode(data: bytes) -> V2GMessage:
    """The message in an EXI stream; raises ExiError with the bit where it is none."""
    return SCHEMA.decode(data)


__all__ = [
    "AC",
    "AC_CPDReqEnergyTransferMode",
    "AC_CPDResEnergyTransferMode",
    "AC_ChargeLoopReq",
    "AC_ChargeLoopRes",
    "AC_ChargeParameterDiscoveryReq",
    "AC_ChargeParameterDiscoveryRes",
    "BPT_AC_CPDReqEnergyTransferMode",
    "BPT_AC_CPDResEnergyTransferMode",
    "BPT_Dynamic_AC_CLReqControlMode",
    "BPT_Dynamic_AC_CLResControlMode",
    "BPT_Scheduled_AC_CLReqControlMode",
    "BPT_Scheduled_AC_CLResControlMode",
    "Dynamic_AC_CLReqControlMode",
    "Dynamic_AC_CLResControlMode",
    "SCHEMA",
    "Scheduled_AC_CLReqControlMode",
    "Scheduled_AC_CLResControlMode",
    "decode",
    "encode",
]
