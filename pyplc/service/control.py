"""What may be asked of a station while it runs: stop, start, limit. HTTP, MQTT and signals are ways to here.

A station may be held for several reasons at once, each under a key of its own: somebody said stop, the voltage is low.
While it is held it holds no session; the running one is ended in order.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Protocol

from ..record import Summary

ASKED = "asked"
"""The key of a stop that somebody asked for."""


class Refusal(ValueError):
    """What is asked cannot be; the text says why."""


class Station(Protocol):
    """What runs one session and can be told things meanwhile."""

    async def run(self) -> Summary: ...

    def stop(self, reason: str) -> bool: ...

    def limit(self, max_current: float | None) -> None: ...


class Control:
    """One for the life of the process; sessions come and go by `attach` and `detach`.

    `changed` is called after each change; with `limits` False there is no current to limit (a listener).
    """

    def __init__(self, changed: Callable[[], None] = lambda: None, *, limits: bool = True) -> None:
        self._limits = limits
        self._station: Station | None = None
        self._cancel: Callable[[], object] = lambda: None
        self._changed = changed
        self._free = asyncio.Event()
        self._free.set()
        self.holds: dict[str, str] = {}
        """Why it is held, by key."""
        self.max_current: float | None = None
        """The limit that was asked for, A."""
        self.started = asyncio.Event()
        """Set by each start: also one who waits for the connector to be unplugged begins anew."""

    def attach(self, station: Station, cancel: Callable[[], object]) -> None:
        """A session begins; `cancel` ends it when it has nothing that could be stopped in order."""
        self._station, self._cancel = station, cancel
        if self._limits:
            station.limit(self.max_current)

    def detach(self) -> None:
        """The session is over."""
        self._station, self._cancel = None, lambda: None

    def hold(self, key: str, reason: str) -> None:
        """End the running session and begin no other until `release`."""
        self.holds.setdefault(key, reason)
        self._free.clear()
        self._changed()
        if not self.end(reason):
            self._cancel()

    def end(self, reason: str) -> bool:
        """Ask the running session to end in order; False when there is none that could."""
        return self._station is not None and self._station.stop(reason)

    def release(self, key: str) -> None:
        """The reason under this key is gone."""
        self.holds.pop(key, None)
        if not self.holds:
            self._free.set()
        self._changed()

    async def free(self) -> None:
        """Return when nothing holds the station."""
        await self._free.wait()

    # what people ask

    def stop(self, who: str) -> None:
        """Stop charging, and do not begin again before `start`."""
        self.hold(ASKED, f"stopped by {who}")

    def start(self) -> None:
        """Undo `stop`; one that has charged and is still plugged in begins anew. Nothing while a session runs."""
        if self._station is None or ASKED in self.holds:
            self.started.set()
        self.release(ASKED)

    def limit(self, max_current: float | None) -> None:
        """At most this current from now on and in later sessions, A (AC: a phase); None: what the settings say.

        Raises Refusal.
        """
        if not self._limits:
            raise Refusal("a listener has no current to limit")
        if max_current is not None and not (math.isfinite(max_current) and max_current >= 0):
            raise Refusal(f"a limit is a current of 0 A or more, not {max_current}")
        self.max_current = max_current
        self._changed()
        if self._station is not None:
            self._station.limit(max_current)
