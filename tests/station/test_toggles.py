"""Toggles of the pilot: the vehicle makes them, the charger counts them, and a validation goes through both towers."""

from __future__ import annotations

import asyncio

import pytest
import worlds

from pyplc import clock
from pyplc.config import SimSettings
from pyplc.hw.ports import PilotState
from pyplc.hw.simulated import SimulatedChargerPilot, SimulatedVehiclePilot
from pyplc.plant.parameters import PlantParameters
from pyplc.plant.plant import Plant
from pyplc.record import Decision
from pyplc.station import toggles


def pilots() -> tuple[SimulatedVehiclePilot, SimulatedChargerPilot]:
    plant = Plant(PlantParameters())
    plant.plug_in()
    return SimulatedVehiclePilot(plant), SimulatedChargerPilot(plant)


@pytest.mark.parametrize("times", [1, 2, 3])
def test_what_is_toggled_is_counted(times: int) -> None:
    async def scene() -> None:
        vehicle, charger = pilots()
        counting = asyncio.ensure_future(toggles.count(charger, 2.4))
        await asyncio.sleep(0.2)
        await toggles.toggle(vehicle, times, 0.3)
        assert await counting == times
        assert charger.view.state is PilotState.B

    clock.run(scene())


def test_a_toggle_that_is_broken_off_ends_in_b() -> None:
    async def scene() -> None:
        vehicle, charger = pilots()
        toggling = asyncio.ensure_future(toggles.toggle(vehicle, 3, 0.3))
        await asyncio.sleep(0.1)
        assert charger.view.state is PilotState.C
        toggling.cancel()
        await asyncio.gather(toggling, return_exceptions=True)
        assert charger.view.state is PilotState.B

    clock.run(scene())


def test_both_towers_validate_by_the_pilot() -> None:
    settings = SimSettings()
    settings.slac.validate = "always"
    settings.slac.validation = "count"
    outcome = worlds.session(settings=settings)
    assert {summary.outcome for summary in outcome.summaries.values()} == {"finished"}
    decisions = [record for record in outcome.records if isinstance(record, Decision)]
    assert any("it counted our toggles" in decision.why for decision in decisions)
    assert any(decision.what.startswith("validation of") and decision.values["toggles"] for decision in decisions)
