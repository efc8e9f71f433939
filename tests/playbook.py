"""Playbooks for sessions: this comes in, that must go out, then time passes. For every generation."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from pyplc import clock
from pyplc.record import Record, Recorder
from pyplc.v2g.evcc import Evcc
from pyplc.v2g.rules import FIELD, Rules
from pyplc.v2g.secc import Secc
from pyplc.v2g.session import Ended, SessionError, name_of
from pyplc.v2g.stream import Channel, Closed, pipe
from pyplc.v2gtp import PayloadType


class Car:
    """The other end of a charger's session: asks, and looks at the answers."""

    def __init__(self, channel: Channel, wire: Any, session_id: bytes = bytes(8)) -> None:
        self.channel = channel
        self.wire = wire
        self.session_id = session_id
        self.header_id = b""

    async def ask(self, request: Any, session_id: bytes | None = None) -> Any:
        """Send a request, return the response's body; the session id of SessionSetupRes is taken."""
        used = self.session_id if session_id is None else session_id
        self.channel.send(PayloadType.EXI, self.wire.encode(request, used))
        message = self.wire.decode((await self.channel.receive(200)).data)
        self.header_id = message.Header.SessionID
        if isinstance(request, self.wire.SessionSetupReq):
            self.session_id = self.header_id
        return message.Body.BodyElement

    async def go(self, requests: list[Any]) -> None:
        """Ask each, and get OK."""
        for request in requests:
            response = await self.ask(request)
            assert response.ResponseCode < self.wire.responseCode.FAILED, response


Play = Callable[[Car], Awaitable[None]]
End = Ended | SessionError


def play(
    kind: type[Secc],
    script: Play,
    control: Any,
    timing: Any,
    rules: Rules = FIELD,
    setup_by: float | None = None,
    session_id: bytes = bytes(8),
    records: list[Record] | None = None,
) -> tuple[End, float]:
    """Run a charger's session against a script: how it ended, and when."""

    async def main() -> tuple[End, float]:
        near, far = pipe()
        scribe = Recorder(*([records.append] if records is not None else [])).on("evse")
        session = kind(far, control, scribe, timing.charger, random.Random(1), rules, setup_by)
        running = asyncio.ensure_future(session.run())
        await script(Car(near, session.wire, session_id))
        try:
            return await running, asyncio.get_running_loop().time()
        except SessionError as error:
            with pytest.raises(Closed):  # an ended session leaves no open connection
                await near.receive(5)
            return error, asyncio.get_running_loop().time()

    return clock.run(main())


Answer = Callable[[Any], Any]
"""A request, and what to answer: a response, a (response, session id), raw bytes, or None for silence."""


def hold(
    kind: type[Evcc],
    answer: Answer,
    control: Any,
    timing: Any,
    rules: Rules = FIELD,
    session_id: bytes = b"\x06\xef\x00\x71",
    resume: bytes = bytes(8),
    records: list[Record] | None = None,
    requests: list[Any] | None = None,
) -> tuple[End, list[str], float]:
    """Run a vehicle's session against answers: how it ended, what was asked, and when it ended.

    `session_id` is four bytes, as a Supercharger gives.
    """
    asked: list[str] = []

    async def charger(channel: Channel) -> None:
        while True:
            try:
                request = kind.wire.decode((await channel.receive(1000)).data).Body.BodyElement
            except Closed:
                return
            asked.append(name_of(request))
            if requests is not None:
                requests.append(request)
            response, header = answer(request), session_id
            if isinstance(response, tuple):
                response, header = response
            if isinstance(response, bytes):
                channel.send(PayloadType.EXI, response)
            elif response is not None:
                channel.send(PayloadType.EXI, kind.wire.encode(response, header))

    async def main() -> tuple[End, list[str], float]:
        near, far = pipe()
        peer = asyncio.ensure_future(charger(far))
        scribe = Recorder(*([records.append] if records is not None else [])).on("ev")
        session = kind(near, control, scribe, timing.vehicle, rules, None, resume)
        loop = asyncio.get_running_loop()
        try:
            return await session.run(), asked, loop.time()
        except SessionError as error:
            return error, asked, loop.time()
        finally:
            await peer

    return clock.run(main())


def phases(asked: list[str]) -> list[str]:
    """Names without repetitions next to each other."""
    return [name for name, before in zip(asked, ["", *asked], strict=False) if name != before]
