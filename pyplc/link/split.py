"""One link shared by EtherType: HomePlug frames to SLAC, IPv6 frames to SECC discovery."""

from __future__ import annotations

import asyncio
from collections import deque

from .ports import Link, Tap

QUEUE_LIMIT = 1024


class Branch:
    """The frames of one EtherType of a shared link; a `Link` itself."""

    def __init__(self, split: Split, link: Link) -> None:
        self._split = split
        self._link = link
        self._queue: deque[bytes] = deque(maxlen=QUEUE_LIMIT)
        self._ready = asyncio.Event()
        self.name = link.name
        self.address = link.address
        self.tap: Tap | None = None
        self.dropped = 0

    def arrive(self, frame: bytes) -> None:
        """A frame of this EtherType came in."""
        if len(self._queue) == QUEUE_LIMIT:
            self.dropped += 1
        self._queue.append(frame)
        self._ready.set()

    @property
    def waiting(self) -> int:
        return len(self._queue)

    async def receive(self) -> bytes:
        while not self._queue:
            self._ready.clear()
            await self._ready.wait()
        return self._queue.popleft()

    def send(self, frame: bytes) -> None:
        if self._split.tap:
            self._split.tap("tx", frame)
        self._link.send(frame)

    def close(self) -> None:
        self._split.remove(self)


class Split:
    """Receives from a link in one task and hands frames on by EtherType; `tap` sees all of both directions."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._branches: dict[int, Branch] = {}
        self.tap: Tap | None = None
        self.foreign = 0

    def branch(self, ethertype: int) -> Branch:
        """The link of one EtherType; made at the first call."""
        if ethertype not in self._branches:
            self._branches[ethertype] = Branch(self, self._link)
        return self._branches[ethertype]

    def remove(self, branch: Branch) -> None:
        """Forget a branch: its frames are foreign from now on."""
        self._branches = {kind: b for kind, b in self._branches.items() if b is not branch}

    async def run(self) -> None:
        """Hand frames on until cancelled; LinkError when the link is gone."""
        while True:
            frame = await self._link.receive()
            if self.tap:
                self.tap("rx", frame)
            branch = self._branches.get(int.from_bytes(frame[12:14], "big"))
            if branch is None:
                self.foreign += 1
            else:
                branch.arrive(frame)
