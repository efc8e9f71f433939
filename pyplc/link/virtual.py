"""Links inside the process: a cable between a host and its modem, and the powerline between modems.

Everything happens in the loop's time and in a fixed order; loss and duplication come from a seeded generator.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable

from .ports import LinkError, Tap

QUEUE_LIMIT = 4096
DEFAULT_ATTENUATION_DB = 10.0
GROUPS = 58


class VirtualLink:
    """One end of a cable; a `Link`."""

    def __init__(self, name: str, address: bytes) -> None:
        self.name = name
        self.address = address
        self.tap: Tap | None = None
        self.dropped = 0
        self.other: VirtualLink | None = None
        self._queue: deque[bytes] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._closed = False

    async def receive(self) -> bytes:
        while not self._queue:
            if self._closed:
                raise LinkError(f"{self.name} was closed")
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return self._queue.popleft()

    def send(self, frame: bytes) -> None:
        if self._closed:
            raise LinkError(f"{self.name} was closed")
        if self.tap:
            self.tap("tx", frame)
        if self.other is not None:
            asyncio.get_running_loop().call_soon(self.other._arrive, frame)

    def _arrive(self, frame: bytes) -> None:
        if self._closed:
            return
        if len(self._queue) >= QUEUE_LIMIT:
            self.dropped += 1
            return
        if self.tap:
            self.tap("rx", frame)
        self._queue.append(frame)
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def close(self) -> None:
        self._closed = True
        self._wake()


def cable(name: str, host: bytes, modem: bytes) -> tuple[VirtualLink, VirtualLink]:
    """A host's end and a modem's end of one cable, lossless."""
    near, far = VirtualLink(name, host), VirtualLink(f"{name} (modem)", modem)
    near.other, far.other = far, near
    return near, far


class Port:
    """Where a modem hangs on the powerline. `deliver` gets (frame, sender, attenuation in dB)."""

    def __init__(self, line: Powerline, name: str, deliver: Callable[[bytes, Port, float], None]) -> None:
        self._line = line
        self.name = name
        self.deliver = deliver

    def send(self, frame: bytes) -> None:
        """Put a frame on the line: every other port in hearing gets it."""
        self._line.carry(frame, self)

    def remove(self) -> None:
        """Take the modem off the line."""
        self._line.ports.remove(self)


class Powerline:
    """A shared medium with any number of modems, an attenuation for each pair, delay, loss and duplication."""

    def __init__(
        self, *, delay: float = 0.001, loss: float = 0.0, duplicate: float = 0.0, rng: random.Random | None = None
    ) -> None:
        self.ports: list[Port] = []
        self.stations: dict[Port, object] = {}
        """What hangs on each port, for stations that know each other as a network does."""
        self._delay = delay
        self._loss = loss
        self._duplicate = duplicate
        self._rng = rng or random.Random(0)
        self._attenuation: dict[frozenset[Port], float] = {}

    def attach(self, name: str, deliver: Callable[[bytes, Port, float], None]) -> Port:
        """A new port."""
        port = Port(self, name, deliver)
        self.ports.append(port)
        return port

    def set_attenuation(self, a: Port, b: Port, decibel: float) -> None:
        """Attenuation between two ports, dB, the same both ways."""
        self._attenuation[frozenset((a, b))] = decibel

    def attenuation(self, a: Port, b: Port) -> float:
        """Attenuation between two ports, dB."""
        return self._attenuation.get(frozenset((a, b)), DEFAULT_ATTENUATION_DB)

    def carry(self, frame: bytes, sender: Port) -> None:
        """Bring a frame to every other port after the line's delay."""
        loop = asyncio.get_running_loop()
        for port in self.ports:
            if port is sender or (self._loss and self._rng.random() < self._loss):
                continue
            attenuation = self.attenuation(sender, port)
            copies = 2 if self._duplicate and self._rng.random() < self._duplicate else 1
            for _ in range(copies):
                loop.call_later(self._delay, port.deliver, frame, sender, attenuation)
