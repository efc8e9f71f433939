"""Matching, the charger's side (ISO 15118-3 Annex A): it reacts, with one run for each vehicle MAC and run id.

| message             | wanted         | then                                                         |
|---------------------|----------------|--------------------------------------------------------------|
| CM_SLAC_PARAM.REQ   | plugged in     | a run begins; CNF; TT_match_sequence for the announcement    |
| CM_START_ATTEN_CHAR | a run          | the window of TT_EVSE_match_MNBC opens                       |
| sounds, profiles    | an open window | counted; at its end CM_ATTEN_CHAR.IND until RSP, three times |
| CM_VALIDATE.REQ     | a reported run | CNF: not required                                            |
| CM_SLAC_MATCH.REQ   | a reported run | CNF with the key: matched; within TT_EVSE_match_session      |
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

from ..link.ethernet import mac_text
from ..record import Decision, Dropped, Scribe
from .attenuation import mean, mean_profile
from .ev import Matched
from .homeplug import HomePlug
from .keys import nid_of, random_nmk
from .layout import Message
from .messages import (
    NO_SECURITY,
    PEV_EVSE_MATCHING,
    AttenCharInd,
    AttenCharRsp,
    AttenProfileInd,
    MnbcSoundInd,
    SlacMatchCnf,
    SlacMatchReq,
    SlacParamCnf,
    SlacParamReq,
    StartAttenCharInd,
    ValidateCnf,
    ValidateReq,
)
from .modem import Modem
from .timing import (
    C_EV_MATCH_MNBC,
    C_EV_MATCH_RETRY,
    C_EVSE_MATCH_PARALLEL,
    LATE_PROFILE_GRACE,
    TT_EVSE_MATCH_MNBC,
    TT_EVSE_MATCH_SESSION,
    TT_MATCH_RESPONSE,
    TT_MATCH_SEQUENCE,
)
from .vendor import VsAttenCharInd

TIMEOUT_UNIT_S = 0.1
NOT_REQUIRED = 4
"""CM_VALIDATE.CNF: the vehicle may go on to the match."""


class _Run:
    """One vehicle's run: what was heard of it so far."""

    def __init__(self, mac: bytes, run_id: bytes) -> None:
        self.mac = mac
        self.run_id = run_id
        self.counts: set[int] = set()
        self.profiles: dict[type[Message], list[bytes]] = {AttenProfileInd: [], VsAttenCharInd: []}
        self.started = asyncio.Event()
        self.all_heard = asyncio.Event()
        self.reported = False
        self.answered = asyncio.Event()
        self.window = TT_EVSE_MATCH_MNBC
        self.attenuation = 0.0
        self.task: asyncio.Task[None] | None = None

    @property
    def best_profiles(self) -> list[bytes]:
        """The standard's indications where they have groups, else the vendor's: each sound counts once."""
        return self.profiles[AttenProfileInd] or self.profiles[VsAttenCharInd]

    @property
    def sounds(self) -> int:
        """Sounds heard, by us or by the modem."""
        return min(max(len(self.counts), len(self.best_profiles)), C_EV_MATCH_MNBC)

    def close(self) -> None:
        """Stop its timers."""
        if self.task is not None:
            self.task.cancel()


