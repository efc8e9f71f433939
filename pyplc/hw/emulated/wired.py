"""A station's hardware with an emulated device at the far end of its wire, on a shared plant."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from typing import Any, NamedTuple

from ...plant.plant import Plant
from ..board import BatterySettings
from ..bundles import ChargerDevices, VehicleDevices
from ..compose import Hardware
from ..driver import Context, Driver
from ..mqtt_board import SupplySettings
from ..simulated import charger_devices, vehicle_devices


class OnWire(NamedTuple):
    """A driver, the emulated device, and what is between: a line, a broker or a chip."""

    driver: Driver
    device: Any
    wire: Any


class Wired(Hardware):
    """What the driver cannot be is simulated on the same plant."""

    def __init__(self, made: OnWire, role: str, plant: Plant) -> None:
        devices: VehicleDevices | ChargerDevices
        devices = vehicle_devices(plant) if role == "vehicle" else charger_devices(plant)
        parts = [part for part in made.driver.parts[role] if hasattr(devices, part)]
        for part in parts:
            setattr(devices, part, made.driver.part(part))
        super().__init__(devices, {made.driver.name: made.driver}, dict.fromkeys(parts, made.driver.name))
        self.device, self.wire = made.device, made.wire
        self._far: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Wired:
        # no part of the program: it lives on when that is killed
        self._far = asyncio.get_running_loop().create_task(self.device.run(), context=contextvars.Context())
        await super().__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await super().__aexit__(*error)
        if self._far is not None:
            self._far.cancel()
            await asyncio.gather(self._far, return_exceptions=True)


def _battery(plant: Plant) -> BatterySettings:
    battery = plant.parameters.battery
    return BatterySettings(max_voltage=battery.max_voltage, capacity_wh=battery.capacity_wh)


def _supply(plant: Plant) -> SupplySettings:
    p = plant.parameters.supply
    return SupplySettings(
        max_voltage=p.max_voltage,
        max_current=p.max_current,
        max_power=p.max_power,
        min_voltage=p.min_voltage,
        min_current=p.min_current,
    )


def _dieter(role: str, plant: Plant) -> OnWire:
    from ..dieter import Dieter, DieterSettings
    from .dieter import EmulatedDieter
    from .line import EmulatedLine

    device = EmulatedDieter(plant)
    line = EmulatedLine(device)
    return OnWire(Dieter(DieterSettings(), Context("dieter", role, lambda: plant), line.opener), device, line)


def _celeron55(role: str, plant: Plant) -> OnWire:
    from ..celeron55 import Celeron55, Celeron55Settings
    from .celeron55 import EmulatedCeleron55
    from .line import EmulatedLine

    device = EmulatedCeleron55(plant)
    line = EmulatedLine(device)
    settings = Celeron55Settings(battery=_battery(plant))
    return OnWire(Celeron55(settings, Context("celeron55", role, lambda: plant), line.opener), device, line)


def _arduino(role: str, plant: Plant) -> OnWire:
    from ..arduino import Arduino, ArduinoSettings
    from .arduino import EmulatedArduino
    from .line import EmulatedLine

    device = EmulatedArduino(role, plant)
    line = EmulatedLine(device)
    return OnWire(
        Arduino(ArduinoSettings(feedback=True), Context("arduino", role, lambda: plant), line.opener), device, line
    )


def _mqtt(role: str, plant: Plant) -> OnWire:
    from ..mqtt import Mqtt, MqttSettings
    from .broker import MemoryBroker
    from .mqtt import EmulatedMqtt

    broker, settings = MemoryBroker(), MqttSettings(battery=_battery(plant), supply=_supply(plant))
    device = EmulatedMqtt(plant, role, settings.topic, broker.connect)
    return OnWire(Mqtt(settings, Context("mqtt", role, lambda: plant), broker.host), device, broker)


def _pyplc_mqtt(role: str, plant: Plant) -> OnWire:
    from ..pyplc_mqtt import PyPlcMqtt, PyPlcMqttSettings
    from .broker import MemoryBroker
    from .mqtt import EmulatedPyPlcMqtt

    broker, settings = MemoryBroker(), PyPlcMqttSettings(battery=_battery(plant), supply=_supply(plant))
    device = EmulatedPyPlcMqtt(plant, role, settings.topic, broker.connect)
    return OnWire(PyPlcMqtt(settings, Context("pyplc-mqtt", role, lambda: plant), broker.host), device, broker)


WIRED: dict[str, Callable[[str, Plant], OnWire]] = {
    "dieter": _dieter,
    "celeron55": _celeron55,
    "arduino": _arduino,
    "mqtt": _mqtt,
    "pyplc-mqtt": _pyplc_mqtt,
}


def wired(name: str, role: str, plant: Plant) -> Wired:
    """A station of this role ("vehicle", "charger") with an emulated device of this name."""
    return Wired(WIRED[name](role, plant), role, plant)
