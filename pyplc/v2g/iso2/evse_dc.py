"""The charger's session in ISO 15118-2, DC."""

from __future__ import annotations

from typing import Any

from ..control import Refused
from ..secc import Answer, Handler
from ..secc_dc import SHUTDOWN_PATIENCE, DcAnswers
from ..sequence import Outcome
from . import messages as m
from . import responses
from .evse import ChargerSession
from .messages import isolationLevel, responseCode
from .responses import Code
from .sequence import DC_SEQUENCE, State
from .values import VALUES, meter_info


class DcChargerSession(DcAnswers, ChargerSession):
    """One DC session."""

    table = DC_SEQUENCE
    values = VALUES
    gates = ("V2G2-917", "V2G2-920")
    powered = frozenset({State.READY, State.CHARGING, State.METERING})

    _shutdown_rounds = 0

    def _handling(self) -> dict[type, Handler]:
        return {
            **super()._handling(),
            m.CableCheckReq: self._cable_check,
            m.PreChargeReq: self._precharge,
            m.CurrentDemandReq: self._current_demand,
            m.WeldingDetectionReq: self._welding_detection,
        }

    async def _agreed(self, parameter: Any) -> bool:
        if not isinstance(parameter, m.DC_EVChargeParameter):
            raise Refused("AC parameters for a DC mode [V2G2-477]", "FAILED_WrongChargeParameter")
        limits, soc = VALUES.limits_of(parameter), parameter.DC_EVStatus.EVRESSSOC
        done = await self._processed(
            "parameters", lambda: self._control.agree(limits, soc), self._timing.ongoing_performance
        )
        if self._control.stop_wanted():
            self._shutdown_rounds += 1
            return self._shutdown_rounds > SHUTDOWN_PATIENCE
        return done

    def _parameter(self, done: bool) -> m.DC_EVSEChargeParameter:
        code = Code.EVSE_Shutdown if self._control.stop_wanted() else Code.EVSE_Ready
        return VALUES.offer(self._control.offer(), self._status(code, isolationLevel.Invalid))  # type: ignore[no-any-return]

    def _status(self, code: Any, isolation: Any) -> m.DC_EVSEStatus:
        return responses.dc_status(code, isolation, self._notice())

    async def _cable_check(self, request: m.CableCheckReq) -> Answer:
        if self._live:  # renegotiation: the contactors are closed, no physical test
            return self._cable_check_res(Code.EVSE_Ready, isolationLevel.Valid, True)
        return await super()._cable_check(request)

    async def _renegotiate(self) -> None:
        await self._control.hold()
        await super()._renegotiate()

    async def _current_demand(self, request: m.CurrentDemandReq) -> Answer:
        given = await self._control.deliver(VALUES.demand_of(request))
        outcome = self._loop_outcome()
        response = VALUES.delivered(
            responseCode.OK,
            given,
            self._power_status(),
            EVSEID=self._control.evse_name,
            SAScheduleTupleID=self._schedule.id if self._schedule else 1,
            MeterInfo=meter_info(self._control.meter()),
            ReceiptRequired=True if outcome is Outcome.RECEIPT else None,
        )
        return response, outcome

    async def _before_the_end(self) -> None:
        await self._state_b()
