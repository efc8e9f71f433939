"""The charger's responses in ISO 15118-2: built from plain values, and the smallest valid one of each for a refusal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..control import AcOffer, ChargerOffer, Delivered, Meter, Schedule, Service
from . import messages as m
from .messages import EVSENotification, isolationLevel, responseCode
from .values import VALUES, meter_info, parameter_sets, schedule_list, service

Code = m.DC_EVSEStatusCode

CHARGE_SERVICE = 1
"""ServiceID of charging, always in ChargeService and never in the ServiceList [V2G2-417]."""
UNKNOWN_EVSE_ID = "ZZ00000"

NO_NOTICE = (EVSENotification.None_, 0)
Notice = tuple[EVSENotification, int]
"""What the charger asks of the vehicle, and in how many seconds at the latest."""


def dc_status(code: Code, isolation: isolationLevel, notice: Notice = NO_NOTICE) -> m.DC_EVSEStatus:
    """DC_EVSEStatus, all four fields."""
    return m.DC_EVSEStatus(
        EVSENotification=notice[0],
        NotificationMaxDelay=notice[1],
        EVSEIsolationStatus=isolation,
        EVSEStatusCode=code,
    )


def ac_status(rcd: bool, notice: Notice = NO_NOTICE) -> m.AC_EVSEStatus:
    """AC_EVSEStatus."""
    return m.AC_EVSEStatus(EVSENotification=notice[0], NotificationMaxDelay=notice[1], RCD=rcd)


def service_discovery(code: responseCode, modes: tuple[str, ...], listed: list[Service]) -> m.ServiceDiscoveryRes:
    """ServiceDiscoveryRes: charging, paid externally, and the value-added services if there are any."""
    return m.ServiceDiscoveryRes(
        ResponseCode=code,
        PaymentOptionList=m.PaymentOptionList(PaymentOption=[m.paymentOption.ExternalPayment]),
        ChargeService=m.ChargeService(
            ServiceID=CHARGE_SERVICE,
            ServiceName="AC_DC_Charging",
            ServiceCategory=m.serviceCategory.EVCharging,
            FreeService=False,
            SupportedEnergyTransferMode=m.SupportedEnergyTransferMode(
                EnergyTransferMode=[m.EnergyTransferMode[mode] for mode in modes[:6]]
            ),
        ),
        ServiceList=m.ServiceList(Service=[service(offered) for offered in listed[:8]]) if listed else None,
    )


def service_detail(code: responseCode, offered: Service) -> m.ServiceDetailRes:
    """ServiceDetailRes of a service."""
    return m.ServiceDetailRes(ResponseCode=code, ServiceID=offered.id, ServiceParameterList=parameter_sets(offered))


def parameters(
    code: responseCode,
    done: bool,
    schedules: tuple[Schedule, ...],
    max_entries: int | None,
    parameter: m.EVSEChargeParameter,
) -> m.ChargeParameterDiscoveryRes:
    """ChargeParameterDiscoveryRes; schedules only when it is finished [V2G2-905]."""
    return m.ChargeParameterDiscoveryRes(
        ResponseCode=code,
        EVSEProcessing=m.EVSEProcessing.Finished if done else m.EVSEProcessing.Ongoing,
        SASchedules=schedule_list(schedules, max_entries) if done else None,
        EVSEChargeParameter=parameter,
    )


def ac_parameter(offer: AcOffer, status: m.AC_EVSEStatus) -> m.AC_EVSEChargeParameter:
    """AC_EVSEChargeParameter."""
    return m.AC_EVSEChargeParameter(
        AC_EVSEStatus=status,
        EVSENominalVoltage=VALUES.volt(offer.nominal_voltage),
        EVSEMaxCurrent=VALUES.ampere(offer.max_current),
    )


def charging_status(
    code: responseCode,
    evse_id: str,
    schedule: int,
    limit: float | None,
    meter: Meter | None,
    receipt: bool,
    status: m.AC_EVSEStatus,
) -> m.ChargingStatusRes:
    """ChargingStatusRes; AC responses always carry ReceiptRequired."""
    return m.ChargingStatusRes(
        ResponseCode=code,
        EVSEID=evse_id,
        SAScheduleTupleID=schedule,
        EVSEMaxCurrent=None if limit is None else VALUES.ampere(limit),
        MeterInfo=meter_info(meter),
        ReceiptRequired=receipt,
        AC_EVSEStatus=status,
    )


_OFF = dc_status(Code.EVSE_NotReady, isolationLevel.Invalid)
_FAULT = dc_status(Code.EVSE_Malfunction, isolationLevel.Fault)
_NOTHING = Delivered(0, 0, 0, 0, 0)
_NO_OFFER = ChargerOffer(0, 0, 0, 0, 0)


def _chain() -> m.CertificateChain:
    return m.CertificateChain(Certificate=b"\0")


def _certificate(kind: type, code: responseCode) -> Any:
    return kind(
        ResponseCode=code,
        SAProvisioningCertificateChain=_chain(),
        ContractSignatureCertChain=_chain(),
        ContractSignatureEncryptedPrivateKey=m.ContractSignatureEncryptedPrivateKey(Id="id1", value=bytes(48)),
        DHpublickey=m.DiffieHellmanPublickey(Id="id2", value=bytes(65)),
        eMAID=m.EMAID(Id="id3", value="ZZ000000000000"),
    )


def smallest(evse_id: str, *, ac: bool) -> dict[type, Callable[[responseCode], Any]]:
    """By request: the response that pairs with it, with a code and smallest valid values [V2G2-736]."""
    status: Any = ac_status(False) if ac else _OFF
    offer: Any = ac_parameter(AcOffer(0, 0, 1), ac_status(False)) if ac else VALUES.offer(_NO_OFFER, _OFF)
    mode = "AC_single_phase_core" if ac else "DC_extended"
    return {
        m.SessionSetupReq: lambda c: m.SessionSetupRes(ResponseCode=c, EVSEID=evse_id),
        m.ServiceDiscoveryReq: lambda c: service_discovery(c, (mode,), []),
        m.ServiceDetailReq: lambda c: m.ServiceDetailRes(ResponseCode=c, ServiceID=CHARGE_SERVICE),
        m.PaymentServiceSelectionReq: lambda c: m.PaymentServiceSelectionRes(ResponseCode=c),
        m.PaymentDetailsReq: lambda c: m.PaymentDetailsRes(ResponseCode=c, GenChallenge=bytes(16), EVSETimeStamp=0),
        m.AuthorizationReq: lambda c: m.AuthorizationRes(ResponseCode=c, EVSEProcessing=m.EVSEProcessing.Finished),
        m.ChargeParameterDiscoveryReq: lambda c: m.ChargeParameterDiscoveryRes(
            ResponseCode=c, EVSEProcessing=m.EVSEProcessing.Finished, EVSEChargeParameter=offer
        ),
        m.CableCheckReq: lambda c: m.CableCheckRes(
            ResponseCode=c, DC_EVSEStatus=_FAULT, EVSEProcessing=m.EVSEProcessing.Finished
        ),
        m.PreChargeReq: lambda c: m.PreChargeRes(ResponseCode=c, DC_EVSEStatus=_OFF, EVSEPresentVoltage=VALUES.volt(0)),
        m.PowerDeliveryReq: lambda c: m.PowerDeliveryRes(ResponseCode=c, EVSEStatus=status),
        m.CurrentDemandReq: lambda c: VALUES.delivered(c, _NOTHING, _OFF, EVSEID=evse_id, SAScheduleTupleID=1),
        m.ChargingStatusReq: lambda c: charging_status(c, evse_id, 1, None, None, False, ac_status(False)),
        m.MeteringReceiptReq: lambda c: m.MeteringReceiptRes(ResponseCode=c, EVSEStatus=status),
        m.WeldingDetectionReq: lambda c: m.WeldingDetectionRes(
            ResponseCode=c, DC_EVSEStatus=_OFF, EVSEPresentVoltage=VALUES.volt(0)
        ),
        m.SessionStopReq: lambda c: m.SessionStopRes(ResponseCode=c),
        m.CertificateInstallationReq: lambda c: _certificate(m.CertificateInstallationRes, c),
        m.CertificateUpdateReq: lambda c: _certificate(m.CertificateUpdateRes, c),
    }
