"""Who watches a station: one coroutine each, run and tried again by `Unattended`.

Libraries are loaded in a thread, so that neither the first SLAC frame nor a deadline waits for them.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .lowvoltage import Supply
from .rotation import rotate
from .syslog import host_of, to_host, to_powerline

if TYPE_CHECKING:
    from .unattended import Unattended

ROTATE_S = 3600.0
LOW_VOLTAGE = "low voltage"
POWERLINE = "powerline"

Work = Callable[[], Coroutine[Any, Any, None]]


class MissingError(Exception):
    """A library is not installed; the text says how to get it."""


def watchers(service: Unattended) -> list[tuple[str, Work]]:
    """Name and work of each that the settings ask for."""
    found: list[tuple[str, Work]] = []
    watch, record = service.watching, service.record
    if watch.http.port is not None:
        found.append(("HTTP", lambda: serve_http(service)))
    if watch.mqtt.host is not None:
        found.append(("MQTT", lambda: talk_mqtt(service)))
    if watch.syslog.to is not None:
        found.append(("syslog", lambda: send_syslog(service)))
    if service.service.low_voltage is not None:
        found.append((LOW_VOLTAGE, lambda: look_at_supply(service)))
    if record.folder and (record.max_mb is not None or record.max_days is not None):
        found.append(("rotation", lambda: rotate_recordings(service)))
    return found


async def serve_http(service: Unattended) -> None:
    """Status, control and metrics, until cancelled; OSError when the port is taken."""
    http = await _loaded("http", "aiohttp.web", "http")
    counters = await _loaded("metrics", "prometheus_client", "metrics")
    metrics = counters.Metrics(service.side, lambda: service.health.lag, lambda: service.ages())
    service.join(metrics)
    chosen = service.watching.http
    api = http.Api(chosen, lambda: service.status, service.control, metrics.text)
    try:
        await api.open()
        service.reached("HTTP")
        service.http_port = api.port
        service.tell(f"HTTP at {chosen.host}:{api.port}")
        await asyncio.Event().wait()
    finally:
        await api.close()
        service.part(metrics)


async def talk_mqtt(service: Unattended) -> None:
    """Telemetry and commands, until cancelled."""
    module = await _loaded("mqtt", "aiomqtt", "mqtt")
    mqtt = module.Mqtt(service.watching.mqtt, service.role, lambda: service.status, service.control, service.tell)
    gone = service.health.add("MQTT", lambda: mqtt.away, fatal=False)
    service.join(mqtt)
    try:
        await mqtt.run()
    finally:
        gone()
        service.part(mqtt)


async def send_syslog(service: Unattended) -> None:
    """Log lines, until cancelled; OSError when the host's name cannot be resolved yet."""
    chosen = service.watching.syslog
    assert chosen.to is not None
    if chosen.to == POWERLINE:
        syslog = to_powerline(lambda: service.powerline, chosen.level)
    else:
        host, port = host_of(chosen.to)
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=2)
        syslog = to_host(found[0], chosen.level)
    service.reached("syslog")
    service.join(syslog)
    try:
        await asyncio.Event().wait()
    finally:
        service.part(syslog)
        syslog.close()


async def look_at_supply(service: Unattended) -> None:
    """Low voltage holds the station, until cancelled."""

    def low(alarm: str) -> None:
        service.tell(alarm, "error")
        service.control.hold(LOW_VOLTAGE, alarm)

    assert service.service.low_voltage is not None
    supply = Supply(service.service.low_voltage, service.service.low_voltage_below)
    await supply.watch(low, lambda: service.control.release(LOW_VOLTAGE))


async def rotate_recordings(service: Unattended) -> None:
    """Delete old recordings once an hour, until cancelled."""
    chosen = service.record
    folder = Path(chosen.folder or "")
    while True:
        gone = await asyncio.to_thread(rotate, folder, chosen.max_mb, chosen.max_days, chosen.keep)
        service.reached("rotation")
        if gone:
            service.tell(f"deleted {len(gone)} old recordings, {gone[0].name} to {gone[-1].name}")
        await asyncio.sleep(ROTATE_S)


async def _loaded(name: str, library: str, extra: str) -> Any:
    """A module of this package and the library it needs, loaded beside the loop; MissingError names the extra."""
    try:
        await asyncio.to_thread(importlib.import_module, library)
    except ImportError as error:
        raise MissingError(f"{error}; pip install 'pyplc[{extra}]'") from None
    return await asyncio.to_thread(importlib.import_module, f".{name}", __package__)
