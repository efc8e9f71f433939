"""Who is there: every modem that answers on an interface, and what it tells about itself.

The own modem answers a broadcast in half a millisecond, modems of the same network some milliseconds later; modems of
other networks say nothing. A coordinator lists stations that do not answer.
"""

from __future__ import annotations

import asyncio
from typing import TypeVar

import msgspec

from . import pib_fields as fields
from .chips import chip_of, trouble_of
from .homeplug import HomePlug
from .layout import Message
from .messages import AttenCharInd, AttenProfileInd, GetKeyCnf, GetKeyReq
from .mme import BROADCAST, LOCAL_MODEM
from .pib import expected
from .timing import MODEM_PAUSE
from .vendor import (
    LinkStatusCnf,
    LinkStatusReq,
    Network,
    NwInfoCnf,
    NwInfoReq,
    SwVerCnf,
    SwVerReq,
    VsAttenCharInd,
)
from .vendor_modules import BLOCK, PIB_MODULE, ModuleOperationCnf, Read

Answer = TypeVar("Answer", bound=Message)

ANSWER_S = 0.25
"""For answers to a broadcast; the slowest seen took 7 ms, a busy host may take longer to read them."""
TRIES = 2
NO_MAC = bytes(6)
ROLES = {fields.SLAC_PEV: "pev", fields.SLAC_EVSE: "evse"}


class Found(msgspec.Struct, kw_only=True):
    """A modem. What it did not tell is None."""

    mac: bytes
    local: bool
    chip: str = ""
    version: str = ""
    trouble: str | None = None
    role: str | None = None
    """`pev`, `evse` or `none`, as its PIB has it."""
    cco: str | None = None
    """What its PIB says about coordinating."""
    is_cco: bool | None = None
    """Whether it coordinates its network now."""
    nid: bytes | None = None
    linked: bool | None = None
    hosts: list[bytes] = []
    tx_rate: int | None = None
    rx_rate: int | None = None
    attenuation_db: float | None = None


class Distances:
    """Mean attenuation by MAC, from what is heard: modems tell it while a vehicle sounds, and at no other time."""

    def __init__(self) -> None:
        self.decibel: dict[bytes, float] = {}

    def notice(self, message: Message, source: bytes) -> None:
        """Take what a message tells: of a vehicle's host, or of the charger that reports."""
        if isinstance(message, (AttenProfileInd, VsAttenCharInd)) and message.groups:
            self.decibel[message.pev_mac] = _mean(message.groups)
        elif isinstance(message, AttenCharInd) and message.groups:
            self.decibel[source] = _mean(message.groups)


def _mean(groups: bytes) -> float:
    return round(sum(groups) / len(groups), 1)


async def survey(homeplug: HomePlug, seconds: float = ANSWER_S) -> list[Found]:
    """Every modem in hearing, the local one first; an empty list when there is none."""
    distances = Distances()
    with homeplug.listening(distances.notice):
        found = await _answering(homeplug, seconds)
        for modem in list(found.values()):
            await detail(homeplug, modem)
        await _members(homeplug, found)
    for modem in found.values():
        near = [distances.decibel[mac] for mac in (modem.mac, *modem.hosts) if mac in distances.decibel]
        modem.attenuation_db = near[0] if near else None
    return sorted(found.values(), key=lambda modem: (not modem.local, modem.mac))


async def _answering(homeplug: HomePlug, seconds: float) -> dict[bytes, Found]:
    local = await homeplug.ask(SwVerReq(), SwVerCnf, LOCAL_MODEM, tries=TRIES, seconds=seconds)
    own = local[1] if local else None
    answers = await homeplug.gather(SwVerReq(), SwVerCnf, BROADCAST, seconds)
    found = {}
    for answer, mac in [*([local] if local else []), *answers]:
        chip = chip_of(answer.device, answer.ident, answer.version)
        trouble = trouble_of(f"{answer.version} {chip}")
        found[mac] = Found(mac=mac, local=mac == own, chip=chip, version=answer.version, trouble=trouble)
    return found


