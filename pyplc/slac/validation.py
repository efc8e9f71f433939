"""Validation: the vehicle toggles the control pilot and the charger counts (ISO 15118-3, CM_VALIDATE, two rounds).

round 1   REQ, timer 0         "are you ready?"      CNF: ready, not ready (another vehicle), not required, failure
round 2   REQ, timer n         "count from now"      toggles B-C-B; after (n + 1) x 100 ms CNF: success and the number
"""

from __future__ import annotations

import asyncio
import enum
import math
from collections.abc import Awaitable, Callable
from typing import Literal

from ..link.ethernet import mac_text
from ..record import Decision, Scribe
from .homeplug import Inbox
from .journal import Journal
from .messages import ValidateCnf, ValidateReq
from .timing import (
    C_EV_MATCH_RETRY,
    T_VALD_DETECT_TIME,
    TP_EV_VALD_STATE_DURATION,
    TP_EV_VALD_TOGGLE_MAX,
    TP_EV_VALD_TOGGLE_MIN,
    TT_EVSE_MATCH_SESSION,
    TT_EVSE_VALD_TOGGLE,
    TT_MATCH_RESPONSE,
)

UNIT_S = 0.1
NOT_READY, READY, SUCCESS, FAILURE, NOT_REQUIRED = range(5)
"""Result of both messages."""

Toggle = Callable[[int, float], Awaitable[None]]
"""Toggles the pilot B-C-B so many times, each state so many seconds."""
Count = Callable[[float], Awaitable[int]]
"""Counts the toggles of the pilot for so many seconds."""


class Verdict(enum.Enum):
    """What came out of it for the vehicle."""

    RECOGNISED = "it counted our toggles"
    NOT_REQUIRED = "it needs no validation"
    MISCOUNTED = "it counted other toggles than ours"
    REFUSED = "it refuses validation"
    BUSY = "it stayed busy with another vehicle"
    SILENT = "it does not answer CM_VALIDATE.REQ"

    @property
    def good(self) -> bool:
        """Whether the vehicle may go on to the match."""
        return self in (Verdict.RECOGNISED, Verdict.NOT_REQUIRED)


def window(times: int) -> tuple[int, float]:
    """The TIMER field for so many toggles, and the seconds it means."""
    wanted = 2 * T_VALD_DETECT_TIME + 2 * times * TP_EV_VALD_STATE_DURATION
    timer = math.ceil(min(TP_EV_VALD_TOGGLE_MAX, max(TP_EV_VALD_TOGGLE_MIN, wanted)) / UNIT_S - 1e-9) - 1
    return timer, (timer + 1) * UNIT_S


async def validate(journal: Journal, inbox: Inbox, evse: bytes, toggle: Toggle, times: int) -> Verdict:
    """The vehicle's side: both rounds with one charger. `inbox` must take ValidateCnf."""
    now = asyncio.get_running_loop().time
    until, unanswered = now() + TT_EVSE_MATCH_SESSION, 0
    while True:
        journal.send(ValidateReq(result=READY), evse)
        answer = await _answer(inbox, evse, TT_MATCH_RESPONSE)
        if answer is None:
            unanswered += 1
            if unanswered > C_EV_MATCH_RETRY:
                return Verdict.SILENT
        elif answer.result == READY:
            break
        elif answer.result == NOT_REQUIRED:
            return Verdict.NOT_REQUIRED
        elif answer.result != NOT_READY:
            return Verdict.REFUSED
        elif now() >= until:
            return Verdict.BUSY
        else:
            unanswered = 0
            await asyncio.sleep(TT_MATCH_RESPONSE)
    timer, seconds = window(times)
    asked = now()
    journal.send(ValidateReq(timer=timer, result=READY), evse)
    await asyncio.sleep(T_VALD_DETECT_TIME)
    await toggle(times, TP_EV_VALD_STATE_DURATION)
    answer = await _answer(inbox, evse, asked + seconds + TT_MATCH_RESPONSE - now())
    if answer is None:
        return Verdict.SILENT
    if answer.result != SUCCESS:
        return Verdict.REFUSED
    return Verdict.RECOGNISED if answer.toggles == times else Verdict.MISCOUNTED


async def _answer(inbox: Inbox, evse: bytes, seconds: float) -> ValidateCnf | None:
    try:
        answer, _ = await inbox.expect(ValidateCnf, lambda answer, source: source == evse, seconds)
    except TimeoutError:
        return None
    return answer


class Validator:
    """The charger's side: answers CM_VALIDATE.REQ, one vehicle at a time. Without `count` none is required."""

    def __init__(
        self,
        journal: Journal,
        scribe: Scribe,
        policy: Literal["not_required", "count", "refuse"],
        count: Count | None,
    ) -> None:
        self._journal = journal
        self._scribe = scribe
        self._policy = policy
        self._count = count
        self._busy: bytes | None = None
        self._task: asyncio.Task[None] | None = None

    def asked(self, request: ValidateReq, source: bytes) -> None:
        """Answer one request of a vehicle whose run has been reported."""
        if self._policy == "refuse" or request.signal:
            self._answer(source, FAILURE)
        elif self._policy == "not_required" or self._count is None:
            self._answer(source, NOT_REQUIRED)
        elif self._busy not in (None, source):
            self._answer(source, NOT_READY)
        elif not request.timer:
            self._answer(source, READY)
        elif self._task is None or self._task.done():
            self._busy = source
            seconds = min((request.timer + 1) * UNIT_S, TT_EVSE_VALD_TOGGLE)
            self._task = asyncio.ensure_future(self._counted(source, seconds, self._count))

    async def _counted(self, source: bytes, seconds: float, count: Count) -> None:
        try:
            toggles = await count(seconds)
        finally:
            self._busy = None
        values = {"toggles": toggles, "seconds": seconds}
        self._scribe(Decision(what=f"validation of {mac_text(source)}", why="toggles on the pilot", values=values))
        self._answer(source, SUCCESS, min(toggles, 255))

    def _answer(self, source: bytes, result: int, toggles: int = 0) -> None:
        self._journal.send(ValidateCnf(toggles=toggles, result=result), source)

    def close(self) -> None:
        """Stop counting."""
        if self._task is not None:
            self._task.cancel()
