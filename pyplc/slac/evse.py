"""Matching, the charger's side (ISO 15118-3 Annex A): it reacts, with one run for each vehicle MAC and run id.

| message             | wanted         | then                                                         |
|---------------------|----------------|--------------------------------------------------------------|
| CM_SLAC_PARAM.REQ   | plugged in     | a run begins; CNF; TT_match_sequence for the announcement    |
| CM_START_ATTEN_CHAR | a run          | the window of TT_EVSE_match_MNBC opens                       |
| sounds, profiles    | an open window | counted; at its end CM_ATTEN_CHAR.IND until RSP, three times |
| CM_VALIDATE.REQ     | a reported run | CNF as `validation` says                                     |
| CM_SLAC_MATCH.REQ   | a reported run | CNF with the key: matched; within TT_EVSE_match_session      |

The matched vehicle may begin anew: one that failed to join starts over with CM_SLAC_PARAM.REQ. It gets the same key
again. Another vehicle is not answered then: two must not hold one key.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

from ..clock import first_in_line
from ..link.ethernet import mac_text
from ..record import Decision, Dropped, Scribe
from .ampmap import AmpMaps, ask
from .ev import Matched
from .failure import KEY, LINK, PATIENCE, RETRIED
from .homeplug import HomePlug
from .joining import leave, take_key, watch_link
from .journal import Journal
from .keys import nid_of, random_nmk
from .layout import Message
from .messages import (
    NO_SECURITY,
    PEV_EVSE_MATCHING,
    ZERO17,
    AttenCharRsp,
    AttenProfileInd,
    MnbcSoundInd,
    SetKeyReq,
    SlacMatchCnf,
    SlacMatchReq,
    SlacParamCnf,
    SlacParamReq,
    StartAttenCharInd,
    ValidateReq,
)
from .mme import LOCAL_MODEM
from .modem import Modem, ModemError
from .run import Run
from .settings import SlacSettings
from .survey import role_of
from .timing import (
    C_EV_MATCH_RETRY,
    LATE_PROFILE_GRACE,
    TP_EVSE_AVG_ATTEN_CALC,
    TT_EVSE_MATCH_SESSION,
    TT_EVSE_SLAC_INIT,
    TT_MATCH_RESPONSE,
    TT_MATCH_SEQUENCE,
)
from .validation import Count, Validator
from .vendor import VsAttenCharInd


class Matcher:
    """Answers vehicles while `plugged()` is true; the first that matches is the one.

    A charger that answers for a car at its neighbour's is the classic wrong match: hence `plugged`. `count` is the
    pilot for validation; without it none is required of a vehicle.
    """

    def __init__(
        self,
        homeplug: HomePlug,
        modem: Modem,
        scribe: Scribe,
        settings: SlacSettings,
        rng: random.Random,
        plugged: Callable[[], bool],
        count: Count | None = None,
    ) -> None:
        self._homeplug = homeplug
        self._modem = modem
        self._scribe = scribe
        self._settings = settings
        self._rng = rng
        self._plugged = plugged
        self._runs: dict[tuple[bytes, bytes], Run] = {}
        self._looked = False
        self._passed: set[int] = set()
        self._nmk = b""
        self._nid = b""
        self._matched: Matched | None = None
        self._matches: asyncio.Queue[Matched] = asyncio.Queue()
        self._journal = Journal(homeplug, "evse", self._is_ours)
        self._validator = Validator(self._journal, scribe, settings.validation, count)
        self.asked = asyncio.Event()
        """A vehicle has sent CM_SLAC_PARAM.REQ."""

    async def prepare(self) -> None:
        """A fresh key in the own modem; raises ModemError. Matching may begin when the modem is back."""
        self._passed.clear()
        self.asked.clear()
        self._journal.clear()
        self._nmk = random_nmk(self._rng)
        self._nid = nid_of(self._nmk)
        self._pass(1)
        await self._look()
        with self._homeplug.listening(self._journal.hear):
            self._journal.sent(SetKeyReq(nid=self._nid, nmk=self._nmk), LOCAL_MODEM)
            began = _now()
            try:
                await take_key(self._modem, self._scribe, self._nmk, self._nid)
            except ModemError as error:
                failure = self._journal.waited(KEY, round(_now() - began, 1), "C_modem_tries, one restart")
                raise ModemError(f"{error}. It {failure.text}") from None

    async def _look(self) -> None:
        """Ask the own modem once what it is set up for: the wrong role is the usual reason why nobody asks."""
        if self._modem.address is None or self._looked:
            return
        self._looked = True
        role = await role_of(self._homeplug, self._modem.address)
        if role is not None:
            self._journal.set_up(role)
        if role == "pev":
            self._scribe.note("the own modem is set up as pev: it hands up no vehicle's frames", "warning")

    async def match(self) -> Matched:
        """Serve until a vehicle has matched; `join` must follow at once. A vehicle that never asks is remarked."""
        self._matched = None
        self._matches = asyncio.Queue()
        silence = asyncio.get_running_loop().call_later(TT_EVSE_SLAC_INIT, self._silence)
        try:
            with self._homeplug.listening(self._heard), first_in_line():
                return await self._matches.get()
        finally:
            silence.cancel()
            self._close()

    async def join(self, matched: Matched, seconds: float) -> Matched:
        """Wait for the link while the matched vehicle may ask again or begin anew; the last match.

        ModemError after `seconds` from that, with the reason why.
        """
        try:
            with self._homeplug.listening(self._heard):
                while True:
                    linked = asyncio.ensure_future(self._modem.wait_link(seconds))
                    again = asyncio.ensure_future(self._matches.get())
                    try:
                        await asyncio.wait({linked, again}, return_when=asyncio.FIRST_COMPLETED)
                        if linked.done():
                            linked.result()
                            break
                        matched = again.result()
                    finally:
                        linked.cancel()
                        again.cancel()
        except ModemError as error:
            failure = self._journal.waited(LINK, seconds, "TT_match_join")
            raise ModemError(f"matched with {mac_text(matched.peer)}, but {error}. It {failure.text}") from None
        finally:
            self._close()
        self._pass(190)
        if self._settings.amp_map:
            await ask(self._homeplug, matched.peer, self._settings.amp_map, self._scribe)
        return matched

    async def attend(self, matched: Matched) -> None:
        """While the session runs: answer the matched vehicle if it asks again or begins anew, and watch the link.

        Nobody else is answered. Returns never; LinkLost when the link is gone.
        """
        maps = AmpMaps(self._homeplug, matched.peer, self._scribe)
        try:
            with self._homeplug.listening(self._heard), self._homeplug.listening(maps):
                if self._settings.link_watch:
                    await watch_link(self._homeplug, self._modem, self._scribe)
                await asyncio.get_running_loop().create_future()
        finally:
            self._close()

    async def leave(self) -> None:
        """Leave the network: a random key of our own. A modem that does not answer is recorded."""
        await leave(self._modem, self._scribe, self._rng)

    def _close(self) -> None:
        self._validator.close()
        for run in self._runs.values():
            run.close()
        self._runs.clear()

    def _silence(self) -> None:
        if not self.asked.is_set():
            failure = self._journal.waited(SlacParamReq.NAME, TT_EVSE_SLAC_INIT, "TT_EVSE_SLAC_init")
            self._scribe.note(f"SLAC: no vehicle asks. We {failure.text}", "warning")

    def _heard(self, message: Message, source: bytes) -> None:
        self._journal.hear(message, source)
        match message:
            case SlacParamReq():
                self._parameters(message, source)
            case StartAttenCharInd():
                if run := self._run_of(message, source):
                    run.announced(message)
            case MnbcSoundInd():
                if run := self._run_of(message, source):
                    run.sounded(message)
            case AttenProfileInd() | VsAttenCharInd():
                self._profile(message, source)
            case AttenCharRsp():
                if run := self._run_of(message, source):
                    run.answered.set()
            case ValidateReq():
                if run := next((run for run in self._runs.values() if run.mac == source and run.report), None):
                    self._validator.asked(message, source)
                    run.asked_again.set()
            case SlacMatchReq():
                self._match_request(message, source)

    def _run_of(self, message: Any, source: bytes) -> Run | None:
        if (message.application, message.security) != (PEV_EVSE_MATCHING, NO_SECURITY):
            return None
        return self._runs.get((source, message.run_id))

    def _is_ours(self, message: Message) -> bool:
        """Whether a message, where it says so, is of a run here."""
        run_id = getattr(message, "run_id", None)
        known = {run.run_id for run in self._runs.values()} | ({self._matched.run_id} if self._matched else set())
        return run_id is None or run_id in known or isinstance(message, SlacParamReq)

    def _parameters(self, request: SlacParamReq, source: bytes) -> None:
        if reason := self._not_for_us(request, source):
            self._scribe(Dropped(what=f"{request.NAME} of {mac_text(source)}", reason=reason))
            return
        self.asked.set()
        run = self._runs.get((source, request.run_id))
        # a second request a few ms after the first is normal and must not disturb what has begun; later it is a new try
        if run is None or run.started.is_set() or self._settings.repeat_begins_anew:
            self._begin(source, request.run_id)
        self._journal.send(SlacParamCnf(forwarding_sta=source, run_id=request.run_id), source)
        self._pass(101)

    def _not_for_us(self, request: SlacParamReq, source: bytes) -> str | None:
        """Why a request is not answered."""
        if (request.application, request.security) != (PEV_EVSE_MATCHING, NO_SECURITY):
            return "not PEV-EVSE matching, or secured"
        if not self._plugged() and not self._settings.answer_unplugged:
            return "nothing is plugged in here"
        if self._matched is not None and source != self._matched.peer:
            return f"matched with {mac_text(self._matched.peer)}"
        return None

    def _begin(self, mac: bytes, run_id: bytes) -> None:
        """A new run, instead of the same vehicle's old one or, when there are too many, of the oldest."""
        if old := self._runs.pop((mac, run_id), None):
            old.close()
        if len(self._runs) >= self._settings.parallel:
            self._drop(next(iter(self._runs.values())), f"{self._settings.parallel} others followed (slac.parallel)")
        run = self._runs[mac, run_id] = Run(mac, run_id)
        run.task = asyncio.ensure_future(self._attend(run))

    def _profile(self, message: AttenProfileInd | VsAttenCharInd, source: bytes) -> None:
        if source != (self._modem.address or source):
            return  # a neighbour's modem may tell the whole line what it measured
        for run in self._runs.values():
            open_window = run.started.is_set() and run.report is None
            if run.mac == message.pev_mac and open_window and run.measured(message):
                self._pass(110)

    async def _attend(self, run: Run) -> None:
        """A run's timers, one after the other; dropped when one is over."""
        if not await _within(run.started, TT_MATCH_SEQUENCE):
            self._drop(run, f"no CM_START_ATTEN_CHAR.IND within {TT_MATCH_SEQUENCE:g} s (TT_match_sequence)")
            return
        if not await _within(run.all_heard, run.window):
            self._scribe.note(f"SLAC: {run.sounds} sounds of {mac_text(run.mac)} in {run.window:g} s")
        sounded = _now()
        await _within(run.all_measured, LATE_PROFILE_GRACE)
        if not run.sounds and not self._settings.report_unheard:
            self._drop(run, f"no sound within {run.window:g} s (TT_EVSE_match_MNBC)")
            return
        if (took := _now() - sounded) > TP_EVSE_AVG_ATTEN_CALC:
            limit = f"at most {TP_EVSE_AVG_ATTEN_CALC:g} s (TP_EVSE_avg_atten_calc)"
            self._scribe.note(f"SLAC: the report comes {took:.2f} s after the sounds, {limit}", "warning")
        if not await self._report(run):
            self._scribe.note(f"SLAC: no CM_ATTEN_CHAR.RSP of {mac_text(run.mac)} in {PATIENCE:g} s ({RETRIED})")
        while await _within(run.asked_again, TT_EVSE_MATCH_SESSION):
            run.asked_again.clear()
        self._drop(run, f"no CM_SLAC_MATCH.REQ within {TT_EVSE_MATCH_SESSION:g} s (TT_EVSE_match_session)")

    async def _report(self, run: Run) -> bool:
        """Tell the vehicle what was heard until it answers; whether it did."""
        report = run.make_report(self._settings)
        for _ in range(1 + C_EV_MATCH_RETRY):
            self._journal.send(report, run.mac)
            self._pass(120)
            if await _within(run.answered, TT_MATCH_RESPONSE):
                return True
        return False

    def _drop(self, run: Run, reason: str) -> None:
        self._scribe.note(f"SLAC: dropped {mac_text(run.mac)}: {reason}")
        self._runs.pop((run.mac, run.run_id), None)
        run.close()

    def _match_request(self, request: SlacMatchReq, source: bytes) -> None:
        last = self._matched
        if last is not None and (source, request.run_id) == (last.peer, last.run_id):
            self._confirm(request, source)
            return
        run = self._run_of(request, source)
        if run is None or run.report is None or (reason := self._wrong(request, source)):
            why = "no reported run of ours" if run is None or run.report is None else reason
            self._scribe(Dropped(what=f"{request.NAME} of {mac_text(source)}", reason=why))
            return
        self._confirm(request, source)
        self._pass(155)
        values = {"attenuation": round(run.attenuation, 2), "sounds": run.sounds}
        self._scribe(Decision(what=f"vehicle {mac_text(source)}", why="matched", values=values))
        self._matched = Matched(source, self._nid, self._nmk, request.run_id, run.attenuation)
        self._matches.put_nowait(self._matched)

    def _wrong(self, request: SlacMatchReq, source: bytes) -> str:
        """What is wrong with a request; empty when nothing is."""
        if (request.pev_mac, request.evse_mac) != (source, self._homeplug.address):
            return f"it names {mac_text(request.pev_mac)} and {mac_text(request.evse_mac)}"
        if not self._settings.any_station_id and (request.pev_id, request.evse_id) != (ZERO17, ZERO17):
            return "its PEV_ID or EVSE_ID is not zero (slac.any_station_id)"
        if self._matched is not None and source != self._matched.peer:
            return f"matched with {mac_text(self._matched.peer)}"
        return ""

    def _confirm(self, request: SlacMatchReq, source: bytes) -> None:
        answer = SlacMatchCnf(
            pev_id=request.pev_id,
            pev_mac=source,
            evse_id=self._settings.own_id,
            evse_mac=self._homeplug.address,
            run_id=request.run_id,
            nid=self._nid,
            nmk=self._nmk,
        )
        self._journal.send(answer, source)

    def _pass(self, number: int) -> None:
        if number not in self._passed:
            self._passed.add(number)
            self._scribe.checkpoint(number)


def _now() -> float:
    return asyncio.get_running_loop().time()


async def _within(event: asyncio.Event, seconds: float) -> bool:
    """Whether the event came in time."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
