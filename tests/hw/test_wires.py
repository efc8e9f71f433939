"""Whole DIN charges in real time over real wires: pseudo terminals and brokers. Held at once, judged one by one."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import benches
import brokers
import pytest
import worlds
from benches import Bench

from pyplc import simulation
from pyplc.config import SimSettings
from pyplc.hw.board import BatterySettings
from pyplc.hw.celeron55 import Celeron55, Celeron55Settings
from pyplc.hw.dieter import Dieter, DieterSettings
from pyplc.hw.emulated.celeron55 import EmulatedCeleron55
from pyplc.hw.emulated.dieter import EmulatedDieter
from pyplc.hw.emulated.line import EmulatedLine, PseudoTerminal
from pyplc.hw.emulated.mqtt import EmulatedMqtt, EmulatedPyPlcMqtt
from pyplc.hw.mqtt import Mqtt, MqttSettings
from pyplc.hw.mqtt_board import SupplySettings
from pyplc.hw.pyplc_mqtt import PyPlcMqtt, PyPlcMqttSettings
from pyplc.mqtt import BrokerSettings, broker
from pyplc.plant.plant import Plant
from pyplc.record import Side

BATTERY = BatterySettings(max_voltage=408.0, capacity_wh=58_000)
SUPPLY = SupplySettings(max_voltage=500.0, max_current=125.0, max_power=50_000, min_voltage=150.0)


class Wire(NamedTuple):
    """A driver, its device, and what is between: `make` gets the folder and the brokers by name."""

    side: Side
    make: Callable[[Path, dict[str, BrokerSettings], Plant], tuple[Any, Any, Any]]
    broker: str | None = None


def dieter(folder: Path, at: dict[str, BrokerSettings], plant: Plant) -> tuple[Any, Any, Any]:
    device = EmulatedDieter(plant)
    terminal = PseudoTerminal(EmulatedLine(device), folder / "ttyUSB0")
    terminal.plug()
    context = benches.context("vehicle", plant, "dieter")
    return Dieter(DieterSettings(port=str(terminal.path)), context), device, terminal


def celeron55(folder: Path, at: dict[str, BrokerSettings], plant: Plant) -> tuple[Any, Any, Any]:
    device = EmulatedCeleron55(plant)
    terminal = PseudoTerminal(EmulatedLine(device), folder / "ttyS1")
    terminal.plug()
    context = benches.context("vehicle", plant, "celeron55")
    return Celeron55(Celeron55Settings(port=str(terminal.path), battery=BATTERY), context), device, terminal


def clean(name: str, side: Side) -> Wire:
    role = "vehicle" if side == "ev" else "charger"

    def make(folder: Path, at: dict[str, BrokerSettings], plant: Plant) -> tuple[Any, Any, Any]:
        settings = MqttSettings(broker=at[name], topic=f"pyplc/{role}", battery=BATTERY, supply=SUPPLY)
        device = EmulatedMqtt(plant, role, settings.topic, broker(at[name]))
        return Mqtt(settings, benches.context(role, plant, "mqtt")), device, None

    return Wire(side, make, name)


def pyplc(name: str, side: Side) -> Wire:
    role = "vehicle" if side == "ev" else "charger"

    def make(folder: Path, at: dict[str, BrokerSettings], plant: Plant) -> tuple[Any, Any, Any]:
        settings = PyPlcMqttSettings(broker=at[name], topic=f"pyPlc-{role}", battery=BATTERY, supply=SUPPLY)
        device = EmulatedPyPlcMqtt(plant, role, settings.topic, broker(at[name]))
        return PyPlcMqtt(settings, benches.context(role, plant, "pyplc-mqtt")), device, None

    return Wire(side, make, name)


WIRES: dict[str, Wire] = {
    "dieter": Wire("ev", dieter),
    "celeron55": Wire("ev", celeron55),
    "vehicle on mosquitto": clean("mosquitto", "ev"),
    "charger on mosquitto": clean("mosquitto", "evse"),
    "vehicle on pyPLC's topics, mosquitto": pyplc("mosquitto", "ev"),
    "charger on pyPLC's topics, mosquitto": pyplc("mosquitto", "evse"),
    "vehicle on amqtt": clean("amqtt", "ev"),
    "charger on amqtt": clean("amqtt", "evse"),
}


def settings() -> SimSettings:
    chosen = worlds.short(46.0)
    chosen.plant.battery.soc_percent = 45.97
    chosen.plant.cable.isolation_s = 0.3
    return chosen


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Bench | str]:
    """Every session that could be held, by the wire's name, or why it could not."""
    folder = tmp_path_factory.mktemp("wires")
    results: dict[str, Bench | str] = {}
    with pytest.MonkeyPatch.context() as patch, contextlib.ExitStack() as stack:
        patch.setattr(simulation, "PLUG_IN_S", 1.0)
        patch.setattr(simulation, "UNPLUG_S", 0.1)
        at: dict[str, BrokerSettings] = {}
        for name in brokers.NAMES:
            try:
                running = stack.enter_context(brokers.running(name, folder))
            except pytest.skip.Exception as skipped:
                results |= {wire: str(skipped) for wire, made in WIRES.items() if made.broker == name}
            else:
                at[name] = BrokerSettings(host="127.0.0.1", port=running.port)
        names = [name for name in WIRES if name not in results]

        async def main() -> list[Bench]:
            benches_ = (
                benches.hold(
                    WIRES[name].side, lambda plant, m=WIRES[name].make: m(folder, at, plant), settings=settings()
                )
                for name in names
            )
            return await asyncio.gather(*benches_)

        results |= dict(zip(names, asyncio.run(main()), strict=True))
    return results


@pytest.mark.parametrize("name", WIRES)
def test_a_whole_charge(name: str, held: dict[str, Bench | str]) -> None:
    bench = held[name]
    if isinstance(bench, str):
        pytest.skip(bench)
    for side in ("ev", "evse"):
        assert bench.summaries[side].outcome == "finished", bench.summaries[side].reason + bench.notes()
    benches.safe(bench)
    assert not bench.plant.circuit.vehicle_closed and not bench.plant.circuit.outlet_closed
    assert bench.plant.circuit.max_inrush < 1000
    assert bench.plant.circuit.soc_percent >= 45.99
    if bench.line is not None:
        bench.line.path.unlink()
