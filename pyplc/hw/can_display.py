"""A display on a CAN bus: sends what FoccciCape's and clara's displays understand (`can_frames.py`)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec

from ..record import Checkpoint, Message, Record
from . import can_frames as frames
from .display import Display
from .driver import Context
from .ports import DeviceError
from .pyplc_status import CHECKPOINT_NUMBERS, STATUS, STOPPED
from .shown import physical

EACH_S = 0.1
PEER_EACH = 30
"""The vehicle's MAC goes out in each thirtieth round."""


class CanSettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The bus, as python-can names it."""

    interface: str = "socketcan"
    channel: str = "can0"
    bitrate: Annotated[int, msgspec.Meta(gt=0)] = 500_000
    frames: Literal["focccicape", "clara"] | None = None
    """Whose display it is; the role's usual one when absent: a charger's FoccciCape, a vehicle's clara."""


class CanDisplay(Display):
    """Sends the frames ten times a second, whether anybody listens or not."""

    summary = "displays on a CAN bus: FoccciCape's and clara's"
    Settings = CanSettings
    extra = "can"

    def __init__(self, settings: CanSettings, context: Context, opener: Callable[[], Any] | None = None) -> None:
        super().__init__(settings, context)
        self._opener = opener or (lambda: open_bus(settings))
        self._bus: Any = None
        self._info, self._mac, self._round = 1, bytes(6), 0
        self._target = (0.0, 0.0)
        self._since: float | None = None

    def read(self, record: Record) -> None:
        super().read(record)
        if isinstance(record, Checkpoint):
            self._info = CHECKPOINT_NUMBERS.get(record.number, STOPPED if record.number == 961 else self._info)
        elif isinstance(record, Message) and record.name in STATUS:
            self._info = STATUS[record.name].number
            if (evccid := getattr(record.body, "EVCCID", None)) is not None:
                self._mac = bytes(evccid)
            target = physical(getattr(record.body, "EVTargetVoltage", None))
            if target is not None:
                self._target = target, physical(record.body.EVTargetCurrent) or 0.0

    async def run(self) -> None:
        self._since = self.now()
        try:
            while True:
                try:
                    if self._bus is None:
                        self._bus = self._opener()
                    self._send()
                    self._trouble = None
                except (OSError, DeviceError) as error:
                    self._close()
                    self.complain(error)
                    await asyncio.sleep(self.again_s)
                await asyncio.sleep(EACH_S)
        finally:
            self._close()

    def _close(self) -> None:
        if self._bus is not None:
            self._bus.shutdown()
            self._bus = None

    def _send(self) -> None:
        import can

        for number, data in self.now_shown().items():
            try:
                self._bus.send(can.Message(arbitration_id=number, data=data, is_extended_id=False))
            except can.CanError as error:
                raise OSError(str(error)) from None
        self._round += 1

    def now_shown(self) -> dict[int, bytes]:
        """The frames of this round."""
        shown, kind = self.shown, self.settings.frames
        if kind == "clara" or (kind is None and self.context.role == "vehicle"):
            uptime = self.now() - (self._since or 0.0)
            return {
                frames.PROGRESS: frames.progress(uptime, shown.checkpoint),
                frames.VOLTAGES: frames.voltages(shown.reported, shown.voltage),
            }
        made = {
            frames.STATE: frames.state(self._info, shown.soc_percent),
            frames.POWER: frames.power(*self._target, shown.voltage or 0.0, shown.current or 0.0),
        }
        if self._round % PEER_EACH == 0:
            made[frames.PEER] = frames.peer(self._mac, 0)
        return made


def open_bus(settings: CanSettings) -> Any:
    """A bus of python-can; OSError or DeviceError when it cannot be had."""
    try:
        import can
    except ImportError:
        raise DeviceError("CAN needs the extra `can`: pip install 'pyplc[can]'") from None
    try:
        return can.Bus(interface=settings.interface, channel=settings.channel, bitrate=settings.bitrate)
    except (can.CanError, NotImplementedError, ValueError) as error:
        raise DeviceError(f"{settings.interface} {settings.channel}: {error}") from None


DRIVER = CanDisplay
