"""Matching, the vehicle's side (ISO 15118-3 Annex A): ask, sound, choose, join.

SLAC_PARAM.REQ -> CNF (all within TT_match_response) - START_ATTEN_CHAR.IND x 3 - MNBC_SOUND.IND x 10
- collect ATTEN_CHAR.IND until TT_EV_atten_results, answer each - choose by attenuation
- SLAC_MATCH.REQ -> CNF - SET_KEY to the own modem - wait for the link
"""

from __future__ import annotations

import asyncio
import random
from typing import NamedTuple

from ..link.ethernet import mac_text
from ..record import Decision, Note, Scribe
from .attenuation import Heard, choose, mean
from .homeplug import HomePlug, Inbox
from .keys import nid_of, random_nmk
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
    TP_EV_MATCH_SESSION,
    TP_LINK_READY_NOTIFICATION,
    TT_EV_ATTEN_RESULTS,
    TT_MATCH_RESPONSE,
    TT_MATCHING_RATE,
)


class SlacError(Exception):
    """Matching ended without a link; the text names what was sent, what was awaited, how long, and the limit."""


class Matched(NamedTuple):
    """A link: the peer's host MAC, the network, the run it came from, and the attenuation in dB."""

    peer: bytes
    nid: bytes
    nmk: bytes
    run_id: bytes
    attenuation: float


class _Retry(Exception):
    """This attempt failed; the text says at what."""


