"""The charger's session in ISO 15118-2, AC."""

from __future__ import annotations

import asyncio
from typing import Any

from ..control import Refused
from ..secc import Answer, Handler
from ..sequence import Outcome
from . import messages as m
from . import responses
from .evse import ChargerSession
from .messages import responseCode
from .sequence import AC_SEQUENCE
from .values import ac_limits_of


class AcChargerSession(ChargerSession):
    """One AC session."""

    table = AC_SEQUENCE
    powered = frozenset()

    def _handling(self) -> dict[type, Handler]:
        return {**super()._handling(), m.ChargingStatusReq: self._charging_status}

    async def _agreed(self, parameter: Any) -> bool:
        if not isinstance(parameter, m.AC_EVChargeParameter):
            raise Refused("DC parameters for an AC mode [V2G2-477]", "FAILED_WrongChargeParameter")
        limits = ac_limits_of(parameter)
        return await self._processed(
            "parameters", lambda: self._control.agree_ac(limits), self._timing.ongoing_performance
        )

    def _parameter(self, done: bool) -> m.AC_EVSEChargeParameter:
        return responses.ac_parameter(self._control.ac_offer(), self._power_status())

    def _power_status(self) -> m.AC_EVSEStatus:
        return responses.ac_status(self._control.rcd_tripped(), self._notice())

    async def _start(self) -> None:
        timer = self._timing.contactor
        assert timer is not None  # every table of ISO 15118-2 has it
        try:
            async with asyncio.timeout(timer.seconds):
                await self._control.start()
        except TimeoutError:
            raise Refused(f"{timer}: it stayed open", "FAILED_ContactorError") from None

    async def _charging_status(self, request: m.ChargingStatusReq) -> Answer:
        outcome = self._loop_outcome()
        response = responses.charging_status(
            responseCode.OK,
            self._control.evse_name,
            self._schedule.id if self._schedule else 1,
            self._control.ac_limit(),
            self._control.meter(),
            outcome is Outcome.RECEIPT,
            self._power_status(),
        )
        return response, outcome
