"""What every vehicle session does: one exchange of messages, loops while the charger says Ongoing, pace and timers.

A generation gives its messages (`wire`), its checkpoints and its phases.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, TypeVar

from ..exi.errors import ExiError
from ..record import Message, Scribe
from ..v2gtp import PayloadType
from .control import Refused
from .rules import Rules
from .session import Ended, PeerFailed, PeerGone, PeerWrong, StationRefused, StopAsked, TimedOut, Timer, name_of
from .stream import Channel, Closed
from .timing import VehicleTiming

R = TypeVar("R")

FIRST_SESSION_ID = bytes(8)
"""Zero in the first request; eight bytes, as most cars send it."""


class Evcc:
    """One session of a vehicle, from SessionSetupReq to SessionStopRes.

    `setup_by` is the loop time by which SessionSetupRes must have come, None for no limit; `session_id` that of a
    paused session to be resumed.
    """

    protocol: ClassVar[str]
    wire: ClassVar[Any]
    """The module of the generation's messages."""
    checkpoints: ClassVar[dict[type, int]]

    def __init__(
        self,
        channel: Channel,
        control: Any,
        scribe: Scribe,
        timing: VehicleTiming,
        rules: Rules = Rules(),
        setup_by: float | None = None,
        session_id: bytes = FIRST_SESSION_ID,
    ) -> None:
        self._channel = channel
        self._control = control
        self._scribe = scribe
        self._timing = timing
        self._rules = rules
        self._pacing = rules.pacing
        self._setup_by = setup_by
        self._passed: set[int] = set()
        self._sent_at = 0.0
        self.session_id = session_id

    async def run(self) -> Ended:
        """Charge; raises a SessionError for every end but the orderly one. The caller makes the vehicle safe."""
        try:
            return await self._hold()
        except Refused as refusal:
            raise StationRefused(f"the vehicle stopped the session: {refusal}") from refusal
        finally:
            await self._channel.close()

    async def _hold(self) -> Ended:
        """The phases of the generation, in order."""
        raise NotImplementedError

    # one exchange

    async def _request(self, body: Any, expected: type[R], checkpoint: int | None = None) -> R:
        """Send `body`, return the response of the expected type with an OK code; everything else is a SessionError."""
        number = checkpoint or self.checkpoints.get(type(body))
        if number:
            self._pass(number)
        self._send(body)
        response = await self._response(body)
        if not isinstance(response, expected):
            raise PeerWrong(f"{name_of(response)} in answer to {name_of(body)}")
        code = response.ResponseCode  # type: ignore[attr-defined]  # every response has one
        if code >= self.wire.responseCode.FAILED:
            raise PeerFailed(f"{name_of(response)} says {self.wire.responseCode(code).name}")
        return response

    def _send(self, body: Any) -> None:
        data = self.wire.encode(body, self.session_id)
        self._scribe(Message(direction="tx", protocol=self.protocol, name=name_of(body), exi=data, body=body))
        self._sent_at = self._now()
        try:
            self._channel.send(PayloadType.EXI, data)
        except Closed as closed:
            raise PeerGone(f"{closed} before {name_of(body)} could be sent") from closed

    async def _response(self, body: Any) -> Any:
        awaited = f"the answer to {name_of(body)}"
        first = isinstance(body, self.wire.SessionSetupReq)
        timer, patience = self._patience(body, first)
        try:
            payload = await self._channel.receive(patience)
        except TimeoutError:
            raise TimedOut(timer, awaited) from None
        except Closed as closed:
            raise PeerGone(f"{closed} while waiting for {awaited}") from closed
        try:
            message = self.wire.decode(payload.data)
        except ExiError as error:
            self._scribe(Message(direction="rx", protocol=self.protocol, name="?", exi=payload.data))
            raise PeerWrong(f"{awaited} cannot be decoded: {error}") from error
        response, session_id = message.Body.BodyElement, message.Header.SessionID
        self._scribe(
            Message(direction="rx", protocol=self.protocol, name=name_of(response), exi=payload.data, body=response)
        )
        if first:
            self._set_up(response, session_id)
        elif session_id != self.session_id:
            raise PeerWrong(
                f"{name_of(response)} with session id {session_id.hex() or '(empty)'}, ours is {self.session_id.hex()}"
            )
        return response

    def _patience(self, body: Any, first: bool) -> tuple[Timer, float]:
        """The timer that ends the wait for a response, and in how many seconds."""
        timer = self._timing.message.of(name_of(body))
        if first and self._setup_by is not None and self._setup_by - self._now() < timer.seconds:
            return self._timing.communication_setup, max(0.0, self._setup_by - self._now())
        return timer, timer.seconds

    def _set_up(self, response: Any, session_id: bytes) -> None:
        """Take the session id of SessionSetupRes, of whatever length it is [V2G2-388]."""
        code = getattr(response, "ResponseCode", None)
        ok = self.wire.responseCode
        if code == ok.OK_OldSessionJoined and session_id != self.session_id:
            raise PeerWrong(f"OK_OldSessionJoined with session id {session_id.hex()}, asked {self.session_id.hex()}")
        if code == ok.OK and not self._rules.deviations.plain_setup_ok:
            raise PeerWrong("SessionSetupRes says OK instead of OK_NewSessionEstablished")
        self.session_id = session_id
        self._pass(506)

    async def _ongoing(self, request: Callable[[], Any], expected: type[R], pace: float, timer: Timer) -> R:
        """Repeat a request while the charger says Ongoing, at most for `timer`."""
        until = self._now() + timer.seconds
        while True:
            response: Any = await self._request(request(), expected)
            if response.EVSEProcessing == self.wire.EVSEProcessing.Finished:
                return response  # type: ignore[no-any-return]
            if self._now() >= until:
                raise TimedOut(timer, f"{name_of(response)} with Finished")
            self._while_ongoing(response)
            if reason := self._control.stop_wanted():
                raise StopAsked(reason)
            await self._pace(pace)

    def _while_ongoing(self, response: Any) -> None:
        """What an unfinished response tells; raises StopAsked or a SessionError."""

    async def _session_stop(self, request: Any, expected: type) -> None:
        try:
            await self._request(request, expected)
        except (PeerFailed, PeerGone, TimedOut) as error:
            if not self._rules.deviations.no_session_stop_answer:
                raise
            self._scribe.note(f"SessionStop was not confirmed: {error}", "warning")
        await self._control.release()

    # small things

    async def _answered(self, ask: Awaitable[None], what: str) -> None:
        """Wait for our own station, at most as long as the peer waits for us."""
        timer = self._timing.sequence_performance
        try:
            async with asyncio.timeout(timer.seconds):
                await ask
        except TimeoutError:
            raise TimedOut(timer, f"{what} of our own station") from None

    async def _pace(self, interval: float) -> None:
        """Sleep until `interval` seconds after the last request was sent."""
        await asyncio.sleep(max(0.0, self._sent_at + interval - self._now()))

    def _pass(self, number: int) -> None:
        if number not in self._passed:
            self._passed.add(number)
            self._scribe.checkpoint(number)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
