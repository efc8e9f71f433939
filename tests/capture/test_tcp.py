"""Reassembly: each byte once and in order, whatever segments did on the way; what is missing is a gap."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st
from making import ACK, EV, FIN, PSH, RST, SYN, events_of, messages_of, numbered, segment

from pyplc.capture.events import Change, Connection, Message
from pyplc.capture.files import Packet
from pyplc.capture.ip import parse
from pyplc.capture.tcp import CONNECTIONS, Flow, Reassembler

DATA = bytes(i * 7 & 0xFF for i in range(2000))
SETUP = bytes.fromhex("01fe800100000015809a02000000000000000011d01b703a84459c2000")


def through(items: list[Packet]) -> tuple[dict[str, bytes], list[tuple[Change, int]]]:
    """The bytes of the vehicle and the charger, and what happened besides; a gap is a `#`."""
    reassembler = Reassembler()
    found = {"ev": b"", "evse": b""}
    other: list[tuple[Change, int]] = []

    def take(flow: Flow, what: Change | None, data: bytes, missing: int, _: object) -> None:
        who = "ev" if flow.sender.port == EV[2] else "evse"
        if what is None:
            found[who] += data
            return
        other.append((what, missing))
        found[who] += b"#" if what is Change.GAP else b""

    for item in items:
        ip = parse(item.data, 14, 0x86DD)
        assert ip is not None
        key = ip.source + ip.destination + item.data[ip.start : ip.start + 4]
        for happening in reassembler.segment(key, item.data, ip.start, ip.end, item.ns):
            take(*happening)
    for happening in reassembler.finish():
        take(*happening)
    return found, other


def opened(seq: int = 0, peer: int = 0) -> list[Packet]:
    return [segment("ev", seq, flags=SYN, ack=0), segment("evse", peer, flags=SYN | ACK, ack=seq + 1)]


@settings(max_examples=150, deadline=None)
@given(
    cuts=st.sets(st.integers(1, len(DATA) - 1), max_size=20),
    again=st.lists(st.tuples(st.integers(0, len(DATA) - 1), st.integers(1, 400)), max_size=6),
    swaps=st.lists(st.integers(0, 30), max_size=10),
    start=st.sampled_from((0, 1000, 2**32 - 700, 2**32 - 1)),
)
@example(cuts={1}, again=[], swaps=[0], start=2**32 - 1)
def test_any_order_and_any_overlap_is_one_stream(
    cuts: set[int], again: list[tuple[int, int]], swaps: list[int], start: int
) -> None:
    edges = [0, *sorted(cuts), len(DATA)]
    parts = list(zip(edges, edges[1:], strict=False))
    for number, (at, size) in enumerate(again):
        parts.insert(number * 3, (at, min(at + size, len(DATA))))
    for at in swaps:
        at %= max(len(parts) - 1, 1)
        parts[at : at + 2] = reversed(parts[at : at + 2])
    items = [segment("ev", (start + 1 + a) & 0xFFFFFFFF, DATA[a:b], ms=i) for i, (a, b) in enumerate(parts)]
    found, other = through([*opened(start), *items])
    assert found["ev"] == DATA
    assert other == [(Change.OPEN, 0)]


def test_what_the_peer_acknowledged_and_the_capture_lacks_is_a_gap() -> None:
    lost = [segment("ev", 1, b"one"), segment("ev", 7, b"three", ms=2), segment("evse", 1, b"yes", ack=12, ms=3)]
    assert through([*opened(), *lost]) == (
        {"ev": b"one#three", "evse": b"yes"},
        [(Change.OPEN, 0), (Change.GAP, 3)],
    )


def test_without_acknowledgements_the_retransmission_is_waited_for() -> None:
    late = [segment("ev", 1, b"one"), segment("ev", 7, b"three", ms=2), segment("ev", 4, b"two", ms=900)]
    assert through([*opened(), *late])[0]["ev"] == b"onetwothree"
    never = [segment("ev", 1, b"one"), segment("ev", 7, b"three", ms=2), segment("ev", 12, b"four", ms=5000)]
    assert through([*opened(), *never])[0]["ev"] == b"one#threefour"
    assert through([*opened(), *never[:2]])[0]["ev"] == b"one#three"


def test_from_the_middle_and_to_the_end() -> None:
    middle = [segment("ev", 501, b"abc", ack=77), segment("evse", 77, b"def", ack=504, flags=ACK | PSH | FIN)]
    found, other = through(middle)
    assert found == {"ev": b"abc", "evse": b"def"}
    assert [what for what, _ in other] == [Change.MIDSTREAM, Change.CLOSE]


def test_the_same_ports_again_are_another_connection() -> None:
    first = [*opened(), segment("ev", 1, SETUP), segment("ev", 1 + len(SETUP), flags=RST)]
    second = [*opened(90_000, 5_000), segment("ev", 90_001, SETUP)]
    messages = messages_of(numbered([*first, *second]))
    assert [(m.session, m.connection) for m in messages] == [(1, 1), (2, 2)]
    changes = [e.change for e in events_of(numbered([*first, *second])) if isinstance(e, Connection)]
    assert changes == [Change.OPEN, Change.RESET, Change.OPEN]


def test_a_sequence_number_out_of_all_order_is_believed_when_the_next_goes_on_from_it() -> None:
    spoiled = [segment("ev", 1, b"one"), segment("ev", 0x60000000, b"xxx", ms=1), segment("ev", 4, b"two", ms=2)]
    assert through([*opened(), *spoiled])[0]["ev"] == b"onetwo"
    jumped = [segment("ev", 1, b"one"), segment("ev", 0x60000000, b"abc"), segment("ev", 0x60000003, b"def")]
    assert through([*opened(), *jumped])[0]["ev"] == b"one#def"


def test_a_short_snap_length_leaves_a_gap() -> None:
    cut = segment("ev", 1, DATA[:100])
    items = [*opened(), cut._replace(data=cut.data[:-40]), segment("ev", 101, b"more", ms=1)]
    assert through(items)[0]["ev"] == DATA[:60] + b"#more"


def test_memory_stays_when_connections_come_for_ever() -> None:
    reassembler = Reassembler()
    for number in range(CONNECTIONS + 500):
        frame = segment("ev", 0, flags=SYN, ports=(number % 60_000 + 1, 15118 + number // 60_000)).data
        ip = parse(frame, 14, 0x86DD)
        assert ip is not None
        reassembler.segment(ip.source + ip.destination + frame[54:58], frame, 54, ip.end, 0)
        assert len(reassembler._flows) <= 2 * CONNECTIONS


def test_a_long_session_is_not_forgotten_for_strangers_that_come_and_go() -> None:
    """A car that tries a second port every second, for hours: the session keeps its number and its schema."""
    items = [*opened(), segment("ev", 1, SETUP)]
    for number in range(2 * CONNECTIONS):
        ms = 1000 * number
        items.append(segment("ev", 0, flags=SYN, ports=(number % 60_000 + 1, 60918), ms=ms))
        if number % 1000 == 0:
            items.append(segment("ev", 1 + len(SETUP) * (1 + number // 1000), SETUP, ms=ms))
    found = messages_of(numbered(items))
    assert len(found) == 2 + 2 * CONNECTIONS // 1000
    assert {(m.session, m.connection) for m in found} == {(1, 1)}


def test_what_is_forgotten_is_told_to_its_end() -> None:
    items = [*opened(), segment("ev", 1, b"x"), segment("ev", 50, SETUP)]
    items += [segment("ev", 0, flags=SYN, ports=(number + 1, 60918), ms=9) for number in range(CONNECTIONS)]
    events = events_of(numbered(items))
    assert [(m.frame, m.name) for m in events if isinstance(m, Message)] == [(4, "SessionSetupReq")]
    assert events.index(next(m for m in events if isinstance(m, Message))) < len(events) - 1


def test_memory_of_early_data_is_bounded() -> None:
    """A hole that is never filled and a peer that is not in the capture: what is held is given up."""
    items = [*opened(), segment("ev", 1, b"a")]
    items += [segment("ev", 100 + 1000 * i, bytes(1000), ms=0) for i in range(400)]
    found, other = through(items)
    assert len(found["ev"]) == 1 + 1 + 400_000
    assert other[1:] == [(Change.GAP, 98)]
