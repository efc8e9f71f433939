"""The clean set of MQTT topics, below `topic` (default `pyplc/device`). What a device has to do:

    host            online, or offline when we end or vanish; retained. Offline: go to the safe state
    set/...         what is wanted, four times a second; not retained. Silence for 1 s: go to the safe state
    availability    the device: online, or offline (its will); retained
    state/...       how it is, retained; at each change and at least once in `max_age_s`. What the broker kept from
                    before is not believed: nobody knows how old it is
    command/stop    anybody: end the session; the payload is the reason
    session/...     ours, for people and home automation; retained

The safe state: state B, or supply and oscillator off, at once; contactors open 2 s later; the lock opens another 3 s
later. A device that has started closes nothing before it was told `open` once: what was wanted of it before its start
is over. `TOPICS` has them all. With `discovery` Home Assistant finds the states and the stop button by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, ClassVar, NamedTuple

import msgspec

from .. import __version__
from ..mqtt import Will
from .mqtt_board import FACTS_AGE_S, MqttBoard, MqttDeviceSettings, number, plain
from .ports import PilotState, PilotView, Reading

DISAGREE_S = 1.5
"""The contactors may be otherwise than wanted for so long."""
ISOLATION_S = 5.0
"""In which a device must tell a new isolation value."""
MAX_V, MAX_A, MAX_OHM = 1500.0, 1000.0, 1e12


class Topic(NamedTuple):
    """One topic below the base: who sends it ("us", "device", "anybody"), for which parts, and what it says."""

    name: str
    sender: str
    parts: tuple[str, ...]
    payload: str
    unit: str | None = None
    device_class: str | None = None


TOPICS = (
    Topic("host", "us", (), "online or offline; retained"),
    Topic("set/pilot", "us", ("vehicle pilot",), "B, C or D"),
    Topic("set/duty", "us", ("charger pilot",), "percent, off (steady +12 V) or fault (steady -12 V)"),
    Topic("set/contactor", "us", ("contactor",), "closed or open"),
    Topic("set/lock", "us", ("lock",), "locked or unlocked"),
    Topic("set/voltage", "us", ("supply",), "number", "V"),
    Topic("set/current", "us", ("supply",), "number", "A"),
    Topic("availability", "device", (), "online or offline; retained"),
    Topic("state/pilot", "device", ("pilot",), "A to F"),
    Topic("state/duty", "device", ("pilot",), "percent, or off", "%"),
    Topic("state/contactor", "device", ("contactor",), "closed or open, as confirmed"),
    Topic("state/lock", "device", ("lock",), "locked or unlocked, as confirmed"),
    Topic("state/inlet_voltage", "device", ("inlet",), "number", "V", "voltage"),
    Topic("state/battery_voltage", "device", ("battery",), "number", "V", "voltage"),
    Topic("state/max_current", "device", ("battery",), "what the battery takes now; number", "A", "current"),
    Topic("state/soc", "device", ("battery",), "number", "%", "battery"),
    Topic("state/voltage", "device", ("supply",), "number", "V", "voltage"),
    Topic("state/current", "device", ("supply",), "number", "A", "current"),
    Topic("state/isolation", "device", ("isolation",), "one number for each measurement", "ohm"),
    Topic("command/stop", "anybody", (), "the reason"),
    Topic("session/state", "us", (), "what the station does"),
    Topic("session/soc", "us", (), "number", "%", "battery"),
    Topic("session/voltage", "us", (), "number", "V", "voltage"),
    Topic("session/current", "us", (), "number", "A", "current"),
)


class MqttSettings(MqttDeviceSettings, kw_only=True, forbid_unknown_fields=True):
    """The broker, the base topic, and Home Assistant."""

    topic: Annotated[str, msgspec.Meta(min_length=1, pattern="^[^#+]+$")] = "pyplc/device"
    discovery: Annotated[str, msgspec.Meta(min_length=1, pattern="^[^#+]+$")] | None = None
    """Home Assistant's discovery prefix, usually "homeassistant"; nothing is told there without it."""


