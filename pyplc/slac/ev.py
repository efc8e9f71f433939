"""Matching, the vehicle's side (ISO 15118-3 Annex A): ask, sound, choose, join.

CM_SLAC_PARAM.REQ, every charger in hearing answers CNF
CM_START_ATTEN_CHAR.IND x 3, CM_MNBC_SOUND.IND x 10, each 20 to 50 ms after the one before
CM_ATTEN_CHAR.IND of every charger, each answered with RSP, until TT_EV_atten_results; the lowest attenuation wins
CM_SLAC_MATCH.REQ, CNF with the key; CM_SET_KEY to the own modem; wait for the link

An attempt that fails is followed by another with a new run id, as long as the settings say: real chargers were seen to
answer only the twentieth request, after 29 s.
"""

from __future__ import annotations

import asyncio
import random
from typing import NamedTuple

from ..link.ethernet import mac_text
from ..record import Decision, Dropped, Note, Scribe
from .attenuation import Heard, choose, mean
from .homeplug import HomePlug, Inbox
from .keys import nid_of, random_nmk
from .layout import Message
from .messages import (
    AttenCharInd,
    AttenCharRsp,
    MnbcSoundInd,
    SlacMatchCnf,
    SlacMatchReq,
    SlacParamCnf,
    SlacParamReq,
    StartAttenCharInd,
)
from .mme import BROADCAST
from .modem import Modem, ModemError
from .settings import SlacSettings
from .timing import (
    C_EV_MATCH_MNBC,
    C_EV_MATCH_RETRY,
    C_EV_MATCH_SIGNALATTN_DIRECT,
    C_EV_START_ATTEN_CHAR_INDS,
    TP_EV_BATCH_MSG_INTERVAL,
    TP_EV_BATCH_MSG_INTERVAL_MIN,
    TP_EV_MATCH_SESSION,
    TP_LINK_READY_NOTIFICATION,
    TP_MATCH_SEQUENCE,
    TT_EV_ATTEN_RESULTS,
    TT_MATCH_RESPONSE,
    TT_MATCHING_RATE,
)

WINDOW_100_MS = 6
"""The sounding window announced when a charger names none, in 100 ms."""
PATIENCE = (1 + C_EV_MATCH_RETRY) * TT_MATCH_RESPONSE
"""How long an answer is awaited with all repetitions, seconds."""


class SlacError(Exception):
    """Matching ended without a link; the text names what was sent, what was awaited, how long, and the limit."""


class Matched(NamedTuple):
    """A match: the peer's host MAC, the network, the run it came from, and the attenuation in dB."""

    peer: bytes
    nid: bytes
    nmk: bytes
    run_id: bytes
    attenuation: float


class _Retry(Exception):
    """This attempt failed; the text says at what."""


class Matcher:
    """Matches one vehicle. `rng` gives run ids, sounds and keys: `random.SystemRandom` outside simulations."""

    def __init__(
        self, homeplug: HomePlug, modem: Modem, scribe: Scribe, settings: SlacSettings, rng: random.Random
    ) -> None:
        self._homeplug = homeplug
        self._modem = modem
        self._scribe = scribe
        self._settings = settings
        self._rng = rng
        self._passed: set[int] = set()

    async def match(self) -> Matched:
        """Try until matched or `search_s` are over; raises SlacError, or ModemError when the own modem fails."""
        until = _now() + self._settings.search_s
        self._passed.clear()
        attempts = 0
        while True:
            attempts += 1
            wish = self._settings.run_id
            run_id = bytes.fromhex(wish) if wish else self._rng.randbytes(8)
            try:
                return await _Attempt(self, run_id).run()
            except _Retry as failed:
                if _now() >= until:
                    raise SlacError(
                        f"no match after {attempts} attempts in {self._settings.search_s:g} s; the last one: {failed}"
                    ) from None
                self._scribe(Note(text=f"SLAC attempt {attempts}: {failed}"))
                await asyncio.sleep(TT_MATCHING_RATE)

    async def leave(self) -> None:
        """Leave the network: a random key of our own. A modem that does not answer is recorded."""
        try:
            await self._modem.set_key(random_nmk(self._rng))
        except ModemError as error:
            self._scribe.note(f"leaving the network: {error}", "warning")


