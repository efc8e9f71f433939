"""`pyplc sim`: a vehicle and a charger in one process, on a virtual powerline."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any, Literal

import click

from .. import __version__, clock, peers
from ..config import SimSettings
from ..peers import ChargerProfile, VehicleProfile
from ..record import Reader, Record, Recorder, Start, Summary
from ..simulation import World
from .common import FAILED, exit_code, imitating, settings, told


@click.command()
@click.argument("config", required=False, type=click.Path(path_type=Path))
@imitating("vehicle", VehicleProfile)
@imitating("charger", ChargerProfile)
@click.option("--target-soc", type=click.FloatRange(0, 100), help="Charge to this state of charge, in percent.")
@click.option("--protocol", type=click.Choice(["din", "iso2"]), help="Speak only this one, instead of the file's.")
@click.option("--ac", is_flag=True, help="Charge with AC, which needs iso2, instead of the file's energy.")
@click.option("--seed", type=int, default=1, show_default=True, help="Same seed, same bytes.")
@click.option("--realtime", is_flag=True, help="Run at wall-clock speed instead of as fast as possible.")
@click.option("--json", "as_json", is_flag=True, help="Print the records as JSON lines; the last is the summary.")
@click.option("--frames", is_flag=True, help="With --json: raw frames too.")
@click.option("--record", type=click.Path(path_type=Path), help="Folder to record the session in.")
@click.option("--fast-modems", is_flag=True, help="Modems that restart at once instead of in 7 s.")
def command(
    config: Path | None,
    vehicle: VehicleProfile | None,
    charger: ChargerProfile | None,
    target_soc: float | None,
    protocol: Literal["din", "iso2"] | None,
    ac: bool,
    seed: int,
    realtime: bool,
    as_json: bool,
    frames: bool,
    record: Path | None,
    fast_modems: bool,
) -> None:
    """Simulate a whole charging session, no hardware needed.

    \b
    Example:  pyplc sim --target-soc 60
              pyplc sim --protocol iso2
              pyplc sim --ac --target-soc 50
              pyplc sim --json --seed 7 | tail -1
              pyplc sim --vehicle ioniq-2016 --charger alpitronic-hyc
    """
    chosen = settings(config, SimSettings)
    told(lambda: peers.imitate(chosen, vehicle, charger))
    if target_soc is not None:
        chosen.vehicle.target_soc = target_soc
    if protocol is not None:
        chosen.session.protocols = (protocol,)
    if ac:
        chosen.vehicle.energy = chosen.charger.energy = "ac"
    record = record or (Path(chosen.record.folder) if chosen.record.folder else None)
    readers, closing = _readers(chosen, as_json=as_json, frames=frames, record=record)
    recorder = Recorder(*readers)
    keep_frames = record is not None or frames

    async def session() -> Summary:
        recorder.emit(Start(what="simulated session", version=__version__, seed=seed))
        world = World(chosen, recorder, seed, fast=fast_modems, frames=keep_frames)
        return (await world.run())["ev"]

    try:
        summary = asyncio.run(session()) if realtime else clock.run(session())
    except KeyboardInterrupt:
        sys.exit(FAILED)
    finally:
        for reader in closing:
            reader.close()
            if isinstance(folder := getattr(reader, "folder", None), Path):
                click.echo(f"recorded in {folder}", err=True)
    sys.exit(exit_code(summary))


def _readers(
    chosen: SimSettings, *, as_json: bool, frames: bool, record: Path | None
) -> tuple[list[Reader], list[Any]]:
    readers: list[Reader] = []
    closing: list[Any] = []
    if record is not None:
        from ..service.files import ResultsError, SessionFiles

        try:
            files = SessionFiles(record, "sim")
        except ResultsError as error:
            raise click.ClickException(str(error)) from None
        readers.append(files)
        closing.append(files)
    if as_json:
        last = SummaryLast(frames=frames)
        readers.append(last)
        closing.append(last)
    else:
        from rich.console import Console

        from ..service.terminal import Terminal

        terminal = Terminal(Console(highlight=False), chosen.vehicle.target_soc)
        readers.append(terminal)
        closing.append(terminal)
    return readers, closing


class SummaryLast:
    """JSON lines, with the vehicle's summary kept for the end."""

    def __init__(self, *, frames: bool) -> None:
        from ..service.jsonl import JsonLines

        self._lines = JsonLines(sys.stdout, frames=frames)
        self._summary: Summary | None = None

    def __call__(self, record: Record) -> None:
        if isinstance(record, Summary) and record.side == "ev":
            self._summary = record
        else:
            self._lines(record)

    def close(self) -> None:
        """Print the last line."""
        if self._summary is not None:
            self._lines(self._summary)
