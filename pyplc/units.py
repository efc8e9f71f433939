"""Physical values and their wire form: value x 10^multiplier, with a short for the value."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Self

POWERS = {m: 10.0**m for m in range(-3, 4)}
LIMIT = 32767


@lru_cache(maxsize=4096)
def scaled(value: float) -> tuple[int, int]:
    """(multiplier, integer) nearest to `value` with the most precision that fits a short; exact decimals stay exact.

    Trailing zeros are not kept: 400.0 is (0, 400). Values out of range raise OverflowError.
    """
    for multiplier in range(-3, 4):
        number = round(value * 10**-multiplier) if multiplier <= 0 else round(value / 10**multiplier)
        if -LIMIT - 1 <= number <= LIMIT:
            while multiplier < 0 and number % 10 == 0:
                number //= 10
                multiplier += 1
            return multiplier, number
    raise OverflowError(f"{value} does not fit a physical value")


class PhysicalValueArithmetic:
    """What a PhysicalValue can do besides being one."""

    __slots__ = ()

    @classmethod
    def of(cls, value: float, unit: Any) -> Self:
        """The physical value nearest to `value` in `unit`."""
        multiplier, number = scaled(value)
        return cls(Multiplier=multiplier, Unit=unit, Value=number)  # type: ignore[call-arg]

    def __float__(self) -> float:
        multiplier: int = self.Multiplier  # type: ignore[attr-defined]
        number: int = self.Value  # type: ignore[attr-defined]
        return float(number * 10**multiplier) if multiplier >= 0 else number / 10**-multiplier
