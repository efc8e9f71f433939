"""The vehicle's session in ISO 15118-2, DC."""

from __future__ import annotations

from typing import Any

from ..control import Demand
from ..evcc_dc import DcPhases
from ..session import PeerWrong
from . import messages as m
from .ev import VehicleSession
from .values import VALUES


class DcVehicleSession(DcPhases, VehicleSession):
    """One DC session."""

    values = VALUES

    _offer: Any = None

    def _heed(self, status: Any) -> None:
        self._notified(status)
        shutdown = status.EVSEStatusCode == m.DC_EVSEStatusCode.EVSE_Shutdown
        if shutdown and self._now() < self._stop_by < float("inf"):
            return  # told with a delay: the loop ends in time
        super()._heed(status)

    async def _parameters(self) -> None:
        response = await self._discover(
            lambda: VALUES.parameter_of(self._control.limits(), self._status(), DepartureTime=self._control.departure())
        )
        self._offer = VALUES.offer_of(response.EVSEChargeParameter)
        self._choose_plan(response.SASchedules, self._offer.max_power)

    def _parameter_status(self, parameter: Any) -> Any:
        if not isinstance(parameter, m.DC_EVSEChargeParameter):
            raise PeerWrong("ChargeParameterDiscoveryRes without DC parameters")
        return parameter.DC_EVSEStatus

    async def _power_on(self, *, first: bool) -> None:
        if first:
            await self._answered(self._control.prepare(self._offer), "lock and state C")
        await self._cable_check()
        await self._precharge()
        self._energised = True
        self._heed(await self._power_delivery(m.chargeProgress.Start))

    def _power_parameter(self, *, complete: bool) -> m.DC_EVPowerDeliveryParameter:
        return m.DC_EVPowerDeliveryParameter(
            DC_EVStatus=self._status(), BulkChargingComplete=False, ChargingComplete=complete
        )

    async def _turn(self) -> None:
        await self._current_demand(self._control.demand())
        await self._pace(self._pacing.charging)

    async def _current_demand(self, demand: Demand) -> Any:
        response = await super()._current_demand(demand)
        if (status := await self._receipt(response)) is not None:
            self._heed(status)
        return response

    async def _power_off(self) -> None:
        await self._ramp_down()
        await self._power_delivery(m.chargeProgress.Stop)
        self._energised = False
        self._pass(806)
        await self._separate()
        await self._welding_detection()

    async def _make_safe(self) -> None:
        await self._separate()
