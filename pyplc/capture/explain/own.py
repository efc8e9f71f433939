"""What a station recorded of itself, as events on the time line of its capture: pilot, switches, decisions, the end.

A session's folder holds the frames (`session.pcapng`) and the records (`session.jsonl`), whose times are seconds since
the recording began. `beside` finds the records of a capture, `joined` puts both on one time line, `recorded` makes
events of records in memory.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from ... import record as r
from ..events import Damage, Event, HomePlug, Message
from ..files import Packet
from ..links import ETHERNET
from ..reader import Reader

FRAMES, RECORDS = "session.pcapng", "session.jsonl"


class Own(Event, frozen=True, kw_only=True, gc=False):
    """A record of the station itself; `frame` is 0."""

    record: Any


class Said(msgspec.Struct, tag_field="type", tag="message", gc=False):
    """A line of a V2G message: enough to find it in the capture. `exi` is hex."""

    t: float
    exi: str


class Left(msgspec.Struct, tag_field="type", tag="dropped", gc=False):
    """A line of what was dropped: not told."""

    t: float


Line = (
    r.Start | r.Phase | r.Checkpoint | r.Reading | r.VehicleData | r.Pilot | r.Switch | r.Decision | r.Sighting
    | r.Note | r.Summary | Said | Left
)  # fmt: skip
_read = msgspec.json.Decoder(Line).decode
MARKS = {100: "CM_SLAC_PARAM.REQ", 101: "CM_SLAC_PARAM.CNF", 155: "CM_SLAC_MATCH.CNF"}
"""Checkpoints that are the moment of a frame."""


def beside(capture: Path) -> Path | None:
    """The records that belong to a capture file, where there are any."""
    found = capture.with_name(RECORDS)
    return found if capture.name == FRAMES and found.is_file() else None


def joined(events: Iterable[Event], records: Path) -> Iterator[Event]:
    """The events of a capture with the station's records among them, in the order of time."""
    seen = list(events)
    lines, damage = _lines(records)
    zero = _zero(lines, seen)
    told = [Own(frame=0, time=zero + line.t, record=line) for line in lines if not isinstance(line, (Said, Left))]
    last = seen[-1].time if seen else zero
    yield from heapq.merge(seen, sorted(told, key=_time), key=_time)
    for text in damage:
        yield Damage(frame=0, time=last, text=text)


def recorded(records: Iterable[r.Record], epoch: float = 0.0) -> Iterator[Event]:
    """The events of records in memory; `epoch` is the time of t = 0, seconds since 1970."""
    reader, number = Reader(), 0
    for record in records:
        if isinstance(record, r.Frame):
            number += 1
            data = record.data
            yield from reader.feed(Packet(number, round((epoch + record.t) * 1e9), ETHERNET, data, 0, len(data)))
        elif not isinstance(record, (r.Message, r.Dropped)):
            yield Own(frame=0, time=epoch + record.t, record=record)
    yield from reader.end()


def _time(event: Event) -> float:
    return event.time


def _lines(file: Path) -> tuple[list[Any], list[str]]:
    """The lines of a file of records, and what could not be read."""
    found, damage = [], []
    for number, line in enumerate(file.read_bytes().splitlines(), 1):
        try:
            found.append(_read(line))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            damage.append(f"{file.name}, line {number}: {error}")
    return found, damage


def _zero(lines: list[Any], seen: list[Event]) -> float:
    """The time of t = 0: by the first message that both have, else the first frame of SLAC, else the wall clock."""
    first = next((event for event in seen if isinstance(event, Message)), None)
    if first is not None:
        exi = first.exi.hex()
        for line in lines:
            if isinstance(line, Said) and line.exi == exi:
                return first.time - float(line.t)
    marks = {line.number: line.t for line in reversed(lines) if isinstance(line, r.Checkpoint)}
    for number, name in MARKS.items():
        frame = next((event for event in seen if isinstance(event, HomePlug) and event.name == name), None)
        if frame is not None and number in marks:
            return frame.time - float(marks[number])
    wall = next((line.wall for line in lines if isinstance(line, r.Start) and line.wall), None)
    return datetime.fromisoformat(wall).timestamp() if wall else seen[0].time if seen else 0.0
