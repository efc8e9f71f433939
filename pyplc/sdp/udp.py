"""Datagrams for SECC discovery: a small port, and the kernel's UDP behind it."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Protocol, cast

from .messages import MULTICAST, PORT

Address = tuple[str, int]
"""IPv6 address without scope, and port."""


class Datagrams(Protocol):
    """A UDP endpoint on one interface."""

    async def receive(self) -> tuple[bytes, Address]:
        """The next datagram and who sent it."""

    def send(self, data: bytes, to: Address) -> None: ...

    def close(self) -> None: ...


class KernelUdp(asyncio.DatagramProtocol):
    """The kernel's UDP, bound to one interface by its scope."""

    LIMIT = 64
    """Datagrams kept while nobody fetches them; older ones go first."""

    def __init__(self, scope: int) -> None:
        self._scope = scope
        self._queue: asyncio.Queue[tuple[bytes, Address]] = asyncio.Queue()
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str | object, int]) -> None:
        if self._queue.qsize() >= self.LIMIT:
            self._queue.get_nowait()
        self._queue.put_nowait((data, (str(addr[0]).partition("%")[0], addr[1])))

    async def receive(self) -> tuple[bytes, Address]:
        return await self._queue.get()

    def send(self, data: bytes, to: Address) -> None:
        if self._transport is not None:
            self._transport.sendto(data, (to[0], to[1], 0, self._scope))

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


async def open_udp(scope: int, port: int = 0) -> KernelUdp:
    """A UDP endpoint on the interface with index `scope`; with the discovery port it joins ff02::1 there.

    Raises OSError when the port is taken or the interface has no IPv6.
    """
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, scope)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, 0)
        if port == PORT:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            group = socket.inet_pton(socket.AF_INET6, MULTICAST) + struct.pack("@I", scope)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group)
            # several chargers on one host: each hears its own interface only
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, socket.if_indextoname(scope).encode() + b"\0")
        sock.bind(("::", port, 0, scope))
        loop = asyncio.get_running_loop()
        _, protocol = await loop.create_datagram_endpoint(lambda: KernelUdp(scope), sock=sock)
    except BaseException:
        sock.close()
        raise
    return protocol
