"""Simulated worlds for tests: a session from plugging in to unplugging in virtual time, with something done to it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from pyplc import clock
from pyplc.config import SimSettings
from pyplc.plant.parameters import BatteryParameters, PlantParameters
from pyplc.record import Checkpoint, Message, Record, Recorder, Side, Summary
from pyplc.simulation import World
from pyplc.station.vehicle import VehicleSettings


@dataclass
class Outcome:
    """What a session left behind."""

    world: World
    summaries: dict[Side, Summary]
    records: list[Record] = field(default_factory=list)

    def checkpoints(self, side: Side) -> list[int]:
        return [r.number for r in self.records if isinstance(r, Checkpoint) and r.side == side]

    def at(self, side: Side, number: int) -> float:
        """When a checkpoint was passed first."""
        return next(r.t for r in self.records if isinstance(r, Checkpoint) and (r.side, r.number) == (side, number))

    def messages(self, side: Side, direction: str = "tx") -> list[str]:
        return [r.name for r in self.records if isinstance(r, Message) and (r.side, r.direction) == (side, direction)]


Disturb = Callable[[World], Awaitable[None] | None]


def session(
    disturb: Disturb | None = None,
    *,
    at: int | None = None,
    delay: float = 1.0,
    settings: SimSettings | None = None,
    prepare: Callable[[World], None] | None = None,
    seed: int = 1,
    frames: bool = False,
    readers: tuple[Callable[[Record], None], ...] = (),
) -> Outcome:
    """Hold one session; `disturb` is called `delay` seconds after the vehicle passed checkpoint `at`. `readers` get the
    records besides."""
    records: list[Record] = []
    made: list[World] = []

    async def main() -> dict[Side, Summary]:
        triggered = asyncio.Event()

        def read(record: Record) -> None:
            records.append(record)
            if isinstance(record, Checkpoint) and record.number == at:
                triggered.set()

        world = World(settings or short(), Recorder(read, *readers), seed, fast=True, frames=frames)
        made.append(world)
        if prepare is not None:
            prepare(world)

        async def disturbing() -> None:
            await triggered.wait()
            await asyncio.sleep(delay)
            assert disturb is not None
            done = disturb(world)
            if done is not None:
                await done

        task = asyncio.ensure_future(disturbing()) if disturb is not None else None
        try:
            return await world.run()
        finally:
            if task is not None:
                task.cancel()

    summaries = clock.run(main())
    return Outcome(made[0], summaries, records)


def short(target_soc: float = 45.2) -> SimSettings:
    """Settings for a session of a few seconds of charging."""
    plant = PlantParameters(battery=BatteryParameters(soc_percent=45.0))
    return SimSettings(vehicle=VehicleSettings(target_soc=target_soc), plant=plant)
