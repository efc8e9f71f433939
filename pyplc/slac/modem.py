"""The modem at the end of the cable: find it, give it a key, know when its link stands."""

from __future__ import annotations

import asyncio

from ..record import Scribe
from .homeplug import HomePlug
from .keys import nid_of
from .messages import (
    GetKeyCnf,
    GetKeyReq,
    SetKeyCnf,
    SetKeyReq,
)
from .mme import LOCAL_MODEM
from .timing import C_SET_KEY_TRIES, LINK_POLL, SET_KEY_RESPONSE
from .vendor import (
    LinkStatusCnf,
    LinkStatusReq,
    SwVerCnf,
    SwVerReq,
)

ACCEPTED = 1
"""CM_SET_KEY.CNF of a real Qualcomm modem; the standard's 0 is what it says when it refuses."""
LINKED = 1


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

    async def find(self) -> str:
        """The firmware's version text; ModemError when no modem answers."""
        with self._homeplug.inbox(SwVerCnf) as inbox:
            for _ in range(C_SET_KEY_TRIES):
                self._homeplug.send(SwVerReq(), LOCAL_MODEM)
                try:
                    answer, self.address = await inbox.expect(SwVerCnf, lambda m, s: True, SET_KEY_RESPONSE)
                except TimeoutError:
                    continue
                self.version = answer.version
                return self.version
        raise ModemError(
            f"no PLC modem answered {C_SET_KEY_TRIES} requests for its version; is it powered and on this interface?"
        )

    async def set_key(self, nmk: bytes) -> None:
        """Give the modem a key; it restarts with it. Returns when it has confirmed; ModemError otherwise."""
        request = SetKeyReq(nid=nid_of(nmk), nmk=nmk)
        refused = False
        with self._homeplug.inbox(SetKeyCnf) as inbox:
            for _ in range(C_SET_KEY_TRIES):
                self._homeplug.send(request, LOCAL_MODEM)
                try:
                    answer, source = await inbox.expect(SetKeyCnf, self._is_local, SET_KEY_RESPONSE)
                except TimeoutError:
                    continue
                self.address = self.address or source
                if answer.result == ACCEPTED:
                    self.nmk = nmk
                    return
                refused = True
        what = "refused the key (result 0)" if refused else "did not confirm the key"
        raise ModemError(f"the modem {what} in {C_SET_KEY_TRIES} tries of CM_SET_KEY.REQ; restart it and try again")

    def _is_local(self, message: object, source: bytes) -> bool:
        return self.address is None or source == self.address

    async def wait_link(self, seconds: float) -> None:
        """Return when the modem has the key and is linked; ModemError after `seconds` with what is missing.

        Asked are the modem itself (VS_PL_LNK_STATUS) and the peer's modem (a second answer to GET_KEY).
        """
        assert self.nmk is not None, "set_key comes first"
        nid = nid_of(self.nmk)
        until = asyncio.get_running_loop().time() + seconds
        seen = _Seen()

        def notice(message: object, source: bytes) -> None:
            if isinstance(message, LinkStatusCnf) and self._is_local(message, source):
                seen.answered = True
                seen.linked = seen.linked or (seen.keyed and message.link == LINKED)
            elif isinstance(message, GetKeyCnf) and message.nid == nid:
                if self._is_local(message, source):
                    seen.keyed = True
                elif seen.keyed:
                    seen.linked = True
            seen.changed.set()

        with self._homeplug.listening(notice):
            while not seen.linked:
                left = until - asyncio.get_running_loop().time()
                if left <= 0:
                    raise ModemError(f"{seen.missing()} within {seconds:g} s (TT_match_join)")
                self._homeplug.send(GetKeyReq(nid=nid), b"\xff" * 6)
                self._homeplug.send(LinkStatusReq(), LOCAL_MODEM)
                await seen.wait(min(LINK_POLL, left))


class _Seen:
    """What the answers told so far."""

    def __init__(self) -> None:
        self.answered = self.keyed = self.linked = False
        self.changed = asyncio.Event()

    async def wait(self, seconds: float) -> None:
        """Until linked, or `seconds` are over."""
        try:
            async with asyncio.timeout(seconds):
                while not self.linked:
                    self.changed.clear()
                    await self.changed.wait()
        except TimeoutError:
            return

    def missing(self) -> str:
        if self.keyed:
            return "the modem has the key but sees no other modem"
        if self.answered:
            return "the modem answers but has not taken the key"
        return "the modem has not come back after the key was set"
