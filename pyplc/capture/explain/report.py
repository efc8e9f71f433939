"""What is told about a session: the story with its figures, findings and the verdict, as one structure for text, JSON,
CSV and the page."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec

from ...record import Pilot as OwnPilot
from ..events import Change, Event, Pilot, Tls
from . import curves, rules_link, rules_power, rules_sequence, rules_session, rules_slac
from .curves import Range
from .facts import Facts
from .findings import Finding, Layer, Level, apply
from .own import Own
from .story import NO_LIMITS, Limits, Phase, Story, stories
from .verdict import Verdict, verdict

RULES = (*rules_link.RULES, *rules_slac.RULES, *rules_session.RULES, *rules_sequence.RULES, *rules_power.RULES)
"""Every rule, from the capture up to the power."""


class Peer(msgspec.Struct, kw_only=True):
    """One side."""

    mac: str = ""
    """Link address."""
    address: str = ""
    """IPv6 address and port."""
    identity: str = ""
    """EVCCID or EVSEID; bytes as hex."""
    limits: Limits = NO_LIMITS
    """The last it told: V, A, W; null for none."""


class Reached(msgspec.Struct):
    """One storey of the tower in a session."""

    layer: Layer
    """control pilot, SLAC, network, TCP, TLS, handshake, session or power."""
    state: str
    """passed, broken (the verdict's), or unseen."""
    errors: int
    """Findings of level error there."""
    warnings: int
    """Findings of level warning there."""


class Report(msgspec.Struct, kw_only=True):
    """One session of a capture, or an attempt that came to none."""

    file: str
    """The capture."""
    session: int
    """Its number in the capture; 0: an attempt that came to no session."""
    start: str
    """Its first event, ISO 8601, UTC."""
    duration: float
    """Seconds to its last event."""
    ev: Peer
    """The vehicle."""
    evse: Peer
    """The charger."""
    offers: list[str]
    """Protocols the vehicle offered, the best first."""
    protocol: str
    """The namespace that was agreed."""
    schema: str
    """Its short name: din, iso2, iso20_dc, ..."""
    guessed: bool
    """The schema is a guess: no handshake in the capture."""
    tls: bool
    """The messages came through TLS."""
    payment: str
    """The payment option, in the words of the standard."""
    mode: str
    """The energy transfer mode, in the words of the standard."""
    messages: int
    """V2G messages, both ways."""
    attenuation_db: float | None
    """Mean of the lowest CM_ATTEN_CHAR.IND."""
    soc_first: float | None
    """State of charge in percent, as first told."""
    soc_last: float | None
    """As last told."""
    asked: dict[str, Range]
    """Ranges of what the vehicle asked for: voltage (V), current (A), power (W)."""
    delivered: dict[str, Range]
    """Ranges of what the charger reported."""
    energy_wh: float
    """What the charger reported, summed over time; else the difference of its meter's readings."""
    phases: list[Phase]
    """In order."""
    tower: list[Reached]
    """How far it came, from the control pilot up to power."""
    findings: list[Finding]
    """Every rule that was broken, in the order of time."""
    verdict: Verdict
    """Why it stopped."""


def told(events: Iterable[Event], file: str = "") -> list[tuple[Report, Story]]:
    """A report of each session in a capture, in order, and the story it is of."""
    return [(report(story, file), story) for story in stories(events)]


def explain(events: Iterable[Event], file: str = "") -> list[Report]:
    """A report of each session in a capture, in order."""
    return [found for found, _ in told(events, file)]


def report(story: Story, file: str = "") -> Report:
    """The report of one story."""
    findings = apply(RULES, story)
    last = story.exchanges[-1] if story.exchanges else None
    asked = {what: curves.asked(story, what) for what in curves.LABELS}
    given = {what: curves.given(story, what) for what in curves.LABELS}
    merged: Facts = {}
    for exchange in story.exchanges:
        for said in (exchange.asked, exchange.answered):
            for name in ("SelectedPaymentOption", "SelectedAuthorizationService", "EnergyTransferMode"):
                if name in said:
                    merged.setdefault(name, said[name])
    states = curves.soc(story)
    first = next(iter(story.messages), None)
    why = verdict(story, findings)
    return Report(
        file=file,
        session=story.number,
        start=datetime.fromtimestamp(story.start, UTC).isoformat(timespec="milliseconds"),
        duration=round(story.end - story.start, 3),
        ev=_peer(story, "ev", last.ev if last is not None else NO_LIMITS),
        evse=_peer(story, "evse", last.evse if last is not None else NO_LIMITS),
        offers=_offers(story),
        protocol=next((m.protocol for m in story.messages if m.schema == story.schema and m.protocol), ""),
        schema=story.schema,
        guessed=any(m.guessed for m in story.messages),
        tls=first is not None and first.encrypted,
        payment=str(merged.get("SelectedPaymentOption", merged.get("SelectedAuthorizationService", ""))),
        mode=str(merged.get("EnergyTransferMode", _mode(story))),
        messages=len(story.messages),
        attenuation_db=_attenuation(story),
        soc_first=states[0][1] if states else None,
        soc_last=states[-1][1] if states else None,
        asked=curves.ranges(asked, asked["current"]),
        delivered=curves.ranges(given, given["current"] or given["power"]),
        energy_wh=round(curves.energy(given["power"]) or curves.metered(story), 1),
        phases=story.phases(),
        tower=_tower(story, findings, why),
        findings=findings,
        verdict=why,
    )


def _tower(story: Story, findings: list[Finding], why: Verdict) -> list[Reached]:
    """How far it came: the storeys that were seen, and the one where the first rule was broken."""
    pairs = {exchange.pair for exchange in story.exchanges if exchange.response is not None}
    talk = bool(story.messages)
    seen = {
        Layer.PILOT: any(
            isinstance(e, Pilot) or (isinstance(e, Own) and isinstance(e.record, OwnPilot)) for e in story.events
        ),
        Layer.SLAC: bool(story.homeplug("CM_SLAC_PARAM.REQ", "CM_SLAC_PARAM.CNF")),
        Layer.NETWORK: bool(story.sdp("Request")),
        Layer.TCP: talk or bool(story.changes(Change.OPEN, own=False)),
        Layer.TLS: any(isinstance(e, Tls) for e in story.events),
        Layer.HANDSHAKE: "SupportedAppProtocol" in pairs,
        Layer.SESSION: bool(pairs - {"SupportedAppProtocol"}),
        Layer.POWER: "ChargeLoop" in pairs,
    }
    return [Reached(layer, _state(layer, there, why), *_counts(findings, layer)) for layer, there in seen.items()]


def _state(layer: Layer, seen: bool, why: Verdict) -> str:
    return "broken" if why.layer == layer else "passed" if seen else "unseen"


def _counts(findings: list[Finding], layer: Layer) -> tuple[int, int]:
    here = [finding.level for finding in findings if finding.layer is layer]
    return here.count(Level.ERROR), here.count(Level.WARNING)


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
