"""Matching, the vehicle's side (ISO 15118-3 Annex A): ask, sound, choose, join.

CM_SLAC_PARAM.REQ, every charger in hearing answers CNF
CM_START_ATTEN_CHAR.IND x 3, CM_MNBC_SOUND.IND x 10, each 20 to 50 ms after the one before
CM_ATTEN_CHAR.IND of every charger, each answered with RSP, until TT_EV_atten_results; the lowest attenuation wins
CM_VALIDATE.REQ with toggles on the pilot where wished; the next charger when this one does not count them
CM_SLAC_MATCH.REQ, CNF with the key; CM_SET_KEY to the own modem; wait for the link; CM_AMP_MAP.REQ where wished

An attempt that fails is followed by another with a new run id, as long as the settings say: real chargers were seen to
answer only the twentieth request, after 29 s.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from typing import NamedTuple

from ..clock import first_in_line, until
from ..link.ethernet import mac_text
from ..record import Decision, Dropped, Note, Scribe
from .ampmap import AmpMaps, ask
from .attenuation import Heard, mean, rank
from .failure import CHOICE, KEY, LINK, PATIENCE, RETRIED, Failure
from .homeplug import HomePlug, Inbox
from .joining import leave, take_key, watch_link
from .journal import Journal
from .keys import nid_of
from .layout import Message
from .messages import (
    AttenCharInd,
    AttenCharRsp,
    MnbcSoundInd,
    SetKeyReq,
    SlacMatchCnf,
    SlacMatchReq,
    SlacParamCnf,
    SlacParamReq,
    StartAttenCharInd,
    ValidateCnf,
)
from .mme import BROADCAST, LOCAL_MODEM
from .modem import Modem, ModemError
from .settings import SlacSettings
from .survey import role_of
from .timing import (
    C_EV_MATCH_MNBC,
    C_EV_MATCH_RETRY,
    C_EV_MATCH_SIGNALATTN_DIRECT,
    C_EV_MATCH_SIGNALATTN_INDIRECT,
    C_EV_START_ATTEN_CHAR_INDS,
    C_EV_VALD_NB_TOGGLES,
    TP_AMP_MAP_EXCHANGE,
    TP_EV_BATCH_MSG_INTERVAL_MIN,
    TP_EV_MATCH_SESSION,
    TP_EV_SLAC_INIT,
    TP_LINK_READY_NOTIFICATION,
    TP_MATCH_RESPONSE,
    TT_EV_ATTEN_RESULTS,
    TT_MATCH_RESPONSE,
    TT_MATCHING_RATE,
)
from .validation import Toggle, validate

WINDOW_100_MS = 6
"""The sounding window announced when a charger names none, in 100 ms."""


class SlacError(Exception):
    """Matching ended without a link; the text is the paragraph of `failure.explain`."""


class Matched(NamedTuple):
    """A match: the peer's host MAC, the network, the run it came from, and the attenuation in dB."""

    peer: bytes
    nid: bytes
    nmk: bytes
    run_id: bytes
    attenuation: float


class _Retry(Exception):
    """This attempt failed."""

    def __init__(self, failure: Failure, why: str | None = None) -> None:
        super().__init__(why or failure.short)
        self.failure = failure


