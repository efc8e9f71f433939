"""What sounds add up to, and which charger is chosen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyplc.slac.attenuation import GROUPS, INVENTED, Heard, choose, mean, mean_profile

A, B, C = b"a" * 6, b"b" * 6, b"c" * 6


def test_mean_over_sounds_for_each_group() -> None:
    assert mean_profile([bytes([10]) * GROUPS, bytes([20]) * GROUPS]) == bytes([15]) * GROUPS


def test_without_groups_a_plausible_profile_is_invented() -> None:
    assert mean_profile([]) == mean_profile([b""]) == INVENTED
    assert len(INVENTED) == GROUPS
    assert mean(INVENTED) == pytest.approx(9.55, abs=0.01)


def test_a_mean_of_zero_counts_as_nothing_heard() -> None:
    assert mean(bytes(GROUPS)) is None
    assert mean(b"") is None


def test_the_lowest_attenuation_wins() -> None:
    assert choose({A: Heard(22.0, 10), B: Heard(9.0, 10), C: Heard(30.0, 10)}, 40.0) == B


def test_too_weak_nothing_heard_or_no_sounds_is_not_chosen() -> None:
    assert choose({A: Heard(41.0, 10), B: Heard(None, 10), C: Heard(5.0, 0)}, 40.0) is None


def test_equal_attenuation_is_decided_the_same_every_time() -> None:
    assert choose({B: Heard(9.0, 10), A: Heard(9.0, 10)}, 40.0) == A


@given(st.lists(st.binary(min_size=GROUPS, max_size=GROUPS), min_size=1, max_size=10))
def test_a_mean_lies_between_the_extremes(profiles: list[bytes]) -> None:
    for group, column in zip(mean_profile(profiles), zip(*profiles, strict=True), strict=True):
        assert min(column) <= group <= max(column)
