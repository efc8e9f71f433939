"""What a station needs of IPv6 and TCP, as one port: the kernel's, or a network inside the process."""

from __future__ import annotations

import asyncio
import errno
import random
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from .link.ethernet import link_local_of, multicast_mac, parse_udp, udp_frame
from .link.ports import Link
from .record import Scribe
from .sdp.address import LinkLocal, wait_link_local
from .sdp.messages import MULTICAST
from .sdp.udp import Address, Datagrams, open_udp
from .v2g import stream
from .v2g.stream import Channel
from .v2gtp import DEFAULT_MAX_PAYLOAD

T = TypeVar("T")

ADDRESS_WAIT_S = 10.0
"""For a link-local address to come up after the interface did."""
DYNAMIC_PORTS = range(49152, 65536)
"""RFC 6335; the standard's range for both sides' ports. Systems choose below it, and some vehicles refuse that."""
PORT_TRIES = 32


class Listener(Protocol):
    """What stops listening."""

    def close(self) -> None: ...


class Network(Protocol):
    """One interface's IPv6."""

    async def address(self) -> str:
        """Our link-local address; AddressError when there is none."""

    async def udp(self, port: int = 0) -> Datagrams:
        """A UDP endpoint; with the discovery port a member of its multicast group."""

    async def connect(self, host: str, port: int) -> Channel:
        """A connection to a peer on the same link; OSError or TimeoutError."""

    async def listen(self, accept: Callable[[Channel], None], port: int) -> tuple[Listener, int]:
        """Accept connections on `port` (0: any); the port it is."""


class KernelNetwork:
    """The kernel's IPv6 on one interface."""

    def __init__(self, interface: str, scribe: Scribe, max_payload: int = DEFAULT_MAX_PAYLOAD) -> None:
        self._interface = interface
        self._max_payload = max_payload
        self._scribe = scribe

    async def _link_local(self) -> LinkLocal:
        return await wait_link_local(self._interface, ADDRESS_WAIT_S, lambda why: self._scribe.note(f"waiting: {why}"))

    async def address(self) -> str:
        return (await self._link_local()).address

    async def udp(self, port: int = 0) -> Datagrams:
        scope = (await self._link_local()).scope
        return await _on_a_port(port, lambda chosen: open_udp(scope, chosen))

    async def connect(self, host: str, port: int) -> Channel:
        return await stream.connect(host, port, (await self._link_local()).scope, self._max_payload)

    async def listen(self, accept: Callable[[Channel], None], port: int) -> tuple[Listener, int]:
        own = await self._link_local()
        return await _on_a_port(
            port, lambda chosen: stream.listen(accept, own.address, chosen, own.scope, self._max_payload)
        )


async def _on_a_port(port: int, open_at: Callable[[int], Awaitable[T]]) -> T:
    """Open at `port`, or for 0 at a free dynamic one; OSError when none of `PORT_TRIES` is to be had."""
    if port:
        return await open_at(port)
    tries = random.sample(DYNAMIC_PORTS, PORT_TRIES)
    for chosen in tries[:-1]:
        try:
            return await open_at(chosen)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
    return await open_at(tries[-1])


class Exchange:
    """Where the streams of stations in one process meet: who listens at which address and port.

    `pipe` makes both ends of a stream from their names.
    """

    def __init__(self) -> None:
        self.listeners: dict[Address, Callable[[Channel], None]] = {}
        self.pipe: Callable[[str, str], tuple[Channel, Channel]] = stream.pipe


class VirtualNetwork:
    """IPv6 on a virtual powerline: datagrams are real frames on the link, streams are pipes inside the process."""

    def __init__(self, link: Link, exchange: Exchange) -> None:
        self._link = link
        self._exchange = exchange
        self._own = link_local_of(link.address)
        self._endpoints: dict[int, _VirtualUdp] = {}
        self._next_port = DYNAMIC_PORTS[0]

    async def run(self) -> None:
        """Hand datagrams to their endpoints until cancelled."""
        while True:
            datagram = parse_udp(await self._link.receive())
            if datagram is None or datagram.destination[0] not in (self._own, MULTICAST):
                continue
            if endpoint := self._endpoints.get(datagram.destination[1]):
                endpoint.arrive(datagram.data, datagram.source, datagram.mac)

    async def address(self) -> str:
        return self._own

    async def udp(self, port: int = 0) -> Datagrams:
        port = port or self._port()
        endpoint = self._endpoints[port] = _VirtualUdp(self._link, self._own, port, self._endpoints)
        return endpoint

    async def connect(self, host: str, port: int) -> Channel:
        accept = self._exchange.listeners.get((host, port))
        if accept is None:
            raise ConnectionRefusedError(f"nobody listens at [{host}]:{port}")
        near, far = self._exchange.pipe(f"[{self._own}]:{self._port()}", f"[{host}]:{port}")
        accept(far)
        return near

    async def listen(self, accept: Callable[[Channel], None], port: int) -> tuple[Listener, int]:
        where = (self._own, port or self._port())
        self._exchange.listeners[where] = accept
        return _VirtualListener(self._exchange, where), where[1]

    def _port(self) -> int:
        self._next_port += 1
        return self._next_port


class _VirtualListener:
    def __init__(self, exchange: Exchange, where: Address) -> None:
        self._exchange, self._where = exchange, where

    def close(self) -> None:
        self._exchange.listeners.pop(self._where, None)


class _VirtualUdp:
    """A UDP endpoint on a virtual link; it learns the MACs of those it hears."""

    LIMIT = 64

    def __init__(self, link: Link, own: str, port: int, endpoints: dict[int, _VirtualUdp]) -> None:
        self._link, self._own, self._port, self._endpoints = link, own, port, endpoints
        self._macs: dict[str, bytes] = {}
        self._queue: deque[tuple[bytes, Address]] = deque(maxlen=self.LIMIT)
        self._ready = asyncio.Event()

    def arrive(self, data: bytes, source: Address, mac: bytes) -> None:
        self._macs[source[0]] = mac
        self._queue.append((data, source))
        self._ready.set()

    async def receive(self) -> tuple[bytes, Address]:
        while not self._queue:
            self._ready.clear()
            await self._ready.wait()
        return self._queue.popleft()

    def send(self, data: bytes, to: Address) -> None:
        host, port = to
        mac = multicast_mac(host) if host.startswith("ff") else self._macs.get(host)
        if mac is not None:
            self._link.send(udp_frame((self._link.address, mac), (self._own, host), (self._port, port), data))

    def close(self) -> None:
        self._endpoints.pop(self._port, None)
