"""The wire of an emulated serial device, with the faults of real ones: in memory, or as a pseudo terminal."""

from __future__ import annotations

import asyncio
import contextlib
import os
import tty
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from ..serial_line import Wire


class SerialDevice(Protocol):
    """An emulated device: gets bytes, and sends through `say` once it hangs on a line."""

    say: Callable[[bytes], None]

    def receive(self, data: bytes) -> None: ...

    def opened(self) -> None:
        """The host opened the port: an Arduino restarts."""

    async def run(self) -> None: ...


class EmulatedLine:
    """Faults are plain fields: `frozen` carries nothing, `garble` spoils every n-th byte, `delay_s` is slow."""

    def __init__(self, device: SerialDevice) -> None:
        self.device = device
        device.say = self._up
        self.frozen = False
        self.garble = 0
        self.delay_s = 0.0
        self.plugged = True
        self._count = 0
        self._to_host: Callable[[bytes], None] | None = None
        self._lost: Callable[[str], None] | None = None
        self._carrying: set[asyncio.Task[None]] = set()

    # in memory

    async def opener(self, data: Callable[[bytes], None], lost: Callable[[str], None]) -> Wire:
        """Opens this line for a driver in the same process."""
        if not self.plugged:
            raise OSError("no such port")
        self._to_host, self._lost = data, lost
        self.device.opened()
        return _MemoryWire(self)

    def unplug(self) -> None:
        """The cable is pulled out."""
        self.plugged = False
        if self._lost is not None:
            self._to_host, lost, self._lost = None, self._lost, None
            lost("unplugged")

    def hang_up(self) -> None:
        """The host died: the kernel closes its port, nobody is told."""
        self._to_host = self._lost = None

    def plug(self) -> None:
        """The cable is plugged in again."""
        self.plugged = True

    def down(self, data: bytes) -> None:
        """From the host to the device."""
        self._carry(data, self.device.receive)

    def _up(self, data: bytes) -> None:
        if self._to_host is not None:
            self._carry(data, self._to_host)

    def _carry(self, data: bytes, deliver: Callable[[bytes], None]) -> None:
        if self.frozen:
            return
        if self.garble:
            data = bytes(self._spoilt(byte) for byte in data)
        if not self.delay_s:
            deliver(data)
            return
        task = asyncio.ensure_future(self._later(data, deliver))
        self._carrying.add(task)
        task.add_done_callback(self._carrying.discard)

    def _spoilt(self, byte: int) -> int:
        self._count += 1
        return byte ^ 0x15 if self._count % self.garble == 0 else byte

    async def _later(self, data: bytes, deliver: Callable[[bytes], None]) -> None:
        await asyncio.sleep(self.delay_s)
        deliver(data)


class _MemoryWire:
    def __init__(self, line: EmulatedLine) -> None:
        self._line = line

    def write(self, data: bytes) -> None:
        self._line.down(data)

    def close(self) -> None:
        self._line._to_host = self._line._lost = None


class PseudoTerminal:
    """The same line as a pseudo terminal under a name of its own; `path` is what a driver opens as its port."""

    def __init__(self, line: EmulatedLine, path: Path) -> None:
        self.path = path
        self._line = line
        self._fds: tuple[int, int] | None = None

    def plug(self) -> None:
        """Make the port."""
        ours, theirs = os.openpty()
        tty.setraw(theirs)
        os.set_blocking(ours, False)
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()
        self.path.symlink_to(os.ttyname(theirs))
        self._fds = ours, theirs
        self._line._to_host = self._write
        asyncio.get_running_loop().add_reader(ours, self._readable)
        self._line.device.opened()

    def unplug(self) -> None:
        """The port vanishes, as that of a USB device does."""
        if self._fds is None:
            return
        asyncio.get_running_loop().remove_reader(self._fds[0])
        for fd in self._fds:
            os.close(fd)
        self._fds = None
        self._line._to_host = None
        self.path.unlink()

    def _write(self, data: bytes) -> None:
        if self._fds is not None:
            with contextlib.suppress(BlockingIOError):  # nobody reads: a real UART loses bytes too
                os.write(self._fds[0], data)

    def _readable(self) -> None:
        assert self._fds is not None
        self._line.down(os.read(self._fds[0], 4096))
