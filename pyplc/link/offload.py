"""What a network card would have done: checksums and segments of frames that a kernel hands to a virtual cable.

A kernel leaves checksums of TCP and UDP to the card, and gives it TCP segments of up to 64 KiB to cut. On a veth pair
there is no card; a station that forwards such frames has to do both, or the receiving kernel drops them.
"""

from __future__ import annotations

import struct
from collections import deque

from .ethernet import IPV6_HEADER_END, TCP, repair_checksum
from .ports import Link, Tap

MTU = 1500
HEADER = 14
SEQUENCE_MODULUS = 1 << 32
FIN, PSH = 0x01, 0x08


class Offloaded:
    """A `Link` whose received frames have whole checksums and fit an Ethernet of 1500 bytes."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._pieces: deque[bytes] = deque()
        self.name = link.name
        self.address = link.address
        self.tap: Tap | None = None
        self.dropped = 0

    @property
    def waiting(self) -> int:
        return len(self._pieces) + self._link.waiting

    async def receive(self) -> bytes:
        while not self._pieces:
            self._pieces.extend(pieces(await self._link.receive()))
        frame = self._pieces.popleft()
        if self.tap:
            self.tap("rx", frame)
        return frame

    def send(self, frame: bytes) -> None:
        if self.tap:
            self.tap("tx", frame)
        self._link.send(frame)

    def close(self) -> None:
        self._link.close()


def pieces(frame: bytes, mtu: int = MTU) -> list[bytes]:
    """The frame with its checksum computed, cut into segments when it is longer than the MTU allows.

    Frames that are no TCP over IPv6 are never cut; one that is too long then goes as it is.
    """
    if len(frame) <= HEADER + mtu or frame[12:14] != b"\x86\xdd" or frame[20] != TCP:
        return [repair_checksum(frame)]
    return [repair_checksum(piece) for piece in _segments(frame, mtu)]


def _segments(frame: bytes, mtu: int) -> list[bytes]:
    """RFC 9293: each piece has its own sequence number; FIN and PSH belong to the last."""
    tcp = frame[IPV6_HEADER_END:]
    header_length = (tcp[12] >> 4) * 4
    if header_length < 20 or len(tcp) < header_length:
        return [frame]
    size = mtu - (IPV6_HEADER_END - HEADER) - header_length
    header, data = tcp[:header_length], tcp[header_length:]
    sequence = int.from_bytes(header[4:8], "big")
    found = []
    for at in range(0, len(data), size):
        part = data[at : at + size]
        flags = header[13] if at + size >= len(data) else header[13] & ~(FIN | PSH)
        number = struct.pack("!I", (sequence + at) % SEQUENCE_MODULUS)
        head = header[:4] + number + header[8:13] + bytes((flags,)) + header[14:]
        length = struct.pack("!H", len(head) + len(part))
        found.append(frame[:18] + length + frame[20:IPV6_HEADER_END] + head + part)
    return found