class Matcher:
    """Matches one vehicle. `rng` gives run ids, sounds and keys: `random.SystemRandom` outside simulations.

    `toggle` is the pilot for validation; without it there is none.
    """

    def __init__(
        self,
        homeplug: HomePlug,
        modem: Modem,
        scribe: Scribe,
        settings: SlacSettings,
        rng: random.Random,
        toggle: Toggle | None = None,
    ) -> None:
        self.homeplug = homeplug
        self.modem = modem
        self.scribe = scribe
        self.settings = settings
        self.rng = rng
        self.toggle = toggle
        self._role: str | None = None
        self._looked = False
        self._passed: set[int] = set()

    async def match(self, plugged_at: float | None = None) -> Matched:
        """Try until matched or given up; raises SlacError, or ModemError when the own modem fails.

        `plugged_at` is the loop's time of plugging in, for TP_EV_SLAC_init.
        """
        began = _now()
        if plugged_at is not None and began - plugged_at > TP_EV_SLAC_INIT:
            late = f"{began - plugged_at:.1f} s after plugging in, at most {TP_EV_SLAC_INIT:g} s (TP_EV_SLAC_init)"
            self.scribe.note(f"SLAC begins {late}", "warning")
        self._passed.clear()
        furthest: _Retry | None = None
        for attempt in itertools.count(1):
            wish = self.settings.run_id
            run_id = bytes.fromhex(wish) if wish else self.rng.randbytes(8)
            try:
                return await _Attempt(self, run_id).run()
            except _Retry as failed:
                if furthest is None or failed.failure.stage >= furthest.failure.stage:
                    furthest = failed
                if _now() >= began + self.settings.search_s and attempt >= self.settings.attempts:
                    took = f"{attempt} attempts in {_now() - began:.1f} s (slac.search_s {self.settings.search_s:g} s)"
                    why = "" if str(furthest) == furthest.failure.short else f"{furthest}. It "
                    raise SlacError(
                        f"no match after {took}; the attempt that came furthest: {why}{furthest.failure.text}"
                    ) from None
                self.scribe(Note(text=f"SLAC attempt {attempt}: {failed}"))
                await asyncio.sleep(TT_MATCHING_RATE)
        raise AssertionError("count() does not end")

    async def look(self) -> str | None:
        """Ask the own modem, once, what it is set up for: the wrong role is the usual reason why nobody answers."""
        if self.modem.address is not None and not self._looked:
            self._looked = True
            self._role = await role_of(self.homeplug, self.modem.address)
            if self._role == "evse":
                self.scribe.note("the own modem is set up as evse: it hands up no charger's frames", "warning")
        return self._role

    async def attend(self, matched: Matched) -> None:
        """While the session runs: answer the charger's amplitude maps, watch the link. LinkLost when it is gone."""
        with self.homeplug.listening(AmpMaps(self.homeplug, matched.peer, self.scribe)):
            if self.settings.link_watch:
                await watch_link(self.homeplug, self.modem, self.scribe)
            await asyncio.get_running_loop().create_future()

    async def leave(self) -> None:
        """Leave the network: a random key of our own. A modem that does not answer is recorded."""
        await leave(self.modem, self.scribe, self.rng)

    def passed(self, number: int) -> None:
        """A checkpoint, recorded once."""
        if number not in self._passed:
            self._passed.add(number)
            self.scribe.checkpoint(number)


