"""The charger's sequence in ISO 15118-2 with external identification, DC and AC: the tables that drive the sequence
check, the handlers and the manual's diagrams.

    SESSION_SETUP -> SERVICE_DISCOVERY -> PAYMENT_SELECTION (ServiceDetail, loop) -> AUTHORIZATION (loop)
        -> PARAMETERS (loop)
    DC:     -> CABLE_CHECK (loop) -> PRECHARGE -> PRECHARGED (loop) -> start: READY -> CHARGING (loop)
            -> stop: STOPPED -> WELDING (loop) -> END
    AC:     -> POWER -> start: READY -> CHARGING (loop) -> stop: STOPPED -> END
    both:   CHARGING -> renegotiate: PARAMETERS        CHARGING <-> METERING

A FAILED response never moves on: the session ends with it.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping

from ..sequence import Outcome, Row, Table
from .messages import (
    AuthorizationReq,
    CableCheckReq,
    ChargeParameterDiscoveryReq,
    ChargingStatusReq,
    CurrentDemandReq,
    MeteringReceiptReq,
    PaymentServiceSelectionReq,
    PowerDeliveryReq,
    PreChargeReq,
    ServiceDetailReq,
    ServiceDiscoveryReq,
    SessionSetupReq,
    SessionStopReq,
    WeldingDetectionReq,
)


class State(enum.Enum):
    """What the charger waits for; the value is the phase as people call it."""

    SESSION_SETUP = "SessionSetup"
    SERVICE_DISCOVERY = "ServiceDiscovery"
    PAYMENT_SELECTION = "ServiceDetail, PaymentServiceSelection"
    AUTHORIZATION = "Authorization"
    PARAMETERS = "ChargeParameterDiscovery"
    CABLE_CHECK = "CableCheck"
    PRECHARGE = "PreCharge"
    PRECHARGED = "PreCharge, PowerDelivery"
    POWER = "PowerDelivery"
    READY = "PowerDelivery done"
    CHARGING = "charge loop"
    METERING = "MeteringReceipt"
    STOPPED = "power off"
    WELDING = "WeldingDetection"
    END = "end"


S, R = State, Outcome
_STOP: Row = {SessionStopReq: {R.OK: S.END}}
_STOP_OR_PAUSE: Row = {SessionStopReq: {R.OK: S.END, R.PAUSE: S.END}}

_HEAD: dict[enum.Enum, Row] = {
    S.SESSION_SETUP: {SessionSetupReq: {R.OK: S.SERVICE_DISCOVERY}},
    S.SERVICE_DISCOVERY: {ServiceDiscoveryReq: {R.OK: S.PAYMENT_SELECTION}, **_STOP},
    S.PAYMENT_SELECTION: {
        ServiceDetailReq: {R.OK: S.PAYMENT_SELECTION},
        PaymentServiceSelectionReq: {R.OK: S.AUTHORIZATION},
        **_STOP,
    },
    S.AUTHORIZATION: {AuthorizationReq: {R.ONGOING: S.AUTHORIZATION, R.FINISHED: S.PARAMETERS}, **_STOP},
}

DC_SEQUENCE: Table = {
    **_HEAD,
    S.PARAMETERS: {ChargeParameterDiscoveryReq: {R.ONGOING: S.PARAMETERS, R.FINISHED: S.CABLE_CHECK}, **_STOP},
    S.CABLE_CHECK: {CableCheckReq: {R.ONGOING: S.CABLE_CHECK, R.FINISHED: S.PRECHARGE}, **_STOP},
    S.PRECHARGE: {PreChargeReq: {R.OK: S.PRECHARGED}, **_STOP},
    S.PRECHARGED: {
        PreChargeReq: {R.OK: S.PRECHARGED},
        PowerDeliveryReq: {R.START: S.READY, R.STOP: S.STOPPED},
        **_STOP,
    },
    S.READY: {CurrentDemandReq: {R.OK: S.CHARGING, R.RECEIPT: S.METERING}},
    S.CHARGING: {
        CurrentDemandReq: {R.OK: S.CHARGING, R.RECEIPT: S.METERING},
        PowerDeliveryReq: {R.STOP: S.STOPPED, R.RENEGOTIATE: S.PARAMETERS},
    },
    S.METERING: {MeteringReceiptReq: {R.OK: S.CHARGING}},
    S.STOPPED: {
        WeldingDetectionReq: {R.OK: S.WELDING},
        ChargeParameterDiscoveryReq: {R.ONGOING: S.PARAMETERS, R.FINISHED: S.CABLE_CHECK},
        **_STOP_OR_PAUSE,
    },
    S.WELDING: {WeldingDetectionReq: {R.OK: S.WELDING}, **_STOP_OR_PAUSE},
    S.END: {},
}
"""Ids: V2G2-541 to 562, 565, 573, 582 to 601, 621, 687, 688, 795, 797, 812, 813."""

AC_SEQUENCE: Table = {
    **_HEAD,
    S.PARAMETERS: {ChargeParameterDiscoveryReq: {R.ONGOING: S.PARAMETERS, R.FINISHED: S.POWER}, **_STOP},
    S.POWER: {PowerDeliveryReq: {R.START: S.READY, R.STOP: S.STOPPED}, **_STOP},
    S.READY: {ChargingStatusReq: {R.OK: S.CHARGING, R.RECEIPT: S.METERING}},
    S.CHARGING: {
        ChargingStatusReq: {R.OK: S.CHARGING, R.RECEIPT: S.METERING},
        PowerDeliveryReq: {R.STOP: S.STOPPED, R.RENEGOTIATE: S.PARAMETERS},
    },
    S.METERING: {MeteringReceiptReq: {R.OK: S.CHARGING}},
    S.STOPPED: _STOP_OR_PAUSE,
    S.END: {},
}
"""Ids: V2G2-541 to 562, 568, 573, 575 to 577, 580, 812, 813."""

STOP_IN_LOOP: dict[enum.Enum, Row] = {
    S.READY: {PowerDeliveryReq: {R.STOP: S.STOPPED}, **_STOP},
    S.CHARGING: _STOP,
}
"""What the field profile admits besides: an end with power on, the power is switched off first."""

EARLY_STOP = (S.CABLE_CHECK, S.PRECHARGE)
"""Where a vehicle that was asked to stop may also send PowerDeliveryReq stop (sessions 6.5)."""


def admitted(
    table: Table, state: State, request: type, *, stop_in_loop: bool, stopping: bool, short: bool
) -> Mapping[Outcome, enum.Enum] | None:
    """The outcomes of `request` in `state`, None when it is out of sequence.

    `stopping`: we asked the vehicle to stop. `short`: DC renegotiation may go on with PowerDelivery start at once.
    """
    outcomes = table[state].get(request)
    if outcomes is None and stop_in_loop:
        outcomes = STOP_IN_LOOP.get(state, {}).get(request)
    if outcomes is None and request is PowerDeliveryReq and state in EARLY_STOP:
        extra = {}
        if stopping:
            extra[R.STOP] = S.STOPPED
        if short and state is S.CABLE_CHECK:
            extra[R.START] = S.READY
            extra[R.STOP] = S.STOPPED
        outcomes = extra or None
    return outcomes
