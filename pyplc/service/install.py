"""Installing the service: which files, where, with which commands; and taking all of it away again.

A `Plan` is made first and is only data; `carry_out` writes files below a root and runs the commands only where the root
is the system's own. So a dry run prints the plan, and a test installs into a folder.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from . import unit
from .unit import MARK, NAME, USER, Role, Unit

Command = tuple[str, ...]


class InstallError(Exception):
    """The service cannot be installed or removed; the text says what to do."""


class File(NamedTuple):
    """A file to be written; `keep` leaves one that is there already."""

    path: Path
    text: str
    mode: int = 0o644
    keep: bool = False


class Plan(NamedTuple):
    """What is to be done: commands before the files (`first`) and after them. `gone` are files to be deleted."""

    files: tuple[File, ...] = ()
    gone: tuple[Path, ...] = ()
    first: tuple[Command, ...] = ()
    after: tuple[Command, ...] = ()
    remarks: tuple[str, ...] = ()


class Places(NamedTuple):
    """Where things go: the system's folders, or the user's own."""

    units: Path
    settings: Path
    state: Path
    runtime: Path


def places(user: bool) -> Places:
    """The folders of a system service, or of one of the user's own."""
    if not user:
        return Places(Path("/etc/systemd/system"), Path("/etc") / NAME, Path("/var/lib") / NAME, Path("/run") / NAME)
    config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}")
    # systemd before 254 keeps a user's state among the settings, and goes on doing so where it is
    return Places(config / "systemd/user", config / NAME, config / NAME, runtime / NAME)


SYSUSERS = Path("/etc/sysusers.d") / f"{NAME}.conf"
RULES = Path("/etc/udev/rules.d") / f"70-{NAME}.rules"
CONNECTIONS = Path("/etc/NetworkManager/system-connections")


def unit_name(role: Role) -> str:
    """What systemd calls the service."""
    return f"{NAME}-{role}.service"


def install(
    role: Role,
    settings: str,
    interface: str,
    program: Path,
    *,
    user: bool = False,
    systemd: int = 252,
    groups: tuple[str, ...] = ("dialout",),
    network_manager: bool = True,
    here: bool = True,
) -> Plan:
    """The plan to install; `settings` is the text of the TOML file. InstallError when `program` cannot be run so, which
    is looked at only when it is for the system that runs `here`."""
    where = places(user)
    config = where.settings / f"{role}.toml"
    chosen = Unit(role, str(program), str(config), user, systemd, not user and here and below_home(program))
    files = [File(config, settings, 0o640, keep=True), File(where.units / unit_name(role), unit.service(chosen))]
    systemctl = ("systemctl", "--user") if user else ("systemctl",)
    start: list[Command] = [(*systemctl, "daemon-reload"), (*systemctl, "enable", "--now", unit_name(role))]
    if user:
        return Plan(
            tuple(files),
            after=(*start, ("loginctl", "enable-linger")),
            remarks=(
                "a user's service has no rights of its own: the program needs them, "
                f"sudo setcap cap_net_raw,cap_net_admin+eip {Path(os.path.realpath(program.with_name('python3')))}",
            ),
        )
    files += [File(SYSUSERS, unit.sysusers(groups)), File(RULES, unit.udev())]
    before: list[Command] = [
        ("systemd-sysusers", str(SYSUSERS)),
        ("chgrp", USER, str(config)),
        ("udevadm", "control", "--reload"),
        ("udevadm", "trigger", "--subsystem-match=tty"),
    ]
    remarks: tuple[str, ...] = ()
    if network_manager:
        profile = CONNECTIONS / f"{NAME}-{interface}.nmconnection"
        files.append(File(profile, unit.network_manager(interface), 0o600))
        before.append(("nmcli", "connection", "reload"))
    else:
        remarks = (
            f"there is no NetworkManager here; keep DHCP off {interface}: with dhcpcd by "
            f"'denyinterfaces {interface}' in /etc/dhcpcd.conf, and see that it is up at start",
        )
    return Plan(tuple(files), after=(*before, *start), remarks=remarks)


