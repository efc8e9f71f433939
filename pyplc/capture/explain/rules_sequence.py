"""The rule of order: requests against the charger's sequence tables, as data."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from typing import Any

from ...v2g.din import sequence as din
from ...v2g.iso2 import sequence as iso2
from ...v2g.sequence import Outcome
from .facts import is_stop
from .findings import Hit, Layer, Level, Rule
from .story import Exchange, Story

FOLLOWS_20 = {
    "SupportedAppProtocol": {"SessionSetup"},
    "SessionSetup": {"AuthorizationSetup"},
    "AuthorizationSetup": {"Authorization", "CertificateInstallation"},
    "CertificateInstallation": {"CertificateInstallation", "Authorization"},
    "Authorization": {"Authorization", "ServiceDiscovery"},
    "ServiceDiscovery": {"ServiceDetail", "PaymentServiceSelection"},
    "ServiceDetail": {"ServiceDetail", "PaymentServiceSelection"},
    "PaymentServiceSelection": {"ChargeParameterDiscovery"},
    "ChargeParameterDiscovery": {"ChargeParameterDiscovery", "ScheduleExchange"},
    "ScheduleExchange": {"ScheduleExchange", "CableCheck", "PowerDelivery"},
    "CableCheck": {"CableCheck", "PreCharge"},
    "PreCharge": {"PreCharge", "PowerDelivery"},
    "PowerDelivery": {"PowerDelivery", "ChargeLoop", "WeldingDetection", "ScheduleExchange", "ServiceDiscovery"},
    "ChargeLoop": {"ChargeLoop", "PowerDelivery", "MeteringConfirmation"},
    "MeteringConfirmation": {"ChargeLoop", "PowerDelivery"},
    "WeldingDetection": {"WeldingDetection"},
}
"""ISO 15118-20: pair -> what may follow; SessionStop may follow any."""


def sequence(story: Story) -> Iterator[Hit]:
    """Requests that the charger's sequence table does not admit."""
    if story.schema.startswith("iso20"):
        yield from _sequence_20(story)
        return
    ac = any(str(e.asked.get("EnergyTransferMode", "")).startswith("AC") for e in story.exchanges)
    if story.schema == "din" and not ac:
        table: Mapping[Any, Mapping[type, Mapping[Outcome, enum.Enum]]] = {**din.SEQUENCE, **din.STOP_IN_LOOP}
    elif story.schema == "iso2":
        table = iso2.AC_SEQUENCE if ac else iso2.DC_SEQUENCE
    else:
        return
    known = {kind for row in table.values() for kind in row}
    state: enum.Enum | None = None
    for exchange in story.exchanges:
        kind = type(exchange.request.body) if exchange.request is not None else None
        if kind not in known or exchange.request is None:
            continue
        outcomes = table[state].get(kind) if state is not None else None
        if outcomes is None and state is not None and not _tolerated(state, exchange):
            text = f"{exchange.name} where {state.value} is next"
            yield _astray(exchange, text)
        if outcomes is None:
            outcomes = next(row[kind] for row in table.values() if kind in row)
        wanted = _outcome(exchange)
        state = outcomes.get(wanted) or outcomes.get(Outcome.OK) or next(iter(outcomes.values()))


def _tolerated(state: enum.Enum, exchange: Exchange) -> bool:
    """An end before the loop, which charging stations of the field admit."""
    return exchange.pair == "SessionStop" or (exchange.pair == "PowerDelivery" and is_stop(exchange.asked))


def _outcome(exchange: Exchange) -> Outcome:
    asked, answered = exchange.asked, exchange.answered
    if exchange.pair == "PowerDelivery":
        if asked.get("ChargeProgress") == "Renegotiate":
            return Outcome.RENEGOTIATE
        return Outcome.STOP if is_stop(asked) else Outcome.START
    if answered.get("ReceiptRequired"):
        return Outcome.RECEIPT
    processing = str(answered.get("EVSEProcessing", ""))
    if processing:
        return Outcome.FINISHED if processing == "Finished" else Outcome.ONGOING
    return Outcome.PAUSE if asked.get("ChargingSession") == "Pause" else Outcome.OK


def _astray(exchange: Exchange, text: str) -> Hit:
    """A request out of sequence; the charger may have lived with it."""
    lived = str(exchange.answered.get("ResponseCode", "")).startswith("OK")
    level = Level.DEVIATION if lived else None
    first = exchange.first
    return Hit(first.frame, first.time, text, "ev", group=exchange.name, level=level)


def _sequence_20(story: Story) -> Iterator[Hit]:
    before = ""
    for exchange in story.exchanges:
        if exchange.request is None or not exchange.name:
            continue
        allowed = FOLLOWS_20.get(before)
        if allowed is not None and exchange.pair not in allowed | {"SessionStop"}:
            yield _astray(exchange, f"{exchange.name} after {before}")
        before = exchange.pair


RULES = (
    Rule(
        "sequence",
        Layer.SESSION,
        Level.ERROR,
        "a request out of sequence",
        "V2G2-459, V2G-DC-390",
        sequence,
    ),
)
"""Of the order of requests."""
