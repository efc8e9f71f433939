"""A broker in memory, for tests and scenarios in virtual time: topics, retained messages, wills, and its faults."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ...mqtt import BrokerError, Told, Will


class MemoryBroker:
    """`stop` and `start` it as a service; `frozen` carries nothing while connections stand; `delay_s` is slow."""

    def __init__(self) -> None:
        self.retained: dict[str, bytes] = {}
        self.frozen = False
        self.delay_s = 0.0
        self.heard: list[tuple[str, bytes]] = []
        """Everything that was published."""
        self._up = True
        self._sessions: set[_MemorySession] = set()
        self._hosts: set[_MemorySession] = set()

    def stop(self) -> None:
        """Every connection breaks; what was retained is lost, as with mosquitto's default."""
        self._up = False
        self.retained.clear()
        for session in tuple(self._sessions):
            session.queue.put_nowait(None)
            session.broken = True
        self._sessions.clear()

    def start(self) -> None:
        """It is there again."""
        self._up = True

    unplug, plug = stop, start
    """As with a line."""

    @asynccontextmanager
    async def connect(self, will: Will | None) -> AsyncIterator[_MemorySession]:
        """`Connect` of pyplc.mqtt."""
        if not self._up:
            raise BrokerError("connection refused")
        session = _MemorySession(self, will)
        self._sessions.add(session)
        try:
            yield session
        finally:
            self._vanished(session)

    @asynccontextmanager
    async def host(self, will: Will | None) -> AsyncIterator[_MemorySession]:
        """`connect` for the host, whose end `hang_up` is."""
        async with self.connect(will) as session:
            self._hosts.add(session)
            yield session

    def hang_up(self) -> None:
        """The host died: the kernel closes its connection, the broker tells its will."""
        for session in self._hosts:
            self._vanished(session)
        self._hosts.clear()

    def _vanished(self, session: _MemorySession) -> None:
        if session in self._sessions:
            self._sessions.discard(session)
            if session.will is not None:
                self.publish(session.will.topic, session.will.payload, session.will.retain)

    def publish(self, topic: str, payload: bytes, retain: bool) -> None:
        if self.frozen:
            return
        self.heard.append((topic, payload))
        if retain:
            self.retained[topic] = payload
        for session in self._sessions:
            if any(matches(pattern, topic) for pattern in session.topics):
                self._carry(session, Told(topic, payload, False))

    def _carry(self, session: _MemorySession, told: Told) -> None:
        if self.delay_s:
            asyncio.get_running_loop().call_later(self.delay_s, session.queue.put_nowait, told)
        else:
            session.queue.put_nowait(told)


class _MemorySession:
    def __init__(self, broker: MemoryBroker, will: Will | None) -> None:
        self._broker = broker
        self.will = will
        self.topics: list[str] = []
        self.queue: asyncio.Queue[Told | None] = asyncio.Queue()
        self.broken = False

    async def publish(self, topic: str, payload: bytes, retain: bool) -> None:
        if self.broken:
            raise BrokerError("disconnected")
        self._broker.publish(topic, payload, retain)

    async def subscribe(self, topic: str) -> None:
        self.topics.append(topic)
        for kept, payload in self._broker.retained.items():
            if matches(topic, kept):
                self.queue.put_nowait(Told(kept, payload, True))

    async def messages(self) -> AsyncIterator[Told]:
        while (told := await self.queue.get()) is not None:
            yield told
        raise BrokerError("disconnected")


def matches(pattern: str, topic: str) -> bool:
    """Whether a topic is meant by a subscription, with + and # as MQTT has them."""
    wanted, there = pattern.split("/"), topic.split("/")
    if wanted[-1] == "#":
        wanted, there = wanted[:-1], there[: len(wanted) - 1]
    return len(wanted) == len(there) and all(w in ("+", t) for w, t in zip(wanted, there, strict=True))
