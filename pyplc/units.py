"""Physical values and their wire form: an integer of 16 bits times a power of ten."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Self

LOWEST, HIGHEST = -32768, 32767
"""What the integer of a wire value holds."""


@lru_cache(maxsize=4096)
def scaled(value: float, finest: int = -3, coarsest: int = 3) -> tuple[int, int]:
    """(exponent, integer) nearest to `value` with the most precision that fits 16 bits; exact decimals stay exact.

    Trailing zeros are not kept: 400.0 is (0, 400). Raises OverflowError for a value out of range, ValueError for none.
    """
    for exponent in range(finest, coarsest + 1):
        number = round(value * 10**-exponent) if exponent <= 0 else round(value / 10**exponent)
        if LOWEST <= number <= HIGHEST:
            while number and exponent < 0 and number % 10 == 0:
                number //= 10
                exponent += 1
            return (exponent, number) if number else (0, 0)
    raise OverflowError(f"{value} does not fit a physical value")


def as_float(exponent: int, number: int) -> float:
    """number x 10^exponent, without float noise."""
    return float(number * 10**exponent) if exponent >= 0 else number / 10**-exponent


def spelled(value: float, unit: object) -> str:
    """A value and its unit for people."""
    text = f"{value:.10g}"
    return f"{text} {unit}" if unit is not None else text


class PhysicalValueArithmetic:
    """What a PhysicalValue (DIN 70121, ISO 15118-2) can do besides being one."""

    __slots__ = ()

    @classmethod
    def of(cls, value: float, unit: Any) -> Self:
        """The physical value nearest to `value` in `unit`."""
        multiplier, number = scaled(value)
        return cls(Multiplier=multiplier, Unit=unit, Value=number)  # type: ignore[call-arg]  # fields of the subclass

    def __float__(self) -> float:
        return as_float(self.Multiplier, self.Value)  # type: ignore[attr-defined]  # fields of the subclass

    @property
    def value(self) -> float:
        """The value in its unit."""
        return float(self)

    def brief(self, unit: str | None = None) -> str:
        """`399.9 V`; `unit` is what to say where the value itself names none."""
        own = self.Unit  # type: ignore[attr-defined]  # field of the subclass
        return spelled(self.value, getattr(own, "text", own) if own is not None else unit)


class RationalNumberArithmetic:
    """What a RationalNumber (ISO 15118-20) can do besides being one."""

    __slots__ = ()

    @classmethod
    def of(cls, value: float) -> Self:
        """The rational number nearest to `value`."""
        exponent, number = scaled(value)
        return cls(Exponent=exponent, Value=number)  # type: ignore[call-arg]  # fields of the subclass

    def __float__(self) -> float:
        return as_float(self.Exponent, self.Value)  # type: ignore[attr-defined]  # fields of the subclass

    @property
    def value(self) -> float:
        """The value in the unit of its element."""
        return float(self)

    def brief(self, unit: str | None = None) -> str:
        """`399.9 V`."""
        return spelled(self.value, unit)
