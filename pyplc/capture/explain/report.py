"""What is told about a session: the story with its figures, findings and the verdict, as one structure for text, JSON,
CSV and the page."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec

from ..events import Event, HomePlug, Message, Pilot
from . import rules_link, rules_power, rules_session, rules_slac
from .facts import Facts
from .findings import Finding, apply
from .rules_power import Limits, moments
from .story import Phase, Story, stories
from .verdict import Verdict, verdict

RULES = (*rules_link.RULES, *rules_slac.RULES, *rules_session.RULES, *rules_power.RULES)
"""Every rule, from the capture up to the power."""
GAP_S = 5.0
"""Energy is not counted over longer holes between two messages."""


class Peer(msgspec.Struct, kw_only=True):
    """One side: link address, address and port, its identity, its limits in V, A, W."""

    mac: str = ""
    address: str = ""
    identity: str = ""
    limits: Limits = Limits()


class Range(msgspec.Struct):
    """Least, greatest and mean of a value; the mean is over time."""

    least: float
    greatest: float
    mean: float


class Point(msgspec.Struct, array_like=True):
    """One moment of the charge: seconds since the beginning, V, A, state of charge in percent, demanded V and A."""

    t: float
    voltage: float | None = None
    current: float | None = None
    soc: float | None = None
    target_voltage: float | None = None
    target_current: float | None = None


class Report(msgspec.Struct, kw_only=True):
    """One session of a capture.

    `start` is ISO 8601 UTC; durations are seconds; `asked` and `delivered` hold ranges by "voltage" (V), "current" (A)
    and "power" (W); `energy_wh` is what the charger reported, summed over time.
    """

    file: str
    session: int
    start: str
    duration: float
    ev: Peer
    evse: Peer
    offers: list[str]
    protocol: str
    schema: str
    guessed: bool
    tls: bool
    payment: str
    mode: str
    messages: int
    attenuation_db: float | None
    soc_first: float | None
    soc_last: float | None
    asked: dict[str, Range]
    delivered: dict[str, Range]
    energy_wh: float
    phases: list[Phase]
    findings: list[Finding]
    verdict: Verdict


def explain(events: Iterable[Event], file: str = "") -> list[Report]:
    """A report of each session in a capture, in order."""
    return [report(story, file) for story in stories(events)]


def report(story: Story, file: str = "") -> Report:
    """The report of one story."""
    findings = apply(RULES, story)
    limits = [*moments(story)]
    points = curve(story)
    merged: Facts = {}
    for exchange in story.exchanges:
        for said in (exchange.asked, exchange.answered):
            for name in ("SelectedPaymentOption", "SelectedAuthorizationService", "EnergyTransferMode"):
                if name in said:
                    merged.setdefault(name, said[name])
    states = [p.soc for p in points if p.soc is not None]
    first = next(iter(story.messages), None)
    return Report(
        file=file,
        session=story.number,
        start=datetime.fromtimestamp(story.start, UTC).isoformat(timespec="milliseconds"),
        duration=round(story.end - story.start, 3),
        ev=_peer(story, "ev", limits[-1].ev if limits else Limits()),
        evse=_peer(story, "evse", limits[-1].evse if limits else Limits()),
        offers=_offers(story),
        protocol=next((m.protocol for m in story.messages if m.schema == story.schema and m.protocol), ""),
        schema=story.schema,
        guessed=any(m.guessed for m in story.messages),
        tls=first is not None and first.encrypted,
        payment=str(merged.get("SelectedPaymentOption", merged.get("SelectedAuthorizationService", ""))),
        mode=str(merged.get("EnergyTransferMode", _mode(story))),
        messages=len(story.messages),
        attenuation_db=_attenuation(story),
        soc_first=states[0] if states else None,
        soc_last=states[-1] if states else None,
        asked=_ranges(points, "target_voltage", "target_current"),
        delivered=_ranges(points, "voltage", "current"),
        energy_wh=round(_energy(points), 1),
        phases=story.phases(),
        findings=findings,
        verdict=verdict(story, findings),
    )


def curve(story: Story) -> list[Point]:
    """What was asked and reported, a point for each exchange that says anything of it; t from the story's beginning."""
    points = []
    for exchange in story.exchanges:
        asked, answered = exchange.asked, exchange.answered
        point = Point(
            round(exchange.last.time - story.start, 3),
            _number(answered.get("EVSEPresentVoltage", asked.get("EVPresentVoltage"))),
            _number(answered.get("EVSEPresentCurrent")),
            _number(asked.get("EVRESSSOC")),
            _number(asked.get("EVTargetVoltage")),
            _number(asked.get("EVTargetCurrent", answered.get("EVSEMaxCurrent"))),
        )
        if any(getattr(point, name) is not None for name in Point.__struct_fields__[1:]):
            points.append(point)
    return points


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _ranges(points: list[Point], voltage: str, current: str) -> dict[str, Range]:
    rows = [(p.t, getattr(p, voltage), getattr(p, current)) for p in points if getattr(p, current) is not None]
    found = {}
    for name, values in (
        ("voltage", [(t, v) for t, v, _ in rows if v is not None]),
        ("current", [(t, c) for t, _, c in rows]),
        ("power", [(t, v * c) for t, v, c in rows if v is not None]),
    ):
        if values:
            only = [value for _, value in values]
            found[name] = Range(round(min(only), 2), round(max(only), 2), round(_mean(values), 2))
    return found


