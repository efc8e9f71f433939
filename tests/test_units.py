"""Values to wire form: exact where decimals allow, most precision else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyplc.units import scaled
from pyplc.v2g.din.messages import PhysicalValue, unitSymbol
from pyplc.v2g.iso20.types import RationalNumber


@pytest.mark.parametrize(
    ("value", "wire"),
    [
        (0, (0, 0)),
        (400, (0, 400)),
        (399.9, (-1, 3999)),
        (32767, (0, 32767)),
        (32768, (1, 3277)),
        (350000, (2, 3500)),
        (-0.005, (-3, -5)),
        (0.1 + 0.2, (-1, 3)),
    ],
)
def test_scaled(value: float, wire: tuple[int, int]) -> None:
    exponent, number = scaled(value)
    assert number * 10.0**exponent == pytest.approx(wire[1] * 10.0 ** wire[0], rel=1e-4)
    if value < 32768:
        assert (exponent, number) == wire


def test_too_large() -> None:
    with pytest.raises(OverflowError):
        scaled(4e7)


@given(st.floats(-30_000_000, 30_000_000))
def test_nearest(value: float) -> None:
    exponent, number = scaled(value)
    assert abs(number * 10.0**exponent - value) <= 0.5 * 10.0**exponent + 1e-6 or abs(value) < 1e-3


def test_physical_value() -> None:
    value = PhysicalValue.of(399.9, unitSymbol.V)
    assert (float(value), value.value, value.brief()) == (399.9, 399.9, "399.9 V")
    assert RationalNumber.of(22.5).brief("A") == "22.5 A"
