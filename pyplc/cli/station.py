"""What `pyplc ev` and `pyplc evse` share: a station on a real interface."""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Callable
from typing import Any, Protocol

import click

from ..config import StationSettings, rules
from ..hw.ports import DeviceError
from ..link import open_link
from ..link.ports import HOMEPLUG, IPV6, Link, LinkError
from ..network import KernelNetwork
from ..record import Frame, Recorder, Side, Summary
from ..sdp.address import AddressError
from ..slac.homeplug import HomePlug
from ..slac.modem import Modem
from ..slac.settings import conformant
from ..tower import Common
from .common import exit_code, opening, readers, until_signal

AFTER_FAILURE_S = 5.0
"""Between a session that failed and the next try: a missing modem is not asked without pause."""


class Station(Protocol):
    """What runs one session."""

    async def run(self) -> Summary: ...

    def stop(self, reason: str) -> bool: ...


def run(
    side: Side,
    chosen: StationSettings,
    build: Callable[[Common], Station],
    *,
    as_json: bool,
    repeat: bool,
) -> None:
    """Run sessions of a station until its end; leaves the process with the exit code of the last."""
    network = chosen.network
    summary: Summary | None = None
    failed: str | None = None

    async def main() -> None:
        nonlocal summary, failed
        try:
            while True:
                summary = await _session(side, chosen, build, as_json=as_json)
                if not repeat or summary is None or summary.outcome == "stopped":
                    return
                if summary.outcome != "finished":
                    await asyncio.sleep(AFTER_FAILURE_S)
        except (LinkError, DeviceError, AddressError) as error:
            failed = str(error)

    asyncio.run(main())
    if failed is not None:
        raise click.ClickException(f"{network.interface}: {failed}" if network.interface not in failed else failed)
    sys.exit(exit_code(summary))


async def _session(
    side: Side, chosen: StationSettings, build: Callable[[Common], Station], *, as_json: bool
) -> Summary | None:
    network = chosen.network
    link = open_link(network.interface, network.driver, (HOMEPLUG,))
    chosen_readers, closing = readers(side, chosen.record.folder, as_json=as_json)
    recorder = Recorder(*chosen_readers)
    scribe = recorder.on(side)
    tap: Link | None = None
    try:
        opening(recorder, f"{side} on {network.interface}")
        homeplug = HomePlug(link, scribe)
        background: list[Callable[[], Any]] = [homeplug.run]
        if chosen.record.folder:
            tap = open_link(network.interface, network.driver, (HOMEPLUG, IPV6), own=True)
            background.append(_recording(tap, recorder, side))
        station = build(
            Common(
                recorder=recorder,
                network=KernelNetwork(network.interface, scribe, chosen.session.max_payload),
                homeplug=homeplug,
                modem=Modem(homeplug, scribe),
                rules=rules(chosen.session),
                rng=random.SystemRandom(),
                slac=conformant(chosen.slac) if chosen.session.profile == "conformance" else chosen.slac,
                background=tuple(background),
            )
        )
        return await until_signal(station.run(), station.stop, scribe.note)
    finally:
        link.close()
        if tap is not None:
            tap.close()
        for reader in closing:
            reader.close()


def _recording(tap: Link, recorder: Recorder, side: Side) -> Callable[[], Any]:
    """A task that records every HomePlug and IPv6 frame of the interface, both directions, as it was on the wire."""
    scribe = recorder.on(side)

    def seen(direction: str, frame: bytes) -> None:
        scribe(Frame(direction=direction, data=frame, interface=tap.name))

    async def record() -> None:
        tap.tap = seen
        while True:
            await tap.receive()

    return record
