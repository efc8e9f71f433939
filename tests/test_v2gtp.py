"""V2GTP framing: any cutting of the stream gives the same messages; foreign bytes never raise anything else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyplc.v2gtp import Framer, Payload, PayloadType, V2gtpError, pack, unpack


def test_the_header() -> None:
    assert pack(PayloadType.EXI, b"\x80\x9a") == bytes.fromhex("01fe800100000002809a")
    assert unpack(bytes.fromhex("01fe8001 00000002 809a")) == (0x8001, b"\x80\x9a")


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        ("01fe80010000", "6 bytes, a V2GTP header has 8"),
        ("02fd800100000000", "begins 02 fd"),
        ("01fe800100000003809a", "announces 3 bytes of payload, 2 follow"),
    ],
)
def test_a_datagram_that_is_none(data: str, complaint: str) -> None:
    with pytest.raises(V2gtpError, match=complaint):
        unpack(bytes.fromhex(data))


payloads = st.lists(st.tuples(st.integers(0, 0xFFFF), st.binary(min_size=1, max_size=40)), max_size=8)


@given(payloads, st.data())
def test_any_cutting_gives_the_same_messages(messages: list[tuple[int, bytes]], data: st.DataObject) -> None:
    stream = b"".join(pack(kind, payload) for kind, payload in messages)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    framer, found, before = Framer(), [], 0
    for cut in [*cuts, len(stream)]:
        found += framer.feed(stream[before:cut])
        before = cut
    assert found == [Payload(*message) for message in messages]
    assert framer.pending == 0


@given(st.lists(st.binary(max_size=64), max_size=8))
def test_any_bytes_give_messages_or_the_own_error(chunks: list[bytes]) -> None:
    framer = Framer(max_payload=256)
    try:
        for chunk in chunks:
            framer.feed(chunk)
            assert framer.pending <= 256 + 8
    except V2gtpError:
        assert framer.pending == 0


def test_a_wrong_version_and_an_empty_payload_are_skipped_and_counted() -> None:
    framer = Framer()
    good = pack(PayloadType.EXI, b"good")
    wrong = b"\x02\xfd" + good[2:]
    assert framer.feed(wrong + pack(PayloadType.EXI, b"") + good) == [(0x8001, b"good")]
    assert framer.ignored == 2


def test_a_length_above_the_limit_cannot_be_followed() -> None:
    with pytest.raises(V2gtpError, match="announces 1001 bytes, the limit is 1000"):
        Framer(max_payload=1000).feed(bytes.fromhex("01fe8001000003e9"))
