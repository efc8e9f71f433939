"""Why a session stopped: the first rule that was broken before the end, or who ended it in order."""

from __future__ import annotations

import msgspec

from ...record import Summary
from ...slac.failure import Failure
from ..events import Pilot
from .cases import Case, Context, known
from .causes import causes
from .facts import is_stop
from .findings import Finding, Layer, Level
from .matching import no_link
from .rules_link import SIDES
from .story import Exchange, Story

TAIL = ("WeldingDetection", "SessionStop")
"""Pairs that only come when the end was already decided; PowerDelivery stop too."""
BEFORE_S = 5.0
"""How long before the end a broken rule may be its cause: a session that lived with it longer did not end for it."""
AT_ONCE, AT_ONCE_S = ("over-current",), 0.5
"""Rules that end a session at once or never."""
WEAK = ("unanswered", "pilot-back", "pilot-silent")
"""What is seen at the end of nearly any session that broke off."""
TAIL_RULES = ("vehicle-error", "pause", "pilot-fault")
"""Rules that may be the cause although they are broken by the first message of the end."""
CONSEQUENCES = ("own-word", "tcp-lost", "capture-ends", "one-sided", "slac-half", "tls-unread")
"""How a session ends when no rule says why; what tells more comes first."""
ROOTS = ("slac-run-id",)
"""Rules that explain all that comes after them in an attempt without a session."""


class Verdict(msgspec.Struct, kw_only=True):
    """Why it stopped."""

    outcome: str
    """finished, stopped by charger, stopped by vehicle, failed, timeout, lost, refused, no match, no session, unknown;
    or what a station recorded itself (device, pilot, protocol, ...)."""
    by: str
    """The side that ended it, or whose fault it seems: ev, evse, or empty."""
    phase: str
    """The phase it was in."""
    layer: str
    """The storey of the rule; empty for an orderly end."""
    rule: str
    """Key of the first rule broken that can have ended it; empty for an orderly end."""
    title: str
    """The rule in words."""
    requirement: str
    """Its requirement number, time-out or source."""
    sentence: str
    """What happened, for people."""
    frame: int
    """Where in the capture."""
    t: float
    """Seconds since the story began."""
    causes: list[str]
    """What is usually behind it, the likeliest first."""
    cases: list[Case]
    """Similar cases of the field, with their sources."""
    matching: str = ""
    """Why SLAC made no link; empty where it did, or was not tried."""
    witness: list[str] = []
    """What the stations themselves recorded of their end."""


OUTCOMES = {
    "unanswered": "timeout",
    "late": "timeout",
    "loop": "timeout",
    "pause": "timeout",
    "response-code": "failed",
    "vehicle-error": "stopped by vehicle",
    "charger-status": "stopped by charger",
    "notification": "stopped by charger",
    "handshake-refused": "refused",
    "tcp-lost": "lost",
    "slac-unanswered": "no match",
    "slac-stuck": "no match",
    "slac-again": "no match",
    "slac-run-id": "no match",
    "over-current": "failed",
    "no-offer": "failed",
    "voltage-classes": "failed",
    "silent": "timeout",
    "pilot-back": "stopped by vehicle",
    "pilot-silent": "stopped by charger",
    "no-network": "no session",
    "sdp-unanswered": "no session",
    "tcp-unused": "no session",
    "capture-ends": "unknown",
    "one-sided": "unknown",
    "slac-half": "unknown",
    "tls-unread": "unknown",
}
"""The outcome a rule stands for; "failed" for all others."""


