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
DEFAULT_REACH_DB = 90.0
"""A HomePlug modem hears nothing beyond."""
GROUPS = 58
SLOPE_DB = 4.0


class VirtualLink:
    """One end of a cable; a `Link`."""

    def __init__(self, name: str, address: bytes, delay: float = 0.0) -> None:
        self.name = name
        self.address = address
        self._delay = delay
        self.tap: Tap | None = None
        self.dropped = 0
        self.other: VirtualLink | None = None
        self._queue: deque[bytes] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._closed = False

    @property
    def waiting(self) -> int:
        return len(self._queue)

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
            loop = asyncio.get_running_loop()
            if self._delay:
                loop.call_later(self._delay, self.other._arrive, frame)
            else:
                loop.call_soon(self.other._arrive, frame)

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


def cable(name: str, host: bytes, modem: bytes, delay: float = 0.0) -> tuple[VirtualLink, VirtualLink]:
    """A host's end and a modem's end of one cable, lossless; `delay` in seconds each way."""
    near, far = VirtualLink(name, host, delay), VirtualLink(f"{name} (modem)", modem, delay)
    near.other, far.other = far, near
    return near, far


class Port:
    """Where a modem hangs on the powerline. `deliver` gets (frame, sender)."""

    def __init__(self, line: Powerline, name: str, deliver: Callable[[bytes, Port], None]) -> None:
        self._line = line
        self.name = name
        self.deliver = deliver

    def send(self, frame: bytes) -> None:
        """Put a frame on the line: every other port in hearing gets it."""
        self._line.carry(frame, self)

    def restore(self, station: object) -> None:
        """Put `station` on the line here, if it is not there already."""
        self._line.stations[self] = station
        if self not in self._line.ports:
            self._line.ports.append(self)

    def remove(self) -> None:
        """Take the modem off the line."""
        self._line.remove(self)


class Powerline:
    """A shared medium with any number of modems, an attenuation for each pair, delay, loss and duplication.

    `lose` is asked for each frame besides the random loss; it makes a chosen frame vanish. Ports with a mean
    attenuation above `reach` dB between them do not hear each other.
    """

    def __init__(
        self,
        *,
        delay: float = 0.001,
        loss: float = 0.0,
        duplicate: float = 0.0,
        reach: float = DEFAULT_REACH_DB,
        rng: random.Random | None = None,
    ) -> None:
        self.ports: list[Port] = []
        self.stations: dict[Port, object] = {}
        """What hangs on each port, for stations that know each other as a network does."""
        self.lose: Callable[[bytes], bool] = lambda frame: False
        self._delay = delay
        self._loss = loss
        self._duplicate = duplicate
        self._reach = reach
        self._rng = rng or random.Random(0)
        self._profiles: dict[frozenset[Port], bytes] = {}

    def attach(self, name: str, deliver: Callable[[bytes, Port], None]) -> Port:
        """A new port."""
        port = Port(self, name, deliver)
        self.ports.append(port)
        return port

    def remove(self, port: Port) -> None:
        """Take a port off the line, if it is still there."""
        self.stations.pop(port, None)
        if port in self.ports:
            self.ports.remove(port)

    def set_attenuation(self, a: Port, b: Port, decibel: float | bytes) -> None:
        """Attenuation between two ports, the same both ways: a mean in dB, or 58 bytes, one for each group in dB."""
        self._profiles[frozenset((a, b))] = decibel if isinstance(decibel, bytes) else sloped(decibel)

    def profile(self, a: Port, b: Port) -> bytes:
        """Attenuation between two ports in each of the 58 groups, dB."""
        return self._profiles.get(frozenset((a, b)), DEFAULT_PROFILE)

    def hears(self, a: Port, b: Port) -> bool:
        """Whether two ports are near enough."""
        profile = self._profiles.get(frozenset((a, b)))
        return profile is None or sum(profile) <= self._reach * len(profile)

    def carry(self, frame: bytes, sender: Port) -> None:
        """Bring a frame to every other port after the line's delay."""
        if self.lose(frame):
            return
        loop = asyncio.get_running_loop()
        for port in self.ports:
            if port is sender or not self.hears(sender, port):
                continue
            if self._loss and self._rng.random() < self._loss:
                continue
            copies = 2 if self._duplicate and self._rng.random() < self._duplicate else 1
            for _ in range(copies):
                loop.call_later(self._delay, port.deliver, frame, sender)


def sloped(decibel: float) -> bytes:
    """A profile with this mean that rises by 4 dB with frequency, as cables do."""
    return bytes(max(0, min(255, round(decibel + SLOPE_DB * (i / (GROUPS - 1) - 0.5)))) for i in range(GROUPS))


DEFAULT_PROFILE = sloped(DEFAULT_ATTENUATION_DB)
