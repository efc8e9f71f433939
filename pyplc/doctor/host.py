"""The computer: Python, libraries, the right to raw frames, clock, disk."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

from .. import __version__
from ..link.packet import grant
from .devices import named
from .patient import Finding, Patient, failed, good, warning

OLDEST = (3, 11)
LIBRARIES = {
    "serial": "serial_asyncio_fast",
    "mqtt": "aiomqtt",
    "gpio": "gpiod",
    "display": "luma",
    "can": "can",
    "http": "aiohttp",
    "metrics": "prometheus_client",
}
"""An extra of the package, and a module that it brings."""
LITTLE_MB, TOO_LITTLE_MB = 200, 20
"""Free space: a session with its frames is about 1 MB a minute."""
WRITTEN = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
"""This program is not older."""


async def settings(p: Patient) -> AsyncIterator[Finding]:
    """The file can be used."""
    kind = {"ev": "a vehicle", "evse": "a charger", "listen": "a listener", None: "a station"}[p.role]
    if p.trouble is not None:
        yield failed(p.trouble, f"mend {p.file}; what is found below is for {kind} with default settings")
    elif p.config is None:
        yield good(f"no file was given: defaults, interface {p.interface}")
    else:
        yield good(f"{p.config}: {kind} on {p.interface}")


async def python(p: Patient) -> AsyncIterator[Finding]:
    """New enough."""
    version = platform.python_version()
    if sys.version_info < OLDEST:
        yield failed(f"Python {version}", f"install Python {'.'.join(map(str, OLDEST))} or newer")
    else:
        yield good(f"Python {version}, pyplc {__version__}, {platform.system()} {platform.machine()}")


async def libraries(p: Patient) -> AsyncIterator[Finding]:
    """What the settings need besides the package itself."""
    needed = sorted(extras(p))
    missing = [extra for extra in needed if importlib.util.find_spec(LIBRARIES[extra]) is None]
    if missing:
        yield failed(
            f"the settings need what is not installed: {', '.join(missing)}",
            f"{sys.executable} -m pip install 'pyplc[{','.join(missing)}]'",
        )
    else:
        yield good(f"extras that the settings need: {', '.join(needed) or 'none'}")


def extras(p: Patient) -> set[str]:
    """The extras of the package that the settings ask for."""
    watch = p.settings.watch
    found = {"mqtt"} if watch.mqtt.host else set()
    found |= {"http", "metrics"} if watch.http.port else set()
    found |= {made.extra for made, _ in named(p).values() if made.extra}
    return found


async def libpcap(p: Patient) -> AsyncIterator[Finding]:
    """There where it is needed."""
    chosen = p.settings.network.driver
    if chosen == "packet" or (chosen == "auto" and sys.platform.startswith("linux")):
        yield good("not needed: AF_PACKET reads the frames")
        return
    try:
        import pcap
    except (ImportError, OSError) as error:
        yield failed(f"libpcap cannot be loaded: {error}", "sudo apt install libpcap0.8")
    else:
        yield good(f"{pcap.lib_version().decode()}")


async def rights(p: Patient) -> AsyncIterator[Finding]:
    """Raw frames may be sent and read."""
    if not hasattr(socket, "AF_PACKET"):
        yield good("known when the interface is opened: this is no Linux")
        return
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()
    except PermissionError:
        yield failed("no right to open raw sockets", grant())
    else:
        yield good("root" if os.geteuid() == 0 else "raw sockets are allowed")


async def clock(p: Patient) -> AsyncIterator[Finding]:
    """Right, for the names and times of recordings; charging does without."""
    mend = "sudo timedatectl set-ntp true; without network: a clock module, or fake-hwclock"
    now = time.time()
    text = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d %H:%M UTC")
    if now < WRITTEN:
        yield failed(f"{text} is before this program was written; recordings get wrong times", mend)
    elif p.machine.synchronised() is False:
        yield warning(f"{text}, follows no time source; charging does without, recordings may get wrong times", mend)
    else:
        yield good(text)


async def disk(p: Patient) -> AsyncIterator[Finding]:
    """Recordings find room."""
    if p.settings.record.folder is None:
        yield good("nothing is recorded")
    else:
        yield _room(p, p.settings.record.folder)


def _room(p: Patient, name: str) -> Finding:
    folder = Path(name).absolute()
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not there.is_dir():
        return failed(f"{there} is no folder", f"mv {there} {there}.old, or set record.folder in {p.file}")
    try:
        with tempfile.NamedTemporaryFile(dir=there) as probe:
            probe.write(b"pyplc")
            probe.flush()
            os.fsync(probe.fileno())
        free = shutil.disk_usage(there).free / 1e6
    except OSError as error:
        mend = f"sudo install -d -o $USER {folder}, or set record.folder in {p.file}"
        return failed(f"{there} cannot be written: {error.strerror}", mend)
    says = f"{folder}: {free:,.0f} MB free"
    mend = f"delete what is old in {folder}; record.max_mb and record.max_days in {p.file} do it from then on"
    if free < TOO_LITTLE_MB:
        return failed(says, mend)
    return warning(says, mend) if free < LITTLE_MB else good(says)