class Mqtt(MqttBoard):
    """A device made for pyplc."""

    summary = "MQTT with states, availability and Home Assistant discovery"
    Settings = MqttSettings
    parts = {
        "vehicle": ("pilot", "contactor", "lock", "inlet", "battery", "display"),
        "charger": ("pilot", "contactor", "supply", "isolation", "display"),
    }
    hears: ClassVar[tuple[str, ...]] = ("pilot", "contactor", "lock", "inlet", "battery", "supply", "isolation")

    def __init__(self, settings: MqttSettings, context: Any, connect: Any = None) -> None:
        super().__init__(settings, context, connect)
        self._parts: set[str] = set()
        self._session: dict[str, str] = {}
        self._pilot: PilotState | None = None
        self._duty: float | None = None
        self.isolation = Reading(0.0, float("-inf"))

    def topics(self) -> tuple[str, ...]:
        return (f"{self.base}/availability", f"{self.base}/state/+", f"{self.base}/command/stop")

    def will(self) -> Will:
        return Will(f"{self.base}/host", b"offline")

    def part(self, name: str) -> Any:
        self._parts.add(name)
        found = MqttIsolation(self) if name == "isolation" else super().part(name)
        self.mute = self.mute and name not in self.hears
        return found

    def opened(self) -> None:
        self.send("host", "online", retain=True)
        if self.settings.discovery is not None:
            for topic, config in discovery(self.name, self.base, self._parts):
                self.line.send(f"{self.settings.discovery}/{topic}", msgspec.json.encode(config), retain=True)
        self._session.clear()
        self.show()
        super().opened()

    async def close(self) -> None:
        await super().close()
        self.send("host", "offline", retain=True)
        await self.line.drained(0.5)

    def push(self) -> None:
        for topic, payload in self._wishes().items():
            self.send(f"set/{topic}", payload)

    def _wishes(self) -> dict[str, str]:
        wanted, wishes = self.wanted, dict[str, str]()
        if "pilot" in self._parts and self.context.role == "vehicle":
            wishes["pilot"] = wanted.state.value
        elif "pilot" in self._parts:
            wishes["duty"] = (
                "fault" if wanted.fault else "off" if wanted.duty_percent is None else plain(wanted.duty_percent)
            )
        if "contactor" in self._parts:
            wishes["contactor"] = "closed" if wanted.contactor else "open"
        if "lock" in self._parts:
            wishes["lock"] = "locked" if wanted.locked else "unlocked"
        if "supply" in self._parts:
            wishes["voltage"], wishes["current"] = map(plain, self.set_point)
        return wishes

    def show(self) -> None:
        shown = self.shown
        figures = {"soc": shown.soc_percent, "voltage": shown.voltage, "current": shown.current}
        now = {"state": shown.state, **{k: plain(v) for k, v in figures.items() if v is not None}}
        for topic, payload in now.items():
            if self.line.up and self._session.get(topic) != payload:
                self._session[topic] = payload
                self.send(f"session/{topic}", payload, retain=True)

    # what is told

    def told(self, topic: str, text: str, retained: bool) -> None:
        if topic == "command/stop":
            if not retained:  # a stop of last week is none
                self.press(f"MQTT: {text}" if text else "MQTT")
        elif topic == "availability":
            if text == "offline" and (self.heard is not None or not retained):
                self.heard = None
                self.fail("the device went offline")
        elif not retained and (take := TAKE.get(topic.removeprefix("state/"))):
            take(self, text)
            self.hear()

    def _take_pilot(self, text: str) -> None:
        self._pilot = PilotState(text)
        self._view()

    def _take_duty(self, text: str) -> None:
        self._duty = None if text == "off" else number(text, 0.0, 100.0)
        self._view()

    def _view(self) -> None:
        if self._pilot is not None and not self.failed:
            self.seen.view = PilotView(self._pilot, self._duty)

    def _take_contactor(self, text: str) -> None:
        self.seen.contactor = one(text, "closed", "open")
        same = self.seen.contactor is self.wanted.contactor
        verb = "opened by themselves" if self.wanted.contactor else "stay closed (welded)"
        self.agree("contactor", same, DISAGREE_S, f"the contactors {verb}", at_once=True)

    def _take_lock(self, text: str) -> None:
        self.seen.locked = one(text, "locked", "unlocked")

    def _take_inlet(self, text: str) -> None:
        self.seen.inlet = self.measured(number(text, 0.0, MAX_V))

    def _take_battery(self, text: str) -> None:
        self.seen.battery = self.measured(number(text, 0.0, MAX_V))

    def _take_most(self, text: str) -> None:
        self.seen.max_current = Reading(number(text, 0.0, MAX_A), self.now(), FACTS_AGE_S)

    def _take_soc(self, text: str) -> None:
        self.seen.soc = Reading(number(text, 0.0, 100.0), self.now(), FACTS_AGE_S)

    def _take_voltage(self, text: str) -> None:
        self.voltage = self.measured(number(text, 0.0, MAX_V))

    def _take_current(self, text: str) -> None:
        self.current = self.measured(number(text, -MAX_A, MAX_A))

    def _take_isolation(self, text: str) -> None:
        self.isolation = Reading(number(text, 0.0, MAX_OHM), self.now())


