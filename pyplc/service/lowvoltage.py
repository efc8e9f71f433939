"""The station's own supply gives out: a file tells, and the charge ends in order while there is still time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from glob import glob
from pathlib import Path

LOOK_S = 1.0
LOW_LOOKS = 3
"""So many looks in a row make an alarm: a starting fan is none."""
GOOD_LOOKS = 30
"""So many in a row end it."""


class Supply:
    """What a file says; `pattern` may have `*` where numbers change from start to start.

    `below` None: anything but 0 is low.
    """

    def __init__(self, pattern: str, below: float | None) -> None:
        self._pattern, self._below = pattern, below
        self._bad = self._good = 0
        self.low: str | None = None
        """The alarm, in words."""

    def look(self) -> None:
        """Read the file once; one that cannot be read says nothing."""
        try:
            file = glob(self._pattern)[0]
            value = float(Path(file).read_text().split()[0])
        except (OSError, ValueError, IndexError):
            return
        bad = value != 0 if self._below is None else value < self._below
        self._bad, self._good = (self._bad + 1, 0) if bad else (0, self._good + 1)
        if self._bad >= LOW_LOOKS and self.low is None:
            limit = "" if self._below is None else f", less than {self._below:g}"
            self.low = f"low voltage: {file} says {value:g}{limit}"
        elif self._good >= GOOD_LOOKS:
            self.low = None

    async def watch(self, hold: Callable[[str], None], release: Callable[[], None]) -> None:
        """Look once a second until cancelled; `hold` with the alarm, `release` when it is over."""
        while True:
            before = self.low
            self.look()
            if self.low is not None and before is None:
                hold(self.low)
            elif self.low is None and before is not None:
                release()
            await asyncio.sleep(LOOK_S)
