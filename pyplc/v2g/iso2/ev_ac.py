"""The vehicle's session in ISO 15118-2, AC: the pilot's duty cycle and EVSEMaxCurrent together limit the current."""

from __future__ import annotations

import asyncio
from typing import Any

from ..session import PeerWrong, StopAsked, TimedOut
from . import messages as m
from .ev import VehicleSession
from .values import ac_offer_of, ac_parameter


class AcVehicleSession(VehicleSession):
    """One AC session."""

    _offer: Any = None

    async def _parameters(self) -> None:
        response = await self._discover(lambda: ac_parameter(self._control.ac_limits(), self._control.departure()))
        offer = self._offer = ac_offer_of(response.EVSEChargeParameter, m.EnergyTransferMode(self._mode).name)
        self._choose_plan(response.SASchedules, offer.nominal_voltage * offer.max_current * offer.phases)

    def _parameter_status(self, parameter: Any) -> Any:
        if not isinstance(parameter, m.AC_EVSEChargeParameter):
            raise PeerWrong("ChargeParameterDiscoveryRes without AC parameters")
        return parameter.AC_EVSEStatus

    async def _power_on(self, *, first: bool) -> None:
        """The charger answers when its contactor is closed, and it closes it on state C or D [V2G2-847, V2G2-860]."""
        if first:
            await self._answered(self._control.prepare_ac(self._offer), "lock")
        self._energised = True
        pilot = asyncio.ensure_future(self._state_c()) if first else None
        try:
            status = await self._power_delivery(m.chargeProgress.Start)
            if pilot is not None:
                await pilot
        finally:
            if pilot is not None:
                pilot.cancel()
        self._heed(status)

    async def _state_c(self) -> None:
        timer = self._timing.power_state
        assert timer is not None  # every table of ISO 15118-2 has it
        try:
            async with asyncio.timeout(timer.seconds):
                await self._control.power_on_ac()
        except TimeoutError:
            raise TimedOut(timer, "state C of our own station") from None

    async def _turn(self) -> None:
        response = await self._request(m.ChargingStatusReq(), m.ChargingStatusRes)
        status = response.AC_EVSEStatus
        limit = None if response.EVSEMaxCurrent is None else float(response.EVSEMaxCurrent)
        await self._control.draw(limit, status.RCD)
        self._heed(await self._receipt(response) or status)
        await self._pace(self._pacing.charging_status)

    def _heed(self, status: Any) -> None:
        if not isinstance(status, m.AC_EVSEStatus):
            raise PeerWrong("a DC status in an AC session")
        if status.RCD and self._energised and self._rules.deviations.malfunction_ends:
            raise StopAsked("the charger reports that its residual current device has tripped")
        self._notified(status)

    async def _power_off(self) -> None:
        """No more current, state B before the contactor opens, then PowerDelivery stop [V2G2-848]."""
        await self._answered(self._control.stop_drawing(), "end of the current")
        await self._answered(self._control.power_off(), "state B")
        await self._power_delivery(m.chargeProgress.Stop)
        self._energised = False
        self._pass(806)

    async def _make_safe(self) -> None:
        await self._control.power_off()
