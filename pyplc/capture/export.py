"""A capture as pcapng that Wireshark understands without a plugin.

The packets as they were, a comment at each that completes a message (name, values, XML), the TLS secrets, names of the
stations' addresses, and on an interface of its own each V2G message as an exported PDU (link type 252: XML, which
Wireshark dissects), so that trees and filters work.
"""

from __future__ import annotations

import socket
import struct
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import BinaryIO, NamedTuple

from ..exi.xmltext import to_xml
from . import pcapng
from .events import Comment, Damage, Endpoint, Event, Message, Recorded
from .files import Item, Noted, Packet
from .links import EXPORTED
from .reader import Reader
from .rows import failed, row

_DISSECTOR, _V4_FROM, _V4_TO, _V6_FROM, _V6_TO, _PORT_TYPE, _PORT_FROM, _PORT_TO, _NUMBER, _PROTOCOL = (
    12, 20, 21, 22, 23, 24, 25, 26, 30, 33,
)  # fmt: skip
"""Tags of an exported PDU, wsutil/exported_pdu_tlvs.h."""
_TCP = 2

Chosen = Callable[[Event], object]


class Exporter:
    """Writes blocks; interfaces are made when their first packet comes, the one of messages with the first of these."""

    def __init__(self, out: BinaryIO, application: str) -> None:
        self._out = out
        self._numbers: dict[tuple[int, int], int] = {}
        out.write(pcapng.section(application))

    def interface(self, link_type: int, name: str, which: int = 0) -> int:
        """The number of an interface of the original capture, described on first use."""
        key = which, link_type
        if key not in self._numbers:
            self._numbers[key] = len(self._numbers)
            self._out.write(pcapng.interface(name, link_type))
        return self._numbers[key]

    def secrets(self, text: str) -> None:
        """TLS secrets for the packets that follow."""
        if text:
            self._out.write(pcapng.secrets(text))

    def names(self, of: dict[str, str]) -> None:
        """Names of addresses."""
        if of:
            self._out.write(pcapng.names(of))

    def packet(self, item: Packet, comments: Iterable[str] = ()) -> None:
        """One packet as it was, its own comment first."""
        number = self.interface(item.link_type, f"captured {item.interface}", item.interface)
        own = (item.comment,) if item.comment else ()
        self._out.write(pcapng.packet(number, item.ns, item.data, (*own, *comments), item.length))

    def record(self, item: Noted) -> None:
        """A record of one of our stations."""
        self._out.write(pcapng.noted(item.ns // 1000, item.json))

    def message(self, message: Message, ns: int) -> None:
        """One V2G message as an exported PDU."""
        number = self.interface(EXPORTED, "V2G messages", -1)
        self._out.write(pcapng.packet(number, ns, pdu(message)))


def describe(event: Event) -> str:
    """The comment of an event: one line, and of a V2G message its XML."""
    shown = row(event)
    line = " ".join(f"{shown.side} {shown.protocol} {shown.name} {shown.text}".split())
    if isinstance(event, Message) and event.value is not None:
        return f"{line}\n{to_xml(event.value)}"
    return line


def pdu(message: Message) -> bytes:
    """A V2G message as Wireshark's exported PDU for its dissector of XML."""
    body = to_xml(message.value) if message.value is not None else f"<unreadable>{message.exi.hex()}</unreadable>"
    tags = _tag(_DISSECTOR, b"xml")
    for end, tag4, tag6, port in (
        (message.sender, _V4_FROM, _V6_FROM, _PORT_FROM),
        (message.receiver, _V4_TO, _V6_TO, _PORT_TO),
    ):
        tags += _tag(tag6 if ":" in end.address else tag4, packed(end)) + _tag(port, struct.pack("!I", end.port))
    tags += _tag(_PORT_TYPE, struct.pack("!I", _TCP)) + _tag(_NUMBER, struct.pack("!I", message.frame))
    title = f"V2G {message.name or '(unreadable)'}{' FAILED' if failed(message) else ''}"
    tags += _tag(_PROTOCOL, title.encode())
    return tags + struct.pack("!HH", 0, 0) + body.encode()


def packed(end: Endpoint) -> bytes:
    """The address of an endpoint as bytes."""
    return socket.inet_pton(socket.AF_INET6 if ":" in end.address else socket.AF_INET, end.address)


def _tag(number: int, value: bytes) -> bytes:
    value += bytes(-len(value) % 4)
    return struct.pack("!HH", number, len(value)) + value


class Names:
    """EV and EVSE by address; a second one of a side is EV-2."""

    def __init__(self) -> None:
        self.of: dict[str, str] = {}

    def __call__(self, event: Event) -> bool:
        """Learn from an event; whether it told something new."""
        if not isinstance(event, Message) or event.side not in ("ev", "evse"):
            return False
        known = len(self.of)
        ends = (event.sender, event.receiver) if event.side == "ev" else (event.receiver, event.sender)
        for end, name in zip(ends, ("EV", "EVSE"), strict=True):
            if end.address not in self.of:
                count = sum(other.partition("-")[0] == name for other in self.of.values())
                self.of[end.address] = f"{name}-{count + 1}" if count else name
        return len(self.of) > known


class Written(NamedTuple):
    """What is in the file that was written."""

    packets: int
    messages: int
    comments: int
    keys: int


def export(
    source: Callable[[], Iterable[Item]], out: BinaryIO, reader: Reader, application: str, chosen: Chosen
) -> Written:
    """Write a capture with what was found in it; `source` is read twice: keys may stand behind what they open.

    `chosen` says which events become comments and exported PDUs. Exported PDUs of the source are left out; records of
    our own stations stay as they are.
    """
    names = Names()
    comments: dict[int, list[str]] = defaultdict(list)
    messages: dict[int, list[Message]] = defaultdict(list)
    for item in source():
        _note(reader.feed(item), chosen, names, comments, messages)
    _note(reader.end(), chosen, names, comments, messages)
    exporter = Exporter(out, application)
    keys = reader.keylog.text()
    exporter.secrets(keys)
    exporter.names(names.of)
    count = 0
    for item in source():
        if isinstance(item, Noted):
            exporter.record(item)
        elif isinstance(item, Packet) and item.link_type != EXPORTED:
            count += 1
            exporter.packet(item, comments.get(item.number, ()))
        else:
            continue
        for message in messages.get(item.number, ()):
            exporter.message(message, item.ns)
    return Written(count, sum(map(len, messages.values())), sum(map(len, comments.values())), keys.count("\n"))


def _note(
    found: Iterable[Event], chosen: Chosen, names: Names, comments: dict[int, list[str]],
    messages: dict[int, list[Message]],
) -> None:  # fmt: skip
    for event in found:
        names(event)
        if isinstance(event, (Comment, Damage, Recorded)) or not chosen(event):
            continue
        comments[event.frame].append(describe(event))
        if isinstance(event, Message):
            messages[event.frame].append(event)
