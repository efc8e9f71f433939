"""Emulated devices behind a broker, on a plant: for pyPLC's topics and for the clean set, vehicle and charger."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ...mqtt import BrokerSettings, Connect, MqttLine, Told, Will, broker
from ...plant.plant import Plant
from ..mqtt_board import plain
from ..ports import PilotState

TELLS_S = 0.2
HOST_SILENT_S = 1.0
"""A device that hears nothing of its host for so long goes to the safe state."""
OPEN_AFTER_S = 2.0
UNLOCK_AFTER_S = 5.0


class Behind:
    """What both dialects share: a line to the broker, and what the plant does for a wish.

    Faults: `stuck` are payloads told instead of the true ones, by topic; `deaf` obeys nothing, `dumb` tells nothing.
    """

    def __init__(self, plant: Plant, role: str, base: str, connect: Connect | None = None) -> None:
        self.stuck: dict[str, str] = {}
        self.deaf = self.dumb = False
        self.heard: dict[str, str] = {}
        """What was told last, by topic."""
        self.base = base
        self._plant, self._role = plant, role
        self.line = MqttLine(
            connect or broker(BrokerSettings()),
            self.topics(),
            self._take,
            self.opened,
            self._lost,
            self.will(),
        )

    def topics(self) -> tuple[str, ...]:
        raise NotImplementedError

    def will(self) -> Will | None:
        return None

    def opened(self) -> None:
        """The broker is there."""

    def _lost(self, why: str) -> None:
        """The broker is gone, and the host with it."""

    def obey(self, topic: str, text: str) -> None:
        """Do what is wanted."""
        raise NotImplementedError

    def values(self) -> dict[str, str]:
        """What is told each `TELLS_S`."""
        raise NotImplementedError

    def look(self) -> None:
        """Called each `TELLS_S`."""

    async def run(self) -> None:
        line = asyncio.ensure_future(self.line.run())
        try:
            while not line.done():
                self.look()
                if not self.dumb:
                    for topic, payload in {**self.values(), **self.stuck}.items():
                        self.line.send(f"{self.base}/{topic}", payload, retain=self.keeps(topic))
                await asyncio.sleep(TELLS_S)
            line.result()
        finally:
            line.cancel()
            await asyncio.gather(line, return_exceptions=True)

    def keeps(self, topic: str) -> bool:
        """Whether the broker is to keep it."""
        return False

    def show_inlet(self, volts: float) -> None:
        """A fault: tell this from now on."""
        self.stuck[next(topic for topic in self.values() if topic.endswith("inlet_voltage"))] = plain(volts)

    def reset(self) -> None:
        """It restarts: outputs off at once."""
        self.safe()
        self.contactor(False)

    def safe(self) -> None:
        """The safe state; contactors and lock follow in `look`."""
        if self._role == "vehicle":
            self._plant.pilot.set_vehicle(PilotState.B)
        else:
            self._plant.now().set_supply(0.0, 0.0)
            self._plant.pilot.set_duty(None)

    def contactor(self, closed: bool) -> None:
        """Switch the contactors of this side."""
        if self._role == "charger":
            self._plant.now().outlet_closed = closed
        else:
            self._plant.switch_vehicle(closed)

    def lock(self, locked: bool) -> None:
        if not self._plant.lock_stuck:
            self._plant.locked = locked

    def most_current(self) -> float:
        """What the battery takes now, A."""
        battery = self._plant.parameters.battery
        room = (battery.max_voltage - self._plant.now().open_circuit_voltage) / battery.resistance
        return max(0.0, min(battery.max_current, room))

    def _take(self, told: Told) -> None:
        topic, text = told.topic.removeprefix(f"{self.base}/"), told.payload.decode()
        self.heard[topic] = text
        if not self.deaf:
            self.obey(topic, text)


class EmulatedPyPlcMqtt(Behind):
    """A device that was built for pyPLC: it trusts its host for ever."""

    def topics(self) -> tuple[str, ...]:
        return (f"{self.base}/#",)

    def obey(self, topic: str, text: str) -> None:
        if self._role == "vehicle":
            if topic == "cpstate":
                self._plant.pilot.set_vehicle(PilotState(text))
            elif topic == "relay_request":
                self.contactor(text == "on")
            elif topic == "lock_request":
                self.lock(text == "lock")
        elif topic in ("target_voltage", "target_current"):
            volts, amps = (float(self.heard.get(t, "0")) for t in ("target_voltage", "target_current"))
            self._plant.now().set_supply(volts, amps)

    def values(self) -> dict[str, str]:
        circuit, battery = self._plant.now(), self._plant.parameters.battery
        if self._role == "charger":
            return {"charger_voltage": plain(circuit.outlet_voltage), "charger_current": plain(circuit.current)}
        return {
            "inlet_voltage": plain(circuit.inlet_voltage),
            "battery_voltage": plain(circuit.battery_voltage),
            "target_voltage": plain(battery.max_voltage),
            "target_current": plain(self.most_current()),
            "soc": plain(circuit.soc_percent),
        }


class EmulatedMqtt(Behind):
    """A device of the clean set: it goes safe when its host is offline or silent."""

    def __init__(self, plant: Plant, role: str, base: str, connect: Connect | None = None) -> None:
        super().__init__(plant, role, base, connect)
        self._wish_at = 0.0
        self._armed = False
        self.safe_since: float | None = None
        """When it went to the safe state by itself."""

    def topics(self) -> tuple[str, ...]:
        return (f"{self.base}/host", f"{self.base}/set/+")

    def will(self) -> Will:
        return Will(f"{self.base}/availability", b"offline")

    def keeps(self, topic: str) -> bool:
        return topic.startswith("state/")

    def opened(self) -> None:
        self.line.send(f"{self.base}/availability", "online", retain=True)

    def obey(self, topic: str, text: str) -> None:
        if topic == "host":
            if text == "offline":
                self._by_itself()
            return
        self._wish_at, self.safe_since = asyncio.get_running_loop().time(), None
        OBEY[topic.removeprefix("set/")](self, text)

    def look(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._wish_at > HOST_SILENT_S:
            self._by_itself()
        if self.safe_since is not None and now - self.safe_since >= OPEN_AFTER_S:
            self.contactor(False)
        if self.safe_since is not None and now - self.safe_since >= UNLOCK_AFTER_S and self._role == "vehicle":
            self.lock(False)

    def _lost(self, why: str) -> None:
        self._by_itself()

    def reset(self) -> None:
        self._armed = False
        super().reset()

    def _contactor(self, text: str) -> None:
        self._armed = self._armed or text == "open"
        self.contactor(text == "closed" and self._armed)

    def _by_itself(self) -> None:
        if self.safe_since is None:
            self.safe_since = asyncio.get_running_loop().time()
            self.safe()

    def _duty(self, text: str) -> None:
        if text == "fault":
            self._plant.pilot.set_fault()
        else:
            self._plant.pilot.set_duty(None if text == "off" else float(text))

    def _set(self, text: str) -> None:
        volts, amps = (float(self.heard.get(t, "0")) for t in ("set/voltage", "set/current"))
        self._plant.now().set_supply(volts, amps)

    def values(self) -> dict[str, str]:
        circuit, pilot = self._plant.now(), self._plant.pilot
        view = pilot.vehicle_view() if self._role == "vehicle" else pilot.charger_view()
        told = {"pilot": view.state.value, "duty": "off" if view.duty_percent is None else plain(view.duty_percent)}
        closed = circuit.vehicle_closed if self._role == "vehicle" else circuit.outlet_closed
        told["contactor"] = "closed" if closed else "open"
        if self._role == "charger":
            told["voltage"], told["current"] = plain(circuit.outlet_voltage), plain(circuit.current)
            told["isolation"] = plain(circuit.isolation)
        else:
            told["lock"] = "locked" if self._plant.locked else "unlocked"
            told["inlet_voltage"], told["battery_voltage"] = (
                plain(circuit.inlet_voltage),
                plain(circuit.battery_voltage),
            )
            told["max_current"], told["soc"] = plain(self.most_current()), plain(circuit.soc_percent)
        return {f"state/{topic}": payload for topic, payload in told.items()}


OBEY: dict[str, Callable[[EmulatedMqtt, str], None]] = {
    "pilot": lambda device, text: device._plant.pilot.set_vehicle(PilotState(text)),
    "duty": EmulatedMqtt._duty,
    "contactor": EmulatedMqtt._contactor,
    "lock": lambda device, text: device.lock(text == "locked"),
    "voltage": EmulatedMqtt._set,
    "current": EmulatedMqtt._set,
}
