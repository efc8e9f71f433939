"""pyPLC's MQTT topics, unchanged, so that what was built for it works: below `mqtt_topic` (default `pyPlc`).

    vehicle  to it     cpstate B/C   relay_request on/off   lock_request lock/unlock
                       charger_max_voltage  charger_max_current  charger_voltage  charger_current
             from it   inlet_voltage  battery_voltage  target_voltage  target_current  soc
    charger  to it     target_voltage  target_current  fsm_state  soc  battery_capacity  evccid
             from it   charger_voltage  charger_current  charger_max_voltage  charger_max_current  enabled 0/1

Nothing is retained and nothing is confirmed: what was ordered counts as done. Devices cannot see that we died; the
broker tells them state B, or 0 V, then.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import msgspec

from ..mqtt import Will
from ..record import Message, Reading, Record, VehicleData
from .board import BatterySettings, BoardBattery
from .mqtt_board import FACTS_AGE_S, MqttBoard, MqttDeviceSettings, number, plain
from .ports import PilotState, PilotView
from .ports import Reading as Measured
from .pyplc_status import STATUS
from .shown import physical

ASSUMED_DUTY = 5.0
AGAIN_S = 1.0
"""A set-point that does not change is told again so often."""
MAX_V, MAX_A = 1500.0, 1000.0

ANSWERS = (
    ("charger_max_voltage", "offer", "EVSEMaximumVoltageLimit"),
    ("charger_max_current", "offer", "EVSEMaximumCurrentLimit"),
    ("charger_voltage", "loop", "EVSEPresentVoltage"),
    ("charger_current", "loop", "EVSEPresentCurrent"),
)
"""What a vehicle's devices are told of the charger's answers: topic, where it stands, field."""
WILLS = {("vehicle", "pilot"): ("cpstate", b"B"), ("charger", "supply"): ("target_voltage", b"0")}
"""What the broker tells when we vanish, for which part: what makes the current stop."""
HEARD = {
    "vehicle": ("inlet_voltage", "battery_voltage", "target_voltage", "target_current", "soc"),
    "charger": ("charger_voltage", "charger_current", "charger_max_voltage", "charger_max_current", "enabled"),
}


class PyPlcMqttSettings(MqttDeviceSettings, kw_only=True, forbid_unknown_fields=True):
    """The broker and the base topic as pyPLC has them."""

    topic: Annotated[str, msgspec.Meta(min_length=1, pattern="^[^#+]+$")] = "pyPlc"


class PyPlcMqtt(MqttBoard):
    """Devices that were built for pyPLC."""

    summary = "MQTT with pyPLC's topics: existing devices work unchanged"
    Settings = PyPlcMqttSettings
    parts = {
        "vehicle": ("pilot", "contactor", "lock", "inlet", "battery", "display"),
        "charger": ("supply", "display"),
    }

    def __init__(self, settings: PyPlcMqttSettings, context: Any, connect: Any = None) -> None:
        super().__init__(settings, context, connect)
        self._sent: dict[str, tuple[str, float]] = {}
        self.target: float | None = None
        """What the device wants to be charged to, V."""

    def topics(self) -> tuple[str, ...]:
        return tuple(f"{self.base}/{topic}" for topic in HEARD[self.context.role])

    def battery(self, settings: BatterySettings | None) -> BoardBattery:
        return Battery(self, settings)

    def part(self, name: str) -> Any:
        if (will := WILLS.get((self.context.role, name))) is not None:
            self.line.will = Will(f"{self.base}/{will[0]}", will[1], retain=False)
        return super().part(name)

    def opened(self) -> None:
        self._sent.clear()
        super().opened()

    def push(self) -> None:
        if self.context.role == "charger":
            if not self.mute:
                self._say("target_voltage", plain(self.set_point[0]))
                self._say("target_current", plain(self.set_point[1]))
            return
        c = self.wanted.state in (PilotState.C, PilotState.D)
        self._say("cpstate", "C" if c else "B")
        self._say("relay_request", "on" if self.wanted.contactor else "off")
        self._say("lock_request", "lock" if self.wanted.locked else "unlock")
        self._present()

    def _say(self, topic: str, payload: str) -> None:
        """At each change, and again each second."""
        sent = self._sent.get(topic)
        if self.line.up and (sent is None or sent[0] != payload or self.now() - sent[1] >= AGAIN_S):
            self._sent[topic] = (payload, self.now())
            self.send(topic, payload)

    def read(self, record: Record) -> None:
        """What pyPLC tells of a session."""
        if isinstance(record, Message):
            if record.direction == "rx" and self.context.role == "vehicle":
                self._answered(record.body)
            elif record.direction == "rx":
                self._asked(record)
        elif isinstance(record, (Reading, VehicleData)) and record.soc_percent and self.context.role == "charger":
            self.send("soc", plain(record.soc_percent))

    def _answered(self, body: Any) -> None:
        """The limits once, the present values at each turn of the loop."""
        offer = getattr(body, "EVSEChargeParameter", None) or getattr(body, "DC_EVSEChargeParameter", None)
        for topic, part, field in ANSWERS:
            if (value := physical(getattr(offer if part == "offer" else body, field, None))) is not None:
                self.send(topic, plain(value))

    def _asked(self, record: Message) -> None:
        if (status := STATUS.get(record.name)) is not None:
            self._say("fsm_state", status.text)
        body = record.body
        if (evccid := getattr(body, "EVCCID", None)) is not None:
            self.send("evccid", bytes(evccid).hex())
        told = getattr(body, "EVChargeParameter", None) or getattr(body, "DC_EVChargeParameter", None)
        if (capacity := physical(getattr(told, "EVEnergyCapacity", None))) is not None:
            self.send("battery_capacity", plain(capacity))
        status = getattr(told or body, "DC_EVStatus", None)
        if soc := getattr(status, "EVRESSSOC", None):
            self._say("soc", str(soc))

    # what is told

    def told(self, topic: str, text: str, retained: bool) -> None:
        if topic == "enabled":
            if text not in ("0", "1"):
                raise ValueError(text)
            if text == "0":
                self.press("MQTT: enabled 0")
        elif topic in TAKE and not retained:
            TAKE[topic](self, number(text, 0.0, MAX_V if "voltage" in topic else 100.0 if topic == "soc" else MAX_A))
            self.hear()
            self._present()

    def _inlet(self, value: float) -> None:
        self.seen.inlet = self.measured(value)

    def _battery(self, value: float) -> None:
        self.seen.battery = self.measured(value)

    def _target_voltage(self, value: float) -> None:
        self.target = value

    def _most(self, value: float) -> None:
        self.seen.max_current = Measured(value, self.now(), FACTS_AGE_S)

    def _soc(self, value: float) -> None:
        self.seen.soc = Measured(value, self.now(), FACTS_AGE_S)

    def _voltage(self, value: float) -> None:
        self.voltage = self.measured(value)

    def _current(self, value: float) -> None:
        self.current = self.measured(value)

    def _max_voltage(self, value: float) -> None:
        self.told_limits["voltage"] = value

    def _max_current(self, value: float) -> None:
        self.told_limits["current"] = value

    def _present(self) -> None:
        """pyPLC's devices tell nothing of the plug or the pilot: what was ordered counts, once somebody is there."""
        if self.context.role == "vehicle" and self.alive and not self.failed:
            self.seen.view = PilotView(self.wanted.state, ASSUMED_DUTY)
        self.tell()


class Battery(BoardBattery):
    """The battery's limit is what the device asks for, below what the settings allow."""

    def __init__(self, board: PyPlcMqtt, settings: BatterySettings | None) -> None:
        super().__init__(board, settings)
        self._mqtt = board

    @property
    def max_voltage(self) -> float:
        return self._limit if self._mqtt.target is None else min(self._limit, self._mqtt.target)


TAKE: dict[str, Callable[[PyPlcMqtt, float], None]] = {
    "inlet_voltage": PyPlcMqtt._inlet,
    "battery_voltage": PyPlcMqtt._battery,
    "target_voltage": PyPlcMqtt._target_voltage,
    "target_current": PyPlcMqtt._most,
    "soc": PyPlcMqtt._soc,
    "charger_voltage": PyPlcMqtt._voltage,
    "charger_current": PyPlcMqtt._current,
    "charger_max_voltage": PyPlcMqtt._max_voltage,
    "charger_max_current": PyPlcMqtt._max_current,
}
DRIVER = PyPlcMqtt
