"""An emulated QCA7420: what stands between a host's cable and the powerline, with the behaviour of a real one.

It answers its host (version, key, link state), restarts when it gets a new key, measures the sounds it hears, carries
SLAC between stations of different networks, and everything else only between awake modems with the same key.
"""

from __future__ import annotations

import asyncio
import random
from typing import NamedTuple

from ..link.ports import Link
from ..link.virtual import GROUPS, Port, Powerline
from .catalogue import (
    read,
)
from .keys import nid_of, random_nmk
from .layout import (
    Message,
)
from .messages import (
    AttenProfileInd,
    GetKeyCnf,
    GetKeyReq,
    MnbcSoundInd,
    SetKeyCnf,
    SetKeyReq,
)
from .mme import BROADCAST, ETHERTYPE, LOCAL_MODEM, MmeError, parse
from .vendor import (
    LinkStatusCnf,
    LinkStatusReq,
    ResetCnf,
    ResetReq,
    SwVerCnf,
    SwVerReq,
    VsAttenCharInd,
)

VERSION = b"MAC-QCA7420-1.4.0.20-00-20171027-CS"
DEVICE_QCA7420 = 0x20
IDENT_QCA7420 = bytes.fromhex("fcfc1c00")
REMOTE_ANSWER_S = 0.005
"""A modem at the far end answers 5 ms after the local one."""


class ModemTiming(NamedTuple):
    """Seconds: answer to the host, old key kept after SET_KEY, silent while restarting, then until the link stands."""

    answer: float = 0.0005
    apply: float = 3.3
    restart: float = 1.3
    join: float = 2.6


REAL = ModemTiming()
FAST = ModemTiming(apply=0.0, restart=0.0, join=0.2)
TIMINGS = {"real": REAL, "fast": FAST}


