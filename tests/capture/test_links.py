"""The same session over other link types, behind VLAN tags and IPv6 headers, and mixed in one file."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable

import pytest
from making import T0, events_of, messages_of, numbered, pcap, pcapng, segment

from pyplc.capture.events import Message, Sdp
from pyplc.capture.files import Packet
from pyplc.capture.reader import read
from pyplc.link.ethernet import udp_frame
from pyplc.sdp.messages import SdpRequest
from pyplc.v2gtp import pack

SETUP = pack(0x8001, bytes.fromhex("809a02000000000000000011d01b703a84459c2000"))
SESSION = numbered([segment("ev", 1 + i * len(SETUP), SETUP, ms=i) for i in range(3)])
ADDRESS = b"\2\0\0\0\0\1"


def tagged(*tags: int) -> Callable[[bytes], bytes]:
    return lambda f: f[:12] + b"".join(struct.pack("!HH", tag, 7) for tag in tags) + f[12:]


def sll(f: bytes) -> bytes:
    return struct.pack("!HHH8s", 0, 1, 6, ADDRESS) + f[12:]


def sll_tagged(f: bytes) -> bytes:
    return struct.pack("!HHH8s", 0, 1, 6, ADDRESS) + struct.pack("!HH", 0x8100, 7) + f[12:]


def sll2(f: bytes) -> bytes:
    return f[12:14] + struct.pack("!HIHBB8s", 0, 3, 1, 0, 6, ADDRESS) + f[14:]


def hop_by_hop(f: bytes) -> bytes:
    """An extension header in front of TCP."""
    length = int.from_bytes(f[18:20], "big") + 8
    return f[:18] + length.to_bytes(2, "big") + b"\0" + f[21:54] + b"\6\0\1\4\0\0\0\0" + f[54:]


def atomic_fragment(f: bytes) -> bytes:
    length = int.from_bytes(f[18:20], "big") + 8
    return f[:18] + length.to_bytes(2, "big") + b"\x2c" + f[21:54] + b"\6\0\0\0\0\0\0\1" + f[54:]


KINDS: dict[str, tuple[int, Callable[[bytes], bytes]]] = {
    "ethernet": (1, lambda f: f),
    "VLAN": (1, tagged(0x8100)),
    "three VLANs": (1, tagged(0x88A8, 0x9100, 0x8100)),
    "SLL": (113, sll),
    "SLL with VLAN": (113, sll_tagged),
    "SLL2": (276, sll2),
    "raw": (101, lambda f: f[14:]),
    "raw of BSD": (12, lambda f: f[14:]),
    "IPv6": (229, lambda f: f[14:]),
    "loopback of BSD": (0, lambda f: struct.pack("<I", 30) + f[14:]),
    "padding": (1, lambda f: f + bytes(20)),
    "extension header": (1, hop_by_hop),
    "atomic fragment": (1, atomic_fragment),
}


def as_kind(item: Packet, kind: str) -> Packet:
    link_type, change = KINDS[kind]
    return item._replace(link_type=link_type, data=change(item.data))


@pytest.mark.parametrize("kind", KINDS)
def test_every_link_type(kind: str) -> None:
    items = [as_kind(item, kind) for item in SESSION]
    for file in (pcap(items), pcapng(items)):
        found = [event for event in read(io.BytesIO(file)) if isinstance(event, Message)]
        assert [(m.frame, m.name, m.side) for m in found] == [(i, "SessionSetupReq", "ev") for i in (1, 2, 3)]
    addresses = {m.source for m in messages_of(items)}
    assert addresses == ({ADDRESS} if KINDS[kind][0] in (1, 113, 276) else {b""})


def test_mixed_in_one_file() -> None:
    """A connection whose packets come over three interfaces of different types."""
    items = [as_kind(item, kind) for item, kind in zip(SESSION, ("SLL2", "ethernet", "raw"), strict=True)]
    found = [event for event in read(io.BytesIO(pcapng(items))) if isinstance(event, Message)]
    assert [(m.frame, m.session, m.interface) for m in found] == [(1, 1, 0), (2, 1, 1), (3, 1, 2)]


def test_ipv4_and_other_ports() -> None:
    """V2GTP is found by its header, not by a port or a version of IP."""
    tcp = bytearray(SESSION[0].data[54:])
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0, b"\xc0\0\2\1", b"\xc0\0\2\2")
    frame = SESSION[0].data[:12] + b"\x08\0" + ip + bytes(tcp)
    (message,) = messages_of([Packet(1, T0, 1, frame, 0, len(frame))])
    assert (message.name, str(message.sender)) == ("SessionSetupReq", "192.0.2.1:49152")


@pytest.mark.parametrize("kind", ["ethernet", "VLAN", "SLL", "SLL2", "raw"])
def test_discovery_too(kind: str) -> None:
    frame = udp_frame(
        (ADDRESS, b"\x33\x33\0\0\0\1"), ("fe80::1", "ff02::1"), (50000, 15118), SdpRequest(0x10, 0).pack()
    )
    (event,) = events_of([as_kind(Packet(1, T0, 1, frame, 0, len(frame)), kind)])
    assert isinstance(event, Sdp)
    assert (event.name, event.side, event.receiver.port) == ("SECC_DiscoveryReq", "ev", 15118)
