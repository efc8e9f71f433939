"""An emulated modem: what stands between a host's cable and the powerline, with the behaviour of a real one.

It answers its host, restarts when it gets a new key or a new PIB, measures the sounds it hears, carries SLAC between
stations of different networks, and everything else only between awake modems with the same key. Its key, role and place
in a network are in its PIB. What it answers is in `emulated_answers.py`, what it stores in `emulated_storage.py`.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

from ..link.ports import Link
from ..link.virtual import Port, Powerline
from . import pib_fields as fields
from .catalogue import read
from .emulated_answers import Answers
from .emulated_kinds import FAST, QCA7420, REAL, TIMINGS, ModemKind, ModemTiming, pib_of
from .emulated_storage import Storage
from .keys import nid_of, random_nmk
from .layout import Message
from .messages import (
    AttenCharInd,
    AttenCharRsp,
    AttenProfileInd,
    MnbcSoundInd,
    SlacMatchCnf,
    SlacMatchReq,
    SlacParamCnf,
    SlacParamReq,
    StartAttenCharInd,
    ValidateCnf,
    ValidateReq,
)
from .mme import BROADCAST, ETHERTYPE, LOCAL_MODEM, Mme, MmeError, parse
from .vendor import NwInfo0Req, VsAttenCharInd

REMOTE_ANSWER_S = 0.005
"""A modem at the far end answers 5 ms after the local one."""
RESTART_DELAY_S = 0.008
"""From the request to going silent: its answer must still get through, from afar too."""
MULTICAST = 0x01
TO_CHARGER = (SlacParamReq, StartAttenCharInd, MnbcSoundInd, AttenCharRsp, ValidateReq, SlacMatchReq)
TO_VEHICLE = (SlacParamCnf, AttenCharInd, ValidateCnf, SlacMatchCnf, VsAttenCharInd)
USER_DATA = 0x6080
SLAC_BASES = frozenset(kind.TYPE & ~3 for kind in (*TO_CHARGER, *TO_VEHICLE)) | {USER_DATA}
"""Numbers without their form; what passes between modems of different networks."""
HIDDEN = {
    fields.SLAC_PEV: frozenset(kind.TYPE for kind in TO_CHARGER),
    fields.SLAC_EVSE: frozenset(kind.TYPE for kind in TO_VEHICLE),
}
"""What a modem of a role does not hand up: a vehicle's modem shows no vehicle, a charger's no charger."""


class EmulatedModem:
    """One modem. `host` is its end of the cable; `run` must be running.

    `role` "none" hands up both halves of SLAC, as some unconfigured modems do. Knobs of a test: `profiles` False
    reports no groups (home firmware), `leak` tells VS_ATTEN_CHAR.IND to the whole line (Tesla's), `refuse_key` says 0
    to every key, `silent` answers nothing, `joins` False never links, `bootloader` has no firmware.
    """

    def __init__(
        self,
        host: Link,
        line: Powerline,
        address: bytes,
        rng: random.Random,
        timing: ModemTiming = REAL,
        *,
        kind: ModemKind = QCA7420,
        role: str = "none",
        profiles: bool = True,
    ) -> None:
        nmk = random_nmk(rng)
        self.address = address
        self.kind = kind
        self.profiles = profiles
        self.leak = kind.leak
        self.refuse_key = self.silent = self.bootloader = False
        self.joins = True
        self.storage = Storage(pib_of(kind, address, role, nmk, nid_of(nmk)), self.restart)
        self._read_from = self.storage.memory
        self._read: dict[int, bytes] = {}
        self.awake = True
        self.hosts: set[bytes] = set()
        """The MACs behind this modem, learnt from what they send."""
        self._linked_since = 0.0
        self._host = host
        self._rng = rng
        self._timing = timing
        self._line = line
        self._timers: set[asyncio.TimerHandle] = set()
        self._answers = Answers(self, rng)
        self._port = line.attach(address.hex(":"), self._from_line)
        line.stations[self._port] = self

    @property
    def port(self) -> Port:
        """Its place on the powerline, for setting attenuation."""
        return self._port

    @property
    def nmk(self) -> bytes:
        """The key in use."""
        return self._field(fields.NMK)

    @nmk.setter
    def nmk(self, nmk: bytes) -> None:
        self.storage.keep((fields.NMK.offset, nmk))

    @property
    def nid(self) -> bytes:
        """The network in use."""
        return self._field(fields.NID)

    @nid.setter
    def nid(self, nid: bytes) -> None:
        self.storage.keep((fields.NID.offset, nid))

    @property
    def dak(self) -> bytes:
        """The key that makes it take orders from afar."""
        return fields.value(self.storage.memory, fields.DAK)

    @property
    def slac(self) -> int:
        """Which half of SLAC it hands up, as its PIB has it."""
        return self._field(fields.SLAC)[0]

    @property
    def cco(self) -> int:
        """Whether it may coordinate, as its PIB has it."""
        return self._field(fields.CCO)[0]

    def _field(self, field: fields.Field) -> bytes:
        if self._read_from is not self.storage.memory:
            self._read_from = self.storage.memory
            self._read.clear()
        value = self._read.get(field.offset)
        if value is None:
            value = self._read[field.offset] = fields.value(self._read_from, field)
        return value

    async def run(self) -> None:
        """Serve the host until cancelled; LinkError when the cable is gone. May be run again: powered anew."""
        self.awake = True
        self._port.restore(self)
        try:
            while True:
                frame = await self._host.receive()
                if self.awake:
                    self._from_host(frame)
        finally:
            for timer in self._timers:
                timer.cancel()
            self._timers.clear()
            self._port.remove()

    def restart(self) -> None:
        """Answer, go silent and come back with what is stored: a reset, or power lost for a moment."""
        self._later(RESTART_DELAY_S, self._go_silent)

    def take_key(self, nid: bytes, nmk: bytes) -> None:
        """A new key: the old one stays for a while, then it restarts. The same key again is nothing new."""
        if (nid, nmk) != (self.nid, self.nmk):
            self._later(self._timing.answer + self._timing.apply, self._go_silent, nid, nmk)

    # its network

    @property
    def peers(self) -> list[EmulatedModem]:
        """The other modems of this modem's network that are awake and linked to it."""
        others = (other for other in self._line.stations.values() if isinstance(other, EmulatedModem))
        return [other for other in others if self._is_linked(other)]

    @property
    def linked(self) -> bool:
        """Whether another modem of the same network is there."""
        return bool(self.peers)

    @property
    def coordinator(self) -> EmulatedModem | None:
        """Who coordinates this network: who always does, else the lowest MAC of those that may; None if nobody."""
        network = [self, *(o for o in self._line.stations.values() if isinstance(o, EmulatedModem) and self._alike(o))]
        able = [modem for modem in network if modem.cco != fields.CCO_NEVER]
        return min(able, key=lambda modem: (modem.cco != fields.CCO_ALWAYS, modem.address), default=None)

    def in_hearing(self, address: bytes) -> EmulatedModem | None:
        """The awake modem with this MAC, of whatever network."""
        others = (o for o in self._line.stations.values() if isinstance(o, EmulatedModem))
        return next((other for other in others if other.address == address and other.awake), None)

    def _alike(self, other: EmulatedModem) -> bool:
        """Whether another modem is awake in the same network."""
        if other is self or not (self.awake and other.awake and self.joins and other.joins):
            return False
        return (self.nid, self.nmk) == (other.nid, other.nmk) and self._line.hears(self._port, other.port)

    def _is_linked(self, other: object) -> bool:
        if not isinstance(other, EmulatedModem) or not self._alike(other):
            return False
        since = max(self._linked_since, other._linked_since)
        return since <= asyncio.get_running_loop().time() and self.coordinator is not None

    # from the host

    def _from_host(self, frame: bytes) -> None:
        destination, source = frame[:6], frame[6:12]
        if source != self.address:
            self.hosts.add(source)
        for_us = destination in (LOCAL_MODEM, self.address)
        if (for_us or destination == BROADCAST) and (mme := _mme(frame)) and (request := _message(mme)):
            self._reply(self._answers.to_host(request), mme)
        if not for_us and source != self.address:
            self._port.send(frame)

    def _reply(self, answer: Message | None, request: Mme) -> None:
        if answer is not None and not self.silent:
            self._later(self._timing.answer, self._host.send, self._framed(answer, request))

    def _framed(self, answer: Message, request: Mme) -> bytes:
        """The answer as a frame, in the version it was asked in."""
        payload = answer.payload()
        return Mme(request.source, self.address, request.version, answer.TYPE, payload, answer.OUI).pack()

    def _go_silent(self, nid: bytes | None = None, nmk: bytes | None = None) -> None:
        self.awake = False
        self._later(self._timing.restart, self._wake, nid, nmk)

    def _wake(self, nid: bytes | None, nmk: bytes | None) -> None:
        self.awake = True
        self.storage.boot()
        if nid is not None and nmk is not None:
            self.storage.keep((fields.NID.offset, nid), (fields.NMK.offset, nmk))
        self._linked_since = asyncio.get_running_loop().time() + self._timing.join

    def _later(self, seconds: float, action: Callable[..., object], *arguments: Any) -> None:
        timer: asyncio.TimerHandle

        def due() -> None:
            self._timers.discard(timer)
            action(*arguments)

        timer = asyncio.get_running_loop().call_later(seconds, due)
        self._timers.add(timer)

    # from the line

    def _from_line(self, frame: bytes, sender: Port) -> None:
        """What the line brings: SLAC from anyone to anyone, all else from members and for the hosts behind this modem.

        A listener's modem hands up the SLAC messages of strangers, unicast too, as far as its role shows them.
        """
        if not self.awake or self.bootloader:
            return
        destination = frame[:6]
        member = self._is_linked(self._line.stations.get(sender))
        mme = _mme(frame)
        message = _message(mme) if mme else None
        if mme and message and member and destination in (BROADCAST, self.address):
            answer = self._answers.to_line(message, everyone=destination == BROADCAST)
            if answer is not None and not self.silent:
                self._later(REMOTE_ANSWER_S, self._port.send, self._framed(answer, mme))
        if destination == self.address or (mme is not None and mme.type in HIDDEN.get(self.slac, ())):
            return
        wanted = destination[0] & MULTICAST or not self.hosts or destination in self.hosts
        if (mme is not None and mme.type & ~3 in SLAC_BASES) or (member and wanted):
            self._host.send(frame)
        if mme is not None and mme.type == MnbcSoundInd.TYPE:
            self._measured(frame[6:12], sender)

    def _measured(self, pev: bytes, sender: Port) -> None:
        """What a modem reports after each sound it handed up."""
        groups = self._line.profile(self._port, sender) if self.profiles else b""
        indication = VsAttenCharInd(pev_mac=pev, count=len(groups), rest=groups).frame(BROADCAST, self.address)
        self._host.send(AttenProfileInd(pev_mac=pev, count=len(groups), rest=groups).frame(BROADCAST, self.address))
        self._host.send(indication)
        if self.leak:
            self._port.send(indication)


def _mme(frame: bytes) -> Mme | None:
    """The management message of a HomePlug frame."""
    if frame[12:14] != ETHERTYPE:
        return None
    try:
        return parse(frame)
    except MmeError:
        return None


def _message(mme: Mme) -> Message | None:
    """The declared message; VS_NW_INFO has a form of its own in MMV 0."""
    if (mme.type, mme.version, mme.oui) == (NwInfo0Req.TYPE, NwInfo0Req.VERSION, NwInfo0Req.OUI):
        return NwInfo0Req()
    try:
        return read(mme)
    except MmeError:
        return None


__all__ = ["FAST", "REAL", "TIMINGS", "EmulatedModem", "ModemTiming"]
