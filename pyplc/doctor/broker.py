"""The MQTT brokers that the settings name: reached, and willing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import NamedTuple

from ..config import EvseSettings, EvSettings
from .patient import Finding, Patient, failed, good

CONNECT_S = 5.0
PORT = 1883
DRIVERS = ("mqtt", "pyplc-mqtt")
"""Drivers whose tables name a broker."""
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


class Broker(NamedTuple):
    """Where, and as whom."""

    host: str
    port: int = PORT
    user: str | None = None
    password: str | None = None
    tls: bool = False


def brokers(p: Patient) -> list[Broker]:
    """Each broker once, whoever uses it."""
    chosen = p.settings.watch.mqtt
    found = [Broker(chosen.host, chosen.port, chosen.user, chosen.password, chosen.tls)] if chosen.host else []
    if isinstance(p.settings, (EvSettings, EvseSettings)):
        for name, table in p.settings.devices.items():
            if table.get("driver", name) in DRIVERS and "host" in table:
                found.append(Broker(**{key: table[key] for key in Broker._fields if key in table}))
    return list(dict.fromkeys(found))


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


async def _reach(one: Broker) -> str | None:
    """Why it cannot be used, None when it can."""
    import aiomqtt

    client = aiomqtt.Client(
        one.host,
        one.port,
        username=one.user,
        password=one.password,
        timeout=CONNECT_S,
        tls_params=aiomqtt.TLSParameters() if one.tls else None,
    )
    try:
        async with asyncio.timeout(2 * CONNECT_S):
            async with client:
                return None
    except TimeoutError:
        return f"no answer in {2 * CONNECT_S:g} s"
    except (aiomqtt.MqttError, OSError) as error:
        return str(error)