def _mean(values: list[tuple[float, float]]) -> float:
    """The mean over time; a value holds until the next."""
    spans = [(b[0] - a[0], a[1]) for a, b in zip(values, values[1:], strict=False)]
    whole = sum(span for span, _ in spans)
    return sum(span * value for span, value in spans) / whole if whole > 0 else values[0][1]


def _energy(points: list[Point]) -> float:
    """Watt-hours of reported voltage and current, trapezoids, holes left out."""
    rows = [(p.t, p.voltage * p.current) for p in points if p.voltage is not None and p.current is not None]
    joules = sum(
        (b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in zip(rows, rows[1:], strict=False) if b[0] - a[0] <= GAP_S
    )
    return joules / 3600


def _peer(story: Story, side: str, limits: Limits) -> Peer:
    peer = Peer(limits=limits)
    message = next((m for m in story.messages if m.side == side), None)
    other = next((m for m in story.messages if m.side != side), None)
    if message is not None:
        peer.mac, peer.address = message.source.hex(":"), str(message.sender)
    elif other is not None:
        peer.mac, peer.address = other.destination.hex(":"), str(other.receiver)
    else:
        name = "CM_SLAC_PARAM.REQ" if side == "ev" else "CM_SLAC_PARAM.CNF"
        peer.mac = next((e.source.hex(":") for e in story.homeplug(name)), "")
    for exchange in story.exchanges:
        identity = exchange.asked.get("EVCCID") if side == "ev" else exchange.answered.get("EVSEID")
        if identity:
            peer.identity = identity.hex(":") if isinstance(identity, bytes) else str(identity)
            break
    return peer


def _offers(story: Story) -> list[str]:
    for exchange in story.exchanges:
        offers = getattr(exchange.first.body, "AppProtocol", None)
        if offers:
            ordered = sorted(offers, key=lambda offer: offer.Priority)
            return [f"{o.ProtocolNamespace} {o.VersionNumberMajor}.{o.VersionNumberMinor}" for o in ordered]
    return []


def _mode(story: Story) -> str:
    names = {e.name for e in story.exchanges}
    return "AC" if any(n.startswith("AC_") for n in names) else "DC" if any(n.startswith("DC_") for n in names) else ""


def _attenuation(story: Story) -> float | None:
    """The mean of the lowest answer."""
    means = [
        sum(groups) / len(groups)
        for event in story.homeplug("CM_ATTEN_CHAR.IND")
        if (groups := getattr(event.message, "groups", b""))
    ]
    return round(min(means), 1) if means else None


def is_talk(event: Event) -> bool:
    """Whether an event belongs on the page's time line of messages."""
    return isinstance(event, (Message, HomePlug, Pilot)) or type(event).__name__ == "Sdp"
