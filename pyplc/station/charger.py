"""A charger: what it answers to its session, with the devices of `hw/ports.py`.

It checks the cable before it gives power, never exceeds what it announced, and lets no current flow without a vehicle
in state C or D.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated

import msgspec

from ..hw.bundles import ChargerDevices
from ..hw.ports import PilotState, fresh
from ..record import Pilot, Reading, Scribe, Switch
from ..v2g.control import ChargerOffer, Delivered, Demand, Refused, VehicleLimits

READING_INTERVAL_S = 1.0
TEST_CURRENT_A = 2.0
"""Limit during cable check and pre-charge, IEC 61851-23 CC.5.2."""
ISOLATION_FAULT_OHM = 100_000.0
"""Below this the cable check fails."""
TEST_VOLTAGE_S = 10.0
"""In which the test voltage must be reached."""
SAMPLE_S = 0.05
"""Between two looks at the supply while its voltage rises or falls."""
TOUCHABLE_V = 60.0
DISCHARGE_S = 3.0
"""In which the outlet must be below 60 V after the cable check, IEC 61851-23:2023; longer is recorded."""
MARGIN = 0.99
"""An output at 99 % of a limit has achieved it."""
POWERED = (PilotState.C, PilotState.D)


class ChargerSettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What a charger offers; None takes the supply's own limit. V, A, W, s."""

    evse_id: Annotated[str, msgspec.Meta(pattern="^([0-9a-fA-F]{2}){1,32}$")] = "00"
    """Hex digits of the EVSEID; 00 when unknown [V2G-DC-620]."""
    max_voltage: Annotated[float, msgspec.Meta(gt=0)] | None = None
    max_current: Annotated[float, msgspec.Meta(gt=0)] | None = None
    max_power: Annotated[float, msgspec.Meta(gt=0)] | None = None
    authorisation_s: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    """How long authorisation takes; 0 is free charging."""


class PilotFault(Exception):
    """The control pilot says that charging must end now."""


