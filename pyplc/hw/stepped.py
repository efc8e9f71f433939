"""The stepped supply of DiDeBoCCS: isolated converters in series, each switched by a GPIO line, and a load relay.

It gives the highest sum of its converters that is not above what is asked for, and cannot regulate a current: for 0 A
all of them go off. The outlet's voltage is measured by an ADC of the board (a file of the kernel's IIO), as volts =
(part of full scale x reference - zero) x factor. There is no current sensor: what flows while the load is connected is
stated.
"""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path
from typing import Annotated, Any

import msgspec

from .driver import Context, Heard
from .gpio_lines import GpioLines, Line, Request
from .ports import UNREAD, DeviceError, Reading

LOOK_S = 0.05
AGAIN_S = 0.5
BELOW_ZERO_V = -20.0
"""The divider is not connected."""
Positive = Annotated[float, msgspec.Meta(gt=0)]


class ConverterSettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One converter."""

    line: Line
    voltage: Positive


def _didebocs() -> tuple[ConverterSettings, ...]:
    steps = {"P8_7": 225.0, "P8_9": 100.0, "P8_11": 50.0, "P8_15": 25.0, "P8_17": 12.0}
    return tuple(ConverterSettings(line=line, voltage=voltage) for line, voltage in steps.items())


class SteppedSettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The converters, the load, the measurement; the defaults are those of DiDeBoCCS on a BeagleBone."""

    chip: str = "/dev/gpiochip0"
    converters: Annotated[tuple[ConverterSettings, ...], msgspec.Meta(min_length=1, max_length=10)] = msgspec.field(
        default_factory=_didebocs
    )
    load: Line | None = "P8_18"
    load_current: Positive = 10.0
    """A, stated: what the load takes while it is connected."""
    max_current: Positive = 10.0
    max_power: Positive = 4000.0
    adc: str = "/sys/bus/iio/devices/iio:device0/in_voltage1_raw"
    full_scale: Positive = 4095.0
    reference: Positive = 1.8
    zero: float = 0.510
    """V at the ADC with nothing at the outlet."""
    factor: Positive = 386.0


class Stepped(Heard):
    """Supply and load."""

    summary = "the stepped converters of DiDeBoCCS on GPIO lines"
    Settings = SteppedSettings
    parts = {"charger": ("supply", "load")}
    extra = "gpio"
    limit_s = 0.5

    def __init__(self, settings: SteppedSettings, context: Context, request: Request | None = None) -> None:
        super().__init__(settings, context)
        outputs = {f"converter {c.line}": c.line for c in settings.converters}
        if settings.load is not None:
            outputs["load"] = settings.load
        self._lines = GpioLines(settings.chip, outputs, {}, request)
        self._sums = sums(tuple(c.voltage for c in settings.converters))
        self.steps: tuple[int, ...] = ()
        """Converters that are on."""
        self.load_closed = False
        self.measured = UNREAD
        self._trouble = "the lines were not taken yet"

    def part(self, name: str) -> Any:
        if name == "load" and self.settings.load is None:
            raise DeviceError(f"devices.{self.name}.load: missing; say which line is the load's relay")
        return SteppedSupply(self) if name == "supply" else SteppedLoad(self)

    def unheard(self) -> str:
        return self._trouble

    async def run(self) -> None:
        try:
            while True:
                try:
                    if not self._lines.open:
                        self._lines.acquire()
                    self._look()
                    self.push()
                except (OSError, ValueError, DeviceError) as error:
                    self._lost(str(error))
                    await asyncio.sleep(AGAIN_S)
                await asyncio.sleep(LOOK_S)
        finally:
            self._lines.release()

    async def close(self) -> None:
        self.steps, self.load_closed = (), False
        self.push()

    def fail(self, why: str) -> None:
        self.steps, self.load_closed = (), False
        super().fail(why)
        self.push()

    def order(self) -> None:
        """Switch now; DeviceError when the lines are lost."""
        self.push()
        self.check()

    def push(self) -> None:
        if not self._lines.open:
            return
        wanted = {f"converter {c.line}": n in self.steps for n, c in enumerate(self.settings.converters)}
        if self.settings.load is not None:
            wanted["load"] = self.load_closed
        try:
            self._lines.set(wanted)
        except OSError as error:
            self._lost(str(error))

    def choose(self, voltage: float) -> None:
        """The converters for a voltage."""
        self.steps = max((s for s in self._sums if s[0] <= voltage), default=(0.0, ()))[1]

    def _look(self) -> None:
        settings = self.settings
        counts = float(Path(settings.adc).read_text())
        volts = (counts / settings.full_scale * settings.reference - settings.zero) * settings.factor
        self._trouble = f"{volts:.0f} V measured: the divider is not connected"
        if volts > BELOW_ZERO_V and 0 <= counts < settings.full_scale:
            self.hear()
            self.measured = Reading(max(volts, 0.0), self.now())
        self.tell()

    def _lost(self, why: str) -> None:
        self._trouble = why
        self._lines.release()
        if self.heard is not None:
            self.heard = None
            self.fail(f"lost: {why}")


class SteppedSupply:
    """The converters as a supply."""

    def __init__(self, board: Stepped) -> None:
        settings = board.settings
        self._board = board
        steps = [c.voltage for c in settings.converters]
        self.max_voltage, self.min_voltage = sum(steps), min(steps)
        self.max_current, self.min_current, self.max_power = settings.max_current, 0.0, settings.max_power

    async def set(self, voltage: float, current: float) -> None:
        self._board.choose(voltage if current > 0 else 0.0)
        self._board.order()

    async def off(self) -> None:
        self._board.steps = ()
        self._board.order()

    @property
    def voltage(self) -> Reading:
        return self._board.measured

    @property
    def current(self) -> Reading:
        board = self._board
        return Reading(board.settings.load_current if board.load_closed else 0.0, board.measured.t)


class SteppedLoad:
    """The load's relay; it has no feedback."""

    def __init__(self, board: Stepped) -> None:
        self._board = board

    @property
    def closed(self) -> bool:
        return self._board.load_closed

    async def close(self) -> None:
        self._board.load_closed = True
        self._board.order()

    async def open(self) -> None:
        self._board.load_closed = False
        self._board.order()


def sums(voltages: tuple[float, ...]) -> list[tuple[float, tuple[int, ...]]]:
    """Every sum of some of the voltages with the numbers of those that make it."""
    numbers = range(len(voltages))
    some = itertools.chain.from_iterable(itertools.combinations(numbers, n) for n in range(len(voltages) + 1))
    return [(sum(voltages[n] for n in chosen), chosen) for chosen in some]


DRIVER = Stepped
