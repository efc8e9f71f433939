"""Runs one case: a whole tower in virtual time, its disturber, the safety monitors, and the judgement at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from itertools import pairwise
from typing import Any, NamedTuple

import msgspec

from .. import clock
from ..hw.compose import Hardware
from ..hw.emulated.wired import wired
from ..hw.ports import PilotState
from ..plant.plant import Plant
from ..processes import MortalLoop
from ..record import Message, Note, Reader, Record, Recorder, Side, Summary
from ..simulation import World
from . import declare as d
from .edit import value_at
from .load import Case
from .recorded import Recorded
from .safety import CURRENT_A, LOOK_S, TOUCHABLE_V, Safety, Seen, excused, look
from .wire import Disturber

SETTLE_S = 3.0
"""The world is watched for so long after both stations are at rest."""
IDLE_LOOK_S = 0.05
"""From one look to the next while there is no connection, and after both ends."""
SEED = 1
ROUNDED_S = 1e-6
"""Times of records are."""


class Result(msgspec.Struct, kw_only=True):
    """What a case came to. `problems` is empty when it passed."""

    id: str
    title: str
    problems: list[str]
    outcome: str = ""
    reason: str = ""
    struck_s: float | None = None
    """When the fault happened, seconds from the start."""
    took_s: float | None = None
    """From the fault (or the start) to the end of the unit under test."""

    @property
    def passed(self) -> bool:
        return not self.problems


class Observed(NamedTuple):
    """What a run left behind."""

    summaries: dict[Side, Summary]
    sent: list[Message]
    """What the unit under test sent after the fault (after the start, if there is none)."""
    notes: list[str]
    lasted: dict[str, float]
    """When each condition of `Within` was last not fulfilled, seconds after the fault."""
    struck: float | None
    problems: list[str]
    delivered_wh: float


def run(case: Case, seed: int = SEED, reader: Reader | None = None) -> Result:
    """Run a case to its verdict. Never raises for what a session does.

    `reader` is given every record, the frames too.
    """
    try:
        return judge(case, clock.run(_Run(case, reader).main(seed), loop=MortalLoop))
    except clock.Deadlock as stuck:
        return Result(id=case.id, title=case.scenario.title, problems=[f"the session hangs: {stuck}"])
    except Exception as error:
        what = f"the case could not be run: {type(error).__name__}: {error}"
        return Result(id=case.id, title=case.scenario.title, problems=[what])


class _Run:
    """One run of a case."""

    def __init__(self, case: Case, reader: Reader | None) -> None:
        self._case = case
        self._reader = reader
        self._unit: Side = "ev" if case.role == "pev" else "evse"
        self._safety = Safety(case.energy, excused(case.scenario.fault, case.role, case.energy))
        self._records: list[Record] = []
        self._mark = 0
        self._last: dict[str, float] = {}

    async def main(self, seed: int) -> Observed:
        recorder = Recorder(self._safety.talk.read, self._records.append)
        if self._reader is not None:
            recorder.readers.append(self._reader)
        frames = self._reader is not None
        recorded = Recorded(self._unit, asyncio.get_running_loop().time)
        if any(isinstance(fault, d.RECORDED) for fault in self._case.scenario.fault):
            recorder.readers.append(recorded.open())
        hardware, wall = self._hardware(), recorded.wall
        world = World(self._case.settings, recorder, seed, fast=True, frames=frames, hardware=hardware, wall=wall)
        disturber = Disturber(self._case, world, recorded, self._struck)
        recorder.readers.append(disturber.read)
        recorder.now()
        disturber.start()
        watching = asyncio.ensure_future(self._watch(world, disturber))
        problems: list[str] = []
        try:
            async with AsyncExitStack() as stack, asyncio.timeout(self._case.scenario.limit_s):
                for side, made in world.hardware.items():
                    await world.processes[side].start(stack.enter_async_context(made))
                    stack.push_async_callback(self._over, world, watching)
                    made.tell(recorder.on(self._unit).note)
                    await made.ready()
                summaries = await world.run()
                await asyncio.sleep(SETTLE_S)
        except TimeoutError:
            problems.append(f"the session had not ended after {self._case.scenario.limit_s:g} s")
            summaries = {r.side: r for r in self._records if isinstance(r, Summary)}
        finally:
            await self._over(world, watching)
            kept = recorded.close()
        problems += self._undone(disturber)
        now = asyncio.get_running_loop().time()
        problems += _untimely(self._records, now, "the records") + _untimely(kept, now, "the recording")
        if world.processes[self._unit].died.done():
            summaries[self._unit] = Summary(side=self._unit, outcome="killed", reason="killed with SIGKILL")
        problems += self._safety.breaches.values()
        sent = [r for r in self._records[self._mark :] if isinstance(r, Message)]
        return Observed(
            summaries,
            [r for r in sent if (r.side, r.direction) == (self._unit, "tx")],
            [r.text for r in self._records + kept if isinstance(r, Note)],
            {name: t - (disturber.struck or 0.0) for name, t in self._last.items()},
            disturber.struck,
            problems + self._defects(),
            world.plant.circuit.delivered_wh + world.plant.ac.delivered_wh,
        )

    @staticmethod
    async def _over(world: World, watching: asyncio.Task[None]) -> None:
        """Stop looking; then what a killed program left may go."""
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await world.bury()

    def _hardware(self) -> dict[Side, Callable[[Plant], Hardware]]:
        """The emulated device of the unit under test, if it has one."""
        name, role = self._case.scenario.device, "vehicle" if self._unit == "ev" else "charger"
        return {} if name is None else {self._unit: lambda plant: wired(name, role, plant)}

    def _struck(self) -> None:
        self._mark = len(self._records)

    def _undone(self, disturber: Disturber) -> list[str]:
        faults = self._case.scenario.fault
        never = [f"fault[{i}] ({faults[i].__struct_config__.tag}) never happened" for i in disturber.undone]
        return [*([disturber.broken] if disturber.broken else []), *never]

    def _defects(self) -> list[str]:
        notes = [r.text for r in self._records if isinstance(r, Note) and "defect in pyplc" in r.text]
        ended = [r for r in self._records if isinstance(r, Summary) and r.outcome in ("error", "crashed")]
        return notes + [f"{r.side}: {r.reason}" for r in ended]

    async def _watch(self, world: World, disturber: Disturber) -> None:
        """Look at the plant all the time."""
        while True:
            now = look(world.plant, self._case.energy)
            self._safety.look(now)
            for name in self._wrong(now, world):
                self._last[name] = now.t
            talking = bool(world.channels) and len(self._safety.talk.ended) < 2
            await asyncio.sleep(LOOK_S if talking else IDLE_LOOK_S)

    def _wrong(self, now: Seen, world: World) -> list[str]:
        """The conditions of `Within` that do not hold now."""
        unit = 0 if self._unit == "ev" else 1
        open_channel = len(world.channels) > unit and not world.channels[unit].closed
        held = {
            "state_b": now.pilot not in (PilotState.C, PilotState.D),
            "current_zero": now.current < CURRENT_A,
            "contactors_open": not now.vehicle_closed,
            "outlet_open": not now.outlet_closed,
            "voltage_gone": max(now.inlet, now.outlet) < TOUCHABLE_V,
            "unlocked": not now.locked,
            "oscillator_off": now.duty is None,
            "closed": not open_channel,
            "end": self._unit in self._safety.talk.ended or world.processes[self._unit].died.done(),
        }
        return [name for name, holds in held.items() if not holds]


def _untimely(records: list[Record], now: float, where: str) -> list[str]:
    """Where time goes back, or runs ahead of the loop's."""
    for before, after in pairwise(records):
        if after.t < before.t:
            return [f"time goes back in {where}: {after.t:g} s after {before.t:g} s"]
    ahead = bool(records) and records[-1].t > now + ROUNDED_S
    return [f"time runs ahead in {where}: {records[-1].t:g} s at {now:g} s"] if ahead else []


