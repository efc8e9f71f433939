"""Ethernet, IPv6, UDP and TCP headers: just what SECC discovery on a virtual line and recordings need."""

from __future__ import annotations

import struct
from functools import lru_cache
from ipaddress import IPv6Address
from typing import NamedTuple

from .ports import IPV6

BROADCAST = b"\xff" * 6
TCP, UDP = 6, 17
_IP_HEAD, _TCP_HEAD, _TCP_CHECK = struct.Struct("!IHBB"), struct.Struct("!IIBBH"), struct.Struct("!HH")
HEADER_LENGTH = 14
IPV6_HEADER_END = 54


class Header(NamedTuple):
    """The fourteen bytes before the payload."""

    destination: bytes
    source: bytes
    ethertype: int

    def pack(self) -> bytes:
        """As on the wire."""
        return self.destination + self.source + self.ethertype.to_bytes(2, "big")


def header(frame: bytes) -> Header | None:
    """The header of a frame; None for fewer than fourteen bytes."""
    if len(frame) < HEADER_LENGTH:
        return None
    return Header(frame[:6], frame[6:12], int.from_bytes(frame[12:14], "big"))


def mac_bytes(text: str) -> bytes:
    """Six bytes for `02:00:00:00:00:01` (or with dashes); ValueError otherwise."""
    try:
        address = bytes.fromhex(text.replace("-", ":").replace(":", ""))
    except ValueError:
        address = b""
    if len(address) != 6:
        raise ValueError(f"{text!r} is no MAC address; write it as 02:00:00:00:00:01")
    return address


def mac_text(address: bytes) -> str:
    """`02:00:00:00:00:01` for six bytes."""
    return address.hex(":")


def link_local_of(mac: bytes) -> str:
    """The EUI-64 link-local address of a MAC, RFC 4291."""
    identifier = bytes((mac[0] ^ 2, mac[1], mac[2], 0xFF, 0xFE, mac[3], mac[4], mac[5]))
    return str(IPv6Address(b"\xfe\x80" + bytes(6) + identifier))


def multicast_mac(address: str) -> bytes:
    """The Ethernet address of an IPv6 multicast group, RFC 2464."""
    return b"\x33\x33" + packed(address)[12:]


@lru_cache(maxsize=256)
def packed(address: str) -> bytes:
    """Sixteen bytes of an IPv6 address."""
    return IPv6Address(address).packed


def checksum(data: bytes) -> int:
    """The internet checksum, RFC 1071: the one's complement sum is the number modulo 65535."""
    if len(data) % 2:
        data += b"\0"
    total = int.from_bytes(data, "big") % 0xFFFF
    return 0xFFFF - total if total else (0 if any(data) else 0xFFFF)


def ipv6_frame(macs: tuple[bytes, bytes], addresses: tuple[str, str], protocol: int, payload: bytes) -> bytes:
    """A frame with an IPv6 packet; pairs are (source, destination)."""
    (mac_from, mac_to), (ip_from, ip_to) = macs, addresses
    header = _IP_HEAD.pack(0x60000000, len(payload), protocol, 64)
    return b"".join((mac_to, mac_from, b"\x86\xdd", header, packed(ip_from), packed(ip_to), payload))


def udp_frame(macs: tuple[bytes, bytes], addresses: tuple[str, str], ports: tuple[int, int], data: bytes) -> bytes:
    """A frame with a UDP datagram over IPv6, checksum filled in."""
    head = struct.pack("!HHH", *ports, 8 + len(data))
    pseudo = packed(addresses[0]) + packed(addresses[1]) + struct.pack("!II", 8 + len(data), UDP)
    value = checksum(pseudo + head + b"\0\0" + data) or 0xFFFF  # 0 says that there is none
    return ipv6_frame(macs, addresses, UDP, head + value.to_bytes(2, "big") + data)


class TcpFlow:
    """One direction of a TCP connection over IPv6, as frames; pairs are (source, destination)."""

    def __init__(self, macs: tuple[bytes, bytes], addresses: tuple[str, str], ports: tuple[int, int]) -> None:
        self._macs = macs[1] + macs[0] + b"\x86\xdd"
        self._addresses = packed(addresses[0]) + packed(addresses[1])
        self._ports = struct.pack("!HH", *ports)
        # what the checksum has of these: a sum of words, so their order and place do not matter
        self._fixed = sum(int.from_bytes(part, "big") for part in (self._addresses, self._ports)) + TCP

    def frame(self, sequence: int, acknowledgement: int, flags: int, data: bytes = b"") -> bytes:
        """A segment with these numbers, checksum filled in."""
        length = 20 + len(data)
        head = _TCP_HEAD.pack(sequence & 0xFFFFFFFF, acknowledgement & 0xFFFFFFFF, 5 << 4, flags, 0xFFFF)
        words = int.from_bytes(data, "big") << (len(data) % 2 * 8)
        total = (self._fixed + length + int.from_bytes(head, "big") + words) % 0xFFFF
        ip = _IP_HEAD.pack(0x60000000, length, TCP, 64)
        check = _TCP_CHECK.pack(0xFFFF - total if total else 0, 0)
        return b"".join((self._macs, ip, self._addresses, self._ports, head, check, data))


def tcp_frame(
    macs: tuple[bytes, bytes],
    addresses: tuple[str, str],
    ports: tuple[int, int],
    numbers: tuple[int, int],
    flags: int,
    data: bytes = b"",
) -> bytes:
    """A frame with a TCP segment over IPv6; `numbers` are sequence and acknowledgement."""
    return TcpFlow(macs, addresses, ports).frame(*numbers, flags, data)


class Datagram(NamedTuple):
    """A UDP datagram taken out of its frame."""

    mac: bytes
    source: tuple[str, int]
    destination: tuple[str, int]
    data: bytes


def parse_udp(frame: bytes) -> Datagram | None:
    """The UDP datagram of an IPv6 frame; None for everything else, and for a wrong length or checksum."""
    if len(frame) < 62 or int.from_bytes(frame[12:14], "big") != IPV6 or frame[20] != UDP:
        return None
    length = int.from_bytes(frame[18:20], "big")
    segment = frame[54 : 54 + length]
    if len(segment) != length or length < 8 or int.from_bytes(segment[4:6], "big") != length:
        return None
    pseudo = frame[22:54] + struct.pack("!II", length, UDP)
    if checksum(pseudo + segment) != 0:
        return None
    ports = struct.unpack("!HH", segment[:4])
    source, destination = str(IPv6Address(frame[22:38])), str(IPv6Address(frame[38:54]))
    return Datagram(frame[6:12], (source, ports[0]), (destination, ports[1]), segment[8:])


def repair_checksum(frame: bytes) -> bytes:
    """`frame` with the checksum of its TCP, UDP or ICMPv6 payload computed anew.

    A kernel leaves it to the network card; on a virtual cable there is none, and who forwards must do it.
    """
    if len(frame) < 54 or frame[12:14] != b"\x86\xdd":
        return frame
    protocol = frame[20]
    at = {TCP: 16, UDP: 6, 58: 2}.get(protocol)
    length = int.from_bytes(frame[18:20], "big")
    if at is None or len(frame) < 54 + length or length < at + 2:
        return frame
    segment = frame[54 : 54 + length]
    blank = segment[:at] + b"\0\0" + segment[at + 2 :]
    value = checksum(frame[22:54] + struct.pack("!II", length, protocol) + blank)
    if protocol == UDP and value == 0:
        value = 0xFFFF
    return frame[:54] + segment[:at] + value.to_bytes(2, "big") + segment[at + 2 :] + frame[54 + length :]
