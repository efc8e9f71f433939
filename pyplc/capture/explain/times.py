"""The times of each generation that a capture can be held against: the conformance tables of the sessions."""

from __future__ import annotations

from typing import NamedTuple

from ...v2g.din import timing as din
from ...v2g.iso2 import timing as iso2
from ...v2g.session import Timer
from ...v2g.timing import MessageTimes, Timing, message_performance, message_timeout


class Times(NamedTuple):
    """Time-outs and performance times by message, and those of loops."""

    message: MessageTimes
    performance: MessageTimes
    ongoing: Timer
    cable_check: Timer
    precharge: Timer
    sequence: Timer
    communication_setup: Timer
    ready_to_charge: Timer | None


def _of(timing: Timing) -> Times:
    return Times(
        timing.vehicle.message,
        timing.charger.performance,
        timing.vehicle.ongoing,
        timing.vehicle.cable_check,
        timing.vehicle.precharge,
        timing.charger.sequence,
        timing.vehicle.communication_setup,
        timing.vehicle.ready_to_charge,
    )


_TABLE = "ISO 15118-20 Table 215"
_LOOPS = {"AC_ChargeLoopReq": "V2G20-1499", "DC_ChargeLoopReq": "V2G20-1501", "WPT_ChargeLoopReq": "V2G20-5069"}

ISO20 = Times(
    message=MessageTimes(
        default=Timer("V2G_EVCC_Msg_Timeout", 2, _TABLE),
        by_request={
            **{name: message_timeout(name, 5, _TABLE) for name in ("ServiceDetailReq", "CertificateInstallationReq")},
            **{name: message_timeout(name, 0.5, source) for name, source in _LOOPS.items()},
        },
    ),
    performance=MessageTimes(
        default=Timer("V2G_SECC_Msg_Performance_Time", 1.5, _TABLE),
        by_request={
            **{n: message_performance(n, 4.5, _TABLE) for n in ("ServiceDetailReq", "CertificateInstallationReq")},
            **{name: message_performance(name, 0.25, source) for name, source in _LOOPS.items()},
        },
    ),
    ongoing=Timer("V2G_EVCC_Ongoing_Timeout", 60, _TABLE),
    cable_check=Timer("V2G_EVCC_CableCheck_Timeout", 40, "ISO 15118-20 Table 217"),
    precharge=Timer("V2G_EVCC_PreCharge_Timeout", 10, "ISO 15118-20 Table 217"),
    sequence=Timer("V2G_SECC_Sequence_Timeout", 60, "V2G20-443"),
    communication_setup=Timer("V2G_EVCC_CommunicationSetup_Timeout", 20, _TABLE),
    ready_to_charge=None,
)

_CONTRACT = ("CertificateInstallationReq", "CertificateUpdateReq", "PaymentDetailsReq")
_TABLE_109 = "ISO 15118-2 Table 109"


def _with_contract(known: Times) -> Times:
    """Table 109 with the messages of Plug and Charge, which our own sessions do not have."""
    waits = {name: message_timeout(name, 5, _TABLE_109) for name in _CONTRACT}
    promises = {name: message_performance(name, 4.5, _TABLE_109) for name in _CONTRACT}
    return known._replace(
        message=MessageTimes(known.message.default, {**waits, **known.message.by_request}),
        performance=MessageTimes(known.performance.default, {**promises, **known.performance.by_request}),
    )


TIMES = {"din": _of(din.CONFORMANCE), "iso2": _with_contract(_of(iso2.CONFORMANCE))}


def of(schema: str) -> Times:
    """The times of a schema; those of ISO 15118-2 where it is not known."""
    return ISO20 if schema.startswith("iso20") else TIMES.get(schema, TIMES["iso2"])