def judge(case: Case, seen: Observed) -> Result:
    """The verdict: every safety rule kept, the fault done, and each expectation met."""
    expect, unit = case.scenario.expect, "ev" if case.role == "pev" else "evse"
    problems = list(seen.problems)
    summary = seen.summaries.get(unit)  # type: ignore[call-overload]
    peer = seen.summaries.get("evse" if unit == "ev" else "ev")
    if summary is None:
        problems.append("the unit under test did not come to rest")
    else:
        problems += _ended(expect, summary)
    if expect.peer_outcome is not None and (peer is None or peer.outcome not in _listed(expect.peer_outcome)):
        problems.append(f"peer: expected {_either(expect.peer_outcome)}, it ended {peer and _end(peer)}")
    problems += _times(expect.within, seen.lasted)
    problems += _said(expect, seen.sent)
    if expect.note is not None and not any(expect.note in note for note in seen.notes):
        problems.append(f"no remark says {expect.note!r}")
    if expect.energy is not None and expect.energy != (seen.delivered_wh > 0.1):
        problems.append(f"{seen.delivered_wh:.1f} Wh were charged")
    ended = seen.lasted.get("end")
    return Result(
        id=case.id,
        title=case.scenario.title,
        problems=problems,
        outcome=summary.outcome if summary else "",
        reason=summary.reason if summary else "",
        struck_s=None if seen.struck is None else round(seen.struck, 3),
        took_s=None if ended is None else max(0.0, round(ended, 2)),
    )


