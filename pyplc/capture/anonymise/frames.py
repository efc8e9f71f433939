"""Packets with pseudonyms: link and IP addresses, neighbour discovery, SECC discovery, keys and log lines in UDP, TCP.

Payloads that are not understood become zeros. Checksums are written anew.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from ipaddress import IPv6Address

from ...sdp import messages as sdp
from ...v2gtp import VERSION
from .. import ip, links, small
from ..files import Packet
from ..tcp import Flow
from . import homeplug
from .pseudonyms import Pseudonyms
from .streams import Streams
from .text import Scrubber

ARP = 0x0806
MAC_AT = {links.ETHERNET: (0, 6), links.SLL: (6,), links.SLL2: (12,)}
"""Where the addresses stand in a link header."""
SACK, OPTIONS = 5, (2, 3, 4, 5, 8)
"""TCP options that are kept: size of segments, window scale, selective acknowledgements, time stamps."""
FRAGMENT, ROUTER_ALERT = 44, b"\x05\x02"
NEIGHBOURS = range(133, 138)
ADDRESS_AT = {133: (), 134: (), 135: (8,), 136: (8,), 137: (8, 24)}
"""Addresses in messages of neighbour discovery; options follow."""
OPTIONS_AT = {133: 8, 134: 16, 135: 24, 136: 24, 137: 40}
LISTENERS = (130, 131, 132)
REPORT = 143


class Rewriter:
    """Makes packets anonymous; `flows` has the direction that each TCP segment belongs to, by packet number."""

    def __init__(self, names: Pseudonyms, scrub: Scrubber, streams: Streams, flows: dict[int, Flow]) -> None:
        self._names, self._scrub, self._streams, self._flows = names, scrub, streams, flows

    def __call__(self, item: Packet) -> Packet:
        """The packet with pseudonyms; its number, time and interface stay."""
        link = links.payload(item.link_type, item.data)
        whole = link.start <= len(item.data)
        data = self._link(item, link) + self._body(item, link) if whole else bytes(len(item.data))
        data = self._scrub.bytes(data)  # in a spoiled packet anything may stand anywhere
        length = item.length + len(data) - len(item.data) if item.length else 0
        comment = self._scrub(item.comment) if item.comment is not None else None
        return item._replace(data=data, length=length, comment=comment)

    def _link(self, item: Packet, link: links.Payload) -> bytes:
        head = bytearray(item.data[: link.start])
        for at in MAC_AT.get(item.link_type, ()):
            if len(head) >= at + 6:
                head[at : at + 6] = self._names.mac(bytes(head[at : at + 6]))
        return bytes(head)

    def _body(self, item: Packet, link: links.Payload) -> bytes:
        data, start = item.data, link.start
        if link.ethertype in (links.IPV4, links.IPV6):
            found = ip.parse(data, start, link.ethertype)
            return self._ip(item, start, found) if found is not None else self._unread(data, start, link.ethertype)
        if link.ethertype == links.HOMEPLUG:
            return homeplug.pseudonymous(links.as_ethernet(data, link), self._names, self._scrub)[14:]
        if link.ethertype == links.HAL:
            return self._scrub.raw(data[start:])
        if link.ethertype == ARP and len(data) >= start + 28:
            return self._arp(data[start:])
        return bytes(len(data) - start)

    def _arp(self, data: bytes) -> bytes:
        mac, four = self._names.mac, self._names.ip
        ends = mac(data[8:14]), four(data[14:18]), mac(data[18:24]), four(data[24:28])
        return data[:8] + b"".join(ends) + bytes(len(data) - 28)

    def _unread(self, data: bytes, start: int, ethertype: int) -> bytes:
        """A fragment, or a packet cut in its header: addresses as far as they are whole, then zeros."""
        at, size = (8, 16) if ethertype == links.IPV6 else (12, 4)
        if len(data) < start + at + 2 * size:
            return bytes(len(data) - start)
        head = data[start : start + at]
        ends = (data[start + at + i * size :][:size] for i in (0, 1))
        return (head + b"".join(map(self._names.ip, ends))).ljust(len(data) - start, b"\0")

    def _ip(self, item: Packet, start: int, found: ip.Ip) -> bytes:
        data = item.data
        inside = data[found.start : found.end]
        make = {ip.TCP: self._tcp, ip.UDP: self._udp, ip.ICMPV6: self._icmp}.get(found.protocol)
        new = make(item, inside, found) if make is not None else bytes(len(inside))
        ends = self._names.ip(found.source), self._names.ip(found.destination)
        missing = max(found.end - len(data), 0)
        new = _summed(found.protocol, new, ends, len(new) + missing)
        head = _header(data[start : found.start], ends, len(new) + missing)
        return head + new + bytes(max(len(data) - found.end, 0))

    def _tcp(self, item: Packet, inside: bytes, found: ip.Ip) -> bytes:
        flow = self._flows.get(item.number)
        if len(inside) < 20 or flow is None:
            return inside[:20].ljust(len(inside), b"\0")
        own, other = self._streams.tracks(flow)
        seq, ack = struct.unpack_from("!II", inside, 4)
        size = min(max((inside[12] >> 4) * 4, 20), len(inside))
        first = seq + (inside[13] >> 1 & 1) & 0xFFFFFFFF  # a SYN has a number of its own
        at = own.offset(first)
        numbers = struct.pack("!II", own.number(seq), other.number(ack) if inside[13] & 16 else ack)
        head = inside[:4] + numbers + inside[12:20] + _options(inside[20:size], other.number)
        count = len(inside) - size
        return head + (own.cut(at, at + count) if own.base is not None else bytes(count))

    def _udp(self, item: Packet, inside: bytes, found: ip.Ip) -> bytes:
        if len(inside) < 8:
            return inside
        new = self._datagram(inside[8:], int.from_bytes(inside[2:4], "big"))
        return inside[:4] + (8 + len(new)).to_bytes(2, "big") + inside[6:8] + new

    def _datagram(self, payload: bytes, port: int) -> bytes:
        if payload[:3] == VERSION + b"\x90":
            return self._discovery(payload)
        if b"_RANDOM" in payload or b"_SECRET" in payload:
            return self._keys(payload)
        if port == small.SYSLOG:
            return self._scrub.raw(payload)
        return bytes(len(payload))

    def _discovery(self, payload: bytes) -> bytes:
        try:
            message = sdp.parse(payload)
        except sdp.SdpError:
            return payload[:8].ljust(len(payload), b"\0")
        if isinstance(message, sdp.SdpRequest):
            return payload
        return message._replace(address=ip.text(self._names.ip(IPv6Address(message.address).packed))).pack()

    def _keys(self, payload: bytes) -> bytes:
        """Key log lines with other secrets; what stands between them becomes blanks."""
        lines = [key for key in small.keys({"frame": 0, "time": 0.0}, payload)]
        out = payload[: len(payload) - len(payload.lstrip(b"\0"))]
        for key in lines:
            random, secret = self._names.raw(key.client_random), self._names.raw(key.secret)
            out += f"{key.label} {random.hex()} {secret.hex()}\n".encode()
        return out[: len(payload)].ljust(len(payload), b"\0") if lines else bytes(len(payload))

    def _icmp(self, item: Packet, inside: bytes, found: ip.Ip) -> bytes:
        kind = inside[0] if inside else 0
        if kind in NEIGHBOURS and len(inside) >= OPTIONS_AT[kind]:
            return self._neighbour(inside, kind)
        if kind in LISTENERS and len(inside) >= 24:
            return inside[:8] + self._names.ip(inside[8:24]) + bytes(len(inside) - 24)
        if kind == REPORT and len(inside) >= 8:
            return self._report(inside)
        return inside[:4].ljust(len(inside), b"\0")[: len(inside)]

    def _neighbour(self, inside: bytes, kind: int) -> bytes:
        out = bytearray(inside[: OPTIONS_AT[kind]])
        for at in ADDRESS_AT[kind]:
            out[at : at + 16] = self._names.ip(inside[at : at + 16])
        at = OPTIONS_AT[kind]
        while at + 8 <= len(inside) and inside[at + 1]:
            option = inside[at : at + 8 * inside[at + 1]]
            if option[0] in (1, 2) and len(option) == 8:
                out += option[:2] + self._names.mac(option[2:])
            else:
                out += option[:2].ljust(len(option), b"\0")
            at += len(option)
        return bytes(out).ljust(len(inside), b"\0")

    def _report(self, inside: bytes) -> bytes:
        """A multicast listener report: groups without sources."""
        out, at = inside[:8], 8
        while at + 20 <= len(inside) and not any(inside[at + 1 : at + 4]):
            out += inside[at : at + 4] + self._names.ip(inside[at + 4 : at + 20])
            at += 20
        return out.ljust(len(inside), b"\0")


def _options(options: bytes, number: Callable[[int], int]) -> bytes:
    """TCP options that are known, selective acknowledgements in the new numbers; no operation in place of others."""
    out, at = b"", 0
    while at < len(options) and options[at]:
        size = 1 if options[at] == 1 else max(options[at + 1], 1) if at + 1 < len(options) else 1
        part = options[at : at + size]
        if part[0] == SACK:
            edges = (part[i : i + 4] for i in range(2, size - 3, 4))
            part = part[:2] + b"".join(number(int.from_bytes(edge, "big")).to_bytes(4, "big") for edge in edges)
        out += part if part[0] in OPTIONS and len(part) == size else b"\1" * len(part)
        at += size
    return out[: len(options)].ljust(len(options), b"\0")


def _header(head: bytes, ends: tuple[bytes, bytes], size: int) -> bytes:
    """An IP header with other addresses and the length of `size` bytes behind it."""
    if len(ends[0]) == 16:
        size += len(head) - 40
        new = head[:4] + (size & 0xFFFF).to_bytes(2, "big") + head[6:8] + ends[0] + ends[1]
        return new + _extensions(head[6], head[40:])
    size += len(head)
    options = bytes((1,)) * (len(head) - 20)  # routes and time stamps name stations
    new = head[:2] + (size & 0xFFFF).to_bytes(2, "big") + head[4:10] + bytes(2) + ends[0] + ends[1] + options
    return new[:10] + _sum(new).to_bytes(2, "big") + new[12:]


def _extensions(kind: int, headers: bytes) -> bytes:
    """Extension headers: of fragments, and the router alert of listener reports; the others become padding."""
    out = b""
    while len(headers) - len(out) >= 8:
        size = 8 if kind == FRAGMENT else 8 + 8 * headers[len(out) + 1]
        part = headers[len(out) : len(out) + size]
        kept = kind == FRAGMENT or part[2:4] == ROUTER_ALERT
        out += (part[:8] if kept else part[:2]).ljust(len(part), b"\0")
        kind = part[0]
    return out.ljust(len(headers), b"\0")


def _summed(protocol: int, data: bytes, ends: tuple[bytes, bytes], size: int) -> bytes:
    """With its checksum; a UDP checksum that was left out stays so."""
    at = {ip.TCP: 16, ip.UDP: 6, ip.ICMPV6: 2}.get(protocol)
    if at is None or len(data) < at + 2 or (protocol == ip.UDP and not any(data[6:8])):
        return data
    data = data[:at] + bytes(2) + data[at + 2 :]
    pseudo = ends[0] + ends[1] + size.to_bytes(4, "big") + protocol.to_bytes(4, "big")
    found = _sum(pseudo + data)
    return data[:at] + (found or (0xFFFF if protocol == ip.UDP else 0)).to_bytes(2, "big") + data[at + 2 :]


def _sum(data: bytes) -> int:
    """The Internet checksum, RFC 1071."""
    data += bytes(len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
