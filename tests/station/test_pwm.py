"""The duty cycle and its current: figures of IEC 61851-1 and properties."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyplc.station.pwm import allowed_current, duty_for


@pytest.mark.parametrize(
    ("duty", "current"),
    [
        (0, 0),
        (2.9, 0),
        (5, None),
        (7, None),
        (7.5, 0),
        (8, 6),
        (10, 6),
        (16, 9.6),
        (50, 30),
        (85, 51),
        (90, 65),
        (96, 80),
    ],
)
def test_the_figures_of_the_standard(duty: float, current: float | None) -> None:
    assert allowed_current(duty) == (None if current is None else pytest.approx(current))


@pytest.mark.parametrize(
    ("current", "duty"), [(5.9, None), (6, 10), (10, 100 / 6), (16, 160 / 6), (32, 320 / 6), (63, 89.2)]
)
def test_the_duty_for_a_current(current: float, duty: float | None) -> None:
    assert duty_for(current) == (None if duty is None else pytest.approx(duty))


@given(st.floats(min_value=6, max_value=80))
def test_there_and_back_is_never_more(current: float) -> None:
    duty = duty_for(current)
    assert duty is not None
    allowed = allowed_current(duty)
    assert allowed is not None
    assert current - 1.5 <= allowed <= current + 1e-6  # between 51 and 52.5 A two formulas meet


@given(st.floats(min_value=0, max_value=100))
def test_no_duty_allows_more_than_80_amperes(duty: float) -> None:
    allowed = allowed_current(duty)
    assert allowed is None or 0 <= allowed <= 80