class _Attempt:
    """One run: all its messages carry one run id."""

    def __init__(self, matcher: Matcher, run_id: bytes) -> None:
        self._matcher = matcher
        self._homeplug = matcher.homeplug
        self._modem = matcher.modem
        self._scribe = matcher.scribe
        self._settings = matcher.settings
        self._rng = matcher.rng
        self._pass = matcher.passed
        self._run_id = run_id
        self._answered: set[bytes] = set()
        self._reports: dict[bytes, Heard] = {}
        self._journal = Journal(matcher.homeplug, "ev", self._is_ours)

    async def run(self) -> Matched:
        """The whole sequence; _Retry names the step that failed."""
        try:
            return await self._steps()
        except _Retry as failed:
            if (role := await self._matcher.look()) is not None:
                self._journal.set_up(role)
                failed.failure = self._journal.explain()
            raise

    async def _steps(self) -> Matched:
        with (
            self._homeplug.listening(self._journal.hear),
            self._homeplug.inbox(SlacParamCnf, ValidateCnf, SlacMatchCnf) as inbox,
            first_in_line(),
        ):
            asked = await self._parameters(inbox)
            with self._homeplug.listening(self._answer_report):
                await self._sound(asked)
                evse, attenuation = await self._choose(inbox)
                confirmed = await self._request_match(inbox, evse)
            matched = Matched(evse, confirmed.nid, confirmed.nmk, self._run_id, attenuation)
            await self._join(matched)
            return matched

    async def _parameters(self, inbox: Inbox) -> SlacParamCnf:
        """The first charger's answer; others may follow until the sequence is due to go on."""
        self._pass(100)
        for _ in range(1 + C_EV_MATCH_RETRY):
            asked = _now()
            self._journal.send(SlacParamReq(run_id=self._run_id), BROADCAST)
            try:
                answer, evse = await inbox.expect(SlacParamCnf, self._is_usable, TT_MATCH_RESPONSE)
            except TimeoutError:
                continue
            self._on_time(_now() - asked, TP_MATCH_RESPONSE, "TP_match_response", f"{answer.NAME} of {mac_text(evse)}")
            self._pass(102)
            await asyncio.sleep(self._settings.announce_pause_s)
            return answer
        raise _Retry(self._journal.waited(SlacParamCnf.NAME, PATIENCE, RETRIED))

    def _is_usable(self, answer: SlacParamCnf, source: bytes) -> bool:
        usual = (answer.sounds, answer.timeout, answer.response_type) == (C_EV_MATCH_MNBC, WINDOW_100_MS, 1)
        if self._is_ours(answer) and not (usual or self._settings.trust_numbers):
            numbers = f"{answer.sounds} sounds in {answer.timeout}00 ms, response type {answer.response_type}"
            self._scribe(Dropped(what=f"{answer.NAME} of {mac_text(source)}", reason=f"{numbers} (slac.trust_numbers)"))
            return False
        return self._is_ours(answer)

    async def _sound(self, asked: SlacParamCnf) -> None:
        """Announce and sound at fixed times from the first announcement on, then wait for the reports to come in."""
        started = sent = _now()
        for number, message in enumerate(self._sounds(asked)):
            due = max(started + number * self._settings.sound_interval_s, sent + TP_EV_BATCH_MSG_INTERVAL_MIN)
            if number:
                await until(due)
            self._pass(103 if number < C_EV_START_ATTEN_CHAR_INDS else 104)
            self._journal.send(message, BROADCAST)
            sent = _now()
        await asyncio.sleep(started + TT_EV_ATTEN_RESULTS - _now())
        self._on_time(_now() - started - TT_EV_ATTEN_RESULTS, TP_EV_MATCH_SESSION, "TP_EV_match_session", "the match")

    def _sounds(self, asked: SlacParamCnf) -> list[Message]:
        """Announcements and sounds, with the numbers the charger asked for where it asked for something sensible."""
        count = asked.sounds or C_EV_MATCH_MNBC
        start = StartAttenCharInd(
            sounds=count,
            timeout=asked.timeout or WINDOW_100_MS,
            forwarding_sta=self._homeplug.address,
            run_id=self._run_id,
        )
        own = self._settings.own_id
        sounds = [
            MnbcSoundInd(sender_id=own, count=left, run_id=self._run_id, random=self._rng.randbytes(16))
            for left in reversed(range(count))
        ]
        return [*[start] * C_EV_START_ATTEN_CHAR_INDS, *sounds]

    def _answer_report(self, message: Message, source: bytes) -> None:
        """Take and answer a charger's report, also when it comes early or again."""
        if not isinstance(message, AttenCharInd):
            return
        if not self._is_ours(message):
            self._scribe(Dropped(what=f"{message.NAME} of {mac_text(source)}", reason="another vehicle's run"))
            return
        self._reports[source] = Heard(mean(message.groups), message.sounds)
        answer = AttenCharRsp(
            source_address=self._homeplug.address,
            run_id=self._run_id,
            source_id=message.source_id,
            response_id=message.response_id,
        )
        self._journal.send(answer, source)
        self._pass(140)

    async def _choose(self, inbox: Inbox) -> tuple[bytes, float]:
        """The chosen charger and its attenuation, dB: the best one, or the best that recognises us."""
        if not self._reports:
            raise _Retry(self._journal.waited(AttenCharInd.NAME, TT_EV_ATTEN_RESULTS, "TT_EV_atten_results"))
        self._pass(130)
        values = {mac_text(mac): _rounded(heard.attenuation) for mac, heard in self._reports.items()}
        worst, offset = self._settings.worst_attenuation, self._settings.attenuation_offset
        ranked = rank(self._reports, worst, offset)
        for evse, attenuation in ranked:
            verdict = await self._recognised(inbox, evse, attenuation)
            if verdict is None:
                continue
            figures = {**values, "offset": offset} if offset else values
            why = f"lowest attenuation, {_nearness(attenuation)}{verdict}"
            self._scribe(Decision(what=f"charger {mac_text(evse)}", why=why, values=figures))
            return evse, attenuation
        if ranked:
            raise _Retry(self._journal.waited(ValidateCnf.NAME, PATIENCE, RETRIED))
        failure = self._journal.waited(CHOICE, TT_EV_ATTEN_RESULTS, f"slac.worst_attenuation {worst:g} dB")
        raise _Retry(failure, f"no charger reported between 0 and {worst:g} dB: {values}")

    async def _recognised(self, inbox: Inbox, evse: bytes, attenuation: float) -> str | None:
        """What the validation says, empty where none is wished; None when this charger is out."""
        wish, toggle = self._settings.validate, self._matcher.toggle
        if wish == "never" or toggle is None or (wish == "unsure" and attenuation < C_EV_MATCH_SIGNALATTN_DIRECT):
            return ""
        verdict = await validate(self._journal, inbox, evse, toggle, self._rng.randint(1, C_EV_VALD_NB_TOGGLES))
        if verdict.good:
            return f", {verdict.value}"
        self._scribe.note(f"charger {mac_text(evse)} is out: {verdict.value}")
        return None

    async def _request_match(self, inbox: Inbox, evse: bytes) -> SlacMatchCnf:
        request = SlacMatchReq(
            pev_id=self._settings.own_id, pev_mac=self._homeplug.address, evse_mac=evse, run_id=self._run_id
        )
        self._pass(150)

        def fits(answer: SlacMatchCnf, source: bytes) -> bool:
            return source == evse and self._is_ours(answer)

        for _ in range(1 + C_EV_MATCH_RETRY):
            asked = _now()
            self._journal.send(request, evse)
            try:
                answer, _ = await inbox.expect(SlacMatchCnf, fits, TT_MATCH_RESPONSE)
            except TimeoutError:
                continue
            self._on_time(_now() - asked, TP_MATCH_RESPONSE, "TP_match_response", f"{answer.NAME} of {mac_text(evse)}")
            self._pass(160)
            return answer
        raise _Retry(self._journal.waited(SlacMatchCnf.NAME, PATIENCE, RETRIED))

    async def _join(self, matched: Matched) -> None:
        """Take the key exactly as the charger gave it: its NID need not be derived from its NMK."""
        self._pass(170)
        if matched.nid != nid_of(matched.nmk):
            self._scribe.note(f"the charger's NID {matched.nid.hex()} is not derived from its NMK")
        self._journal.sent(SetKeyReq(nid=matched.nid, nmk=matched.nmk), LOCAL_MODEM)
        began = _now()
        try:
            await take_key(self._modem, self._scribe, matched.nmk, matched.nid)
        except ModemError as error:
            failure = self._journal.waited(KEY, round(_now() - began, 1), "C_modem_tries, one restart")
            raise ModemError(f"{error}. It {failure.text}") from None
        self._pass(180)
        try:
            await self._modem.wait_link(self._settings.join_s)
        except ModemError as error:
            failure = self._journal.waited(LINK, self._settings.join_s, "TT_match_join")
            raise _Retry(failure, f"matched and CM_SET_KEY confirmed, but {error}") from None
        self._pass(190)
        linked = _now()
        if self._settings.amp_map:
            await asyncio.sleep(TP_AMP_MAP_EXCHANGE / 2)  # the other side sees the link a moment later
            await ask(self._homeplug, matched.peer, self._settings.amp_map, self._scribe)
        await asyncio.sleep(linked + TP_LINK_READY_NOTIFICATION - _now())

    def _is_ours(self, message: Message) -> bool:
        """Whether a message, where it says so, is of this run, for this vehicle, and matching as we know it."""
        own = self._homeplug.address
        vehicle = getattr(message, "pev_mac", None) or getattr(message, "source_address", own)
        foreign = getattr(message, "application", 0) or getattr(message, "security", 0)
        return getattr(message, "run_id", self._run_id) == self._run_id and vehicle == own and not foreign

    def _on_time(self, took: float, limit: float, name: str, what: str) -> None:
        if took > limit:
            self._scribe.note(f"{what} came after {took:.2f} s, at most {limit:g} s are allowed ({name})")


def _nearness(attenuation: float) -> str:
    """The standard's words for a mean attenuation."""
    if attenuation < C_EV_MATCH_SIGNALATTN_DIRECT:
        return "found"
    return "potentially found" if attenuation <= C_EV_MATCH_SIGNALATTN_INDIRECT else "weak"


def _rounded(attenuation: float | None) -> float | None:
    return None if attenuation is None else round(attenuation, 2)


def _now() -> float:
    return asyncio.get_running_loop().time()
