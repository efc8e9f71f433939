"""What a charger of pyPLC says of its session: a text on MQTT and a number on CAN, by the request that came."""

from __future__ import annotations

from typing import NamedTuple


class Status(NamedTuple):
    """pyPLC's text and its info number."""

    text: str
    number: int


STATUS: dict[str, Status] = {
    "supportedAppProtocolReq": Status("Schema negotiated", 3),
    "SessionSetupReq": Status("Session established", 4),
    "ServiceDiscoveryReq": Status("Services discovered", 5),
    "ServicePaymentSelectionReq": Status("ServicePayment selected", 6),
    "PaymentServiceSelectionReq": Status("ServicePayment selected", 6),
    "PowerDeliveryReq": Status("PowerDelivery", 7),
    "ChargeParameterDiscoveryReq": Status("ChargeParamDiscovery", 8),
    "CableCheckReq": Status("CableCheck", 9),
    "PreChargeReq": Status("PreCharging", 10),
    "ContractAuthenticationReq": Status("ContractAuthentication", 11),
    "AuthorizationReq": Status("Authorization", 12),
    "CurrentDemandReq": Status("CurrentDemand", 13),
    "WeldingDetectionReq": Status("WeldingDetection", 14),
    "SessionStopReq": Status("SessionStop", 15),
}
CHECKPOINT_NUMBERS = {2: 1, 100: 20, 101: 20, 104: 21, 110: 21, 155: 22, 300: 18, 303: 19, 401: 1}
"""Info numbers of what is no V2G message, by our checkpoints."""
STOPPED = 2

MEANINGS: dict[int, str] = {
    1: "waiting for the handshake",
    STOPPED: "stopped",
    **{status.number: status.text for status in STATUS.values()},
    16: "stopped for ever",
    17: "TCP connection broken",
    18: "listening on TCP",
    19: "TCP connected",
    20: "SLAC begins",
    21: "SLAC sounding",
    22: "SLAC matched",
}
"""What an info number means."""
