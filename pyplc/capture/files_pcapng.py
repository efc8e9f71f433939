"""Reading pcapng of either byte order; behind a spoiled block the next packet whose two lengths agree is looked for.

Layout: draft-ietf-opsawg-pcapng. Custom blocks count as packets, as in Wireshark; ours are records (see `pcapng`).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from .files_pcap import LONGEST
from .items import Broken, Item, Noted, Packet, Secrets
from .pcapng import CUSTOM, CUSTOM_KEPT, ENTERPRISE, MARK, RECORD
from .source import CHUNK, Source

LONGEST_BLOCK = 1 << 24
SECTION, INTERFACE, OLD_PACKET, SIMPLE, PACKET, JOURNAL, SECRETS = 0x0A0D0D0A, 1, 2, 3, 6, 9, 10
NSS_SECRETS = 0x544C534B
MAGIC = b"\x0a\x0d\x0d\x0a"


class _Interface(NamedTuple):
    link_type: int
    ticks: int
    offset: int

    def ns(self, high: int, low: int) -> int:
        return (high << 32 | low) * 1_000_000_000 // self.ticks + self.offset


def read(source: Source) -> Iterator[Item]:
    """Packets, secrets and records."""
    order, number = "<", 0
    interfaces: list[_Interface] = []
    while source.have(12):
        buffer, at = source.buffer, source.at
        if buffer[at : at + 4] == MAGIC:
            order = "<" if buffer[at + 8 : at + 12] == b"\x4d\x3c\x2b\x1a" else ">"
            interfaces = []
        kind, size = struct.unpack_from(order + "II", buffer, at)
        whole = 12 <= size <= LONGEST_BLOCK and size % 4 == 0
        if whole and not source.have(size):
            yield Broken(number, f"cut inside the block behind packet {number}: {source.left} bytes of {size}")
            return
        end = source.at + size
        if not whole or source.buffer[end - 4 : end] != source.buffer[source.at + 4 : source.at + 8]:
            yield Broken(number, f"spoiled block behind packet {number}: type {kind:#x}, length {size}")
            if not _next_block(source, order):
                return
            continue
        body = source.buffer[source.at + 8 : end - 4]
        source.at = end
        if kind == INTERFACE:
            interfaces.append(_interface(body, order))
        elif kind in (PACKET, OLD_PACKET, SIMPLE):
            number += 1
            yield _packet(kind, body, order, interfaces, number)
        elif kind in (CUSTOM, CUSTOM_KEPT, JOURNAL):
            number += 1
            if kind != JOURNAL and (noted := _noted(number, body, order)) is not None:
                yield noted
        elif kind == SECRETS and len(body) >= 8:
            secrets, length = struct.unpack_from(order + "II", body)
            if secrets == NSS_SECRETS:
                yield Secrets(body[8 : 8 + length])
    if source.left:
        yield Broken(number, f"cut inside the block behind packet {number}: {source.left} bytes of 12")


def _noted(number: int, body: bytes, order: str) -> Noted | None:
    if len(body) < 4 + RECORD.size or struct.unpack_from(order + "I", body)[0] != ENTERPRISE:
        return None
    mark, micros = RECORD.unpack_from(body, 4)
    return Noted(number, micros * 1000, body[4 + RECORD.size :].rstrip(b"\0")) if mark == MARK else None


def _packet(kind: int, body: bytes, order: str, interfaces: list[_Interface], number: int) -> Item:
    short = Broken(number, f"packet {number} is shorter than its own header")
    if kind == SIMPLE:
        if len(body) < 4:
            return short
        link_type = interfaces[0].link_type if interfaces else 1
        length = struct.unpack_from(order + "I", body)[0]
        return Packet(number, 0, link_type, body[4 : 4 + length], 0, length)
    if len(body) < 20:
        return short
    if kind == PACKET:
        which, high, low, size, length = struct.unpack_from(order + "IIIII", body)
    else:
        which, _, high, low, size, length = struct.unpack_from(order + "HHIIII", body)
    if which >= len(interfaces):
        return Broken(number, f"packet {number} is of interface {which}, which the file does not describe")
    interface = interfaces[which]
    end = 20 + size
    if end > len(body):
        return Broken(number, f"packet {number} claims {size} bytes, its block has {len(body) - 20}")
    comment = None
    if len(body) > end + 4:
        comment = _options(body, (end + 3) & ~3, order).get(1)
    return Packet(
        number, interface.ns(high, low), interface.link_type, body[20:end], which, length,
        comment.decode("utf-8", "replace") if comment else None,
    )  # fmt: skip


def _options(body: bytes, at: int, order: str) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    while at + 4 <= len(body):
        code, size = struct.unpack_from(order + "HH", body, at)
        if code == 0:
            break
        value = body[at + 4 : at + 4 + size]
        found[code] = found[code] + b"\n" + value if code in found else value
        at += 4 + (size + 3 & ~3)
    return found


def _interface(body: bytes, order: str) -> _Interface:
    if len(body) < 8:
        return _Interface(1, 1_000_000, 0)
    options = _options(body, 8, order)
    ticks, offset = 1_000_000, 0
    if resolution := options.get(9, b"")[:1]:
        power = resolution[0] & 0x7F
        ticks = 2 ** min(power, 63) if resolution[0] & 0x80 else 10 ** min(power, 18)
    if len(shift := options.get(14, b"")) == 8:
        offset = struct.unpack(order + "q", shift)[0] * 1_000_000_000
    return _Interface(struct.unpack_from(order + "H", body)[0], ticks, offset)


def _next_block(source: Source, order: str) -> bool:
    """Go on to the next packet block whose two lengths agree; blocks begin at multiples of four."""
    wanted = struct.pack(order + "I", PACKET)
    start = source.at + 4
    while source.have(start - source.at + 12):
        source.have(CHUNK)
        shift = len(source.buffer)
        at = source.buffer.find(wanted, source.at + 4)
        while at >= 0 and at + 8 <= shift:
            size = struct.unpack_from(order + "I", source.buffer, at + 4)[0]
            end = at + size
            if (
                32 <= size <= LONGEST
                and end <= shift
                and source.buffer[end - 4 : end] == source.buffer[at + 4 : at + 8]
            ):
                source.at = at
                return True
            at = source.buffer.find(wanted, at + 1)
        source.at = max(source.at + 4, shift - 12)
        start = source.at + 4
    return False