class Matcher:
    """Matches one vehicle. `rng` gives run ids, sounds and keys."""

    def __init__(
        self, homeplug: HomePlug, modem: Modem, scribe: Scribe, settings: SlacSettings, rng: random.Random
    ) -> None:
        self._homeplug = homeplug
        self._modem = modem
        self._scribe = scribe
        self._settings = settings
        self._rng = rng
        self._passed: set[int] = set()
        self._run_id = b""

    async def match(self) -> Matched:
        """Try until matched or `search_s` are over; raises SlacError, or ModemError when the own modem fails."""
        until = self._now() + self._settings.search_s
        attempts = 0
        while True:
            attempts += 1
            wish = self._settings.run_id
            self._run_id = bytes.fromhex(wish) if wish else self._rng.randbytes(8)
            try:
                return await self._attempt()
            except _Retry as failed:
                if self._now() >= until:
                    raise SlacError(
                        f"no match after {attempts} attempts in {self._settings.search_s:g} s: {failed}"
                    ) from None
                self._scribe(Note(text=f"SLAC attempt {attempts}: {failed}"))
                await asyncio.sleep(TT_MATCHING_RATE)

    async def leave(self) -> None:
        """Leave the network: a random key of our own. A modem that does not answer is recorded."""
        try:
            await self._modem.set_key(random_nmk(self._rng))
        except ModemError as error:
            self._scribe.note(f"leaving the network: {error}", "warning")

    async def _attempt(self) -> Matched:
        with self._homeplug.inbox(SlacParamCnf, AttenCharInd, SlacMatchCnf) as inbox:
            await self._parameters(inbox)
            evse, attenuation = await self._sound(inbox)
            confirmed = await self._request_match(inbox, evse)
        await self._join(confirmed)
        return Matched(evse, confirmed.nid, confirmed.nmk, self._run_id, attenuation)

    async def _parameters(self, inbox: Inbox) -> None:
        self._pass(100)
        for _ in range(1 + C_EV_MATCH_RETRY):
            self._homeplug.send(SlacParamReq(run_id=self._run_id), BROADCAST)
            try:
                await inbox.expect(SlacParamCnf, lambda m, s: m.run_id == self._run_id, TT_MATCH_RESPONSE)
            except TimeoutError:
                continue
            self._pass(102)
            return
        waited = (1 + C_EV_MATCH_RETRY) * TT_MATCH_RESPONSE
        raise _Retry(f"no charger answered CM_SLAC_PARAM.REQ in {waited:g} s (TT_match_response, C_EV_match_retry)")

    async def _sound(self, inbox: Inbox) -> tuple[bytes, float]:
        """Sound and collect; the chosen charger and its attenuation. Answers come from the first sound on."""
        started = self._now()
        collecting = asyncio.ensure_future(self._collect(inbox, started + TT_EV_ATTEN_RESULTS))
        try:
            await self._send_sounds(started)
            reports = await collecting
        finally:
            collecting.cancel()
        if not reports:
            raise _Retry(f"no CM_ATTEN_CHAR.IND within {TT_EV_ATTEN_RESULTS:g} s (TT_EV_atten_results)")
        self._pass(130)
        evse = choose(reports, self._settings.worst_attenuation)
        values = {mac_text(mac): heard.attenuation for mac, heard in reports.items()}
        if evse is None:
            raise _Retry(f"no charger heard well enough: {values}")
        attenuation = reports[evse].attenuation or 0.0
        surely = "found" if attenuation < C_EV_MATCH_SIGNALATTN_DIRECT else "potentially found"
        self._scribe(Decision(what=f"charger {mac_text(evse)}", why=f"lowest attenuation, {surely}", values=values))
        return evse, attenuation

    async def _send_sounds(self, started: float) -> None:
        """At fixed times from the first announcement on, so that delays do not add up."""
        self._pass(103)
        announcements = [
            StartAttenCharInd(forwarding_sta=self._homeplug.address, run_id=self._run_id)
        ] * C_EV_START_ATTEN_CHAR_INDS
        sounds = [
            MnbcSoundInd(count=left, run_id=self._run_id, random=self._rng.randbytes(16))
            for left in reversed(range(C_EV_MATCH_MNBC))
        ]
        for number, message in enumerate([*announcements, *sounds]):
            await asyncio.sleep(max(0.0, started + number * TP_EV_BATCH_MSG_INTERVAL - self._now()))
            if number == C_EV_START_ATTEN_CHAR_INDS:
                self._pass(104)
            self._homeplug.send(message, BROADCAST)

    async def _collect(self, inbox: Inbox, until: float) -> dict[bytes, Heard]:
        reports: dict[bytes, Heard] = {}
        while True:
            try:
                report, source = await inbox.expect(AttenCharInd, self._ours, until - self._now())
            except TimeoutError:
                return reports
            reports[source] = Heard(mean(report.groups), report.sounds)
            self._homeplug.send(AttenCharRsp(source_address=self._homeplug.address, run_id=self._run_id), source)
            self._pass(140)

    def _ours(self, report: AttenCharInd, source: bytes) -> bool:
        return report.run_id == self._run_id and report.source_address == self._homeplug.address

    async def _request_match(self, inbox: Inbox, evse: bytes) -> SlacMatchCnf:
        await asyncio.sleep(TP_EV_MATCH_SESSION)
        request = SlacMatchReq(pev_mac=self._homeplug.address, evse_mac=evse, run_id=self._run_id)
        self._pass(150)

        def fits(answer: SlacMatchCnf, source: bytes) -> bool:
            return source == evse and answer.run_id == self._run_id and answer.pev_mac == self._homeplug.address

        for _ in range(1 + C_EV_MATCH_RETRY):
            self._homeplug.send(request, evse)
            try:
                answer, _ = await inbox.expect(SlacMatchCnf, fits, TT_MATCH_RESPONSE)
            except TimeoutError:
                continue
            self._pass(160)
            return answer
        waited = (1 + C_EV_MATCH_RETRY) * TT_MATCH_RESPONSE
        raise _Retry(f"charger {mac_text(evse)} did not answer CM_SLAC_MATCH.REQ in {waited:g} s (TT_match_response)")

    async def _join(self, confirmed: SlacMatchCnf) -> None:
        self._pass(170)
        if confirmed.nid != nid_of(confirmed.nmk):
            self._scribe.note(f"the charger's NID {confirmed.nid.hex()} is not derived from its NMK")
        await self._modem.set_key(confirmed.nmk)
        self._pass(180)
        try:
            await self._modem.wait_link(self._settings.join_s)
        except ModemError as error:
            raise _Retry(f"matched, but {error}") from None
        self._pass(190)
        await asyncio.sleep(TP_LINK_READY_NOTIFICATION)

    def _pass(self, number: int) -> None:
        if number not in self._passed:
            self._passed.add(number)
            self._scribe.checkpoint(number)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
