"""One valid request of DIN 70121 of each kind, shared by session tests."""

from __future__ import annotations

from typing import Any

from pyplc.v2g.control import VehicleLimits
from pyplc.v2g.din import messages as m
from pyplc.v2g.din.values import VALUES

volt, ampere = VALUES.volt, VALUES.ampere

STATUS = m.DC_EVStatus(EVReady=True, EVErrorCode=m.DC_EVErrorCode.NO_ERROR, EVRESSSOC=50)
SERVICE = m.SelectedServiceList(SelectedService=[m.SelectedService(ServiceID=1)])


def parameters() -> m.ChargeParameterDiscoveryReq:
    return m.ChargeParameterDiscoveryReq(
        EVRequestedEnergyTransferType=m.EVRequestedEnergyTransfer.DC_extended,
        EVChargeParameter=VALUES.parameter_of(VehicleLimits(400, 100), STATUS),
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