class _Attempt:
    """One run: all its messages carry one run id."""

    def __init__(self, matcher: Matcher, run_id: bytes) -> None:
        self._homeplug = matcher._homeplug
        self._modem = matcher._modem
        self._scribe = matcher._scribe
        self._settings = matcher._settings
        self._rng = matcher._rng
        self._passed = matcher._passed
        self._run_id = run_id
        self._reports: dict[bytes, Heard] = {}
        self._heard = "nothing"

    async def run(self) -> Matched:
        """The whole sequence; _Retry names the step that failed."""
        with self._homeplug.inbox(SlacParamCnf, SlacMatchCnf) as inbox:
            asked = await self._parameters(inbox)
            with self._homeplug.listening(self._answer_report):
                await self._sound(asked)
                evse, attenuation = self._choose()
                confirmed = await self._request_match(inbox, evse)
        await self._join(confirmed)
        return Matched(evse, confirmed.nid, confirmed.nmk, self._run_id, attenuation)

    async def _parameters(self, inbox: Inbox) -> SlacParamCnf:
        """The first charger's answer; others may follow while the sequence is not due to go on."""
        self._pass(100)
        for _ in range(1 + C_EV_MATCH_RETRY):
            self._homeplug.send(SlacParamReq(run_id=self._run_id), BROADCAST)
            try:
                answer, evse = await inbox.expect(SlacParamCnf, self._is_ours, TT_MATCH_RESPONSE)
            except TimeoutError:
                continue
            self._pass(102)
            self._heard = f"CM_SLAC_PARAM.CNF of {mac_text(evse)}"
            await asyncio.sleep(TP_MATCH_SEQUENCE)
            return answer
        raise self._failure("CM_SLAC_PARAM.REQ", "CM_SLAC_PARAM.CNF", PATIENCE, "TT_match_response, C_EV_match_retry")

    async def _sound(self, asked: SlacParamCnf) -> None:
        """Announce and sound at fixed times from the first announcement on, then wait for the reports to come in."""
        started = sent = _now()
        for number, message in enumerate(self._sounds(asked)):
            due = max(started + number * TP_EV_BATCH_MSG_INTERVAL, sent + TP_EV_BATCH_MSG_INTERVAL_MIN)
            if number:
                await asyncio.sleep(due - _now())
            self._pass(103 if number < C_EV_START_ATTEN_CHAR_INDS else 104)
            self._homeplug.send(message, BROADCAST)
            sent = _now()
        await asyncio.sleep(started + TT_EV_ATTEN_RESULTS - _now())

    def _sounds(self, asked: SlacParamCnf) -> list[Message]:
        """Announcements and sounds, with the numbers the charger asked for where it asked for something sensible."""
        count = asked.sounds or C_EV_MATCH_MNBC
        start = StartAttenCharInd(
            sounds=count,
            timeout=asked.timeout or WINDOW_100_MS,
            forwarding_sta=self._homeplug.address,
            run_id=self._run_id,
        )
        sounds = [
            MnbcSoundInd(count=left, run_id=self._run_id, random=self._rng.randbytes(16))
            for left in reversed(range(count))
        ]
        return [*[start] * C_EV_START_ATTEN_CHAR_INDS, *sounds]

    def _answer_report(self, message: Message, source: bytes) -> None:
        """Take and answer a charger's report, also when it comes early or again."""
        if not isinstance(message, AttenCharInd):
            return
        if not self._is_ours(message, source) or message.source_address != self._homeplug.address:
            self._scribe(Dropped(what=f"{message.NAME} of {mac_text(source)}", reason="another vehicle's run"))
            return
        self._reports[source] = Heard(mean(message.groups), message.sounds)
        self._heard = f"CM_ATTEN_CHAR.IND of {mac_text(source)}"
        self._homeplug.send(AttenCharRsp(source_address=self._homeplug.address, run_id=self._run_id), source)
        self._pass(140)

    def _choose(self) -> tuple[bytes, float]:
        """The chosen charger and its attenuation, dB."""
        if not self._reports:
            raise self._failure(
                "the last CM_MNBC_SOUND.IND", "CM_ATTEN_CHAR.IND", TT_EV_ATTEN_RESULTS, "TT_EV_atten_results"
            )
        self._pass(130)
        values = {mac_text(mac): heard.attenuation for mac, heard in self._reports.items()}
        evse = choose(self._reports, self._settings.worst_attenuation)
        if evse is None:
            raise _Retry(f"no charger reported between 0 and {self._settings.worst_attenuation:g} dB: {values}")
        attenuation = self._reports[evse].attenuation or 0.0
        surely = "found" if attenuation < C_EV_MATCH_SIGNALATTN_DIRECT else "potentially found"
        self._scribe(Decision(what=f"charger {mac_text(evse)}", why=f"lowest attenuation, {surely}", values=values))
        return evse, attenuation

    async def _request_match(self, inbox: Inbox, evse: bytes) -> SlacMatchCnf:
        await asyncio.sleep(TP_EV_MATCH_SESSION)
        request = SlacMatchReq(pev_mac=self._homeplug.address, evse_mac=evse, run_id=self._run_id)
        self._pass(150)

        def fits(answer: SlacMatchCnf, source: bytes) -> bool:
            return source == evse and self._is_ours(answer, source) and answer.pev_mac == self._homeplug.address

        for _ in range(1 + C_EV_MATCH_RETRY):
            self._homeplug.send(request, evse)
            try:
                answer, _ = await inbox.expect(SlacMatchCnf, fits, TT_MATCH_RESPONSE)
            except TimeoutError:
                continue
            self._pass(160)
            return answer
        raise self._failure(
            f"CM_SLAC_MATCH.REQ to {mac_text(evse)}",
            "CM_SLAC_MATCH.CNF",
            PATIENCE,
            "TT_match_response, C_EV_match_retry",
        )

    async def _join(self, confirmed: SlacMatchCnf) -> None:
        """Take the key exactly as the charger gave it: its NID need not be derived from its NMK."""
        self._pass(170)
        if confirmed.nid != nid_of(confirmed.nmk):
            self._scribe.note(f"the charger's NID {confirmed.nid.hex()} is not derived from its NMK")
        await self._modem.set_key(confirmed.nmk, confirmed.nid)
        self._pass(180)
        try:
            await self._modem.wait_link(self._settings.join_s)
        except ModemError as error:
            raise _Retry(f"matched and CM_SET_KEY confirmed, but {error}") from None
        self._pass(190)
        await asyncio.sleep(TP_LINK_READY_NOTIFICATION)

    def _is_ours(self, message: SlacParamCnf | AttenCharInd | SlacMatchCnf, source: bytes) -> bool:
        return message.run_id == self._run_id and not message.application and not message.security

    def _failure(self, sent: str, awaited: str, seconds: float, timer: str) -> _Retry:
        return _Retry(f"sent {sent}, heard {self._heard}, and awaited {awaited} in vain for {seconds:g} s ({timer})")

    def _pass(self, number: int) -> None:
        if number not in self._passed:
            self._passed.add(number)
            self._scribe.checkpoint(number)


def _now() -> float:
    return asyncio.get_running_loop().time()
