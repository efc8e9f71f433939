"""SECC discovery: the request a vehicle multicasts and the response that tells address, port and security.

Layouts: ISO 15118-2 section 7.10.1, DIN 70121 section 8.7. Security 0x00 is TLS, 0x10 none; transport 0x00 is TCP.
"""

from __future__ import annotations

from enum import IntEnum
from ipaddress import IPv6Address
from typing import NamedTuple

from ..v2gtp import PayloadType, V2gtpError, pack, unpack

PORT = 15118
MULTICAST = "ff02::1"
REQUEST_LENGTH = 2
RESPONSE_LENGTH = 20


class Security(IntEnum):
    """The security byte."""

    TLS = 0x00
    NONE = 0x10


class Transport(IntEnum):
    """The transport byte; UDP is reserved."""

    TCP = 0x00
    UDP = 0x10


class SdpError(ValueError):
    """Bytes that are no SECC discovery message; the text says why."""


class SdpRequest(NamedTuple):
    """What a vehicle asks for; values other than the known ones are kept as they came."""

    security: int
    transport: int = Transport.TCP

    def pack(self) -> bytes:
        """The datagram."""
        return pack(PayloadType.SDP_REQUEST, bytes(self))


class SdpResponse(NamedTuple):
    """Where a charger listens. `address` is an IPv6 address without scope: the vehicle adds its own interface's."""

    address: str
    port: int
    security: int
    transport: int = Transport.TCP

    def pack(self) -> bytes:
        """The datagram."""
        where = IPv6Address(self.address).packed + self.port.to_bytes(2, "big")
        return pack(PayloadType.SDP_RESPONSE, where + bytes((self.security, self.transport)))


def parse(datagram: bytes) -> SdpRequest | SdpResponse:
    """The message in a datagram; raises SdpError for everything else."""
    try:
        kind, payload = unpack(datagram)
    except V2gtpError as error:
        raise SdpError(str(error)) from error
    if kind == PayloadType.SDP_REQUEST:
        if len(payload) != REQUEST_LENGTH:
            raise SdpError(f"a request has {REQUEST_LENGTH} bytes of payload, this one {len(payload)}")
        return SdpRequest(payload[0], payload[1])
    if kind == PayloadType.SDP_RESPONSE:
        if len(payload) != RESPONSE_LENGTH:
            raise SdpError(f"a response has {RESPONSE_LENGTH} bytes of payload, this one {len(payload)}")
        address = str(IPv6Address(payload[:16]))
        return SdpResponse(address, int.from_bytes(payload[16:18], "big"), payload[18], payload[19])
    raise SdpError(f"payload type {kind:#06x} is no SECC discovery")
