"""Writing pcapng, block by block, and a writer of one station's frames: an Ethernet interface each, comments.

Layout: draft-ietf-opsawg-pcapng. All blocks are little endian.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable, Mapping
from typing import BinaryIO

ETHERNET = 1
LONGEST_OPTION = 0xFFFF
_SECTION, _INTERFACE, _NAMES, _PACKET, _SECRETS = 0x0A0D0D0A, 1, 4, 6, 10
_COMMENT, _NAME, _APPLICATION, _RESOLUTION = 1, 2, 4, 9
_NSS = 0x544C534B
_IPV4_NAME, _IPV6_NAME = 1, 2
_NS = b"\x09"


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


def packet(number: int, time: int, data: bytes, comments: Iterable[str] = (), length: int | None = None) -> bytes:
    """A packet of interface `number`; `time` in its unit, `length` what it had on the wire if it is cut."""
    size = len(data)
    head = struct.pack("<IIIII", number, time >> 32, time & 0xFFFFFFFF, size, max(size, length or 0))
    options = b"".join(_option(_COMMENT, clipped(comment)) for comment in comments)
    return _block(_PACKET, head + data + bytes(-size % 4) + (options + _option(0, b"") if options else b""))


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


class PcapngWriter:
    """Writes frames to a binary file; `epoch` is the wall-clock time of t = 0, in seconds."""

    def __init__(self, file: BinaryIO, application: str, epoch: float = 0.0) -> None:
        self._file = file
        self._epoch = epoch
        self._interfaces: dict[str, int] = {}
        file.write(section(application))

    def _interface(self, name: str) -> int:
        number = self._interfaces.get(name)
        if number is None:
            number = self._interfaces[name] = len(self._interfaces)
            self._file.write(interface(name, nanoseconds=False))
        return number

    def write(self, t: float, frame: bytes, interface: str, comment: str | None = None) -> None:
        """One frame as it was on `interface` at `t` seconds, with a comment people can read."""
        micros = round((self._epoch + t) * 1e6)
        comments = (comment,) if comment else ()
        self._file.write(packet(self._interface(interface), micros, frame, comments))
