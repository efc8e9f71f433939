"""Writing pcapng: one section, one Ethernet interface a station, frames with comments, and records in custom blocks.

Layout: draft-ietf-opsawg-pcapng. Times are microseconds since 1970. A record of a station is a custom block that may be
copied, under the enterprise number for examples (RFC 5612), as we have none of our own:

    32473, 4 | "pyplc1", 0, 0 | microseconds since 1970, 8 | the record as JSON, zeros to a multiple of four
"""

from __future__ import annotations

import struct
from collections import deque
from typing import BinaryIO

ETHERNET = 1
_SECTION, _INTERFACE, _PACKET = 0x0A0D0D0A, 1, 6
CUSTOM, CUSTOM_KEPT = 0x0BAD, 0x40000BAD
"""A custom block that programs may copy, and one that they must not."""
ENTERPRISE = 32473
MARK = b"pyplc1\0\0"
RECORD = struct.Struct("<8sQ")
_COMMENT, _NAME, _APPLICATION = 1, 2, 4
LONGEST_COMMENT = 0xFFFF
REMARKS = 100
"""Comments that wait for a frame; the oldest are let go first."""


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)


def _block(kind: int, body: bytes) -> bytes:
    length = 12 + len(body)
    return struct.pack("<II", kind, length) + body + struct.pack("<I", length)


class PcapngWriter:
    """Writes frames and records to a binary file; `epoch` is the wall-clock time of t = 0, in seconds.

    A frame is held until the next one, so that what is said after it can stand at it as a comment; `flush` lets it go.
    """

    def __init__(self, file: BinaryIO, application: str, epoch: float = 0.0) -> None:
        self._file = file
        self._epoch = epoch
        self._interfaces: dict[str, int] = {}
        self._held: bytes | None = None
        self._remarks: deque[bytes] = deque(maxlen=REMARKS)
        self._behind: list[bytes] = []
        header = struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)
        file.write(_block(_SECTION, header + _option(_APPLICATION, application.encode()) + _option(0, b"")))

    def write(self, t: float, frame: bytes, interface: str) -> None:
        """One frame as it was on `interface` at `t` seconds."""
        self.flush()
        number = self._interface(interface)
        micros = self._micros(t)
        head = struct.pack("<IIIII", number, micros >> 32, micros & 0xFFFFFFFF, len(frame), len(frame))
        self._held = head + frame + bytes(-len(frame) % 4)

    def remark(self, text: str) -> None:
        """A comment that people can read, at the last frame; at the next one where none is held."""
        self._remarks.append(text.encode()[:LONGEST_COMMENT])

    def record(self, t: float, json: bytes) -> None:
        """A record of a station as JSON, behind the last frame."""
        block = _block(CUSTOM, _custom(self._micros(t), json))
        if self._held is None:
            self._file.write(block)
        else:
            self._behind.append(block)

    def flush(self) -> None:
        """Write what is held to the file."""
        if self._held is None:
            return
        options = b"".join(_option(_COMMENT, remark) for remark in self._remarks)
        body = self._held + options + (_option(0, b"") if options else b"")
        blocks = b"".join((_block(_PACKET, body), *self._behind))
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
            options = _option(_NAME, name.encode()) + _option(0, b"")
            self._file.write(_block(_INTERFACE, struct.pack("<HHI", ETHERNET, 0, 0) + options))
        return number


def _custom(micros: int, json: bytes) -> bytes:
    body = struct.pack("<I", ENTERPRISE) + RECORD.pack(MARK, micros) + json
    return body + bytes(-len(body) % 4)
