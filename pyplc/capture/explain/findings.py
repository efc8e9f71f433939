"""What a rule is and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import NamedTuple

import msgspec

from .story import Story


class Level(StrEnum):
    """How much a finding weighs."""

    NOTE = "note"
    """Worth knowing; nothing is wrong."""
    DEVIATION = "deviation"
    """A requirement was not kept; peers of the field tolerate it."""
    WARNING = "warning"
    """Peers were seen to end sessions for it."""
    ERROR = "error"
    """Ends a session."""


class Layer(StrEnum):
    """The storey where it happened."""

    CAPTURE = "capture"
    PILOT = "control pilot"
    SLAC = "SLAC"
    NETWORK = "network"
    TCP = "TCP"
    TLS = "TLS"
    HANDSHAKE = "handshake"
    SESSION = "session"
    POWER = "power"


class Hit(NamedTuple):
    """One place where a rule was broken. `time` is seconds since 1970; hits of one `group` are told once."""

    frame: int
    time: float
    text: str
    side: str = ""
    size: float = 0.0
    """The worst hit of a group is the one that is told."""
    group: str = ""
    requirement: str = ""
    level: Level | None = None


class Rule(NamedTuple):
    """A check over one story: its key, where it belongs, how much it weighs, what it says, and its source."""

    key: str
    layer: Layer
    level: Level
    title: str
    requirement: str
    check: Callable[[Story], Iterable[Hit]]


class Finding(msgspec.Struct, kw_only=True):
    """A broken rule: where first and last, how often, and the worst of it."""

    rule: str
    """Key of the rule."""
    layer: Layer
    """The storey it belongs to."""
    level: Level
    """note, deviation, warning or error."""
    title: str
    """The rule in words."""
    text: str
    """The worst case of it, with its figures."""
    requirement: str
    """Requirement number, time-out or source; may be empty."""
    side: str
    """Who broke it: ev, evse, or empty."""
    frame: int
    """First frame; 0 where it is not of a frame."""
    t: float
    """First time, seconds since the story began."""
    last_t: float
    """Last time."""
    worst_frame: int
    """Frame of the worst case."""
    worst_t: float
    """Time of the worst case."""
    count: int = 1
    """How often."""


def apply(rules: Iterable[Rule], story: Story) -> list[Finding]:
    """Everything the rules find in a story, in the order of time."""
    found: list[Finding] = []
    for rule in rules:
        groups: dict[tuple[str, str, str], tuple[Finding, float]] = {}
        for hit in rule.check(story):
            key = (hit.group, hit.side, hit.level or "")
            t = round(hit.time - story.start, 6)
            known = groups.get(key)
            if known is None:
                finding = Finding(
                    rule=rule.key,
                    layer=rule.layer,
                    level=hit.level or rule.level,
                    title=rule.title,
                    text=hit.text,
                    requirement=hit.requirement or rule.requirement,
                    side=hit.side,
                    frame=hit.frame,
                    t=t,
                    last_t=t,
                    worst_frame=hit.frame,
                    worst_t=t,
                )
                groups[key] = finding, hit.size
                continue
            finding, worst = known
            finding.count += 1
            finding.last_t = t
            if hit.size > worst:
                finding.text, finding.worst_frame, finding.worst_t = hit.text, hit.frame, t
                groups[key] = finding, hit.size
        found += [finding for finding, _ in groups.values()]
    return sorted(found, key=lambda finding: (finding.t, finding.frame))
