"""IPv4 and IPv6 packets: protocol, addresses and where the payload is. Fragments other than the first have none."""

from __future__ import annotations

import socket
from functools import lru_cache
from typing import NamedTuple

from .links import IPV4, IPV6

TCP, UDP, ICMPV6 = 6, 17, 58
_EXTENSIONS = (0, 43, 60, 135)
_FRAGMENT = 44


class Ip(NamedTuple):
    """`start` and `end` bound the payload in the packet; `end` may be behind what was captured."""

    protocol: int
    source: bytes
    destination: bytes
    start: int
    end: int


def parse(data: bytes, at: int, ethertype: int) -> Ip | None:
    """The IP packet at `at`; None where there is none, or it is too short."""
    size = len(data) - at
    if ethertype == IPV6 and size >= 40 and data[at] >> 4 == 6:
        return _six(data, at)
    if ethertype == IPV4 and size >= 20 and data[at] >> 4 == 4:
        head = (data[at] & 15) * 4
        total = data[at + 2] << 8 | data[at + 3]
        if head < 20 or (data[at + 6] & 0x1F) << 8 | data[at + 7]:
            return None
        end = at + total if total >= head else len(data)  # 0: left to the adaptor
        return Ip(data[at + 9], data[at + 12 : at + 16], data[at + 16 : at + 20], at + head, end)
    return None


def _six(data: bytes, at: int) -> Ip | None:
    length = data[at + 4] << 8 | data[at + 5]
    end = at + 40 + length if length else len(data)
    kind, start = data[at + 6], at + 40
    while kind in _EXTENSIONS and start + 8 <= len(data):
        kind, start = data[start], start + 8 + 8 * data[start + 1]
    if kind == _FRAGMENT and start + 8 <= len(data):
        if data[start + 2] << 8 | data[start + 3] & 0xF8:
            return None
        kind, start = data[start], start + 8
    return Ip(kind, data[at + 8 : at + 24], data[at + 24 : at + 40], start, end)


@lru_cache(maxsize=4096)
def text(address: bytes) -> str:
    """An address of 4 or 16 bytes as people write it."""
    return socket.inet_ntop(socket.AF_INET6 if len(address) == 16 else socket.AF_INET, address)
