"""A powerline with emulated modems, vehicles and chargers on it, in virtual time."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from pyplc import clock
from pyplc.link.virtual import Powerline, VirtualLink, cable
from pyplc.record import Checkpoint, Decision, Dropped, Note, Record, Recorder, Side
from pyplc.slac import ev, evse
from pyplc.slac.catalogue import read
from pyplc.slac.emulated import FAST, EmulatedModem, ModemTiming
from pyplc.slac.homeplug import HomePlug
from pyplc.slac.layout import Message
from pyplc.slac.messages import AttenCharInd, SlacMatchCnf, SlacMatchReq, SlacParamCnf, SlacParamReq, StartAttenCharInd
from pyplc.slac.mme import ETHERTYPE, parse
from pyplc.slac.modem import Modem
from pyplc.slac.settings import SlacSettings

T = TypeVar("T")
READY_S = 6.0
"""For a charger's modem to be back with its fresh key."""


class Station:
    """A host with its modem; `sent` and `received` are (time, message) of its own cable."""

    def __init__(self, line: Line, side: Side, number: int) -> None:
        host, modem = bytes([2, 0, 0, 0, 0, number]), bytes([2, 0, 0, 0, 1, number])
        self.link, far = cable(f"{side}{number}", host, modem)
        self.link.tap = self._tap
        self.records: list[Record] = []
        self.sent: list[tuple[float, Message]] = []
        self.received: list[tuple[float, Message]] = []
        scribe = Recorder(self.records.append).on(side)
        self.emulated = EmulatedModem(far, line.powerline, modem, random.Random(number), line.timing)
        self.homeplug = HomePlug(self.link, scribe)
        self.modem = Modem(self.homeplug, scribe)
        self.scribe = scribe
        self.rng = random.Random(100 + number)
        line.start(self.emulated.run())
        line.start(self.homeplug.run())

    def _tap(self, direction: str, frame: bytes) -> None:
        message = read(parse(frame)) if frame[12:14] == ETHERTYPE else None
        if message is not None:
            (self.sent if direction == "tx" else self.received).append((asyncio.get_running_loop().time(), message))

    def times(self, kind: type[Message], received: bool = False) -> list[float]:
        """When messages of a kind were sent or received."""
        return [t for t, message in (self.received if received else self.sent) if isinstance(message, kind)]

    @property
    def checkpoints(self) -> list[int]:
        return [record.number for record in self.records if isinstance(record, Checkpoint)]

    @property
    def decisions(self) -> list[Decision]:
        return [record for record in self.records if isinstance(record, Decision)]

    @property
    def remarks(self) -> str:
        """Everything said and dropped, one after the other."""
        return " | ".join(
            record.text if isinstance(record, Note) else f"{record.what}: {record.reason}"
            for record in self.records
            if isinstance(record, (Note, Dropped))
        )


class Pilot:
    """The control pilot of one outlet, as far as toggles go."""

    def __init__(self) -> None:
        self.toggles = 0

    async def toggle(self, times: int, phase_s: float) -> None:
        for _ in range(times):
            self.toggles += 1
            await asyncio.sleep(2 * phase_s)

    async def count(self, seconds: float) -> int:
        before = self.toggles
        await asyncio.sleep(seconds)
        return self.toggles - before


def plug(vehicle: Vehicle, charger: Charger) -> None:
    """Put the plug in."""
    vehicle.pilot = charger.pilot
    charger.plugged = True


class Vehicle(Station):
    """A vehicle's host."""

    def __init__(self, line: Line, number: int, **settings: Any) -> None:
        super().__init__(line, "ev", number)
        self.pilot: Pilot | None = None
        chosen = SlacSettings(**settings)
        self.matcher = ev.Matcher(self.homeplug, self.modem, self.scribe, chosen, self.rng, self._toggle)

    async def _toggle(self, times: int, phase_s: float) -> None:
        assert self.pilot is not None, "plug(vehicle, charger) comes first"
        await self.pilot.toggle(times, phase_s)