def remove(role: Role, root: Path = Path("/"), *, user: bool = False, purge: bool = False) -> Plan:
    """The plan that undoes `install`. Settings and recordings stay unless `purge`; what others share, too."""
    where = places(user)
    systemctl = ("systemctl", "--user") if user else ("systemctl",)
    others = [o for o in unit.VERBS if o != role and below(root, where.units / unit_name(o)).exists()]
    gone = [where.units / unit_name(role)]
    after: list[Command] = [(*systemctl, "daemon-reload")]
    remarks = []
    if purge:
        gone.append(where.settings / f"{role}.toml")
    else:
        remarks.append(
            f"kept: {where.settings / f'{role}.toml'} and the recordings in {where.state}; --purge deletes both"
        )
    if not others:
        gone += [where.state] if purge else []
        if not user:
            gone += [SYSUSERS, RULES, *_profiles(root)]
            after += [("udevadm", "control", "--reload"), ("nmcli", "connection", "reload")]
            after += [("userdel", USER)] if purge else []
    else:
        remarks.append(f"the user, the udev rule and the network profile stay for {unit_name(others[0])}")
    return Plan(
        gone=tuple(gone),
        first=((*systemctl, "disable", "--now", unit_name(role)),),
        after=tuple(after),
        remarks=tuple(remarks),
    )


def carry_out(plan: Plan, root: Path = Path("/"), tell: Callable[[str], None] = print) -> None:
    """Do it; InstallError when a file cannot be written or the service does not start.

    Below another root than / nothing is run. Only files that bear our mark are overwritten or deleted.
    """
    real = root == Path("/")
    for command in plan.first if real else ():
        _run(command, tell, must=False)
    for path in plan.gone:
        _delete(below(root, path), path, tell)
    for file in plan.files:
        _write(below(root, file.path), file, tell)
    for command in plan.after if real else ():
        _run(command, tell, must="enable" in command)
    for remark in plan.remarks:
        tell(remark)


def below(root: Path, path: Path) -> Path:
    """An absolute path inside another root."""
    return root / path.relative_to("/")


def below_home(program: Path) -> bool:
    """Whether a service needs to see home directories to run the program; InstallError when it could not even then.

    Raspberry Pi OS closes them to others.
    """
    if not program.is_absolute() or not os.access(program, os.X_OK):
        raise InstallError(f"{program} is no program that can be run")
    real = {program.parent.resolve(), Path(os.path.realpath(program.with_name("python3"))).parent}
    homes = [path for path in real if path.parts[1:2] in (("home",), ("root",))]
    for path in homes:
        for part in (path, *path.parents):
            if not part.stat().st_mode & 0o001:
                raise InstallError(
                    f"the service's own user cannot enter {part}, where pyplc is installed; install it elsewhere: "
                    "python3 -m venv /opt/pyplc && /opt/pyplc/bin/pip install <the folder of pyplc>, "
                    "then /opt/pyplc/bin/pyplc service install"
                )
    return bool(homes)


def systemd_version() -> int | None:
    """The version of systemd; None where there is none."""
    try:
        said = subprocess.run(["systemctl", "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    found = re.match(r"systemd (\d+)", said)
    return int(found[1]) if found else None


def _profiles(root: Path) -> list[Path]:
    folder = below(root, CONNECTIONS)
    if not folder.is_dir():
        return []
    return [CONNECTIONS / file.name for file in sorted(folder.glob(f"{NAME}-*.nmconnection"))]


def _write(target: Path, file: File, tell: Callable[[str], None]) -> None:
    if target.exists() and file.keep:
        tell(f"kept      {file.path}")
        return
    try:
        if target.exists() and not target.read_text().startswith(MARK):
            raise InstallError(f"{file.path} is there and not ours; move it away first")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch(file.mode)
        target.write_text(file.text)
        target.chmod(file.mode)
    except OSError as error:
        raise InstallError(f"cannot write {target}: {error.strerror}; run it with sudo, or with --user") from None
    tell(f"wrote     {file.path}")


def _delete(target: Path, path: Path, tell: Callable[[str], None]) -> None:
    if not target.exists():
        return
    try:
        if target.is_dir():
            shutil.rmtree(target)
        elif path.suffix != ".toml" and not target.read_text().startswith(MARK):
            tell(f"not ours  {path}")
            return
        else:
            target.unlink()
    except OSError as error:
        raise InstallError(f"cannot delete {target}: {error.strerror}; run it with sudo") from None
    tell(f"deleted   {path}")


def _run(command: Command, tell: Callable[[str], None], *, must: bool) -> None:
    """Run one command; what it says is told when it fails, and ends the plan when it must work."""
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except OSError as error:
        said, code = str(error), 1
    else:
        said, code = (done.stderr or done.stdout).strip(), done.returncode
    tell(f"{'ran' if code == 0 else 'failed':<9} {' '.join(command)}{f': {said}' if code else ''}")
    if code and must:
        raise InstallError(f"{' '.join(command)} failed: {said}")
