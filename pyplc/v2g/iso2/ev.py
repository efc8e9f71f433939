"""The vehicle's session in ISO 15118-2 with external identification: what DC and AC share.

    SessionSetup - ServiceDiscovery - [ServiceDetail] - PaymentServiceSelection - Authorization (loop)
    - ChargeParameterDiscovery (loop) - power on - charge loop - power off - SessionStop

A renegotiation goes from the charge loop back to ChargeParameterDiscovery. A charger that asks to stop is obeyed before
its delay is over; before there is power, with PowerDelivery stop and SessionStop. Every other surprise is a
SessionError; the caller then runs the station's one safe way down.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar, NamedTuple

from ..control import Plan, Schedule, Service, VehicleControl
from ..evcc import Evcc
from ..session import Ended, StationRefused, StopAsked
from . import messages as m
from .messages import EVSENotification
from .values import profile, schedules_of, service_of, sets_of

STOP_MARGIN_S = 2.0
"""A charger that wants to have stopped in n seconds gets PowerDelivery stop this much earlier."""


class Leave(NamedTuple):
    """Why the charge loop was left, and whether to renegotiate."""

    reason: str
    renegotiate: bool = False


class VehicleSession(Evcc):
    """One session, from SessionSetupReq to SessionStopRes."""

    protocol = "iso2"
    wire: ClassVar[Any] = m
    checkpoints: ClassVar = {
        m.SessionSetupReq: 500,
        m.ServiceDiscoveryReq: 510,
        m.PaymentServiceSelectionReq: 520,
        m.AuthorizationReq: 530,
        m.ChargeParameterDiscoveryReq: 540,
        m.CableCheckReq: 560,
        m.PreChargeReq: 570,
        m.CurrentDemandReq: 700,
        m.ChargingStatusReq: 700,
        m.WeldingDetectionReq: 850,
        m.SessionStopReq: 900,
    }

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._mode = m.EnergyTransferMode.DC_extended
        self._plan = Plan(1, ())
        self._energised = False
        self._no_energy = False
        """The charger finished the parameters with the wish to stop: PowerDelivery stop is right [sessions 6.5]."""
        self._stop_by = math.inf
        self._renegotiate = False

    async def _hold(self) -> Ended:
        await self._session_setup()
        await self._services()
        reason = await self._charge()
        pause = bool(self._control.pause_wanted())
        kind = m.chargingSession.Pause if pause else m.chargingSession.Terminate
        await self._session_stop(m.SessionStopReq(ChargingSession=kind), m.SessionStopRes)
        return Ended(reason, self.session_id if pause else b"")

    async def _charge(self) -> str:
        """From the authorisation to power off; why it stopped."""
        try:
            await self._authorization()
            await self._parameters()
            await self._power_on(first=True)
            while (leave := await self._charge_loop()).renegotiate:
                self._scribe.note(f"renegotiation: {leave.reason}")
                self._renegotiate, self._stop_by = False, math.inf
                await self._power_delivery(m.chargeProgress.Renegotiate)
                await self._parameters()
                await self._power_on(first=False)
            reason = leave.reason
        except StopAsked as stop:
            reason = str(stop)
            self._scribe.note(reason)
            if not self._energised:
                await self._give_up()
                return reason
        await self._power_off()
        return reason

    # what the kinds of energy do

    async def _parameters(self) -> None:
        """ChargeParameterDiscovery until Finished; the vehicle has judged the offer."""
        raise NotImplementedError

    async def _power_on(self, *, first: bool) -> None:
        """From the parameters to PowerDelivery start."""
        raise NotImplementedError

    async def _turn(self) -> None:
        """One request of the charge loop, and the wait for the next one."""
        raise NotImplementedError

    async def _power_off(self) -> None:
        """Current down, PowerDelivery stop, state B."""
        raise NotImplementedError

    async def _make_safe(self) -> None:
        """Stopped before there was power: state B, contactors open."""
        raise NotImplementedError

    # shared phases

    async def _session_setup(self) -> None:
        asked = self.session_id
        response = await self._request(m.SessionSetupReq(EVCCID=self._control.evccid[:6]), m.SessionSetupRes)
        joined = response.ResponseCode == m.responseCode.OK_OldSessionJoined
        word = "resumed" if joined else "session"
        self._scribe.note(f"charger {response.EVSEID}, {word} {self.session_id.hex()}")
        if any(asked) and not joined:
            self._scribe.note("the charger has forgotten the paused session and begins a new one", "warning")

    async def _services(self) -> None:
        found = await self._request(m.ServiceDiscoveryReq(), m.ServiceDiscoveryRes)
        if m.paymentOption.ExternalPayment not in found.PaymentOptionList.PaymentOption:
            raise StationRefused("the charger takes only payment by contract, which this vehicle has not")
        offered = found.ChargeService.SupportedEnergyTransferMode.EnergyTransferMode
        self._mode = self._choose_mode(offered)
        selected = [m.SelectedService(ServiceID=found.ChargeService.ServiceID)]
        for service in await self._details(found.ServiceList):
            selected.append(m.SelectedService(ServiceID=service.id, ParameterSetID=next(iter(service.sets), None)))
        await self._request(
            m.PaymentServiceSelectionReq(
                SelectedPaymentOption=m.paymentOption.ExternalPayment,
                SelectedServiceList=m.SelectedServiceList(SelectedService=selected),
            ),
            m.PaymentServiceSelectionRes,
        )

    def _choose_mode(self, offered: list[m.EnergyTransferMode]) -> m.EnergyTransferMode:
        for mode in self._control.modes:
            if m.EnergyTransferMode[mode] in offered:
                return m.EnergyTransferMode[mode]
        theirs = ", ".join(m.EnergyTransferMode(mode).name for mode in offered)
        raise StationRefused(f"the charger offers {theirs}; this vehicle can use {', '.join(self._control.modes)}")

    async def _details(self, listed: m.ServiceList | None) -> tuple[Service, ...]:
        """The value-added services to select, with their parameter sets."""
        if listed is None:
            return ()
        offered = tuple(service_of(told) for told in listed.Service)
        chosen = []
        for service in self._control.services(offered):
            detail = await self._request(m.ServiceDetailReq(ServiceID=service.id), m.ServiceDetailRes)
            chosen.append(service._replace(sets=sets_of(detail.ServiceParameterList)))
        return tuple(chosen)

    async def _authorization(self) -> None:
        await self._ongoing(m.AuthorizationReq, m.AuthorizationRes, self._pacing.authentication, self._timing.ongoing)
        self._pass(538)

    async def _discover(self, parameter: Any) -> m.ChargeParameterDiscoveryRes:
        """ChargeParameterDiscovery until Finished; `parameter` makes the vehicle's parameters anew each time."""
        response = await self._ongoing(
            lambda: m.ChargeParameterDiscoveryReq(
                RequestedEnergyTransferMode=self._mode, EVChargeParameter=parameter()
            ),
            m.ChargeParameterDiscoveryRes,
            self._pacing.parameters,
            self._timing.ongoing,
        )
        self._no_energy = True
        self._heed(self._parameter_status(response.EVSEChargeParameter))
        self._no_energy = False
        return response

    def _parameter_status(self, parameter: Any) -> Any:
        """The charger's status among its parameters; PeerWrong when they are for the other kind of energy."""
        raise NotImplementedError

    def _heed(self, status: Any) -> None:
        """What a charger's status asks for: StopAsked, or a SessionError on an emergency."""
        raise NotImplementedError

    def _choose_plan(self, listed: m.SASchedules | None, max_power: float) -> None:
        schedules = schedules_of(listed) or (Schedule(1, ()),)
        if not schedules[0].entries:
            self._scribe.note("the charger offers no schedule; tuple 1 is taken", "warning")
        self._plan = self._control.plan(tuple(s for s in schedules if s.entries), max_power)

    async def _power_delivery(self, progress: m.chargeProgress) -> Any:
        start = progress == m.chargeProgress.Start
        stop = progress == m.chargeProgress.Stop
        request = m.PowerDeliveryReq(
            ChargeProgress=progress,
            SAScheduleTupleID=self._plan.schedule,
            ChargingProfile=profile(self._plan) if start and self._plan.entries else None,
            EVPowerDeliveryParameter=self._power_parameter(complete=not start),
        )
        checkpoint = 600 if start else 800 if stop else 610
        return (await self._request(request, m.PowerDeliveryRes, checkpoint=checkpoint)).EVSEStatus

    def _power_parameter(self, *, complete: bool) -> m.EVPowerDeliveryParameter | None:
        """EVPowerDeliveryParameter, which only DC has."""
        return None

    async def _charge_loop(self) -> Leave:
        """Take energy until someone wants something else."""
        while True:
            if wanted := self._control.stop_wanted():
                self._pass(795)
                return Leave(wanted)
            if self._now() >= self._stop_by:
                return Leave("the charger asked to stop (StopCharging)")
            if self._renegotiate:
                return Leave("the charger asked for it", renegotiate=True)
            if wanted := self._control.renegotiation_wanted():
                return Leave(wanted, renegotiate=True)
            await self._turn()

    async def _receipt(self, response: Any) -> Any:
        """MeteringReceiptReq where the charger wants one, unsigned; the status that counts afterwards."""
        if not response.ReceiptRequired or response.MeterInfo is None:
            return None
        request = m.MeteringReceiptReq(
            SessionID=self.session_id, SAScheduleTupleID=response.SAScheduleTupleID, MeterInfo=response.MeterInfo
        )
        return (await self._request(request, m.MeteringReceiptRes)).EVSEStatus

    def _notified(self, status: Any) -> None:
        """What EVSENotification asks for: at once a StopAsked, later an end in time, or a renegotiation."""
        if status.EVSENotification == EVSENotification.StopCharging:
            delay = status.NotificationMaxDelay
            if delay <= STOP_MARGIN_S:
                raise StopAsked("the charger asked to stop (StopCharging)")
            by = self._now() + delay - STOP_MARGIN_S
            if self._stop_by == math.inf:
                self._scribe.note(f"the charger asks to stop within {delay} s")
            self._stop_by = min(self._stop_by, by)
        elif status.EVSENotification == EVSENotification.ReNegotiation:
            self._renegotiate = True

    async def _give_up(self) -> None:
        """An orderly end before there was power."""
        await self._make_safe()
        if self._no_energy:
            await self._power_delivery(m.chargeProgress.Stop)


def vehicle_session(control: VehicleControl) -> type[VehicleSession]:
    """The session for a vehicle's kind of energy."""
    from .ev_ac import AcVehicleSession
    from .ev_dc import DcVehicleSession

    return AcVehicleSession if control.energy == "ac" else DcVehicleSession
