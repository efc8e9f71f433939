"""`pyplc doctor`: look for what keeps a station from working."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path

import click
import msgspec

from ..doctor.examine import examine, patient
from ..doctor.patient import Finding, Patient, Role
from .common import FAILED

STYLES = {"good": "green", "warning": "yellow", "failed": "bold red", "skipped": "dim", "mend": "cyan"}


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
    findings = asyncio.run(_json(who) if as_json else _shown(who))
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


async def _shown(who: Patient) -> list[Finding]:
    """A table that grows; its lines are never broken, so that the commands can be copied."""
    line = _coloured() if sys.stdout.isatty() else _plain
    found = []
    async for finding in examine(who):
        found.append(finding)
        line(finding.check, finding.verdict, finding.says)
        if finding.mend:
            line("", "mend", finding.mend)
    return found


def _plain(check: str, verdict: str, text: str) -> None:
    click.echo(f"{check:<16} {verdict:<8} {text}")


def _coloured() -> Callable[[str, str, str], None]:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)

    def line(check: str, verdict: str, text: str) -> None:
        style = STYLES[verdict]
        rest = (text, style) if verdict == "mend" else text
        console.print(Text.assemble(f"{check:<16} ", (f"{verdict:<8} ", style), rest), soft_wrap=True)

    return line