def verdict(story: Story, findings: list[Finding]) -> Verdict:
    """Why this session stopped."""
    ending = _ending(story)
    phase = _phase(story, ending)
    cause = _cause(story, findings, ending)
    if cause is not None:
        outcome, by, sentence = OUTCOMES.get(cause.rule, "failed"), cause.side, cause.text
    else:
        outcome, by, sentence = _orderly(story, ending, phase) if ending else _nothing(story)
        sentence += _trouble(findings, ending)
    if cause is not None and cause.rule == "own-word":
        outcome = next(e.record.outcome for e in story.own(Summary) if e.record.side == cause.side)
    failure = no_link(story) if cause is None or cause.layer in (Layer.SLAC, Layer.NETWORK) else None
    context = Context(cause.rule if cause else "", phase, outcome, by, story, findings)
    first = ending[0].first if ending else None
    return Verdict(
        outcome=outcome,
        by=by,
        phase=phase,
        layer=str(cause.layer) if cause else "",
        rule=cause.rule if cause else "",
        title=cause.title if cause else "ended in order" if ending else "not known",
        requirement=cause.requirement if cause else "",
        sentence=sentence,
        frame=cause.worst_frame if cause else first.frame if first else 0,
        t=cause.worst_t if cause else round(first.time - story.start, 6) if first else 0.0,
        causes=_likely(failure) if failure is not None and context.rule not in ROOTS else _behind(context),
        cases=known(context),
        matching=f"{failure.short}; next: {failure.command}" if failure is not None else "",
        witness=[_witness(event.record) for event in story.own(Summary)],
    )


def _behind(context: Context) -> list[str]:
    """Likely causes; of an end without a reason, what was wrong just before comes first."""
    usual = causes(context.rule, context.phase)
    if context.rule not in CONSEQUENCES or not context.story.exchanges:
        return usual
    since = context.story.exchanges[-1].last.time - context.story.start - BEFORE_S
    near = [f for f in context.findings if f.level is Level.WARNING and f.layer is not Layer.CAPTURE]
    return [*(f"just before: {f.text}" for f in near if f.last_t >= since), *usual]


def _likely(failure: Failure) -> list[str]:
    return [cause.text for cause in failure.causes]


def _witness(said: Summary) -> str:
    return f"{SIDES.get(said.side, said.side)}: {said.outcome}: {said.reason}"


def _nothing(story: Story) -> tuple[str, str, str]:
    """Of a capture in which nothing is broken because there is next to nothing."""
    if any(isinstance(event, Pilot) for event in story.events):
        return "no session", "", "control pilot only: no digital communication in the capture"
    return "unknown", "", "no rule was broken"


def _ending(story: Story) -> list[Exchange]:
    """The exchanges of the end: PowerDelivery stop, welding detection, SessionStop at the end of the story."""
    tail: list[Exchange] = []
    for exchange in reversed(story.exchanges):
        stop = exchange.pair == "PowerDelivery" and is_stop(exchange.asked)
        if exchange.pair not in TAIL and not stop:
            break
        tail.insert(0, exchange)
    return tail


def _phase(story: Story, ending: list[Exchange]) -> str:
    """The phase before the end began."""
    rest = story.exchanges[: len(story.exchanges) - len(ending)]
    for exchange in reversed(rest):
        if exchange.phase:
            return exchange.phase
    phases = story.phases()
    return phases[-1].name if phases else ""


def _cause(story: Story, findings: list[Finding], ending: list[Exchange]) -> Finding | None:
    """The first rule broken that can have ended it; None for an end in order."""
    own = next((f for f in findings if f.rule == "own-word"), None)
    if not story.exchanges:
        cause = _without_session(findings)
        return own if own is not None and cause is not None and cause.rule == "tcp-unused" else cause
    near = [f for f in findings if f.rule not in CONSEQUENCES and _counts(f, story, ending)]
    errors = [f for f in near if f.level is Level.ERROR]
    stops = [f for f in near if f.level is Level.WARNING and f.rule in OUTCOMES]
    cause = next(iter(errors or sorted(stops, key=lambda f: f.rule in WEAK)), None)
    if own is not None and (cause is None or _tells_more(own, cause, story)):
        return own
    return cause if cause is not None or ending else _consequence(findings)


