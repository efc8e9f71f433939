"""A DC charger: what it answers to its session, with the devices of `hw/ports.py`.

It checks the cable before it gives power, never exceeds what it announced, and lets no current flow without a vehicle
in state C or D.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

from ..hw.bundles import ChargerDevices
from ..hw.ports import DeviceError, PilotState, fresh
from ..record import Pilot, Reading, Scribe, Switch
from ..v2g.control import ChargerOffer, Delivered, Demand, Energy, Refused, VehicleLimits
from .charger import POWERED, Charger, ChargerSettings, PilotFault
from .shutdown import secure_charger

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
OVER_VOLTAGE = 1.02
"""Accuracy of a supply."""
OVER_VOLTAGE_S = 0.4
"""Above the vehicle's limit for longer: shutdown, IEC 61851-23 CC.6.2."""
OVER_CURRENT_S = 2.0
"""Above what was set for longer: the supply does not obey. From 125 A down takes 1.25 s at the least slope allowed."""
OVER_CURRENT_A = 5.0
NO_CURRENT_A = 1.0
ISOLATION_VALUE_S = 10.0
"""In which the isolation monitor must give a value while power is on."""


class DcCharger(Charger):
    """Implements `DcChargerControl`."""

    energy: Energy = "dc"
    modes: tuple[str, ...] = ("DC_extended", "DC_core")

    def __init__(
        self,
        devices: ChargerDevices,
        settings: ChargerSettings,
        scribe: Scribe,
        wall: Callable[[], float] | None = None,
    ) -> None:
        super().__init__(devices, settings, scribe, wall)
        self._devices = devices
        self._offer = self._make_offer()
        self._agreed: VehicleLimits | None = None
        self._vehicle: VehicleLimits | None = None
        """The vehicle's limits of the moment: what was agreed, or less where it tells less in the charge loop."""
        self._needs_power = False
        self._now_current = self._now_power = math.inf
        self._precharged = 0.0
        self._last_t: float | None = None
        self._over: dict[str, float] = {}
        self._isolation: asyncio.Task[float] | None = None
        self.soc_percent: float | None = None

    def _make_offer(self) -> ChargerOffer:
        supply, wish = self._devices.supply, self._settings
        return ChargerOffer(
            max_voltage=min(supply.max_voltage, wish.max_voltage or supply.max_voltage),
            max_current=min(supply.max_current, wish.max_current or supply.max_current),
            max_power=min(supply.max_power, wish.max_power or supply.max_power),
            min_voltage=supply.min_voltage,
            min_current=supply.min_current,
            ripple=wish.ripple,
            tolerance=wish.tolerance,
        )

    def _full_power(self, mode: str) -> float:
        return self._offer.max_power or self._offer.max_voltage * self._offer.max_current

    async def secure(self) -> None:
        """The one safe way down."""
        await secure_charger(self._devices, self._scribe)

    # what the session asks

    def offer(self) -> ChargerOffer:
        return self._offer

    async def agree(self, limits: VehicleLimits, soc: int) -> None:
        self.soc_percent = soc
        if limits.max_current < 0 or limits.max_voltage < 0:
            raise Refused("the vehicle's limits are negative", "FAILED_WrongChargeParameter")
        if limits.max_voltage <= self._offer.min_voltage or limits.max_current <= self._offer.min_current:
            theirs = f"{limits.max_voltage:g} V, {limits.max_current:g} A"
            ours = f"{self._offer.min_voltage:g} V, {self._offer.min_current:g} A"
            raise Refused(f"the vehicle's {theirs} are below our least {ours}", "FAILED_WrongChargeParameter")
        await asyncio.sleep(self._settings.parameters_s)
        self._agreed = self._vehicle = limits

    async def power_ready(self, timeout: float) -> bool:
        if self._devices.imagine_state is not None:
            self._devices.imagine_state(PilotState.C)
        return await self._pilot_in(POWERED, timeout)

    async def cable_check(self) -> None:
        self._needs_power = True
        devices = self._devices
        until = self._now() + self._settings.cable_check_s
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
        await asyncio.sleep(until - self._now())
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
        limit = min(current, TEST_CURRENT_A) if current > 0 else TEST_CURRENT_A  # a Tesla asks for 0 A and its voltage
        await self._devices.supply.set(min(voltage, self._voltage_limit()), limit)
        present = self._voltage()
        self._precharged = voltage
        self._supervise(present, self._current(), TEST_CURRENT_A)
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
        present = self._voltage()
        self._heed(demand, present)
        max_voltage = self._voltage_limit()
        max_current = min(offer.max_current, self._now_current)
        max_power = min(self._full_power(""), self._planned_power(), self._now_power)
        theirs = self._vehicle or VehicleLimits(math.inf, math.inf)
        current = demand.current if demand.current >= offer.min_current else 0.0  # CC.5.5.7
        power = min(_told(max_power, theirs.max_power or None))
        current = min(current, max_current, theirs.max_current, power / max(present, 1.0))
        await supply.set(min(await self._target(demand.voltage), max_voltage), current)
        voltage, amperes = self._voltage(), self._current()
        self._supervise(voltage, amperes, current)
        self._count(voltage, amperes)
        self._read(voltage, amperes)
        return Delivered(
            voltage=voltage,
            current=amperes,
            max_voltage=offer.max_voltage,
            max_current=max_current,
            max_power=max_power,
            voltage_limited=voltage >= MARGIN * max_voltage,
            current_limited=amperes >= MARGIN * max_current,
            power_limited=voltage * amperes >= MARGIN * max_power,
        )

    def _heed(self, demand: Demand, present: float) -> None:
        """The limits that the vehicle tells with a demand. Refused where what is at the outlet, V, is above them."""
        if (agreed := self._agreed) is None:
            return
        self._vehicle = agreed._replace(
            max_voltage=min(_told(agreed.max_voltage, demand.max_voltage)),
            max_current=min(_told(agreed.max_current, demand.max_current)),
            max_power=min(_told(agreed.max_power or None, demand.max_power or None), default=None),  # an MG: 0 W
        )
        limit = self._vehicle.max_voltage
        if limit < agreed.max_voltage and present > limit * OVER_VOLTAGE:
            raise Refused(f"the vehicle's limit falls to {limit:g} V, {present:.0f} V are at the outlet")

    async def _target(self, demanded: float) -> float:
        """The set-point for a demand; the discharge demo stays below the battery and connects its load."""
        load, below = self._devices.load, self._settings.discharge
        if below is None or load is None:
            return demanded
        if not load.closed:
            await load.close()
            self._scribe(Switch(device="load", state="closed"))
        return max(0.0, self._precharged - below)

    async def hold(self) -> None:
        await self._devices.supply.set(self._voltage(), 0.0)

    async def stop(self) -> None:
        self._needs_power = False
        if self._isolation is not None:
            self._isolation.cancel()
            self._isolation = None
        if self._devices.load is not None and self._devices.load.closed:
            await self._devices.load.open()
            self._scribe(Switch(device="load", state="open"))
        await self._devices.supply.off()
        if (amperes := self._current()) >= NO_CURRENT_A:
            raise DeviceError(f"supply: {amperes:.0f} A flow although it is off")
        self._scribe(Switch(device="supply", state="off"))

    async def power_left(self, timeout: float) -> bool:
        if self._devices.imagine_state is not None:
            self._devices.imagine_state(PilotState.B)
        return await self._pilot_in((PilotState.B, PilotState.A), timeout)

    async def residual_voltage(self) -> float:
        voltage = self._voltage()
        self._read(voltage, 0.0)
        return voltage

    async def finished(self) -> None:
        await self._devices.contactor.open()
        self._scribe(Switch(device="contactor", state="open"))

    # what the user and the world ask

    def limit(self, max_current: float | None = None, max_power: float | None = None) -> None:
        """Give less from now on: A, W; None: as much as was offered. Vehicles are told in the charge loop."""
        self._now_current = math.inf if max_current is None else max_current
        self._now_power = math.inf if max_power is None else max_power

    async def watch_pilot(self) -> None:
        """Return never; PilotFault when the pilot ends charging: unplugged, or not in C or D while power is on."""
        pilot = self._devices.pilot
        while True:
            view = pilot.view
            self._unplugged_or_faulty(view.state)
            if self._needs_power and view.state is PilotState.B:
                raise PilotFault("the vehicle left state C while power was on [V2G-DC-668]")
            view = await pilot.changed()
            self._scribe(Pilot(state=view.state.value, duty_percent=view.duty_percent))

    # helpers

    def _voltage(self) -> float:
        """The supply's voltage, V; StaleReading when it is too old to act on."""
        return fresh(self._devices.supply.voltage, self._now(), "supply voltage")

    def _current(self) -> float:
        """The supply's current, A; StaleReading when it is too old to act on."""
        return fresh(self._devices.supply.current, self._now(), "supply current")

    def _supervise(self, voltage: float, current: float, wanted: float) -> None:
        """Refused when the supply gives more than it may, for longer than that can be a transient (V, A), when the
        isolation is gone, or when the vehicle does not stop.
        """
        self._obeyed()
        self._watch_isolation()
        limit = self._voltage_limit()
        if self._lasts("voltage", voltage > limit * OVER_VOLTAGE, OVER_VOLTAGE_S):
            raise Refused(f"{voltage:.0f} V at the outlet, the limit is {limit:.0f} V")
        if self._lasts("current", current > wanted + OVER_CURRENT_A, OVER_CURRENT_S):
            raise Refused(f"the supply gives {current:.0f} A instead of {wanted:.0f} A")

    def _watch_isolation(self) -> None:
        """One measurement after the other while power is on, IEC 61851-23."""
        running = self._isolation is not None and not self._isolation.done()
        if self._lasts("isolation", running, ISOLATION_VALUE_S):
            raise DeviceError(f"isolation monitor: no value for {ISOLATION_VALUE_S:g} s")
        if running:
            return
        if self._isolation is not None and (ohm := self._isolation.result()) < ISOLATION_FAULT_OHM:
            raise Refused(f"isolation of {ohm / 1000:.0f} kOhm, at least 100 are safe")
        self._isolation = asyncio.ensure_future(self._devices.isolation.measure())
        self._isolation.add_done_callback(lambda task: task.cancelled() or task.exception())

    def _lasts(self, what: str, wrong: bool, seconds: float) -> bool:
        """Whether something has been wrong for so long."""
        if not wrong:
            self._over.pop(what, None)
            return False
        return self._now() - self._over.setdefault(what, self._now()) >= seconds

    def _voltage_limit(self) -> float:
        theirs = self._vehicle.max_voltage if self._vehicle else self._offer.max_voltage
        return min(theirs, self._offer.max_voltage)

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
        now = self._now()
        if self._last_t is not None:
            self.energy_wh += voltage * current * (now - self._last_t) / 3600
        self._last_t = now

    def _read(self, voltage: float, current: float) -> None:
        now = self._now()
        if now < self._reading_due:
            return
        self._reading_due = now + READING_INTERVAL_S
        self._scribe(Reading(voltage=round(voltage, 1), current=round(current, 1), energy_wh=round(self.energy_wh, 1)))


def _told(*values: float | None) -> list[float]:
    return [value for value in values if value is not None]
