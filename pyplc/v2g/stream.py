"""The byte stream of a session: TCP of the kernel, or a pipe inside the process; both carry V2GTP messages.

A `Channel` is the asyncio protocol at either: it frames, queues and lets one task wait with a time limit. (TLS is one
more way to open a channel.)
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Callable
from typing import Any, cast

from ..v2gtp import DEFAULT_MAX_PAYLOAD, Framer, Payload, V2gtpError, pack

Tap = Callable[[str, bytes], None]
"""Called with ("tx" or "rx", bytes) as they pass the socket."""

Through = Callable[[bytes, Callable[[bytes], None]], None]
"""Called with what is written to a pipe and with what carries it on: may change, keep or delay it."""

TCP_CONNECT_TIMEOUT_S = 3.0
"""One attempt; a charger may open its announced port a moment late, so callers try again."""


class Closed(Exception):
    """The stream has ended; the text says who closed it and how."""


class Channel(asyncio.Protocol):
    """V2GTP messages over one connection. One task receives; sending never waits."""

    def __init__(self, max_payload: int = DEFAULT_MAX_PAYLOAD) -> None:
        self._framer = Framer(max_payload)
        self._queue: deque[Payload] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._transport: asyncio.Transport | None = None
        self._lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._end: str | None = None
        self.tap: Tap | None = None
        self.latency = 0.0
        """Seconds each message is held back before it leaves, for a station that imitates a slower one."""
        self._held: asyncio.TimerHandle | None = None
        self.local = self.peer = ""
        self.on_connected: Callable[[Channel], None] | None = None

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.local = _address(transport.get_extra_info("sockname"))
        self.peer = _address(transport.get_extra_info("peername"))
        if self.on_connected:
            self.on_connected(self)

    def data_received(self, data: bytes) -> None:
        if self.tap:
            self.tap("rx", data)
        try:
            self._queue.extend(self._framer.feed(data))
        except V2gtpError as error:
            self._end = f"the peer's V2GTP {error}"
            self.abort()
        self._wake()

    def eof_received(self) -> bool:
        self._end = self._end or "the peer closed the connection (FIN)"
        self._wake()
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self._end = self._end or (f"the connection broke ({error})" if error else "the connection was closed")
        if not self._lost.done():
            self._lost.set_result(None)
        self._wake()

    def _wake(self) -> None:
        """Wake the receiver if there is something for it: a piece of a message is nothing yet."""
        if self._waiter and not self._waiter.done() and (self._queue or self._end is not None):
            self._waiter.set_result(None)

    # for sessions

    @property
    def ignored(self) -> int:
        """Messages skipped because of a wrong header."""
        return self._framer.ignored

    @property
    def closed(self) -> bool:
        """Whether the stream has ended, from either side."""
        return self._end is not None

    async def receive(self, timeout: float) -> Payload:
        """The next payload; TimeoutError after `timeout` seconds, Closed when none can come any more."""
        if not self._queue:
            if self._end is not None:
                raise Closed(self._end)
            loop = asyncio.get_running_loop()
            waiter = self._waiter = loop.create_future()
            timer = loop.call_later(timeout, _expire, waiter)
            try:
                await waiter
            finally:
                timer.cancel()
                self._waiter = None
            if not self._queue:
                raise Closed(self._end or "the connection was closed")
        return self._queue.popleft()

    def send(self, payload_type: int, payload: bytes) -> None:
        """Send one message; Closed when the stream has ended."""
        if self._transport is None or self._end is not None or self._transport.is_closing():
            raise Closed(self._end or "the connection is closed")
        data = pack(payload_type, payload)
        if self.latency:
            self._held = asyncio.get_running_loop().call_later(self.latency, self._leave, data)
        else:
            self._leave(data)

    def _leave(self, data: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        if self.tap:
            self.tap("tx", data)
        self._transport.write(data)

    async def close(self, linger: float = 1.0) -> None:
        """Close after what was sent; waits at most `linger` seconds for the end, then breaks the connection off."""
        if self._transport is None:
            return
        if self._held is not None and self._held.when() > asyncio.get_running_loop().time():
            await asyncio.sleep(self.latency)
        self._end = self._end or "we closed the connection"
        self._transport.close()
        try:
            await asyncio.wait_for(asyncio.shield(self._lost), linger)
        except TimeoutError:
            self._transport.abort()

    async def wait_closed(self, timeout: float) -> bool:
        """Wait for the peer to close; False after `timeout` seconds."""
        if self._end is not None:
            return True
        try:
            await asyncio.wait_for(asyncio.shield(self._lost), timeout)
        except TimeoutError:
            return False
        return True

    def abort(self) -> None:
        """Break the connection off at once (RST)."""
        if self._transport is not None:
            self._transport.abort()

    def hang_up(self) -> None:
        """Close it (FIN) without waiting for anything, as the kernel does for a program that died."""
        if self._transport is not None:
            self._transport.close()


def _expire(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_exception(TimeoutError())


def _address(name: Any) -> str:
    return f"[{name[0]}]:{name[1]}" if isinstance(name, tuple) else str(name or "")


async def connect(host: str, port: int, scope: int = 0, max_payload: int = DEFAULT_MAX_PAYLOAD) -> Channel:
    """A channel over the kernel's TCP to an IPv6 address; `scope` is the interface index of a link-local one.

    Raises OSError or TimeoutError when the peer does not accept within `TCP_CONNECT_TIMEOUT_S`.
    """
    loop = asyncio.get_running_loop()
    sock = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    sock.setblocking(False)
    try:
        async with asyncio.timeout(TCP_CONNECT_TIMEOUT_S):
            await loop.sock_connect(sock, (host, port, 0, scope))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _, channel = await loop.create_connection(lambda: Channel(max_payload), sock=sock)
    except BaseException:
        sock.close()
        raise
    return channel


async def listen(
    accept: Callable[[Channel], None],
    host: str,
    port: int = 0,
    scope: int = 0,
    max_payload: int = DEFAULT_MAX_PAYLOAD,
) -> tuple[asyncio.Server, int]:
    """Listen on an IPv6 address; `accept` gets each channel. Returns the server and its port (chosen when 0).

    Raises OSError when the address or the port cannot be had.
    """
    loop = asyncio.get_running_loop()

    def factory() -> Channel:
        channel = Channel(max_payload)
        channel.on_connected = accept
        return channel

    sock = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((host, port, 0, scope))
        # accepted sockets inherit it: a charger's answer must not wait for the peer's acknowledgement
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        server = await loop.create_server(factory, sock=sock)
    except BaseException:
        sock.close()
        raise
    return server, sock.getsockname()[1]


class _Pipe(asyncio.Transport):
    """One end of a stream inside the process: what is written arrives at the other channel after `delay` seconds."""

    def __init__(self, loop: asyncio.AbstractEventLoop, channel: Channel, names: tuple[str, str], delay: float) -> None:
        super().__init__({"sockname": names[0], "peername": names[1]})
        self._loop = loop
        self._channel = channel
        self._delay = delay
        self._closing = False
        self.other: _Pipe | None = None
        self.through: Through | None = None

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        if self.through is not None:
            self.through(bytes(data), self._carry)
        else:
            self._carry(bytes(data))

    def _carry(self, data: bytes) -> None:
        if self._closing or self.other is None:
            return
        if self._delay:
            self._loop.call_later(self._delay, self.other._arrive, data)
        else:
            self._loop.call_soon(self.other._arrive, data)

    def _arrive(self, data: bytes) -> None:
        if not self._closing:
            self._channel.data_received(data)

    def _finish(self, error: Exception | None) -> None:
        if not self._closing:
            self._closing = True
            if error is None:
                self._channel.eof_received()
            self._channel.connection_lost(error)

    def close(self) -> None:
        self._end(None)

    def abort(self) -> None:
        self._end(ConnectionResetError("connection reset by peer"))

    def _end(self, error: Exception | None) -> None:
        if self._closing:
            return
        self._closing = True
        self._loop.call_soon(self._channel.connection_lost, None)
        if self.other is not None:
            self._loop.call_later(self._delay, self.other._finish, error)

    def is_closing(self) -> bool:
        return self._closing

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._extra.get(name, default)  # type: ignore[attr-defined]  # set by BaseTransport


def pipe(
    near: str = "near",
    far: str = "far",
    delay: float = 0.0,
    max_payload: int = DEFAULT_MAX_PAYLOAD,
    through: tuple[Through | None, Through | None] = (None, None),
) -> tuple[Channel, Channel]:
    """Two connected channels inside the process, named as their addresses; `delay` is one way, in seconds.

    `through` stands in the way from near to far and from far to near.
    """
    loop = asyncio.get_running_loop()
    channels = Channel(max_payload), Channel(max_payload)
    ends = _Pipe(loop, channels[0], (near, far), delay), _Pipe(loop, channels[1], (far, near), delay)
    ends[0].other, ends[1].other = ends[1], ends[0]
    ends[0].through, ends[1].through = through
    for channel, end in zip(channels, ends, strict=True):
        channel.connection_made(end)
    return channels
