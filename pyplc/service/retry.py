"""Pauses between tries: each twice the one before, up to a limit."""

from __future__ import annotations


class Backoff:
    """`next` is the pause before the next try, in seconds."""

    def __init__(self, first: float, most: float) -> None:
        self._first, self._most = first, max(first, most)
        self._tries = 0

    @property
    def first(self) -> bool:
        """Whether the newest pause was the first since `reset`: the time to tell somebody."""
        return self._tries == 1

    def next(self) -> float:
        """The pause now."""
        pause: float = min(self._first * 2.0 ** min(self._tries, 30), self._most)
        self._tries += 1
        return pause

    def reset(self) -> None:
        """It worked: begin anew."""
        self._tries = 0
