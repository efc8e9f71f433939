"""Small displays: an OLED on I2C or SPI through luma.oled, and pyPLC's serial OLED (19200 baud, lines `lc<text>`)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec

from .display import Display
from .driver import Context
from .ports import DeviceError
from .serial_line import Opener, SerialLine, SerialSettings, serial_opener

BAUD = 19200
LINE_HEIGHT = 21
"""Pixels: three lines on 64."""


class OledSettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Chip, bus and address of an OLED."""

    chip: Literal["ssd1306", "ssd1309", "sh1106", "ssd1325"] = "ssd1306"
    bus: Literal["i2c", "spi"] = "i2c"
    port: Annotated[int, msgspec.Meta(ge=0)] = 1
    """The number of the bus: 1 is /dev/i2c-1."""
    address: Annotated[int, msgspec.Meta(ge=0, le=127)] = 0x3C
    """I2C: 0x3C or 0x3D."""
    device: Annotated[int, msgspec.Meta(ge=0)] = 0
    """SPI: chip select."""
    rotate: Annotated[int, msgspec.Meta(ge=0, le=3)] = 0
    """Quarter turns."""


class Oled(Display):
    """Draws in a thread of its own: a picture takes 30 ms on I2C."""

    summary = "an OLED on I2C or SPI, 128 x 64"
    Settings = OledSettings
    extra = "display"

    def __init__(self, settings: OledSettings, context: Context, opener: Callable[[], Any] | None = None) -> None:
        super().__init__(settings, context)
        self._opener = opener or self._open
        self._device: Any = None

    async def run(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self._draw, self.shown.lines())
                self._trouble = None
            except (OSError, DeviceError) as error:
                self._device = None
                self.complain(error)
                await asyncio.sleep(self.again_s)
            await self.settled()
            await asyncio.sleep(self.each_s)

    def _open(self) -> Any:
        try:
            import luma.oled.device as chips
            from luma.core.error import Error
            from luma.core.interface.serial import i2c, spi
        except ImportError:
            raise DeviceError("an OLED needs the extra `display`: pip install 'pyplc[display]'") from None
        chosen = self.settings
        try:
            bus = (
                i2c(port=chosen.port, address=chosen.address)
                if chosen.bus == "i2c"
                else spi(port=chosen.port, device=chosen.device)
            )
            return getattr(chips, chosen.chip)(bus, rotate=chosen.rotate)
        except Error as error:
            raise DeviceError(str(error)) from None

    def _draw(self, lines: tuple[str, str, str]) -> None:
        if self._device is None:
            self._device = self._opener()
        from luma.core.render import canvas

        with canvas(self._device) as draw:
            for number, line in enumerate(lines):
                draw.text((0, number * LINE_HEIGHT), line, fill="white")


class SerialOledSettings(SerialSettings, kw_only=True, forbid_unknown_fields=True):
    """The port of a display of its own; one that hangs on Dieter's line is shown by Dieter."""


class SerialOled(Display):
    """The WIFI_KIT-32 with pyPLC's firmware; it says nothing."""

    summary = "pyPLC's OLED on a serial line of its own"
    Settings = SerialOledSettings
    extra = "serial"

    def __init__(self, settings: SerialOledSettings, context: Context, opener: Opener | None = None) -> None:
        super().__init__(settings, context)
        self._line = SerialLine(
            opener or serial_opener(settings.port, BAUD),
            lambda line: None,
            self._news.set,
            lambda why: self.complain(OSError(why)),
        )

    async def run(self) -> None:
        line = asyncio.ensure_future(self._line.run())
        try:
            while not line.done():
                for text in self.shown.lines():
                    self._line.send(b"lc%s\n" % text.encode("ascii"))
                await self.settled()
                await asyncio.sleep(self.each_s)
            line.result()
        finally:
            line.cancel()
            await asyncio.gather(line, return_exceptions=True)


DRIVERS = {"oled": Oled, "serial-oled": SerialOled}
