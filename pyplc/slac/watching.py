"""A modem's life as events: back or silent, key changed, link up or down, stations come and go."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from ..link.ethernet import mac_text
from .homeplug import HomePlug
from .messages import GetKeyCnf, GetKeyReq
from .mme import LOCAL_MODEM
from .survey import Distances, networks
from .vendor import LinkStatusCnf, LinkStatusReq, SwVerCnf, SwVerReq

POLL_S = 1.0
ANSWER_S = 0.3
RATES_CHANGE = 2
"""Mbit/s; a smaller change is no event."""


class State(NamedTuple):
    """What the local modem tells at one moment."""

    mac: bytes | None = None
    version: str = ""
    nid: bytes | None = None
    linked: bool | None = None
    stations: tuple[tuple[bytes, int, int], ...] = ()
    """MAC, rates to and from it in Mbit/s."""


class Event(NamedTuple):
    """Something changed: seconds since the begin, what, and the figures."""

    t: float
    what: str
    text: str


def changes(before: State, after: State) -> list[tuple[str, str]]:
    """What happened between two states: (what, text)."""
    if after.mac is None:
        return [("silent", "the modem does not answer")] if before.mac is not None else []
    found = []
    if before.mac is None:
        found.append(("present", f"modem {mac_text(after.mac)}, {after.version}"))
    if after.nid is not None and after.nid != before.nid:
        found.append(("network", f"network {after.nid.hex()}"))
    if after.linked is not None and after.linked != before.linked:
        found.append(("link", "linked" if after.linked else "not linked"))
    known = {mac: (tx, rx) for mac, tx, rx in before.stations}
    now = {mac: (tx, rx) for mac, tx, rx in after.stations}
    for mac, (tx, rx) in now.items():
        was = known.get(mac)
        if was is None:
            found.append(("station", f"{mac_text(mac)} is there, {tx} and {rx} Mbit/s"))
        elif max(abs(was[0] - tx), abs(was[1] - rx)) >= RATES_CHANGE:
            found.append(("rates", f"{mac_text(mac)} has {tx} and {rx} Mbit/s"))
    found += [("gone", f"{mac_text(mac)} is gone") for mac in known if mac not in now]
    return found


async def look(homeplug: HomePlug) -> State:
    """The local modem's state now; an empty one when it does not answer."""
    version = await homeplug.ask(SwVerReq(), SwVerCnf, LOCAL_MODEM, tries=1, seconds=ANSWER_S)
    if version is None:
        return State()
    answer, mac = version
    key = await homeplug.ask(GetKeyReq(nid=bytes(7)), GetKeyCnf, mac, tries=1, seconds=ANSWER_S)
    link = await homeplug.ask(LinkStatusReq(), LinkStatusCnf, mac, tries=1, seconds=ANSWER_S)
    stations = tuple(
        (station.mac, station.tx_rate, station.rx_rate)
        for network in await networks(homeplug, mac)
        for station in network.stations
    )
    return State(mac, answer.version, key[0].nid if key else None, bool(link[0].link) if link else None, stations)


async def watch(homeplug: HomePlug, tell: Callable[[Event], None], moment: Callable[[State], None]) -> None:
    """Tell every change, and the state each second, until cancelled. Distances are told when a vehicle sounds."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    distances = Distances()
    state, told = State(), dict(distances.decibel)
    known = False
    with homeplug.listening(distances.notice):
        while True:
            now = await look(homeplug)
            found = changes(state, now)
            if now.mac is None and not known:
                found.append(("silent", "no modem answers: power, cable, interface"))
            known = True
            for mac, decibel in distances.decibel.items():
                if told.get(mac) != decibel:
                    told[mac] = decibel
                    found.append(("attenuation", f"{mac_text(mac)} is heard with {decibel:g} dB"))
            for what, text in found:
                tell(Event(round(loop.time() - began, 3), what, text))
            state = now
            moment(now)
            await asyncio.sleep(POLL_S)
