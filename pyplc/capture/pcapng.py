"""Writing pcapng: one section, one Ethernet interface a station, a packet a frame, comments where there is one.

Layout: draft-ietf-opsawg-pcapng. Times are microseconds since the epoch the writer was given.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

ETHERNET = 1
_SECTION, _INTERFACE, _PACKET = 0x0A0D0D0A, 1, 6
_COMMENT, _NAME, _DESCRIPTION, _HARDWARE, _APPLICATION = 1, 2, 3, 2, 4


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)


def _block(kind: int, body: bytes) -> bytes:
    length = 12 + len(body)
    return struct.pack("<II", kind, length) + body + struct.pack("<I", length)


class PcapngWriter:
    """Writes frames to a binary file; `epoch` is the wall-clock time of t = 0, in seconds."""

    def __init__(self, file: BinaryIO, application: str, epoch: float = 0.0) -> None:
        self._file = file
        self._epoch = epoch
        self._interfaces: dict[str, int] = {}
        header = struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)
        file.write(_block(_SECTION, header + _option(_APPLICATION, application.encode()) + _option(0, b"")))

    def _interface(self, name: str) -> int:
        number = self._interfaces.get(name)
        if number is None:
            number = self._interfaces[name] = len(self._interfaces)
            options = _option(_NAME, name.encode()) + _option(0, b"")
            self._file.write(_block(_INTERFACE, struct.pack("<HHI", ETHERNET, 0, 0) + options))
        return number

    def write(self, t: float, frame: bytes, interface: str, comment: str | None = None) -> None:
        """One frame as it was on `interface` at `t` seconds, with a comment people can read."""
        micros = round((self._epoch + t) * 1e6)
        head = struct.pack(
            "<IIIII", self._interface(interface), micros >> 32, micros & 0xFFFFFFFF, len(frame), len(frame)
        )
        body = head + frame + bytes(-len(frame) % 4)
        if comment:
            body += _option(_COMMENT, comment.encode()) + _option(0, b"")
        self._file.write(_block(_PACKET, body))
