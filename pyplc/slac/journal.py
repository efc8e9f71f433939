"""What a station sent, heard and awaited in vain while matching: the events `failure.explain` reads."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from .failure import Event, Failure, Heard, Sent, SetUp, Side, Waited, explain
from .homeplug import HomePlug
from .layout import Message

KEPT = 2000


class Journal:
    """Sends for a station and keeps the newest `KEPT` events. `ours` tells which messages belong to its runs."""

    def __init__(self, homeplug: HomePlug, side: Side, ours: Callable[[Message], bool]) -> None:
        self._homeplug = homeplug
        self._side: Side = side
        self._ours = ours
        self._events: deque[Event] = deque(maxlen=KEPT)
        self._role: str | None = None

    def send(self, message: Message, destination: bytes) -> None:
        """Send and keep."""
        self._homeplug.send(message, destination)
        self.sent(message, destination)

    def sent(self, message: Message, destination: bytes) -> None:
        """Keep what somebody else sent for this station."""
        self._events.append(Sent(_now(), message, destination))

    def hear(self, message: Message, source: bytes) -> None:
        """Keep what came in: a handler for `HomePlug.listening`."""
        self._events.append(Heard(_now(), message, source, self._ours(message)))

    def set_up(self, role: str) -> None:
        """Keep what the own modem is set up for; it comes first, and stays when all else is forgotten."""
        self._role = role

    def waited(self, awaited: str, seconds: float, limit: str) -> Failure:
        """Keep a wait that was in vain; why it was."""
        self._events.append(Waited(_now(), awaited, seconds, limit))
        return self.explain()

    def explain(self) -> Failure:
        """Why there is no link."""
        return explain(self._events_in_order(), self._side, self._homeplug.interface)

    def _events_in_order(self) -> list[Event]:
        """Times counted from the first event."""
        zero = self._events[0].t if self._events else 0.0
        role = [SetUp(0.0, self._role)] if self._role is not None else []
        return [*role, *(event._replace(t=event.t - zero) for event in self._events)]

    def clear(self) -> None:
        """Forget: a new attempt begins."""
        self._events.clear()


def _now() -> float:
    return asyncio.get_running_loop().time()
