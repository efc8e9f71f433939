"""One receiver for all who talk HomePlug over a link: each frame is read once and offered to everyone interested."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from ..link.ports import Link
from ..record import Dropped, Scribe
from .catalogue import read
from .layout import Message
from .mme import LOCAL_MODEM, Mme, MmeError, parse
from .timing import C_MODEM_TRIES, MODEM_RESPONSE

M = TypeVar("M", bound=Message)
GROUP = 0x01
"""The bit of a destination that is for many."""
Handler = Callable[[Message, bytes], None]
"""Called with a message and the MAC it came from."""


class HomePlug:
    """The management messages of one link, as far as they are for this host or for all; `run` must be running.

    Frames that cannot be read are counted in `malformed`, unknown types in `unknown`. Both are recorded
    (each unknown type once) and ignored.
    """

    def __init__(self, link: Link, scribe: Scribe) -> None:
        self.address = link.address
        self.interface = link.name
        self.received = 0
        self.malformed = 0
        self.unknown = 0
        self._strange: set[tuple[int, bytes]] = set()
        self._link = link
        self._scribe = scribe
        self._handlers: list[Handler] = []

    async def run(self) -> None:
        """Receive until cancelled; LinkError when the link is gone."""
        while True:
            frame = await self._link.receive()
            self.received += 1
            try:
                mme = parse(frame)
                if mme.destination != self.address and not mme.destination[0] & GROUP:
                    continue
                message = read(mme)
            except MmeError as error:
                self.malformed += 1
                self._scribe(Dropped(what="HomePlug frame", reason=str(error), data=frame))
                continue
            if message is None:
                self._note_unknown(mme, frame)
                continue
            for handler in tuple(self._handlers):
                handler(message, mme.source)

    def _note_unknown(self, mme: Mme, frame: bytes) -> None:
        """Record each type of foreign message once."""
        self.unknown += 1
        if (mme.type, mme.oui) not in self._strange:
            self._strange.add((mme.type, mme.oui))
            reason = f"type {mme.type:#06x}{' of ' + mme.oui.hex() if mme.oui else ''} means nothing here"
            self._scribe(Dropped(what="HomePlug frame", reason=reason, data=frame))

    def send(self, message: Message, destination: bytes) -> None:
        """Send a message from our own address."""
        self._link.send(message.frame(destination, self.address))

    async def ask(
        self,
        request: Message,
        kind: type[M],
        destination: bytes = LOCAL_MODEM,
        *,
        tries: int = C_MODEM_TRIES,
        seconds: float = MODEM_RESPONSE,
        fits: Callable[[M, bytes], bool] = lambda message, source: True,
    ) -> tuple[M, bytes] | None:
        """A modem's answer and the MAC it came from; asked again while there is none. None after `tries`."""
        with self.inbox(kind) as inbox:
            for _ in range(tries):
                self.send(request, destination)
                try:
                    return await inbox.expect(kind, fits, seconds)
                except TimeoutError:
                    continue
        return None

    async def gather(
        self, request: Message, kind: type[M], destination: bytes, seconds: float
    ) -> list[tuple[M, bytes]]:
        """All answers within `seconds`, one for each MAC, in order of arrival."""
        found: dict[bytes, M] = {}
        with self.listening(lambda message, source: _keep(found, kind, message, source)):
            self.send(request, destination)
            await asyncio.sleep(seconds)
        return [(message, source) for source, message in found.items()]

    def always(self, handler: Handler) -> None:
        """Offer every message to `handler` for good."""
        self._handlers.append(handler)

    @contextmanager
    def listening(self, handler: Handler) -> Iterator[None]:
        """Offer every message to `handler` while the block runs."""
        self._handlers.append(handler)
        try:
            yield
        finally:
            self._handlers.remove(handler)

    @contextmanager
    def inbox(self, *kinds: type[Message]) -> Iterator[Inbox]:
        """Collect messages of these kinds while the block runs."""
        box = Inbox(kinds)
        with self.listening(box.offer):
            yield box


def _keep(found: dict[bytes, M], kind: type[M], message: Message, source: bytes) -> None:
    if isinstance(message, kind):
        found.setdefault(source, message)


class Inbox:
    """Messages in order of arrival; one task takes them out."""

    def __init__(self, kinds: tuple[type[Message], ...]) -> None:
        self._kinds = kinds
        self._queue: asyncio.Queue[tuple[Message, bytes]] = asyncio.Queue()

    def offer(self, message: Message, source: bytes) -> None:
        """Keep the message if it is of a wanted kind."""
        if isinstance(message, self._kinds):
            self._queue.put_nowait((message, source))

    async def take(self, seconds: float) -> tuple[Message, bytes]:
        """The next message; TimeoutError after `seconds`."""
        async with asyncio.timeout(max(0.0, seconds)):
            return await self._queue.get()

    async def expect(self, kind: type[M], fits: Callable[[M, bytes], bool], seconds: float) -> tuple[M, bytes]:
        """The next message of `kind` that fits, others are passed over; TimeoutError after `seconds`."""
        until = asyncio.get_running_loop().time() + seconds
        while True:
            message, source = await self.take(until - asyncio.get_running_loop().time())
            if isinstance(message, kind) and fits(message, source):
                return message, source
