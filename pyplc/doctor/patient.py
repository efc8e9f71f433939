"""What checks look at, and what they find."""

from __future__ import annotations

import asyncio
import ctypes
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from ..config import StationSettings
from ..link import open_link
from ..record import silent
from ..slac.homeplug import HomePlug
from ..slac.survey import Found

Role = Literal["ev", "evse", "listen"]
Verdict = Literal["good", "warning", "failed", "skipped"]

PROGRAM_S = 10.0
"""How long a program that is asked may take."""
SIOCETHTOOL, ETHTOOL_GEEE = 0x8946, 0x44


class Finding(msgspec.Struct, kw_only=True):
    """What a check found; `mend` is the command, or the sentence, that helps. `check` is filled in by the table."""

    check: str = ""
    verdict: Verdict
    says: str
    mend: str | None = None


def good(says: str, check: str = "") -> Finding:
    """As it should be."""
    return Finding(check=check, verdict="good", says=says)


def warning(says: str, mend: str | None = None, check: str = "") -> Finding:
    """Works, but may not for long."""
    return Finding(check=check, verdict="warning", says=says, mend=mend)


def failed(says: str, mend: str | None = None, check: str = "") -> Finding:
    """A station cannot work like this."""
    return Finding(check=check, verdict="failed", says=says, mend=mend)


class Eee(NamedTuple):
    """Energy Efficient Ethernet of an interface: switched on, and agreed with the other end."""

    enabled: bool
    active: bool


class Machine:
    """This computer as the checks see it; a test gives another root and other answers."""

    root = Path("/")

    def read(self, path: str) -> str | None:
        """A small file of the system, stripped; None when it is not there or cannot be read."""
        try:
            return (self.root / path.lstrip("/")).read_text().strip()
        except OSError:  # the kernel refuses some of them while an interface is down
            return None

    def exists(self, path: str) -> bool:
        return (self.root / path.lstrip("/")).exists()

    def interfaces(self) -> list[str]:
        return [name for _, name in socket.if_nameindex()]

    async def run(self, *words: str) -> str | None:
        """What a program says; None when there is none or it fails."""
        try:
            process = await asyncio.create_subprocess_exec(
                *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
            )
        except OSError:
            return None
        try:
            async with asyncio.timeout(PROGRAM_S):
                said, _ = await process.communicate()
        except TimeoutError:
            process.kill()
            await process.wait()
            return None
        return said.decode(errors="replace") if process.returncode == 0 else None

    def eee(self, interface: str) -> Eee | None:
        """None when the interface knows nothing of it."""
        try:
            import fcntl
        except ImportError:  # no Unix
            return None
        value = ctypes.create_string_buffer(struct.pack("II", ETHTOOL_GEEE, 0) + bytes(32))
        request = struct.pack("16sP", interface.encode(), ctypes.addressof(value))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            try:
                fcntl.ioctl(sock, SIOCETHTOOL, request)
            except OSError:
                return None
        _, _, _, _, active, enabled = struct.unpack_from("6I", value)
        return Eee(bool(enabled), bool(active))

    def synchronised(self) -> bool | None:
        """Whether the kernel's clock follows a time source; None when it does not tell."""
        state = ctypes.create_string_buffer(512)  # struct timex, modes 0: only asked
        try:
            answer = ctypes.CDLL(None).adjtimex(state)
        except (OSError, AttributeError):
            return None
        return None if answer < 0 else answer != TIME_ERROR


TIME_ERROR = 5


@dataclass
class Patient:
    """A station to be: its settings, where they stand, and what was found so far."""

    settings: StationSettings
    role: Role | None = None
    config: Path | None = None
    trouble: str | None = None
    """Why the file could not be used; the settings are the defaults then."""
    machine: Machine = field(default_factory=Machine)
    modem: Found | None = None
    """The modem at the end of the cable, once it has answered."""

    @property
    def interface(self) -> str:
        return self.settings.network.interface

    @property
    def file(self) -> str:
        """The settings by name, for people."""
        return str(self.config) if self.config else "the settings"

    @asynccontextmanager
    async def homeplug(self) -> AsyncIterator[HomePlug]:
        """HomePlug on the interface; LinkError."""
        link = open_link(self.interface, self.settings.network.driver)
        homeplug = HomePlug(link, silent("modem"))
        task = asyncio.ensure_future(homeplug.run())
        try:
            yield homeplug
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            link.close()