class Matcher:
    """Answers vehicles while `plugged()` is true; the first that matches is the one.

    A charger that answers for a car at its neighbour's is the classic wrong match: hence `plugged`.
    """

    def __init__(
        self, homeplug: HomePlug, modem: Modem, scribe: Scribe, rng: random.Random, plugged: Callable[[], bool]
    ) -> None:
        self._homeplug = homeplug
        self._modem = modem
        self._scribe = scribe
        self._rng = rng
        self._plugged = plugged
        self._runs: dict[tuple[bytes, bytes], _Run] = {}
        self._passed: set[int] = set()
        self._nmk = b""
        self._nid = b""
        self._matched: asyncio.Future[Matched] | None = None

    async def prepare(self) -> None:
        """A fresh key in the own modem; raises ModemError. Matching may begin when the modem is back."""
        self._passed.clear()
        self._nmk = random_nmk(self._rng)
        self._nid = nid_of(self._nmk)
        self._pass(1)
        await self._modem.set_key(self._nmk, self._nid)

    async def match(self) -> Matched:
        """Serve until a vehicle has matched; it may still ask again (`run_late` answers)."""
        self._matched = asyncio.get_running_loop().create_future()
        try:
            with self._homeplug.listening(self._heard):
                return await self._matched
        finally:
            for run in self._runs.values():
                run.close()
            self._runs.clear()

    async def join(self, matched: Matched, seconds: float) -> None:
        """Wait for the link, answering the vehicle if it asks again; ModemError after `seconds`."""
        with self._homeplug.listening(self._again(matched)):
            await self._modem.wait_link(seconds)
        self._pass(190)

    async def run_late(self, matched: Matched) -> None:
        """Repeat MATCH.CNF for the matched vehicle if it asks again; until cancelled."""
        with self._homeplug.listening(self._again(matched)):
            await asyncio.get_running_loop().create_future()

    def _again(self, matched: Matched) -> Callable[[Message, bytes], None]:
        def again(message: Message, source: bytes) -> None:
            if isinstance(message, SlacMatchReq) and (source, message.run_id) == (matched.peer, matched.run_id):
                self._confirm(message, source)

        return again

    def _heard(self, message: Message, source: bytes) -> None:
        match message:
            case SlacParamReq():
                self._parameters(message, source)
            case StartAttenCharInd():
                self._start(message, source)
            case MnbcSoundInd():
                self._sound(message, source)
            case AttenProfileInd() | VsAttenCharInd():
                self._profile(message, source)
            case AttenCharRsp():
                if run := self._run_of(message, source):
                    run.answered.set()
            case ValidateReq():
                self._validate(source)
            case SlacMatchReq():
                self._match_request(message, source)

    def _run_of(self, message: Any, source: bytes) -> _Run | None:
        if (message.application, message.security) != (PEV_EVSE_MATCHING, NO_SECURITY):
            return None
        return self._runs.get((source, message.run_id))

    def _parameters(self, request: SlacParamReq, source: bytes) -> None:
        foreign = (request.application, request.security) != (PEV_EVSE_MATCHING, NO_SECURITY)
        if foreign or not self._plugged():
            reason = "not PEV-EVSE matching, or secured" if foreign else "nothing is plugged in here"
            self._scribe(Dropped(what=f"{request.NAME} of {mac_text(source)}", reason=reason))
            return
        run = self._runs.get((source, request.run_id))
        # a second request a few ms after the first is normal and must not disturb what has begun; later it is a new try
        if run is None or run.started.is_set():
            self._begin(source, request.run_id)
        self._homeplug.send(SlacParamCnf(forwarding_sta=source, run_id=request.run_id), source)
        self._pass(101)

    def _begin(self, mac: bytes, run_id: bytes) -> None:
        """A new run, instead of the same vehicle's old one or, when there are too many, of the oldest."""
        if old := self._runs.pop((mac, run_id), None):
            old.close()
        if len(self._runs) >= C_EVSE_MATCH_PARALLEL:
            self._drop(next(iter(self._runs.values())), f"{C_EVSE_MATCH_PARALLEL} others followed")
        run = self._runs[mac, run_id] = _Run(mac, run_id)
        run.task = asyncio.ensure_future(self._attend(run))

    def _start(self, message: StartAttenCharInd, source: bytes) -> None:
        run = self._run_of(message, source)
        if run is None or not message.sounds or not message.timeout or message.response_type != 1:
            return
        if not run.started.is_set():
            run.window = min(message.timeout * TIMEOUT_UNIT_S, TT_EVSE_MATCH_MNBC)
            run.started.set()

    def _sound(self, message: MnbcSoundInd, source: bytes) -> None:
        if run := self._run_of(message, source):
            run.counts.add(message.count)
            if message.count == 0 or len(run.counts) >= C_EV_MATCH_MNBC:
                run.all_heard.set()

    def _profile(self, message: AttenProfileInd | VsAttenCharInd, source: bytes) -> None:
        if source != (self._modem.address or source):
            return  # a neighbour's modem may tell the whole line what it measured
        for run in self._runs.values():
            if run.mac == message.pev_mac and run.started.is_set() and not run.reported and message.groups:
                run.profiles[type(message)].append(message.groups)
                self._pass(110)

    async def _attend(self, run: _Run) -> None:
        """A run's timers, one after the other; dropped when one is over."""
        if not await _within(run.started, TT_MATCH_SEQUENCE):
            self._drop(run, f"no CM_START_ATTEN_CHAR.IND within {TT_MATCH_SEQUENCE:g} s (TT_match_sequence)")
            return
        if not await _within(run.all_heard, run.window):
            self._scribe.note(f"SLAC: {run.sounds} sounds of {mac_text(run.mac)} in {run.window:g} s")
        await asyncio.sleep(LATE_PROFILE_GRACE)
        if not run.sounds:
            self._drop(run, f"no sound within {run.window:g} s (TT_EVSE_match_MNBC)")
            return
        if not await self._report(run):
            waited = (1 + C_EV_MATCH_RETRY) * TT_MATCH_RESPONSE
            self._scribe.note(f"SLAC: no CM_ATTEN_CHAR.RSP of {mac_text(run.mac)} in {waited:g} s (TT_match_response)")
        await asyncio.sleep(TT_EVSE_MATCH_SESSION)
        self._drop(run, f"no CM_SLAC_MATCH.REQ within {TT_EVSE_MATCH_SESSION:g} s (TT_EVSE_match_session)")

    async def _report(self, run: _Run) -> bool:
        """Tell the vehicle what was heard until it answers; whether it did. Invented groups if the modem gave none."""
        groups = mean_profile(run.best_profiles)
        run.attenuation = mean(groups) or 0.0
        run.reported = True
        report = AttenCharInd(source_address=run.mac, run_id=run.run_id, sounds=run.sounds, groups=groups)
        for _ in range(1 + C_EV_MATCH_RETRY):
            self._homeplug.send(report, run.mac)
            self._pass(120)
            if await _within(run.answered, TT_MATCH_RESPONSE):
                return True
        return False

    def _drop(self, run: _Run, reason: str) -> None:
        self._scribe.note(f"SLAC: dropped {mac_text(run.mac)}: {reason}")
        self._runs.pop((run.mac, run.run_id), None)
        run.close()

    def _validate(self, source: bytes) -> None:
        if any(run.reported for run in self._runs.values() if run.mac == source):
            self._homeplug.send(ValidateCnf(result=NOT_REQUIRED), source)

    def _match_request(self, request: SlacMatchReq, source: bytes) -> None:
        run = self._run_of(request, source)
        wrong = (request.pev_mac, request.evse_mac) != (source, self._homeplug.address)
        if run is None or wrong or not run.reported or self._matched is None or self._matched.done():
            self._scribe(Dropped(what=f"{request.NAME} of {mac_text(source)}", reason="no run of ours, or other MACs"))
            return
        self._confirm(request, source)
        self._pass(155)
        values = {"attenuation": run.attenuation, "sounds": run.sounds}
        self._scribe(Decision(what=f"vehicle {mac_text(source)}", why="matched", values=values))
        self._matched.set_result(Matched(source, self._nid, self._nmk, request.run_id, run.attenuation))

    def _confirm(self, request: SlacMatchReq, source: bytes) -> None:
        answer = SlacMatchCnf(
            pev_mac=source, evse_mac=self._homeplug.address, run_id=request.run_id, nid=self._nid, nmk=self._nmk
        )
        self._homeplug.send(answer, source)

    def _pass(self, number: int) -> None:
        if number not in self._passed:
            self._passed.add(number)
            self._scribe.checkpoint(number)


async def _within(event: asyncio.Event, seconds: float) -> bool:
    """Whether the event came in time."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
