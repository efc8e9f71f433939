"""Channels over the kernel's TCP and over pipes behave the same."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from pyplc import clock
from pyplc.v2g.stream import Channel, Closed, connect, listen, pipe
from pyplc.v2gtp import PayloadType, pack


@asynccontextmanager
async def kernel() -> AsyncIterator[tuple[Channel, Channel]]:
    accepted: asyncio.Future[Channel] = asyncio.get_running_loop().create_future()
    server, port = await listen(accepted.set_result, "::1")
    near = await connect("::1", port)
    far = await accepted
    try:
        yield near, far
    finally:
        await near.close()
        await far.close()
        server.close()


@asynccontextmanager
async def piped() -> AsyncIterator[tuple[Channel, Channel]]:
    near, far = pipe("[fe80::1]:1", "[fe80::2]:2")
    yield near, far
    await near.close()
    await far.close()


both = pytest.mark.parametrize("open_pair", [kernel, piped])


@both
async def test_messages_go_both_ways(open_pair: object) -> None:
    async with open_pair() as (near, far):  # type: ignore[operator]
        near.send(0x8001, b"question")
        assert await far.receive(1) == (0x8001, b"question")
        far.send(0x8001, b"answer")
        assert await near.receive(1) == (0x8001, b"answer")
        assert near.peer == far.local
        assert far.peer == near.local


@both
async def test_large_messages_and_many_at_once(open_pair: object) -> None:
    async with open_pair() as (near, far):  # type: ignore[operator]
        large = bytes(range(256)) * 200
        near.send(0x8002, large)
        for number in range(50):
            near.send(0x8001, bytes([number]))
        assert await far.receive(2) == (0x8002, large)
        assert [(await far.receive(1)).data[0] for _ in range(50)] == list(range(50))


@both
async def test_what_was_sent_arrives_before_the_end(open_pair: object) -> None:
    async with open_pair() as (near, far):  # type: ignore[operator]
        near.send(0x8001, b"last words")
        await near.close()
        assert (await far.receive(1)).data == b"last words"
        with pytest.raises(Closed, match="the peer closed the connection"):
            await far.receive(1)
        with pytest.raises(Closed):
            near.send(0x8001, b"too late")


@both
async def test_silence_and_abort(open_pair: object) -> None:
    async with open_pair() as (near, far):  # type: ignore[operator]
        with pytest.raises(TimeoutError):
            await far.receive(0.01)
        near.abort()
        with pytest.raises(Closed):
            await far.receive(1)
        assert await far.wait_closed(1)


@both
async def test_a_peer_that_announces_too_much_is_disconnected(open_pair: object) -> None:
    async with open_pair() as (near, far):  # type: ignore[operator]
        near._transport.write(bytes.fromhex("01fe8001 7fffffff"))
        with pytest.raises(Closed, match="announces 2147483647 bytes"):
            await far.receive(1)


async def test_a_message_in_pieces() -> None:
    async with kernel() as (near, far):
        for octet in pack(0x8001, b"slowly"):
            near._transport.write(bytes([octet]))  # type: ignore[union-attr]
            await asyncio.sleep(0.001)
        assert (await far.receive(1)).data == b"slowly"


async def test_nobody_listens() -> None:
    with pytest.raises(OSError):  # refused, by whatever name the kernel has for it
        await connect("::1", 1)


def test_a_pipe_takes_its_time_in_virtual_time() -> None:
    async def main() -> float:
        near, far = pipe(delay=0.5)
        near.send(0x8001, b"x")
        await far.receive(1)
        return asyncio.get_running_loop().time()

    assert clock.run(main()) == pytest.approx(0.5)


def test_a_receiver_sleeps_through_a_piece_of_a_message() -> None:
    """The first bytes of a message wake nobody; the rest, 1 s later, does. A skipped message does not either."""

    async def main() -> None:
        def through(data: bytes, carry: Callable[[bytes], None]) -> None:
            carry(data[:9])
            asyncio.get_running_loop().call_later(1.0, carry, data[9:])

        near, far = pipe(through=(through, None))
        near.send(PayloadType.EXI, b"in two pieces")
        assert (await far.receive(2.0)).data == b"in two pieces"
        assert asyncio.get_running_loop().time() == pytest.approx(1.0)
        near.send(PayloadType.EXI, b"")
        with pytest.raises(TimeoutError):
            await far.receive(2.0)

    clock.run(main())
