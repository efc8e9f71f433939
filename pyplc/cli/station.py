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
from ..hw.ports import DeviceError, PilotState
from ..link import open_link
from ..link.ports import HOMEPLUG, IPV6, Link, LinkError
from ..network import KernelNetwork
from ..record import Frame, Recorder, Side, Summary
from ..sdp.address import AddressError
from ..service.health import Backlog, ages_of
from ..service.sessions import sessions
from ..service.unattended import Unattended
from ..slac.homeplug import HomePlug
from ..slac.modem import Modem
from ..slac.settings import conformant
from ..tower import Common
from .common import closed, exit_code, opening, ready_interface, recording, unattended, until_signal

WAITED_FOR = (LinkError, DeviceError, AddressError)
"""What may come back: an interface, a device, an address."""


class Station(Protocol):
    """What runs one session."""

    async def run(self) -> Summary: ...

    def stop(self, reason: str) -> bool: ...

    def limit(self, max_current: float | None) -> None: ...


Build = Callable[[Common, Hardware], Station]


def run(
    side: Side,
    chosen: StationSettings,
    hardware: Callable[[], Hardware],
    build: Build,
    config: Path,
    *,
    as_json: bool,
    repeat: bool,
    forever: bool,
) -> None:
    """Run sessions of a station until its end; leaves the process with the exit code of the last.

    What is not there is waited for with `forever`; see service/sessions.py.
    """
    failed: str | None = None

    async def main() -> Summary | None:
        nonlocal failed
        try:
            made = hardware()
        except DeviceError as error:
            failed = f"{config}: {error}"
            return None
        try:
            async with unattended(side, chosen, as_json=as_json, forever=forever) as service:
                holding = _hold(side, chosen, made, build, service, repeat=repeat, forever=forever)
                return await until_signal(holding, service.leave, service.tell)
        except WAITED_FOR as error:
            failed = str(error)
            return None

    summary = asyncio.run(main())
    if failed is not None:
        raise click.ClickException(failed)
    sys.exit(exit_code(summary))


async def _hold(
    side: Side,
    chosen: StationSettings,
    made: Hardware,
    build: Build,
    service: Unattended,
    *,
    repeat: bool,
    forever: bool,
) -> Summary | None:
    """All sessions, with the devices open around them."""
    service.ages = lambda: ages_of(made.devices, made.drivers, asyncio.get_running_loop().time())
    async with made:
        unwatched = service.watch("drivers", made.ended)

        async def ready() -> None:
            made.tell(service.tell)
            await made.ready()
            if forever:
                ready_interface(chosen.network.interface, service)

        try:
            return await sessions(
                service,
                ready,
                lambda: _session(side, chosen, made, build, service),
                (lambda: _unplugged(made)) if side == "ev" else None,
                WAITED_FOR,
                repeat=repeat,
                forever=forever,
            )
        finally:
            unwatched()  # from here on they end because they are told to


async def _unplugged(made: Hardware) -> None:
    """Wait until the connector is out."""
    pilot = made.devices.pilot
    while pilot.view.state is not PilotState.A:
        await pilot.changed()


async def _session(
    side: Side, chosen: StationSettings, made: Hardware, build: Build, service: Unattended
) -> Summary | None:
    """One session with its recording; None when somebody stopped what could not be ended in order."""
    network = chosen.network
    link = open_link(network.interface, network.driver, (HOMEPLUG,))
    closing: list[Callable[[], Any]] = [link.close]
    try:
        recorded = recording(side, chosen.record, service)
        more = [reader for reader in (recorded, made.display) if reader is not None]
        recorder = service.recorder(*more)
        if recorded is not None:
            closing.append(recorded.close)
        opening(recorder, side, network.interface)
        scribe = recorder.on(side)
        homeplug = HomePlug(link, scribe)
        closing.append(service.watch("link", Backlog(lambda: link.waiting, lambda: homeplug.received)))
        background: list[Callable[[], Any]] = [homeplug.run, made.watch]
        if recorded is not None:
            tap = open_link(network.interface, network.driver, (HOMEPLUG, IPV6), own=True)
            closing.append(tap.close)
            background += [_recording(tap, recorder, side), recorded.sync]
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
        made.on_press(station.stop)
        service.powerline = (link.send, link.address)
        closing.append(lambda: setattr(service, "powerline", None))
        return await service.during(station)
    finally:
        closed(closing, service)


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
