"""`pyplc listen`: follow foreign matching."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ..config import ListenSettings
from ..link import open_link
from ..link.ports import LinkError
from ..listening import Listener
from ..record import Summary
from ..service.health import Backlog
from ..service.sessions import sessions
from ..service.unattended import Unattended
from .common import closed, exit_code, opening, ready_interface, recording, settings, unattended, until_signal


@click.command()
@click.argument("interface", required=False)
@click.option("--config", type=click.Path(path_type=Path), help="Settings, such as config/listen.toml.")
@click.option("--driver", type=click.Choice(["auto", "packet", "pcap"]), help="How raw frames are read.")
@click.option("--join/--no-join", default=None, help="Take each key that is heard into the own modem.")
@click.option("--record", type=click.Path(path_type=Path), help="Folder to record in.")
@click.option("--forever", is_flag=True, help="Unattended: wait for an interface that is missing.")
@click.option("--json", "as_json", is_flag=True, help="Print the records as JSON lines.")
def command(
    interface: str | None,
    config: Path | None,
    driver: str | None,
    join: bool | None,
    record: Path | None,
    forever: bool,
    as_json: bool,
) -> None:
    """Follow the matching of other stations: MACs, run, attenuation, NID and NMK. Ends with Ctrl-C.

    \b
    Example:  pyplc listen eth1 --record results
              pyplc listen eth1 --join --json | grep sighting
    """
    chosen = settings(config, ListenSettings)
    network = chosen.network
    network.interface = interface or network.interface
    network.driver = driver or network.driver  # type: ignore[assignment]  # a Choice of the same words
    chosen.listen.join = chosen.listen.join if join is None else join
    chosen.record.folder = str(record) if record else chosen.record.folder
    try:
        summary = asyncio.run(_listen(chosen, as_json=as_json, forever=forever))
    except LinkError as error:
        raise click.ClickException(str(error)) from None
    sys.exit(exit_code(summary))


async def _listen(chosen: ListenSettings, *, as_json: bool, forever: bool) -> Summary | None:
    async def ready() -> None:
        if forever:
            ready_interface(chosen.network.interface, service)

    async with unattended("listen", chosen, as_json=as_json, forever=forever) as service:
        holding = sessions(
            service,
            ready,
            lambda: _once(chosen, service),
            None,
            (LinkError,),
            repeat=False,
            forever=forever,
        )
        return await until_signal(holding, service.leave, service.tell)


async def _once(chosen: ListenSettings, service: Unattended) -> Summary | None:
    network = chosen.network
    link = open_link(network.interface, network.driver, (), promiscuous=True)
    closing: list[Callable[[], Any]] = [link.close]
    try:
        recorded = recording("listen", chosen.record, service)
        recorder = service.recorder(*([recorded] if recorded is not None else []))
        if recorded is not None:
            closing.append(recorded.close)
        opening(recorder, "listen", network.interface)
        listener = Listener(link, recorder, join=chosen.listen.join, join_s=chosen.slac.join_s)
        closing.append(service.watch("link", Backlog(lambda: link.waiting, lambda: listener.frames)))
        sync = asyncio.ensure_future(recorded.sync()) if recorded is not None else None
        if sync is not None:
            closing.append(sync.cancel)
        return await service.during(listener)
    finally:
        closed(closing, service)
