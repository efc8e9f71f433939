"""An AC charger: what it answers to its session, and how it charges by the pilot's duty cycle alone.

Its contactor is closed only between PowerDelivery start and stop and only in state C or D; it opens when the vehicle
goes back to state B, when it draws more than allowed, and when the residual current device trips.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

from ..hw.bundles import AcChargerDevices
from ..hw.ports import DeviceError, PilotState
from ..record import Pilot, Reading, Scribe, Switch
from ..v2g.control import AcOffer, AcVehicleLimits, Energy, Refused
from .charger import POWERED, Charger, ChargerSettings, PilotFault
from .pwm import LEAST_CURRENT_A, duty_for
from .shutdown import secure_ac_charger

SAMPLE_S = 0.25
"""Between two looks at current and residual current device."""
READING_INTERVAL_S = 1.0
OVERCURRENT = 1.1
"""A current this many times above the limit, plus 1 A, for `OVERCURRENT_S`, ends charging."""
OVERCURRENT_S = 5.0
"""A vehicle has 5 s to follow a lower limit, IEC 61851-1."""
ROUNDED_UP_W = 50.0
"""PMax is told so much higher: vehicles compare it with 3 x 230 V x 16 A."""


class AcCharger(Charger):
    """Implements `AcChargerControl`."""

    energy: Energy = "ac"

    def __init__(
        self,
        devices: AcChargerDevices,
        settings: ChargerSettings,
        scribe: Scribe,
        wall: Callable[[], float] | None = None,
    ) -> None:
        super().__init__(devices, settings, scribe, wall)
        self._devices = devices
        three = ("AC_three_phase_core", "AC_single_phase_core")
        self.modes = three if devices.outlet.phases == 3 else three[1:]
        most = devices.outlet.max_current
        self._offer = AcOffer(
            devices.outlet.nominal_voltage, min(most, settings.max_current or most), devices.outlet.phases
        )
        self._phases = devices.outlet.phases
        self._now_current = math.inf
        self._started = False
        self._switching = asyncio.Lock()
        self._seen = devices.pilot.view
        self._over_since: float | None = None

    async def secure(self) -> None:
        """The one safe way down."""
        self._started = False
        await secure_ac_charger(self._devices, self._scribe)

    # what the session asks

    def ac_offer(self) -> AcOffer:
        return self._offer

    def _full_power(self, mode: str) -> float:
        self._phases = 1 if mode == "AC_single_phase_core" else self._offer.phases
        power = self._offer.nominal_voltage * self._offer.max_current * self._phases + ROUNDED_UP_W
        return min(power, self._settings.max_power or power)

    async def agree_ac(self, limits: AcVehicleLimits) -> None:
        if min(limits.max_current, limits.max_voltage, limits.min_current) < 0:
            raise Refused("the vehicle's limits are negative", "FAILED_WrongChargeParameter")
        if limits.min_current > self._offer.max_current:
            told = f"{limits.min_current:g} A, we give {self._offer.max_current:g} A"
            raise Refused(f"the vehicle needs at least {told}", "FAILED_WrongChargeParameter")

    async def start(self) -> None:
        """Wait for state C or D, close the contactor; both confirmed."""
        if self._devices.outlet.rcd_tripped:
            raise Refused("the residual current device has tripped", "FAILED_PowerDeliveryNotApplied")
        if self._devices.imagine_state is not None:
            self._devices.imagine_state(PilotState.C)
        while self._devices.pilot.view.state not in POWERED:
            await self._devices.pilot.changed()
        try:
            await self._contactor(True)
        except DeviceError as error:
            raise Refused(str(error), "FAILED_ContactorError") from error
        if not self._devices.contactor.closed:
            raise Refused("the contactor does not confirm that it closed", "FAILED_ContactorError")
        self._started = True

    async def stop(self) -> None:
        self._started = False
        await self._contactor(False)

    def ac_limit(self) -> float:
        """What the vehicle may draw now, A a phase. Refused when it was asked to stop and does not."""
        self._obeyed()
        return self._limit()

    def _limit(self) -> float:
        """The least of offer, operator's limit and schedule; below 6 A nothing."""
        planned = self._planned_power() / (self._offer.nominal_voltage * self._phases)
        self._read()
        limit = min(self._offer.max_current, self._now_current, planned)
        return limit if limit >= LEAST_CURRENT_A else 0.0

    def rcd_tripped(self) -> bool:
        return self._devices.outlet.rcd_tripped

    async def finished(self) -> None:
        await self._contactor(False)

    # charging by the duty cycle alone

    async def serve_basic(self) -> str:
        """Charge by the duty cycle alone until the vehicle is unplugged or we are asked to stop; why it ended."""
        self._scribe.note("charging by the pilot's duty cycle, without digital communication")
        pilot = self._devices.pilot
        self._started = True
        limit = -1.0
        while pilot.view.state is not PilotState.A:
            if self._stop:
                await pilot.set_duty(None)
                await self._pilot_in((PilotState.B, PilotState.A), 3.0)
                await self.stop()
                return self._stop
            if (now := self._limit()) != limit:
                limit = now
                await pilot.set_duty(duty_for(limit))
            await self._look()
        await self.stop()
        return "unplugged"

    # what the user and the world ask

    def limit(self, max_current: float | None = None) -> None:
        """Give less from now on, A a phase; None: as much as was offered. Vehicles are told in the charge loop."""
        self._now_current = math.inf if max_current is None else max_current

    async def watch_pilot(self) -> None:
        """Return never; PilotFault when charging must end: unplugged, state E or F, too much current, residual
        current. State B opens the contactor and the session lives on."""
        while True:
            self._unplugged_or_faulty(self._devices.pilot.view.state)
            await self._look()

    # helpers

    async def _look(self) -> None:
        """The contactor follows the pilot, current and residual current are judged; returns at the next change, at
        the latest after `SAMPLE_S`. Raises PilotFault."""
        outlet, pilot = self._devices.outlet, self._devices.pilot
        view = pilot.view
        if view != self._seen:
            self._seen = view
            self._scribe(Pilot(state=view.state.value, duty_percent=view.duty_percent))
        await self._follow(view.state)
        if outlet.rcd_tripped and self._devices.contactor.closed:
            await self._contactor(False)
            raise PilotFault("the residual current device has tripped")
        amperes, allowed = outlet.current.value, self._limit()
        over = amperes > allowed * OVERCURRENT + 1
        self._over_since = (self._over_since or self._now()) if over else None
        if self._over_since is not None and self._now() - self._over_since > OVERCURRENT_S:
            raise PilotFault(f"the vehicle draws {amperes:.0f} A, allowed are {allowed:.0f} A")
        try:
            async with asyncio.timeout(SAMPLE_S):
                await pilot.changed()
        except TimeoutError:
            return

    async def _follow(self, state: PilotState) -> None:
        """The contactor follows the vehicle: closed in C and D, open in B."""
        if self._started and (state in POWERED) != self._devices.contactor.closed:
            await self._contactor(state in POWERED)

    async def _contactor(self, close: bool) -> None:
        contactor = self._devices.contactor
        async with self._switching:
            if close == contactor.closed:
                return
            await (contactor.close() if close else contactor.open())
            self._scribe(Switch(device="contactor", state="closed" if contactor.closed else "open"))

    def _read(self) -> None:
        """Read the meter; record a reading, at most one each `READING_INTERVAL_S`."""
        self.energy_wh = self._devices.outlet.energy_wh
        now = self._now()
        if now >= self._reading_due:
            self._reading_due = now + READING_INTERVAL_S
            self._scribe(
                Reading(
                    voltage=round(self._offer.nominal_voltage, 1),
                    current=round(self._devices.outlet.current.value, 1),
                    energy_wh=round(self.energy_wh, 1),
                )
            )
