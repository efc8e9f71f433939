"""Programs inside a virtual world that can die as a real one does of SIGKILL: not one instruction more runs.

Whatever is started in the context of a `Process` belongs to it: tasks, timers, and what those start. A `MortalLoop`
asks before each step whether its program still lives.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from typing import Any, TypeVar

from .clock import VirtualLoop

T = TypeVar("T")


class Process:
    """A program. `died` is done once it was killed."""

    def __init__(self) -> None:
        self.context = copy_context()
        self.context.run(_OWNER.set, self)
        self.died: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._dead = False
        self._undone: list[tuple[Callable[..., object], tuple[Any, ...], Context]] = []

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """A task of this program."""
        return asyncio.get_running_loop().create_task(work, context=self.context.copy())

    def kill(self) -> None:
        """End it where it stands: no handler, no `finally`. RuntimeError in a loop that cannot."""
        if not isinstance(asyncio.get_running_loop(), MortalLoop):
            raise RuntimeError("only in a MortalLoop can a program be killed")
        self._dead = True
        if not self.died.done():
            self.died.set_result(None)

    def bury(self) -> None:
        """The world is over: let what stood still run again, so that it can be cancelled."""
        self._dead = False
        undone, self._undone = self._undone, []
        for callback, arguments, context in undone:
            asyncio.get_running_loop().call_soon(callback, *arguments, context=context)

    def step(self, callback: Callable[..., object], context: Context, *arguments: Any) -> None:
        """Run one callback of this program, while it lives."""
        if self._dead:
            self._undone.append((callback, arguments, context))
        else:
            callback(*arguments)


_OWNER: ContextVar[Process | None] = ContextVar("_OWNER", default=None)


async def apart(work: Coroutine[Any, Any, T]) -> T:
    """Run something that is no part of the program that waits for it, as a device of its own."""
    return await asyncio.get_running_loop().create_task(work, context=Context())


class MortalLoop(VirtualLoop):
    """A loop in virtual time whose programs can be killed."""

    def call_soon(  # type: ignore[override]  # typeshed ties the arguments to the callback
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        context = copy_context() if context is None else context
        if (owner := context.get(_OWNER)) is None:
            return super().call_soon(callback, *args, context=context)
        return super().call_soon(owner.step, callback, context, *args, context=context)

    def call_at(  # type: ignore[override]  # as above
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        context = copy_context() if context is None else context
        if (owner := context.get(_OWNER)) is None:
            return super().call_at(when, callback, *args, context=context)
        return super().call_at(when, owner.step, callback, context, *args, context=context)
