"""Contactors that stay open though nobody says so: seen by the voltages, and by nothing else."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pyplc import clock
from pyplc.hw.simulated import vehicle_devices
from pyplc.plant.parameters import PlantParameters
from pyplc.plant.plant import Plant
from pyplc.record import Note, Record, Recorder
from pyplc.station.vehicle import BulbSettings, VehicleSettings
from pyplc.station.vehicle_bulb import BulbVehicle
from pyplc.station.vehicle_dc import APART_S, IDLE_S, DcVehicle
from pyplc.v2g.control import ChargerOffer, Delivered, Refused

LOOP_S = 0.25


class Deaf:
    """Contactors that say they are closed."""

    closed = True


def seconds_to_the_end(
    amps: float = 0.0, volts: float | None = 400.0, asked: float = 125.0, measured: bool = True, **settings: Any
) -> tuple[float | None, list[str]]:
    """100 s of charge loop: when it was refused, and the remarks. `volts` at the inlet, None: the battery's."""
    notes: list[str] = []

    def read(record: Record) -> None:
        if isinstance(record, Note):
            notes.append(record.text)

    async def main() -> float | None:
        plant = Plant(PlantParameters())
        plant.plug_in()
        devices = vehicle_devices(plant)
        devices.contactor, devices.measured = Deaf(), measured  # type: ignore[assignment]
        at_inlet = plant.now().battery_voltage if volts is None else volts
        vehicle = DcVehicle(devices, VehicleSettings(max_current=asked, **settings), b"", Recorder(read).on("ev"))
        began = asyncio.get_running_loop().time()
        while (now := asyncio.get_running_loop().time() - began) < 100:
            plant.now().impose(at_inlet, 0.0)
            vehicle.demand()
            try:
                vehicle.observe(Delivered(at_inlet, amps, 500.0, 125.0, 50_000.0))
            except Refused as refused:
                assert "the contactors stay open" in str(refused)
                return now
            await asyncio.sleep(LOOP_S)
        return None

    return clock.run(main()), notes


def test_voltages_apart_without_current_end_it() -> None:
    after, notes = seconds_to_the_end()
    assert after == pytest.approx(APART_S + LOOP_S)
    assert notes == []


@pytest.mark.parametrize(
    "harmless",
    [{"amps": 2.0}, {"asked": 1.0}, {"asked": 1.0, "volts": None}],
    ids=["current flows", "hardly any is asked for", "a full battery"],
)
def test_what_says_nothing_about_contactors(harmless: dict[str, Any]) -> None:
    assert seconds_to_the_end(**harmless) == (None, [])


@pytest.mark.parametrize(
    "unproven",
    [{"measured": False}, {"precharge_by": "reported"}, {"volts": None}],
    ids=["a stated voltage", "an inlet nobody compared", "the charger gives nothing"],
)
def test_without_proof_it_is_a_remark(unproven: dict[str, Any]) -> None:
    after, notes = seconds_to_the_end(**unproven)
    assert after is None
    assert len(notes) == 1
    assert notes[0].startswith(f"no current for {IDLE_S:g} s though 125 A are asked for")


@pytest.mark.parametrize("by", ["reported", "both"])
def test_a_lamp_is_not_lit_after_the_end(by: Any) -> None:
    """The session fails while the lamp is still waited for."""

    async def main() -> None:
        plant = Plant(PlantParameters())
        plant.plug_in()
        plant.pilot.set_duty(5.0)
        settings = VehicleSettings(precharge_by=by)
        vehicle = BulbVehicle(vehicle_devices(plant), settings, BulbSettings(), b"", Recorder().on("ev"))
        await vehicle.prepare(ChargerOffer(500.0, 100.0, 50_000.0, 50.0, 0.0))
        plant.now().impose(230.0, 0.0)
        vehicle.demand()
        await asyncio.sleep(1)
        assert vehicle.live
        await vehicle.secure()
        plant.now().impose(230.0, 0.0)
        await asyncio.sleep(BulbSettings().delay + 1)
        assert not plant.now().vehicle_closed
        assert not vehicle.live

    clock.run(main())
