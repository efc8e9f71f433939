"""One valid request of ISO 15118-2 of each kind, and the ways to each state; shared by session tests."""

from __future__ import annotations

from typing import Any

from pyplc.v2g.control import AcVehicleLimits, Energy, VehicleLimits
from pyplc.v2g.iso2 import messages as m
from pyplc.v2g.iso2.sequence import State
from pyplc.v2g.iso2.values import VALUES, ac_parameter

STATUS = m.DC_EVStatus(EVReady=True, EVErrorCode=m.DC_EVErrorCode.NO_ERROR, EVRESSSOC=50)
START, STOP, RENEGOTIATE = m.chargeProgress.Start, m.chargeProgress.Stop, m.chargeProgress.Renegotiate
END = m.SessionStopReq(ChargingSession=m.chargingSession.Terminate)
PAUSE = m.SessionStopReq(ChargingSession=m.chargingSession.Pause)
LIMITS = VehicleLimits(400, 100)
AC_LIMITS = AcVehicleLimits(20_000, 400, 16, 6)


def parameters(energy: Energy = "dc", mode: str | None = None, **more: Any) -> m.ChargeParameterDiscoveryReq:
    dc = energy == "dc"
    return m.ChargeParameterDiscoveryReq(
        RequestedEnergyTransferMode=m.EnergyTransferMode[mode or ("DC_extended" if dc else "AC_three_phase_core")],
        EVChargeParameter=VALUES.parameter_of(LIMITS, STATUS) if dc else ac_parameter(AC_LIMITS, None),
        **more,
    )


def power(progress: m.chargeProgress, schedule: int = 1, *entries: tuple[int, float]) -> m.PowerDeliveryReq:
    profile = None
    if entries:
        profile = m.ChargingProfile(
            ProfileEntry=[
                m.ProfileEntry(ChargingProfileEntryStart=t, ChargingProfileEntryMaxPower=VALUES.watt(w))
                for t, w in entries
            ]
        )
    return m.PowerDeliveryReq(ChargeProgress=progress, SAScheduleTupleID=schedule, ChargingProfile=profile)


def select(*services: int, contract: bool = False) -> m.PaymentServiceSelectionReq:
    option = m.paymentOption.Contract if contract else m.paymentOption.ExternalPayment
    return m.PaymentServiceSelectionReq(
        SelectedPaymentOption=option,
        SelectedServiceList=m.SelectedServiceList(
            SelectedService=[m.SelectedService(ServiceID=service) for service in services]
        ),
    )


_CHAIN = m.CertificateChain(Certificate=b"\0")
_ROOTS = m.ListOfRootCertificateIDs(RootCertificateID=[m.X509IssuerSerial(X509IssuerName="CN=x", X509SerialNumber=1)])
SETUP = m.SessionSetupReq(EVCCID=bytes(6))
CABLE = m.CableCheckReq(DC_EVStatus=STATUS)
PRECHARGE = m.PreChargeReq(DC_EVStatus=STATUS, EVTargetVoltage=VALUES.volt(380), EVTargetCurrent=VALUES.ampere(1))
DEMAND = m.CurrentDemandReq(
    DC_EVStatus=STATUS,
    EVTargetCurrent=VALUES.ampere(50),
    ChargingComplete=False,
    EVTargetVoltage=VALUES.volt(390),
)
WELDING = m.WeldingDetectionReq(DC_EVStatus=STATUS)
RECEIPT = m.MeteringReceiptReq(SessionID=b"\1", MeterInfo=m.MeterInfo(MeterID="1"))


def requests(energy: Energy) -> dict[type, Any]:
    """One of each, fit for a station of this energy."""
    return {
        type(request): request
        for request in (
            SETUP,
            m.ServiceDiscoveryReq(),
            m.ServiceDetailReq(ServiceID=1),
            select(1),
            m.PaymentDetailsReq(eMAID="DE8AA1A2B3C4D5", ContractSignatureCertChain=_CHAIN),
            m.CertificateInstallationReq(Id="id1", OEMProvisioningCert=b"\0", ListOfRootCertificateIDs=_ROOTS),
            m.CertificateUpdateReq(
                Id="id1", ContractSignatureCertChain=_CHAIN, eMAID="DE8AA1A2B3C4D5", ListOfRootCertificateIDs=_ROOTS
            ),
            m.AuthorizationReq(),
            parameters(energy),
            CABLE,
            PRECHARGE,
            power(START),
            DEMAND,
            m.ChargingStatusReq(),
            RECEIPT,
            WELDING,
            END,
        )
    }


_HEAD: dict[State, list[Any]] = {
    State.SESSION_SETUP: [],
    State.SERVICE_DISCOVERY: [SETUP],
    State.PAYMENT_SELECTION: [m.ServiceDiscoveryReq()],
    State.AUTHORIZATION: [select(1)],
    State.PARAMETERS: [m.AuthorizationReq()],
}
WAYS: dict[Energy, dict[State, list[Any]]] = {
    "dc": {
        **_HEAD,
        State.CABLE_CHECK: [parameters("dc")],
        State.PRECHARGE: [CABLE],
        State.PRECHARGED: [PRECHARGE],
        State.READY: [power(START)],
        State.CHARGING: [DEMAND],
        State.STOPPED: [power(STOP)],
        State.WELDING: [WELDING],
    },
    "ac": {
        **_HEAD,
        State.POWER: [parameters("ac")],
        State.READY: [power(START)],
        State.CHARGING: [m.ChargingStatusReq()],
        State.STOPPED: [power(STOP)],
    },
}
"""The requests that lead to each state, from the one before."""


def way_to(state: State, energy: Energy) -> list[Any]:
    """All requests from the beginning to `state`."""
    path: list[Any] = []
    for known, asked in WAYS[energy].items():
        path += asked
        if known is state:
            return path
    raise AssertionError(state)
