"""The charger's session in DIN 70121: it reacts, and `sequence.SEQUENCE` says to what.

Each handler turns one request into a response and an outcome; it asks the charger (`ChargerControl`) and nobody else.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any, ClassVar

from ..control import Refused
from ..secc import LOOP, Answer, Handler
from ..secc_dc import SHUTDOWN_PATIENCE, DcAnswers
from ..sequence import Outcome
from . import messages as m
from . import responses
from .messages import DC_EVSEStatusCode as Code
from .messages import isolationLevel, responseCode
from .sequence import State, admitted
from .values import VALUES

_DC_MODES = (
    m.EVRequestedEnergyTransfer.DC_core,
    m.EVRequestedEnergyTransfer.DC_extended,
    m.EVRequestedEnergyTransfer.DC_combo_core,
    m.EVRequestedEnergyTransfer.DC_unique,
)


class ChargerSession(DcAnswers):
    """One session, from the first SessionSetupReq to the closed connection."""

    protocol = "din"
    wire: ClassVar[Any] = m
    values = VALUES
    first, end = State.SESSION_SETUP, State.END
    powered = frozenset({State.READY, State.CHARGING})
    ids = ("V2G-DC-391", "V2G-DC-390")
    gates = ("V2G-DC-967", "V2G-DC-556")
    checkpoints: ClassVar = {
        (m.SessionSetupReq, Outcome.OK): 505,
        (m.ServiceDiscoveryReq, Outcome.OK): 515,
        (m.ServicePaymentSelectionReq, Outcome.OK): 525,
        (m.ContractAuthenticationReq, Outcome.ONGOING): 535,
        (m.ContractAuthenticationReq, Outcome.FINISHED): 538,
        (m.ChargeParameterDiscoveryReq, Outcome.FINISHED): 545,
        (m.CableCheckReq, Outcome.FINISHED): 565,
        (m.PreChargeReq, Outcome.OK): 575,
        (m.PowerDeliveryReq, Outcome.START): 605,
        (m.PowerDeliveryReq, Outcome.STOP): 805,
        (m.CurrentDemandReq, Outcome.OK): 705,
        (m.WeldingDetectionReq, Outcome.OK): 855,
        (m.SessionStopReq, Outcome.OK): 905,
    }

    _shutdown_rounds = 0

    def _handling(self) -> dict[type, Handler]:
        return {
            m.SessionSetupReq: self._session_setup,
            m.ServiceDiscoveryReq: self._service_discovery,
            m.ServicePaymentSelectionReq: self._payment_selection,
            m.ContractAuthenticationReq: self._authentication,
            m.ChargeParameterDiscoveryReq: self._parameters,
            m.CableCheckReq: self._cable_check,
            m.PreChargeReq: self._precharge,
            m.PowerDeliveryReq: self._power_delivery,
            m.CurrentDemandReq: self._current_demand,
            m.WeldingDetectionReq: self._welding_detection,
            m.SessionStopReq: self._session_stop,
        }

    def _admitted(self, request: type) -> Mapping[Outcome, enum.Enum] | None:
        stopping = self._control.stop_wanted() is not None
        return admitted(self.state, request, stop_in_loop=self._rules.deviations.stop_in_loop, stopping=stopping)

    def _refusal(self, request: Any, code: str) -> Any | None:
        return responses.refusal(request, getattr(responseCode, code, responseCode.FAILED))

    def _follow(self, request: type, outcome: Outcome) -> None:
        timing = self._timing
        if request is m.SessionSetupReq:
            self._unlimit(timing.communication_setup)
        elif request is m.PreChargeReq:
            self._limit(timing.power_delivery)
        elif request is m.PowerDeliveryReq:
            self._unlimit(timing.power_delivery)
        elif request is m.WeldingDetectionReq:
            self._limit(timing.welding_detection)

    def _status(self, code: Any, isolation: Any) -> m.DC_EVSEStatus:
        return responses.status(code, isolation)

    # handlers, in the order of the sequence

    async def _session_setup(self, request: m.SessionSetupReq) -> Answer:
        self._control.vehicle(request.EVCCID)
        self.session_id = self._new_session_id()
        code = responseCode.OK_NewSessionEstablished
        evse_id = self._control.evse_id or responses.UNKNOWN_EVSE_ID
        return m.SessionSetupRes(ResponseCode=code, EVSEID=evse_id), Outcome.OK

    async def _service_discovery(self, request: m.ServiceDiscoveryReq) -> Answer:
        return responses.service_discovery(responseCode.OK), Outcome.OK

    async def _payment_selection(self, request: m.ServicePaymentSelectionReq) -> Answer:
        if request.SelectedPaymentOption != m.paymentOption.ExternalPayment:
            raise Refused("payment by contract is not offered", "FAILED_PaymentSelectionInvalid")
        if [service.ServiceID for service in request.SelectedServiceList.SelectedService] != [1]:
            raise Refused("exactly one service, id 1, can be selected [V2G-DC-635]", "FAILED_ServiceSelectionInvalid")
        return m.ServicePaymentSelectionRes(ResponseCode=responseCode.OK), Outcome.OK

    async def _authentication(self, request: m.ContractAuthenticationReq) -> Answer:
        done = await self._processed("authorisation", self._control.authorise, self._timing.ongoing_performance)
        processing = self._processing(done)
        return m.ContractAuthenticationRes(ResponseCode=responseCode.OK, EVSEProcessing=processing), LOOP[done]

    async def _parameters(self, request: m.ChargeParameterDiscoveryReq) -> Answer:
        parameter = request.EVChargeParameter
        if not isinstance(parameter, m.DC_EVChargeParameter):
            raise Refused("AC parameters at a DC charger", "FAILED_WrongChargeParameter")
        if request.EVRequestedEnergyTransferType not in _DC_MODES:
            raise Refused("only DC is offered", "FAILED_WrongEnergyTransferType")
        limits, soc = VALUES.limits_of(parameter), parameter.DC_EVStatus.EVRESSSOC
        done = await self._processed(
            "parameters", lambda: self._control.agree(limits, soc), self._timing.ongoing_performance
        )
        code = Code.EVSE_Ready
        if self._control.stop_wanted():
            self._asked_to_stop()
            self._shutdown_rounds += 1
            code, done = Code.EVSE_Shutdown, self._shutdown_rounds > SHUTDOWN_PATIENCE
        evse_status = responses.status(code, isolationLevel.Invalid)
        offer = self._control.offer()
        return responses.parameters(responseCode.OK, self._processing(done), offer, evse_status), LOOP[done]

    async def _power_delivery(self, request: m.PowerDeliveryReq) -> Answer:
        if request.ReadyToChargeState:
            await self._control.start()
            outcome = Outcome.START
        else:
            await self._control.stop()
            outcome = Outcome.STOP
        response = m.PowerDeliveryRes(ResponseCode=responseCode.OK, EVSEStatus=self._power_status())
        return response, outcome

    async def _current_demand(self, request: m.CurrentDemandReq) -> Answer:
        given = await self._control.deliver(VALUES.demand_of(request))
        return VALUES.delivered(responseCode.OK, given, self._power_status()), Outcome.OK

    async def _session_stop(self, request: m.SessionStopReq) -> Answer:
        if self.state is State.STOPPED:
            await self._state_b()
        else:
            self._reason = f"the vehicle ended the session in phase {self.state.value}"
            await self._control.stop()
        if reason := self._control.stop_wanted():
            self._reason = reason
        return m.SessionStopRes(ResponseCode=responseCode.OK), Outcome.OK
