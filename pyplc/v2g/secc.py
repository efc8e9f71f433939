"""What every charger session does: receive, check, answer; timers between requests; work that takes longer than one
answer.

A generation gives its messages (`wire`), its sequence table, its handlers and its refusals. Order of checks: decodable,
session id, sequence, content. Whatever is FAILED ends the session: the answer is sent, the connection closed, and the
station shuts down.
"""

from __future__ import annotations

import asyncio
import enum
import random
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, ClassVar

from ..exi.errors import ExiError
from ..record import Message, Scribe
from ..v2gtp import Payload, PayloadType
from .control import Refused
from .rules import Rules
from .sequence import Outcome
from .session import Ended, PeerGone, PeerWrong, SessionError, StationRefused, TimedOut, Timer, name_of
from .stream import Channel, Closed
from .timing import ChargerTiming

ONGOING_GRACE_S = 0.02
"""How long an answer waits for a slow control port before it says Ongoing."""

Answer = tuple[Any, Outcome]
Handler = Callable[[Any], Awaitable[Answer]]


class Secc:
    """One session of a charger, from the first SessionSetupReq to the closed connection.

    `rng` gives the session id; `setup_by` is the loop time by which SessionSetupRes must be sent, None for no limit.
    """

    protocol: ClassVar[str]
    wire: ClassVar[Any]
    """The module of the generation's messages."""
    checkpoints: ClassVar[dict[tuple[type, Outcome], int]]
    first: ClassVar[enum.Enum]
    end: ClassVar[enum.Enum]
    powered: ClassVar[frozenset[enum.Enum]]
    """States in which current may flow: a missing request lets it fall to zero."""
    ids: ClassVar[tuple[str, str]]
    """Requirements of the session id and of the sequence, told with a refusal."""

    def __init__(
        self,
        channel: Channel,
        control: Any,
        scribe: Scribe,
        timing: ChargerTiming,
        rng: random.Random,
        rules: Rules = Rules(),
        setup_by: float | None = None,
    ) -> None:
        self._channel = channel
        self._control = control
        self._scribe = scribe
        self._timing = timing
        self._rules = rules
        self._rng = rng
        self.state: Any = self.first
        self.session_id = b""
        self._limits: dict[Timer, float] = {}
        if setup_by is not None:
            self._limits[timing.communication_setup] = setup_by
        self._slow: dict[str, asyncio.Task[None]] = {}
        self._promised: dict[str, float] = {}
        self._passed: set[int] = set()
        self._reason = "the vehicle ended the session"
        self._paused = False
        self._handlers: dict[type, Handler] = self._handling()

    def _handling(self) -> dict[type, Handler]:
        """The handler of each request."""
        raise NotImplementedError

    def _admitted(self, request: type) -> Mapping[Outcome, enum.Enum] | None:
        """The outcomes of `request` in the present state; None when it is out of sequence."""
        raise NotImplementedError

    def _refusal(self, request: Any, code: str) -> Any | None:
        """The response that pairs with `request`, with `code` and smallest valid values; None for a response."""
        raise NotImplementedError

    async def run(self) -> Ended:
        """Serve until SessionStop; raises a SessionError for every other end. The caller makes the station safe."""
        try:
            while self.state is not self.end:
                await self._turn()
            await self._control.finished()
            if not await self._channel.wait_closed(self._timing.close.seconds):
                self._scribe.note(f"{self._timing.close}: the vehicle left the connection open, closing it")
            return Ended(self._reason, self.session_id if self._paused else b"")
        finally:
            for task in self._slow.values():
                task.cancel()
            await self._channel.close()

    async def _turn(self) -> None:
        payload = await self._receive()
        received = self._now()
        request = self._decode(payload)
        try:
            response, outcome = await self._answer(request)
        except Refused as refusal:
            self._refuse(request, refusal.code)
            raise StationRefused(f"{name_of(request)} refused with {refusal.code}: {refusal}") from refusal
        except SessionError:
            raise
        except Exception:  # a device failed, or a defect: the vehicle is told, the station judges
            self._refuse(request, "FAILED")
            raise
        self._watch_performance(request, self._now() - received)
        self._send(response)
        self._follow(type(request), outcome)
        number = self.checkpoints.get((type(request), outcome))
        if number is not None:
            self._pass(number)

    # receiving

    async def _receive(self) -> Payload:
        powered = self.state in self.powered
        try:
            if powered:
                try:
                    return await self._channel.receive(self._timing.set_point.seconds)
                except TimeoutError:
                    self._scribe.note(f"{self._timing.set_point}: no request, current to zero", "warning")
                    await self._control.hold()
            timer, seconds = self._patience()
            if powered:
                seconds -= self._timing.set_point.seconds
            return await self._channel.receive(max(seconds, 0))
        except TimeoutError:
            timer, _ = self._patience()
            raise TimedOut(timer, f"the next request in phase {self.state.value}") from None
        except Closed as closed:
            raise PeerGone(f"{closed} in phase {self.state.value}") from closed

    def _patience(self) -> tuple[Timer, float]:
        """The timer that expires first, and in how many seconds."""
        sequence = self._timing.sequence
        if not self._limits:
            return sequence, sequence.seconds
        timer, at = min(self._limits.items(), key=lambda item: item[1])
        remaining = at - self._now()
        return (timer, remaining) if remaining < sequence.seconds else (sequence, sequence.seconds)

    def _limit(self, timer: Timer | None) -> None:
        """Start a timer that only the end of its phase stops; it is started once."""
        if timer is not None:
            self._limits.setdefault(timer, self._now() + timer.seconds)

    def _unlimit(self, timer: Timer | None) -> None:
        if timer is not None:
            self._limits.pop(timer, None)

    def _decode(self, payload: Payload) -> Any:
        if payload.type != PayloadType.EXI:
            raise PeerWrong(f"V2GTP payload type {payload.type:#06x} in a session of {self.protocol}")
        try:
            message = self.wire.decode(payload.data)
        except ExiError as error:
            self._scribe(Message(direction="rx", protocol=self.protocol, name="?", exi=payload.data))
            raise PeerWrong(f"a request that cannot be decoded: {error}") from error
        body = message.Body.BodyElement
        self._scribe(Message(direction="rx", protocol=self.protocol, name=name_of(body), exi=payload.data, body=body))
        self._received_id = message.Header.SessionID
        if self.state is not self.first and self._received_id != self.session_id:
            self._refuse(body, "FAILED_UnknownSession")
            theirs, ours = self._received_id.hex() or "(empty)", self.session_id.hex()
            raise PeerWrong(f"{name_of(body)} with session id {theirs}, ours is {ours} [{self.ids[0]}]")
        return body

    async def _answer(self, request: Any) -> Answer:
        outcomes = self._admitted(type(request))
        if outcomes is None:
            self._refuse(request, "FAILED_SequenceError")
            raise PeerWrong(f"{name_of(request)} in phase {self.state.value} is out of sequence [{self.ids[1]}]")
        response, outcome = await self._handlers[type(request)](request)
        if outcome not in outcomes:
            self._refuse(request, "FAILED")
            raise PeerWrong(f"{name_of(request)} ({outcome.value}) in phase {self.state.value} is out of sequence")
        self.state = outcomes[outcome]
        return response, outcome

    # sending

    def _send(self, body: Any) -> None:
        data = self.wire.encode(body, self.session_id)
        self._scribe(Message(direction="tx", protocol=self.protocol, name=name_of(body), exi=data, body=body))
        try:
            self._channel.send(PayloadType.EXI, data)
        except Closed as closed:
            raise PeerGone(f"{closed} before {name_of(body)} could be sent") from closed

    def _refuse(self, request: Any, code: str) -> None:
        response = self._refusal(request, code)
        if response is not None:
            self._send(response)

    def _watch_performance(self, request: Any, took: float) -> None:
        promise = self._timing.performance.of(name_of(request))
        if took > promise.seconds:
            self._scribe.note(f"{promise}: {name_of(request)} was answered after {took * 1000:.0f} ms", "warning")

    def _follow(self, request: type, outcome: Outcome) -> None:
        """Timers that hang on a response having been sent."""

    # shared by handlers

    def _new_session_id(self) -> bytes:
        """Eight random bytes, not zero and not the present one [V2G2-750, V2G2-756, V2G-DC-993]."""
        while True:
            session_id = self._rng.getrandbits(64).to_bytes(8, "big")
            if any(session_id) and session_id != self._received_id:
                return session_id

    async def _processed(self, name: str, ask: Callable[[], Coroutine[Any, Any, None]], limit: Timer) -> bool:
        """True when the control port has answered; False while it works (Ongoing). Refused when the limit is over."""
        task = self._slow.get(name)
        if task is None:
            task = self._slow[name] = asyncio.ensure_future(ask())
            self._promised[name] = self._now() + limit.seconds
        elif not task.done() and self._now() >= self._promised[name]:
            raise Refused(f"{limit} expired during {name}")
        if not task.done():
            await asyncio.wait({task}, timeout=ONGOING_GRACE_S)
        if not task.done():
            return False
        task.result()
        return True

    def _asked_to_stop(self) -> None:
        if 790 not in self._passed:
            self._scribe.note(f"asking the vehicle to stop: {self._control.stop_wanted()}")
        self._pass(790)

    def _again(self, *names: str) -> None:
        """Forget the results of work that is to be done anew."""
        for name in names:
            if task := self._slow.pop(name, None):
                task.cancel()

    def _pass(self, number: int) -> None:
        if number not in self._passed:
            self._passed.add(number)
            self._scribe.checkpoint(number)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


LOOP = {True: Outcome.FINISHED, False: Outcome.ONGOING}
"""The outcome of a request that is answered Finished or Ongoing."""
