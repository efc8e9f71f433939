"""A decoder for other programs: WebSocket, text `V2G <hex>`, `HAL <hex>` or `MME <hex>` in, JSON out.

Errors are JSON too: `{"error": "..."}`. Only clients without an Origin header, or of an origin that is allowed, may
connect: a web page that somebody happens to visit must not talk to the decoder.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from ..capture.frames import KINDS, FrameError, prepare

LONGEST = 1 << 19
"""Characters of one request: the longest payload of V2GTP as hex, with room for blanks."""
PORTS = range(1023, 65536)
_encode = msgspec.json.Encoder().encode


def answer(request: str | bytes) -> str:
    """The JSON that answers one request; never raises."""
    try:
        return _encode(_answer(request)).decode()
    except FrameError as error:
        return _encode({"error": str(error)}).decode()


def _answer(request: str | bytes) -> dict[str, Any]:
    if isinstance(request, bytes):
        raise FrameError("binary message; send text: V2G <hex>, HAL <hex> or MME <hex>")
    kind, _, text = request.strip().partition(" ")
    decode = KINDS.get(kind.upper())
    if decode is None:
        raise FrameError(f"begins with {kind[:20]!r}; a request is V2G <hex>, HAL <hex> or MME <hex>")
    try:
        data = bytes.fromhex(text)
    except ValueError as error:
        raise FrameError(f"no hex: {error}") from None
    found: dict[str, Any] = decode(data)
    return found


async def serve(
    host: str, port: int, *, origins: Sequence[str] = (), ready: Callable[[int], None] = lambda port: None
) -> None:
    """Answer until cancelled; `ready` is told the port. OSError if it is taken."""
    from websockets.asyncio.server import ServerConnection
    from websockets.asyncio.server import serve as serve_websocket
    from websockets.exceptions import ConnectionClosed

    async def converse(connection: ServerConnection) -> None:
        try:
            async for request in connection:
                await connection.send(answer(request))
        except ConnectionClosed:
            pass  # the client went without saying good-bye

    prepare()
    allowed: list[Any] = [None, *origins]
    async with serve_websocket(
        converse, host, port, max_size=LONGEST, max_queue=16, origins=allowed, compression=None
    ) as server:
        ready(next(iter(server.sockets)).getsockname()[1])
        await asyncio.Future()
