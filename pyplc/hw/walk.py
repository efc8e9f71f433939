"""A walk through a station's devices: each output is switched there and back, each input is read, in a safe order.

The steps are data. What can move current or put voltage on something is marked, and is done only when it is allowed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Literal, NamedTuple

from .compose import Hardware
from .ports import DeviceError, PilotState, Reading, fresh

HOLD_S = 1.0
"""An output stays on for so long, to be seen or heard."""
READS_S = 2.0
"""An input is watched for so long."""
LOOK_S = 0.1
TOUCHABLE_V = 60.0
SUPPLY_A = 1.0
SUPPLY_S = 3.0

POWERED = (PilotState.C, PilotState.D)

Verdict = Literal["ok", "failed", "skipped"]


class Step(NamedTuple):
    """One step: the part, what happens in words, whether it can move current, what a person should notice."""

    part: str
    title: str
    run: Callable[[Any, Any], Awaitable[str]]
    """Gets the part and all devices; returns what was measured, raises DeviceError."""
    live: str | None = None
    """Why it is dangerous; None: it is not."""
    notice: str | None = None


class Outcome(NamedTuple):
    """What a step came to."""

    part: str
    device: str
    title: str
    verdict: Verdict
    detail: str


async def _pilot(pilot: Any, devices: Any) -> str:
    view = pilot.view
    duty = "no oscillator" if view.duty_percent is None else f"{view.duty_percent:g} % duty cycle"
    return f"state {view.state.value}, {duty}"


async def _states(pilot: Any, devices: Any) -> str:
    if pilot.view.state is PilotState.A:
        raise DeviceError("state A: nothing is plugged in, so the states B and C cannot be seen")
    seen = []
    try:
        for state in (PilotState.C, PilotState.B):
            await pilot.set_state(state)
            seen.append(pilot.view.state.value)
            await asyncio.sleep(HOLD_S)
    finally:
        await pilot.set_state(PilotState.B)
    return f"confirmed {' and '.join(seen)}"


async def _oscillator(pilot: Any, devices: Any) -> str:
    seen = []
    try:
        for percent in (5.0, 50.0):
            await pilot.set_duty(percent)
            await asyncio.sleep(HOLD_S)
            seen.append(f"{pilot.view.duty_percent:g} %")
    finally:
        await pilot.set_duty(None)
    return f"confirmed {' and '.join(seen)}, then off; state {pilot.view.state.value}"


async def _lock(lock: Any, devices: Any) -> str:
    try:
        await lock.lock()
        locked = lock.locked
        await asyncio.sleep(HOLD_S)
    finally:
        await lock.unlock()
    if not locked or lock.locked:
        raise DeviceError("the lock does not confirm what it was told")
    return "confirmed locked and unlocked"


async def _volts(meter: Any, devices: Any) -> str:
    return await _watched(lambda: meter.voltage, "voltage", "V")


async def _battery(battery: Any, devices: Any) -> str:
    volts = await _watched(lambda: battery.voltage, "battery voltage", "V")
    figures = f"{battery.soc_percent:.1f} %, takes {battery.max_current:.0f} A, at most {battery.max_voltage:.0f} V"
    return f"{volts}; {figures}"


async def _vehicle_contactor(contactor: Any, devices: Any) -> str:
    if devices.pilot.view.state is PilotState.A:
        return await _contactor(contactor, devices)
    try:
        await devices.pilot.set_state(PilotState.C)  # there are boards that close nothing in another state
        return await _contactor(contactor, devices)
    finally:
        await devices.pilot.set_state(PilotState.B)


async def _contactor(contactor: Any, devices: Any) -> str:
    try:
        await _closed(contactor, devices)
        closed = contactor.closed
        await asyncio.sleep(HOLD_S)
    finally:
        await contactor.open()
    if not closed or contactor.closed:
        raise DeviceError("the contactors do not confirm what they were told")
    return "confirmed closed and open"


async def _closed(contactor: Any, devices: Any) -> None:
    try:
        await contactor.close()
    except DeviceError as error:
        state = devices.pilot.view.state
        if state in POWERED:
            raise
        hint = "a board may close its contactors in state C only: plug in a tester that asks for it"
        raise DeviceError(f"{error}; the pilot is in state {state.value}, and {hint}") from None


async def _supply(supply: Any, devices: Any) -> str:
    idle = await _watched(lambda: supply.voltage, "supply voltage", "V")
    most = 0.0
    now = asyncio.get_running_loop().time
    try:
        await _closed(devices.contactor, devices)
        await supply.set(supply.min_voltage, SUPPLY_A)
        until = now() + SUPPLY_S
        while now() < until:
            most = max(most, fresh(supply.voltage, now(), "supply voltage"))
            await asyncio.sleep(LOOK_S)
    finally:
        try:
            await supply.off()
        finally:
            await devices.contactor.open()
    if most < supply.min_voltage * 0.8:
        raise DeviceError(f"{most:.0f} V instead of {supply.min_voltage:.0f} V after {SUPPLY_S:g} s")
    return f"{idle} before, {most:.0f} V when {supply.min_voltage:.0f} V were wanted"


async def _isolation(monitor: Any, devices: Any) -> str:
    return f"{await monitor.measure() / 1000:.0f} kOhm"


async def _outlet(outlet: Any, devices: Any) -> str:
    tripped = "tripped" if outlet.rcd_tripped else "not tripped"
    return f"{await _watched(lambda: outlet.current, 'current', 'A')}, residual current device {tripped}"


async def _onboard(onboard: Any, devices: Any) -> str:
    await onboard.draw(0.0)
    return await _watched(lambda: onboard.current, "current", "A")


async def _watched(reading: Callable[[], Reading], what: str, unit: str) -> str:
    """Read for a while; the span and the age. Raises StaleReading when nothing came."""
    now, seen, oldest = asyncio.get_running_loop().time, list[float](), 0.0
    until = now() + READS_S
    while now() < until:
        try:
            newest = reading()
            seen.append(fresh(newest, now(), what))
            oldest = max(oldest, now() - newest.t)
        except DeviceError:
            if seen:
                raise
        await asyncio.sleep(LOOK_S)
    if not seen:
        fresh(reading(), now(), what)
    return f"{min(seen):.1f} to {max(seen):.1f} {unit}, {oldest:.1f} s old at most"


CONTACTS = "the main contactors close and connect what is on both sides: open the service disconnect, touch nothing"
STEPS: dict[str, tuple[Step, ...]] = {
    "vehicle": (
        Step("pilot", "read the pilot", _pilot),
        Step("inlet", "read the inlet's voltage", _volts),
        Step("battery", "read the battery", _battery),
        Step("onboard", "stop the on-board charger and read its current", _onboard),
        Step("lock", "lock and unlock the connector", _lock, notice="the lock moved there and back"),
        Step(
            "pilot", "ask for state C, then B", _states,
            live="state C asks the charger for power: nothing but a tester should be plugged in",
            notice="the pilot went to 6 V and back to 9 V",
        ),
        Step("contactor", "close and open the contactors", _vehicle_contactor,
             live=f"state C, and {CONTACTS}", notice="they clicked twice"),
    ),
    "charger": (
        Step("pilot", "read the pilot", _pilot),
        Step("outlet", "read the meter", _outlet),
        Step("isolation", "measure the isolation", _isolation),
        Step("pilot", "run the oscillator with 5 % and 50 %", _oscillator,
             live="50 % allows a vehicle that is plugged in to draw 30 A of AC: unplug it",
             notice="the pilot's square wave came and went"),
        Step("supply", "close the contactors and give the least voltage", _supply,
             live="the contactors close and the outlet gets voltage: nothing may be plugged in, touch nothing"),
        Step("contactor", "close and open the contactors", _contactor, live=CONTACTS, notice="they clicked twice"),
        Step("load", "connect and disconnect the load", _contactor,
             live="the load is connected to the outlet", notice="its relay clicked twice"),
    ),
}  # fmt: skip

Ask = Callable[[Step], Awaitable[bool]]


async def walk(hardware: Hardware, role: str, parts: set[str], allow: Ask, noticed: Ask) -> AsyncIterator[Outcome]:
    """Do the steps of a role; `parts` limits them (empty: all). `allow` is asked before each live step, `noticed`
    after each that a person should notice. Whatever happens, the outputs are left in the safe state.
    """
    for step in STEPS[role]:
        if step.part not in hardware.named or (parts and step.part not in parts):
            continue
        device = hardware.named[step.part]
        yield Outcome(step.part, device, step.title, *await _done(step, hardware, device, allow, noticed))


async def _done(step: Step, hardware: Hardware, device: str, allow: Ask, noticed: Ask) -> tuple[Verdict, str]:
    made = hardware.drivers[device]
    if not made.real:
        return "skipped", "simulated: nothing is there to be tested"
    if step.live is not None and not await allow(step):
        return "skipped", "not allowed"
    try:
        made.check()
        unplugged = hardware.devices.pilot.view.state is PilotState.A
        made.testing = unplugged and step.live is not None and step.part != "pilot"
        detail = await step.run(getattr(hardware.devices, step.part), hardware.devices)
    except DeviceError as error:
        return "failed", str(error)
    finally:
        made.testing = False
    if step.notice is not None and not await noticed(step):
        return "failed", f"{detail}, but nobody noticed that {step.notice}"
    return "ok", detail
