"""The MQTT brokers that the settings name: reached, and willing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec

from ..mqtt import BrokerError, BrokerSettings
from ..mqtt import broker as connect
from .devices import named
from .patient import Finding, Patient, failed, good

CONNECT_S = 12.0
KEYS = ("host", "port", "user", "password", "tls")
MENDS = (
    (
        "refused",
        "sudo systemctl enable --now mosquitto; listener {port} in /etc/mosquitto/conf.d where it is another host",
    ),
    ("not authori", "set user and password in {file}; mosquitto_passwd makes them"),
    ("bad user name", "set user and password in {file}; mosquitto_passwd makes them"),
    ("name or service", "write the broker's address instead of its name in {file}, or: getent hosts {host}"),
    ("name resolution", "write the broker's address instead of its name in {file}, or: getent hosts {host}"),
    (
        "certificate",
        "tls needs the port of the broker's TLS listener (usually 8883) and a certificate this host trusts",
    ),
)
"""A part of an error, and what helps."""


def brokers(p: Patient) -> list[BrokerSettings]:
    """Each broker once, whoever uses it."""
    chosen = p.settings.watch.mqtt
    found = [BrokerSettings(**{key: getattr(chosen, key) for key in KEYS})] if chosen.host else []
    for made, table in named(p).values():
        try:
            settings = msgspec.convert(table, made.Settings)
        except msgspec.ValidationError:  # `devices` tells
            continue
        if isinstance(one := getattr(settings, "broker", None), BrokerSettings):
            found.append(one)
    return list({msgspec.structs.astuple(one): one for one in found}.values())


async def broker(p: Patient) -> AsyncIterator[Finding]:
    """Connect to each and leave again; nothing is told, nothing is heard."""
    found = brokers(p)
    if not found:
        yield good("the settings name none")
    for one in found:
        where = f"{one.host}:{one.port}"
        if (trouble := await _reach(one)) is None:
            yield good(f"{where} answers{' with TLS' if one.tls else ''}")
        else:
            mend = next((mend for part, mend in MENDS if part in trouble.lower()), "ping {host}")
            yield failed(f"{where}: {trouble}", mend.format(file=p.file, host=one.host, port=one.port))


async def _reach(one: BrokerSettings) -> str | None:
    """Why it cannot be used, None when it can."""
    try:
        async with asyncio.timeout(CONNECT_S), connect(one)(None):
            return None
    except TimeoutError:
        return f"no answer in {CONNECT_S:g} s"
    except (BrokerError, OSError) as error:
        return str(error).removeprefix(f"{one.host}:{one.port}: ")
