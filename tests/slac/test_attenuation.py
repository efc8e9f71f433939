"""What sounds add up to, and which charger is chosen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyplc.slac.attenuation import GROUPS, INVENTED, LEAST, Heard, mean, mean_profile, rank

A, B, C = b"a" * 6, b"b" * 6, b"c" * 6


def test_mean_over_sounds_for_each_group() -> None:
    assert mean_profile([bytes([10]) * GROUPS, bytes([20]) * GROUPS]) == bytes([15]) * GROUPS


def test_without_groups_there_is_no_mean() -> None:
    assert mean_profile([]) is None and mean_profile([b""]) is None


def test_the_invented_profile_is_plausible() -> None:
    assert len(INVENTED) == GROUPS
    assert mean(INVENTED) == pytest.approx(9.55, abs=0.01)


def test_the_receive_path_is_taken_off() -> None:
    heard = [bytes([10]) * GROUPS, bytes([20]) * GROUPS]
    assert mean_profile(heard, (4.0,)) == bytes([11]) * GROUPS
    assert mean_profile(heard, tuple(range(GROUPS))) == bytes(max(0, 15 - group) for group in range(GROUPS))
    assert mean_profile(heard, (5.0, 2.0)) == bytes([10, 13]) + bytes([15]) * (GROUPS - 2)


def test_a_correction_never_reports_nothing_heard() -> None:
    assert mean_profile([bytes([10]) * GROUPS], (30.0,)) == LEAST
    assert mean_profile([bytes(GROUPS)]) == bytes(GROUPS)


def test_a_profile_of_another_length_is_left_out() -> None:
    assert mean_profile([b"\x0a\x0a", b"\x14\x14", b"\xff"]) == b"\x0f\x0f"


def test_a_mean_of_zero_counts_as_nothing_heard() -> None:
    assert mean(bytes(GROUPS)) is None
    assert mean(b"") is None


def test_the_lowest_attenuation_comes_first() -> None:
    assert rank({A: Heard(22.0, 10), B: Heard(9.0, 10), C: Heard(30.0, 10)}, 40.0) == [(B, 9.0), (A, 22.0), (C, 30.0)]


def test_too_weak_nothing_heard_or_no_sounds_is_not_chosen() -> None:
    assert rank({A: Heard(41.0, 10), B: Heard(None, 10), C: Heard(5.0, 0)}, 40.0) == []


def test_the_offset_is_taken_off_before_anything_is_compared() -> None:
    assert rank({A: Heard(41.0, 10), B: Heard(44.0, 10)}, 40.0, 3.0) == [(A, 38.0)]


def test_equal_attenuation_is_decided_the_same_every_time() -> None:
    assert rank({B: Heard(9.0, 10), A: Heard(9.0, 10)}, 40.0)[0][0] == A


@given(st.lists(st.binary(min_size=GROUPS, max_size=GROUPS), min_size=1, max_size=10))
def test_a_mean_lies_between_the_extremes(profiles: list[bytes]) -> None:
    found = mean_profile(profiles)
    assert found is not None
    for group, column in zip(found, zip(*profiles, strict=True), strict=True):
        assert min(column) <= group <= max(column)
