"""The charger's responses in DIN 70121: built from plain values, and the smallest valid one of each for a refusal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..control import ChargerOffer, Delivered
from . import messages as m
from .messages import isolationLevel, responseCode
from .values import VALUES

Code = m.DC_EVSEStatusCode

SCHEDULE_S = 86_400
"""A vehicle cannot give a departure time in DIN, so the schedule covers 24 h [V2G-DC-559]."""
PMAX_LIMIT = 32_767
"""PMax is a short in watt: what is above is sent as its largest value."""
UNKNOWN_EVSE_ID = b"\0"
"""[V2G-DC-620]: the single byte 00 when the id is unknown."""


def status(code: Code, isolation: isolationLevel | None = isolationLevel.Valid) -> m.DC_EVSEStatus:
    """DC_EVSEStatus; the notification is always None in DIN [V2G-DC-500], the status code carries a stop."""
    return m.DC_EVSEStatus(
        EVSEIsolationStatus=isolation,
        EVSEStatusCode=code,
        NotificationMaxDelay=0,
        EVSENotification=m.EVSENotification.None_,
    )


def parameters(
    code: responseCode, processing: m.EVSEProcessing, offer: ChargerOffer, evse_status: m.DC_EVSEStatus
) -> m.ChargeParameterDiscoveryRes:
    """ChargeParameterDiscoveryRes with one schedule of 24 h at full power; Ongoing carries the same."""
    entry = m.PMaxScheduleEntry(
        TimeInterval=m.RelativeTimeInterval(start=0, duration=SCHEDULE_S),
        PMax=min(PMAX_LIMIT, round(offer.max_power or PMAX_LIMIT)),
    )
    return m.ChargeParameterDiscoveryRes(
        ResponseCode=code,
        EVSEProcessing=processing,
        SASchedules=m.SAScheduleList(
            SAScheduleTuple=[
                m.SAScheduleTuple(
                    SAScheduleTupleID=1, PMaxSchedule=m.PMaxSchedule(PMaxScheduleID=1, PMaxScheduleEntry=[entry])
                )
            ]
        ),
        EVSEChargeParameter=VALUES.offer(offer, evse_status),
    )


def service_discovery(code: responseCode) -> m.ServiceDiscoveryRes:
    """One service, EVCharging, DC extended, paid externally [V2G-DC-252, 622, 628, 629]."""
    return m.ServiceDiscoveryRes(
        ResponseCode=code,
        PaymentOptions=m.PaymentOptions(PaymentOption=[m.paymentOption.ExternalPayment]),
        ChargeService=m.ServiceCharge(
            ServiceTag=m.ServiceTag(ServiceID=1, ServiceCategory=m.serviceCategory.EVCharging),
            FreeService=False,
            EnergyTransferType=m.EVSESupportedEnergyTransfer.DC_extended,
        ),
    )


_OFF = status(Code.EVSE_NotReady)
_AC_OFF = m.AC_EVSEStatus(
    PowerSwitchClosed=False, RCD=False, NotificationMaxDelay=0, EVSENotification=m.EVSENotification.None_
)
_NOTHING = Delivered(0, 0, 0, 0, 0)
_NO_OFFER = ChargerOffer(0, 0, 0, 0, 0)


def _certificate(kind: type, code: responseCode) -> Any:
    fields: dict[str, Any] = {"RetryCounter": 0} if kind is m.CertificateUpdateRes else {}
    return kind(
        Id="id",
        ResponseCode=code,
        ContractSignatureCertChain=m.CertificateChain(Certificate=b"\0"),
        ContractSignatureEncryptedPrivateKey=b"\0",
        DHParams=b"\0",
        ContractID="-",
        **fields,
    )


_SMALLEST: dict[type, Callable[[responseCode], Any]] = {
    m.SessionSetupReq: lambda c: m.SessionSetupRes(ResponseCode=c, EVSEID=UNKNOWN_EVSE_ID),
    m.ServiceDiscoveryReq: service_discovery,
    m.ServiceDetailReq: lambda c: m.ServiceDetailRes(ResponseCode=c, ServiceID=1),
    m.ServicePaymentSelectionReq: lambda c: m.ServicePaymentSelectionRes(ResponseCode=c),
    m.PaymentDetailsReq: lambda c: m.PaymentDetailsRes(ResponseCode=c, GenChallenge="", DateTimeNow=0),
    m.ContractAuthenticationReq: lambda c: m.ContractAuthenticationRes(
        ResponseCode=c, EVSEProcessing=m.EVSEProcessing.Finished
    ),
    m.ChargeParameterDiscoveryReq: lambda c: parameters(c, m.EVSEProcessing.Finished, _NO_OFFER, _OFF),
    m.CableCheckReq: lambda c: m.CableCheckRes(
        ResponseCode=c,
        DC_EVSEStatus=status(Code.EVSE_Malfunction, isolationLevel.Fault),
        EVSEProcessing=m.EVSEProcessing.Finished,
    ),
    m.PreChargeReq: lambda c: m.PreChargeRes(ResponseCode=c, DC_EVSEStatus=_OFF, EVSEPresentVoltage=VALUES.volt(0)),
    m.PowerDeliveryReq: lambda c: m.PowerDeliveryRes(ResponseCode=c, EVSEStatus=_OFF),
    m.CurrentDemandReq: lambda c: VALUES.delivered(c, _NOTHING, _OFF),
    m.ChargingStatusReq: lambda c: m.ChargingStatusRes(
        ResponseCode=c, EVSEID=UNKNOWN_EVSE_ID, SAScheduleTupleID=1, ReceiptRequired=False, AC_EVSEStatus=_AC_OFF
    ),
    m.MeteringReceiptReq: lambda c: m.MeteringReceiptRes(ResponseCode=c, AC_EVSEStatus=_AC_OFF),
    m.WeldingDetectionReq: lambda c: m.WeldingDetectionRes(
        ResponseCode=c, DC_EVSEStatus=_OFF, EVSEPresentVoltage=VALUES.volt(0)
    ),
    m.SessionStopReq: lambda c: m.SessionStopRes(ResponseCode=c),
    m.CertificateInstallationReq: lambda c: _certificate(m.CertificateInstallationRes, c),
    m.CertificateUpdateReq: lambda c: _certificate(m.CertificateUpdateRes, c),
}


def refusal(request: Any, code: responseCode) -> Any | None:
    """The response that pairs with `request`, with `code` and smallest valid values [V2G2-736]; None for a response."""
    build = _SMALLEST.get(type(request))
    return build(code) if build else None
