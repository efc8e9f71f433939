"""`pyplc service`: a station that starts with the machine and is looked at by nobody."""

from __future__ import annotations

import grp
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import click
import msgspec

from ..service import install as installer
from ..service.install import InstallError, Plan, places, unit_name
from ..service.status import Status, load, words
from ..service.unit import GROUPS, STATIONS, VERBS, Role
from .common import FAILED, settings
from .main import VERBS as PROGRAM

ROLES = click.Choice(list(VERBS))
PATH = click.Path(path_type=Path)
STALE_S = 30.0
NOT_RUNNING = 3
"""Exit code of `status` when the service does not run, as systemctl has it."""


@click.group()
def command() -> None:
    """A station as a service: install, remove, status.

    \b
    Example:  sudo pyplc service install --role pev --config my.toml
              pyplc service status
    """


def _options(f: Any) -> Any:
    for option in (
        click.option("--dry-run", is_flag=True, help="Only show what would be done."),
        click.option("--root", type=PATH, default=Path("/"), help="Write below this folder, run nothing."),
        click.option("--user", is_flag=True, help="A service of your own, without rights of its own."),
        click.option("--role", type=ROLES, required=True, help="Vehicle, charger or listener."),
    ):
        f = option(f)
    return f


@command.command()
@_options
@click.option("--config", type=PATH, help="Settings to install; they are checked first.")
@click.option("--interface", help="Interface of the PLC modem, instead of the settings'.")
@click.option(
    "--program", type=click.Path(path_type=Path), help="The pyplc that the service runs, instead of this one."
)
def install(
    role: Role,
    user: bool,
    root: Path,
    dry_run: bool,
    config: Path | None,
    interface: str | None,
    program: Path | None,
) -> None:
    """Write the unit, its user, the udev rule and the network profile, and start it.

    \b
    Example:  sudo pyplc service install --role evse --config evse.toml --interface eth1
    """
    if VERBS[role] not in PROGRAM:
        raise click.ClickException(f"this pyplc has no verb {VERBS[role]!r} yet")
    real = root == Path("/") and not dry_run
    version = installer.systemd_version()
    if version is None and real:
        raise click.ClickException("there is no systemd here; --root FOLDER or --dry-run only write or show the files")
    text, at = _settings(role, config, interface)
    try:
        plan = installer.install(
            role,
            text,
            at,
            program or Path(sys.executable).with_name("pyplc"),
            user=user,
            systemd=version or 252,
            groups=("dialout", *(g.gr_name for g in grp.getgrall() if g.gr_name in GROUPS and g.gr_name != "dialout")),
            here=root == Path("/"),
            network_manager=not real or shutil.which("nmcli") is not None,
        )
        _do(plan, root, dry_run)
    except InstallError as error:
        raise click.ClickException(str(error)) from None


@command.command()
@_options
@click.option("--purge", is_flag=True, help="Delete settings and recordings too.")
def remove(role: Role, user: bool, root: Path, dry_run: bool, purge: bool) -> None:
    """Stop the service and take everything away that install wrote.

    \b
    Example:  sudo pyplc service remove --role pev
    """
    try:
        _do(installer.remove(role, root, user=user, purge=purge), root, dry_run)
    except InstallError as error:
        raise click.ClickException(str(error)) from None


@command.command()
@click.option("--role", type=ROLES, help="Only this one.")
@click.option("--user", is_flag=True, help="A service of your own.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a service.")
def status(role: Role | None, user: bool, as_json: bool) -> None:
    """Say in words what the station is doing. Exit code 0: it runs and is well, 1: it is not well, 3: it does not run.

    \b
    Example:  pyplc service status --json
    """
    codes = [_status(one, user, as_json) for one in ([role] if role else list(VERBS)) if role or _installed(one, user)]
    if not codes:
        raise click.ClickException("no service is installed; sudo pyplc service install --role pev|evse|listen")
    sys.exit(max(codes))


def _settings(role: Role, config: Path | None, interface: str | None) -> tuple[str, str]:
    """The text to install and the interface in it; the command's error when the settings are wrong."""
    from ..config import EvseSettings, EvSettings, ListenSettings, StationSettings

    kinds: dict[Role, type[StationSettings]] = {"pev": EvSettings, "evse": EvseSettings, "listen": ListenSettings}
    kind = kinds[role]
    text = f"# a {STATIONS[role]} as a service; all keys: docs/reference/settings.md\n"
    if config is not None:
        at = settings(config, kind).network.interface
        text = config.read_text()
    else:
        at = interface or kind().network.interface
        text += f'\n[network]\ninterface = "{at}"\n\n[record]\nfolder = "results"\nmax_mb = 2000\nmax_days = 365\n'
    if interface is not None and interface != at:
        raise click.UsageError(f"the settings name the interface {at!r}, not {interface!r}; change it there")
    return text, at


def _do(plan: Plan, root: Path, dry_run: bool) -> None:
    if not dry_run:
        installer.carry_out(plan, root, click.echo)
        return
    for command_ in plan.first:
        click.echo(f"run     {' '.join(command_)}")
    for path in plan.gone:
        click.echo(f"delete  {path}")
    for file in plan.files:
        click.echo(f"write   {file.path} ({file.mode:o}){' unless it is there' if file.keep else ''}\n")
        click.echo("".join(f"    {line}\n" for line in file.text.splitlines()))
    for command_ in plan.after:
        click.echo(f"run     {' '.join(command_)}")
    for remark in plan.remarks:
        click.echo(remark)


def _installed(role: Role, user: bool) -> bool:
    return (places(user).units / unit_name(role)).exists() or (places(user).runtime / f"{role}.json").exists()


def _status(role: Role, user: bool, as_json: bool) -> int:
    file = places(user).runtime / f"{role}.json"
    told: Status | None = None
    age = 0.0
    try:
        told, age = load(file), time.time() - file.stat().st_mtime
    except (OSError, msgspec.MsgspecError):
        pass  # it has not told anything yet: systemd knows whether it runs
    state = _systemd(role, user)
    running = told is not None and (Path("/proc") / str(told.pid)).exists()
    if as_json:
        value = {"role": role, "systemd": state, "running": running, "age_s": round(age, 1), "status": told}
        click.echo(msgspec.json.encode(value).decode())
    elif told is None or not running:
        was = f"; the last it said: {words(told)}" if told else ""
        click.echo(f"{unit_name(role)} does not run ({state}){was}; journalctl -u {unit_name(role)} says more")
    else:
        stale = f" (said {age:.0f} s ago, it may hang)" if abs(age) > STALE_S else ""
        click.echo(words(told) + stale)
    if not running:
        return NOT_RUNNING
    return FAILED if told is not None and (told.wrong or abs(age) > STALE_S) else 0


def _systemd(role: Role, user: bool) -> str:
    """What systemd says: active, failed, inactive."""
    try:
        asked = subprocess.run(
            ["systemctl", *(["--user"] if user else []), "is-active", unit_name(role)], capture_output=True, text=True
        )
    except OSError:
        return "no systemd"
    return asked.stdout.strip() or asked.stderr.strip().splitlines()[0]
