"""An AC vehicle: what it answers to its session, and how it charges by the pilot's duty cycle alone.

The current it draws is the least of what its on-board charger can, the user and the schedule allow, EVSEMaxCurrent and
the duty cycle of the pilot say [V2G2-844].
"""

from __future__ import annotations

import asyncio

from ..hw.bundles import AcVehicleDevices
from ..hw.ports import PilotState
from ..record import Reading, Scribe
from ..v2g.control import AcOffer, AcVehicleLimits, Energy, Refused
from .pwm import allowed_current
from .shutdown import secure_ac_vehicle
from .vehicle import Vehicle, VehicleSettings

READING_INTERVAL_S = 1.0
MODES = {1: ("AC_single_phase_core",), 3: ("AC_three_phase_core", "AC_single_phase_core")}
LOWEST_V, HIGHEST_V = 180.0, 265.0
"""Between a phase and neutral; an offer outside is no mains."""
BASIC_SAMPLE_S = 0.5
"""Between two looks at the limits while charging by the duty cycle alone."""


class AcVehicle(Vehicle):
    """Implements `AcVehicleControl`."""

    energy: Energy = "ac"

    def __init__(self, devices: AcVehicleDevices, settings: VehicleSettings, evccid: bytes, scribe: Scribe) -> None:
        super().__init__(devices, settings, evccid, scribe)
        self._devices: AcVehicleDevices = devices
        self.modes = MODES[devices.onboard.phases]
        self._offer: AcOffer | None = None
        self._drawing = 0.0
        self._counted_at: float | None = None

    @property
    def live(self) -> bool:
        """Something is still drawn or locked."""
        return self._drawing > 0 or self._devices.lock.locked

    async def secure(self) -> None:
        """The one safe way down."""
        await secure_ac_vehicle(self._devices, self._scribe)

    # what the session asks

    def ac_limits(self) -> AcVehicleLimits:
        onboard, battery = self._devices.onboard, self._devices.battery
        missing = 0.0
        if battery is not None:
            missing = battery.capacity_wh * max(0.0, self._settings.target_soc - battery.soc_percent) / 100
        most = min(onboard.max_current, self._settings.max_current)
        return AcVehicleLimits(missing, onboard.max_voltage, most, onboard.min_current)

    async def prepare_ac(self, offer: AcOffer) -> None:
        if not LOWEST_V <= offer.nominal_voltage <= HIGHEST_V:
            raise Refused(f"the charger offers {offer.nominal_voltage:.0f} V, the on-board charger needs mains")
        self._offer = offer
        await self._locked()

    async def power_on_ac(self) -> None:
        await self._pilot(PilotState.C)
        self._scribe.checkpoint(550)
        self._charging_since = self._now()

    async def draw(self, max_current: float | None, rcd_tripped: bool) -> None:
        assert self._offer is not None  # prepare_ac comes first
        told = self._offer.max_current if max_current is None else max_current
        await self._draw(0.0 if rcd_tripped else told, self._offer.nominal_voltage * self._offer.phases)

    async def stop_drawing(self) -> None:
        await self._draw(0.0, 0.0)

    # charging by the duty cycle alone

    async def charge_basic(self) -> str:
        """Charge as the pilot's duty cycle allows until the user or the target stops it; why. No messages."""
        self._scribe.note("charging by the pilot's duty cycle, without digital communication")
        await self._locked()
        await self.power_on_ac()
        self._scribe.checkpoint(650)
        while not (wanted := self.stop_wanted()):
            await self._draw(self._devices.onboard.max_current, 0.0)
            await asyncio.sleep(BASIC_SAMPLE_S)
        await self.stop_drawing()
        await self.power_off()
        await self.release()
        return wanted

    # helpers

    def _soc(self) -> float | None:
        return None if self._devices.battery is None else self._devices.battery.soc_percent

    async def _draw(self, told: float, volts: float) -> None:
        """Draw at most `told` A a phase and what everything else allows; `volts` is the sum of all phases."""
        onboard = self._devices.onboard
        limits = [told, onboard.max_current, self._settings.max_current, self._now_current]
        duty = self._devices.pilot.view.duty_percent
        pilot = None if duty is None else allowed_current(duty)
        if pilot is not None:
            limits.append(pilot)
        if duty is None:
            limits.append(0.0)
        if volts > 0 and (planned := self._planned_power()) is not None:
            limits.append(planned / volts)
        if volts > 0 and self._settings.max_power is not None:
            limits.append(self._settings.max_power / volts)
        current = min(limits)
        self._drawing = current if current >= onboard.min_current else 0.0
        await onboard.draw(self._drawing)
        self._read()

    def _read(self) -> None:
        """Count the energy; record a reading, at most one each `READING_INTERVAL_S`."""
        now = self._now()
        amperes = self._devices.onboard.current.value
        volts = self._offer.nominal_voltage if self._offer else 230.0
        if self._counted_at is not None:
            self.energy_wh += volts * self._devices.onboard.phases * amperes * (now - self._counted_at) / 3600
        self._counted_at = now
        if now >= self._reading_due:
            self._reading_due = now + READING_INTERVAL_S
            soc = self._soc()
            self._scribe(
                Reading(
                    voltage=round(volts, 1),
                    current=round(amperes, 1),
                    soc_percent=None if soc is None else round(soc, 2),
                    energy_wh=round(self.energy_wh, 1),
                )
            )
