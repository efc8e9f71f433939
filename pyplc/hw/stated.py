"""Devices that are not there, said openly: no lock, a load with stated figures, a voltage that the charger reports."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import msgspec

from .driver import Context, Driver
from .ports import UNREAD, Reading

Positive = Annotated[float, msgspec.Meta(gt=0)]


class NoDevice(Driver):
    """A lock that is not there counts as locked when asked to: it is the user who must not pull."""

    summary = "no lock: the connector is not held"
    parts = {"vehicle": ("lock",)}
    real = False

    def __init__(self, settings: Any, context: Context) -> None:
        super().__init__(settings, context)
        self.locked = False

    def part(self, name: str) -> NoDevice:
        return self

    async def lock(self) -> None:
        self.note("there is no connector lock: do not pull the connector while charging", "warning")
        self.locked = True

    async def unlock(self) -> None:
        self.locked = False


class LoadSettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What is connected instead of a battery."""

    voltage: Positive = 230.0
    """V, what pre-charge goes to."""
    max_voltage: Positive = 270.0
    """V, what is asked for while charging."""
    max_current: Positive = 2.0
    """A."""
    capacity_wh: Positive = 20_000.0
    soc_percent: Annotated[float, msgspec.Meta(ge=0, le=100)] = 20.0
    """Told to the charger at the start; it rises with the energy that was reported."""
    percent_per_s: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    """Rises by so much besides, to show a whole session."""


class Load(Driver):
    """A light bulb or resistor: it has no voltage of its own, so its figures are stated."""

    summary = "a light bulb or resistor instead of a battery, with stated figures"
    Settings = LoadSettings
    parts = {"vehicle": ("battery",)}
    measures = False

    def __init__(self, settings: LoadSettings, context: Context) -> None:
        super().__init__(settings, context)
        self.capacity_wh, self.max_voltage = settings.capacity_wh, settings.max_voltage
        self.max_current = settings.max_current
        self._soc = settings.soc_percent
        self._told: float | None = None

    def part(self, name: str) -> Load:
        return self

    async def ready(self) -> None:
        await super().ready()
        self._told = None

    @property
    def voltage(self) -> Reading:
        return Reading(self.settings.voltage, self.now())

    @property
    def soc_percent(self) -> float:
        return min(self._soc, 100.0)

    def imagine(self, voltage: float, current: float) -> None:
        now = self.now()
        if self._told is not None and current > 0:
            step = now - self._told
            self._soc += voltage * current * step / 36 / self.capacity_wh + self.settings.percent_per_s * step
        self._told = now


class Reported(Driver):
    """The inlet's voltage as the charger reports it: nothing is measured."""

    summary = "believes the voltage that the charger reports"
    parts = {"vehicle": ("inlet",)}
    measures = False

    def __init__(self, settings: Any, context: Context) -> None:
        super().__init__(settings, context)
        self._newest = UNREAD

    def part(self, name: str) -> Reported:
        return self

    async def ready(self) -> None:
        await super().ready()
        self._newest = UNREAD  # the last session's charger is gone

    @property
    def voltage(self) -> Reading:
        if self._newest == UNREAD:  # nothing was reported yet, and nothing was switched on
            return Reading(0.0, asyncio.get_running_loop().time())
        return self._newest

    def imagine(self, voltage: float, current: float) -> None:
        self._newest = Reading(voltage, self.now())


DRIVERS = {"none": NoDevice, "load": Load, "reported": Reported}
