"""Capture files of every kind give the same packets, from a file, through gzip or in drops from a pipe."""

from __future__ import annotations

import gzip
import io
import struct
from collections.abc import Iterable

import pytest
from making import T0, block, numbered, option, pcap, pcapng, read, segment

from pyplc.capture.files import Broken, CaptureError, Noted, Packet, Secrets, packets
from pyplc.capture.pcapng import PcapngWriter

PACKETS = numbered([segment("ev", 1 + i, bytes((i,)), ms=7 * i) for i in range(6)])
MICROS = [item._replace(length=len(item.data)) for item in PACKETS]


class Drops:
    """A pipe that gives one byte after the other."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def read(self, size: int) -> bytes:
        return self._data.read(min(size, 1))


def same(found: Iterable[object]) -> bool:
    return [item._replace(length=len(item.data)) for item in found if isinstance(item, Packet)] == MICROS


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("nano", [False, True])
def test_pcap_of_both_orders_and_resolutions(order: str, nano: bool) -> None:
    file = pcap(PACKETS, order, nano)
    assert same(read(file))
    assert same(read(gzip.compress(file)))
    assert same(packets(Drops(file)))  # type: ignore[arg-type]  # reading is all that is asked
    assert same(packets(Drops(gzip.compress(file))))  # type: ignore[arg-type]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("resolution", [6, 9])
def test_pcapng_of_both_orders_and_resolutions(order: str, resolution: int) -> None:
    file = pcapng(PACKETS, order, resolution=resolution)
    assert same(read(file))
    assert same(read(gzip.compress(file)))
    assert same(packets(Drops(file)))  # type: ignore[arg-type]


def test_two_gzip_members_are_one_file() -> None:
    file = pcap(PACKETS)
    assert same(read(gzip.compress(file[:100]) + gzip.compress(file[100:])))


def test_pcap_with_the_longer_header_of_records() -> None:
    """Magic a1b2cd34: eight bytes more in each record."""
    file = bytearray(pcap(PACKETS[:0] or PACKETS))
    out = b"\x34\xcd\xb2\xa1" + bytes(file[4:24])
    at = 24
    while at < len(file):
        size = int.from_bytes(file[at + 8 : at + 12], "little")
        out += bytes(file[at : at + 16]) + bytes(8) + bytes(file[at + 16 : at + 16 + size])
        at += 16 + size
    assert same(read(out))


def test_secrets_comments_and_sections_of_pcapng() -> None:
    said = [PACKETS[0]._replace(comment="hello"), PACKETS[1]]
    file = pcapng(said, secrets=b"CLIENT_RANDOM 00 11\n")
    assert read(file)[0] == Secrets(b"CLIENT_RANDOM 00 11\n")
    assert [item.comment for item in read(file) if isinstance(item, Packet)] == ["hello", None]
    two = [item for item in read(pcapng(said[:1]) + pcapng(said[1:], ">")) if isinstance(item, Packet)]
    assert [(item.number, item.data) for item in two] == [(1, said[0].data), (2, said[1].data)]


def test_simple_and_obsolete_packet_blocks() -> None:
    data = PACKETS[0].data
    head = block("<", 0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    head += block("<", 1, struct.pack("<HHI", 1, 0, 0) + option("<", 0, b""))
    high, low = divmod(T0 // 1000, 1 << 32)
    old = struct.pack("<HHIIII", 0, 0, high, low, len(data), len(data)) + data
    found = read(head + block("<", 3, struct.pack("<I", len(data)) + data) + block("<", 2, old))
    assert [(item.data, item.ns) for item in found if isinstance(item, Packet)] == [(data, 0), (data, T0)]


def test_custom_blocks_count_as_frames_like_in_wireshark() -> None:
    out = io.BytesIO()
    writer = PcapngWriter(out, "test", epoch=1000.0)
    writer.record(0.5, b'{"type":"a"}')
    writer.write(1.0, PACKETS[0].data, "va")
    writer.remark("said after it")
    writer.record(1.5, b'{"type":"bb"}')
    writer.write(2.0, PACKETS[1].data, "va")
    writer.flush()
    foreign = block("<", 0x0BAD, struct.pack("<I", 1) + b"of others")
    found = read(out.getvalue() + foreign + pcapng(PACKETS[:1]))
    assert [(type(item), item.number) for item in found] == [  # type: ignore[attr-defined]
        (Noted, 1), (Packet, 2), (Noted, 3), (Packet, 4), (Packet, 6),
    ]  # fmt: skip
    assert found[0] == Noted(1, 1_000_500_000_000, b'{"type":"a"}')
    assert [item.comment for item in found if isinstance(item, Packet)] == ["said after it", None, None]


@pytest.mark.parametrize("make", [pcap, pcapng])
def test_a_cut_file_says_where(make: object) -> None:
    file = make(PACKETS)  # type: ignore[operator]
    found = read(file[:-5])
    assert [item.number for item in found[:-1]] == [1, 2, 3, 4, 5]  # type: ignore[attr-defined]
    assert isinstance(found[-1], Broken)
    assert found[-1].number == 5
    assert "cut inside" in found[-1].text


def test_a_spoiled_gzip_file_says_so() -> None:
    """Even where only the checksum at its end is wrong or missing."""
    packed = gzip.compress(pcap(PACKETS))
    for wrong, what in (
        (packed[:-4] + b"\0\0\0\1", "spoiled gzip"),
        (packed[:-8], "cut inside gzip"),
        (packed[:-20], "cut"),
    ):
        *found, last = read(wrong)
        assert isinstance(last, Broken)
        assert what in last.text
        assert found[:2] == read(pcap(PACKETS))[:2]


@pytest.mark.parametrize("make", [pcap, pcapng])
def test_behind_a_spoiled_record_reading_goes_on(make: object) -> None:
    file = make(PACKETS)  # type: ignore[operator]
    at = file.index(PACKETS[2].data) - 8
    spoiled = file[:at] + b"\xff" * 8 + file[at + 8 :]
    found = read(spoiled)
    datas = [item.data for item in found if isinstance(item, Packet)]
    assert [item.data for item in PACKETS[3:]] == datas[-3:]
    assert sum(isinstance(item, Broken) for item in found) >= 1


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"\x00" * 40, b"\x1f\x8b\x08\x00"])
def test_no_capture_is_told(data: bytes) -> None:
    with pytest.raises(CaptureError):
        read(data)
