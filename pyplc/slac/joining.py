"""The own modem and the network: take its key, leave it, and know when the link is lost."""

from __future__ import annotations

import asyncio
import random

from ..record import Scribe
from .homeplug import HomePlug
from .keys import random_nmk
from .layout import Message
from .mme import LOCAL_MODEM
from .modem import LINKED, Modem, ModemError
from .timing import C_LINK_LOST, C_MODEM_LOST, LINK_WATCH, MODEM_BACK, MODEM_PAUSE, TP_MATCH_LEAVE
from .vendor import LinkStatusCnf, LinkStatusReq


class LinkLost(Exception):
    """The powerline link stood and is gone; the text says since when, or that the modem does not answer."""


async def take_key(modem: Modem, scribe: Scribe, nmk: bytes, nid: bytes | None = None) -> None:
    """Give the modem a key; when it does not take it, restart it once and try again. ModemError after that."""
    try:
        await modem.set_key(nmk, nid)
    except ModemError as error:
        scribe.note(f"{error}; restarting the modem", "warning")
        try:
            await modem.reset()
        except ModemError:
            raise error from None
        await _back(modem)
        await modem.set_key(nmk, nid)


async def _back(modem: Modem) -> None:
    """Wait until a restarted modem answers again; ModemError after MODEM_BACK."""
    try:
        async with asyncio.timeout(MODEM_BACK):
            await asyncio.sleep(MODEM_PAUSE)
            while True:
                try:
                    await modem.find()
                    return
                except ModemError:
                    continue
    except TimeoutError:
        raise ModemError(f"the modem did not come back within {MODEM_BACK:g} s after its restart") from None


async def leave(modem: Modem, scribe: Scribe, rng: random.Random) -> None:
    """Leave the network: a random key of our own. A modem that does not answer is recorded."""
    began = asyncio.get_running_loop().time()
    try:
        await modem.set_key(random_nmk(rng))
    except ModemError as error:
        scribe.note(f"leaving the network: {error}", "warning")
    took = asyncio.get_running_loop().time() - began
    if took > TP_MATCH_LEAVE:
        scribe.note(f"leaving the network took {took:.1f} s, at most {TP_MATCH_LEAVE:g} s (TP_match_leave)", "warning")


async def watch_link(homeplug: HomePlug, modem: Modem, scribe: Scribe) -> None:
    """Return never; LinkLost when the modem says so `C_LINK_LOST` times running, or stays silent `C_MODEM_LOST` times.

    Modems that never say "linked" are not believed when they say "not linked": some do not know the question.
    """
    answers: list[int] = []

    def hear(message: Message, source: bytes) -> None:
        if isinstance(message, LinkStatusCnf) and source == (modem.address or source):
            answers.append(message.link)

    armed = False
    silent = unlinked = 0
    with homeplug.listening(hear):
        while True:
            answers.clear()
            homeplug.send(LinkStatusReq(), LOCAL_MODEM)
            await asyncio.sleep(LINK_WATCH)
            linked = LINKED in answers
            armed = armed or linked
            silent = 0 if answers else silent + 1
            unlinked = 0 if linked or not answers else unlinked + 1
            if not armed:
                continue
            if silent >= C_MODEM_LOST:
                raise LinkLost(f"the own modem has not answered for {silent * LINK_WATCH:g} s: power, cable")
            if unlinked >= C_LINK_LOST:
                raise LinkLost(
                    f"the modem has had no link for {unlinked * LINK_WATCH:g} s: unplugged, or the other modem is off"
                )
