"""The modem at the end of the cable: find it, give it a key, know when its link stands."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from ..link import has_carrier
from ..record import Scribe
from .chips import trouble_of
from .homeplug import HomePlug
from .keys import nid_of
from .layout import Message
from .messages import GetKeyCnf, GetKeyReq, SetKeyCnf, SetKeyReq
from .mme import BROADCAST, LOCAL_MODEM
from .timing import C_MODEM_TRIES, LINK_POLL, MODEM_RESPONSE
from .vendor import HostActionInd, HostActionRsp, LinkStatusCnf, LinkStatusReq, ResetCnf, ResetReq, SwVerCnf, SwVerReq

ACCEPTED = 1
"""CM_SET_KEY.CNF of a real Qualcomm modem; the standard's 0 is what it says when it refuses."""
LINKED = 1
GRANTED = 0
"""CM_GET_KEY.CNF with the key."""

WISHES = {
    0: "its firmware and parameters; it has no flash, or an empty one",
    1: "to store its firmware",
    2: "to store its parameters, which have changed",
    3: "to bring the host up to date",
    4: "to configure its memory",
    5: "to restore its defaults",
}
"""VS_HOST_ACTION."""

M = TypeVar("M", bound=Message)


class ModemError(Exception):
    """The modem does not answer or refuses; the text says what was asked and what to look at."""


