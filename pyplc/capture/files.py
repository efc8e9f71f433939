"""Reading capture files as a stream: pcap and pcapng of either byte order, also through gzip, from a file or a pipe;
and the records of our own stations, from custom blocks of a pcapng file or as lines of JSON.

A file that is cut or spoiled gives what can be read and says where it stopped: after a spoiled record the next
plausible one is looked for. Layouts: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any, BinaryIO, NamedTuple

import msgspec

from .pcapng import CUSTOM, CUSTOM_KEPT, ENTERPRISE, MARK, RECORD

CHUNK = 1 << 18
LONGEST = 1 << 18
"""Longest frame believed (libpcap's own limit)."""
LONGEST_BLOCK = 1 << 24
GZIP = b"\x1f\x8b"
SECTION, INTERFACE, OLD_PACKET, SIMPLE, PACKET, JOURNAL, SECRETS = 0x0A0D0D0A, 1, 2, 3, 6, 9, 10
NSS_SECRETS = 0x544C534B
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
PCAPNG_MAGIC = b"\x0a\x0d\x0d\x0a"


class CaptureError(ValueError):
    """A file that is no capture at all; the text says what was found."""


class Packet(NamedTuple):
    """One captured packet; `number` counts from 1, `ns` are nanoseconds since 1970, `length` was on the wire."""

    number: int
    ns: int
    link_type: int
    data: bytes
    interface: int = 0
    length: int = 0
    comment: str | None = None


class Secrets(NamedTuple):
    """The text of a decryption secrets block: lines of an NSS key log."""

    text: bytes


class Noted(NamedTuple):
    """A record of one of our stations as JSON; `number` counts with the packets, as Wireshark counts custom blocks."""

    number: int
    ns: int
    json: bytes


class Broken(NamedTuple):
    """From here on the file is cut or spoiled; `number` is of the last packet before."""

    number: int
    text: str


Item = Packet | Secrets | Noted | Broken


class Source:
    """Bytes of a stream as they come: `buffer[at:]` is what was not yet used."""

    def __init__(self, stream: BinaryIO) -> None:
        self.trouble = ""
        self._chunks = _chunks(stream, self)
        self.buffer = b""
        self.at = 0

    def have(self, size: int) -> bool:
        """Read until `size` bytes are there; False at the end of the stream."""
        while len(self.buffer) - self.at < size:
            chunk = next(self._chunks, b"")
            if not chunk:
                return False
            self.buffer = self.buffer[self.at :] + chunk
            self.at = 0
        return True

    @property
    def left(self) -> int:
        """Bytes that were read and not yet used."""
        return len(self.buffer) - self.at


def _chunks(stream: BinaryIO, source: Source) -> Iterator[bytes]:
    """What is there now, at once: a pipe must not wait for a full buffer."""
    read = getattr(stream, "read1", stream.read)
    first = read(CHUNK)
    while 0 < len(first) < 2 and (more := read(CHUNK)):
        first += more
    if first[:2] == GZIP:
        yield from _gunzip(first, read, source)
        return
    while first:
        yield first
        first = read(CHUNK)


def _gunzip(chunk: bytes, read: object, source: Source) -> Iterator[bytes]:
    """What was unpacked before a spoiled place is read; `trouble` tells of it."""
    unzip = zlib.decompressobj(31)
    begun = True
    while chunk:
        before = unzip.copy()
        try:
            out = unzip.decompress(chunk, CHUNK)
        except zlib.error as error:
            source.trouble = f"spoiled gzip: {error}"
            yield from _up_to_the_spot(before, chunk)
            return
        if out:
            yield out
        begun = not unzip.eof
        if unzip.eof:
            chunk = unzip.unused_data
            unzip = zlib.decompressobj(31)
        else:
            chunk = unzip.unconsumed_tail
        chunk = chunk or read(CHUNK)  # type: ignore[operator]  # the stream's read
    if begun:
        source.trouble = "cut inside gzip"


def _up_to_the_spot(unzip: Any, chunk: bytes) -> Iterator[bytes]:
    """What a chunk gives before its spoiled byte."""
    for at in range(len(chunk)):
        try:
            out = unzip.decompress(chunk[at : at + 1])
        except zlib.error:
            return
        if out:
            yield out


def packets(stream: BinaryIO) -> Iterator[Item]:
    """The packets of a capture, and what else it holds; CaptureError if it is none."""
    source = Source(stream)
    source.have(4)
    magic = source.buffer[:4]
    if magic in MAGICS:
        return _all(source, _pcap(source, *MAGICS[magic]))
    if magic == PCAPNG_MAGIC:
        return _all(source, _pcapng(source))
    if not magic:
        raise CaptureError(source.trouble or "the file is empty")
    if magic[:1] == b"{":
        return _all(source, _lines(source))
    raise CaptureError(f"begins with {magic.hex(' ')}: neither pcap nor pcapng, nor lines of JSON")


def _all(source: Source, items: Iterator[Item]) -> Iterator[Item]:
    """The items, and whether unpacking them failed."""
    number = 0
    for item in items:
        number = number if isinstance(item, Secrets) else item.number
        yield item
    if source.trouble:
        yield Broken(number, f"{source.trouble} behind packet {number}")


def _pcap(source: Source, order: str, unit: int, head: int) -> Iterator[Item]:
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


class _Interface(NamedTuple):
    link_type: int
    ticks: int
    offset: int

    def ns(self, high: int, low: int) -> int:
        return (high << 32 | low) * 1_000_000_000 // self.ticks + self.offset


def _pcapng(source: Source) -> Iterator[Item]:
    order, number = "<", 0
    interfaces: list[_Interface] = []
    while source.have(12):
        buffer, at = source.buffer, source.at
        if buffer[at : at + 4] == PCAPNG_MAGIC:
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


def _lines(source: Source) -> Iterator[Item]:
    """Records as lines of JSON: each line is a number. Where frames are among them, messages are in the frames."""
    zero, framed = 0.0, False
    interfaces: dict[str, int] = {}
    for number, line in enumerate(_split(source), 1):
        try:
            record: Any = msgspec.json.decode(line)
            kind, t = record["type"], float(record["t"])
            if kind == "start" and record.get("wall"):
                zero = datetime.fromisoformat(record["wall"]).timestamp()
            ns = round((zero + t) * 1e6) * 1000
            data = bytes.fromhex(record["data"]) if kind == "frame" else b""
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            yield Broken(number, f"line {number} is no record: {error!r}")
            continue
        if kind == "frame":
            framed = True
            which = interfaces.setdefault(str(record.get("interface")), len(interfaces))
            yield Packet(number, ns, 1, data, which, len(data))
        elif kind != "message" or not framed:
            yield Noted(number, ns, line)


def _split(source: Source) -> Iterator[bytes]:
    while source.have(1):
        end = source.buffer.find(b"\n", source.at)
        while end < 0 and source.left <= LONGEST_BLOCK and source.have(source.left + 1):
            end = source.buffer.find(b"\n", source.at)
        end = len(source.buffer) if end < 0 else end
        line = source.buffer[source.at : end]
        source.at = min(end + 1, len(source.buffer))
        if line.strip():
            yield line


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
