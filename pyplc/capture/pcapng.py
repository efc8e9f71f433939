"""Writing pcapng, block by block, and a writer of stations: an Ethernet interface each, frames with comments, records.

Layout: draft-ietf-opsawg-pcapng. All blocks are little endian. A record of a station is a custom block that may be
copied, under the enterprise number for examples (RFC 5612), as we have none of our own:

    32473, 4 | "pyplc1", 0, 0 | microseconds since 1970, 8 | the record as JSON, zeros to a multiple of four
"""

from __future__ import annotations

import socket
import struct
from collections import deque
from collections.abc import Collection, Mapping
from typing import BinaryIO

ETHERNET = 1
LONGEST_OPTION = 0xFFFF
_SECTION, _INTERFACE, _NAMES, _PACKET, _SECRETS = 0x0A0D0D0A, 1, 4, 6, 10
CUSTOM, CUSTOM_KEPT = 0x0BAD, 0x40000BAD
"""A custom block that programs may copy, and one that they must not."""
ENTERPRISE = 32473
MARK = b"pyplc1\0\0"
RECORD = struct.Struct("<8sQ")
REMARKS = 100
"""Comments that wait for a frame; the oldest are let go first."""
_COMMENT, _NAME, _APPLICATION, _RESOLUTION = 1, 2, 4, 9
_NSS = 0x544C534B
_IPV4_NAME, _IPV6_NAME = 1, 2
_NS = b"\x09"
_END = bytes(4)
_PACKET_HEAD, _LENGTH = struct.Struct("<IIIIIII"), struct.Struct("<I")


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)


def _block(kind: int, body: bytes) -> bytes:
    length = 12 + len(body)
    return struct.pack("<II", kind, length) + body + struct.pack("<I", length)


def section(application: str) -> bytes:
    """The block a file begins with."""
    header = struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)
    return _block(_SECTION, header + _option(_APPLICATION, application.encode()) + _option(0, b""))


def interface(name: str, link_type: int = ETHERNET, *, nanoseconds: bool = True) -> bytes:
    """An interface; the first in a file is number 0. Times of its packets are nanoseconds (else microseconds)."""
    resolution = _option(_RESOLUTION, _NS) if nanoseconds else b""
    options = _option(_NAME, name.encode()) + resolution + _option(0, b"")
    return _block(_INTERFACE, struct.pack("<HHI", link_type, 0, 0) + options)


def packet(number: int, time: int, data: bytes, comments: Collection[str] = (), length: int | None = None) -> bytes:
    """A packet of interface `number`; `time` in its unit, `length` what it had on the wire if it is cut."""
    size = len(data)
    options = b"".join([*(_option(_COMMENT, clipped(text)) for text in comments), _END]) if comments else b""
    whole = _PACKET_HEAD.size + size + -size % 4 + len(options) + 4
    high, low = time >> 32, time & 0xFFFFFFFF
    head = _PACKET_HEAD.pack(_PACKET, whole, number, high, low, size, max(size, length or 0))
    return b"".join((head, data, bytes(-size % 4), options, _LENGTH.pack(whole)))


def clipped(text: str) -> bytes:
    """A text as an option can hold it: whole characters, at most 65535 bytes."""
    raw = text.encode("utf-8", "replace")
    return raw if len(raw) <= LONGEST_OPTION else raw[: LONGEST_OPTION - 3].decode("utf-8", "ignore").encode() + b"..."


def secrets(text: str) -> bytes:
    """TLS secrets in the form of an NSS key log; they stand before the packets they open."""
    raw = text.encode()
    return _block(_SECRETS, struct.pack("<II", _NSS, len(raw)) + raw + bytes(-len(raw) % 4))


def names(of: Mapping[str, str]) -> bytes:
    """Names of IPv4 and IPv6 addresses."""
    records = b""
    for address, name in of.items():
        six = ":" in address
        raw = socket.inet_pton(socket.AF_INET6 if six else socket.AF_INET, address) + name.encode() + b"\0"
        records += _option(_IPV6_NAME if six else _IPV4_NAME, raw)
    return _block(_NAMES, records + _option(0, b""))


def noted(micros: int, json: bytes) -> bytes:
    """A record of a station at a time in microseconds since 1970."""
    body = struct.pack("<I", ENTERPRISE) + RECORD.pack(MARK, micros) + json
    return _block(CUSTOM, body + bytes(-len(body) % 4))


class PcapngWriter:
    """Writes frames and records to a binary file; `epoch` is the wall-clock time of t = 0, in seconds.

    A frame is held until the next one, so that what is said after it can stand at it as a comment; `flush` lets it go.
    """

    def __init__(self, file: BinaryIO, application: str, epoch: float = 0.0) -> None:
        self._file = file
        self._epoch = epoch
        self._interfaces: dict[str, int] = {}
        self._held: tuple[int, int, bytes] | None = None
        self._remarks: deque[str] = deque(maxlen=REMARKS)
        self._behind: list[bytes] = []
        file.write(section(application))

    def write(self, t: float, frame: bytes, interface: str) -> None:
        """One frame as it was on `interface` at `t` seconds."""
        self.flush()
        self._held = self._interface(interface), self._micros(t), frame

    def remark(self, text: str) -> None:
        """A comment that people can read, at the last frame; at the next one where none is held."""
        self._remarks.append(text)

    def record(self, t: float, json: bytes) -> None:
        """A record of a station as JSON, behind the last frame."""
        block = noted(self._micros(t), json)
        if self._held is None:
            self._file.write(block)
        else:
            self._behind.append(block)

    def flush(self) -> None:
        """Write what is held to the file."""
        if self._held is None:
            return
        number, micros, frame = self._held
        blocks = b"".join((packet(number, micros, frame, self._remarks), *self._behind))
        self._held = None
        self._remarks.clear()
        self._behind.clear()
        self._file.write(blocks)

    def _micros(self, t: float) -> int:
        return round((self._epoch + t) * 1e6)

    def _interface(self, name: str) -> int:
        number = self._interfaces.get(name)
        if number is None:
            number = self._interfaces[name] = len(self._interfaces)
            self._file.write(interface(name, nanoseconds=False))
        return number