class Charger(Station):
    """A charger's host; `plugged` says whether it answers."""

    def __init__(self, line: Line, number: int, **settings: Any) -> None:
        super().__init__(line, "evse", number)
        self.plugged = True
        self.pilot = Pilot()
        chosen = SlacSettings(**settings)
        self.matcher = evse.Matcher(
            self.homeplug, self.modem, self.scribe, chosen, self.rng, lambda: self.plugged, self.pilot.count
        )

    async def serve(self) -> ev.Matched:
        """A fresh key, a match, the link."""
        await self.matcher.prepare()
        matched = await self.matcher.match()
        return await self.matcher.join(matched, 14.0)


class Line:
    """The powerline and all tasks on it."""

    def __init__(self, timing: ModemTiming = FAST, **powerline: Any) -> None:
        self.powerline = Powerline(**powerline)
        self.timing = timing
        self._tasks: list[asyncio.Task[Any]] = []

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run beside the test."""
        task = asyncio.ensure_future(work)
        self._tasks.append(task)
        return task

    def attenuate(self, a: Station, b: Station, decibel: float | bytes) -> None:
        """Between two stations, dB."""
        self.powerline.set_attenuation(a.emulated.port, b.emulated.port, decibel)

    def lose(self, kind: type[Message], fits: Callable[[Any], bool] = lambda message: True, times: int = 1) -> None:
        """Lose the next `times` frames of a kind."""
        left = [times]

        def lost(frame: bytes) -> bool:
            message = read(parse(frame)) if frame[12:14] == ETHERTYPE else None
            if isinstance(message, kind) and fits(message) and left[0]:
                left[0] -= 1
                return True
            return False

        self.powerline.lose = lost

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def play(scene: Callable[[Line], Coroutine[Any, Any, T]], timing: ModemTiming = FAST, **powerline: Any) -> T:
    """Play a scene on a line, in virtual time."""

    async def whole() -> T:
        line = Line(timing, **powerline)
        try:
            return await scene(line)
        finally:
            await line.stop()

    return clock.run(whole())


async def meet(line: Line, vehicle: Vehicle, charger: Charger) -> tuple[ev.Matched, ev.Matched]:
    """Plug in and match; both results."""
    plug(vehicle, charger)
    serving = line.start(charger.serve())
    await asyncio.sleep(READY_S)
    return await vehicle.matcher.match(), await serving


class Scripted(Station):
    """A charger that reports `sounds` sounds `after` the announcement, `times` times, whatever it hears."""

    def __init__(
        self, line: Line, number: int, *, after: float = 0.7, sounds: int = 10, times: int = 1, numbers: int = 10
    ) -> None:
        super().__init__(line, "evse", number)
        self.after, self.sounds, self.times, self.numbers = after, sounds, times, numbers
        self.groups = bytes([12]) * 58
        self.answers_match = True
        self._announced: set[bytes] = set()
        self._line = line
        self.homeplug._handlers.append(self._hear)

    def _hear(self, message: Message, source: bytes) -> None:
        match message:
            case SlacParamReq():
                cnf = SlacParamCnf(sounds=self.numbers, forwarding_sta=source, run_id=message.run_id)
                self.homeplug.send(cnf, source)
            case StartAttenCharInd() if message.run_id not in self._announced:
                self._announced.add(message.run_id)
                self._line.start(self._report(source, message.run_id))
            case SlacMatchReq() if self.answers_match and message.evse_mac == self.link.address:
                self._line.start(self.modem.set_key(bytes([7]) * 16, bytes(7)))
                confirm = SlacMatchCnf(
                    pev_mac=source,
                    evse_mac=self.link.address,
                    run_id=message.run_id,
                    nid=bytes(7),
                    nmk=bytes([7]) * 16,
                )
                self.homeplug.send(confirm, source)

    async def _report(self, vehicle: bytes, run_id: bytes) -> None:
        await asyncio.sleep(self.after)
        for _ in range(self.times):
            report = AttenCharInd(source_address=vehicle, run_id=run_id, sounds=self.sounds, groups=self.groups)
            self.homeplug.send(report, vehicle)
            await asyncio.sleep(0.205)


def now() -> float:
    return asyncio.get_running_loop().time()


__all__ = ["READY_S", "Charger", "Line", "Scripted", "Station", "Vehicle", "VirtualLink", "meet", "now", "play", "plug"]