class EmulatedModem:
    """One modem. `host` is its end of the cable; `run` must be running.

    `profiles` False makes it one that reports no groups, `refuse_key` one that says 0 to every key.
    """

    def __init__(
        self,
        host: Link,
        line: Powerline,
        address: bytes,
        rng: random.Random,
        timing: ModemTiming = REAL,
        *,
        profiles: bool = True,
    ) -> None:
        self.address = address
        self.profiles = profiles
        self.refuse_key = False
        self.nmk = random_nmk(rng)
        self.awake = True
        self.linked_since = 0.0
        self._host = host
        self._rng = rng
        self._timing = timing
        self._port = line.attach(address.hex(":"), self._from_line)
        self._timers: list[asyncio.TimerHandle] = []
        line.stations[self._port] = self
        self._modems = line.stations

    @property
    def port(self) -> Port:
        """Its place on the powerline, for setting attenuation."""
        return self._port

    async def run(self) -> None:
        """Serve the host until cancelled; LinkError when the cable is gone."""
        try:
            while True:
                frame = await self._host.receive()
                if self.awake:
                    self._from_host(frame)
        finally:
            for timer in self._timers:
                timer.cancel()
            self._modems.pop(self._port, None)
            self._port.remove()

    # from the host

    def _from_host(self, frame: bytes) -> None:
        destination = frame[:6]
        if frame[12:14] != ETHERTYPE:
            if frame[6:12] != self.address:
                self._port.send(frame)
            return
        if destination in (LOCAL_MODEM, self.address, BROADCAST):
            message = _message(frame)
            if message is not None:
                self._answer(message, frame[6:12])
        if destination not in (LOCAL_MODEM, self.address):
            self._port.send(frame)

    def _answer(self, request: Message, host: bytes) -> None:
        match request:
            case SwVerReq():
                self._reply(self._version(), host)
            case GetKeyReq():
                self._reply(self._key(request, own=True), host)
            case LinkStatusReq():
                self._reply(LinkStatusCnf(link=int(self.linked)), host)
            case SetKeyReq():
                self._take_key(request, host)
            case ResetReq():
                self._reply(ResetCnf(), host)
                self._later(self._timing.answer, self._restart, self.nmk)

    def _version(self) -> SwVerCnf:
        return SwVerCnf(
            device=DEVICE_QCA7420, length=len(VERSION), text=VERSION.ljust(254, b"\0"), ident=IDENT_QCA7420,
            rest=bytes(16),
        )  # fmt: skip

    def _key(self, request: GetKeyReq, *, own: bool) -> GetKeyCnf:
        granted = own and request.nid == nid_of(self.nmk)
        return GetKeyCnf(
            result=0 if granted else 1,
            my_nonce=self._rng.randbytes(4),
            your_nonce=request.my_nonce,
            nid=nid_of(self.nmk),
            eks=int(granted),
            pmn=0xFF if granted else 0,
            key=(self.nmk if granted else b"").ljust(384, b"\0"),
        )

    def _take_key(self, request: SetKeyReq, host: bytes) -> None:
        result = 0 if self.refuse_key else 1
        self._reply(SetKeyCnf(result=result, my_nonce=self._rng.randbytes(4), your_nonce=request.my_nonce), host)
        if result and request.nmk != self.nmk:
            self._later(self._timing.answer + self._timing.apply, self._restart, request.nmk)

    def _restart(self, nmk: bytes) -> None:
        self.awake = False
        self._later(self._timing.restart, self._wake, nmk)

    def _wake(self, nmk: bytes) -> None:
        self.awake = True
        self.nmk = nmk
        self.linked_since = asyncio.get_running_loop().time() + self._timing.join

    def _reply(self, message: Message, host: bytes, delay: float = 0.0) -> None:
        self._later(self._timing.answer + delay, self._host.send, message.frame(host, self.address))

    def _later(self, seconds: float, action: object, *arguments: object) -> None:
        loop = asyncio.get_running_loop()
        self._timers = [timer for timer in self._timers if timer.when() > loop.time() and not timer.cancelled()]
        self._timers.append(loop.call_later(seconds, action, *arguments))  # type: ignore[arg-type]

    # from the line

    @property
    def linked(self) -> bool:
        """Whether another modem of the same network is there."""
        others = (other for other in self._modems.values() if isinstance(other, EmulatedModem) and other is not self)
        return any(self._member(other) for other in others)

    def _member(self, other: EmulatedModem) -> bool:
        now = asyncio.get_running_loop().time()
        awake = self.awake and other.awake and max(self.linked_since, other.linked_since) <= now
        return awake and self.nmk == other.nmk

    def _from_line(self, frame: bytes, sender: Port, attenuation: float) -> None:
        if not self.awake:
            return
        peer = self._modems.get(sender)
        member = isinstance(peer, EmulatedModem) and self._member(peer)
        if frame[12:14] != ETHERTYPE:
            if member:
                self._host.send(frame)
            return
        message = _message(frame)
        if frame[:6] == BROADCAST and isinstance(message, (SwVerReq, GetKeyReq, SetKeyReq)):
            self._answer_far(message, frame[6:12], member)
            return
        self._host.send(frame)
        if isinstance(message, MnbcSoundInd):
            self._measured(frame[6:12], attenuation)

    def _answer_far(self, request: Message, host: bytes, member: bool) -> None:
        """A station at the far end asks everyone; only a member of its network answers, over the line."""
        if not member:
            return
        answer: Message | None = None
        if isinstance(request, SwVerReq):
            answer = self._version()
        elif isinstance(request, GetKeyReq):
            answer = self._key(request, own=False)
        if answer is not None:
            self._later(REMOTE_ANSWER_S, self._port.send, answer.frame(host, self.address))

    def _measured(self, pev: bytes, attenuation: float) -> None:
        """What a GreenPHY modem reports after each sound: falling with frequency, 2 dB around the mean."""
        groups = b""
        if self.profiles:
            groups = bytes(max(0, min(255, round(attenuation + 4 * (i / (GROUPS - 1) - 0.5)))) for i in range(GROUPS))
        for message in (
            AttenProfileInd(pev_mac=pev, count=len(groups), rest=groups),
            VsAttenCharInd(pev_mac=pev, count=len(groups), rest=groups),
        ):
            self._host.send(message.frame(BROADCAST, self.address))


def _message(frame: bytes) -> Message | None:
    try:
        return read(parse(frame))
    except MmeError:
        return None
