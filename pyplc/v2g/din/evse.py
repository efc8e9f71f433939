"""The charger's session in DIN 70121: it reacts, and `sequence.SEQUENCE` says to what.

Each handler turns one request into a response and an outcome; it asks the charger (`ChargerControl`) and nobody else.
Order of checks: decodable, session id, sequence, content. Whatever is FAILED ends the session: the answer is sent, the
connection closed, and the station shuts down.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, NamedTuple

from ...record import Message, Scribe
from ...v2gtp import Payload, PayloadType
from ..control import ChargerControl, Demand, Refused
from ..session import Ended, PeerGone, PeerWrong, StationRefused, TimedOut, Timer, name_of
from ..stream import Channel, Closed
from . import messages as m
from . import responses
from .messages import DC_EVSEStatusCode as Code
from .messages import isolationLevel, responseCode
from .sequence import Outcome, State, admitted
from .timing import ChargerTiming
from .values import limits_of, volt

ONGOING_GRACE_S = 0.02
"""How long an answer waits for a slow control port before it says Ongoing."""
SHUTDOWN_PATIENCE = 10
"""Rounds of Ongoing with EVSE_Shutdown after which parameters are finished all the same: some cars poll on."""

Answer = tuple[Any, Outcome]


class Switches(NamedTuple):
    """Deviations from the letter, each by name."""

    stop_in_loop: bool = True
    """Accept SessionStopReq while power is on (power is switched off first)."""
    pilot_gates: bool = True
    """Demand state C/D for CableCheck and state B after PowerDelivery stop [V2G-DC-967, V2G-DC-556]."""


class ChargerSession:
    """One session, from the first SessionSetupReq to the closed connection.

    `rng` gives the session id; `setup_by` is the loop time by which SessionSetupRes must be sent, None for no limit.
    """

    protocol = "din"

    def __init__(
        self,
        channel: Channel,
        control: ChargerControl,
        scribe: Scribe,
        timing: ChargerTiming,
        rng: random.Random,
        switches: Switches = Switches(),
        setup_by: float | None = None,
    ) -> None:
        self._channel = channel
        self._control = control
        self._scribe = scribe
        self._timing = timing
        self._switches = switches
        self._rng = rng
        self.state = State.SESSION_SETUP
        self.session_id = b""
        self._limits: dict[Timer, float] = {}
        if setup_by is not None:
            self._limits[timing.communication_setup] = setup_by
        self._slow: dict[str, asyncio.Task[None]] = {}
        self._promised: dict[str, float] = {}
        self._passed: set[int] = set()
        self._shutdown_rounds = 0
        self._reason = "the vehicle ended the session"
        self._handlers: dict[type, Callable[[Any], Awaitable[Answer]]] = {
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

    async def run(self) -> Ended:
        """Serve until SessionStop; raises a SessionError for every other end. The caller makes the station safe."""
        try:
            while self.state is not State.END:
                await self._turn()
            await self._control.finished()
            if not await self._channel.wait_closed(self._timing.close.seconds):
                self._scribe.note(f"{self._timing.close}: the vehicle left the connection open, closing it")
            return Ended(self._reason)
        finally:
            for task in self._slow.values():
                task.cancel()
            await self._channel.close()

    async def _turn(self) -> None:
        payload = await self._receive()
        received = self._now()
        request = self._decode(payload)
        try:
            response, outcome = await self._answer(request)
        except Refused as refusal:
            self._refuse(request, refusal.code)
            raise StationRefused(f"{name_of(request)} refused with {refusal.code}: {refusal}") from refusal
        self._watch_performance(request, self._now() - received)
        self._send(response)
        self._follow(request, outcome)

    # receiving

    async def _receive(self) -> Payload:
        powered = self.state in (State.READY, State.CHARGING)
        try:
            if powered:
                try:
                    return await self._channel.receive(self._timing.set_point.seconds)
                except TimeoutError:
                    self._scribe.note(f"{self._timing.set_point}: no CurrentDemandReq, current to zero", "warning")
                    await self._control.hold()
            timer, seconds = self._patience()
            if powered:
                seconds -= self._timing.set_point.seconds
            return await self._channel.receive(max(seconds, 0))
        except TimeoutError:
            timer, _ = self._patience()
            raise TimedOut(timer, f"the next request in phase {self.state.value}") from None
        except Closed as closed:
            raise PeerGone(f"{closed} in phase {self.state.value}") from closed

    def _patience(self) -> tuple[Timer, float]:
        """The timer that expires first, and in how many seconds."""
        sequence = self._timing.sequence
        if not self._limits:
            return sequence, sequence.seconds
        timer, at = min(self._limits.items(), key=lambda item: item[1])
        remaining = at - self._now()
        return (timer, remaining) if remaining < sequence.seconds else (sequence, sequence.seconds)

    def _decode(self, payload: Payload) -> Any:
        if payload.type != PayloadType.EXI:
            raise PeerWrong(f"V2GTP payload type {payload.type:#06x} in a DIN session")
        try:
            message = m.decode(payload.data)
        except m.ExiError as error:
            self._scribe(Message(direction="rx", protocol=self.protocol, name="?", exi=payload.data))
            raise PeerWrong(f"a request that cannot be decoded: {error}") from error
        body = message.Body.BodyElement
        self._scribe(Message(direction="rx", protocol=self.protocol, name=name_of(body), exi=payload.data, body=body))
        if self.state is not State.SESSION_SETUP and message.Header.SessionID != self.session_id:
            self._refuse(body, "FAILED_UnknownSession")
            theirs = message.Header.SessionID.hex() or "(empty)"
            raise PeerWrong(f"{name_of(body)} with session id {theirs}, ours is {self.session_id.hex()} [V2G-DC-391]")
        return body

    async def _answer(self, request: Any) -> Answer:
        stopping = self._control.stop_wanted() is not None
        outcomes = admitted(self.state, type(request), stop_in_loop=self._switches.stop_in_loop, stopping=stopping)
        if outcomes is None:
            self._refuse(request, "FAILED_SequenceError")
            raise PeerWrong(f"{name_of(request)} in phase {self.state.value} is out of sequence [V2G-DC-390]")
        response, outcome = await self._handlers[type(request)](request)
        if outcome not in outcomes:
            self._refuse(request, "FAILED")
            raise PeerWrong(f"{name_of(request)} ({outcome.value}) in phase {self.state.value} is out of sequence")
        self.state = outcomes[outcome]
        return response, outcome

    # sending

    def _send(self, body: Any) -> None:
        data = m.encode(body, self.session_id)
        self._scribe(Message(direction="tx", protocol=self.protocol, name=name_of(body), exi=data, body=body))
        try:
            self._channel.send(PayloadType.EXI, data)
        except Closed as closed:
            raise PeerGone(f"{closed} before {name_of(body)} could be sent") from closed

    def _refuse(self, request: Any, code: str) -> None:
        response = responses.refusal(request, getattr(responseCode, code, responseCode.FAILED))
        if response is not None:
            self._send(response)

    def _watch_performance(self, request: Any, took: float) -> None:
        fast = isinstance(request, m.CurrentDemandReq)
        promise = self._timing.current_demand_performance if fast else self._timing.message_performance
        if took > promise.seconds:
            self._scribe.note(f"{promise}: {name_of(request)} was answered after {took * 1000:.0f} ms", "warning")

    def _follow(self, request: Any, outcome: Outcome) -> None:
        """Timers and checkpoints that hang on a response having been sent."""
        kind = type(request)
        if kind is m.SessionSetupReq:
            self._limits.pop(self._timing.communication_setup, None)
        elif kind is m.PreChargeReq:
            self._limits.setdefault(self._timing.power_delivery, self._now() + self._timing.power_delivery.seconds)
        elif kind is m.PowerDeliveryReq:
            self._limits.pop(self._timing.power_delivery, None)
        elif kind is m.WeldingDetectionReq:
            timer = self._timing.welding_detection
            self._limits.setdefault(timer, self._now() + timer.seconds)
        number = _CHECKPOINTS.get((kind, outcome))
        if number is not None and number not in self._passed:
            self._passed.add(number)
            self._scribe.checkpoint(number)

    # handlers, in the order of the sequence

    async def _session_setup(self, request: m.SessionSetupReq) -> Answer:
        self._control.vehicle(request.EVCCID)
        self.session_id = self._rng.getrandbits(64).to_bytes(8, "big")
        code = responseCode.OK_NewSessionEstablished
        return m.SessionSetupRes(
            ResponseCode=code, EVSEID=self._control.evse_id or responses.UNKNOWN_EVSE_ID
        ), Outcome.OK

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
        return (
            m.ContractAuthenticationRes(ResponseCode=responseCode.OK, EVSEProcessing=_PROCESSING[done]),
            _LOOP[done],
        )

    async def _parameters(self, request: m.ChargeParameterDiscoveryReq) -> Answer:
        parameter = request.EVChargeParameter
        if not isinstance(parameter, m.DC_EVChargeParameter):
            raise Refused("AC parameters at a DC charger", "FAILED_WrongChargeParameter")
        if request.EVRequestedEnergyTransferType not in _DC_MODES:
            raise Refused("only DC is offered", "FAILED_WrongEnergyTransferType")
        limits, soc = limits_of(parameter), parameter.DC_EVStatus.EVRESSSOC
        done = await self._processed(
            "parameters", lambda: self._control.agree(limits, soc), self._timing.ongoing_performance
        )
        code = Code.EVSE_Ready
        if self._control.stop_wanted():
            self._shutdown_rounds += 1
            code, done = Code.EVSE_Shutdown, self._shutdown_rounds > SHUTDOWN_PATIENCE
        evse_status = responses.status(code, isolationLevel.Invalid)
        offer = self._control.offer()
        return responses.parameters(responseCode.OK, _PROCESSING[done], offer, evse_status), _LOOP[done]

    async def _cable_check(self, request: m.CableCheckReq) -> Answer:
        if self._control.stop_wanted():  # OK, Finished, EVSE_Shutdown, not FAILED [V2G-DC-891]
            return self._cable_check_res(Code.EVSE_Shutdown, isolationLevel.Invalid, True)
        gate = self._timing.pilot_detection
        if self._switches.pilot_gates and not await self._control.power_ready(gate.seconds):
            raise Refused(f"the pilot was not in state C or D within {gate}")
        self._pass(561)
        done = await self._processed("cable check", self._control.cable_check, self._timing.cable_check_performance)
        if done:
            return self._cable_check_res(Code.EVSE_Ready, isolationLevel.Valid, True)
        return self._cable_check_res(Code.EVSE_IsolationMonitoringActive, isolationLevel.Invalid, False)

    def _cable_check_res(self, code: Code, isolation: isolationLevel, done: bool) -> Answer:
        response = m.CableCheckRes(
            ResponseCode=responseCode.OK,
            DC_EVSEStatus=responses.status(code, isolation),
            EVSEProcessing=_PROCESSING[done],
        )
        return response, _LOOP[done]

    async def _precharge(self, request: m.PreChargeReq) -> Answer:
        voltage = await self._control.precharge(float(request.EVTargetVoltage), float(request.EVTargetCurrent))
        response = m.PreChargeRes(
            ResponseCode=responseCode.OK, DC_EVSEStatus=self._power_status(), EVSEPresentVoltage=volt(voltage)
        )
        return response, Outcome.OK

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
        given = await self._control.deliver(
            Demand(float(request.EVTargetVoltage), float(request.EVTargetCurrent), request.ChargingComplete)
        )
        return responses.current_demand(responseCode.OK, given, self._power_status()), Outcome.OK

    async def _welding_detection(self, request: m.WeldingDetectionReq) -> Answer:
        await self._state_b()
        voltage = await self._control.residual_voltage()
        response = m.WeldingDetectionRes(
            ResponseCode=responseCode.OK,
            DC_EVSEStatus=responses.status(Code.EVSE_NotReady),
            EVSEPresentVoltage=volt(voltage),
        )
        return response, Outcome.OK

    async def _session_stop(self, request: m.SessionStopReq) -> Answer:
        if self.state is State.STOPPED:
            await self._state_b()
        else:
            self._reason = f"the vehicle ended the session in phase {self.state.value}"
            await self._control.stop()
        if reason := self._control.stop_wanted():
            self._reason = reason
        return m.SessionStopRes(ResponseCode=responseCode.OK), Outcome.OK

    # shared by handlers

    async def _state_b(self) -> None:
        gate = self._timing.pilot_detection
        if self._switches.pilot_gates and not await self._control.power_left(gate.seconds):
            raise Refused(f"the pilot was not back in state B within {gate} [V2G-DC-556]")

    def _power_status(self) -> m.DC_EVSEStatus:
        if reason := self._control.stop_wanted():
            if 790 not in self._passed:
                self._scribe.note(f"asking the vehicle to stop: {reason}")
            self._pass(790)
            return _SHUTDOWN
        return _READY

    async def _processed(self, name: str, ask: Callable[[], Coroutine[Any, Any, None]], limit: Timer) -> bool:
        """True when the control port has answered; False while it works (Ongoing). Refused when the limit is over."""
        task = self._slow.get(name)
        if task is None:
            task = self._slow[name] = asyncio.ensure_future(ask())
            self._promised[name] = self._now() + limit.seconds
        elif not task.done() and self._now() >= self._promised[name]:
            raise Refused(f"{limit} expired during {name}")
        if not task.done():
            await asyncio.wait({task}, timeout=ONGOING_GRACE_S)
        if not task.done():
            return False
        task.result()
        return True

    def _pass(self, number: int) -> None:
        if number not in self._passed:
            self._passed.add(number)
            self._scribe.checkpoint(number)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


_PROCESSING = {True: m.EVSEProcessing.Finished, False: m.EVSEProcessing.Ongoing}
_LOOP = {True: Outcome.FINISHED, False: Outcome.ONGOING}
_READY = responses.status(Code.EVSE_Ready)
_SHUTDOWN = responses.status(Code.EVSE_Shutdown)
_DC_MODES = (
    m.EVRequestedEnergyTransfer.DC_core,
    m.EVRequestedEnergyTransfer.DC_extended,
    m.EVRequestedEnergyTransfer.DC_combo_core,
    m.EVRequestedEnergyTransfer.DC_unique,
)
_CHECKPOINTS: dict[tuple[type, Outcome], int] = {
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
