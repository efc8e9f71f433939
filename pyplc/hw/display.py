"""Displays: they are told each record and show the newest state, never more often than they can."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from ..record import Record
from .driver import Context, Driver
from .shown import Shown


class Display(Driver):
    """Subclasses show. A display that fails is noted; it never ends a session."""

    parts = {"vehicle": ("display",), "charger": ("display",)}
    each_s: ClassVar[float] = 0.3
    """The shortest time between two pictures."""
    again_s: ClassVar[float] = 5.0
    """Shown again so often without a change: a display may have been plugged in again. Tried again after a failure."""

    def __init__(self, settings: Any, context: Context) -> None:
        super().__init__(settings, context)
        self.reads = True
        self.shown = Shown()
        self._news = asyncio.Event()
        self._trouble: str | None = None

    def part(self, name: str) -> Any:
        return self

    def read(self, record: Record) -> None:
        if self.shown.read(record):
            self._news.set()

    def complain(self, error: Exception) -> None:
        """Note a failure once."""
        if self._trouble is None:
            self.note(f"{self.name}: the display failed: {error}", "warning")
        self._trouble = str(error)

    async def settled(self) -> None:
        """Wait until there is something to show."""
        try:
            async with asyncio.timeout(self.again_s):
                await self._news.wait()
        except TimeoutError:
            pass  # the same again
        self._news.clear()
