"""Whole towers whose one side has a driver and the emulated device at the far end of its wire."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import worlds

from pyplc import clock
from pyplc.config import SimSettings
from pyplc.hw.bundles import ChargerDevices, VehicleDevices
from pyplc.hw.compose import Hardware
from pyplc.hw.driver import Context, Driver
from pyplc.hw.simulated import charger_devices, vehicle_devices
from pyplc.plant.plant import Plant
from pyplc.record import Checkpoint, Note, Record, Recorder, Side, Summary
from pyplc.simulation import World


@dataclass
class Bench:
    """The world, the driver under test, what is at the far end, and what was seen."""

    plant: Plant
    driver: Any
    device: Any
    line: Any
    world: World = None  # type: ignore[assignment]  # made after the devices
    records: list[Record] = field(default_factory=list)
    summaries: dict[Side, Summary] = field(default_factory=dict)
    disturbed_at: float = 0.0
    contactors_opened_at: float | None = None

    def notes(self) -> str:
        return "\n".join(r.text for r in self.records if isinstance(r, Note))

    def at(self, side: Side, number: int) -> float:
        return next(r.t for r in self.records if isinstance(r, Checkpoint) and (r.side, r.number) == (side, number))


Make = Callable[[Plant], tuple[Driver, Any, Any]]
"""Driver, emulated device, its line."""


def context(role: str, plant: Plant, name: str = "board") -> Context:
    return Context(name, role, lambda: plant)


def vehicle_on(driver: Driver, plant: Plant) -> Hardware:
    """A vehicle's hardware: what the driver can, the rest on the plant."""
    return _on(driver, plant, "vehicle", VehicleDevices, vehicle_devices(plant))


def charger_on(driver: Driver, plant: Plant) -> Hardware:
    return _on(driver, plant, "charger", ChargerDevices, charger_devices(plant))


def _on(driver: Driver, plant: Plant, role: str, kind: type[Any], simulated: Any) -> Hardware:
    for part in driver.parts[role]:
        if part in kind.__dataclass_fields__:
            setattr(simulated, part, driver.part(part))
    return Hardware(simulated, {driver.name: driver})


async def hold(
    side: Side,
    make: Make,
    *,
    disturb: Callable[[Bench], Awaitable[None] | None] | None = None,
    at: int | None = None,
    delay: float = 1.0,
    settings: SimSettings | None = None,
    plug_in_s: float | None = None,
) -> Bench:
    """One session, from plugging in to unplugging; `disturb` is called `delay` after checkpoint `at` of that side."""
    made: list[Bench] = []
    triggered = asyncio.Event()
    records: list[Record] = []

    def read(record: Record) -> None:
        records.append(record)
        if isinstance(record, Checkpoint) and record.number == at and record.side == side:
            triggered.set()

    def hardware(plant: Plant) -> Hardware:
        driver, device, line = make(plant)
        made.append(Bench(plant, driver, device, line))
        return (vehicle_on if side == "ev" else charger_on)(driver, plant)

    factories: Mapping[Side, Callable[[Plant], Hardware]] = {side: hardware}
    recorder = Recorder(read)
    world = World(settings or worlds.short(), recorder, fast=True, frames=False, hardware=factories)
    (bench,) = made
    bench.world, bench.records = world, records
    device = asyncio.ensure_future(bench.device.run())
    loop = asyncio.get_running_loop()

    async def disturbing() -> None:
        await triggered.wait()
        await asyncio.sleep(delay)
        bench.disturbed_at = loop.time()
        assert disturb is not None
        done = disturb(bench)
        if done is not None:
            await done
        circuit = world.plant.circuit
        closed = (lambda: circuit.vehicle_closed) if side == "ev" else (lambda: circuit.outlet_closed)
        while closed():  # noqa: ASYNC110  # the circuit tells nobody, it is looked at
            await asyncio.sleep(0.01)
        bench.contactors_opened_at = loop.time()

    task = asyncio.ensure_future(disturbing()) if disturb is not None else None
    try:
        async with world.hardware[side] as opened:
            opened.tell(recorder.on(side).note)
            if (display := opened.display) is not None:
                recorder.readers.append(lambda record: display(record) if record.side == side else None)
            await opened.ready()
            bench.summaries = await world.run()
    finally:
        for background in (device, task):
            if background is not None:
                background.cancel()
        await asyncio.gather(*(b for b in (device, task) if b), return_exceptions=True)
    return bench


def session(side: Side, make: Make, **how: Any) -> Bench:
    """`hold` in virtual time."""
    return clock.run(hold(side, make, **how))


# what can be done to a bench

Disturb = Callable[[Bench], Awaitable[None] | None]


def cut(bench: Bench) -> None:
    bench.line.unplug()


def cut_for_a_while(bench: Bench) -> Awaitable[None]:
    async def work() -> None:
        bench.line.unplug()
        await asyncio.sleep(0.2)
        bench.line.plug()

    return work()


def set_line(**fields: Any) -> Disturb:
    def disturb(bench: Bench) -> None:
        for name, value in fields.items():
            setattr(bench.line, name, value)

    return disturb


def set_device(**fields: Any) -> Disturb:
    def disturb(bench: Bench) -> None:
        for name, value in fields.items():
            setattr(bench.device, name, value)

    return disturb


def set_plant(**fields: Any) -> Disturb:
    def disturb(bench: Bench) -> None:
        for name, value in fields.items():
            setattr(bench.plant, name, value)

    return disturb


def safe(bench: Bench) -> None:
    """No current, and nobody is locked in."""
    assert bench.plant.circuit.current == 0
    assert not bench.plant.locked
