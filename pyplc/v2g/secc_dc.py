"""The DC answers of a charger's session, the same in DIN 70121 and ISO 15118-2: CableCheck, PreCharge, CurrentDemand,
WeldingDetection, and the pilot's part in them.
"""

from __future__ import annotations

from typing import Any, ClassVar

from .control import Refused
from .secc import LOOP, Answer, Secc
from .sequence import Outcome
from .values import Values

SHUTDOWN_PATIENCE = 10
"""Rounds of Ongoing with EVSE_Shutdown after which parameters are finished all the same: some cars poll on."""


class DcAnswers(Secc):
    """What the generations share; each builds its own status."""

    values: ClassVar[Values]
    gates: ClassVar[tuple[str, str]]
    """Requirements of the pilot: in state C or D before CableCheck, in state B after PowerDelivery stop."""

    def _status(self, code: Any, isolation: Any) -> Any:
        """DC_EVSEStatus of the generation, with what the charger has to notify."""
        raise NotImplementedError

    def _processing(self, done: bool) -> Any:
        return self.wire.EVSEProcessing.Finished if done else self.wire.EVSEProcessing.Ongoing

    async def _cable_check(self, request: Any) -> Answer:
        codes, isolation = self.wire.DC_EVSEStatusCode, self.wire.isolationLevel
        if self._control.stop_wanted():  # OK, Finished, EVSE_Shutdown, not FAILED [V2G-DC-891]
            self._asked_to_stop()
            return self._cable_check_res(codes.EVSE_Shutdown, isolation.Invalid, True)
        gate = self._timing.pilot_detection
        if not self._rules.deviations.no_pilot_gates and not await self._control.power_ready(gate.seconds):
            raise Refused(f"the pilot was not in state C or D within {gate} [{self.gates[0]}]")
        self._pass(561)
        done = await self._processed("cable check", self._control.cable_check, self._timing.cable_check_performance)
        if done:
            return self._cable_check_res(codes.EVSE_Ready, isolation.Valid, True)
        return self._cable_check_res(codes.EVSE_IsolationMonitoringActive, isolation.Invalid, False)

    def _cable_check_res(self, code: Any, isolation: Any, done: bool) -> Answer:
        response = self.wire.CableCheckRes(
            ResponseCode=self.wire.responseCode.OK,
            DC_EVSEStatus=self._status(code, isolation),
            EVSEProcessing=self._processing(done),
        )
        return response, LOOP[done]

    async def _precharge(self, request: Any) -> Answer:
        voltage = await self._control.precharge(float(request.EVTargetVoltage), float(request.EVTargetCurrent))
        response = self.wire.PreChargeRes(
            ResponseCode=self.wire.responseCode.OK,
            DC_EVSEStatus=self._power_status(),
            EVSEPresentVoltage=self.values.volt(voltage),
        )
        return response, Outcome.OK

    async def _welding_detection(self, request: Any) -> Answer:
        await self._state_b()
        voltage = await self._control.residual_voltage()
        response = self.wire.WeldingDetectionRes(
            ResponseCode=self.wire.responseCode.OK,
            DC_EVSEStatus=self._status(self.wire.DC_EVSEStatusCode.EVSE_NotReady, self.wire.isolationLevel.Valid),
            EVSEPresentVoltage=self.values.volt(voltage),
        )
        return response, Outcome.OK

    async def _state_b(self) -> None:
        gate = self._timing.pilot_detection
        if not self._rules.deviations.no_pilot_gates and not await self._control.power_left(gate.seconds):
            raise Refused(f"the pilot was not back in state B within {gate} [{self.gates[1]}]")

    def _power_status(self) -> Any:
        """Ready, or Shutdown when the charger wants to stop."""
        codes, isolation = self.wire.DC_EVSEStatusCode, self.wire.isolationLevel
        if self._control.stop_wanted():
            self._asked_to_stop()
            return self._status(codes.EVSE_Shutdown, isolation.Valid)
        return self._status(codes.EVSE_Ready, isolation.Valid)
