"""A vehicle: what it answers to its session, with the devices of `hw/ports.py`.

It locks before state C, closes its contactors only when inlet and battery agree in two measurements running, asks for
no more than battery, cable and charger allow, and stops at its target. A missing reading is an error, never a guess.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

import msgspec

from ..hw.bundles import VehicleDevices
from ..hw.ports import DeviceError, PilotState, PilotView, fresh
from ..record import Pilot, Reading, Scribe, Switch
from ..v2g.control import ChargerOffer, Delivered, Demand, Refused, VehicleLimits, VehicleStatus

READING_INTERVAL_S = 1.0
OVERVOLTAGE = 1.1
"""A report this many times above the agreed maximum ends the session."""
OVERCURRENT = 1.2
"""A current this many times above our own maximum ends the session."""
NO_CURRENT_A = 1.0
UNWELDED = 0.8
"""Below this part of the battery's voltage the inlet counts as separated from it."""
AGREEING_SAMPLES = 2
OSCILLATOR_GRACE_S = 3.0
"""How long the oscillator may be off in a session: a charger may switch it off just before it says FAILED."""


class VehicleSettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """How a vehicle charges. Voltages in V, currents in A, power in W, SoC in percent."""

    target_soc: Annotated[float, msgspec.Meta(ge=0, le=100)] = 80.0
    max_current: Annotated[float, msgspec.Meta(gt=0)] = 125.0
    max_power: Annotated[float, msgspec.Meta(gt=0)] | None = None
    precharge_current: Annotated[float, msgspec.Meta(ge=0, lt=2)] = 1.0
    """IEC 61851-23 CC.5.2: below 2 A."""
    precharge_difference: Annotated[float, msgspec.Meta(gt=0, le=20)] = 10.0
    """V between inlet and battery at which contactors may close; the standard's limit is 20."""
    precharge_by: Literal["measured", "reported", "both"] = "both"
    """Whose voltage must agree with the battery's: "measured" at the inlet, "reported" by the charger, or "both"."""
    evccid: Annotated[str, msgspec.Meta(pattern="^([0-9a-fA-F]{2}){1,8}$")] | None = None
    """Hex digits; the interface's MAC when absent."""


class PilotFault(Exception):
    """The control pilot says that charging must end now."""


