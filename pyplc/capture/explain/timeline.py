"""The time line of a story: requests beside responses, long loops folded, SLAC, pilot and the own records."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from ... import record as r
from ..events import Connection, Event, HomePlug, Message, Pilot, Sdp, Tls
from ..quantities import brief
from ..rows import row
from .findings import Finding, Level
from .own import Own
from .story import Exchange, Story

MESSAGE = re.compile(r" (sends|receives|answers|sounds|announces|has the)\b")
FOLD = 5
"""Rounds of one loop from which on the middle is folded."""
SOUNDING = ("CM_START_ATTEN", "CM_MNBC_SOUND", "CM_ATTEN_PROFILE", "VS_ATTEN_CHAR")
TOLD = (r.Pilot, r.Switch, r.Decision, r.Checkpoint, r.Note, r.Sighting, r.Summary)
"""Own records that are a line."""
LANES = ("pilot", "SLAC", "network", "vehicle", "charger", "own record")
"""Rows of the picture of all events."""


class Entry(NamedTuple):
    """A line: `left` is what the vehicle says, `right` what the charger says; `answer_s` how long the answer took.

    `group` colours it; `level` is the worst that was found in its frames.
    """

    t: float
    frame: int
    group: str
    left: tuple[str, str]
    right: tuple[str, str]
    answer_s: float | None = None
    level: Level | None = None


class Fold(NamedTuple):
    """Rounds of a loop that are alike."""

    name: str
    seconds: float
    answers: tuple[float, float] | None
    entries: list[Entry]


Line = Entry | Fold
NOTHING = ("", "")
ORDER = [Level.NOTE, Level.DEVIATION, Level.WARNING, Level.ERROR]


def timeline(story: Story, findings: list[Finding]) -> list[Line]:
    """Everything worth a line, in order; loops longer than `FOLD` rounds have their middle in a `Fold`."""
    marks = _marks(findings)
    found: list[Line] = []
    run: list[Entry] = []
    for entry in _entries(story, marks):
        if run and _loop(entry) != _loop(run[-1]):
            found += _folded(run)
            run = []
        run.append(entry)
    return [*found, *_folded(run)]


def _marks(findings: list[Finding]) -> dict[int, Level]:
    """Frame to the worst level found in it."""
    marks: dict[int, Level] = {}
    for finding in findings:
        for frame in {finding.frame, finding.worst_frame} - {0}:
            marks[frame] = max(finding.level, marks.get(frame, Level.NOTE), key=ORDER.index)
    return marks


def _loop(entry: Entry) -> str:
    """What entries that follow each other must have in common to be one loop; empty for what never is."""
    name = entry.left[0] or entry.right[0]
    if entry.group == "homeplug" and name.startswith(SOUNDING):
        return "sounding"
    return name if entry.group in ("v2g", "homeplug", "sdp") else ""


def _folded(run: list[Entry]) -> list[Line]:
    if len(run) <= FOLD or not _loop(run[0]):
        return [*run]
    middle = run[1:-1]
    answers = [entry.answer_s for entry in middle if entry.answer_s is not None]
    fold = Fold(
        _loop(run[0]).removesuffix("Req").removesuffix("Res"),
        middle[-1].t - middle[0].t,
        (min(answers), max(answers)) if answers else None,
        middle,
    )
    return [run[0], fold, run[-1]]


def _entries(story: Story, marks: dict[int, Level]) -> Iterator[Entry]:
    of: dict[int, Exchange] = {id(exchange.first): exchange for exchange in story.exchanges}
    vehicle = next((e.source for e in story.homeplug("CM_SLAC_PARAM.REQ", "CM_MNBC_SOUND.IND")), b"")
    for event in story.events:
        if isinstance(event, Message):
            if (exchange := of.get(id(event))) is not None:
                yield _exchanged(exchange, story.start, marks)
        elif isinstance(event, Own):
            if isinstance(event.record, TOLD) and not _is_message(event.record):
                yield _own(event, story.start)
        elif isinstance(event, (HomePlug, Sdp, Pilot, Tls)) or (
            isinstance(event, Connection) and event.connection == story.connection
        ):
            yield from _other(event, story.start, marks, vehicle)


def _is_message(record: r.Record) -> bool:
    """Whether a checkpoint only says that a message was sent or received, which has a line of its own."""
    return isinstance(record, r.Checkpoint) and bool(MESSAGE.search(record.text))


def _exchanged(exchange: Exchange, start: float, marks: dict[int, Level]) -> Entry:
    request, response = exchange.request, exchange.response
    levels = [marks[m.frame] for m in (request, response) if m is not None and m.frame in marks]
    return Entry(
        round(exchange.first.time - start, 3),
        exchange.first.frame,
        "v2g",
        _said(request),
        _said(response),
        exchange.seconds,
        max(levels, key=ORDER.index, default=None),
    )


def _said(message: Message | None) -> tuple[str, str]:
    if message is None:
        return NOTHING
    return message.name or "(unreadable)", message.error or brief(message.body)


def _other(event: Event, start: float, marks: dict[int, Level], vehicle: bytes) -> Iterator[Entry]:
    shown = row(event)
    if not shown.usual:
        return
    name = f"TCP {shown.name}" if isinstance(event, Connection) else shown.name
    said = (name, _without_key(shown.text, getattr(getattr(event, "message", None), "nmk", None)))
    side = shown.side or ("ev" if vehicle and event.source == vehicle else "evse")
    both = (said, NOTHING) if side == "ev" else (NOTHING, said)
    yield Entry(round(event.time - start, 3), event.frame, shown.group, *both, None, marks.get(event.frame))


def _without_key(text: str, nmk: bytes | str | None) -> str:
    """A page is made to be shown: no keys of networks in it."""
    return text.replace(nmk.hex() if isinstance(nmk, bytes) else nmk, "hidden") if nmk else text


def _own(event: Own, start: float) -> Entry:
    name, text = _told(event.record)
    both = ((name, text), NOTHING) if event.record.side == "ev" else (NOTHING, (name, text))
    group = "pilot" if isinstance(event.record, r.Pilot) else "own"
    return Entry(round(event.time - start, 3), event.frame, group, *both)


def _told(record: r.Record) -> tuple[str, str]:
    """An own record as a name and a text."""
    match record:
        case r.Pilot(state=state, duty_percent=duty):
            return "pilot", f"state {state}, {'no oscillator' if duty is None else f'{duty:g} %'}"
        case r.Switch(device=device, state=state):
            return device, state
        case r.Decision(what=what, why=why):
            return "decision", f"{what}: {why}"
        case r.Checkpoint(number=number, text=text):
            return f"{number:03}", text
        case r.Note(text=text, level=level):
            return level if level != "info" else "note", text
        case r.Sighting():
            return "sighting", _without_key(record.text, record.nmk)
        case r.Summary(outcome=outcome, reason=reason):
            return "end", f"{outcome}: {reason}"
    return "", ""


def lanes(story: Story) -> dict[str, list[float]]:
    """When something happened in each lane of the picture."""
    found: dict[str, list[float]] = {lane: [] for lane in LANES}
    for event in story.events:
        if (lane := _lane(event)) is not None:
            found[lane].append(round(event.time - story.start, 3))
    return {lane: times for lane, times in found.items() if times}


def _lane(event: Event) -> str | None:
    match event:
        case Message(side="evse"):
            return "charger"
        case Message():
            return "vehicle"
        case HomePlug(name=name) if name.startswith(("CM_SLAC", "CM_START", "CM_MNBC", "CM_ATTEN", "CM_SET_KEY")):
            return "SLAC"
        case Sdp() | Tls() | Connection():
            return "network"
        case Pilot():
            return "pilot"
        case Own(record=r.Pilot()):
            return "pilot"
        case Own(record=r.Switch() | r.Decision() | r.Note() | r.Summary()):
            return "own record"
    return None


class State(NamedTuple):
    """A stretch in which the pilot did not change."""

    start: float
    end: float
    state: str
    duty_percent: float | None


def pilot(story: Story) -> list[State]:
    """The states of the pilot, as the first who reports it saw them; short ones of one sample are told too."""
    reports: list[tuple[float, str, float | None]] = []
    side = next((e.record.side for e in story.own(r.Pilot)), None)
    for event in story.events:
        if isinstance(event, Own) and isinstance(event.record, r.Pilot) and event.record.side == side:
            reports.append((event.time - story.start, event.record.state, event.record.duty_percent))
        elif isinstance(event, Pilot) and side is None:
            reports.append((event.time - story.start, event.state, event.duty_percent))
    changes = [
        now for before, now in zip([None, *reports], reports, strict=False) if not before or now[1:] != before[1:]
    ]
    ends = [t for t, *_ in changes[1:]] + [story.end - story.start]
    return [
        State(round(t, 3), round(end, 3), state, duty) for (t, state, duty), end in zip(changes, ends, strict=False)
    ]
