"""Packets of an interface as they come."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

from ..link import open_link
from .files import Packet
from .links import ETHERNET


def packets(interface: str, driver: str = "auto") -> Iterator[Packet]:
    """Every frame on `interface`, also those of this host, until the reader stops; LinkError if it cannot be opened."""
    with asyncio.Runner() as runner:
        link = runner.run(_open(interface, driver))
        number = 0
        try:
            while True:
                data = runner.run(link.receive())
                number += 1
                yield Packet(number, time.time_ns(), ETHERNET, data, 0, len(data))
        finally:
            link.close()


async def _open(interface: str, driver: str):  # type: ignore[no-untyped-def]  # whatever link the driver gives
    return open_link(interface, driver, (), own=True, promiscuous=True)
