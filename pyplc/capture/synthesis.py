"""Frames for a stream that had none: the TCP segments that would carry the bytes of a pipe inside the process."""

from __future__ import annotations

import re
from collections.abc import Callable

from ..link.ethernet import TcpFlow

PSH, ACK = 0x08, 0x10
SEGMENT = 1440
_ADDRESS = re.compile(r"\[(.+)\]:(\d+)$")


class StreamFrames:
    """Turns the bytes of one connection into frames for `tap`; the addresses are written `[fe80::1]:49152`."""

    def __init__(self, local: str, peer: str, mac: bytes, peer_mac: bytes, tap: Callable[[str, bytes], None]) -> None:
        self._tap = tap
        (here, port), (there, peer_port) = _split(local), _split(peer)
        self._out = TcpFlow((mac, peer_mac), (here, there), (port, peer_port))
        self._in = TcpFlow((peer_mac, mac), (there, here), (peer_port, port))
        self._sent = self._received = 1

    def bytes_passed(self, direction: str, data: bytes) -> None:
        """Bytes went through the socket: "tx" or "rx"."""
        for start in range(0, len(data), SEGMENT):
            part = data[start : start + SEGMENT]
            if direction == "tx":
                frame = self._out.frame(self._sent, self._received, PSH | ACK, part)
                self._sent += len(part)
            else:
                frame = self._in.frame(self._received, self._sent, PSH | ACK, part)
                self._received += len(part)
            self._tap(direction, frame)


def _split(address: str) -> tuple[str, int]:
    match = _ADDRESS.match(address)
    if match is None:
        raise ValueError(f"{address!r} is no [address]:port")
    return match.group(1), int(match.group(2))
