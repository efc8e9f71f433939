"""The one safe way down goes to its end: whatever fails, hangs or is cancelled."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pyplc import clock
from pyplc.hw.ports import DeviceError, PilotState, Reading
from pyplc.hw.simulated import charger_devices, vehicle_devices
from pyplc.plant.parameters import PlantParameters
from pyplc.plant.plant import Plant
from pyplc.record import Checkpoint, Note, Record, Recorder
from pyplc.station.shutdown import UNLOCK_S, secure_charger, secure_vehicle, to_the_end


async def charging() -> tuple[Plant, Any, Any]:
    """A plant in the middle of a charge."""
    plant = Plant(PlantParameters())
    plant.plug_in()
    vehicle, charger = vehicle_devices(plant), charger_devices(plant)
    await charger.pilot.set_duty(5.0)
    await vehicle.lock.lock()
    await vehicle.pilot.set_state(PilotState.C)
    await charger.contactor.close()
    await charger.supply.set(vehicle.battery.voltage.value, 2.0)
    await asyncio.sleep(3)
    await vehicle.contactor.close()
    await charger.supply.set(450.0, 100.0)
    await asyncio.sleep(3)
    assert charger.supply.current.value > 90
    return plant, vehicle, charger


def passed(records: list[Record]) -> list[tuple[int, float]]:
    return [(r.number, r.t) for r in records if isinstance(r, Checkpoint)]


def test_the_order_and_the_times_of_the_vehicle() -> None:
    records: list[Record] = []

    async def main() -> None:
        plant, vehicle, _ = await charging()
        await secure_vehicle(vehicle, Recorder(records.append).on("ev"))
        assert plant.pilot.vehicle_view().state is PilotState.B
        assert not plant.circuit.vehicle_closed
        assert not plant.locked

    clock.run(main())
    (b, at_b), (opened, at_open), (unlocked, at_unlock) = passed(records)
    assert (b, opened, unlocked) == (950, 951, 952)
    assert at_open - at_b >= 2.0
    assert at_unlock - at_open >= 1.0


def test_the_charger_is_without_current_before_its_contactors_open() -> None:
    async def main() -> None:
        plant, _, charger = await charging()
        seen: list[float] = []
        opening = charger.contactor.open

        async def looking() -> None:
            seen.append(charger.supply.current.value)
            await opening()

        charger.contactor.open = looking
        before = asyncio.get_running_loop().time()
        await secure_charger(charger, Recorder().on("evse"))
        assert seen[0] < 1.0
        assert asyncio.get_running_loop().time() - before < 1.0
        assert not plant.circuit.outlet_closed
        assert plant.pilot.charger_view().duty_percent is None

    clock.run(main())


class Unreadable:
    """A device that switches, but what it shows cannot be read."""

    def __init__(self, real: Any, fields: tuple[str, ...]) -> None:
        self._real, self._fields = real, fields

    def __getattr__(self, name: str) -> Any:
        if name in self._fields:
            raise OSError("bus error")
        return getattr(self._real, name)


@pytest.mark.parametrize(
    ("part", "field"), [("pilot", "view"), ("contactor", "closed"), ("lock", "locked"), ("inlet", "voltage")]
)
def test_a_device_that_cannot_be_read_does_not_stop_a_vehicles_way_down(part: str, field: str) -> None:
    records: list[Record] = []

    async def main() -> None:
        plant, vehicle, charger = await charging()
        setattr(vehicle, part, Unreadable(getattr(vehicle, part), (field,)))
        began = asyncio.get_running_loop().time()
        down = asyncio.ensure_future(secure_vehicle(vehicle, Recorder(records.append).on("ev")))
        await asyncio.sleep(0.1)
        await secure_charger(charger, Recorder().on("evse"))
        await down
        assert plant.pilot.asked is PilotState.B
        assert not plant.now().vehicle_closed
        assert not plant.locked
        unread = part in ("lock", "inlet")
        assert (asyncio.get_running_loop().time() - began > 2 + UNLOCK_S) == unread  # only time can tell

    clock.run(main())
    assert any("bus error" in record.text for record in records if isinstance(record, Note))
    assert [number for number, _ in passed(records)] == [950, 951, 952]


@pytest.mark.parametrize(("part", "field"), [("pilot", "view"), ("contactor", "closed")])
def test_a_device_that_cannot_be_read_does_not_stop_a_chargers_way_down(part: str, field: str) -> None:
    async def main() -> None:
        plant, _, charger = await charging()
        setattr(charger, part, Unreadable(getattr(charger, part), (field,)))
        await secure_charger(charger, Recorder().on("evse"))
        assert not plant.now().outlet_closed
        assert plant.pilot.charger_view().duty_percent is None

    clock.run(main())


@pytest.mark.parametrize("broken", ["pilot", "contactor", "lock"])
@pytest.mark.parametrize("how", ["raises", "hangs"])
def test_a_broken_device_does_not_stop_the_others(broken: str, how: str) -> None:
    records: list[Record] = []

    async def fail() -> None:
        if how == "raises":
            raise DeviceError(f"{broken}: out of order")
        await asyncio.sleep(1e9)

    async def main() -> None:
        plant, vehicle, _ = await charging()
        method = {"pilot": "set_state", "contactor": "open", "lock": "unlock"}[broken]
        setattr(getattr(vehicle, broken), method, lambda *_: fail())
        await secure_vehicle(vehicle, Recorder(records.append).on("ev"))
        assert (plant.pilot.vehicle_view().state is PilotState.B) == (broken != "pilot")
        assert plant.circuit.vehicle_closed == (broken == "contactor")
        assert plant.locked == (broken == "lock")

    clock.run(main())
    assert [number for number, _ in passed(records)] == [950, 951, 952]
    (note,) = [r for r in records if isinstance(r, Note) and r.level == "error"]
    assert ("out of order" if how == "raises" else "within 5 s") in note.text


def test_cancelling_waits_for_the_end() -> None:
    async def main() -> None:
        plant, vehicle, _ = await charging()
        task = asyncio.ensure_future(to_the_end(secure_vehicle(vehicle, Recorder().on("ev"))))
        for _ in range(4):
            await asyncio.sleep(0.5)
            task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not plant.circuit.vehicle_closed
        assert not plant.locked

    clock.run(main())


@pytest.mark.parametrize("inlet", ["discharges", "stays live", "is not measured"])
def test_the_lock_opens_below_60_v_or_after_its_time(inlet: str) -> None:
    """A vehicle that never closed its contactors still has the pre-charge voltage at its inlet."""
    records: list[Record] = []

    async def main() -> None:
        plant, vehicle, _ = await charging()
        plant.now().open_vehicle()
        loop = asyncio.get_running_loop()
        before = loop.time()
        if inlet == "stays live":
            plant.circuit.impose(380.0, 0.0)
            plant.circuit.set_supply(380.0, 1.0)
        else:
            plant.now().set_supply(0.0, 0.0)
        if inlet == "is not measured":
            vehicle.inlet = Stale()
        await secure_vehicle(vehicle, Recorder(records.append).on("ev"))
        assert not plant.locked
        took = loop.time() - before
        assert took > 0.6 if inlet == "discharges" else took > UNLOCK_S
        assert plant.now().inlet_voltage < 60 or inlet == "stays live"

    clock.run(main())
    warnings = [r.text for r in records if isinstance(r, Note)]
    wanted = {"discharges": [], "stays live": ["380 V remain at the inlet"], "is not measured": ["newest reading is"]}
    assert len(warnings) == len(wanted[inlet])
    assert all(text in warning for text, warning in zip(wanted[inlet], warnings, strict=True))


class Stale:
    """A voltmeter whose reading is old."""

    voltage = Reading(0.0, -10.0)
