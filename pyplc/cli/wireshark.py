"""`pyplc wireshark`: colouring rules, a profile, a live capture and a dissector for a user's Wireshark."""

from __future__ import annotations

from pathlib import Path

import click

FOLDER = click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Wireshark's personal folder (default: the one Wireshark names).",
)


@click.group()
def command() -> None:
    """Put what pyplc has for Wireshark into its folders, or take it away.

    \b
    Examples:
      pyplc wireshark install        then restart Wireshark; profile pyPLC, interfaces pyPLC: charging on ...
      pyplc wireshark remove
      pyplc wireshark lua > pyplc.lua; tshark -X lua_script:pyplc.lua -r charge.pcapng -Y v2g
    """


@command.command()
@FOLDER
def install(folder: Path | None) -> None:
    """Install or renew: dissector, profile, colouring rules, extcap."""
    from ..wireshark import install as wireshark

    _told(wireshark.install, folder)
    click.echo("Restart Wireshark; the profile pyPLC is at the bottom right, the live capture among the interfaces.")


@command.command()
@FOLDER
def remove(folder: Path | None) -> None:
    """Take away what was installed, and nothing else."""
    from ..wireshark import install as wireshark

    _told(wireshark.remove, folder)


@command.command()
def lua() -> None:
    """Print the dissector."""
    from ..wireshark.lua import dissector

    click.echo(dissector(), nl=False)


def _told(do: object, folder: Path | None) -> None:
    from ..wireshark.install import WiresharkError, folders

    try:
        for line in do(folders(folder)):  # type: ignore[operator]  # install or remove
            click.echo(line)
    except WiresharkError as error:
        raise click.ClickException(str(error)) from None