def _ended(expect: d.Expect, summary: Summary) -> list[str]:
    problems = []
    if summary.outcome not in _listed(expect.outcome):
        problems.append(f"expected {_either(expect.outcome)}, it ended {_end(summary)}")
    if expect.reason is not None and expect.reason not in summary.reason:
        problems.append(f"the reason does not say {expect.reason!r}: {summary.reason}")
    return problems


def _times(within: d.Within, lasted: dict[str, float]) -> list[str]:
    """Conditions that came too late; one look of tolerance."""
    problems = []
    for name in within.__struct_fields__:
        limit, last = getattr(within, name), lasted.get(name, 0.0)
        if limit is not None and last > limit + LOOK_S:
            problems.append(f"within.{name}: {limit:g} s are right, it took {last:.2f} s")
    return problems


def _said(expect: d.Expect, sent: list[Message]) -> list[str]:
    problems = []
    names = [message.name for message in sent]
    rest = iter(names)
    for name in expect.then:
        if name not in rest:
            problems.append(f"{name} was not sent in its place; after the fault came {_short(names)}")
            break
    problems += [f"{name} was sent after the fault" for name in expect.never if name in names]
    if expect.answer is not None:
        problems += _answered(expect.answer, sent)
    return problems


def _answered(answer: d.Answer, sent: list[Message]) -> list[str]:
    found = next((message for message in sent if message.name == answer.message), None)
    if found is None:
        return [f"no {answer.message}; after the fault came {_short([m.name for m in sent])}"]
    values: list[tuple[str, Any, Any]] = [
        (path, wanted, value_at(found.body, path)) for path, wanted in answer.fields.items()
    ]
    return [f"{answer.message} says {path} = {got}, {want} is right" for path, want, got in values if got != want]


def _short(names: list[str]) -> str:
    runs = [name for name, before in zip(names, ["", *names], strict=False) if name != before]
    return ", ".join(runs) or "nothing"


def _listed(words: str | list[str]) -> list[str]:
    return [words] if isinstance(words, str) else words


def _either(words: str | list[str]) -> str:
    return " or ".join(_listed(words))


def _end(summary: Summary) -> str:
    return f"{summary.outcome}: {summary.reason}"
