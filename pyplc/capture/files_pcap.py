"""Reading pcap of either byte order; behind a spoiled record the next plausible one is looked for.

Layout: draft-ietf-opsawg-pcap.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from .items import Broken, Item, Packet
from .source import CHUNK, Source

LONGEST = 1 << 18
"""Longest frame believed (libpcap's own limit)."""
DAY_S = 86_400

MAGICS = {
    b"\xd4\xc3\xb2\xa1": ("<", 1000, 16),
    b"\xa1\xb2\xc3\xd4": (">", 1000, 16),
    b"\x4d\x3c\xb2\xa1": ("<", 1, 16),
    b"\xa1\xb2\x3c\x4d": (">", 1, 16),
    b"\x34\xcd\xb2\xa1": ("<", 1000, 24),
    b"\xa1\xb2\xcd\x34": (">", 1000, 24),
}
"""First bytes of a pcap file: byte order, nanoseconds per unit of time, length of a record's header."""


def read(source: Source, order: str, unit: int, head: int) -> Iterator[Item]:
    """The packets of a source whose first bytes gave the rest (an entry of `MAGICS`)."""
    if not source.have(24):
        yield Broken(0, f"cut inside the file header: {source.left} bytes of 24")
        return
    link_type = struct.unpack_from(order + "I", source.buffer, source.at + 20)[0] & 0xFFFF
    source.at += 24
    fields = struct.Struct(order + "IIII").unpack_from
    second, number = 0, 0
    while source.have(head):
        sec, fraction, size, length = fields(source.buffer, source.at)
        if size > LONGEST or fraction * unit >= 1_000_000_000:
            yield Broken(number, f"spoiled record behind packet {number}: length {size}, time {sec}.{fraction}")
            if not _next_record(source, fields, second, unit, head):
                return
            continue
        if not source.have(head + size):
            yield Broken(number, f"cut inside packet {number + 1}: {source.left - head} bytes of {size} are there")
            return
        start = source.at + head
        number += 1
        second = sec
        data = source.buffer[start : start + size]
        source.at = start + size
        yield Packet(number, sec * 1_000_000_000 + fraction * unit, link_type, data, 0, length)
    if source.left:
        yield Broken(number, f"cut inside the header behind packet {number}: {source.left} bytes of {head}")


def _next_record(source: Source, fields: object, second: int, unit: int, head: int) -> bool:
    """Go on to the next place that looks like a record: near in time, lengths that agree."""
    while source.have(head + 1):
        source.have(CHUNK)
        for at in range(source.at + 1, len(source.buffer) - head):
            sec, fraction, size, length = fields(source.buffer, at)  # type: ignore[operator]  # Struct.unpack_from
            if (
                abs(sec - second) <= DAY_S
                and fraction * unit < 1_000_000_000
                and 14 <= size <= length <= LONGEST
                and at + head + size <= len(source.buffer)
            ):
                source.at = at
                return True
        source.at = len(source.buffer) - head
    return False
