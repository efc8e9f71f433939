"""An emulated serial OLED: what `hw/oled.py`, and Dieter's line, write to when there is none."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

LINES = 4
LONGEST = 20
"""Characters of a line that the firmware keeps, `lc` and all."""


class EmulatedSerialOled:
    """Shows the newest four lines that begin with `lc`, as the firmware scrolls them; it says nothing."""

    baud = 19200

    def __init__(self, shown: Callable[[str], None] = lambda line: None) -> None:
        self.say: Callable[[bytes], None] = lambda data: None
        self.lines: deque[str] = deque(maxlen=LINES)
        self._told = shown
        self._rest = b""

    def opened(self) -> None:
        """It does not notice."""

    def receive(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if line[:2] == b"lc":
                self.lines.append(line[2:LONGEST].decode("ascii", "replace"))
                self._told(self.lines[-1])

    async def run(self) -> None:
        await asyncio.Event().wait()
