"""A DC vehicle: what it answers to its session, with the devices of `hw/ports.py`.

It locks before state C, closes its contactors only when inlet and battery agree in two measurements running, asks for
no more than battery, cable, schedule and charger allow, and stops at its target. A missing reading is an error, never a
guess.
"""

from __future__ import annotations

import asyncio

from ..hw.bundles import VehicleDevices
from ..hw.ports import PilotState, fresh
from ..record import Reading, Scribe, Switch
from ..v2g.control import ChargerOffer, Delivered, Demand, Energy, Refused, VehicleLimits, VehicleStatus
from .shutdown import CURRENT_GONE_S, discharged, secure_vehicle
from .vehicle import DC_MODES, Vehicle, VehicleSettings

READING_INTERVAL_S = 1.0
OVERVOLTAGE = 1.1
"""A report this many times above the agreed maximum ends the session."""
OVERCURRENT = 1.2
"""A current this many times above our own maximum ends the session."""
NO_CURRENT_A = 1.0
UNWELDED = 0.8
"""Below this part of the battery's voltage the inlet counts as separated from it."""
AGREEING_SAMPLES = 2
ASTRAY, ASTRAY_V = 0.1, 15.0
"""While charging, the inlet agrees with the battery or with the report within this part and so many volts more ..."""
ASTRAY_S = 3.0
"""... or its measurement is frozen, and after so long charging ends."""
ASKED_A = 3.0
"""Who asks for less and gets nothing has nothing to wonder about: a full battery, a charger's least current."""
APART_V, APART_S = 20.0, 10.0
"""Without current, inlet and battery agreed when the contactors were to close; if they are this far apart for so long,
nothing connects them. Chargers that ramp slowly do not matter: closed contactors make both one voltage."""
IDLE_S = 60.0
"""Nothing flows for so long though it is asked for: a remark, since the charger may have its reasons."""