class Vehicle:
    """Implements `VehicleControl`."""

    def __init__(self, devices: VehicleDevices, settings: VehicleSettings, evccid: bytes, scribe: Scribe) -> None:
        self.evccid = evccid
        self._devices = devices
        self._settings = settings
        self._scribe = scribe
        self._offer: ChargerOffer | None = None
        self._delivered: Delivered | None = None
        self._agreeing = 0
        self._stop: str | None = None
        self._observed_at: float | None = None
        self._reading_due = 0.0
        self._charging = False
        self.energy_wh = 0.0

    # what the session asks

    def status(self) -> VehicleStatus:
        ready = self._devices.pilot.view.state in (PilotState.C, PilotState.D)
        return VehicleStatus(ready, 0, max(0, min(100, int(self._devices.battery.soc_percent))))

    def limits(self) -> VehicleLimits:
        battery = self._devices.battery
        missing = max(0.0, self._settings.target_soc - battery.soc_percent)
        return VehicleLimits(
            max_voltage=battery.max_voltage,
            max_current=self._settings.max_current,
            max_power=self._settings.max_power or battery.max_voltage * self._settings.max_current,
            capacity=battery.capacity_wh,
            energy_request=battery.capacity_wh * missing / 100,
            full_soc=100,
            bulk_soc=80,
        )

    async def prepare(self, offer: ChargerOffer) -> None:
        battery = self._battery()
        if not offer.min_voltage <= battery <= offer.max_voltage:
            span = f"{offer.min_voltage:.0f} to {offer.max_voltage:.0f} V"
            raise Refused(f"the battery has {battery:.0f} V, the charger gives {span}")
        if offer.max_current <= 0:
            raise Refused("the charger offers no current")
        self._offer = offer
        await self._devices.lock.lock()
        self._scribe.checkpoint(555)
        if not self._devices.lock.locked:
            raise Refused("the connector lock does not confirm")
        self._scribe(Switch(device="lock", state="locked"))
        self._scribe.checkpoint(556)
        await self._pilot(PilotState.C)
        self._scribe.checkpoint(550)

    def precharge_demand(self) -> Demand:
        return Demand(self._battery(), self._settings.precharge_current)

    def precharged(self, reported_voltage: float) -> bool:
        self._report(reported_voltage, 0.0)
        battery, inlet = self._battery(), self._inlet()
        seen = {"measured": (inlet,), "reported": (reported_voltage,)}.get(
            self._settings.precharge_by, (inlet, reported_voltage)
        )
        near = all(abs(voltage - battery) < self._settings.precharge_difference for voltage in seen)
        self._agreeing = self._agreeing + 1 if near else 0
        self._read(inlet, 0.0)
        return self._agreeing >= AGREEING_SAMPLES

    async def close_contactors(self) -> None:
        # the last look: what agreed a message ago must agree now
        battery, inlet = self._battery(), self._inlet()
        if self._settings.precharge_by != "reported" and abs(inlet - battery) >= self._settings.precharge_difference:
            raise Refused(f"inlet {inlet:.0f} V and battery {battery:.0f} V no longer agree; contactors stay open")
        await self._devices.contactor.close()
        if not self._devices.contactor.closed:
            raise Refused("the contactors do not confirm that they closed")
        self._scribe(Switch(device="contactor", state="closed"))
        self._scribe.checkpoint(590)

    def demand(self) -> Demand:
        battery = self._devices.battery
        voltage = battery.max_voltage
        current = min(self._settings.max_current, battery.max_current)
        power = self._settings.max_power
        if self._offer is not None:
            voltage = min(voltage, self._offer.max_voltage)
            current = min(current, self._offer.max_current)
        if self._delivered is not None:
            current = min(current, self._delivered.max_current)
            power = min(power or self._delivered.max_power, self._delivered.max_power)
        present = self._battery()
        if power is not None and present > 0:
            current = min(current, power / present)
        self._charging = True
        return Demand(voltage, max(0.0, current), seconds_to_full=self._seconds_left(100, present * current),
                      seconds_to_bulk=self._seconds_left(80, present * current))  # fmt: skip

    def observe(self, delivered: Delivered) -> None:
        now = asyncio.get_running_loop().time()
        if self._observed_at is not None:
            self.energy_wh += delivered.voltage * delivered.current * (now - self._observed_at) / 3600
        self._observed_at = now
        self._delivered = delivered
        self._report(delivered.voltage, delivered.current)
        if delivered.current > self._settings.max_current * OVERCURRENT + NO_CURRENT_A:
            raise Refused(
                f"the charger gives {delivered.current:.0f} A, at most {self._settings.max_current:g} A are allowed"
            )
        limit = self._devices.battery.max_voltage
        if delivered.voltage > limit * OVERVOLTAGE:
            raise Refused(f"the charger reports {delivered.voltage:.0f} V, the battery's limit is {limit:.0f} V")
        inlet = self._inlet()
        if inlet > limit * OVERVOLTAGE:
            raise Refused(f"{inlet:.0f} V at the inlet, the battery's limit is {limit:.0f} V")
        self._read(inlet, delivered.current)

    def stop_wanted(self) -> str | None:
        if self._stop is None and self._charging:
            soc = self._devices.battery.soc_percent
            if soc >= self._settings.target_soc:
                self._stop = f"target of {self._settings.target_soc:g} % reached"
        return self._stop

    async def ramp_down(self) -> bool:
        return self._delivered is None or self._delivered.current < NO_CURRENT_A

    async def power_off(self) -> None:
        await self._pilot(PilotState.B)
        self._scribe.checkpoint(810)

    async def open_contactors(self) -> None:
        await self._devices.contactor.open()
        self._scribe(Switch(device="contactor", state="open"))
        self._scribe.checkpoint(815)

    def welding_checked(self, reported_voltage: float) -> bool:
        self._report(reported_voltage, 0.0)
        battery, inlet = self._battery(), self._inlet()
        self._read(inlet, 0.0)
        return max(inlet, reported_voltage) < battery * UNWELDED

    async def release(self) -> None:
        await self._devices.lock.unlock()
        self._scribe(Switch(device="lock", state="unlocked"))
        self._scribe.checkpoint(910)

    # what the user and the world ask

    def stop(self, reason: str) -> None:
        """Ask for an orderly stop; the first reason counts."""
        self._stop = self._stop or reason

    async def watch_pilot(self) -> None:
        """Return never; PilotFault when the pilot ends charging: unplugged, state E or F, oscillator gone."""
        pilot = self._devices.pilot
        while True:
            view = pilot.view
            self._fault(view)
            if view.duty_percent is None:
                try:
                    async with asyncio.timeout(OSCILLATOR_GRACE_S):
                        view = await pilot.changed()
                except TimeoutError:
                    raise PilotFault(f"the charger's oscillator is off for {OSCILLATOR_GRACE_S:g} s") from None
            else:
                view = await pilot.changed()
            self._scribe(Pilot(state=view.state.value, duty_percent=view.duty_percent))

    @staticmethod
    def _fault(view: PilotView) -> None:
        if view.state is PilotState.A:
            raise PilotFault("unplugged during the session (state A)")
        if view.state in (PilotState.E, PilotState.F):
            raise PilotFault(f"the charger is not available (state {view.state.value})")

    def _battery(self) -> float:
        """The battery's voltage, V; StaleReading when it is too old to act on."""
        return fresh(self._devices.battery.voltage, asyncio.get_running_loop().time(), "battery voltage")

    def _inlet(self) -> float:
        """The inlet's voltage, V; StaleReading when it is too old to act on."""
        return fresh(self._devices.inlet.voltage, asyncio.get_running_loop().time(), "inlet voltage")

    async def _pilot(self, state: PilotState) -> None:
        await self._devices.pilot.set_state(state)
        view = self._devices.pilot.view
        if view.state is not state:
            raise DeviceError(f"the pilot is in state {view.state.value} and not in {state.value} as asked")

    def _report(self, voltage: float, current: float) -> None:
        if self._devices.imagine is not None:
            self._devices.imagine(voltage, current)

    def _seconds_left(self, soc: float, power: float) -> float | None:
        battery = self._devices.battery
        missing = max(0.0, soc - battery.soc_percent) / 100 * battery.capacity_wh
        return min(missing / power * 3600, 0x7FFF) if power > 0 else None

    def _read(self, inlet: float, current: float) -> None:
        """Record a reading, at most one each `READING_INTERVAL_S`."""
        now = asyncio.get_running_loop().time()
        if now < self._reading_due:
            return
        self._reading_due = now + READING_INTERVAL_S
        battery = self._devices.battery
        self._scribe(
            Reading(
                voltage=round(inlet, 1),
                current=round(current, 1),
                battery_voltage=round(self._battery(), 1),
                soc_percent=round(battery.soc_percent, 2),
                energy_wh=round(self.energy_wh, 1),
            )
        )
