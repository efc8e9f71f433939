"""The vehicle's session in DIN 70121: it acts, one coroutine a phase, in the order of the standard's sequence chart.

    SessionSetup - ServiceDiscovery - ServicePaymentSelection - ContractAuthentication (loop)
    - ChargeParameterDiscovery (loop) - [DC phases, `evcc_dc`] - SessionStop

A charger that asks to stop (EVSE_Shutdown) is answered with PowerDelivery stop wherever power may be on, with
SessionStop before. Every other surprise is a SessionError; the caller then runs the station's one safe way down.
"""

from __future__ import annotations

from typing import Any, ClassVar

from ..control import ChargerOffer
from ..evcc_dc import DcPhases
from ..session import Ended, PeerWrong, StationRefused, StopAsked, TimedOut
from . import messages as m
from .values import VALUES


class VehicleSession(DcPhases):
    """One session, from SessionSetupReq to SessionStopRes."""

    protocol = "din"
    wire: ClassVar[Any] = m
    values = VALUES
    checkpoints: ClassVar = {
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

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._ready_by = float("inf")
        self._energised = False

    async def _hold(self) -> Ended:
        await self._session_setup()
        await self._services()
        reason = await self._charge()
        await self._session_stop(m.SessionStopReq(), m.SessionStopRes)
        return Ended(reason)

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
        except StopAsked as stop:
            reason = str(stop)
            self._scribe.note(reason)
            if not self._energised:
                await self._separate()
                return reason
        await self._power_off()
        await self._welding_detection()
        return reason

    async def _session_setup(self) -> None:
        response = await self._request(m.SessionSetupReq(EVCCID=self._control.evccid), m.SessionSetupRes)
        if self._timing.ready_to_charge is not None:
            self._ready_by = self._now() + self._timing.ready_to_charge.seconds
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
                EVChargeParameter=VALUES.parameter_of(self._control.limits(), self._status()),
            )

        response = await self._ongoing(
            request, m.ChargeParameterDiscoveryRes, self._pacing.parameters, self._timing.ongoing
        )
        parameter = response.EVSEChargeParameter
        if not isinstance(parameter, m.DC_EVSEChargeParameter):
            raise PeerWrong("ChargeParameterDiscoveryRes without DC parameters")
        self._heed(parameter.DC_EVSEStatus)
        return VALUES.offer_of(parameter)

    async def _power_on(self) -> None:
        self._energised = True
        if self._timing.ready_to_charge is not None and self._now() > self._ready_by:
            raise TimedOut(self._timing.ready_to_charge, "PowerDeliveryReq start")
        await self._power_delivery(True)

    async def _charge_loop(self) -> str:
        """Demand current until someone wants to stop; why."""
        while not (wanted := self._control.stop_wanted()):
            await self._current_demand(self._control.demand())
            await self._pace(self._pacing.charging)
        self._pass(795)
        return str(wanted)

    async def _power_off(self) -> None:
        """Current down, PowerDelivery stop, state B, contactors open."""
        await self._ramp_down()
        await self._power_delivery(False)
        self._energised = False
        self._pass(806)
        await self._separate()

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
