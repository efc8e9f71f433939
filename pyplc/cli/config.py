"""`pyplc config`: settings files: take over pyPLC's, check one."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import click
import msgspec

from ..config import ConfigError, EvseSettings, EvSettings, ListenSettings, SimSettings, parse
from ..hw.compose import compose
from ..hw.ports import DeviceError
from ..pyplc_ini import IniError, convert, toml

KINDS: dict[str, type[Any]] = {"ev": EvSettings, "evse": EvseSettings, "listen": ListenSettings, "sim": SimSettings}


@click.group()
def command() -> None:
    """Settings files: take over pyPLC's, check one.

    \b
    Example:  pyplc config import pyPlc.ini -o my.toml
              pyplc config check ev my.toml
    """


@command.command("import")
@click.argument("ini", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write here instead of standard output.")
@click.option("--json", "as_json", is_flag=True, help="Verb, settings and remarks as JSON.")
def import_(ini: Path, output: Path | None, as_json: bool) -> None:
    """Make a settings file of a pyPlc.ini; what cannot be taken over is said.

    \b
    Example:  pyplc config import pyPlc.ini -o my.toml
    """
    try:
        made = convert(ini.read_text(encoding="utf-8", errors="replace"))
    except OSError as error:
        raise click.ClickException(f"{ini}: {error.strerror}") from None
    except IniError as error:
        raise click.ClickException(f"{ini}: {error}") from None
    text = toml(made.tables)
    remarks = [*made.remarks, *problems(made.verb, text, "the result")]
    if as_json:
        said = {"verb": made.verb, "settings": made.tables, "remarks": remarks}
        click.echo(msgspec.json.format(msgspec.json.encode(said)).decode())
        return
    head = [
        f"# from {ini.name}, for: pyplc {_example(made.verb, output)}",
        *(f"# - {remark}" for remark in remarks),
        "",
    ]
    whole = "\n".join([*head, text])
    if output is None:
        click.echo(whole, nl=False)
        return
    if output.exists() and sys.stdin.isatty():
        click.confirm(f"{output} exists; replace it?", abort=True)
    elif output.exists():
        raise click.ClickException(f"{output} exists already")
    output.write_text(whole)
    click.echo(f"{output} is for: pyplc {_example(made.verb, output)}")
    for remark in remarks:
        click.echo(f"- {remark}")


def _example(verb: str, output: Path | None) -> str:
    file = output or "FILE.toml"
    return f"listen --config {file}" if verb == "listen" else f"{verb} {file}"


@command.command()
@click.argument("verb", type=click.Choice(list(KINDS)))
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="The problems as JSON.")
def check(verb: str, file: Path, as_json: bool) -> None:
    """Say what is wrong with a settings file, without opening anything. The exit code is 1 when something is.

    \b
    Example:  pyplc config check ev my.toml
    """
    try:
        found = problems(verb, file.read_text(encoding="utf-8"), str(file))
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror}") from None
    if as_json:
        click.echo(msgspec.json.encode({"problems": found}).decode())
    else:
        click.echo("\n".join(found) or f"{file} is in order")
    sys.exit(1 if found else 0)


def problems(verb: str, text: str, where: str) -> list[str]:
    """What would stop the station at its start, devices included; nothing is opened."""
    try:
        chosen = parse(text.encode(), KINDS[verb], where)
    except ConfigError as error:
        return [str(error)]
    if isinstance(chosen, (ListenSettings, SimSettings)):
        return []

    async def composed() -> list[str]:
        energy = chosen.vehicle.energy if isinstance(chosen, EvSettings) else chosen.charger.energy
        try:
            compose(chosen.hardware, chosen.devices, energy, chosen.plant)
        except DeviceError as error:
            return [f"{where}: {error}"]
        return []

    return asyncio.run(composed())
