"""Is the station well? The loop's own lag, and one probe a storey; the watchdog is fed only while all of them are well.

A probe is asked, again and again, and returns None or what is wrong. What a restart would mend is `fatal` and stops the
watchdog's food; the rest (a broker away, a disk nearly full) is only told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from ..record import Checkpoint, Message, Note, Record, Summary

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
    """A record reader and a probe: a session that is silent for too long, or a shutdown that does not end, hangs."""

    def __init__(self) -> None:
        self._spoken: float | None = None
        self._down: float | None = None

    def __call__(self, record: Record) -> None:
        now = asyncio.get_running_loop().time()
        if isinstance(record, Message):
            over = record.name.startswith("SessionStopRes")  # a paused session may be silent for hours
            self._spoken = None if over else now
        elif isinstance(record, Checkpoint) and record.number in (950, 960):
            self._spoken, self._down = None, self._down or now
        elif isinstance(record, Summary):
            self._spoken = self._down = None

    def probe(self) -> str | None:
        """What hangs."""
        now = asyncio.get_running_loop().time()
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


def remark(wrong: list[str], right: bool) -> Note | None:
    """The record that tells of a change in health."""
    if right:
        return Note(text="the station is well again")
    return Note(text=f"not well, the watchdog is not fed: {'; '.join(wrong)}", level="error") if wrong else None
