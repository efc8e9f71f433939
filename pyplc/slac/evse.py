"""Matching, the charger's side (ISO 15118-3 Annex A): it reacts, with one session for each vehicle MAC and run id."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

from ..link.ethernet import mac_text
from ..record import Decision, Scribe
from .attenuation import mean, mean_profile
from .ev import Matched
from .homeplug import HomePlug
from .keys import nid_of, random_nmk
from .layout import (
    Message,
)
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
)
from .modem import Modem
from .timing import (
    C_EV_MATCH_MNBC,
    C_EV_MATCH_RETRY,
    EARLY_SOUND_GRACE,
    TP_EVSE_AVG_ATTEN_CALC,
    TT_EVSE_MATCH_MNBC,
    TT_EVSE_MATCH_SESSION,
    TT_MATCH_RESPONSE,
    TT_MATCH_SEQUENCE,
)
from .vendor import (
    VsAttenCharInd,
)

TIMEOUT_UNIT_S = 0.1
SessionKey = tuple[bytes, bytes]


class _Session:
    """One vehicle's run: what was heard of it so far."""

    def __init__(self, mac: bytes, run_id: bytes) -> None:
        self.mac = mac
        self.run_id = run_id
        self.sounds = 0
        self.profiles: list[bytes] = []
        self.started = False
        self.answered = asyncio.Event()
        self.all_heard = asyncio.Event()
        self.attenuation = 0.0
        self.task: asyncio.Task[None] | None = None

    def close(self) -> None:
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
        self._sessions: dict[SessionKey, _Session] = {}
        self._passed: set[int] = set()
        self._nmk = b""
        self._matched: asyncio.Future[Matched] | None = None

    async def prepare(self) -> None:
        """A fresh key in the own modem; raises ModemError. Matching may begin when the modem is back."""
        self._nmk = random_nmk(self._rng)
        self._pass(1)
        await self._modem.set_key(self._nmk)

    async def match(self) -> Matched:
        """Serve until a vehicle has matched; it may still ask again (`run_late` answers)."""
        self._matched = asyncio.get_running_loop().create_future()
        try:
            with self._homeplug.listening(self._heard):
                return await self._matched
        finally:
            for session in self._sessions.values():
                session.close()

    async def run_late(self, matched: Matched) -> None:
        """Repeat MATCH.CNF for the matched vehicle if it asks again; until cancelled."""

        def again(message: Message, source: bytes) -> None:
            if isinstance(message, SlacMatchReq) and (source, message.run_id) == (matched.peer, matched.run_id):
                self._confirm(message, source)

        with self._homeplug.listening(again):
            await asyncio.get_running_loop().create_future()

    def _heard(self, message: Message, source: bytes) -> None:
        match message:
            case SlacParamReq():
                self._parameters(message, source)
            case StartAttenCharInd():
                self._start(message, source)
            case MnbcSoundInd():
                self._sound(message, source)
            case AttenProfileInd() | VsAttenCharInd():
                self._profile(message)
            case AttenCharRsp():
                if session := self._sessions.get((source, message.run_id)):
                    session.answered.set()
            case SlacMatchReq():
                self._match_request(message, source)

    def _parameters(self, request: SlacParamReq, source: bytes) -> None:
        foreign = (request.application, request.security) != (PEV_EVSE_MATCHING, NO_SECURITY)
        if foreign or not self._plugged():
            return
        key = (source, request.run_id)
        # a second request a few ms after the first is normal and must not disturb what has begun
        if key not in self._sessions:
            self._sessions[key] = _Session(source, request.run_id)
        self._homeplug.send(SlacParamCnf(forwarding_sta=source, run_id=request.run_id), source)
        self._pass(101)

    def _start(self, message: StartAttenCharInd, source: bytes) -> None:
        session = self._sessions.get((source, message.run_id))
        if (
            session is None
            or session.started
            or not message.sounds
            or not message.timeout
            or message.response_type != 1
        ):
            return
        session.started = True
        window = min(message.timeout * TIMEOUT_UNIT_S, TT_EVSE_MATCH_MNBC)
        session.task = asyncio.ensure_future(self._report(session, window))

    def _sound(self, message: MnbcSoundInd, source: bytes) -> None:
        session = self._sessions.get((source, message.run_id))
        if session is None:
            return
        session.sounds += 1
        if message.count == 0 or session.sounds >= C_EV_MATCH_MNBC:
            session.all_heard.set()

    def _profile(self, message: AttenProfileInd | VsAttenCharInd) -> None:
        for session in self._sessions.values():
            if session.mac == message.pev_mac and session.started and message.groups:
                session.profiles.append(message.groups)
                self._pass(110)

    async def _report(self, session: _Session, window: float) -> None:
        """Wait for the sounds, then tell the vehicle what we heard, until it answers."""
        try:
            async with asyncio.timeout(window):
                await session.all_heard.wait()
        except TimeoutError:
            self._scribe.note(f"SLAC: {session.sounds} sounds of {mac_text(session.mac)} in the window")
        await asyncio.sleep(min(EARLY_SOUND_GRACE, TP_EVSE_AVG_ATTEN_CALC))
        if not session.sounds:
            self._drop(session, f"no sound within {window:g} s (TT_EVSE_match_MNBC)")
            return
        groups = mean_profile(session.profiles)
        session.attenuation = mean(groups) or 0.0
        report = AttenCharInd(
            source_address=session.mac,
            run_id=session.run_id,
            sounds=min(session.sounds, C_EV_MATCH_MNBC),
            groups=groups,
        )
        for _ in range(1 + C_EV_MATCH_RETRY):
            self._homeplug.send(report, session.mac)
            self._pass(120)
            try:
                async with asyncio.timeout(TT_MATCH_RESPONSE):
                    await session.answered.wait()
            except TimeoutError:
                continue
            await asyncio.sleep(TT_EVSE_MATCH_SESSION)
            self._drop(session, f"no CM_SLAC_MATCH.REQ within {TT_EVSE_MATCH_SESSION:g} s (TT_EVSE_match_session)")
            return
        await asyncio.sleep(TT_MATCH_SEQUENCE)
        self._drop(session, "CM_ATTEN_CHAR.IND was never answered (TT_match_response)")

    def _drop(self, session: _Session, reason: str) -> None:
        self._scribe.note(f"SLAC: dropped {mac_text(session.mac)}: {reason}")
        self._sessions.pop((session.mac, session.run_id), None)

    def _match_request(self, request: SlacMatchReq, source: bytes) -> None:
        session = self._sessions.get((source, request.run_id))
        wrong = (request.pev_mac, request.evse_mac) != (source, self._homeplug.address)
        if session is None or wrong or not session.started or self._matched is None:
            return
        self._confirm(request, source)
        self._pass(155)
        if not self._matched.done():
            matched = Matched(source, nid_of(self._nmk), self._nmk, request.run_id, session.attenuation)
            self._scribe(
                Decision(what=f"vehicle {mac_text(source)}", why="matched", values={"attenuation": session.attenuation})
            )
            self._matched.set_result(matched)

    def _confirm(self, request: SlacMatchReq, source: bytes) -> None:
        answer = SlacMatchCnf(
            pev_mac=source, evse_mac=self._homeplug.address, run_id=request.run_id, nid=nid_of(self._nmk), nmk=self._nmk
        )
        self._homeplug.send(answer, source)

    def _pass(self, number: int) -> None:
        if number not in self._passed:
            self._passed.add(number)
            self._scribe.checkpoint(number)
