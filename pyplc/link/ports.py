"""The port of storey 1: raw Ethernet frames in and out of one interface."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

HOMEPLUG = 0x88E1
IPV6 = 0x86DD

Tap = Callable[[str, bytes], None]
"""Called with ("tx" or "rx", frame) for each frame a link sends or receives; the recorder's way in."""


class LinkError(Exception):
    """An interface is missing, down or may not be opened; the text says what to do."""


class Link(Protocol):
    """One interface. Frames are whole Ethernet frames without FCS, at least 14 bytes.

    `address` is the interface's own MAC (6 bytes), `name` what a user calls it. `receive` waits for the next frame in
    order of arrival and never polls; it raises `LinkError` when the interface is gone and the link can not go on.
    `send` never waits; it raises `LinkError` likewise. Only one task receives from a link. `dropped` counts frames lost
    because nobody fetched them in time, `waiting` those that lie there now.
    """

    name: str
    address: bytes
    tap: Tap | None
    dropped: int

    @property
    def waiting(self) -> int: ...

    async def receive(self) -> bytes: ...

    def send(self, frame: bytes) -> None: ...

    def close(self) -> None: ...