class DcVehicle(Vehicle):
    """Implements `DcVehicleControl`."""

    energy: Energy = "dc"
    modes: tuple[str, ...] = DC_MODES

    def __init__(self, devices: VehicleDevices, settings: VehicleSettings, evccid: bytes, scribe: Scribe) -> None:
        super().__init__(devices, settings, evccid, scribe)
        self._devices: VehicleDevices = devices
        self._offer: ChargerOffer | None = None
        self._delivered: Delivered | None = None
        self._agreeing = 0
        self._observed_at: float | None = None
        self._astray_since: float | None = None
        self._asked = 0.0
        """A, in the last demand."""
        self._idle_since: float | None = None
        self._idle_told = False
        self._apart_since: float | None = None

    @property
    def live(self) -> bool:
        """Something is still closed or locked."""
        return self._devices.contactor.closed or self._devices.lock.locked

    async def secure(self) -> None:
        """The one safe way down."""
        await secure_vehicle(self._devices, self._scribe)

    # what the session asks

    def status(self) -> VehicleStatus:
        ready = self._devices.pilot.view.state in (PilotState.C, PilotState.D)
        return VehicleStatus(ready, 0, max(0, min(100, int(self._devices.battery.soc_percent))))

    def limits(self) -> VehicleLimits:
        battery = self._devices.battery
        if (told := self._settings.told) is not None:
            return VehicleLimits(
                max_voltage=battery.max_voltage,
                max_current=self._settings.max_current,
                max_power=told.max_power,
                capacity=told.capacity_wh,
                energy_request=told.energy_request_wh,
                full_soc=told.full_soc,
                bulk_soc=told.bulk_soc,
            )
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
        inlet = self._inlet()
        if not self._devices.contactor.closed and inlet >= battery * UNWELDED:
            raise Refused(
                f"{inlet:.0f} V at the inlet before the charger gives any: contactors welded, or no measurement"
            )
        self._offer, self._delivered, self._observed_at = offer, None, None
        self._asked, self._idle_since, self._apart_since, self._idle_told = 0.0, None, None, False
        await self._locked()
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
        self._agreeing = 0
        if self._devices.contactor.closed:  # after a renegotiation
            return
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
        current = min(self._settings.max_current, self._now_current, battery.max_current)
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
        if (planned := self._planned_power()) is not None and present > 0:
            current = min(current, planned / present)
        if self._charging_since is None:
            self._charging_since = self._now()
        self._asked = max(0.0, current)
        return Demand(voltage, self._asked, seconds_to_full=self._seconds_left(100, present * current),
                      seconds_to_bulk=self._seconds_left(80, present * current))  # fmt: skip

    def observe(self, delivered: Delivered) -> None:
        now = self._now()
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
        self._astray(inlet, delivered.voltage)
        self._connected(inlet, delivered.current)
        self._read(inlet, delivered.current)

    async def ramp_down(self) -> bool:
        return self._delivered is None or self._delivered.current < NO_CURRENT_A

    async def open_contactors(self) -> None:
        if self._delivered is not None and self._delivered.current >= NO_CURRENT_A and self._devices.contactor.closed:
            await asyncio.sleep(CURRENT_GONE_S)  # no report of zero yet: state B must have cut the current first
        await self._devices.contactor.open()
        self._scribe(Switch(device="contactor", state="open"))
        self._scribe.checkpoint(815)

    def welding_checked(self, reported_voltage: float) -> bool:
        self._report(reported_voltage, 0.0)
        battery, inlet = self._battery(), self._inlet()
        self._read(inlet, 0.0)
        return max(inlet, reported_voltage) < battery * UNWELDED

    async def release(self) -> None:
        if not self._pausing:
            await discharged(self._devices, self._scribe)
        await super().release()

    # helpers

    def _soc(self) -> float | None:
        return self._devices.battery.soc_percent

    def _battery(self) -> float:
        """The battery's voltage, V; StaleReading when it is too old to act on."""
        return fresh(self._devices.battery.voltage, self._now(), "battery voltage")

    def _inlet(self) -> float:
        """The inlet's voltage, V; StaleReading when it is too old to act on."""
        return fresh(self._devices.inlet.voltage, self._now(), "inlet voltage")

    def _astray(self, inlet: float, reported: float) -> None:
        """Raises Refused when the inlet shows neither the battery's nor the reported voltage for `ASTRAY_S`."""
        known = (reported, self._battery())
        if any(abs(inlet - voltage) <= voltage * ASTRAY + ASTRAY_V for voltage in known):
            self._astray_since = None
            return
        self._astray_since = self._astray_since or self._now()
        if self._now() - self._astray_since > ASTRAY_S:
            told = f"the charger reports {reported:.0f} V, the battery has {known[1]:.0f} V"
            raise Refused(f"the inlet's voltage cannot be true: {inlet:.0f} V, but {told}")

    def _connected(self, inlet: float, current: float) -> None:
        """Watch contactors that tell nothing of themselves; Refused when measurements show that they are open."""
        if current >= NO_CURRENT_A or self._asked < ASKED_A or not self._devices.contactor.closed:
            self._idle_since = self._apart_since = None
            return
        now, battery = self._now(), self._battery()
        if self._idle_since is None:
            self._idle_since = now
        if now - self._idle_since > IDLE_S and not self._idle_told:
            self._idle_told = True
            self._scribe.note(
                f"no current for {IDLE_S:g} s though {self._asked:.0f} A are asked for: "
                "the charger gives none, or the contactors are open",
                "warning",
            )
        compared = self._devices.measured and self._settings.precharge_by != "reported"
        if not compared or abs(inlet - battery) <= APART_V:
            self._apart_since = None
            return
        if self._apart_since is None:
            self._apart_since = now
        if now - self._apart_since > APART_S:
            raise Refused(
                f"the contactors stay open, or a measurement is wrong: no current, "
                f"inlet {inlet:.0f} V, battery {battery:.0f} V"
            )

    def _report(self, voltage: float, current: float) -> None:
        if self._devices.imagine is not None:
            self._devices.imagine(voltage, current)

    def _seconds_left(self, soc: float, power: float) -> float | None:
        battery = self._devices.battery
        missing = max(0.0, soc - battery.soc_percent) / 100 * battery.capacity_wh
        return min(missing / power * 3600, 0x7FFF) if power > 0 else None

    def _read(self, inlet: float, current: float) -> None:
        """Record a reading, at most one each `READING_INTERVAL_S`."""
        now = self._now()
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
