"""The walk through the devices: what is asked first, what is measured, and that everything is safe afterwards."""

from __future__ import annotations

import asyncio
from typing import Any

import benches
import pytest

from pyplc import clock
from pyplc.hw.board import BatterySettings
from pyplc.hw.bundles import ChargerDevices, VehicleDevices
from pyplc.hw.compose import Hardware
from pyplc.hw.emulated.broker import MemoryBroker
from pyplc.hw.emulated.mqtt import EmulatedMqtt
from pyplc.hw.mqtt import Mqtt, MqttSettings
from pyplc.hw.mqtt_board import SupplySettings
from pyplc.hw.ports import PilotState
from pyplc.hw.walk import STEPS, Outcome, Step, walk
from pyplc.plant.parameters import PlantParameters
from pyplc.plant.plant import Plant

SETTINGS = MqttSettings(
    battery=BatterySettings(max_voltage=400.0),
    supply=SupplySettings(max_voltage=500.0, max_current=60.0, max_power=30_000, min_voltage=150.0),
)
PARTS = {
    "vehicle": ("pilot", "contactor", "lock", "inlet", "battery"),
    "charger": ("pilot", "contactor", "supply", "isolation"),
}


def walked(
    role: str, *, allowed: bool = True, noticed: bool = True, parts: set[str] | None = None, **faults: Any
) -> tuple[dict[str, Outcome], list[str], Plant]:
    """The outcomes by part and title, the questions, and the plant afterwards."""
    asked: list[str] = []

    async def main() -> tuple[dict[str, Outcome], Plant]:
        plant, broker = Plant(PlantParameters()), MemoryBroker()
        plant.plug_in()
        for name, value in faults.items():
            setattr(plant, name, value)
        device = EmulatedMqtt(plant, role, SETTINGS.topic, broker.connect)
        board = Mqtt(SETTINGS, benches.context(role, plant, "mqtt"), broker.connect)
        made = {part: board.part(part) for part in PARTS[role]}
        devices: Any = (VehicleDevices if role == "vehicle" else ChargerDevices)(**made)

        async def allow(step: Step) -> bool:
            asked.append(step.title)
            return allowed

        async def notice(step: Step) -> bool:
            return noticed

        far = asyncio.ensure_future(device.run())
        hardware = Hardware(devices, {"mqtt": board}, dict.fromkeys(made, "mqtt"))
        async with hardware:
            await hardware.ready()
            seen = {f"{o.part}: {o.title}": o async for o in walk(hardware, role, parts or set(), allow, notice)}
        await asyncio.sleep(0.5)
        far.cancel()
        await asyncio.gather(far, return_exceptions=True)
        return seen, plant

    seen, plant = clock.run(main())
    return seen, asked, plant


@pytest.mark.parametrize("role", PARTS)
def test_everything_is_in_order_and_safe_afterwards(role: str) -> None:
    seen, asked, plant = walked(role)
    assert {o.verdict for o in seen.values()} == {"ok"}, seen
    assert asked == [s.title for s in STEPS[role] if s.live is not None and s.part in PARTS[role]]
    circuit = plant.circuit
    assert not circuit.vehicle_closed and not circuit.outlet_closed and circuit.outlet_voltage < 60
    assert plant.pilot.asked is PilotState.B and not plant.locked
    if role == "charger":
        assert plant.pilot.charger_view().duty_percent is None


@pytest.mark.parametrize("role", PARTS)
def test_nothing_is_energised_without_leave(role: str) -> None:
    seen, asked, plant = walked(role, allowed=False)
    skipped = {title for title, o in seen.items() if o.verdict == "skipped"}
    assert skipped == {f"{s.part}: {s.title}" for s in STEPS[role] if s.title in asked} and len(skipped) == len(asked)
    assert plant.circuit.max_inrush == 0


FAULTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "welded": ("contactor: close and open the contactors", "welded", {"contactor_welded": True}),
    "stuck open": ("contactor: close and open the contactors", "do not confirm that they closed",
                   {"contactor_stuck_open": True}),
    "jammed": ("lock: lock and unlock the connector", "jammed", {"lock_stuck": True}),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_broken_device_is_found(name: str) -> None:
    step, complaint, faults = FAULTS[name]
    seen, _, _ = walked("vehicle", **faults)
    assert seen[step].verdict == "failed" and complaint in seen[step].detail
    assert [title for title, o in seen.items() if o.verdict != "ok"] == [step]


def test_what_nobody_noticed_has_failed() -> None:
    seen, _, _ = walked("vehicle", noticed=False, parts={"lock", "inlet"})
    assert {o.part: o.verdict for o in seen.values()} == {"inlet": "ok", "lock": "failed"}
    assert "nobody noticed that the lock moved" in seen["lock: lock and unlock the connector"].detail
