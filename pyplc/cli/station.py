"""What `pyplc ev` and `pyplc evse` share: a station on a real interface."""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import click

from ..config import StationSettings, rules
from ..hw.compose import Hardware
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
    hardware: Callable[[], Hardware],
    build: Callable[[Common, Hardware], Station],
    config: Path,
    *,
    as_json: bool,
    repeat: bool,
) -> None:
    """Run sessions of a station until its end; leaves the process with the exit code of the last.

    A device that is lost while nobody is plugged in is waited for: it may be plugged in again.
    """
    summary: Summary | None = None
    failed: str | None = None

    async def main() -> None:
        nonlocal summary, failed
        try:
            made = hardware()
        except DeviceError as error:
            failed = f"{config}: {error}"
            return
        try:
            async with made:
                await made.ready()
                while True:
                    summary = await _session(side, chosen, made, build, as_json=as_json)
                    waited = summary is not None and summary.outcome == "device" and not summary.phases
                    if summary is None or summary.outcome == "stopped" or not (repeat or waited):
                        return
                    if summary.outcome != "finished":
                        await asyncio.sleep(AFTER_FAILURE_S)
                    await _back(made)
        except (LinkError, DeviceError, AddressError) as error:
            failed = str(error)

    asyncio.run(main())
    if failed is not None:
        raise click.ClickException(failed)
    sys.exit(exit_code(summary))


async def _back(made: Hardware) -> None:
    """Wait until every device is there again."""
    while True:
        try:
            return await made.ready()
        except DeviceError as error:
            click.echo(f"waiting for {error}", err=True)
            await asyncio.sleep(AFTER_FAILURE_S)


async def _session(
    side: Side,
    chosen: StationSettings,
    made: Hardware,
    build: Callable[[Common, Hardware], Station],
    *,
    as_json: bool,
) -> Summary | None:
    network = chosen.network
    link = open_link(network.interface, network.driver, (HOMEPLUG,))
    chosen_readers, closing = readers(side, chosen.record.folder, as_json=as_json)
    if made.display is not None:
        chosen_readers.append(made.display)
    recorder = Recorder(*chosen_readers)
    scribe = recorder.on(side)
    made.tell(scribe.note)
    tap: Link | None = None
    try:
        opening(recorder, f"{side} on {network.interface}")
        homeplug = HomePlug(link, scribe)
        background: list[Callable[[], Any]] = [homeplug.run, made.watch]
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
            ),
            made,
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
