"""The schemas by name, loaded when named, and which of them a message is of.

The V2GTP payload type decides for ISO 15118-20. Payload type 0x8001 is shared by the handshake, DIN 70121 and ISO
15118-2; the first two bytes tell these apart. Without a payload type a message can be legal in several schemas: then
the answer is a guess and says so.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from ..exi.errors import ExiError

if TYPE_CHECKING:
    from ..exi.codec import Schema
    from ..exi.declare import Element


class Entry(NamedTuple):
    """Where a schema is declared, and the V2GTP payload type of its messages."""

    module: str
    payload_type: int | None


SCHEMAS = {
    "app": Entry("handshake", 0x8001),
    "din": Entry("din.messages", 0x8001),
    "iso2": Entry("iso2.messages", 0x8001),
    "iso20_common": Entry("iso20.common", 0x8002),
    "iso20_ac": Entry("iso20.ac", 0x8003),
    "iso20_dc": Entry("iso20.dc", 0x8004),
    "iso20_acdp": Entry("iso20.acdp", 0x8005),
    "iso20_wpt": Entry("iso20.wpt", 0x8006),
    "xmldsig": Entry("xmldsig", None),
}
"""Every schema by the name users give it."""


def schema(name: str) -> Schema[Any]:
    """The schema of a name; KeyError if there is none."""
    module = importlib.import_module(f"pyplc.v2g.{SCHEMAS[name].module}")
    found: Schema[Any] = module.SCHEMA
    return found


class Detected(NamedTuple):
    """The schema of a message, whether that is certain, and what tells."""

    schema: str
    certain: bool
    reason: str


def detect(data: bytes, payload_type: int | None = None) -> Detected:
    """The schema of one message; ExiError if it is of none."""
    return detect_session([(payload_type, data)])


def detect_session(messages: Iterable[tuple[int | None, bytes]]) -> Detected:
    """The schema of several messages of one peer with the same payload type: (payload type or None, stream).

    ExiError if no schema can read any of them.
    """
    known = list(messages)
    sure = [found for payload_type, data in known if (found := _sure(data, payload_type)) is not None]
    if sure:
        return max(sure, key=lambda found: (sum(other.schema == found.schema for other in sure), found.certain))
    scores = {
        name: sum(_score(data, name) for payload_type, data in known if payload_type in (None, entry.payload_type))
        for name, entry in SCHEMAS.items()
        if entry.payload_type is not None
    }
    ranking = sorted(scores, key=lambda name: -scores[name])
    best, second = ranking[0], ranking[1]
    if not scores[best]:
        raise ExiError("the bytes are a message of no schema", 0)
    if not scores[second]:
        return Detected(best, False, "a guess: no other schema can read it")
    return Detected(best, False, f"a guess: {second} is second ({scores[best]} to {scores[second]} points)")


def _sure(data: bytes, payload_type: int | None) -> Detected | None:
    for name, entry in SCHEMAS.items():
        if payload_type == entry.payload_type and payload_type not in (None, 0x8001):
            return Detected(name, True, f"payload type {payload_type:#06x}")
    start = data[4:6] if data[:4] == b"$EXI" else data[:2]
    if start == b"\x80\x9a":
        return Detected("din", True, "begins with 80 9a")
    if start == b"\x80\x98" and (payload_type == 0x8001 or not _score(data, "iso20_common")):
        return Detected("iso2", True, "begins with 80 98")
    if payload_type == 0x8001 and start[:1] == b"\x80" and start[1:] < b"\x80":
        return Detected("app", True, "payload type 0x8001 and neither DIN 70121 nor ISO 15118-2")
    return None


def _score(data: bytes, name: str) -> int:
    """Points: it decodes 1, within its facets 2, the very bytes come back 1, its values are as in real messages 4."""
    found = schema(name)
    try:
        message = found.decode(data)
    except ExiError:
        return 0
    points = 1
    try:
        found.decode(data, strict=True)
        points += 2
    except ExiError:
        pass
    try:
        points += 1 if found.encode(message) == data else 0
    except ExiError:
        pass
    return points + (4 if _plausible(message) else 0)


def _plausible(message: Element) -> bool:
    """Session ids are of 8 bytes, time stamps of this century, offered namespaces begin with `urn:`."""
    header = getattr(message, "Header", None)
    if header is not None:
        stamp = getattr(header, "TimeStamp", 1_700_000_000)
        return len(header.SessionID) in (0, 8) and 1_000_000_000 < stamp < 4_000_000_000
    offers = getattr(message, "AppProtocol", None)
    return offers is None or all(offer.ProtocolNamespace.startswith("urn:") for offer in offers)
