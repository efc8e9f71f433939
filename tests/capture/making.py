"""Captures made for tests: files of packets, and frames of TCP connections."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Sequence
from pathlib import Path
from random import Random

from pyplc.capture.events import Event, Message
from pyplc.capture.files import Packet, packets
from pyplc.capture.reader import Reader
from pyplc.link.ethernet import tcp_frame

EV, EVSE = (bytes.fromhex("020000000001"), "fe80::1", 49152), (bytes.fromhex("020000000002"), "fe80::2", 61000)
SYN, ACK, PSH, FIN, RST = 2, 16, 8, 1, 4
T0 = 1_700_000_000_000_000_000


def load(file: Path) -> list[Packet]:
    """The packets of a capture file."""
    with file.open("rb") as stream:
        return [item for item in packets(stream) if isinstance(item, Packet)]


def events_of(items: Iterable[Packet], reader: Reader | None = None) -> list[Event]:
    """The events of packets."""
    reader = reader or Reader()
    found = [event for item in items for event in reader.feed(item)]
    return [*found, *reader.end()]


def messages_of(items: Iterable[Packet], reader: Reader | None = None) -> list[Message]:
    """The V2G messages of packets."""
    return [event for event in events_of(items, reader) if isinstance(event, Message)]


def pcap(items: Iterable[Packet], order: str = "<", nano: bool = False) -> bytes:
    """A pcap file of packets that are all of one link type."""
    kept = list(items)
    magic = 0xA1B23C4D if nano else 0xA1B2C3D4
    out = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, kept[0].link_type)
    for item in kept:
        seconds, rest = divmod(item.ns, 1_000_000_000)
        size = item.length or len(item.data)
        out += struct.pack(order + "IIII", seconds, rest if nano else rest // 1000, len(item.data), size) + item.data
    return out


def block(order: str, kind: int, body: bytes) -> bytes:
    """One block of a pcapng file."""
    body += bytes(-len(body) % 4)
    size = struct.pack(order + "I", 12 + len(body))
    return struct.pack(order + "I", kind) + size + body + size


def option(order: str, code: int, value: bytes) -> bytes:
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def pcapng(items: Iterable[Packet], order: str = "<", secrets: bytes = b"", resolution: int = 9) -> bytes:
    """A pcapng file with an interface for each link type, time in 10^-resolution seconds."""
    out = block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))
    links: list[int] = []
    if secrets:
        out += block(order, 10, struct.pack(order + "II", 0x544C534B, len(secrets)) + secrets)
    for item in items:
        if item.link_type not in links:
            links.append(item.link_type)
            options = option(order, 9, bytes((resolution,))) + option(order, 0, b"")
            out += block(order, 1, struct.pack(order + "HHI", item.link_type, 0, 0) + options)
        ticks = item.ns * 10**resolution // 1_000_000_000
        head = (links.index(item.link_type), ticks >> 32, ticks & 0xFFFFFFFF, len(item.data), len(item.data))
        body = struct.pack(order + "IIIII", *head) + item.data
        if item.comment:
            body += bytes(-len(body) % 4) + option(order, 1, item.comment.encode()) + option(order, 0, b"")
        out += block(order, 6, body)
    return out


def read(file: bytes) -> list[object]:
    """What a file holds."""
    return list(packets(io.BytesIO(file)))


def segment(
    who: str, seq: int, data: bytes = b"", flags: int = ACK | PSH, ack: int = 1, number: int = 1, ms: int = 0,
    ports: tuple[int, int] = (EV[2], EVSE[2]),
) -> Packet:  # fmt: skip
    """One segment of the vehicle or the charger; `ms` is its time."""
    one, other = (EV, EVSE) if who == "ev" else (EVSE, EV)
    way = ports if who == "ev" else ports[::-1]
    frame = tcp_frame((one[0], other[0]), (one[1], other[1]), way, (seq, ack), flags, data)
    return Packet(number, T0 + ms * 1_000_000, 1, frame, 0, len(frame))


def numbered(items: Sequence[Packet]) -> list[Packet]:
    """Packets with the numbers a file would give them."""
    return [item._replace(number=i) for i, item in enumerate(items, 1)]


def dropped(items: Sequence[Packet], seed: int, part: float = 0.05, after: int = 0) -> tuple[list[Packet], list[int]]:
    """A capture without `part` of its TCP data frames behind frame `after`, and the numbers of those."""
    random = Random(seed)
    kept: list[Packet] = []
    gone: list[int] = []
    for item in items:
        if item.number > after and has_data(item.data) and random.random() < part:
            gone.append(item.number)
        else:
            kept.append(item)
    return kept, gone


def has_data(frame: bytes) -> bool:
    """Is this a TCP segment over IPv6 with a payload?"""
    if frame[12:14] != b"\x86\xdd" or len(frame) < 74 or frame[20] != 6:
        return False
    return int.from_bytes(frame[18:20], "big") > (frame[66] >> 4) * 4


def session_end(items: Iterable[Packet], reader: Reader | None = None) -> int:
    """The frame of the first V2G message: the handshake of TCP and TLS is over."""
    return messages_of(items, reader)[0].frame
