"""The vehicle's session in DIN 70121: it acts, one coroutine a phase, in the order of the standard's sequence chart.

    SessionSetup - ServiceDiscovery - ServicePaymentSelection - ContractAuthentication (loop)
    - ChargeParameterDiscovery (loop) - [lock, state C] - CableCheck (loop) - PreCharge (loop) - [contactors]
    - PowerDelivery start - CurrentDemand (loop) - PowerDelivery stop - [state B, contactors]
    - WeldingDetection (loop) - SessionStop

A charger that asks to stop (EVSE_Shutdown) is answered with PowerDelivery stop wherever power may be on, with
SessionStop before. Every other surprise is a SessionError; the caller then runs the station's one safe way down.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, TypeVar

from ...record import Message, Scribe
from ...v2gtp import PayloadType
from ..control import ChargerOffer, Demand, Refused, VehicleControl
from ..session import Ended, PeerFailed, PeerGone, PeerWrong, StationRefused, TimedOut, Timer, name_of
from ..stream import Channel, Closed
from . import messages as m
from .messages import DC_EVSEStatusCode as Code
from .messages import responseCode
from .timing import VehicleTiming
from .values import ampere, delivered_of, offer_of, parameter_of, seconds, volt

R = TypeVar("R")

FIRST_SESSION_ID = bytes(8)
"""Zero in the first request; eight bytes, as most cars send it."""


class Pacing(NamedTuple):
    """Seconds from one request to the next in each loop; the standard gives no minimum, chargers need one."""

    authentication: float = 0.5
    parameters: float = 0.25
    cable_check: float = 0.25
    precharge: float = 0.1
    current_demand: float = 0.1
    welding: float = 0.25


class _StopAsked(Exception):
    """The charger asked for an orderly stop (EVSE_Shutdown)."""


class VehicleSession:
    """One session, from SessionSetupReq to SessionStopRes.

    `setup_by` is the loop time by which SessionSetupRes must have come, None for no limit.
    """

    protocol = "din"

    def __init__(
        self,
        channel: Channel,
        control: VehicleControl,
        scribe: Scribe,
        timing: VehicleTiming,
        pacing: Pacing = Pacing(),
        setup_by: float | None = None,
    ) -> None:
        self._channel = channel
        self._control = control
        self._scribe = scribe
        self._timing = timing
        self._pacing = pacing
        self._setup_by = setup_by
        self._ready_by = float("inf")
        self._passed: set[int] = set()
        self._sent_at = 0.0
        self._energised = False
        self.session_id = FIRST_SESSION_ID

    async def run(self) -> Ended:
        """Charge; raises a SessionError for every end but the orderly one. The caller makes the vehicle safe."""
        try:
            await self._session_setup()
            await self._services()
            reason = await self._charge()
            await self._session_stop()
            return Ended(reason)
        except Refused as refusal:
            raise StationRefused(f"the vehicle stopped the session: {refusal}") from refusal
        finally:
            await self._channel.close()

    async def _charge(self) -> str:
        """From the authorisation to open contactors; why it stopped."""
        try:
            await self._authentication()
            offer = await self._parameters()
            await self._answered(self._control.prepare(offer), "lock and state C")
            await self._cable_check()
            await self._precharge()
            await self._power_on()
            reason = await self._charge_loop()
        except _StopAsked as stop:
            reason = str(stop)
            self._scribe.note(reason)
            if not self._energised:
                await self._answered(self._control.power_off(), "state B")
                await self._answered(self._control.open_contactors(), "open contactors")
                return reason
        await self._power_off()
        await self._welding_detection()
        return reason

    # phases, in the order of the sequence

    async def _session_setup(self) -> None:
        response = await self._request(m.SessionSetupReq(EVCCID=self._control.evccid), m.SessionSetupRes)
        timer = self._timing.ready_to_charge
        self._ready_by = self._now() + timer.seconds
        self._scribe.note(f"charger {response.EVSEID.hex() or '(no id)'}, session {self.session_id.hex()}")

    async def _services(self) -> None:
        found = await self._request(m.ServiceDiscoveryReq(), m.ServiceDiscoveryRes)
        if m.paymentOption.ExternalPayment not in found.PaymentOptions.PaymentOption:
            raise StationRefused("the charger does not offer external payment, the only kind of DIN 70121")
        service = m.SelectedService(ServiceID=found.ChargeService.ServiceTag.ServiceID)
        selection = m.ServicePaymentSelectionReq(
            SelectedPaymentOption=m.paymentOption.ExternalPayment,
            SelectedServiceList=m.SelectedServiceList(SelectedService=[service]),
        )
        await self._request(selection, m.ServicePaymentSelectionRes)

    async def _authentication(self) -> None:
        await self._ongoing(
            m.ContractAuthenticationReq,
            m.ContractAuthenticationRes,
            self._pacing.authentication,
            self._timing.ongoing,
        )
        self._pass(538)

    async def _parameters(self) -> ChargerOffer:
        def request() -> m.ChargeParameterDiscoveryReq:
            return m.ChargeParameterDiscoveryReq(
                EVRequestedEnergyTransferType=m.EVRequestedEnergyTransfer.DC_extended,
                EVChargeParameter=parameter_of(self._control.limits(), self._status()),
            )

        response = await self._ongoing(
            request, m.ChargeParameterDiscoveryRes, self._pacing.parameters, self._timing.ongoing
        )
        parameter = response.EVSEChargeParameter
        if not isinstance(parameter, m.DC_EVSEChargeParameter):
            raise PeerWrong("ChargeParameterDiscoveryRes without DC parameters")
        self._heed(parameter.DC_EVSEStatus)
        return offer_of(parameter)

    async def _cable_check(self) -> None:
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
        until = self._now() + self._timing.precharge.seconds
        while True:
            demand = self._control.precharge_demand()
            response = await self._request(
                m.PreChargeReq(
                    DC_EVStatus=self._status(),
                    EVTargetVoltage=volt(demand.voltage),
                    EVTargetCurrent=ampere(demand.current),
                ),
                m.PreChargeRes,
            )
            self._heed(response.DC_EVSEStatus)
            voltage = float(response.EVSEPresentVoltage)
            if self._control.precharged(voltage):
                self._pass(581)
                break
            if self._now() >= until:
                raise TimedOut(self._timing.precharge, f"{demand.voltage:.0f} V, the charger is at {voltage:.0f} V")
            await self._pace(self._pacing.precharge)
        await self._answered(self._control.close_contactors(), "closed contactors")

    async def _power_on(self) -> None:
        self._energised = True
        if self._now() > self._ready_by:
            raise TimedOut(self._timing.ready_to_charge, "PowerDeliveryReq start")
        await self._power_delivery(True)

    async def _charge_loop(self) -> str:
        """Demand current until someone wants to stop; why."""
        while True:
            wanted = self._control.stop_wanted()
            if wanted:
                self._pass(795)
                return wanted
            await self._current_demand(self._control.demand())
            await self._pace(self._pacing.current_demand)

    async def _current_demand(self, demand: Demand) -> None:
        limits = self._control.limits()
        response = await self._request(
            m.CurrentDemandReq(
                DC_EVStatus=self._status(),
                EVTargetCurrent=ampere(demand.current),
                EVMaximumVoltageLimit=volt(limits.max_voltage),
                EVMaximumCurrentLimit=ampere(limits.max_current),
                BulkChargingComplete=demand.bulk_complete,
                ChargingComplete=demand.complete,
                RemainingTimeToFullSoC=None if demand.seconds_to_full is None else seconds(demand.seconds_to_full),
                RemainingTimeToBulkSoC=None if demand.seconds_to_bulk is None else seconds(demand.seconds_to_bulk),
                EVTargetVoltage=volt(demand.voltage),
            ),
            m.CurrentDemandRes,
        )
        self._control.observe(delivered_of(response, limits.max_voltage, limits.max_current))
        self._heed(response.DC_EVSEStatus)

    async def _power_off(self) -> None:
        """Current down, PowerDelivery stop, state B, contactors open."""
        await self._ramp_down()
        await self._power_delivery(False)
        self._energised = False
        self._pass(806)
        await self._answered(self._control.power_off(), "state B")
        await self._answered(self._control.open_contactors(), "open contactors")

    async def _ramp_down(self) -> None:
        """Demand 0 A until the current is gone, as long as the timer allows; a charger in Shutdown needs no asking."""
        until = self._now() + self._timing.ramp_down.seconds
        while not await self._control.ramp_down():
            if self._now() >= until:
                self._scribe.note(f"{self._timing.ramp_down}: current still flows, stopping all the same", "warning")
                return
            try:
                await self._current_demand(self._control.demand()._replace(current=0.0))
            except _StopAsked:
                return
            await self._pace(self._pacing.current_demand)

    async def _power_delivery(self, ready: bool) -> None:
        parameter = m.DC_EVPowerDeliveryParameter(
            DC_EVStatus=self._status(), BulkChargingComplete=False, ChargingComplete=not ready
        )
        response = await self._request(
            m.PowerDeliveryReq(ReadyToChargeState=ready, EVPowerDeliveryParameter=parameter),
            m.PowerDeliveryRes,
            checkpoint=600 if ready else 800,
        )
        if ready and isinstance(response.EVSEStatus, m.DC_EVSEStatus):
            self._heed(response.EVSEStatus)

    async def _welding_detection(self) -> None:
        """Judge by time, not by count: some outlets discharge slowly, and a refusal must not stop SessionStop."""
        until = self._now() + self._timing.welding.seconds
        while self._now() < until:
            try:
                response = await self._request(m.WeldingDetectionReq(DC_EVStatus=self._status()), m.WeldingDetectionRes)
            except PeerFailed as failed:
                self._scribe.note(f"welding detection given up: {failed}", "warning")
                return
            if self._control.welding_checked(float(response.EVSEPresentVoltage)):
                return
            await self._pace(self._pacing.welding)
        self._scribe.note(f"{self._timing.welding}: the voltage stayed; contactors may be welded", "warning")

    async def _session_stop(self) -> None:
        try:
            await self._request(m.SessionStopReq(), m.SessionStopRes)
        except (PeerFailed, PeerGone, TimedOut) as error:  # power is off: a hanging charger must not lock the user in
            self._scribe.note(f"SessionStop was not confirmed: {error}", "warning")
        await self._control.release()

    # one exchange

    async def _request(self, body: Any, expected: type[R], checkpoint: int | None = None) -> R:
        """Send `body`, return the response of the expected type with an OK code; everything else is a SessionError."""
        timer = self._timing.message.of(name_of(body))
        number = checkpoint or _CHECKPOINTS.get(type(body))
        if number:
            self._pass(number)
        self._send(body)
        response = await self._response(body, timer)
        code = response.ResponseCode if hasattr(response, "ResponseCode") else None
        if not isinstance(response, expected):
            raise PeerWrong(f"{name_of(response)} in answer to {name_of(body)}")
        if code is not None and code >= responseCode.FAILED:
            raise PeerFailed(f"{name_of(response)} says {responseCode(code).name}")
        return response

    def _send(self, body: Any) -> None:
        data = m.encode(body, self.session_id)
        self._scribe(Message(direction="tx", protocol=self.protocol, name=name_of(body), exi=data, body=body))
        self._sent_at = self._now()
        try:
            self._channel.send(PayloadType.EXI, data)
        except Closed as closed:
            raise PeerGone(f"{closed} before {name_of(body)} could be sent") from closed

    async def _response(self, body: Any, timer: Timer) -> Any:
        awaited = f"the answer to {name_of(body)}"
        patience = timer.seconds
        first = isinstance(body, m.SessionSetupReq)
        if first and self._setup_by is not None and self._setup_by - self._now() < patience:
            timer, patience = self._timing.communication_setup, max(0.0, self._setup_by - self._now())
        try:
            payload = await self._channel.receive(patience)
        except TimeoutError:
            raise TimedOut(timer, awaited) from None
        except Closed as closed:
            raise PeerGone(f"{closed} while waiting for {awaited}") from closed
        try:
            message = m.decode(payload.data)
        except m.ExiError as error:
            self._scribe(Message(direction="rx", protocol=self.protocol, name="?", exi=payload.data))
            raise PeerWrong(f"{awaited} cannot be decoded: {error}") from error
        response, session_id = message.Body.BodyElement, message.Header.SessionID
        self._scribe(
            Message(direction="rx", protocol=self.protocol, name=name_of(response), exi=payload.data, body=response)
        )
        if first:
            self.session_id = session_id
            self._pass(506)
        elif session_id != self.session_id:
            raise PeerWrong(
                f"{name_of(response)} with session id {session_id.hex() or '(empty)'}, ours is {self.session_id.hex()}"
            )
        return response

    async def _ongoing(self, request: Callable[[], Any], expected: type[R], pace: float, timer: Timer) -> R:
        """Repeat a request while the charger says Ongoing, at most for `timer`."""
        until = self._now() + timer.seconds
        while True:
            body = request()
            response = await self._request(body, expected)
            if response.EVSEProcessing == m.EVSEProcessing.Finished:  # type: ignore[attr-defined]
                return response
            if self._now() >= until:
                raise TimedOut(timer, f"{name_of(response)} with Finished")
            if isinstance(response, m.CableCheckRes):
                self._heed(response.DC_EVSEStatus)
            if reason := self._control.stop_wanted():
                raise _StopAsked(reason)
            await self._pace(pace)

    # small things

    def _heed(self, status: m.DC_EVSEStatus) -> None:
        """What a status code asks for; all others are informational [V2G-DC-893, 896, 899], prudently judged."""
        code = status.EVSEStatusCode
        if code == Code.EVSE_Shutdown:
            raise _StopAsked("the charger asked to stop (EVSE_Shutdown)")
        if code in _EMERGENCIES:
            raise PeerFailed(f"the charger reports {Code(code).name}")

    async def _answered(self, ask: Awaitable[None], what: str) -> None:
        """Wait for our own station, at most as long as the peer waits for us."""
        timer = self._timing.sequence_performance
        try:
            async with asyncio.timeout(timer.seconds):
                await ask
        except TimeoutError:
            raise TimedOut(timer, f"{what} of our own station") from None

    async def _pace(self, interval: float) -> None:
        """Sleep until `interval` seconds after the last request was sent."""
        await asyncio.sleep(max(0.0, self._sent_at + interval - self._now()))

    def _status(self) -> m.DC_EVStatus:
        ready, error, soc = self._control.status()
        return m.DC_EVStatus(EVReady=ready, EVErrorCode=m.DC_EVErrorCode(error), EVRESSSOC=soc)

    def _pass(self, number: int) -> None:
        if number not in self._passed:
            self._passed.add(number)
            self._scribe.checkpoint(number)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


_EMERGENCIES = (Code.EVSE_EmergencyShutdown, Code.EVSE_Malfunction, Code.EVSE_UtilityInterruptEvent)
_CHECKPOINTS: dict[type, int] = {
    m.SessionSetupReq: 500,
    m.ServiceDiscoveryReq: 510,
    m.ServicePaymentSelectionReq: 520,
    m.ContractAuthenticationReq: 530,
    m.ChargeParameterDiscoveryReq: 540,
    m.CableCheckReq: 560,
    m.PreChargeReq: 570,
    m.CurrentDemandReq: 700,
    m.WeldingDetectionReq: 850,
    m.SessionStopReq: 900,
}
