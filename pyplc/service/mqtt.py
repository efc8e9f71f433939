"""Telemetry and commands over MQTT. Below `<topic>/<role>`:

    availability      online or offline (the broker says offline when we vanish), retained
    status            what the station is doing, JSON (status.py), at most one in `every_s`, retained
    summary           how the last session ended, JSON, retained
    event             checkpoints, decisions, warnings as they happen, JSON
    command/stop      any payload is the reason; command/start; command/limit: amperes, empty takes it away
    refused           why a command was not obeyed

A broker that is away is tried again; what happens meanwhile is not told later, but the newest status is.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

import msgspec

from ..mqtt import BrokerError, BrokerSettings, Connect, Session, Told, Will, broker
from ..record import Checkpoint, Decision, Note, Phase, Record, Summary
from .control import Control, Refusal
from .jsonl import line
from .retry import Backoff
from .settings import MqttSettings
from .status import Status

EVENTS_KEPT = 100
"""Events that wait for the broker; the oldest go first."""
GOODBYE_S = 1.0
LONGEST_PAYLOAD = 200
"""Bytes of a command that are looked at."""
RETRY_FIRST_S, RETRY_MOST_S = 1.0, 60.0

Tell = Callable[[str, str], None]


class Mqtt:
    """A record reader and a task. `tell` takes a remark and its level; `away` is why the broker is not there.

    `connect` is for tests; without it the broker of the settings is asked.
    """

    def __init__(
        self,
        settings: MqttSettings,
        role: str,
        status: Callable[[], Status],
        control: Control,
        tell: Tell,
        connect: Connect | None = None,
    ) -> None:
        self._settings = settings
        self._base = f"{settings.topic.rstrip('/')}/{role}"
        self._connect = connect or broker(
            BrokerSettings(
                host=settings.host or "localhost",
                port=settings.port,
                user=settings.user,
                password=settings.password,
                tls=settings.tls,
            )
        )
        self._status, self._control, self._tell = status, control, tell
        self._events: deque[tuple[str, bytes, bool]] = deque(maxlen=EVENTS_KEPT)
        self._news = asyncio.Event()
        self.away: str | None = "not connected yet"

    def __call__(self, record: Record) -> None:
        if isinstance(record, Summary):
            self._events.append(("summary", line(record), True))
        elif isinstance(record, (Checkpoint, Decision, Phase)) or (isinstance(record, Note) and record.level != "info"):
            self._events.append(("event", line(record), False))
        self._news.set()

    async def run(self) -> None:
        """Connect, tell and obey until cancelled; try again for ever."""
        backoff = Backoff(RETRY_FIRST_S, RETRY_MOST_S)
        will = Will(f"{self._base}/availability", b"offline")
        while True:
            try:
                async with self._connect(will) as session:
                    backoff.reset()
                    self.away = None
                    self._tell(f"MQTT: connected to {self._settings.host}:{self._settings.port}", "info")
                    await self._serve(session)
            except BrokerError as error:
                if (task := asyncio.current_task()) is not None and task.cancelling():
                    raise asyncio.CancelledError from error  # disconnecting failed: that is the end all the same
                pause = backoff.next()
                if backoff.first:
                    self._tell(f"MQTT: {error}; trying again", "warning")
                self.away = str(error)
                await asyncio.sleep(pause)

    async def _serve(self, session: Session) -> None:
        await self._publish(session, "availability", b"online", retain=True)
        if self._settings.commands:
            await session.subscribe(f"{self._base}/command/+")
        tasks = [asyncio.ensure_future(self._publishing(session)), asyncio.ensure_future(self._obeying(session))]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done():
                    task.result()
        except asyncio.CancelledError:
            await self._say_goodbye(session)
            raise
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _say_goodbye(self, session: Session) -> None:
        """A broker that hears this need not wait for our silence; one that does not hear it, waits."""
        try:
            async with asyncio.timeout(GOODBYE_S):
                await self._publish(session, "availability", b"offline", retain=True)
        except (BrokerError, TimeoutError):
            pass

    async def _publishing(self, session: Session) -> None:
        told = b""
        while True:
            self._news.clear()
            while self._events:
                topic, payload, retain = self._events[0]
                await self._publish(session, topic, payload, retain=retain)
                self._events.popleft()
            status = msgspec.json.encode(self._status())
            if status != told:
                await self._publish(session, "status", status, retain=True)
                told = status
            await asyncio.sleep(self._settings.every_s)
            await self._news.wait()

    async def _obeying(self, session: Session) -> None:
        async for told in session.messages():
            if told.retained:  # a stop of last week is none
                continue
            name = told.topic.rpartition("/")[2]
            try:
                self._obey(name, told)
            except Refusal as error:
                await self._publish(session, "refused", f"{name}: {error}".encode())
        raise BrokerError("the connection was closed")

    def _obey(self, name: str, told: Told) -> None:
        payload = told.payload[:LONGEST_PAYLOAD].decode("utf-8", "replace").strip()
        if name == "stop":
            self._control.stop(payload or "MQTT")
        elif name == "start":
            self._control.start()
        elif name == "limit":
            try:
                self._control.limit(float(payload) if payload else None)
            except ValueError as error:
                raise Refusal(str(error)) from None
        else:
            raise Refusal("there is stop, start and limit")
        self._tell(f"MQTT: {name} {payload}".rstrip(), "info")
        self._news.set()

    async def _publish(self, session: Session, topic: str, payload: bytes, *, retain: bool = False) -> None:
        await session.publish(f"{self._base}/{topic}", payload, retain)
