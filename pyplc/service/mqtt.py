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

import aiomqtt
import msgspec

from ..record import Checkpoint, Decision, Note, Phase, Record, Summary
from .control import Control, Refusal
from .jsonl import line
from .retry import Backoff
from .settings import MqttSettings
from .status import Status

EVENTS_KEPT = 100
"""Events that wait for the broker; the oldest go first."""
KEEPALIVE_S = 15
RETRY_FIRST_S, RETRY_MOST_S = 1.0, 60.0

Tell = Callable[[str, str], None]


class Mqtt:
    """A record reader and a task. `tell` takes a remark and its level; `away` is why the broker is not there."""

    def __init__(
        self, settings: MqttSettings, role: str, status: Callable[[], Status], control: Control, tell: Tell
    ) -> None:
        self._settings = settings
        self._base = f"{settings.topic.rstrip('/')}/{role}"
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
        while True:
            try:
                async with self._client() as client:
                    backoff.reset()
                    self._tell(f"MQTT: connected to {self._settings.host}:{self._settings.port}", "info")
                    self.away = None
                    await self._serve(client)
            except aiomqtt.MqttError as error:
                pause = backoff.next()
                if self.away is None or backoff.first:
                    self._tell(f"MQTT: {self._settings.host}:{self._settings.port}: {error}; trying again", "warning")
                self.away = f"broker {self._settings.host}: {error}"
                await asyncio.sleep(pause)

    def _client(self) -> aiomqtt.Client:
        chosen = self._settings
        assert chosen.host is not None
        return aiomqtt.Client(
            chosen.host,
            chosen.port,
            username=chosen.user,
            password=chosen.password,
            will=aiomqtt.Will(f"{self._base}/availability", b"offline", qos=1, retain=True),
            keepalive=KEEPALIVE_S,
            timeout=10.0,
            tls_params=aiomqtt.TLSParameters() if chosen.tls else None,
        )

    async def _serve(self, client: aiomqtt.Client) -> None:
        await self._publish(client, "availability", b"online", retain=True)
        if self._settings.commands:
            await client.subscribe(f"{self._base}/command/+", qos=1)
        tasks = [asyncio.ensure_future(self._publishing(client)), asyncio.ensure_future(self._obeying(client))]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done():
                    task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if self.away is None:  # cancelled: a broker that hears this need not wait for our silence
                try:
                    await self._publish(client, "availability", b"offline", retain=True)
                except aiomqtt.MqttError:
                    pass  # it is gone: its will says the same

    async def _publishing(self, client: aiomqtt.Client) -> None:
        told = b""
        while True:
            self._news.clear()
            while self._events:
                topic, payload, retain = self._events[0]
                await self._publish(client, topic, payload, retain=retain)
                self._events.popleft()
            status = msgspec.json.encode(self._status())
            if status != told:
                await self._publish(client, "status", status, retain=True)
                told = status
            await asyncio.sleep(self._settings.every_s)
            await self._news.wait()

    async def _obeying(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            name = message.topic.value.rpartition("/")[2]
            payload = message.payload if isinstance(message.payload, bytes) else str(message.payload).encode()
            if message.retain:  # a stop of last week is none
                continue
            try:
                self._obey(name, payload.decode("utf-8", "replace").strip())
            except Refusal as error:
                await self._publish(client, "refused", f"{name}: {error}".encode())

    def _obey(self, name: str, payload: str) -> None:
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

    async def _publish(self, client: aiomqtt.Client, topic: str, payload: bytes, *, retain: bool = False) -> None:
        await client.publish(f"{self._base}/{topic}", payload, qos=1, retain=retain)
