"""The charger's sequence in DIN 70121: one table that drives the sequence check, the handlers and the manual's diagram.

    state        what the charger waits for
    request      what may come in this state; everything else is a sequence error
    outcome      what the handler of that request says happened
    next state   where that leads

        SESSION_SETUP -> SERVICE_DISCOVERY -> PAYMENT_SELECTION -> AUTHENTICATION (loop)
            -> PARAMETERS (loop) -> CABLE_CHECK (loop) -> PRECHARGE -> PRECHARGED (loop)
                -> start: READY -> CHARGING (loop) -> stop: STOPPED (welding detection, loop) -> END
                -> stop: STOPPED

A FAILED response never moves on: the session ends with it. SessionStopReq is admitted in every state after
SessionSetup; in the charge loop only by the switch `stop_in_loop` (field profile), with the power switched off first.
"""

from __future__ import annotations

import enum

from ..sequence import Outcome
from .messages import (
    CableCheckReq,
    ChargeParameterDiscoveryReq,
    ContractAuthenticationReq,
    CurrentDemandReq,
    PowerDeliveryReq,
    PreChargeReq,
    ServiceDiscoveryReq,
    ServicePaymentSelectionReq,
    SessionSetupReq,
    SessionStopReq,
    WeldingDetectionReq,
)


class State(enum.Enum):
    """What the charger waits for; the value is the phase as people call it."""

    SESSION_SETUP = "SessionSetup"
    SERVICE_DISCOVERY = "ServiceDiscovery"
    PAYMENT_SELECTION = "ServicePaymentSelection"
    AUTHENTICATION = "ContractAuthentication"
    PARAMETERS = "ChargeParameterDiscovery"
    CABLE_CHECK = "CableCheck"
    PRECHARGE = "PreCharge"
    PRECHARGED = "PreCharge, PowerDelivery"
    READY = "PowerDelivery done"
    CHARGING = "CurrentDemand"
    STOPPED = "power off"
    END = "end"


S, R = State, Outcome
_STOP: dict[type, dict[Outcome, State]] = {SessionStopReq: {R.OK: S.END}}

SEQUENCE: dict[State, dict[type, dict[Outcome, State]]] = {
    S.SESSION_SETUP: {SessionSetupReq: {R.OK: S.SERVICE_DISCOVERY}},
    S.SERVICE_DISCOVERY: {ServiceDiscoveryReq: {R.OK: S.PAYMENT_SELECTION}, **_STOP},
    S.PAYMENT_SELECTION: {ServicePaymentSelectionReq: {R.OK: S.AUTHENTICATION}, **_STOP},
    S.AUTHENTICATION: {
        ContractAuthenticationReq: {R.ONGOING: S.AUTHENTICATION, R.FINISHED: S.PARAMETERS},
        **_STOP,
    },
    S.PARAMETERS: {ChargeParameterDiscoveryReq: {R.ONGOING: S.PARAMETERS, R.FINISHED: S.CABLE_CHECK}, **_STOP},
    S.CABLE_CHECK: {CableCheckReq: {R.ONGOING: S.CABLE_CHECK, R.FINISHED: S.PRECHARGE}, **_STOP},
    S.PRECHARGE: {PreChargeReq: {R.OK: S.PRECHARGED}, **_STOP},
    S.PRECHARGED: {
        PreChargeReq: {R.OK: S.PRECHARGED},
        PowerDeliveryReq: {R.START: S.READY, R.STOP: S.STOPPED},
        **_STOP,
    },
    S.READY: {CurrentDemandReq: {R.OK: S.CHARGING}, PowerDeliveryReq: {R.STOP: S.STOPPED}},
    S.CHARGING: {CurrentDemandReq: {R.OK: S.CHARGING}, PowerDeliveryReq: {R.STOP: S.STOPPED}},
    S.STOPPED: {WeldingDetectionReq: {R.OK: S.STOPPED}, **_STOP},
    S.END: {},
}
"""State x request -> outcome -> next state. Ids: V2G-DC-437 to 469, 494 to 499."""

STOP_IN_LOOP: dict[State, dict[type, dict[Outcome, State]]] = {
    state: {**SEQUENCE[state], **_STOP} for state in (S.READY, S.CHARGING)
}
"""What the field profile admits besides: SessionStopReq while power is on."""

EARLY_STOP = (S.CABLE_CHECK, S.PRECHARGE)
"""Where a car that was asked to stop may also send PowerDeliveryReq stop (sessions.md 6.5)."""


def admitted(state: State, request: type, *, stop_in_loop: bool, stopping: bool) -> dict[Outcome, State] | None:
    """The outcomes of `request` in `state`, None when it is out of sequence.

    `stop_in_loop` admits SessionStopReq with power on; `stopping`: we asked the vehicle to stop, so PowerDelivery stop
    is right before the charge loop too.
    """
    table = STOP_IN_LOOP.get(state, SEQUENCE[state]) if stop_in_loop else SEQUENCE[state]
    if stopping and state in EARLY_STOP and request is PowerDeliveryReq:
        return {R.STOP: S.STOPPED}
    return table.get(request)
