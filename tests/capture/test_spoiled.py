"""No capture, cut or spoiled at any byte, raises or hangs; what is whole is still read."""

from __future__ import annotations

import gzip
import io
import time
from functools import cache

import pytest
import reference
import worlds
from hypothesis import given, settings
from hypothesis import strategies as st
from making import load, numbered, pcap, pcapng

from pyplc.capture.events import Message
from pyplc.capture.files import CaptureError, Packet
from pyplc.capture.files import packets as read_packets
from pyplc.capture.output import SUFFIXES, Choice, Writer
from pyplc.capture.reader import read
from pyplc.record import Frame

KINDS = ("pcap", "pcapng", "pcap.gz", "pcapng.gz")
REAL = (
    "dsv2gshark/ISO-2_DC_PnC_TLS_Contract_DS5366_RiseV2G.pcapng",
    "dsv2gshark/ISO-20_TLS13_DC_DS5366_Josev.pcapng",
    "pyplc/2024-04-20_ModelY_pyPLC_stop_in_precharge.pcapng",
    "geynis/V2G_no_TLS.pcap",
)
HANGS_S = 10.0


@cache
def packets(name: str) -> list[Packet]:
    """The packets of a real capture (its end is cut off to keep tests short), or of a simulated session."""
    if name:
        return load(reference.path(f"captures/{name}"))[:130]
    records = worlds.session(frames=True).records
    frames = [record for record in records if isinstance(record, Frame) and record.side == "ev"]
    chosen = frames[:90] + frames[-20:]
    return numbered([Packet(0, round((1e9 + f.t) * 1e9), 1, f.data, 0, len(f.data)) for f in chosen])


@cache
def file(name: str, kind: str) -> bytes:
    made = (pcap if kind.startswith("pcap.") or kind == "pcap" else pcapng)(packets(name))
    return gzip.compress(made, mtime=0) if kind.endswith(".gz") else made


def survives(data: bytes) -> list[object]:
    """Every event in every form; only a file that is no capture at all is refused."""
    start = time.monotonic()
    events: list[object] = []
    writers = [Writer(form, xml=True) for form in SUFFIXES]
    choice = Choice(everything=True)
    try:
        for event in read(io.BytesIO(data)):
            assert choice(event)
            for writer in writers:
                writer(event)
            events.append(event)
    except CaptureError:
        pass
    assert time.monotonic() - start < HANGS_S
    return events


@st.composite
def wounds(draw: st.DrawFn, size: int) -> list[tuple[int, int, bytes]]:
    """Places, how many bytes are lost there, and what stands there instead."""
    spots = draw(st.lists(st.integers(0, size - 1), min_size=1, max_size=5))
    lost = st.sampled_from((0, 1, 1, 2, 4, 16, 300))
    return [(at, draw(lost), draw(st.binary(max_size=8))) for at in spots]


def spoiled(data: bytes, what: list[tuple[int, int, bytes]]) -> bytes:
    for at, lost, instead in what:
        data = data[:at] + instead + data[at + lost :]
    return data


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25, deadline=None)
@given(drawn=st.data())
def test_spoiled_anywhere(kind: str, drawn: st.DataObject) -> None:
    whole = file("", kind)
    survives(spoiled(whole, drawn.draw(wounds(len(whole)))))


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25, deadline=None)
@given(drawn=st.data())
def test_real_captures_spoiled_anywhere(kind: str, drawn: st.DataObject) -> None:
    whole = file(drawn.draw(st.sampled_from(REAL)), kind)
    survives(spoiled(whole, drawn.draw(wounds(len(whole)))))


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=400), magic=st.sampled_from((b"\xd4\xc3\xb2\xa1", b"\n\r\r\n", b"\x1f\x8b", b'{"')))
def test_noise_behind_a_right_beginning(data: bytes, magic: bytes) -> None:
    survives(magic + data)


@pytest.mark.parametrize("kind", ("pcap", "pcapng"))
def test_a_file_cut_at_each_byte_keeps_what_is_whole(kind: str) -> None:
    """Frames are read up to the cut, never one less, never one more."""
    few = packets("")[:8]
    whole = (pcap if kind == "pcap" else pcapng)(few)
    behind = 0 if kind == "pcap" else 4  # the length of a block stands behind it again
    ends: list[int] = []
    for item in few:
        end = whole.index(item.data, ends[-1] if ends else 0) + len(item.data)
        ends.append(end + (-len(item.data) % 4 + behind if behind else 0))
    for cut in range(24, len(whole)):
        got = [item for item in read_packets(io.BytesIO(whole[:cut])) if isinstance(item, Packet)]
        assert len(got) == sum(end <= cut for end in ends), cut


@pytest.mark.parametrize("kind", ("pcap", "pcapng"))
@settings(max_examples=25, deadline=None)
@given(drawn=st.data())
def test_a_spoiled_packet_costs_its_own_messages_only(kind: str, drawn: st.DataObject) -> None:
    """Bytes of one segment's payload are turned over: every message of the other segments is found."""
    items = packets("")
    wanted = [event for event in read(io.BytesIO(file("", kind))) if isinstance(event, Message)]
    frame = drawn.draw(st.sampled_from([m.frame for m in wanted]))
    data = bytearray(items[frame - 1].data)
    for at in drawn.draw(st.sets(st.integers(74, len(data) - 1), min_size=1, max_size=3)):
        data[at] ^= drawn.draw(st.integers(1, 255))
    spoiled_one = items[frame - 1]._replace(data=bytes(data))
    made = (pcap if kind == "pcap" else pcapng)([*items[: frame - 1], spoiled_one, *items[frame:]])
    found = [event for event in read(io.BytesIO(made)) if isinstance(event, Message)]
    assert {(m.frame, m.exi) for m in wanted if m.frame not in (frame, frame + 1)} <= {(m.frame, m.exi) for m in found}
