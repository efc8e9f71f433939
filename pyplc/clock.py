"""An asyncio event loop whose time jumps: a 40-minute charge runs in a second, the same every time.

Nothing in pyplc reads a wall clock; time is the running loop's. In a `VirtualLoop` a wait takes no time at all:
when no callback is ready, the clock is set to the next timer. With nothing left to do and no timer, the loop would
wait for ever; that is reported as `Deadlock` instead of a hang.
"""

from __future__ import annotations

import asyncio
import os
import selectors
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")


WAKE_EARLY_S = 0.002
"""A real loop's timers are late by up to a millisecond; the last of a punctual wait is spent looking at the clock."""


class Deadlock(RuntimeError):
    """Every task of a virtual world waits and no timer will wake one."""


class _JumpingSelector(selectors.DefaultSelector):
    """A selector that advances virtual time instead of sleeping; real descriptors (signals) are still served."""

    POLL_EVERY = 256

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self._skipped = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            events = super().select(0)
            if not events:
                raise Deadlock("every task waits and no timer is set")
            return events
        self._skipped += 1
        if self._skipped >= self.POLL_EVERY:
            self._skipped = 0
            if events := super().select(0):
                return events
        if timeout > 0:
            self.now += timeout
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop in virtual time, starting at 0.0 s."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)
        # the base class asks the C library for this; at 1 ns two timers 0.1 us apart still fire in order
        self._clock_resolution = 1e-9

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._jumping.now


async def until(t: float) -> None:
    """Wait until the loop's time is `t`, to about 0.1 ms where the machine is not busy; other tasks go on meanwhile."""
    loop = asyncio.get_running_loop()
    early = 0.0 if isinstance(loop, VirtualLoop) else WAKE_EARLY_S
    if (left := t - loop.time()) > early:
        await asyncio.sleep(left - early)
    while loop.time() < t:  # noqa: ASYNC110  # the clock tells nobody: it is looked at
        await asyncio.sleep(0 if early else t - loop.time())


@contextmanager
def first_in_line() -> Iterator[None]:
    """Before all ordinary programs while the block runs: a busy machine else makes a punctual task wait some 10 ms.

    Needs Linux and CAP_SYS_NICE or `LimitRTPRIO=1`; without the right, and in virtual time, nothing is changed. Blocks
    may lie in each other; children do not inherit it.
    """
    before = _policy()
    if before != os.SCHED_OTHER or isinstance(asyncio.get_running_loop(), VirtualLoop):
        yield
        return
    try:
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))
    except PermissionError:
        yield
        return
    try:
        yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def _policy() -> int | None:
    """How this thread is scheduled; None where the system does not know such a thing."""
    return os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK if sys.platform.startswith("linux") else None


def run(main: Coroutine[Any, Any, T], *, debug: bool | None = None, loop: Callable[[], VirtualLoop] = VirtualLoop) -> T:
    """Run `main` to its end in virtual time and return its result; raises `Deadlock` where it would hang."""
    with asyncio.Runner(debug=debug, loop_factory=loop) as runner:
        return runner.run(main)
