"""One connection to an MQTT broker that comes back by itself. aiomqtt is loaded when it connects first.

What is sent is conflated: of each topic the newest payload waits, so a slow broker never gets a queue of old ones.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Annotated, NamedTuple, Protocol

import msgspec

KEEPALIVE_S = 5
CONNECT_S = 5.0
"""In which a broker must answer."""
AGAIN_FIRST_S, AGAIN_MOST_S = 0.5, 8.0
"""Pauses between attempts: the first, doubled up to the most."""


class BrokerError(Exception):
    """The broker is not there, or refuses; the text says why."""


class BrokerSettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Where the broker is."""

    host: str = "localhost"
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 1883
    user: str | None = None
    password: str | None = None
    tls: bool = False
    """With the system's certificates; the usual port is then 8883."""


class Told(NamedTuple):
    """A message: `retained` when the broker had kept it, so that nobody knows how old it is."""

    topic: str
    payload: bytes
    retained: bool


class Will(NamedTuple):
    """What the broker tells when we vanish."""

    topic: str
    payload: bytes
    retain: bool = True


class Session(Protocol):
    """A connection that stands. Everything raises BrokerError when it does not."""

    async def publish(self, topic: str, payload: bytes, retain: bool) -> None: ...

    async def subscribe(self, topic: str) -> None: ...

    def messages(self) -> AsyncIterator[Told]: ...


Connect = Callable[[Will | None], AbstractAsyncContextManager[Session]]
"""Opens a session."""


def broker(settings: BrokerSettings) -> Connect:
    """Connects to a real broker."""

    @asynccontextmanager
    async def connect(will: Will | None) -> AsyncIterator[Session]:
        try:
            import aiomqtt
        except ImportError:
            raise BrokerError("MQTT needs the extra `mqtt`: pip install 'pyplc[mqtt]'") from None
        try:
            async with aiomqtt.Client(
                settings.host,
                settings.port,
                username=settings.user,
                password=settings.password,
                will=None if will is None else aiomqtt.Will(will.topic, will.payload, qos=1, retain=will.retain),
                keepalive=KEEPALIVE_S,
                timeout=CONNECT_S,
                tls_params=aiomqtt.TLSParameters() if settings.tls else None,
            ) as client:
                yield _Aiomqtt(client, aiomqtt.MqttError)
        except aiomqtt.MqttError as error:
            raise BrokerError(f"{settings.host}:{settings.port}: {error}") from None

    return connect


class _Aiomqtt:
    """A client of aiomqtt as a session."""

    def __init__(self, client: object, error: type[Exception]) -> None:
        import aiomqtt

        assert isinstance(client, aiomqtt.Client)
        self._client, self._error = client, error

    async def publish(self, topic: str, payload: bytes, retain: bool) -> None:
        try:
            await self._client.publish(topic, payload, qos=1 if retain else 0, retain=retain)
        except self._error as error:
            raise BrokerError(str(error)) from None

    async def subscribe(self, topic: str) -> None:
        try:
            await self._client.subscribe(topic, qos=1)
        except self._error as error:
            raise BrokerError(str(error)) from None

    async def messages(self) -> AsyncIterator[Told]:
        try:
            async for message in self._client.messages:
                payload = message.payload if isinstance(message.payload, bytes) else str(message.payload).encode()
                yield Told(message.topic.value, payload, bool(message.retain))
        except self._error as error:
            raise BrokerError(str(error)) from None


class MqttLine:
    """Holds one session; `run` opens it, and opens it again whenever it was lost.

    `told` gets each message; `opened` is called when the subscriptions stand, `lost` with the reason.
    """

    def __init__(
        self,
        connect: Connect,
        topics: Iterable[str],
        told: Callable[[Told], None],
        opened: Callable[[], None],
        lost: Callable[[str], None],
        will: Will | None = None,
    ) -> None:
        self._connect, self._topics = connect, tuple(topics)
        self.will = will
        self._told, self._opened, self._lost = told, opened, lost
        self._waiting: dict[str, tuple[bytes, bool]] = {}
        self._news = asyncio.Event()
        self._sent = asyncio.Event()
        self.up = False
        self.trouble = "not connected yet"
        """Why there is no session now, for people."""

    def send(self, topic: str, payload: bytes | str, *, retain: bool = False) -> bool:
        """Send as soon as may be; False, and nothing is sent later, while there is no session."""
        if not self.up:
            return False
        self._waiting.pop(topic, None)
        self._waiting[topic] = (payload.encode() if isinstance(payload, str) else payload, retain)
        self._sent.clear()
        self._news.set()
        return True

    async def drained(self, seconds: float) -> None:
        """Wait until everything was handed to the broker, at most so long."""
        try:
            async with asyncio.timeout(seconds):
                while self.up and self._waiting:
                    await self._sent.wait()
        except TimeoutError:
            pass  # whoever closes has waited long enough

    async def run(self) -> None:
        """Never returns."""
        pause = AGAIN_FIRST_S
        while True:
            try:
                async with self._connect(self.will) as session:
                    for topic in self._topics:
                        await session.subscribe(topic)
                    pause = AGAIN_FIRST_S
                    self.up, self.trouble = True, "no answer"
                    self._opened()
                    await _first(self._sending(session), self._hearing(session))
            except BrokerError as error:
                if (task := asyncio.current_task()) is not None and task.cancelling():
                    raise asyncio.CancelledError from error  # disconnecting failed: that is the end all the same
                self.trouble = str(error)
            finally:
                was_up, self.up = self.up, False
                self._waiting.clear()
                self._sent.set()
            if was_up:
                self._lost(f"the broker was lost: {self.trouble}")
            await asyncio.sleep(pause)
            pause = min(2 * pause, AGAIN_MOST_S)

    async def _sending(self, session: Session) -> None:
        while True:
            while self._waiting:
                topic = next(iter(self._waiting))
                payload, retain = self._waiting.pop(topic)
                await session.publish(topic, payload, retain)
            self._sent.set()
            self._news.clear()
            await self._news.wait()

    async def _hearing(self, session: Session) -> None:
        async for told in session.messages():
            self._told(told)
        raise BrokerError("the connection was closed")


async def _first(*work: Awaitable[None]) -> None:
    """Run all until one ends, and end as that one did."""
    tasks = [asyncio.ensure_future(each) for each in work]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            if task.done():
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
