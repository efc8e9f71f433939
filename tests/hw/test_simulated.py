"""Simulated devices keep the ports' contracts: confirmation, delays, faults, notification."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from pyplc import clock
from pyplc.hw.bundles import ChargerDevices, VehicleDevices
from pyplc.hw.compose import compose
from pyplc.hw.ports import DeviceError, PilotState, Reading, StaleReading, fresh
from pyplc.hw.settings import ChargerHardware, VehicleHardware
from pyplc.hw.simulated import charger_devices, vehicle_devices
from pyplc.plant.parameters import BatteryParameters, PlantParameters
from pyplc.plant.plant import Plant


def run(main: Coroutine[Any, Any, None]) -> None:
    clock.run(main)


def now() -> float:
    return asyncio.get_running_loop().time()


def test_the_pilot_is_seen_at_both_ends_and_changes_are_told() -> None:
    async def main() -> None:
        plant = Plant(PlantParameters())
        vehicle, charger = vehicle_devices(plant).pilot, charger_devices(plant).pilot
        assert vehicle.view == charger.view == (PilotState.A, None)
        told = [asyncio.ensure_future(end.changed()) for end in (vehicle, charger)]
        await asyncio.sleep(0)
        plant.plug_in()
        assert await asyncio.gather(*told) == [(PilotState.B, None)] * 2
        await charger.set_duty(5.0)
        assert vehicle.view == (PilotState.B, 5.0)
        await vehicle.set_state(PilotState.C)
        assert charger.view == (PilotState.C, 5.0)
        await charger.set_fault()
        assert vehicle.view.state is charger.view.state is PilotState.F
        plant.unplug()
        assert vehicle.view == (PilotState.A, None)

    run(main())


def test_an_unplugged_charger_measures_state_a_while_its_oscillator_runs() -> None:
    async def main() -> None:
        plant = Plant(PlantParameters())
        charger = charger_devices(plant).pilot
        await charger.set_duty(5.0)
        assert charger.view == (PilotState.A, 5.0)

    run(main())


def test_contactors_and_lock_take_their_time_and_confirm() -> None:
    async def main() -> None:
        plant = Plant(PlantParameters())
        d = vehicle_devices(plant)
        await d.lock.lock()
        assert d.lock.locked
        assert now() == pytest.approx(0.3)
        await d.contactor.close()
        assert d.contactor.closed
        assert now() == pytest.approx(0.35)
        plant.contactor_welded = True
        with pytest.raises(DeviceError, match="welded"):
            await d.contactor.open()
        plant.contactor_welded = False
        await d.contactor.open()
        assert not d.contactor.closed

    run(main())


def test_the_battery_asks_for_less_current_as_it_fills() -> None:
    async def main() -> None:
        asked = []
        for soc in (20.0, 60.0, 90.0, 98.0, 100.0):
            plant = Plant(PlantParameters(battery=BatteryParameters(soc_percent=soc)))
            asked.append(vehicle_devices(plant).battery.max_current)
        assert asked[0] == 125.0
        assert asked == sorted(asked, reverse=True)
        assert asked[-1] == pytest.approx((408 - 401) / 0.08)

    run(main())


def test_off_returns_when_the_current_is_gone() -> None:
    async def main() -> None:
        plant = Plant(PlantParameters())
        plant.plug_in()
        vehicle, charger = vehicle_devices(plant), charger_devices(plant)
        await charger.contactor.close()
        await charger.supply.set(vehicle.battery.voltage.value, 2.0)
        await asyncio.sleep(3)
        await vehicle.contactor.close()
        await charger.supply.set(450.0, 100.0)
        await asyncio.sleep(3)
        assert charger.supply.current.value == pytest.approx(100.0)
        before = now()
        await charger.supply.off()
        assert charger.supply.current.value < 1.0
        assert now() - before < 1.0  # IEC 61851-23: below 5 A within a second

    run(main())


def test_a_reading_has_an_age_and_a_limit() -> None:
    assert fresh(Reading(400.0, 10.0), 10.9, "inlet voltage") == 400.0
    with pytest.raises(StaleReading, match=r"inlet voltage: the newest reading is 2.0 s old"):
        fresh(Reading(400.0, 10.0), 12.0, "inlet voltage")
    with pytest.raises(StaleReading, match="nan is no reading"):
        fresh(Reading(float("nan"), 10.0), 10.0, "inlet voltage")


def test_a_lone_vehicle_sees_what_the_charger_reports() -> None:
    async def main() -> None:
        d = compose(VehicleHardware(), {}, "dc", PlantParameters()).devices
        assert isinstance(d, VehicleDevices)
        assert d.pilot.view == (PilotState.B, 5.0)
        assert d.imagine is not None
        d.imagine(355.0, 0.0)
        assert d.inlet.voltage.value == pytest.approx(355.0)
        await d.contactor.close()
        soc = d.battery.soc_percent
        for _ in range(100):
            d.imagine(380.0, 100.0)
            await asyncio.sleep(1.0)
        assert d.battery.soc_percent > soc + 1
        await d.contactor.open()
        d.imagine(20.0, 0.0)
        assert d.inlet.voltage.value == pytest.approx(20.0, abs=1)

    run(main())


def test_a_lone_charger_has_a_load_from_the_first_ampere_asked_for() -> None:
    async def main() -> None:
        d = compose(ChargerHardware(), {}, "dc", PlantParameters()).devices
        assert isinstance(d, ChargerDevices)
        assert d.imagine is not None
        assert d.imagine_state is not None
        d.imagine_state(PilotState.C)
        assert d.pilot.view.state is PilotState.C
        await d.contactor.close()
        await d.supply.set(380.0, 1.0)
        await asyncio.sleep(3)
        d.imagine(380.0, 0.0)
        assert d.supply.current.value == 0
        d.imagine(400.0, 60.0)
        await d.supply.set(400.0, 60.0)
        await asyncio.sleep(3)
        assert d.supply.current.value == pytest.approx(60.0)
        await d.supply.off()
        d.imagine_state(PilotState.B)
        await asyncio.sleep(3)
        assert d.supply.voltage.value < 60

    run(main())