def _tells_more(own: Finding, cause: Finding, story: Story) -> bool:
    """Whether a station's own word says why, where the capture only shows what followed."""
    lost = any(event.record.outcome == "lost" for event in story.own(Summary) if event.record.side == own.side)
    did = {"pilot-back": "ev", "pilot-silent": "evse"}.get(cause.rule)
    return cause.rule in WEAK and (lost or own.side == did)


def _consequence(findings: list[Finding]) -> Finding | None:
    found = [f for f in findings if f.rule in CONSEQUENCES]
    return min(found, key=lambda f: CONSEQUENCES.index(f.rule), default=None)


def _without_session(findings: list[Finding]) -> Finding | None:
    """Of an attempt that came to no session: how far the last try got."""
    errors = [f for f in findings if f.level is Level.ERROR]
    rest = [f for f in findings if f.level is Level.WARNING]
    if errors:
        return next((f for f in errors if f.rule in ROOTS), errors[-1])
    return rest[-1] if rest else _consequence(findings)


def _counts(finding: Finding, story: Story, ending: list[Exchange]) -> bool:
    """Whether what a rule found can have ended the session."""
    if finding.layer is Layer.CAPTURE:
        return False
    end = round((ending[0].first.time if ending else story.exchanges[-1].last.time) - story.start, 6)
    if ending and finding.rule not in TAIL_RULES and _is_after(finding, ending[0], end):
        return False
    if finding.rule == "late":
        return _last_is_worst(story, ending)
    if finding.rule in AT_ONCE:
        return finding.t >= end - AT_ONCE_S
    if finding.level is Level.ERROR and finding.rule not in ("vehicle-error", "charger-status", "over-voltage"):
        return True
    return finding.last_t >= end - BEFORE_S


def _is_after(finding: Finding, first: Exchange, end: float) -> bool:
    """Whether a rule was broken in the end already; by frames, where it has one."""
    return finding.frame >= first.first.frame if finding.frame else finding.t >= end


def _trouble(findings: list[Finding], ending: list[Exchange]) -> str:
    """What went wrong in an end that had been decided in order."""
    wrong = [f for f in findings if f.level is Level.ERROR and f.layer is not Layer.CAPTURE and f.rule != "tcp-lost"]
    last = next((f for f in wrong if ending and f.frame >= ending[0].first.frame), None)
    return f"; then: {last.text}" if last is not None else ""


def _last_is_worst(story: Story, ending: list[Exchange]) -> bool:
    """Whether the last answer before the end came much later than all of its kind before."""
    rest = story.exchanges[: len(story.exchanges) - len(ending)]
    if not rest or rest[-1].seconds is None:
        return False
    last = rest[-1]
    before = [e.seconds for e in rest[:-1] if e.pair == last.pair and e.seconds is not None]
    return last.seconds is not None and last.seconds > 1.5 * max(before, default=0.0)


def _orderly(story: Story, ending: list[Exchange], phase: str) -> tuple[str, str, str]:
    """Outcome, side and sentence of a session that ended without a broken rule: the vehicle wished it."""
    loop = [e for e in story.exchanges if e.pair == "ChargeLoop"]
    if len(ending) == len(story.exchanges):
        return "unknown", "", "only the end of the session is in the capture"
    if not loop:
        return "stopped by vehicle", "ev", f"the vehicle ends the session in the phase {phase}, before charging"
    said = [e.record.reason for e in story.own(Summary) if e.record.side == "ev"]
    if said:
        return "finished", "ev", f"the vehicle ended the session in order: {said[-1]}"
    asked = loop[-1].asked
    if asked.get("ChargingComplete") or any(e.asked.get("ChargingComplete") for e in ending):
        return "finished", "ev", "the vehicle says that charging is complete"
    soc = asked.get("EVRESSSOC")
    at = f" at {soc:g} %" if isinstance(soc, (int, float)) else ""
    return "finished", "ev", f"the vehicle ended the session{at} in order; it does not say why"
