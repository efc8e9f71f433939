"""An emulated QCA7420: what stands between a host's cable and the powerline, with the behaviour of a real one.

It answers its host (version, key, link state), restarts when it gets a new key, measures the sounds it hears, carries
SLAC between stations of different networks, and everything else only between awake modems with the same key.
What it answers is in `emulated_answers.py`.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any, NamedTuple

from ..link.ports import Link
from ..link.virtual import Port, Powerline
from .catalogue import read
from .emulated_answers import Answers
from .keys import nid_of, random_nmk
from .layout import Message
from .messages import AttenProfileInd, GetKeyReq, MnbcSoundInd, SetKeyCnf, SetKeyReq
from .mme import BROADCAST, ETHERTYPE, LOCAL_MODEM, MmeError, parse
from .vendor import ResetCnf, ResetReq, SwVerReq, VsAttenCharInd

REMOTE_ANSWER_S = 0.005
"""A modem at the far end answers 5 ms after the local one."""
MULTICAST = 0x01


class ModemTiming(NamedTuple):
    """Seconds: answer to the host, old key kept after SET_KEY, silent while restarting, then until the link stands.

    The defaults were measured on a QCA7420: old key until 3.9 s, new key at 5.2 s, link at 7.8 s.
    """

    answer: float = 0.0005
    apply: float = 3.9
    restart: float = 1.3
    join: float = 2.6


REAL = ModemTiming()
FAST = ModemTiming(apply=0.0, restart=0.0, join=0.2)
TIMINGS = {"real": REAL, "fast": FAST}


class EmulatedModem:
    """One modem. `host` is its end of the cable; `run` must be running.

    Knobs of a test: `profiles` False reports no groups (home firmware), `leak` tells VS_ATTEN_CHAR.IND to the whole
    line (Tesla's), `refuse_key` says 0 to every key, `silent` answers nothing, `joins` False never links.
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
        self.leak = self.refuse_key = self.silent = False
        self.joins = True
        self.nmk = random_nmk(rng)
        self.nid = nid_of(self.nmk)
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
        """Go silent and come back with the same key: a reset, or power lost for a moment."""
        self._restart(self.nid, self.nmk)

    @property
    def peers(self) -> list[EmulatedModem]:
        """The other modems of this modem's network that are awake."""
        others = (other for other in self._line.stations.values() if isinstance(other, EmulatedModem))
        return [other for other in others if other is not self and self._is_member(other)]

    @property
    def linked(self) -> bool:
        """Whether another modem of the same network is there."""
        return bool(self.peers)

    # from the host

    def _from_host(self, frame: bytes) -> None:
        destination, source = frame[:6], frame[6:12]
        if source != self.address:
            self.hosts.add(source)
        homeplug = frame[12:14] == ETHERTYPE
        for_us = destination in (LOCAL_MODEM, self.address)
        if homeplug and (for_us or destination == BROADCAST) and (message := _message(frame)):
            self._asked(message, source)
        if not for_us and source != self.address:
            self._port.send(frame)

    def _asked(self, request: Message, host: bytes) -> None:
        """A host's request to this modem; nothing is answered to unknown ones."""
        if isinstance(request, SetKeyReq):
            self._take_key(request, host)
        elif isinstance(request, ResetReq):
            self._reply(ResetCnf(), host)
            self._later(self._timing.answer, self._restart, self.nid, self.nmk)
        elif answer := self._answers.to_host(request):
            self._reply(answer, host)

    def _take_key(self, request: SetKeyReq, host: bytes) -> None:
        result = 0 if self.refuse_key else 1
        self._reply(SetKeyCnf(result=result, my_nonce=self._rng.randbytes(4), your_nonce=request.my_nonce), host)
        if result and (request.nid, request.nmk) != (self.nid, self.nmk):
            self._later(self._timing.answer + self._timing.apply, self._restart, request.nid, request.nmk)

    def _restart(self, nid: bytes, nmk: bytes) -> None:
        self.awake = False
        self._later(self._timing.restart, self._wake, nid, nmk)

    def _wake(self, nid: bytes, nmk: bytes) -> None:
        self.awake = True
        self.nid, self.nmk = nid, nmk
        self._linked_since = asyncio.get_running_loop().time() + self._timing.join

    def _reply(self, message: Message, host: bytes) -> None:
        if not self.silent:
            self._later(self._timing.answer, self._host.send, message.frame(host, self.address))

    def _later(self, seconds: float, action: Callable[..., object], *arguments: Any) -> None:
        timer: asyncio.TimerHandle

        def due() -> None:
            self._timers.discard(timer)
            action(*arguments)

        timer = asyncio.get_running_loop().call_later(seconds, due)
        self._timers.add(timer)

    # from the line

    def _is_member(self, other: EmulatedModem) -> bool:
        now = asyncio.get_running_loop().time()
        ready = self.awake and other.awake and self.joins and other.joins
        same = (self.nid, self.nmk) == (other.nid, other.nmk)
        return ready and same and max(self._linked_since, other._linked_since) <= now

    def _from_line(self, frame: bytes, sender: Port) -> None:
        """What the line brings: SLAC from anyone, all else from members; foreign unicast stays outside."""
        if not self.awake:
            return
        destination = frame[:6]
        peer = self._line.stations.get(sender)
        member = isinstance(peer, EmulatedModem) and self._is_member(peer)
        homeplug = frame[12:14] == ETHERTYPE
        message = _message(frame) if homeplug else None
        if isinstance(message, (SwVerReq, GetKeyReq, SetKeyReq)) and destination in (BROADCAST, self.address):
            self._asked_from_afar(message, frame[6:12], member)
            return
        group = destination[0] & MULTICAST
        if destination == self.address or not (group or not self.hosts or destination in self.hosts):
            return
        if homeplug or member:
            self._host.send(frame)
        if isinstance(message, MnbcSoundInd):
            self._measured(frame[6:12], sender)

    def _asked_from_afar(self, request: Message, host: bytes, member: bool) -> None:
        """A station at the far end asks everyone; only a member of its network answers, over the line."""
        answer = self._answers.to_line(request) if member and not self.silent else None
        if answer is not None:
            self._later(REMOTE_ANSWER_S, self._port.send, answer.frame(host, self.address))

    def _measured(self, pev: bytes, sender: Port) -> None:
        """What a modem reports after each sound it handed up."""
        groups = self._line.profile(self._port, sender) if self.profiles else b""
        indication = VsAttenCharInd(pev_mac=pev, count=len(groups), rest=groups).frame(BROADCAST, self.address)
        self._host.send(AttenProfileInd(pev_mac=pev, count=len(groups), rest=groups).frame(BROADCAST, self.address))
        self._host.send(indication)
        if self.leak:
            self._port.send(indication)


def _message(frame: bytes) -> Message | None:
    try:
        return read(parse(frame))
    except MmeError:
        return None
