"""One valid request of each kind, and a charger's control that does as it is told; shared by session tests."""

from __future__ import annotations

import asyncio
from typing import Any

from pyplc.v2g.control import ChargerOffer, Delivered, Demand, Refused, VehicleLimits
from pyplc.v2g.din import messages as m
from pyplc.v2g.din.values import ampere, parameter_of, volt

STATUS = m.DC_EVStatus(EVReady=True, EVErrorCode=m.DC_EVErrorCode.NO_ERROR, EVRESSSOC=50)
SERVICE = m.SelectedServiceList(SelectedService=[m.SelectedService(ServiceID=1)])


def parameters() -> m.ChargeParameterDiscoveryReq:
    return m.ChargeParameterDiscoveryReq(
        EVRequestedEnergyTransferType=m.EVRequestedEnergyTransfer.DC_extended,
        EVChargeParameter=parameter_of(VehicleLimits(400, 100), STATUS),
    )


def power(on: bool) -> m.PowerDeliveryReq:
    return m.PowerDeliveryReq(ReadyToChargeState=on)


REQUESTS: dict[type, Any] = {
    type(request): request
    for request in (
        m.SessionSetupReq(EVCCID=bytes(6)),
        m.ServiceDiscoveryReq(),
        m.ServicePaymentSelectionReq(
            SelectedPaymentOption=m.paymentOption.ExternalPayment, SelectedServiceList=SERVICE
        ),
        m.ContractAuthenticationReq(),
        parameters(),
        m.CableCheckReq(DC_EVStatus=STATUS),
        m.PreChargeReq(DC_EVStatus=STATUS, EVTargetVoltage=volt(380), EVTargetCurrent=ampere(1)),
        power(True),
        m.CurrentDemandReq(
            DC_EVStatus=STATUS, EVTargetCurrent=ampere(50), ChargingComplete=False, EVTargetVoltage=volt(390)
        ),
        m.WeldingDetectionReq(DC_EVStatus=STATUS),
        m.SessionStopReq(),
        m.ServiceDetailReq(ServiceID=1),
        m.PaymentDetailsReq(ContractID="x", ContractSignatureCertChain=m.CertificateChain(Certificate=b"\0")),
        m.ChargingStatusReq(),
        m.MeteringReceiptReq(SessionID=b"\1", MeterInfo=m.MeterInfo(MeterID="1")),
    )
}


class ObedientCharger:
    """Does everything at once; `refuse` names the question it refuses, `slow` how long each takes."""

    evse_id = b"\0"

    def __init__(self, refuse: str = "", code: str = "FAILED", slow: float = 0.0) -> None:
        self.refuse, self.code, self.slow = refuse, code, slow
        self.stop_reason: str | None = None
        self.in_c = self.in_b = True
        self.calls: list[str] = []

    async def _did(self, name: str) -> None:
        self.calls.append(name)
        if self.slow:
            await asyncio.sleep(self.slow)
        if name == self.refuse:
            raise Refused(f"{name} refused", self.code)

    def offer(self) -> ChargerOffer:
        return ChargerOffer(500, 125, 50_000, 150, 1)

    def vehicle(self, evccid: bytes) -> None:
        self.calls.append("vehicle")

    async def authorise(self) -> None:
        await self._did("authorise")

    async def agree(self, limits: VehicleLimits, soc: int) -> None:
        await self._did("agree")

    async def power_ready(self, timeout: float) -> bool:
        return self.in_c

    async def cable_check(self) -> None:
        await self._did("cable_check")

    async def precharge(self, voltage: float, current: float) -> float:
        self.calls.append("precharge")
        return voltage

    async def start(self) -> None:
        await self._did("start")

    async def deliver(self, demand: Demand) -> Delivered:
        self.calls.append("deliver")
        return Delivered(demand.voltage, demand.current, 500, 125, 50_000)

    async def hold(self) -> None:
        self.calls.append("hold")

    async def stop(self) -> None:
        self.calls.append("stop")

    async def power_left(self, timeout: float) -> bool:
        return self.in_b

    async def residual_voltage(self) -> float:
        return 12.0

    def stop_wanted(self) -> str | None:
        return self.stop_reason

    async def finished(self) -> None:
        self.calls.append("finished")
