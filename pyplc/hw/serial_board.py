"""A board on a serial line of text."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from ..record import Record
from .board import Board
from .driver import Context
from .ports import PilotState, PilotView
from .serial_line import Opener, SerialLine, serial_opener
from .shown import Shown

FLUSH_S = 0.05
"""For the last line to leave before the port is closed: 16 characters at 19200 baud take 8 ms."""


class SerialBoard(Board):
    """Subclasses send in `push`, read lines in `said`, and may show text in `show`."""

    baud: ClassVar[int] = 19200
    each_s: ClassVar[float] = 0.5
    """Outputs are looked after so often."""

    def __init__(self, settings: Any, context: Context, opener: Opener | None = None) -> None:
        super().__init__(settings, context)
        self.line = SerialLine(opener or serial_opener(settings.port, self.baud), self.said, self.opened, self.lost)
        self.garbled = 0
        """Lines that were none."""
        self._shown = Shown()
        self._news = False

    def said(self, line: bytes) -> None:
        """A line came."""
        raise NotImplementedError

    def show(self, lines: tuple[str, str, str]) -> None:
        """Send the lines of the display."""

    def part(self, name: str) -> Any:
        if name == "display":
            self.reads = True
            return self
        return super().part(name)

    def read(self, record: Record) -> None:
        self._news = self._shown.read(record) or self._news

    async def run(self) -> None:
        line = asyncio.ensure_future(self.line.run())
        try:
            while not line.done():
                self.push()
                if self._news:
                    self._news = False
                    self.show(self._shown.lines())
                await asyncio.sleep(self.each_s)
            line.result()
        finally:
            line.cancel()
            await asyncio.gather(line, return_exceptions=True)

    async def close(self) -> None:
        await super().close()
        if self.line.send(b""):
            await asyncio.sleep(FLUSH_S)

    def unheard(self) -> str:
        return f"nothing heard for {self.patience_s:g} s: {self.line.trouble}"

    def opened(self) -> None:
        """The line is open."""
        self.note(f"{self.name}: line open", "info")
        self.differs.clear()
        self.push()

    def lost(self, why: str) -> None:
        """The line is gone."""
        self.heard = None
        self.seen.view = PilotView(PilotState.A, None)
        self.fail(why)