TAKE: dict[str, Callable[[Mqtt, str], None]] = {
    "pilot": Mqtt._take_pilot,
    "duty": Mqtt._take_duty,
    "contactor": Mqtt._take_contactor,
    "lock": Mqtt._take_lock,
    "inlet_voltage": Mqtt._take_inlet,
    "battery_voltage": Mqtt._take_battery,
    "max_current": Mqtt._take_most,
    "soc": Mqtt._take_soc,
    "voltage": Mqtt._take_voltage,
    "current": Mqtt._take_current,
    "isolation": Mqtt._take_isolation,
}


class MqttIsolation:
    """An isolation monitor behind the broker."""

    def __init__(self, board: Mqtt) -> None:
        self._board = board

    async def measure(self) -> float:
        board, asked = self._board, self._board.now()
        await board.until(lambda: board.isolation.t > asked, ISOLATION_S, "no isolation value")
        return board.isolation.value


def one(text: str, yes: str, no: str) -> bool:
    """Which of two words it is; ValueError for any other."""
    if text not in (yes, no):
        raise ValueError(f"{text!r} is neither {yes} nor {no}")
    return text == yes


def discovery(name: str, base: str, parts: set[str]) -> list[tuple[str, dict[str, Any]]]:
    """Home Assistant's configuration of everything that can be seen, and the stop button: topic and content."""
    node = base.replace("/", "_")
    device = {"identifiers": [node], "name": name, "manufacturer": "pyplc", "sw_version": __version__}
    made: list[tuple[str, dict[str, Any]]] = []
    for topic in TOPICS:
        room, _, item = topic.name.partition("/")
        if room not in ("state", "session", "command") or (topic.parts and not parts.intersection(_bare(topic.parts))):
            continue
        config: dict[str, Any] = {
            "name": item.replace("_", " ") if room == "state" else f"{room} {item}",
            "unique_id": f"{node}_{room}_{item}",
            "device": device,
            "availability_topic": f"{base}/{'availability' if room == 'state' else 'host'}",
        }
        if room == "command":
            config |= {"command_topic": f"{base}/{topic.name}", "payload_press": "Home Assistant"}
        else:
            config["state_topic"] = f"{base}/{topic.name}"
        if topic.device_class:
            config |= {
                "unit_of_measurement": topic.unit,
                "device_class": topic.device_class,
                "state_class": "measurement",
            }
        made.append((f"{'button' if room == 'command' else 'sensor'}/{node}/{room}_{item}/config", config))
    return made


def _bare(parts: tuple[str, ...]) -> set[str]:
    return {part.split()[-1] for part in parts}


DRIVER = Mqtt
