"""A serial line of text that survives being unplugged: lines in, bytes out.

A port is named (`/dev/ttyUSB0`), found by its USB ids (`usb:1a86:7523`, `usb:1a86:7523:serial`) or by `auto`: the
first of those there are, USB before others, never the console of a Raspberry Pi.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, Protocol

import msgspec

from .ports import DeviceError

AGAIN_S = 0.5
"""Between two attempts to open the port."""
LONGEST_LINE = 200
"""What is longer without a line's end is noise."""
NO_LIBRARY = "serial ports need the extra `serial`: pip install 'pyplc[serial]'"
CONSOLES = ("/dev/ttyAMA0", "/dev/ttyS0")


class SerialSettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The port of a device on a serial line."""

    port: str = "auto"
    """Its name, `usb:VID:PID`, `usb:VID:PID:SERIAL`, or `auto`."""


class Wire(Protocol):
    """An open line."""

    def write(self, data: bytes) -> None: ...

    def close(self) -> None: ...


Opener = Callable[[Callable[[bytes], None], Callable[[str], None]], Awaitable[Wire]]
"""Opens the line: given who gets bytes and who is told why the line was lost. Raises OSError when it cannot."""


class SerialLine:
    """One line; `run` opens it, and opens it again whenever it was lost."""

    def __init__(
        self, opener: Opener, line: Callable[[bytes], None], opened: Callable[[], None], lost: Callable[[str], None]
    ) -> None:
        self._opener = opener
        self._line, self._opened, self._lost = line, opened, lost
        self._wire: Wire | None = None
        self._gone = asyncio.Event()
        self._rest = b""
        self.trouble = "the port was not opened yet"
        """Why there is no line now, for people."""

    async def run(self) -> None:
        """Never returns."""
        try:
            while True:
                self._gone.clear()
                self._rest = b""
                try:
                    self._wire = await self._opener(self._bytes, self._broken)
                except (OSError, ValueError, DeviceError) as error:
                    self.trouble = str(error)
                    await asyncio.sleep(AGAIN_S)
                    continue
                self.trouble = "no answer"
                self._opened()
                await self._gone.wait()
                self._wire = None
                self._lost(self.trouble)
                await asyncio.sleep(AGAIN_S)
        finally:
            if self._wire is not None:
                self._wire.close()

    def send(self, data: bytes) -> bool:
        """Send now; False while there is no line."""
        if self._wire is None:
            return False
        self._wire.write(data)
        return True

    def _bytes(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > LONGEST_LINE:
            self._rest = self._rest[-LONGEST_LINE:]
        for line in lines:
            self._line(line.rstrip(b"\r"))

    def _broken(self, why: str) -> None:
        self.trouble = f"the line was lost: {why}"
        self._gone.set()


def serial_opener(port: str, baud: int) -> Opener:
    """Opens a port of this machine, 8N1."""

    async def opener(data: Callable[[bytes], None], lost: Callable[[str], None]) -> Wire:
        try:
            from serial import SerialException
            from serial_asyncio_fast import create_serial_connection
        except ImportError:
            raise DeviceError(NO_LIBRARY) from None
        name = find_port(port)
        loop = asyncio.get_running_loop()
        try:
            transport, _ = await create_serial_connection(
                loop, lambda: _Bytes(data, lost), name, baudrate=baud, exclusive=True
            )
        except SerialException as error:
            raise OSError(f"{name}: {error}") from None
        return _SerialWire(transport)

    return opener


class _SerialWire:
    """A transport as a wire."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport

    def write(self, data: bytes) -> None:
        self._transport.write(data)

    def close(self) -> None:
        port = self._transport.serial
        self._transport.abort()  # closes the port in a task, which the end of the loop cancels
        with contextlib.suppress(Exception):  # an adaptor that was pulled out; termios.error is no OSError
            port.reset_output_buffer()
        port.close()


class _Bytes(asyncio.Protocol):
    """Hands bytes and the end on."""

    def __init__(self, data: Callable[[bytes], None], lost: Callable[[str], None]) -> None:
        self._data, self._told = data, lost

    def data_received(self, data: bytes) -> None:
        self._data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._told(str(exc) if exc else "closed")


class Port(NamedTuple):
    """A serial port of this machine; `ids` are vendor, product and serial number of a USB one."""

    device: str
    ids: str
    what: str
    auto: bool
    """It is the one that `auto` takes."""


def ports_there() -> list[Port]:
    """The ports, USB before others; DeviceError without the library."""
    try:
        from serial.tools.list_ports import comports
    except ImportError:
        raise DeviceError(NO_LIBRARY) from None
    found = sorted(comports(), key=lambda p: (p.vid is None, p.device))
    auto = next((p.device for p in found if p.device not in CONSOLES), None)
    return [Port(p.device, ":".join(_ids(p)), p.description or "", p.device == auto) for p in found]


def find_port(port: str) -> str:
    """The name of the port that is meant; DeviceError with what there is."""
    if not (port == "auto" or port.startswith("usb:")):
        return port
    there = ports_there()
    if port == "auto":
        found = [p for p in there if p.auto]
    else:
        ids = port.removeprefix("usb:").lower().split(":")
        found = [p for p in there if p.ids and p.ids.split(":")[: len(ids)] == ids]
    if not found:
        usb = ", ".join(f"{p.device} ({p.ids})" for p in there if p.ids)
        raise DeviceError(f"no serial port matches {port!r}; USB serial ports there are: {usb or 'none'}")
    return found[0].device


def _ids(port: Any) -> list[str]:
    if port.vid is None:
        return []
    return [f"{port.vid:04x}", f"{port.pid:04x}", *([port.serial_number.lower()] if port.serial_number else [])]
