"""`pyplc listen`: follow foreign matching."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click

from ..config import ListenSettings
from ..link import open_link
from ..link.ports import LinkError
from ..listening import Listener
from ..record import Recorder, Summary
from .common import exit_code, opening, readers, settings, until_signal


@click.command()
@click.argument("interface", required=False)
@click.option("--config", type=click.Path(path_type=Path), help="Settings, such as config/listen.toml.")
@click.option("--driver", type=click.Choice(["auto", "packet", "pcap"]), help="How raw frames are read.")
@click.option("--join/--no-join", default=None, help="Take each key that is heard into the own modem.")
@click.option("--record", type=click.Path(path_type=Path), help="Folder to record in.")
@click.option("--json", "as_json", is_flag=True, help="Print the records as JSON lines.")
def command(
    interface: str | None,
    config: Path | None,
    driver: str | None,
    join: bool | None,
    record: Path | None,
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
        summary = asyncio.run(_listen(chosen, as_json))
    except LinkError as error:
        raise click.ClickException(str(error)) from None
    sys.exit(exit_code(summary))


async def _listen(chosen: ListenSettings, as_json: bool) -> Summary | None:
    network = chosen.network
    link = open_link(network.interface, network.driver, (), promiscuous=True)
    chosen_readers, closing = readers("listen", chosen.record.folder, as_json=as_json)
    recorder = Recorder(*chosen_readers)
    try:
        opening(recorder, f"listen on {network.interface}")
        listener = Listener(link, recorder, join=chosen.listen.join, join_s=chosen.slac.join_s)
        return await until_signal(listener.run(), listener.stop, listener.scribe.note)
    finally:
        link.close()
        for reader in closing:
            reader.close()
