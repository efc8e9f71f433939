"""The charger's session in ISO 15118-2 with external identification: what DC and AC share.

It reacts, and the tables of `sequence` say to what. Each handler turns one request into a response and an outcome; it
asks the charger (`ChargerControl`) and nobody else.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any, ClassVar

from ..control import ChargerControl, Kept, Refused, Schedule, Service
from ..secc import LOOP, Answer, Handler, Secc
from ..sequence import Outcome, Table
from . import messages as m
from . import responses
from .messages import EVSENotification, responseCode
from .responses import CHARGE_SERVICE, Notice
from .sequence import State, admitted
from .values import exceeds, plan_of

PROFILE_TOLERANCE = 1.05
"""A profile this much above PMax is rounding, where profiles are taken loosely."""


class ChargerSession(Secc):
    """One session, from the first SessionSetupReq to the closed connection."""

    protocol = "iso2"
    wire: ClassVar[Any] = m
    first, end = State.SESSION_SETUP, State.END
    ids = ("V2G2-460", "V2G2-459")
    table: ClassVar[Table]
    checkpoints: ClassVar = {
        (m.SessionSetupReq, Outcome.OK): 505,
        (m.ServiceDiscoveryReq, Outcome.OK): 515,
        (m.PaymentServiceSelectionReq, Outcome.OK): 525,
        (m.AuthorizationReq, Outcome.ONGOING): 535,
        (m.AuthorizationReq, Outcome.FINISHED): 538,
        (m.ChargeParameterDiscoveryReq, Outcome.FINISHED): 545,
        (m.CableCheckReq, Outcome.FINISHED): 565,
        (m.PreChargeReq, Outcome.OK): 575,
        (m.PowerDeliveryReq, Outcome.START): 605,
        (m.PowerDeliveryReq, Outcome.STOP): 805,
        (m.CurrentDemandReq, Outcome.OK): 705,
        (m.ChargingStatusReq, Outcome.OK): 705,
        (m.WeldingDetectionReq, Outcome.OK): 855,
        (m.SessionStopReq, Outcome.OK): 905,
        (m.SessionStopReq, Outcome.PAUSE): 906,
    }

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._joined: Kept | None = None
        self._evccid = b""
        self._mode = ""
        self._schedules: tuple[Schedule, ...] = ()
        self._schedule: Schedule | None = None
        self._live = False
        """Power was started and not stopped: a renegotiation keeps the contactors closed."""
        self._receipt_due = self._rules.deviations.receipts_without_contract

    @property
    def _ac(self) -> bool:
        return bool(self._control.energy == "ac")

    def _handling(self) -> dict[type, Handler]:
        return {
            m.SessionSetupReq: self._session_setup,
            m.ServiceDiscoveryReq: self._service_discovery,
            m.ServiceDetailReq: self._service_detail,
            m.PaymentServiceSelectionReq: self._payment_selection,
            m.AuthorizationReq: self._authorization,
            m.ChargeParameterDiscoveryReq: self._parameters,
            m.PowerDeliveryReq: self._power_delivery,
            m.MeteringReceiptReq: self._metering_receipt,
            m.SessionStopReq: self._session_stop,
        }

    def _admitted(self, request: type) -> Mapping[Outcome, enum.Enum] | None:
        deviations = self._rules.deviations
        return admitted(
            self.table,
            self.state,
            request,
            stop_in_loop=deviations.stop_in_loop,
            stopping=self._control.stop_wanted() is not None,
            short=self._live and deviations.short_renegotiation,
        )

    def _refusal(self, request: Any, code: str) -> Any | None:
        build = responses.smallest(self._control.evse_name, ac=self._ac).get(type(request))
        return build(getattr(responseCode, code, responseCode.FAILED)) if build else None

    def _follow(self, request: type, outcome: Outcome) -> None:
        if request is m.SessionSetupReq:
            self._unlimit(self._timing.communication_setup)

    # handlers, in the order of the sequence

    async def _session_setup(self, request: m.SessionSetupReq) -> Answer:
        self._evccid = request.EVCCID
        self._control.vehicle(request.EVCCID)
        kept: Kept | None = self._control.kept
        if kept is not None and self._received_id == kept.session_id and kept.evccid == request.EVCCID:
            self._joined, self.session_id = kept, kept.session_id
            code = responseCode.OK_OldSessionJoined
            self._scribe.note(f"session {kept.session_id.hex()} is resumed after {self._now() - kept.since:.0f} s")
        else:
            self.session_id = self._new_session_id()
            code = responseCode.OK_NewSessionEstablished
        self._control.kept = None
        response = m.SessionSetupRes(
            ResponseCode=code, EVSEID=self._control.evse_name, EVSETimeStamp=self._control.timestamp()
        )
        return response, Outcome.OK

    async def _service_discovery(self, request: m.ServiceDiscoveryReq) -> Answer:
        listed = [s for s in self._listed() if request.ServiceCategory in (None, m.serviceCategory[s.category])]
        return responses.service_discovery(responseCode.OK, self._modes(), listed), Outcome.OK

    def _modes(self) -> tuple[str, ...]:
        """On resume only the kept mode is offered [V2G2-741]."""
        return (self._joined.mode,) if self._joined and self._joined.mode else self._control.modes

    def _listed(self) -> tuple[Service, ...]:
        """Value-added services are offered over TLS only [V2G2-422]."""
        return self._control.services if self._rules.deviations.services_without_tls else ()

    async def _service_detail(self, request: m.ServiceDetailReq) -> Answer:
        known = {service.id: service for service in self._listed()}
        known[CHARGE_SERVICE] = Service(CHARGE_SERVICE)
        if request.ServiceID not in known:
            raise Refused(f"service {request.ServiceID} was not offered [V2G2-425]", "FAILED_ServiceIDInvalid")
        return responses.service_detail(responseCode.OK, known[request.ServiceID]), Outcome.OK

    async def _payment_selection(self, request: m.PaymentServiceSelectionReq) -> Answer:
        if request.SelectedPaymentOption != m.paymentOption.ExternalPayment:
            raise Refused("payment by contract is not offered [V2G2-465]", "FAILED_PaymentSelectionInvalid")
        selected = {s.ServiceID: s.ParameterSetID for s in request.SelectedServiceList.SelectedService}
        if CHARGE_SERVICE not in selected:
            raise Refused("the charge service is not selected [V2G2-804]", "FAILED_NoChargeServiceSelected")
        known = {service.id: service for service in self._listed()}
        for number, chosen in selected.items():
            wrong = number not in known or (chosen is not None and chosen not in known[number].sets)
            if number != CHARGE_SERVICE and wrong:
                raise Refused(f"service {number} was not offered so [V2G2-467]", "FAILED_ServiceSelectionInvalid")
        return m.PaymentServiceSelectionRes(ResponseCode=responseCode.OK), Outcome.OK

    async def _authorization(self, request: m.AuthorizationReq) -> Answer:
        done = await self._processed("authorisation", self._control.authorise, self._timing.ongoing_performance)
        processing = m.EVSEProcessing.Finished
        if not done:
            plain = self._rules.deviations.waiting_as_ongoing
            kinds = m.EVSEProcessing
            processing = kinds.Ongoing if plain else kinds.Ongoing_WaitingForCustomerInteraction
        return m.AuthorizationRes(ResponseCode=responseCode.OK, EVSEProcessing=processing), LOOP[done]

    async def _parameters(self, request: m.ChargeParameterDiscoveryReq) -> Answer:
        mode = request.RequestedEnergyTransferMode.name
        if mode not in self._modes():
            raise Refused(f"{mode} is not offered [V2G2-476]", "FAILED_WrongEnergyTransferMode")
        self._mode = mode
        done = await self._agreed(request.EVChargeParameter)
        if done:
            self._again("parameters")
            self._schedules = self._offered_schedules(mode, request.EVChargeParameter.DepartureTime)
        response = responses.parameters(
            responseCode.OK, done, self._schedules, request.MaxEntriesSAScheduleTuple, self._parameter(done)
        )
        return response, LOOP[done]

    def _offered_schedules(self, mode: str, departure: int | None) -> tuple[Schedule, ...]:
        if self._joined and self._joined.schedule:
            return (self._joined.schedule.later(self._now() - self._joined.since),)
        return tuple(self._control.schedules(mode, departure))

    async def _agreed(self, parameter: Any) -> bool:
        """Judge the vehicle's parameters; False while that takes its time. Refused when they do not fit."""
        raise NotImplementedError

    def _parameter(self, done: bool) -> m.EVSEChargeParameter:
        """The charger's parameters."""
        raise NotImplementedError

    def _power_status(self) -> Any:
        """The charger's status in the loop and around it."""
        raise NotImplementedError

    async def _power_delivery(self, request: m.PowerDeliveryReq) -> Answer:
        progress = m.chargeProgress
        if request.ChargeProgress == progress.Start:
            outcome = Outcome.START
            if outcome in (self._admitted(m.PowerDeliveryReq) or ()):
                self._planned(request)
                await self._start()
                self._live = True
        elif request.ChargeProgress == progress.Renegotiate:
            outcome = Outcome.RENEGOTIATE
            if outcome in (self._admitted(m.PowerDeliveryReq) or ()):
                await self._renegotiate()
        else:
            outcome = Outcome.STOP
            await self._control.stop()
            self._live = False
            self._again("cable check")
        return m.PowerDeliveryRes(ResponseCode=responseCode.OK, EVSEStatus=self._power_status()), outcome

    async def _start(self) -> None:
        """Power on; Refused when we cannot."""
        await self._control.start()

    async def _renegotiate(self) -> None:
        """The vehicle takes up a renegotiation: contactors stay closed."""
        self._scribe.note("renegotiation")
        self._control.renegotiated()
        self._joined = None

    def _planned(self, request: m.PowerDeliveryReq) -> None:
        """Check the chosen schedule and the profile [V2G2-478, V2G2-479, V2G2-761]."""
        number = request.SAScheduleTupleID
        schedule = next((s for s in self._schedules if s.id == number), None)
        if schedule is None:
            raise Refused(f"schedule {number} was not offered [V2G2-479]", "FAILED_TariffSelectionInvalid")
        plan = plan_of(number, request.ChargingProfile)
        deviations = self._rules.deviations
        if plan is None:
            if not deviations.no_charging_profile:
                raise Refused("PowerDelivery start without ChargingProfile", "FAILED_ChargingProfileInvalid")
        elif wrong := exceeds(plan, schedule):
            if not deviations.loose_charging_profile:
                raise Refused(f"the charging profile: {wrong} [V2G2-761]", "FAILED_ChargingProfileInvalid")
            self._scribe.note(f"the vehicle's charging profile is not within the schedule: {wrong}", "warning")
        self._schedule = schedule
        self._control.planned(schedule, plan)

    async def _metering_receipt(self, request: m.MeteringReceiptReq) -> Answer:
        if request.SessionID != self.session_id:
            raise Refused("MeteringReceiptReq names another session", "FAILED_MeteringSignatureNotValid")
        reading = request.MeterInfo.MeterReading
        self._scribe.note(f"receipt of {request.MeterInfo.MeterID}: {reading} Wh, unsigned")
        response = m.MeteringReceiptRes(ResponseCode=responseCode.OK, EVSEStatus=self._power_status())
        return response, Outcome.OK

    def _loop_outcome(self) -> Outcome:
        """Whether this turn asks for a receipt; asked once, a vehicle asked each time never stops."""
        if self._receipt_due and self._control.meter() is not None:
            self._receipt_due = False
            return Outcome.RECEIPT
        return Outcome.OK

    async def _session_stop(self, request: m.SessionStopReq) -> Answer:
        pause = request.ChargingSession == m.chargingSession.Pause
        off = self.state in (State.STOPPED, State.WELDING)
        if pause and not off:
            return m.SessionStopRes(ResponseCode=responseCode.OK), Outcome.PAUSE  # refused: not admitted here
        if not off:
            self._reason = f"the vehicle ended the session in phase {self.state.value}"
            await self._control.stop()
        elif not pause:
            await self._before_the_end()
        if reason := self._control.stop_wanted():
            self._reason = reason
        if pause:
            self._reason = "the vehicle paused the session"
            self._paused = True
            self._control.kept = Kept(self.session_id, self._evccid, self._mode, self._schedule, self._now())
        return m.SessionStopRes(ResponseCode=responseCode.OK), Outcome.PAUSE if pause else Outcome.OK

    async def _before_the_end(self) -> None:
        """What must hold before SessionStop terminate is answered OK."""

    # what the charger has to notify

    def _notice(self) -> Notice:
        if self._control.stop_wanted():
            self._asked_to_stop()
            return EVSENotification.StopCharging, self._control.stop_delay()
        if self._live and self.state in (State.READY, State.CHARGING) and self._control.renegotiation_wanted():
            return EVSENotification.ReNegotiation, 0
        return responses.NO_NOTICE


def charger_session(control: ChargerControl) -> type[ChargerSession]:
    """The session for a charger's kind of energy."""
    from .evse_ac import AcChargerSession
    from .evse_dc import DcChargerSession

    return AcChargerSession if control.energy == "ac" else DcChargerSession
