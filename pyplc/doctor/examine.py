"""The table of checks, and the examination: one after the other, what cannot be known is skipped."""

from __future__ import annotations

import tomllib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import NamedTuple

from ..config import ConfigError, EvseSettings, EvSettings, ListenSettings, StationSettings, load
from . import broker, devices, host, interface, modem
from .patient import Finding, Machine, Patient, Role, failed


class Check(NamedTuple):
    """A check: its name, what looks, and the checks that must not have failed before it."""

    name: str
    look: Callable[[Patient], AsyncIterator[Finding]]
    needs: tuple[str, ...] = ()
    roles: tuple[Role | None, ...] = ("ev", "evse", "listen", None)


CHECKS = (
    Check("settings", host.settings),
    Check("python", host.python),
    Check("libraries", host.libraries),
    Check("libpcap", host.libpcap),
    Check("rights", host.rights),
    Check("clock", host.clock),
    Check("disk", host.disk),
    Check("interface", interface.interface),
    Check("ethernet", interface.ethernet, ("interface",)),
    Check("link", interface.link, ("interface",)),
    Check("managers", interface.managers, ("interface",)),
    Check("address", interface.address, ("interface",)),
    Check("eee", interface.eee, ("interface",)),
    Check("modem", modem.modem, ("rights", "libpcap", "interface")),
    Check("firmware", modem.firmware, ("modem",)),
    Check("role", modem.role, ("modem",)),
    Check("devices", devices.devices, ("settings", "libraries"), ("ev", "evse")),
    Check("broker", broker.broker, ("libraries",)),
)

KINDS: dict[Role, type[StationSettings]] = {"ev": EvSettings, "evse": EvseSettings, "listen": ListenSettings}
TABLES: dict[str, Role] = {"vehicle": "ev", "charger": "evse", "soc": "evse", "listen": "listen"}
"""A table of the file that only one role has."""


def patient(config: Path | None, role: Role | None = None, machine: Machine | None = None) -> Patient:
    """A station as its file says; a file that cannot be used is the first finding."""
    chosen = machine or Machine()
    if config is None:
        return Patient(KINDS[role]() if role else StationSettings(), role, None, None, chosen)
    try:
        role = role or role_of(config)
        return Patient(load(config, KINDS[role]), role, config, None, chosen)
    except ConfigError as error:
        return Patient(KINDS[role]() if role else StationSettings(), role, config, str(error), chosen)


def role_of(config: Path) -> Role:
    """Whose settings a file holds, by its tables; ConfigError when they do not say."""
    try:
        tables = tomllib.loads(config.read_text())
    except OSError as error:
        raise ConfigError(f"{config}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{config}: this is not TOML: {error}") from None
    found = {role for table, role in TABLES.items() if table in tables}
    if len(found) != 1:
        has = "tables of more than one role" if found else "no table that tells the role"
        raise ConfigError(f"{config}: {has} ([vehicle], [charger] or [listen]); say it with --role")
    return found.pop()


async def examine(p: Patient, checks: tuple[Check, ...] = CHECKS) -> AsyncIterator[Finding]:
    """Every finding as it comes, in the order of the table."""
    lost: set[str] = set()
    for check in checks:
        if p.role not in check.roles:
            continue
        if missing := [name for name in check.needs if name in lost]:
            lost.add(check.name)
            yield Finding(check=check.name, verdict="skipped", says=f"not looked at: {missing[0]} comes first")
            continue
        async for finding in _looked(check, p):
            finding.check = finding.check or check.name
            if finding.verdict == "failed":
                lost.add(check.name)
            yield finding


async def _looked(check: Check, p: Patient) -> AsyncIterator[Finding]:
    """A check that breaks must not hide the others: it is a finding itself."""
    try:
        async for finding in check.look(p):
            yield finding
    except Exception as error:
        yield failed(f"the check itself broke: {type(error).__name__}: {error}", "report this as a defect of pyplc")
