"""Headers, checksums, and what a network card would have done."""

from __future__ import annotations

import random

import dpkt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyplc.link.ethernet import (
    Header,
    checksum,
    header,
    link_local_of,
    mac_bytes,
    mac_text,
    parse_udp,
    repair_checksum,
    tcp_frame,
    udp_frame,
)
from pyplc.link.offload import pieces

MACS = mac_bytes("02:00:00:00:00:01"), mac_bytes("02-00-00-00-00-02")
ADDRESSES = link_local_of(MACS[0]), link_local_of(MACS[1])


def test_addresses_as_text() -> None:
    assert mac_text(MACS[0]) == "02:00:00:00:00:01"
    assert ADDRESSES[0] == "fe80::ff:fe00:1"
    for wrong in ("", "02:00", "zz:00:00:00:00:01"):
        with pytest.raises(ValueError, match="no MAC address"):
            mac_bytes(wrong)


def test_header() -> None:
    packed = Header(MACS[1], MACS[0], 0x88E1).pack()
    assert header(packed + bytes(46)) == Header(MACS[1], MACS[0], 0x88E1)
    assert header(packed[:13]) is None


@given(st.binary(max_size=200))
def test_checksum_agrees_with_another_implementation(data: bytes) -> None:
    assert checksum(data) == dpkt.in_cksum(data)


@given(st.binary(max_size=100), st.integers(0, 65535))
def test_a_datagram_comes_back_out_of_its_frame(data: bytes, port: int) -> None:
    found = parse_udp(udp_frame(MACS, ADDRESSES, (port, 15118), data))
    assert found == (MACS[0], (ADDRESSES[0], port), (ADDRESSES[1], 15118), data)


@given(st.binary(max_size=120))
def test_any_bytes_are_a_datagram_or_none(data: bytes) -> None:
    parse_udp(data)
    parse_udp(bytes(12) + b"\x86\xdd" + data)
    pieces(data)
    pieces(bytes(12) + b"\x86\xdd" + data)
    pieces((bytes(12) + b"\x86\xdd" + data).ljust(3000, b"\6"))


def test_a_damaged_datagram_is_none() -> None:
    frame = bytearray(udp_frame(MACS, ADDRESSES, (1, 2), b"hello"))
    frame[-1] ^= 1
    assert parse_udp(bytes(frame)) is None


def test_a_segment_is_read_by_another_implementation() -> None:
    frame = tcp_frame(MACS, ADDRESSES, (50000, 15118), (7, 9), 0x18, b"data")
    ip = dpkt.ethernet.Ethernet(frame).data
    assert (ip.data.sport, ip.data.seq, ip.data.ack, ip.data.flags, ip.data.data) == (50000, 7, 9, 0x18, b"data")
    assert bytes(ip) == frame[14:]


def test_a_checksum_left_to_the_card_is_repaired() -> None:
    for frame, at in (
        (udp_frame(MACS, ADDRESSES, (1, 2), b"hello"), 60),
        (tcp_frame(MACS, ADDRESSES, (1, 2), (3, 4), 0x18, b"odd"), 70),
    ):
        partial = frame[:at] + b"\xab\xcd" + frame[at + 2 :]
        assert repair_checksum(partial) == frame == pieces(partial)[0]


def test_a_long_segment_is_cut_without_a_gap() -> None:
    data = random.Random(1).randbytes(40_000)
    found = pieces(tcp_frame(MACS, ADDRESSES, (1, 2), (0xFFFFF000, 4), 0x19, data))
    assert all(len(piece) <= 1514 and repair_checksum(piece) == piece for piece in found)
    segments = [dpkt.ethernet.Ethernet(piece).data.data for piece in found]
    assert b"".join(segment.data for segment in segments) == data
    assert [segment.flags for segment in segments] == [0x10] * (len(found) - 1) + [0x19]
    at = 0xFFFFF000
    for segment in segments:
        assert segment.seq == at
        at = (at + len(segment.data)) % 2**32
