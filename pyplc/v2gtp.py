"""V2GTP: the 8-byte header of SECC discovery (UDP) and of every session (TCP, TLS), and its framing of a byte stream.

01 FE | payload type, 2 bytes | payload length, 4 bytes | payload            (big endian)
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

VERSION = b"\x01\xfe"
HEADER_LENGTH = 8
DEFAULT_MAX_PAYLOAD = 65_536
"""The longest payload accepted: certificate messages of ISO 15118-2 stay below 10 kB, of ISO 15118-20 below 40 kB."""


class PayloadType(IntEnum):
    """Payload types, ISO 15118-2 Table 10 and ISO 15118-20 Table 12."""

    EXI = 0x8001
    ISO20_MAIN = 0x8002
    ISO20_AC = 0x8003
    ISO20_DC = 0x8004
    ISO20_ACDP = 0x8005
    ISO20_WPT = 0x8006
    SDP_REQUEST = 0x9000
    SDP_RESPONSE = 0x9001


class V2gtpError(ValueError):
    """A header that cannot be followed: the text says which bytes were found and what was expected."""


class Payload(NamedTuple):
    """One payload taken out of its frame; `type` is a plain int, since unknown types are not an error here."""

    type: int
    data: bytes


def pack(payload_type: int, payload: bytes) -> bytes:
    """`payload` with its header in front."""
    return VERSION + payload_type.to_bytes(2, "big") + len(payload).to_bytes(4, "big") + payload


def unpack(data: bytes) -> Payload:
    """The one payload of a datagram or of a message given as hex; raises V2gtpError when header and length disagree."""
    if len(data) < HEADER_LENGTH:
        raise V2gtpError(f"{len(data)} bytes, a V2GTP header has {HEADER_LENGTH}")
    if data[:2] != VERSION:
        raise V2gtpError(f"begins {data[:2].hex(' ')}, a V2GTP header begins 01 fe (version 1 and its inverse)")
    length = int.from_bytes(data[4:8], "big")
    if length != len(data) - HEADER_LENGTH:
        raise V2gtpError(f"header announces {length} bytes of payload, {len(data) - HEADER_LENGTH} follow")
    return Payload(int.from_bytes(data[2:4], "big"), data[HEADER_LENGTH:])


class Framer:
    """Cuts a byte stream into payloads: several in one segment, one over many.

    A wrong version or an empty payload is skipped by its announced length and counted in `ignored`, as conformance
    tests ask (the peer then runs into its time-out); a length above `max_payload` cannot be skipped: V2gtpError.
    """

    __slots__ = ("_buffer", "ignored", "max_payload")

    def __init__(self, max_payload: int = DEFAULT_MAX_PAYLOAD) -> None:
        self.max_payload = max_payload
        self.ignored = 0
        self._buffer = b""

    def feed(self, data: bytes) -> list[Payload]:
        """The payloads completed by `data`, in order; the rest is kept for later."""
        buffer = self._buffer + data if self._buffer else data
        payloads: list[Payload] = []
        start, end = 0, len(buffer)
        while end - start >= HEADER_LENGTH:
            length = int.from_bytes(buffer[start + 4 : start + 8], "big")
            if length > self.max_payload:
                self._buffer = b""
                raise V2gtpError(f"header announces {length} bytes, the limit is {self.max_payload}")
            after = start + HEADER_LENGTH + length
            if after > end:
                break
            if buffer[start : start + 2] == VERSION and length:
                payload_type = int.from_bytes(buffer[start + 2 : start + 4], "big")
                payloads.append(Payload(payload_type, buffer[start + HEADER_LENGTH : after]))
            else:
                self.ignored += 1
            start = after
        self._buffer = buffer[start:]
        return payloads

    @property
    def pending(self) -> int:
        """Bytes of an unfinished message."""
        return len(self._buffer)
