"""GPIO lines by what they do: outputs and inputs of one or more chips, through libgpiod 2 (Linux).

A line is its number or its name, `17` or `"P9_41"`; `"gpiochip1:17"` is on another chip, and `"!17"` is active low.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, NamedTuple

import msgspec

from .ports import DeviceError

LinePattern = r"^!?([\w/]+:)?\w+$"
Line = Annotated[int, msgspec.Meta(ge=0)] | Annotated[str, msgspec.Meta(pattern=LinePattern)]
Request = Callable[..., Any]
"""`gpiod.request_lines`, or that of an emulated chip."""


class Spec(NamedTuple):
    """A line as it is asked for."""

    chip: str
    line: int | str
    active_low: bool


def spec(line: int | str, chip: str) -> Spec:
    """Take a line of the settings apart."""
    if isinstance(line, int):
        return Spec(chip, line, False)
    low, rest = line.startswith("!"), line.removeprefix("!")
    where, _, name = rest.rpartition(":")
    if where and not where.startswith("/"):
        where = f"/dev/{where}"
    return Spec(where or chip, int(name) if re.fullmatch(r"\d+", name) else name, low)


class GpioLines:
    """The lines, held while open. Everything raises OSError when the chip is not there."""

    def __init__(
        self,
        chip: str,
        outputs: Mapping[str, int | str],
        inputs: Mapping[str, int | str],
        request: Request | None = None,
    ) -> None:
        self._outputs = {name: spec(line, chip) for name, line in outputs.items()}
        self._inputs = {name: spec(line, chip) for name, line in inputs.items()}
        taken: dict[tuple[str, int | str], str] = {}
        for name, one in (self._outputs | self._inputs).items():
            if (other := taken.setdefault((one.chip, one.line), name)) != name:
                raise DeviceError(f"line {one.line} of {one.chip} cannot be both {other} and {name}")
        self._request = request
        self._held: dict[str, Any] = {}
        self._values: Any = None

    @property
    def open(self) -> bool:
        return bool(self._held)

    def acquire(self) -> None:
        """Take the lines; outputs begin inactive."""
        try:
            from gpiod import LineSettings, request_lines
            from gpiod.line import Direction, Value
        except ImportError:
            raise DeviceError("GPIO needs the extra `gpio`: pip install 'pyplc[gpio]'") from None
        request = self._request or request_lines
        self._values = Value
        everything = [*((o, Direction.OUTPUT) for o in self._outputs.values()),
                      *((i, Direction.INPUT) for i in self._inputs.values())]  # fmt: skip
        try:
            for chip in dict.fromkeys(one.chip for one, _ in everything):
                config: Any = {
                    one.line: LineSettings(direction=direction, active_low=one.active_low, output_value=Value.INACTIVE)
                    for one, direction in everything
                    if one.chip == chip
                }
                self._held[chip] = request(chip, consumer="pyplc", config=config)
        except (OSError, ValueError) as error:
            self.release()
            raise OSError(f"{chip}: {error}") from None

    def set(self, wanted: Mapping[str, bool]) -> None:
        """Switch outputs by name."""
        by_chip: dict[str, dict[int | str, Any]] = {}
        for name, active in wanted.items():
            one = self._outputs[name]
            by_chip.setdefault(one.chip, {})[one.line] = self._values.ACTIVE if active else self._values.INACTIVE
        for chip, values in by_chip.items():
            self._held[chip].set_values(values)

    def get(self) -> dict[str, bool]:
        """Every input by name."""
        return {
            name: self._held[one.chip].get_value(one.line) == self._values.ACTIVE for name, one in self._inputs.items()
        }

    def release(self) -> None:
        """Give the lines back."""
        for request in self._held.values():
            try:
                request.release()
            except OSError:
                pass  # the chip is gone, and its lines with it
        self._held.clear()
