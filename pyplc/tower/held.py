"""What every station does: tasks side by side, the outcome in a word, and one way down when any of them ends."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from ..hw.ports import DeviceError
from ..link.ports import LinkError
from ..network import Network
from ..record import Recorder, Scribe, Summary
from ..sdp.address import AddressError
from ..sdp.client import DiscoveryFailed
from ..service.progress import Progress
from ..slac.ev import SlacError
from ..slac.homeplug import HomePlug
from ..slac.joining import LinkLost
from ..slac.modem import Modem, ModemError
from ..slac.settings import SlacSettings
from ..station.charger import PilotFault as ChargerPilotFault
from ..station.shutdown import to_the_end
from ..station.vehicle import PilotFault
from ..v2g.rules import Rules
from ..v2g.session import Ended, SessionError
from ..v2g.stream import Channel

T = TypeVar("T")


class Crashed(Exception):
    """A task that must live has ended; the text names it."""


OUTCOMES: dict[type[BaseException], str] = {
    SlacError: "slac",
    ModemError: "modem",
    DiscoveryFailed: "discovery",
    AddressError: "network",
    LinkError: "network",
    LinkLost: "lost",
    PilotFault: "pilot",
    ChargerPilotFault: "pilot",
    DeviceError: "device",
    Crashed: "crashed",
}
"""What went wrong, in one word, for errors that are no SessionError."""


def _name(task: asyncio.Future[Any]) -> str:
    coroutine = task.get_coro() if isinstance(task, asyncio.Task) else None
    return str(getattr(coroutine, "__qualname__", task))


async def alongside(main: Coroutine[Any, Any, T], *watchers: Coroutine[Any, Any, Any]) -> T:
    """Run `main` with watchers beside it; a watcher that ends, ends `main`, and its error is the one raised."""
    tasks = [asyncio.ensure_future(main), *(asyncio.ensure_future(watcher) for watcher in watchers)]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        done = next(task for task in tasks if task.done())
        if done.cancelled():
            raise Crashed(f"the task {_name(done)} was cancelled")
        result = done.result()
        if done is not tasks[0]:
            raise Crashed(f"the task {_name(done)} ended")
        return result  # type: ignore[no-any-return]  # of `main`
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def judge(error: BaseException) -> tuple[str, str]:
    """Outcome and reason of a session that ended with `error`."""
    if isinstance(error, SessionError):
        return error.outcome, str(error)
    for kind, outcome in OUTCOMES.items():
        if isinstance(error, kind):
            return outcome, str(error)
    if isinstance(error, asyncio.CancelledError):
        return "stopped", "stopped from outside"
    return "error", f"defect in pyplc: {type(error).__name__}: {error}"


@dataclass
class Common:
    """What both stations have. `background` are tasks that must live: receivers of links and networks."""

    recorder: Recorder
    network: Network
    homeplug: HomePlug
    modem: Modem
    rules: Rules
    rng: random.Random
    slac: SlacSettings = field(default_factory=SlacSettings)
    background: tuple[Callable[[], Coroutine[Any, Any, None]], ...] = ()
    tap: Callable[[Channel], None] = lambda channel: None


class Station(Protocol):
    """What `held` needs of a station."""

    scribe: Scribe
    summary: Summary | None


async def held(
    station: Station,
    common: Common,
    session: Coroutine[Any, Any, Ended],
    secure: Callable[[bool], Coroutine[Any, Any, None]],
) -> Summary:
    """Hold one session, make the station safe whatever happened, and record the summary."""
    progress = Progress(station.scribe.side)
    common.recorder.readers.append(progress)
    tasks = [asyncio.ensure_future(task()) for task in common.background]
    cancelled: asyncio.CancelledError | None = None
    orderly = False
    try:
        ended = await alongside(session, *(_living(task) for task in tasks))
        outcome, reason, orderly = "finished", ended.reason, True
    except asyncio.CancelledError as error:
        cancelled = error
        outcome, reason = judge(error)
    except Exception as error:
        outcome, reason = judge(error)
    try:
        # the receivers live on: leaving the network needs the modem's answer
        await to_the_end(secure(orderly))
    except asyncio.CancelledError as error:
        cancelled = error
    except Exception as error:  # the link may be gone: the station is safe, only the modem keeps its key
        station.scribe.note(f"leaving the network: {error}", "warning")
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    common.recorder.readers.remove(progress)
    summary = station.summary = progress.summary(outcome, reason, common.recorder.now())
    station.scribe(summary)
    if cancelled is not None:
        raise cancelled
    return summary


async def _living(task: asyncio.Task[None]) -> None:
    """Watch a background task without cancelling it; Crashed when it ends."""
    await asyncio.wait({task})
    if task.cancelled():
        raise Crashed(f"the task {_name(task)} was cancelled")
    task.result()
    raise Crashed(f"the task {_name(task)} ended")
