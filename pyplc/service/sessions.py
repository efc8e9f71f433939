"""One session after the other: what to do between them, for a station that nobody looks at.

held         wait until it is released
failed       wait 2 s, 4 s ... 60 s and try again: an interface, a device, a modem or a peer may come back
finished     a vehicle waits to be unplugged: chargers ignore whoever comes twice
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from ..record import Summary
from .unattended import Unattended

Ready = Callable[[], Coroutine[Any, Any, None]]


async def sessions(
    service: Unattended,
    ready: Ready,
    one: Callable[[], Coroutine[Any, Any, Summary | None]],
    unplugged: Ready | None,
    awaited: tuple[type[Exception], ...],
    *,
    repeat: bool,
    forever: bool,
) -> Summary | None:
    """Hold sessions until their end; the last summary, None when it was cancelled.

    `ready` waits for the devices, `one` holds a session, `unplugged` waits for the connector. Errors of the kinds
    `awaited` mean that something is not there: they are waited for with `forever`, else raised. Without `repeat` and
    `forever` there is one session, but a device that was lost before anything began is waited for in any case.
    """
    again = False
    while True:
        await service.free()
        try:
            await ready()
            summary = await one()
            waited = summary is not None and summary.outcome == "device" and not summary.phases
            if service.leaving or not (repeat or forever or waited):
                return summary
            if service.control.holds:
                continue
            again = True
            if summary is not None and summary.outcome == "finished":
                service.backoff.reset()
                if unplugged is not None:
                    await service.rest(unplugged())
            elif summary is not None:
                await service.pause(summary.reason)
        except awaited as error:
            if not (forever or again):
                raise
            await service.pause(str(error))
