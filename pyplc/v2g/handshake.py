"""supportedAppProtocol (`urn:iso:15118:2:2010:AppProtocol`): the same before every generation of sessions."""

from __future__ import annotations

from typing import Annotated, ClassVar

from ..exi.codec import Schema
from ..exi.declare import Bits, Element, Enumeration, Occurs, Text, Unsigned, Xsd

NAMESPACE = "urn:iso:15118:2:2010:AppProtocol"


class responseCode(Enumeration):
    """What a charger answers to the offers."""

    OK_SuccessfulNegotiation = 0
    OK_SuccessfulNegotiationWithMinorDeviation = 1
    Failed_NoNegotiation = 2


class AppProtocol(Element):
    """One offer: namespace, version, the id the vehicle gives it, and its priority (1 is best)."""

    XSD: ClassVar[Xsd] = Xsd(NAMESPACE, qualified=False, window=280)

    ProtocolNamespace: Annotated[str, Text(100)]
    VersionNumberMajor: Annotated[int, Unsigned(0xFFFFFFFF)]
    VersionNumberMinor: Annotated[int, Unsigned(0xFFFFFFFF)]
    SchemaID: Annotated[int, Bits(0, 255)]
    Priority: Annotated[int, Bits(1, 20)]


class SupportedAppProtocolReq(Element):
    """Vehicle: 1 to 20 offers."""

    XSD: ClassVar[Xsd] = Xsd(NAMESPACE, qualified=False, element="supportedAppProtocolReq")

    AppProtocol: Annotated[list[AppProtocol], Occurs(1, 20)]


class SupportedAppProtocolRes(Element):
    """Charger: the offer taken, by the vehicle's id."""

    XSD: ClassVar[Xsd] = Xsd(NAMESPACE, qualified=False, element="supportedAppProtocolRes")

    ResponseCode: responseCode
    SchemaID: Annotated[int, Bits(0, 255)] | None = None


SCHEMA: Schema[SupportedAppProtocolReq | SupportedAppProtocolRes] = Schema(
    "app", bits=2, roots={SupportedAppProtocolReq: 0, SupportedAppProtocolRes: 1}, names=9
)


def encode(message: SupportedAppProtocolReq | SupportedAppProtocolRes) -> bytes:
    """The EXI stream of a handshake message; raises ExiValueError for a value it cannot carry."""
    return SCHEMA.encode(message)


def decode(data: bytes) -> SupportedAppProtocolReq | SupportedAppProtocolRes:
    """The handshake message in an EXI stream; raises ExiError with the bit where it is none."""
    return SCHEMA.decode(data)
