"""The real firmware in simavr: built here, run by `firmware/simulate.c`, its pins coupled to a plant."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from pyplc.hw.ports import PilotState
from pyplc.plant.plant import Plant

FIRMWARE = Path(__file__).parents[1] / "firmware"
COUPLED_S = 0.01
OHM = {PilotState.A: "open", PilotState.B: "2740", PilotState.C: "882", PilotState.D: "246"}


@functools.cache
def why_not() -> str | None:
    """Why the firmware cannot be built or run here; None when it can."""
    for tool, package in (("make", "make"), ("avr-gcc", "gcc-avr avr-libc"), ("gcc", "gcc libc6-dev")):
        if shutil.which(tool) is None:
            return f"no {tool}: apt install {package}"
    there = 'int main(void){avr_make_mcu_by_name("atmega328p");}'
    code = f"#include <simavr/sim_avr.h>\n#include <libelf.h>\n{there}\n"
    build = ["gcc", "-x", "c", "-", "-o", "/dev/null", "-lsimavr", "-lelf"]
    if subprocess.run(build, input=code.encode(), capture_output=True).returncode:
        return "no simavr: apt install libsimavr-dev libelf-dev"
    return None


@functools.cache
def built() -> Path:
    """The folder with both ELF files and the simulator; skips where there are no tools for them."""
    if reason := why_not():
        pytest.skip(reason)
    done = subprocess.run(["make", "-C", str(FIRMWARE), "simulate"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return FIRMWARE / "build"


class Event(NamedTuple):
    """A change of the board's outputs; times in ms of the board."""

    t: int
    heard: int
    relays: int
    state: str
    duty: int
    lock: str
    locked: bool
    armed: bool
    resets: int


class Simavr:
    """One board; `run` keeps it, and couples it to a plant if there is one."""

    def __init__(self, role: str, port: Path, plant: Plant | None = None) -> None:
        self.role, self.port = role, port
        self.emergency = False
        self.events: list[Event] = []
        self._folder = built()
        self._plant = plant
        self._process: asyncio.subprocess.Process | None = None
        self._told: dict[str, str] = {}
        self._changed = asyncio.Event()

    @property
    def now(self) -> Event:
        return self.events[-1]

    async def started(self) -> None:
        """Wait until the port is there."""
        async with asyncio.timeout(10):
            while not self.events:
                self._changed.clear()
                await self._changed.wait()

    def set(self, **world: object) -> None:
        """Set something in the board's world: `inlet=400.0`, `load="open"`."""
        for name, value in world.items():
            self.command(f"{name} {value}")

    def command(self, line: str) -> None:
        assert self._process is not None and self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")

    def reset(self) -> None:
        self.command("reset")

    async def until(self, reached: Callable[[Event], bool], seconds: float = 40.0) -> Event:
        """The first event from now on, or the present one, that is meant."""
        async with asyncio.timeout(seconds):
            while not self.events or not reached(self.now):
                self._changed.clear()
                await self._changed.wait()
        return self.now

    async def run(self) -> None:
        elf = self._folder / f"{self.role}.elf"
        pipe = asyncio.subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(
            self._folder / "simulate", self.role, elf, self.port, stdin=pipe, stdout=pipe
        )
        couple = asyncio.ensure_future(self._couple())
        try:
            assert self._process.stdout is not None
            async for line in self._process.stdout:
                if line.startswith(b"t="):
                    self._heard(line.decode())
        finally:
            couple.cancel()
            await asyncio.gather(couple, return_exceptions=True)
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
            self.port.unlink(missing_ok=True)

    def _heard(self, line: str) -> None:
        fields = dict(word.split("=") for word in line.split())
        t, heard, relays, duty, resets = (int(fields[name]) for name in ("t", "heard", "relays", "duty", "resets"))
        event = Event(
            t,
            heard,
            relays,
            fields["state"],
            duty,
            fields["lock"],
            fields["locked"] == "1",
            fields["armed"] == "1",
            resets,
        )
        self.events.append(event)
        self._changed.set()
        if self._plant is not None:
            (self._vehicle if self.role == "vehicle" else self._charger)(self._plant, event)

    def _vehicle(self, plant: Plant, event: Event) -> None:
        state = PilotState(event.state)
        if plant.pilot.asked not in (PilotState.A, state):
            plant.pilot.set_vehicle(state)
        if event.relays & 1 and not plant.circuit.vehicle_closed:
            plant.now().close_vehicle()
        elif not event.relays & 1 and plant.circuit.vehicle_closed:
            plant.now().open_vehicle()
        plant.locked = event.locked

    def _charger(self, plant: Plant, event: Event) -> None:
        view = plant.pilot.charger_view()
        if event.duty == 0:
            if view.state is not PilotState.F:
                plant.pilot.set_fault()
        else:
            duty = None if event.duty == 1000 else event.duty / 10
            if view.state is PilotState.F or view.duty_percent != duty:
                plant.pilot.set_duty(duty)
        plant.now().outlet_closed = bool(event.relays & 1)

    async def _couple(self) -> None:
        while self._plant is not None:
            circuit, pilot = self._plant.now(), self._plant.pilot
            if self.role == "vehicle":
                view = pilot.charger_view()
                duty = "steady" if view.duty_percent is None else f"{view.duty_percent * 10:.0f}"
                self._tell("plugged", "0" if pilot.asked is PilotState.A else "1")
                self._tell("pilot", "fault" if view.state is PilotState.F else duty)
                self._tell("inlet", f"{circuit.inlet_voltage:.1f}")
            else:
                self._tell("load", OHM[pilot.asked])
                self._tell("inlet", f"{circuit.outlet_voltage:.1f}")
            self._tell("emergency", f"{self.emergency:d}")
            self._tell("jam", f"{self._plant.lock_stuck:d}")
            self._tell("stuck", f"{self._plant.contactor_stuck_open:d}")
            self._tell("weld", f"{self._plant.contactor_welded:d}")
            await asyncio.sleep(COUPLED_S)

    def _tell(self, name: str, value: str) -> None:
        if self._told.get(name) != value:
            self._told[name] = value
            self.command(f"{name} {value}")
