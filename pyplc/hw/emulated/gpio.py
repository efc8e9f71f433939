"""An emulated GPIO chip with the interface of gpiod, and what hangs on its lines, on a plant."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...plant.plant import Plant
from ..gpio import GpioSettings
from ..gpio_lines import spec
from ..ports import PilotState
from ..stepped import SteppedSettings

MEASURES_S = 0.02


class FakeChip:
    """`request_lines` is that of gpiod. `levels` are what a voltmeter shows, by line; `gone`: the chip is not there.

    `changed` is called when a level of an output changed.
    """

    def __init__(self) -> None:
        self.levels: dict[int | str, bool] = {}
        self.gone = False
        self.changed: Callable[[], None] = lambda: None

    def request_lines(self, path: str, consumer: str, config: dict[int | str, Any]) -> FakeRequest:
        if self.gone:
            raise FileNotFoundError(2, "No such file or directory", path)
        return FakeRequest(self, config)


class FakeRequest:
    """Lines that are held."""

    def __init__(self, chip: FakeChip, config: dict[int | str, Any]) -> None:
        from gpiod.line import Direction, Value

        self._chip, self._config, self._value = chip, config, Value
        outputs = {line: s.output_value for line, s in config.items() if s.direction is Direction.OUTPUT}
        self.set_values(outputs)
        for line, settings in config.items():
            if settings.direction is Direction.INPUT:
                chip.levels.setdefault(line, settings.active_low)

    def set_values(self, values: dict[int | str, Any]) -> None:
        self._alive()
        before = dict(self._chip.levels)
        for line, value in values.items():
            self._chip.levels[line] = (value is self._value.ACTIVE) is not self._config[line].active_low
        if before != self._chip.levels:
            self._chip.changed()

    def get_value(self, line: int | str) -> Any:
        self._alive()
        active = self._chip.levels[line] is not self._config[line].active_low
        return self._value.ACTIVE if active else self._value.INACTIVE

    def release(self) -> None:
        self._alive()

    def _alive(self) -> None:
        if self._chip.gone:
            raise OSError(19, "No such device")


class EmulatedGpio:
    """Relays, a lock motor and feedback on the lines of `hw/gpio.py`.

    Faults: those of the plant, and `stuck`: inputs that show something else, by their name in the settings.
    """

    def __init__(self, plant: Plant, role: str, settings: GpioSettings, chip: FakeChip) -> None:
        self.stuck: dict[str, bool] = {}
        self._plant, self._role, self._settings, self._chip = plant, role, settings, chip
        chip.changed = self._switched

    def active(self, line: int | str) -> bool:
        """Whether a line is active."""
        one = spec(line, self._settings.chip)
        return self._chip.levels.get(one.line, one.active_low) is not one.active_low

    def _switched(self) -> None:
        settings, plant = self._settings, self._plant
        if settings.state_c is not None:
            plant.pilot.set_vehicle(PilotState.C if self.active(settings.state_c) else PilotState.B)
        if settings.contactors:
            self._contactors(all(self.active(line) for line in settings.contactors))
        if plant.lock_stuck or not settings.lock:
            return
        if len(settings.lock) == 1 or self.active(settings.lock[0]) or self.active(settings.lock[1]):
            plant.locked = self.active(settings.lock[0])

    def _contactors(self, closed: bool) -> None:
        if self._role == "charger":
            self._plant.now().outlet_closed = closed
        else:
            self._plant.switch_vehicle(closed)

    async def run(self) -> None:
        """Show the inputs."""
        while True:
            circuit, plant = self._plant.now(), self._plant
            shown = {
                "contactor_feedback": circuit.vehicle_closed if self._role == "vehicle" else circuit.outlet_closed,
                "lock_feedback": plant.locked,
                "plugged": plant.pilot.vehicle_view().state is not PilotState.A,
            }
            for name, value in {**shown, **self.stuck}.items():
                if (line := getattr(self._settings, name)) is not None:
                    one = spec(line, self._settings.chip)
                    self._chip.levels[one.line] = value is not one.active_low
            await asyncio.sleep(MEASURES_S)


class EmulatedStepped:
    """Converters, load relay and ADC of `hw/stepped.py`; the ADC's file is that of the settings."""

    def __init__(self, plant: Plant, settings: SteppedSettings, chip: FakeChip) -> None:
        self.stuck: float | None = None
        """Volts that the ADC shows instead."""
        self._plant, self._settings, self._chip = plant, settings, chip
        chip.changed = self._switched
        self._measure()

    def _switched(self) -> None:
        levels, circuit = self._chip.levels, self._plant.now()
        volts = sum(c.voltage for c in self._settings.converters if levels.get(c.line))
        circuit.set_supply(volts, self._settings.max_current if volts else 0.0)
        if self._settings.load is not None:
            circuit.load_closed = levels.get(self._settings.load, False)

    def _measure(self) -> None:
        settings = self._settings
        volts = self._plant.now().outlet_voltage if self.stuck is None else self.stuck
        counts = (volts / settings.factor + settings.zero) / settings.reference * settings.full_scale
        Path(settings.adc).write_text(f"{counts:.0f}\n")

    async def run(self) -> None:
        while True:
            self._measure()
            await asyncio.sleep(MEASURES_S)