class Charger:
    """Implements `ChargerControl`."""

    def __init__(self, devices: ChargerDevices, settings: ChargerSettings, scribe: Scribe) -> None:
        self.evse_id = bytes.fromhex(settings.evse_id)
        self._devices = devices
        self._settings = settings
        self._scribe = scribe
        self._offer = self._make_offer()
        self._vehicle: VehicleLimits | None = None
        self._stop: str | None = None
        self._authorised = asyncio.Event()
        self._needs_power = False
        self._reading_due = 0.0
        self._last_t: float | None = None
        self._waking = False
        self.soc_percent: float | None = None
        self.energy_wh = 0.0

    def _make_offer(self) -> ChargerOffer:
        supply, wish = self._devices.supply, self._settings
        return ChargerOffer(
            max_voltage=min(supply.max_voltage, wish.max_voltage or supply.max_voltage),
            max_current=min(supply.max_current, wish.max_current or supply.max_current),
            max_power=min(supply.max_power, wish.max_power or supply.max_power),
            min_voltage=supply.min_voltage,
            min_current=supply.min_current,
        )

    # what the session asks

    def offer(self) -> ChargerOffer:
        return self._offer

    def vehicle(self, evccid: bytes) -> None:
        self._scribe.note(f"vehicle {evccid.hex(':') or '(no id)'}")

    async def authorise(self) -> None:
        await asyncio.sleep(self._settings.authorisation_s)

    async def agree(self, limits: VehicleLimits, soc: int) -> None:
        self.soc_percent = soc
        if limits.max_current < 0 or limits.max_voltage < 0:
            raise Refused("the vehicle's limits are negative", "FAILED_WrongChargeParameter")
        if limits.max_voltage <= self._offer.min_voltage or limits.max_current <= self._offer.min_current:
            theirs = f"{limits.max_voltage:g} V, {limits.max_current:g} A"
            ours = f"{self._offer.min_voltage:g} V, {self._offer.min_current:g} A"
            raise Refused(f"the vehicle's {theirs} are below our least {ours}", "FAILED_WrongChargeParameter")
        self._vehicle = limits

    async def power_ready(self, timeout: float) -> bool:
        if self._devices.imagine_state is not None:
            self._devices.imagine_state(PilotState.C)
        return await self._pilot_in(POWERED, timeout)

    async def cable_check(self) -> None:
        self._needs_power = True
        devices = self._devices
        await devices.contactor.close()
        self._scribe(Switch(device="contactor", state="closed"))
        voltage = self._test_voltage()
        await devices.supply.set(voltage, TEST_CURRENT_A)
        if not await self._reaches(lambda present: present >= voltage * 0.95, TEST_VOLTAGE_S):
            present = self._voltage()
            raise Refused(f"cable check: {present:.0f} V instead of {voltage:.0f} V after {TEST_VOLTAGE_S:g} s")
        resistance = await devices.isolation.measure()
        if resistance < ISOLATION_FAULT_OHM:
            raise Refused(f"cable check: isolation of {resistance / 1000:.0f} kOhm, at least 100 are safe")
        await devices.supply.set(0.0, 0.0)
        if not await self._reaches(lambda present: present < TOUCHABLE_V, DISCHARGE_S):
            self._scribe.note(f"after the cable check {self._voltage():.0f} V remain at the outlet", "warning")
        self._scribe.note(f"cable check passed: {resistance / 1e6:.1f} MOhm at {voltage:.0f} V")

    def _test_voltage(self) -> float:
        """IEC 61851-23:2023 CC.4.1.2."""
        limit = self._vehicle.max_voltage if self._vehicle else self._offer.max_voltage
        if limit <= 500:
            return min(500.0, limit + 50, self._offer.max_voltage)
        return min(self._offer.max_voltage, 1.1 * limit)

    async def precharge(self, voltage: float, current: float) -> float:
        self._imagine(voltage, 0.0)
        await self._devices.supply.set(min(voltage, self._voltage_limit()), min(current, TEST_CURRENT_A))
        present = self._voltage()
        self._read(present, self._current())
        return present

    async def start(self) -> None:
        if self._devices.pilot.view.state not in POWERED:
            state = self._devices.pilot.view.state.value
            raise Refused(f"no power in state {state}", "FAILED_PowerDeliveryNotApplied")
        self._scribe(Switch(device="supply", state="on"))

    async def deliver(self, demand: Demand) -> Delivered:
        self._imagine(demand.voltage, demand.current)
        supply, offer = self._devices.supply, self._offer
        max_voltage = self._voltage_limit()
        current = demand.current if demand.current >= offer.min_current else 0.0  # CC.5.5.7
        await supply.set(min(demand.voltage, max_voltage), min(current, offer.max_current))
        voltage, amperes = self._voltage(), self._current()
        self._count(voltage, amperes)
        max_power = offer.max_power or offer.max_voltage * offer.max_current
        self._read(voltage, amperes)
        return Delivered(
            voltage=voltage,
            current=amperes,
            max_voltage=offer.max_voltage,
            max_current=offer.max_current,
            max_power=max_power,
            voltage_limited=voltage >= MARGIN * max_voltage,
            current_limited=amperes >= MARGIN * offer.max_current,
            power_limited=voltage * amperes >= MARGIN * max_power,
        )

    async def hold(self) -> None:
        await self._devices.supply.set(self._voltage(), 0.0)

    async def stop(self) -> None:
        self._needs_power = False
        await self._devices.supply.off()
        self._scribe(Switch(device="supply", state="off"))

    async def power_left(self, timeout: float) -> bool:
        if self._devices.imagine_state is not None:
            self._devices.imagine_state(PilotState.B)
        return await self._pilot_in((PilotState.B, PilotState.A), timeout)

    async def residual_voltage(self) -> float:
        voltage = self._voltage()
        self._read(voltage, 0.0)
        return voltage

    def stop_wanted(self) -> str | None:
        return self._stop

    async def finished(self) -> None:
        await self._devices.contactor.open()
        self._scribe(Switch(device="contactor", state="open"))

    # what the user and the world ask

    def request_stop(self, reason: str) -> None:
        """Ask the vehicle to stop; the first reason counts."""
        self._stop = self._stop or reason

    async def wake(self, seconds: float, duty: float) -> None:
        """State F for so long, then the oscillator again: a vehicle that sleeps looks up (ISO 15118-3)."""
        self._waking = True
        try:
            await self._devices.pilot.set_fault()
            await asyncio.sleep(seconds)
            await self._devices.pilot.set_duty(duty)
        finally:
            self._waking = False

    async def watch_pilot(self) -> None:
        """Return never; PilotFault when the pilot ends charging: unplugged, or not in C or D while power is on."""
        pilot = self._devices.pilot
        while True:
            view = pilot.view
            if view.state is PilotState.A:
                raise PilotFault("unplugged during the session (state A) [V2G-DC-667]")
            if view.state in (PilotState.E, PilotState.F) and not self._waking:
                raise PilotFault(f"pilot in state {view.state.value} [V2G-DC-669]")
            if self._needs_power and view.state is PilotState.B:
                raise PilotFault("the vehicle left state C while power was on [V2G-DC-668]")
            view = await pilot.changed()
            self._scribe(Pilot(state=view.state.value, duty_percent=view.duty_percent))

    # helpers

    def _voltage(self) -> float:
        """The supply's voltage, V; StaleReading when it is too old to act on."""
        return fresh(self._devices.supply.voltage, asyncio.get_running_loop().time(), "supply voltage")

    def _current(self) -> float:
        """The supply's current, A; StaleReading when it is too old to act on."""
        return fresh(self._devices.supply.current, asyncio.get_running_loop().time(), "supply current")

    def _voltage_limit(self) -> float:
        theirs = self._vehicle.max_voltage if self._vehicle else self._offer.max_voltage
        return min(theirs, self._offer.max_voltage)

    async def _pilot_in(self, states: tuple[PilotState, ...], timeout: float) -> bool:
        pilot = self._devices.pilot
        try:
            async with asyncio.timeout(timeout):
                while pilot.view.state not in states:
                    await pilot.changed()
        except TimeoutError:
            return False
        return True

    async def _reaches(self, enough: Callable[[float], bool], seconds: float) -> bool:
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while not enough(self._voltage()):
            if loop.time() >= until:
                return False
            await asyncio.sleep(SAMPLE_S)
        return True

    def _imagine(self, voltage: float, current: float) -> None:
        if self._devices.imagine is not None:
            self._devices.imagine(voltage, current)

    def _count(self, voltage: float, current: float) -> None:
        now = asyncio.get_running_loop().time()
        if self._last_t is not None:
            self.energy_wh += voltage * current * (now - self._last_t) / 3600
        self._last_t = now

    def _read(self, voltage: float, current: float) -> None:
        now = asyncio.get_running_loop().time()
        if now < self._reading_due:
            return
        self._reading_due = now + READING_INTERVAL_S
        self._scribe(Reading(voltage=round(voltage, 1), current=round(current, 1), energy_wh=round(self.energy_wh, 1)))