class Modem:
    """The local modem behind a HomePlug link. Its own MAC is known from its first answer."""

    def __init__(self, homeplug: HomePlug, scribe: Scribe) -> None:
        self._homeplug = homeplug
        self._scribe = scribe
        self.address: bytes | None = None
        self.version = ""
        self.nmk: bytes | None = None
        self.nid: bytes | None = None
        self._wishes: set[int] = set()
        homeplug.always(self._serve)

    def _serve(self, message: Message, source: bytes) -> None:
        """Answer what the modem wants of its host; each wish is remarked once."""
        if not isinstance(message, HostActionInd) or not self._is_local(source):
            return
        self._homeplug.send(HostActionRsp(), source)
        if message.action not in self._wishes:
            self._wishes.add(message.action)
            wish = WISHES.get(message.action, f"action {message.action}")
            self._scribe.note(f"the modem wants of its host: {wish} ({message.NAME})", "warning")

    async def find(self) -> str:
        """The firmware's version text; ModemError when no modem answers."""
        answer = await self._ask(SwVerReq(), SwVerCnf)
        if answer is None:
            interface = self._homeplug.interface
            dead = f"; {interface} has no carrier: cable, modem's power" if has_carrier(interface) is False else ""
            raise ModemError(
                f"no PLC modem answered {C_MODEM_TRIES} VS_SW_VER.REQ in {C_MODEM_TRIES * MODEM_RESPONSE:g} s; "
                f"is it powered and on this interface?{dead}"
            )
        if (trouble := trouble_of(answer.version)) and answer.version != self.version:
            self._scribe.note(f"modem {answer.version}: {trouble}", "warning")
        self.version = answer.version
        return self.version

    async def set_key(self, nmk: bytes, nid: bytes | None = None) -> None:
        """Give the modem a key; it restarts with it. Returns when it has confirmed; ModemError otherwise.

        `nid` is derived from the NMK when not given: some chargers choose one that is not.
        """
        nid = nid_of(nmk) if nid is None else nid
        answer = await self._ask(SetKeyReq(nid=nid, nmk=nmk), SetKeyCnf, lambda cnf: cnf.result == ACCEPTED)
        if answer is None:
            raise ModemError(
                f"the modem did not answer {C_MODEM_TRIES} CM_SET_KEY.REQ in {C_MODEM_TRIES * MODEM_RESPONSE:g} s; "
                "restart it and try again"
            )
        if answer.result != ACCEPTED:
            raise ModemError(
                f"the modem refused the key: CM_SET_KEY.CNF with result {answer.result} to {C_MODEM_TRIES} "
                "CM_SET_KEY.REQ; restart it and try again"
            )
        self.nmk, self.nid = nmk, nid

    async def get_key(self) -> tuple[bytes, bytes]:
        """NID and NMK the modem holds now: it tells its NID when refusing, and the NMK when asked with that.

        ModemError when it does not answer or keeps the NMK to itself.
        """
        answer = await self._ask(GetKeyReq(nid=bytes(7)), GetKeyCnf)
        if answer is not None and answer.result != GRANTED:
            answer = await self._ask(GetKeyReq(nid=answer.nid), GetKeyCnf)
        if answer is None:
            raise ModemError(f"the modem did not answer {C_MODEM_TRIES} CM_GET_KEY.REQ")
        if answer.result != GRANTED:
            raise ModemError(f"the modem does not tell its key: CM_GET_KEY.CNF with result {answer.result}")
        return answer.nid, answer.nmk

    async def holds_key(self, seconds: float) -> bool:
        """Whether the modem shows the key it was given within `seconds`; asked every `LINK_POLL`."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    answer = await self._homeplug.ask(
                        GetKeyReq(nid=self.nid or bytes(7)),
                        GetKeyCnf,
                        tries=1,
                        seconds=LINK_POLL,
                        fits=lambda _, source: self._is_local(source),
                    )
                    if answer and answer[0].nid == self.nid and answer[0].nmk in (self.nmk, bytes(16)):
                        return True
                    await asyncio.sleep(LINK_POLL)
        except TimeoutError:
            return False

    async def reset(self) -> None:
        """Restart the modem; ModemError when it does not confirm."""
        if await self._ask(ResetReq(), ResetCnf) is None:
            raise ModemError(f"the modem did not answer {C_MODEM_TRIES} VS_RS_DEV.REQ")

    async def wait_link(self, seconds: float) -> None:
        """Return when the modem has the key and is linked; ModemError after `seconds` with what is missing.

        Asked are the modem itself (VS_PL_LNK_STATUS) and the peer's modem (a second answer to GET_KEY), whichever
        tells first.
        """
        assert self.nmk is not None and self.nid is not None, "set_key comes first"
        seen = _Seen(self.nid, self.nmk)

        def notice(message: Message, source: bytes) -> None:
            seen.notice(message, self._is_local(source))

        with self._homeplug.listening(notice):
            try:
                async with asyncio.timeout(seconds):
                    await self._poll_link(seen)
            except TimeoutError:
                raise ModemError(f"{seen.missing()} within {seconds:g} s (TT_match_join)") from None

    async def _poll_link(self, seen: _Seen) -> None:
        """Ask every `LINK_POLL` until an answer says that the link stands."""
        assert self.nid is not None
        while True:
            self._homeplug.send(GetKeyReq(nid=self.nid), BROADCAST)
            self._homeplug.send(LinkStatusReq(), LOCAL_MODEM)
            try:
                async with asyncio.timeout(LINK_POLL):
                    await seen.linked.wait()
                    return
            except TimeoutError:
                continue

    async def _ask(self, request: Message, kind: type[M], good: Callable[[M], bool] = lambda _: True) -> M | None:
        """The local modem's answer, asking again while there is none or it is not `good`; the last one otherwise."""
        last: M | None = None
        for _ in range(C_MODEM_TRIES):
            answer = await self._homeplug.ask(
                request, kind, tries=1, seconds=MODEM_RESPONSE, fits=lambda _, source: self._is_local(source)
            )
            if answer is None:
                continue
            last, source = answer
            self.address = self.address or source
            if good(last):
                return last
        return last

    def _is_local(self, source: bytes) -> bool:
        return self.address is None or source == self.address


class _Seen:
    """What the answers told so far. A link counts only once the modem shows the new key: the old one may linger."""

    def __init__(self, nid: bytes, nmk: bytes) -> None:
        self._nid = nid
        self._nmk = nmk
        self.answered = self.keyed = False
        self.linked = asyncio.Event()

    def notice(self, message: Message, local: bool) -> None:
        """Weigh one answer."""
        if isinstance(message, LinkStatusCnf) and local:
            self.answered = True
            if self.keyed and message.link == LINKED:
                self.linked.set()
        elif isinstance(message, GetKeyCnf) and local:
            self.answered = True
            self.keyed = message.nid == self._nid and (message.result != GRANTED or message.nmk == self._nmk)
        elif isinstance(message, GetKeyCnf) and self.keyed and message.nid == self._nid:
            self.linked.set()

    def missing(self) -> str:
        """What did not happen."""
        if self.keyed:
            return "the modem has the key but sees no other modem"
        if self.answered:
            return "the modem answers but has not taken the key"
        return "the modem has not come back after the key was set"