async def detail(homeplug: HomePlug, modem: Found) -> None:
    """Ask one modem for its link, network and role."""
    link = await _of(homeplug, modem, LinkStatusReq(), LinkStatusCnf)
    modem.linked = bool(link.link) if link else None
    key = await _of(homeplug, modem, GetKeyReq(nid=bytes(7)), GetKeyCnf)
    modem.nid = key.nid if key else None
    role = await read_fields(homeplug, modem.mac, (fields.SLAC, fields.CCO))
    if role is not None:
        slac, cco = role
        modem.role = ROLES.get(slac[0], "none")
        modem.cco = fields.CCO.choices.get(cco[0], str(cco[0]))


async def role_of(homeplug: HomePlug, mac: bytes) -> str | None:
    """What a modem's PIB is set up for: "pev", "evse" or "none"; None when it does not tell."""
    found = await read_fields(homeplug, mac, (fields.SLAC,))
    return None if found is None else ROLES.get(found[0][0], "none")


async def networks(homeplug: HomePlug, mac: bytes) -> tuple[Network, ...]:
    """The networks a modem is in; empty when it does not tell."""
    answer = await homeplug.ask(
        NwInfoReq(), NwInfoCnf, mac, tries=TRIES, seconds=ANSWER_S, fits=lambda _, source: source == mac
    )
    return answer[0].networks() if answer else ()


async def _members(homeplug: HomePlug, found: dict[bytes, Found]) -> None:
    """What the local modem knows of its network: who coordinates, hosts, rates, and who did not answer."""
    for own in [modem for modem in found.values() if modem.local]:
        for network in await networks(homeplug, own.mac):
            own.nid, own.is_cco = network.nid, network.cco_mac == own.mac
            for station in network.stations:
                modem = found.setdefault(station.mac, Found(mac=station.mac, local=False, nid=network.nid))
                modem.is_cco = network.cco_mac == station.mac
                modem.tx_rate, modem.rx_rate = station.tx_rate, station.rx_rate
                modem.hosts = [station.host] if station.host != NO_MAC else []


async def read_fields(homeplug: HomePlug, mac: bytes, wanted: tuple[fields.Field, ...]) -> list[bytes] | None:
    """Some fields of a modem's PIB without reading all of it; None when it does not give them."""
    head = await read_block(homeplug, mac, 0, BLOCK)
    if head is None:
        return None
    file = expected(head)
    values = []
    for field in wanted:
        raw = await read_block(homeplug, mac, file.start + field.offset, field.size) if file else None
        if raw is None or len(raw) < field.size:
            return None
        values.append(raw)
    return values


async def read_block(homeplug: HomePlug, mac: bytes, offset: int, length: int) -> bytes | None:
    """A block of the PIB in use; None when the modem does not give it."""
    asked = Read(PIB_MODULE, offset, length)
    answer = await homeplug.ask(
        asked.request(),
        ModuleOperationCnf,
        mac,
        tries=TRIES,
        seconds=ANSWER_S,
        fits=lambda message, source: source == mac and _answers(message, asked),
    )
    return Read.of(answer[0]).data if answer and answer[0].status == 0 else None


def _answers(message: ModuleOperationCnf, asked: Read) -> bool:
    """Whether this is the answer to this read; a refusal carries no block."""
    return bool(message.status) or (len(message.data) >= 10 and Read.of(message).offset == asked.offset)


async def _of(homeplug: HomePlug, modem: Found, request: Message, kind: type[Answer]) -> Answer | None:
    answer = await homeplug.ask(
        request, kind, modem.mac, tries=TRIES, seconds=ANSWER_S, fits=lambda _, source: source == modem.mac
    )
    return answer[0] if answer else None


async def wait_awake(homeplug: HomePlug, mac: bytes, seconds: float) -> bool:
    """Whether a modem that has confirmed a restart answers again within `seconds`. It is not asked at once."""
    try:
        async with asyncio.timeout(seconds):
            await asyncio.sleep(MODEM_PAUSE)
            while True:
                answer = await homeplug.ask(
                    SwVerReq(), SwVerCnf, mac, tries=1, seconds=ANSWER_S, fits=lambda _, source: source == mac
                )
                if answer is not None:
                    return True
    except TimeoutError:
        return False
