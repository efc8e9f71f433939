"""V2GTP in a stream: in any pieces, behind foreign bytes, behind gaps, behind a spoiled length."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pyplc.capture.framing import LONGEST, Finder
from pyplc.v2gtp import Payload, pack

MESSAGES = [Payload(0x8001, bytes((0x80, i))) for i in range(5)] + [Payload(0x8004, b"\x80" + bytes(900))]
STREAM = b"".join(pack(*message) for message in MESSAGES)


@settings(max_examples=100, deadline=None)
@given(cuts=st.sets(st.integers(1, len(STREAM) - 1), max_size=12))
def test_in_any_pieces(cuts: set[int]) -> None:
    finder = Finder(in_step=True)
    edges = [0, *sorted(cuts), len(STREAM)]
    found = [p for a, b in zip(edges, edges[1:], strict=False) for p in finder.feed(STREAM[a:b])]
    assert found == MESSAGES


@settings(max_examples=100, deadline=None)
@given(start=st.integers(0, len(STREAM)))
def test_from_any_point_on(start: int) -> None:
    """The messages that begin behind the point are found."""
    begins = [len(b"".join(pack(*m) for m in MESSAGES[:i])) for i in range(len(MESSAGES))]
    wanted = [message for message, begin in zip(MESSAGES, begins, strict=True) if begin >= start]
    assert Finder(in_step=False).feed(STREAM[start:]) == wanted


@settings(max_examples=100, deadline=None)
@given(noise=st.binary(max_size=60))
def test_foreign_bytes_in_front(noise: bytes) -> None:
    found = Finder(in_step=False).feed(noise + STREAM)
    assert found[-len(MESSAGES) + 1 :] == MESSAGES[1:]


def test_behind_a_gap() -> None:
    finder = Finder(in_step=True)
    assert finder.feed(STREAM[:14]) == MESSAGES[:1]
    assert finder.gap() == 4
    assert finder.feed(STREAM[25:]) == MESSAGES[3:]
    assert finder.skipped == 5


def test_a_spoiled_length_costs_one_message() -> None:
    finder = Finder(in_step=True)
    first, second = pack(*MESSAGES[0]), pack(*MESSAGES[1])
    spoiled = first[:5] + b"\1" + first[6:]
    assert [p for part in (spoiled, second, second) for p in finder.feed(part)] == [MESSAGES[1], MESSAGES[1]]
    assert Finder(in_step=True).feed(b"\1\xfe\x80\1" + (LONGEST + 1).to_bytes(4, "big") + second) == [MESSAGES[1]]


def test_unknown_payload_types_are_kept_in_step_and_not_believed_out_of_step() -> None:
    strange = pack(0xA123, b"xyz")
    assert Finder(in_step=True).feed(strange + STREAM)[0] == Payload(0xA123, b"xyz")
    assert Finder(in_step=False).feed(b"??" + strange + STREAM) == MESSAGES
