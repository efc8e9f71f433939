"""A board behind an MQTT broker: what pyPLC's topics and the clean set share."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, ClassVar

import msgspec

from ..mqtt import BrokerSettings, Connect, MqttLine, Told, Will, broker
from ..record import Record
from .board import BatterySettings, Board
from .driver import Context
from .ports import UNREAD, DeviceError, PilotState, PilotView, Reading
from .shown import Shown

EACH_S = 0.25
"""What is wanted is told again so often."""
FACTS_AGE_S = 60.0
"""State of charge and limits change slowly."""
DRAIN_S = 0.5
NO_CURRENT_A = 1.0
Positive = Annotated[float, msgspec.Meta(gt=0)]


class SupplySettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What the supply can: V, A, W."""

    max_voltage: Positive
    max_current: Positive
    max_power: Positive
    min_voltage: Annotated[float, msgspec.Meta(ge=0)] = 50.0
    min_current: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    off_s: Positive = 3.0
    """In which the current must be gone once it is switched off."""


class MqttDeviceSettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The broker, the topic, and how old a reading may get."""

    broker: BrokerSettings = msgspec.field(default_factory=BrokerSettings)
    topic: Annotated[str, msgspec.Meta(min_length=1, pattern="^[^#+]+$")]
    max_age_s: Annotated[float, msgspec.Meta(gt=0, le=5)] = 1.0
    """s, of voltages and currents: the device must tell them at least so often."""
    battery: BatterySettings | None = None
    """Where this device is the battery."""
    supply: SupplySettings | None = None
    """Where this device is the supply."""


class MqttBoard(Board):
    """Subclasses say in `push` what is wanted and take what is told in `told`."""

    extra = "mqtt"
    hears: ClassVar[tuple[str, ...]] = ("inlet", "battery", "supply", "isolation")
    """Parts whose device must be heard; where it is none of them, the broker is enough."""

    def __init__(self, settings: Any, context: Context, connect: Connect | None = None) -> None:
        super().__init__(settings, context)
        self.limit_s = settings.max_age_s + 0.6
        self.reads = True
        self.base = settings.topic.rstrip("/")
        self.line = MqttLine(
            connect or broker(settings.broker), self.topics(), self._told, self.opened, self.lost, self.will()
        )
        self.garbled = 0
        """Payloads that were none."""
        self.shown = Shown()
        self.voltage, self.current = UNREAD, UNREAD
        """Of the supply."""
        self.set_point = (0.0, 0.0)
        """V and A wanted of the supply."""
        self.told_limits: dict[str, float] = {}
        self.mute = True
        """Nobody needs to hear it."""

    def topics(self) -> tuple[str, ...]:
        """What to subscribe."""
        raise NotImplementedError

    def will(self) -> Will | None:
        """What the broker tells when we vanish."""
        return None

    def told(self, topic: str, text: str, retained: bool) -> None:
        """A message below the base topic. Raises ValueError when the payload is none."""
        raise NotImplementedError

    def part(self, name: str) -> Any:
        if name in self.hears:
            self.mute = False
        if name == "display":
            return self
        if name == "supply":
            return MqttSupply(self, self.settings.supply)
        return super().part(name)

    def read(self, record: Record) -> None:
        if self.shown.read(record):
            self.show()

    def show(self) -> None:
        """Tell what the session does."""

    async def run(self) -> None:
        line = asyncio.ensure_future(self.line.run())
        try:
            while not line.done():
                if self.mute and self.line.up:
                    self.hear()
                    self._present()
                self.push()
                await asyncio.sleep(EACH_S)
            line.result()
        finally:
            line.cancel()
            await asyncio.gather(line, return_exceptions=True)

    async def close(self) -> None:
        self.set_point = (0.0, 0.0)
        await super().close()
        await self.line.drained(DRAIN_S)

    def fail(self, why: str, *, at_once: bool = True) -> None:
        self.set_point = (0.0, 0.0)
        super().fail(why, at_once=at_once)

    def unheard(self) -> str:
        return f"nothing heard for {self.patience_s:g} s: {self.line.trouble}"

    def opened(self) -> None:
        """The broker is there."""
        self.note(f"{self.name}: connected to the broker", "info")
        self.push()

    def lost(self, why: str) -> None:
        """The broker is gone."""
        self.heard = None
        self.seen.view = PilotView(PilotState.A, None)
        self.fail(why)

    def send(self, topic: str, payload: str, *, retain: bool = False) -> None:
        """Publish below the base topic."""
        self.line.send(f"{self.base}/{topic}", payload, retain=retain)

    def measured(self, value: float) -> Reading:
        """A reading of now."""
        return Reading(value, self.now(), self.settings.max_age_s)

    def _told(self, told: Told) -> None:
        try:
            self.told(told.topic.removeprefix(f"{self.base}/"), told.payload.decode().strip(), told.retained)
        except ValueError:
            self.garbled += 1
            return
        self.tell()

    def _present(self) -> None:
        """Called while a device that says nothing can be reached."""
        self.tell()


class MqttSupply:
    """A DC supply behind the broker."""

    def __init__(self, board: MqttBoard, settings: SupplySettings | None) -> None:
        if settings is None:
            where = f"devices.{board.name}.supply"
            raise DeviceError(
                f"{where}: missing; its keys say what the supply can: max_voltage, max_current, max_power"
            )
        self._board, self._settings = board, settings
        self.min_voltage, self.min_current = settings.min_voltage, settings.min_current
        self.max_power = settings.max_power

    @property
    def max_voltage(self) -> float:
        return min(self._settings.max_voltage, self._board.told_limits.get("voltage", self._settings.max_voltage))

    @property
    def max_current(self) -> float:
        return min(self._settings.max_current, self._board.told_limits.get("current", self._settings.max_current))

    async def set(self, voltage: float, current: float) -> None:
        self._board.set_point = (min(voltage, self.max_voltage), min(current, self.max_current))
        await self._board.order()

    async def off(self) -> None:
        board = self._board
        board.set_point = (0.0, 0.0)
        await board.order()
        asked = board.now()
        await board.until(
            lambda: board.current.t > asked and board.current.value < NO_CURRENT_A,
            self._settings.off_s,
            "the supply's current does not go to zero",
        )

    @property
    def voltage(self) -> Reading:
        return self._board.voltage

    @property
    def current(self) -> Reading:
        return self._board.current


def number(text: str, low: float, high: float) -> float:
    """A number in its limits; ValueError for everything else."""
    value = float(text)
    if not low <= value <= high:
        raise ValueError(f"{value} is not between {low} and {high}")
    return value


def plain(value: float) -> str:
    """A number as it is read easily."""
    return f"{value:.3f}".rstrip("0").rstrip(".")
