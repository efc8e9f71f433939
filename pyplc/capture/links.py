"""Link layers: where the payload of a captured packet begins, of which EtherType it is, and between whom.

Link types: https://www.tcpdump.org/linktypes.html. VLAN tags are skipped, however many.
"""

from __future__ import annotations

from typing import NamedTuple

NULL, ETHERNET, RAW_BSD, RAW, LOOP, SLL, IPV4_ONLY, IPV6_ONLY, SLL2 = 0, 1, 12, 101, 108, 113, 228, 229, 276
EXPORTED = 252
"""Exported PDUs of Wireshark: text for people, no packets."""
IPV4, IPV6, HOMEPLUG, HAL = 0x0800, 0x86DD, 0x88E1, 0x4841
VLAN_TAGS = (0x8100, 0x88A8, 0x9100)


class Payload(NamedTuple):
    """EtherType, where the payload begins, destination and source (6 bytes, or none)."""

    ethertype: int
    start: int
    destination: bytes
    source: bytes


NOTHING = Payload(0, 0, b"", b"")


def payload(link_type: int, data: bytes) -> Payload:
    """What a packet of this link type carries; `NOTHING` for one that is too short or of a type not known."""
    if link_type == ETHERNET:
        return _tagged(data, 12, data[:6], data[6:12])
    if link_type == SLL and len(data) >= 16:
        return _tagged(data, 14, b"", _address(data, 4, 6))
    if link_type == SLL2 and len(data) >= 20:
        found = _tagged(data, 0, b"", _address(data, 11, 12))
        return found if found.start != 2 else found._replace(start=20)
    if link_type in (RAW, RAW_BSD, IPV4_ONLY, IPV6_ONLY, 14):
        return _raw(data, 0)
    if link_type in (NULL, LOOP):
        return _raw(data, 4)
    return NOTHING


def _tagged(data: bytes, at: int, destination: bytes, source: bytes) -> Payload:
    kind = data[at] << 8 | data[at + 1] if len(data) >= at + 2 else 0
    tagged = at == 0  # SLL2 has its EtherType first and the tags behind its header
    while kind in VLAN_TAGS:
        at = 22 if tagged else at + 4
        tagged = False
        if len(data) < at + 2:
            return NOTHING
        kind = data[at] << 8 | data[at + 1]
    return Payload(kind, at + 2, destination, source)


def _address(data: bytes, length_at: int, at: int) -> bytes:
    size = data[length_at] if length_at == 11 else data[length_at] << 8 | data[length_at + 1]
    return data[at : at + 6] if size == 6 else b""


def _raw(data: bytes, at: int) -> Payload:
    version = data[at] >> 4 if len(data) > at else 0
    return Payload({4: IPV4, 6: IPV6}.get(version, 0), at, b"", b"")


def as_ethernet(data: bytes, found: Payload) -> bytes:
    """The packet as an Ethernet frame without tags; unknown addresses are zeros."""
    head = (found.destination or bytes(6)) + (found.source or bytes(6)) + found.ethertype.to_bytes(2, "big")
    return head + data[found.start :]
