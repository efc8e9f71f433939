"""What a signal does to a process that holds sessions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

SECOND_THOUGHTS_S = 8.0
"""After the first signal: time for an orderly stop before the session is cancelled."""


class Ending:
    """The first signal asks for an orderly stop, the second, or `SECOND_THOUGHTS_S`, cancels `task`.

    `stop` says whether there is a session to be stopped in order; if not, it is cancelled at once.
    """

    def __init__(self, task: asyncio.Task[Any], stop: Callable[[str], bool], note: Callable[[str], None]) -> None:
        self._task, self._stop, self._note = task, stop, note
        self._asked = False

    def signalled(self, name: str) -> None:
        """This signal came."""
        if self._asked:
            self._task.cancel()
            return
        self._asked = True
        self._note(f"{name}: ending the session")
        patience = SECOND_THOUGHTS_S if self._stop(f"stopped by {name}") else 0.0
        asyncio.get_running_loop().call_later(patience, self._task.cancel)
