"""What a message says, flat: element name to plain value, under the same names in every generation."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec

from ...exi.declare import Element
from ..events import Message

Facts = dict[str, Any]
"""Element name -> number (in the unit of its element), text of an enumeration, boolean, text or bytes."""

SAME = {
    "EVMaximumVoltage": "EVMaximumVoltageLimit",
    "EVMaximumChargeCurrent": "EVMaximumCurrentLimit",
    "EVMaximumChargePower": "EVMaximumPowerLimit",
    "EVMinimumVoltage": "EVMinimumVoltageLimit",
    "EVSEMaximumVoltage": "EVSEMaximumVoltageLimit",
    "EVSEMaximumChargeCurrent": "EVSEMaximumCurrentLimit",
    "EVSEMaximumChargePower": "EVSEMaximumPowerLimit",
    "EVSEMinimumVoltage": "EVSEMinimumVoltageLimit",
    "EVSEMinimumChargeCurrent": "EVSEMinimumCurrentLimit",
    "EVMaxVoltage": "EVMaximumVoltageLimit",
    "EVMaxCurrent": "EVMaximumCurrentLimit",
    "EVSEMaxCurrent": "EVSEMaximumCurrentLimit",
    "ChargedEnergyReadingWh": "MeterReading",
    "PresentSOC": "EVRESSSOC",
    "TargetSOC": "FullSOC",
    "EVTargetEnergyRequest": "EVEnergyRequest",
    "EVSEMaxVoltage": "EVSENominalVoltage",
    "RequestedEnergyTransferMode": "EnergyTransferMode",
    "EVRequestedEnergyTransferType": "EnergyTransferMode",
}
"""Names of ISO 15118-20, of DIN 70121 and of AC that mean the same as a name of DC in ISO 15118-2 or DIN 70121."""


def facts(message: Message) -> Facts:
    """The leaves of a message's body, the outermost where a name occurs twice; what stands in lists is left out."""
    found: Facts = {}
    body = message.body
    if isinstance(body, Element):
        _gather(body, found)
    return found


def _gather(element: Element, found: Facts) -> None:
    inner: list[Element] = []
    for name in element.__struct_fields__:
        value = getattr(element, name)
        if value is None or isinstance(value, (list, tuple)):
            continue
        if isinstance(value, msgspec.Struct):
            if hasattr(value, "__float__"):
                found.setdefault(SAME.get(name, name), float(value))
            elif isinstance(value, Element):
                inner.append(value)
            continue
        found.setdefault(SAME.get(name, name), getattr(value, "text", value))
    for element_inside in inner:
        _gather(element_inside, found)


@cache
def base(name: str) -> str:
    """The name of a pair: "CableCheck" for CableCheckReq, DC_CableCheckRes."""
    for prefix in ("AC_", "DC_", "WPT_", "ACDP_"):
        name = name.removeprefix(prefix)
    name = name.removesuffix("Req").removesuffix("Res")
    return PAIRS.get(name, name)


PAIRS = {
    "supportedAppProtocol": "SupportedAppProtocol",
    "ContractAuthentication": "Authorization",
    "ServicePaymentSelection": "PaymentServiceSelection",
    "ServiceSelection": "PaymentServiceSelection",
    "CurrentDemand": "ChargeLoop",
    "ChargingStatus": "ChargeLoop",
}
"""Pairs of other generations by one name."""

PHASES = {
    "SupportedAppProtocol": "handshake",
    "SessionSetup": "session set-up",
    "AuthorizationSetup": "session set-up",
    "ServiceDiscovery": "session set-up",
    "ServiceDetail": "session set-up",
    "PaymentServiceSelection": "session set-up",
    "CertificateInstallation": "authorisation",
    "CertificateUpdate": "authorisation",
    "PaymentDetails": "authorisation",
    "Authorization": "authorisation",
    "ChargeParameterDiscovery": "parameters",
    "ScheduleExchange": "parameters",
    "CableCheck": "cable check",
    "PreCharge": "pre-charge",
    "PowerDelivery": "power on",
    "ChargeLoop": "charging",
    "MeteringReceipt": "charging",
    "MeteringConfirmation": "charging",
    "WeldingDetection": "welding detection",
    "SessionStop": "session stop",
}
"""The phase a request belongs to, in the words of `checkpoints.PHASES`."""


def is_stop(said: Facts) -> bool:
    """Whether a PowerDeliveryReq switches the power off."""
    if "ReadyToChargeState" in said:
        return not said["ReadyToChargeState"]
    return said.get("ChargeProgress") == "Stop"


def phase_of(name: str, said: Facts) -> str:
    """The phase of a request; empty for one that belongs to none."""
    pair = base(name)
    if pair == "PowerDelivery":
        if said.get("ChargeProgress") in ("Renegotiate", "ScheduleRenegotiation"):
            return "parameters"
        return "power off" if is_stop(said) else "power on"
    return PHASES.get(pair, "")
