"""What the payloads of one connection mean: the schema from the handshake, else by score over the session."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from ..exi.declare import Element
from ..exi.errors import ExiError
from ..v2g import schemas
from ..v2g.handshake import SupportedAppProtocolReq, SupportedAppProtocolRes
from ..v2gtp import PayloadType
from .events import Side

ISO20 = "iso20"
"""Negotiated: any schema of ISO 15118-20, told apart by payload type."""
BY_NAMESPACE = {
    "urn:din:70121:2012:MsgDef": "din",
    "urn:tesla:din:2018:MsgDef": "din",
    "urn:iso:15118:2:2013:MsgDef": "iso2",
    "urn:iso:15118:2:2010:MsgDef": "iso2",
}
BY_PAYLOAD = {entry.payload_type: name for name, entry in schemas.SCHEMAS.items() if name.startswith(ISO20)}
SIDE_STREAM = 0x8101
ENOUGH = 8
"""Messages that vote on the schema of a session without a handshake."""


class Decoded(NamedTuple):
    """A payload as a message; `value` is None where no schema can read it, and `error` says why."""

    schema: str
    protocol: str
    name: str
    side: Side
    value: Element | None
    guessed: bool
    error: str | None


@lru_cache(maxsize=1024)
def side_of(name: str) -> Side:
    """Requests are the vehicle's, responses the charger's."""
    return "ev" if name.endswith("Req") else "evse" if name.endswith("Res") else ""


class Conversation:
    """The messages of one connection, in order. `forced` is a schema the user insists on."""

    __slots__ = ("_forced", "_offers", "_sample", "_schema", "negotiated")

    def __init__(self, forced: str | None = None) -> None:
        self._forced = forced
        self._offers: dict[int, str] = {}
        self.negotiated: str | None = None
        self._schema: str | None = None
        self._sample: list[tuple[int | None, bytes]] = []

    def read(self, payload_type: int, exi: bytes) -> Decoded:
        """One payload; never raises."""
        if self._forced is not None and not _is_handshake(payload_type, exi):
            return self._as(self._forced, exi, False)
        if payload_type in BY_PAYLOAD:
            return self._as(BY_PAYLOAD[payload_type], exi, False)
        if payload_type >= SIDE_STREAM:
            return self._guess([(None, exi)], exi, keep=False)
        if payload_type != PayloadType.EXI:
            return Decoded("", "", "", "", None, False, f"payload type {payload_type:#06x} is of no schema")
        if _is_handshake(payload_type, exi):
            return self._handshake(exi)
        if self.negotiated in schemas.SCHEMAS:
            found = self._as(self.negotiated, exi, False)
            if found.error is None or exi[1:2] in (b"\x98", b"\x9a"):
                return found
        return self._vote(payload_type, exi)

    def _as(self, name: str, exi: bytes, guessed: bool) -> Decoded:
        try:
            value = schemas.schema(name).decode(exi)
        except ExiError as error:
            return self._leniently(name, exi, guessed, str(error))
        return _decoded(name, value, guessed, None)

    def _leniently(self, name: str, exi: bytes, guessed: bool, reason: str) -> Decoded:
        """Once more, keeping numbers of enumerations that the schema does not know."""
        try:
            value = schemas.schema(name).decode(exi, lenient=True)
        except ExiError:
            return Decoded(name, "", "", "", None, guessed, reason)
        return _decoded(name, value, guessed, None)

    def _handshake(self, exi: bytes) -> Decoded:
        found = self._as("app", exi, False)
        if isinstance(found.value, SupportedAppProtocolReq):
            self._offers = {offer.SchemaID: offer.ProtocolNamespace for offer in found.value.AppProtocol}
        elif isinstance(found.value, SupportedAppProtocolRes):
            self._choose(found.value)
        return found

    def _choose(self, answer: SupportedAppProtocolRes) -> None:
        chosen = self._offers.get(answer.SchemaID) if answer.SchemaID is not None else None
        if chosen is None and len(self._offers) == 1 and answer.ResponseCode <= 1:
            (chosen,) = self._offers.values()
        if chosen is None or answer.ResponseCode > 1:
            return
        self.negotiated = BY_NAMESPACE.get(chosen, ISO20 if ":15118:-20:" in chosen else None)

    def _vote(self, payload_type: int, exi: bytes) -> Decoded:
        if self._schema is None or len(self._sample) < ENOUGH:
            self._sample.append((payload_type, exi))
            return self._guess(self._sample, exi, keep=True)
        found = self._as(self._schema, exi, True)
        return found if found.error is None else self._guess([(payload_type, exi)], exi, keep=False)

    def _guess(self, sample: list[tuple[int | None, bytes]], exi: bytes, *, keep: bool) -> Decoded:
        try:
            name = schemas.detect_session(sample).schema
        except ExiError as error:
            return Decoded("", "", "", "", None, True, str(error))
        if keep:
            self._schema = name
        found = self._as(name, exi, True)
        return found if found.error is None or len(sample) == 1 else self._guess(sample[-1:], exi, keep=False)


def _is_handshake(payload_type: int, exi: bytes) -> bool:
    """Root elements of the handshake are numbers 0 and 1 of two bits; of the others with this payload type 76 on."""
    at = 5 if exi[:4] == b"$EXI" else 1
    return payload_type == PayloadType.EXI and exi[at - 1 : at] == b"\x80" and exi[at : at + 1] < b"\x80"


def _decoded(name: str, value: Any, guessed: bool, error: str | None) -> Decoded:
    body = getattr(value, "Body", None)
    inner = getattr(body, "BodyElement", None)
    tag = value.tag() if inner is None else inner.tag()
    return Decoded(name, value.XSD.namespace, tag, side_of(tag), value, guessed, error)
