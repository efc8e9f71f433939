"""The DC phases of a vehicle's session, the same in DIN 70121 and ISO 15118-2:

[lock, state C] - CableCheck (loop) - PreCharge (loop) - [contactors] - PowerDelivery start - CurrentDemand (loop)
- PowerDelivery stop - [state B, contactors] - WeldingDetection (loop)
"""

from __future__ import annotations

from typing import Any, ClassVar

from .control import Demand
from .evcc import Evcc
from .session import PeerFailed, StopAsked, TimedOut
from .values import Values


class DcPhases(Evcc):
    """What the generations share; each sends its own PowerDeliveryReq and reads its own status."""

    values: ClassVar[Values]

    def _heed(self, status: Any) -> None:
        """What DC_EVSEStatus asks for: StopAsked, or a SessionError on an emergency."""
        code = status.EVSEStatusCode
        codes = self.wire.DC_EVSEStatusCode
        if code == codes.EVSE_Shutdown:
            raise StopAsked("the charger asked to stop (EVSE_Shutdown)")
        emergencies = [codes.EVSE_EmergencyShutdown]
        if self._rules.deviations.malfunction_ends:
            emergencies += [codes.EVSE_Malfunction, codes.EVSE_UtilityInterruptEvent]
        if code in emergencies:
            raise PeerFailed(f"the charger reports {codes(code).name}")

    def _status(self) -> Any:
        return self.values.status(self._control.status())

    def _while_ongoing(self, response: Any) -> None:
        if isinstance(response, self.wire.CableCheckRes):
            self._heed(response.DC_EVSEStatus)

    async def _cable_check(self) -> None:
        m = self.wire
        response = await self._ongoing(
            lambda: m.CableCheckReq(DC_EVStatus=self._status()),
            m.CableCheckRes,
            self._pacing.cable_check,
            self._timing.cable_check,
        )
        self._heed(response.DC_EVSEStatus)
        if response.DC_EVSEStatus.EVSEIsolationStatus == m.isolationLevel.Fault:
            raise PeerFailed("CableCheckRes: the charger finished with isolation fault")

    async def _precharge(self) -> None:
        """Until inlet and battery agree; then the contactors close."""
        m, v = self.wire, self.values
        until = self._now() + self._timing.precharge.seconds
        while True:
            demand = self._control.precharge_demand()
            request = m.PreChargeReq(
                DC_EVStatus=self._status(),
                EVTargetVoltage=v.volt(demand.voltage),
                EVTargetCurrent=v.ampere(demand.current),
            )
            response = await self._request(request, m.PreChargeRes)
            self._heed(response.DC_EVSEStatus)
            voltage = float(response.EVSEPresentVoltage)
            if self._control.precharged(voltage):
                self._pass(581)
                break
            if self._now() >= until:
                raise TimedOut(self._timing.precharge, f"{demand.voltage:.0f} V, the charger is at {voltage:.0f} V")
            await self._pace(self._pacing.precharge)
        await self._answered(self._control.close_contactors(), "closed contactors")

    async def _current_demand(self, demand: Demand) -> Any:
        """One turn of the charge loop; the response, already judged."""
        limits = self._control.limits()
        request = self.values.demand(demand, limits, self._status())
        response = await self._request(request, self.wire.CurrentDemandRes)
        self._control.observe(self.values.delivered_of(response, limits.max_voltage, limits.max_current))
        self._heed(response.DC_EVSEStatus)
        return response

    async def _ramp_down(self) -> None:
        """Demand 0 A until the current is gone, as long as the timer allows; a charger in Shutdown needs no asking."""
        until = self._now() + self._timing.ramp_down.seconds
        while not await self._control.ramp_down():
            if self._now() >= until:
                self._scribe.note(f"{self._timing.ramp_down}: current still flows, stopping all the same", "warning")
                return
            try:
                await self._current_demand(self._control.demand()._replace(current=0.0))
            except StopAsked:
                return
            await self._pace(self._pacing.charging)

    async def _separate(self) -> None:
        """State B, contactors open."""
        await self._answered(self._control.power_off(), "state B")
        await self._answered(self._control.open_contactors(), "open contactors")

    async def _welding_detection(self) -> None:
        """Judge by time, not by count: some outlets discharge slowly, and a refusal must not stop SessionStop."""
        if self._rules.deviations.no_welding_detection:
            return
        m = self.wire
        until = self._now() + self._timing.welding.seconds
        while self._now() < until:
            try:
                response = await self._request(m.WeldingDetectionReq(DC_EVStatus=self._status()), m.WeldingDetectionRes)
            except (PeerFailed, TimedOut) as failed:
                self._scribe.note(f"welding detection given up: {failed}", "warning")
                return
            if self._control.welding_checked(float(response.EVSEPresentVoltage)):
                return
            await self._pace(self._pacing.welding)
        self._scribe.note(f"{self._timing.welding}: the voltage stayed; contactors may be welded", "warning")
