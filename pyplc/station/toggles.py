"""Toggles of the control pilot: B to C and back, by which a charger recognises the vehicle at its own cable."""

from __future__ import annotations

import asyncio

from ..hw.ports import ChargerPilot, PilotState, VehiclePilot


async def toggle(pilot: VehiclePilot, times: int, phase_s: float) -> None:
    """B-C-B so many times, each state for `phase_s`; ends in B whatever happens. Contactors are open all the while."""
    try:
        for _ in range(times):
            await pilot.set_state(PilotState.C)
            await asyncio.sleep(phase_s)
            await pilot.set_state(PilotState.B)
            await asyncio.sleep(phase_s)
    finally:
        await pilot.set_state(PilotState.B)


async def count(pilot: ChargerPilot, seconds: float) -> int:
    """Changes from B to C within `seconds`."""
    found = 0
    state = pilot.view.state
    try:
        async with asyncio.timeout(seconds):
            while True:
                before, state = state, (await pilot.changed()).state
                found += (before, state) == (PilotState.B, PilotState.C)
    except TimeoutError:
        return found
