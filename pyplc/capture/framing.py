"""V2GTP in a captured stream: found anywhere, from any point on, and again after a gap."""

from __future__ import annotations

from ..v2gtp import HEADER_LENGTH, VERSION, Payload, PayloadType

LONGEST = 1 << 17
"""Payloads above this are not believed."""
SIDE_STREAMS = (0x8101, 0x8102, 0x8103, 0x8104)
"""ISO 15118-20 Table 12: schedule renegotiation, metering confirmation, ACDP system status, parking status."""
KNOWN = frozenset({int(kind) for kind in PayloadType if kind < PayloadType.SDP_REQUEST} | set(SIDE_STREAMS))


class Finder:
    """Cuts one direction of a connection into payloads.

    `found` says whether V2GTP was seen. In step, a header is believed whose version and length are right; out of step
    (from a gap or a foreign beginning on) only one whose payload type is known, wherever it stands.
    """

    __slots__ = ("_buffer", "_in_step", "found", "skipped")

    def __init__(self, in_step: bool) -> None:
        self._buffer = b""
        self._in_step = in_step
        self.found = False
        self.skipped = 0

    def gap(self) -> int:
        """Bytes are missing here; says how many of an unfinished message are lost with them."""
        lost, self._buffer, self._in_step = len(self._buffer), b"", False
        return lost

    def feed(self, data: bytes) -> list[Payload]:
        """The payloads completed by `data`."""
        if self._buffer and _is_whole(data):  # what is unfinished never ends: its length is spoiled
            self.skipped += len(self._buffer)
            self._buffer = b""
        buffer = self._buffer + data if self._buffer else data
        out: list[Payload] = []
        at, end = 0, len(buffer)
        while True:
            if not self._in_step:
                start = _search(buffer, at)
                self.skipped += start - at
                at = start
            if end - at < HEADER_LENGTH:
                break
            size = int.from_bytes(buffer[at + 4 : at + 8], "big")
            if buffer[at : at + 2] != VERSION or not 0 < size <= LONGEST:
                self._in_step = False
                at += 1
                continue
            after = at + HEADER_LENGTH + size
            self._in_step = True
            if after > end:
                break
            out.append(Payload(int.from_bytes(buffer[at + 2 : at + 4], "big"), buffer[at + HEADER_LENGTH : after]))
            self.found = True
            at = after
        self._buffer = buffer[at:]
        return out


def _is_whole(data: bytes) -> bool:
    """Is this one message from its first to its last byte?"""
    head = data[:HEADER_LENGTH]
    if len(head) < HEADER_LENGTH or head[:2] != VERSION or int.from_bytes(head[2:4], "big") not in KNOWN:
        return False
    return int.from_bytes(head[4:], "big") == len(data) - HEADER_LENGTH


def _search(buffer: bytes, at: int) -> int:
    """Where a believable header begins, or may begin once more bytes are there."""
    while (at := buffer.find(b"\x01", at)) >= 0:
        head = buffer[at : at + HEADER_LENGTH]
        if head[:2] == VERSION[: len(head)]:
            if len(head) < HEADER_LENGTH:
                return at
            kind, size = int.from_bytes(head[2:4], "big"), int.from_bytes(head[4:], "big")
            if kind in KNOWN and 0 < size <= LONGEST:
                return at
        at += 1
    return len(buffer)
