"""The one safe way down, for every end that is not the orderly one, and harmless after it.

DC vehicle: pilot to state B (the charger's hardware cuts the current) - wait - contactors open - below 60 V - unlock.
AC vehicle: current to zero - pilot to state B - wait for the charger's contactor - unlock.
DC charger: current to zero, supply off - contactors open - oscillator off.
AC charger: oscillator off - wait (the vehicle stops drawing) - contactor open.

A step that fails is recorded and the next one is done all the same. Cancelling does not stop it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from ..hw.bundles import AcChargerDevices, AcVehicleDevices, ChargerDevices, VehicleDevices
from ..hw.ports import PilotState, PilotView, fresh
from ..record import Pilot, Record, Scribe, Switch

CURRENT_GONE_S = 2.0
"""From state B to opening the contactors: chargers cut well below one second; proven in the field."""
DISCHARGED_S = 1.0
"""From open contactors to unlocking."""
STOP_DRAWING_S = 0.5
"""From the oscillator's end to opening an AC contactor under load: the standard allows the vehicle 3 s to stop drawing,
and a fault does not wait so long."""
MAINS_OFF_S = 1.0
"""From state B to unlocking an AC connector: the charger's contactor opens within 0.1 s, its way down takes 0.6 s."""
DRAWING_A = 1.0
TOUCHABLE_V = 60.0
UNLOCK_S = 5.0
"""An inlet that stays above 60 V longer is unlocked all the same: nobody is locked in."""
SAMPLE_S = 0.05
STEP_S = 5.0
"""No device may hold the way down longer than this."""


async def secure_vehicle(devices: VehicleDevices, scribe: Scribe) -> None:
    """Make a vehicle safe; returns when everything was tried."""
    step = _Steps(scribe)
    live = step.look("the contactors", lambda: devices.contactor.closed, True)
    await step("pilot to state B", lambda: devices.pilot.set_state(PilotState.B))
    step.tell(lambda: _pilot(devices.pilot.view))
    scribe.checkpoint(950)
    if live:
        await asyncio.sleep(CURRENT_GONE_S)
    await step("open the contactors", devices.contactor.open)
    step.tell(lambda: _contactor(devices.contactor.closed))
    scribe.checkpoint(951)
    if live:
        await asyncio.sleep(DISCHARGED_S)
    await step("wait for the inlet", lambda: discharged(devices, scribe), UNLOCK_S + STEP_S)
    await step("unlock the connector", devices.lock.unlock)
    step.tell(lambda: _lock(devices.lock.locked))
    scribe.checkpoint(952)


def _pilot(view: PilotView) -> Pilot:
    return Pilot(state=view.state.value, duty_percent=view.duty_percent)


def _contactor(closed: bool) -> Switch:
    return Switch(device="contactor", state="closed" if closed else "open")


def _lock(locked: bool) -> Switch:
    return Switch(device="lock", state="locked" if locked else "unlocked")


async def discharged(devices: VehicleDevices, scribe: Scribe) -> None:
    """Wait until the inlet of a locked connector is safe to touch; at most `UNLOCK_S`, then a warning is recorded."""
    loop = asyncio.get_running_loop()
    until = loop.time() + UNLOCK_S
    try:
        if not devices.lock.locked:
            return
        if devices.imagine is not None and not devices.contactor.closed:
            devices.imagine(0.0, 0.0)  # nobody reports any more, and in state B nobody feeds
        while (volts := fresh(devices.inlet.voltage, loop.time(), "inlet voltage")) >= TOUCHABLE_V:
            if loop.time() >= until:
                scribe.note(
                    f"{volts:.0f} V remain at the inlet after {UNLOCK_S:g} s; unlocking all the same", "warning"
                )
                return
            await asyncio.sleep(SAMPLE_S)
    except Exception as error:  # without a reading only time can tell
        scribe.note(f"{error}; unlocking after {UNLOCK_S:g} s", "warning")
        await asyncio.sleep(max(0.0, until - loop.time()))


async def secure_ac_vehicle(devices: AcVehicleDevices, scribe: Scribe) -> None:
    """Make an AC vehicle safe; returns when everything was tried."""
    step = _Steps(scribe)
    await step("stop the on-board charger", lambda: devices.onboard.draw(0.0))
    await step("pilot to state B", lambda: devices.pilot.set_state(PilotState.B))
    step.tell(lambda: _pilot(devices.pilot.view))
    scribe.checkpoint(950)
    if step.look("the lock", lambda: devices.lock.locked, True):
        await asyncio.sleep(MAINS_OFF_S)
    await step("unlock the connector", devices.lock.unlock)
    step.tell(lambda: _lock(devices.lock.locked))
    scribe.checkpoint(952)


async def secure_ac_charger(devices: AcChargerDevices, scribe: Scribe) -> None:
    """Make an AC charger safe; returns when everything was tried. The vehicle gets the time to stop drawing."""
    step = _Steps(scribe)
    await step("switch the oscillator off", lambda: devices.pilot.set_duty(None))
    step.tell(lambda: _pilot(devices.pilot.view))
    until = asyncio.get_running_loop().time() + STOP_DRAWING_S
    while step.look(
        "the outlet", lambda: devices.contactor.closed and devices.outlet.current.value >= DRAWING_A, True, told=False
    ):
        if asyncio.get_running_loop().time() >= until:
            break
        await asyncio.sleep(SAMPLE_S)
    await step("open the contactor", devices.contactor.open)
    step.tell(lambda: _contactor(devices.contactor.closed))
    scribe.checkpoint(961)


async def secure_charger(devices: ChargerDevices, scribe: Scribe) -> None:
    """Make a charger safe; returns when everything was tried."""
    step = _Steps(scribe)
    if devices.load is not None:
        await step("disconnect the load", devices.load.open)
    await step("set the supply to zero", lambda: devices.supply.set(0.0, 0.0))
    await step("switch the supply off", devices.supply.off)
    scribe(Switch(device="supply", state="off"))
    scribe.checkpoint(960)
    await step("open the contactors", devices.contactor.open)
    step.tell(lambda: _contactor(devices.contactor.closed))
    await step("switch the oscillator off", lambda: devices.pilot.set_duty(None))
    step.tell(lambda: _pilot(devices.pilot.view))
    scribe.checkpoint(961)


class _Steps:
    """Runs one step within its time and records a failure instead of raising it; looks and tells in the same way."""

    def __init__(self, scribe: Scribe) -> None:
        self._scribe = scribe

    async def __call__(self, what: str, action: Callable[[], Awaitable[None]], seconds: float = STEP_S) -> None:
        try:
            async with asyncio.timeout(seconds):
                await action()
        except TimeoutError:
            self._scribe.note(f"safe shutdown: could not {what} within {seconds:g} s", "error")
        except Exception as error:
            self._scribe.note(f"safe shutdown: could not {what}: {error}", "error")

    def look(self, what: str, seen: Callable[[], bool], worst: bool, *, told: bool = True) -> bool:
        """What a device shows; the worst when it cannot be read."""
        try:
            return seen()
        except Exception as error:
            if told:
                self._scribe.note(f"safe shutdown: could not read {what}: {error}", "error")
            return worst

    def tell(self, record: Callable[[], Record]) -> None:
        """Record what a device shows after a step."""
        try:
            self._scribe(record())
        except Exception as error:
            self._scribe.note(f"safe shutdown: could not read what was switched: {error}", "error")


async def to_the_end(work: Coroutine[Any, Any, None]) -> None:
    """Await `work` whatever happens: a cancellation is passed on only when it has finished."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
    task.result()
