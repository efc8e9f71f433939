"""What every driver of a device is: parts for the ports of `ports.py`, a task, and an age beyond which it is lost.

A module of a driver declares one subclass of `Driver`; `registry.py` finds it by name. What it offers is in `parts`,
its keys of the TOML in `Settings`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NamedTuple

import msgspec

from ..plant.plant import Plant
from ..record import Record
from .ports import DeviceError, StaleReading

Note = Callable[[str, str], None]
"""Told what happened to a device: text, level ("info", "warning", "error")."""

Press = Callable[[str], object]
"""Ends the session in order; told why."""


class NoSettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """This device has no settings."""


class Context(NamedTuple):
    """What a driver is made with: its name in the file, the role ("vehicle", "charger"), the simulated plant."""

    name: str
    role: str
    plant: Callable[[], Plant]


class Driver:
    """One device. `run` lives as long as the station; `check` says when the device can no longer be believed."""

    summary: ClassVar[str] = ""
    """One line for the manual."""
    Settings: ClassVar[type[msgspec.Struct]] = NoSettings
    parts: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """Role -> names of the ports it can be: what `part` answers."""
    extra: ClassVar[str | None] = None
    """The extra of the package that has its library."""
    real: ClassVar[bool] = True
    """It switches or measures something outside this process."""
    measures: ClassVar[bool] = True
    """What it shows was measured, not stated or told by the other side."""
    limit_s: float = 1.0
    """Silent for longer than this, it is lost."""
    patience_s: float = 10.0
    """How long `ready` waits for its first word."""

    def __init__(self, settings: Any, context: Context) -> None:
        self.settings = settings
        self.context = context
        self.name = context.name
        self.note: Note = lambda text, level: None
        self.press: Press = lambda reason: None
        """Somebody pressed the stop button."""
        self.reads = False
        """It is told each record."""
        self.heard: float | None = None
        """When it said something valid last, loop time."""
        self.failed: str | None = None
        """Why it cannot be used until its station has come to rest; None while it can."""
        self.testing = False
        """Outputs are tried with nothing plugged in: a board that needs a pilot for its relays does without."""
        self._waiters: list[asyncio.Future[None]] = []

    def part(self, name: str) -> Any:
        """The object that is this port; asked only for names in `parts`."""
        raise NotImplementedError

    async def run(self) -> None:
        """Hold the line to the device; never returns, never raises for what a device does."""
        await asyncio.Event().wait()

    async def ready(self) -> None:
        """Wait until the device has spoken; DeviceError after `patience_s`. Forgets what had failed before."""
        self.failed = None

    async def close(self) -> None:
        """Leave the device in its safe state."""

    def imagine(self, voltage: float, current: float) -> None:
        """Told what the other side reports or asks: V, A. Devices that have no line to measure follow it."""

    def read(self, record: Record) -> None:
        """Told each record of the session, where `reads` is set."""

    def check(self) -> None:
        """Raises DeviceError when the device failed or went silent."""
        if self.failed:
            raise DeviceError(f"{self.name}: {self.failed}")

    # for subclasses

    def hear(self) -> None:
        """Something valid came from the device."""
        self.heard = self.now()

    def fail(self, why: str) -> None:
        """The device cannot be believed; the first reason counts."""
        if self.failed is None:
            self.failed = why
            self.note(f"{self.name}: {why}", "error")
        self.tell()

    def tell(self) -> None:
        """Wake everybody who waits for a change."""
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def changed(self) -> None:
        """Wait for the next `tell`; DeviceError when the device is lost."""
        self.check()
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        await waiter
        self.check()

    async def until(self, reached: Callable[[], bool], seconds: float, complaint: str) -> None:
        """Wait until the device confirms; DeviceError with the complaint after `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                while not reached():
                    await self.changed()
        except TimeoutError:
            raise DeviceError(f"{self.name}: {complaint}") from None

    @staticmethod
    def now() -> float:
        return asyncio.get_running_loop().time()


class Heard(Driver):
    """A device that speaks by itself: silence is noticed."""

    def check(self) -> None:
        super().check()
        if self.heard is None:
            raise StaleReading(f"{self.name}: nothing heard yet")
        if (age := self.now() - self.heard) > self.limit_s:
            raise StaleReading(f"{self.name}: silent for {age:.1f} s, at most {self.limit_s:g} s are safe")

    async def ready(self) -> None:
        self.failed = None
        try:
            async with asyncio.timeout(self.patience_s):
                while not self.alive:
                    waiter = asyncio.get_running_loop().create_future()
                    self._waiters.append(waiter)
                    await waiter
        except TimeoutError:
            raise DeviceError(f"{self.name}: {self.unheard()}") from None
        self.failed = None

    @property
    def alive(self) -> bool:
        """It spoke lately."""
        return self.heard is not None and self.now() - self.heard <= self.limit_s

    def unheard(self) -> str:
        """Why nothing was heard, for people."""
        return f"nothing heard for {self.patience_s:g} s"
