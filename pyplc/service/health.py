"""Is the station well? The loop's own lag, and one probe a storey; the watchdog is fed only while all of them are well.

A probe is asked, again and again, and returns None or what is wrong. What a restart would mend is `fatal` and stops the
watchdog's food; the rest (a broker away, a disk nearly full) is only told.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

from ..record import Checkpoint, Message, Note, Pilot, Record, Summary

BEAT_S = 0.25
"""Between two beats by which the loop's lag is measured."""
LAG_S = 2.0
"""A loop that comes this late did not serve its session; a CurrentDemandReq is due every 0.25 s."""
LAG_MEMORY_S = 10.0
"""So long one bad lag counts."""
SESSION_SILENT_S = 150.0
"""A session in which nothing is sent and no time-out strikes hangs: the longest of all time-outs is 60 s, twice in a
row with ramps and ISO's pauses left out."""
SHUTDOWN_S = 60.0
"""From the first step of the safe shutdown to the summary: six steps of 5 s, the pauses and the modem."""

DIGITAL = 3.0, 7.0
"""Duty cycles in percent that ask for messages, IEC 61851-1."""
BASIC = 650
EXPECTANT = {155, 160, 170, 180, 190, 200, 201, 202, 203, 210, 301, 303}
"""Checkpoints after which both sides expect something to follow; a charger listens (300) for days."""

Probe = Callable[[], str | None]


class Check(NamedTuple):
    """One thing that must be well."""

    name: str
    probe: Probe
    fatal: bool


class Health:
    """All checks of a station. `look` asks them; the loop's lag is measured by `beat`, which must run as a task."""

    def __init__(self) -> None:
        self._checks: list[Check] = [Check("loop", self._late, True)]
        self.lag = 0.0
        """The worst lateness of the last 10 s, in seconds."""
        self._lags: list[tuple[float, float]] = []
        self._beaten: float | None = None

    def add(self, name: str, probe: Probe, *, fatal: bool = True) -> Callable[[], None]:
        """Watch one more thing; calling the result ends that."""
        check = Check(name, probe, fatal)
        self._checks.append(check)
        return lambda: self._checks.remove(check)

    def look(self) -> tuple[list[str], list[str]]:
        """What is fatal and what is not, each as "name: what is wrong". A probe that raises is not well."""
        wrong: tuple[list[str], list[str]] = ([], [])
        for check in tuple(self._checks):
            try:
                text = check.probe()
            except Exception as error:
                text = f"{type(error).__name__}: {error}"
            if text is not None:
                wrong[not check.fatal].append(f"{check.name}: {text}")
        return wrong

    async def beat(self) -> None:
        """Measure the loop's lag until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + BEAT_S
            await asyncio.sleep(BEAT_S)
            now = self._beaten = loop.time()
            self._lags = [(t, lag) for t, lag in self._lags if t > now - LAG_MEMORY_S]
            self._lags.append((now, now - due))
            self.lag = max(lag for _, lag in self._lags)

    def _late(self) -> str | None:
        now = asyncio.get_running_loop().time()
        if self._beaten is not None and now - self._beaten > LAG_S + BEAT_S:
            return f"no beat for {now - self._beaten:.1f} s"
        return f"it was {self.lag:.1f} s late" if self.lag > LAG_S else None


class SessionWatch:
    """A record reader and a probe: matching that neither goes on nor gives up, a session that is silent for too long,
    or a shutdown that does not end, hangs. `search_s` is how long a vehicle may ask for a charger.
    """

    def __init__(self, search_s: float = 60.0) -> None:
        self._patience = SESSION_SILENT_S + search_s
        self._matching: float | None = None
        self._spoken: float | None = None
        self._down: float | None = None

    def __call__(self, record: Record) -> None:
        now = asyncio.get_running_loop().time()
        if isinstance(record, Message):
            over = record.name.startswith("SessionStopRes")  # a paused session may be silent for hours
            self._matching, self._spoken = None, None if over else now
        elif isinstance(record, Checkpoint):
            self._checkpoint(record, now)
        elif isinstance(record, Pilot) and not (
            record.duty_percent and DIGITAL[0] <= record.duty_percent <= DIGITAL[1]
        ):
            self._matching = self._spoken = None  # charging by the duty cycle alone has no messages
        elif isinstance(record, Summary):
            self._matching = self._spoken = self._down = None

    def _checkpoint(self, record: Checkpoint, now: float) -> None:
        if record.number in (950, 960):
            self._matching, self._spoken, self._down = None, None, self._down or now
        elif record.number == BASIC:
            self._matching = self._spoken = None
        elif record.number in EXPECTANT or (record.side == "ev" and record.number == 100):
            self._matching = now  # a charger may be asked by a vehicle that then goes elsewhere

    def probe(self) -> str | None:
        """What hangs."""
        now = asyncio.get_running_loop().time()
        if self._matching is not None and now - self._matching > self._patience:
            return f"matching and connection stand still for {now - self._matching:.0f} s"
        if self._spoken is not None and now - self._spoken > SESSION_SILENT_S:
            return f"no message for {now - self._spoken:.0f} s, and no time-out ended the session"
        if self._down is not None and now - self._down > SHUTDOWN_S:
            return f"the safe shutdown takes {now - self._down:.0f} s"
        return None


class Backlog:
    """A probe for whatever takes things from a queue: something lies there, and nothing was taken since the last look.

    `waiting` says how much lies there, `taken` how much was ever taken.
    """

    def __init__(self, waiting: Callable[[], int], taken: Callable[[], int], looks: int = 3) -> None:
        self._waiting, self._taken = waiting, taken
        self._looks = looks
        self._before = -1
        self._stuck = 0

    def __call__(self) -> str | None:
        taken, waiting = self._taken(), self._waiting()
        self._stuck = self._stuck + 1 if waiting and taken == self._before else 0
        self._before = taken
        return f"{waiting} frames wait and none is taken" if self._stuck >= self._looks else None


def remark(wrong: list[str]) -> Note:
    """The record that tells of a change in health."""
    if not wrong:
        return Note(text="the station is well again")
    return Note(text=f"not well, the watchdog is not fed: {'; '.join(wrong)}", level="error")


def ages_of(devices: object, drivers: Mapping[str, object], now: float) -> dict[str, float]:
    """Name -> age in seconds of each device's reading and of each driver's last word; infinite where there is none."""
    found = {}
    for name, device in vars(devices).items():
        for what in ("voltage", "current"):
            if not hasattr(type(device), what):
                continue
            try:
                reading = getattr(device, what)
                found[f"{name}.{what}"] = max(0.0, now - reading.t)
            except Exception:  # whatever a driver raises: it has no reading
                found[f"{name}.{what}"] = math.inf
    for name, driver in drivers.items():
        if (heard := getattr(driver, "heard", None)) is not None:
            found[name] = max(0.0, now - heard)
    return found
