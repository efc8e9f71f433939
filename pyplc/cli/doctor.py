"""`pyplc doctor`: look for what keeps a station from working."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import click
import msgspec

from ..doctor.examine import examine, patient
from ..doctor.patient import Finding, Patient, Role
from .common import FAILED

STYLES = {"good": "green", "warning": "yellow", "failed": "bold red", "skipped": "dim"}


@click.command()
@click.argument("config", type=click.Path(path_type=Path), required=False)
@click.option("--interface", help="Interface of the PLC modem, instead of the file's.")
@click.option("--role", type=click.Choice(["ev", "evse", "listen"]), help="Instead of what the file says.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(config: Path | None, interface: str | None, role: Role | None, as_json: bool) -> None:
    """Look for what keeps a station from working, and say which command mends it.

    With the station's CONFIG it checks what that names: interface, modem, devices, broker, folder. Nothing is changed;
    devices are opened in their safe state, so end a station that has them first. Exit code 1 when a check failed.

    \b
    Example:  pyplc doctor config/pev.toml
              pyplc doctor --interface eth1
    """
    who = patient(config, role)
    who.settings.network.interface = interface or who.settings.network.interface
    findings = asyncio.run(_json(who) if as_json else _terminal(who) if sys.stdout.isatty() else _plain(who))
    if as_json:
        found = [msgspec.to_builtins(finding) for finding in findings]
        told = {"config": config and str(config), "role": who.role, "interface": who.interface, "good": _good(findings)}
        click.echo(json.dumps({**told, "checks": found}, indent=2))
    else:
        click.echo(f"\n{_sentence(findings)}")
    sys.exit(0 if _good(findings) else FAILED)


def _good(findings: list[Finding]) -> bool:
    return all(finding.verdict != "failed" for finding in findings)


def _sentence(findings: list[Finding]) -> str:
    count = {verdict: sum(f.verdict == verdict for f in findings) for verdict in STYLES}
    rest = ", ".join(f"{n} {verdict}" for verdict, n in count.items() if n and verdict != "good")
    return f"{count['good']} of {len(findings)} good{f'; {rest}' if rest else ''}"


async def _json(who: Patient) -> list[Finding]:
    return [finding async for finding in examine(who)]


async def _plain(who: Patient) -> list[Finding]:
    found = []
    async for finding in examine(who):
        found.append(finding)
        click.echo(f"{finding.check:<16} {finding.verdict:<8} {finding.says}")
        if finding.mend:
            click.echo(f"{'':<16} {'mend':<8} {finding.mend}")
    return found


async def _terminal(who: Patient) -> list[Finding]:
    """A table that grows."""
    from rich.console import Console
    from rich.live import Live
    from rich.table import Table
    from rich.text import Text

    table = Table("check", "verdict", "finding", box=None, pad_edge=False, header_style="bold")
    found: list[Finding] = []
    with Live(table, console=Console(highlight=False), auto_refresh=False, vertical_overflow="visible") as live:
        async for finding in examine(who):
            found.append(finding)
            cells: list[Any] = [finding.check, Text(finding.verdict, STYLES[finding.verdict]), Text(finding.says)]
            table.add_row(*cells)
            if finding.mend:
                table.add_row("", Text("mend", "cyan"), Text(finding.mend, "cyan"))
            live.refresh()
    return found
