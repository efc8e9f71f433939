"""What a station recorded of itself, typed, among the events of its capture: pilot, switches, decisions, the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from ... import record as r
from ..events import Event, Pilot, Recorded
from ..files import Packet
from ..links import ETHERNET
from ..reader import Reader

Told = (
    r.Start | r.Phase | r.Checkpoint | r.Reading | r.VehicleData | r.Switch | r.Decision | r.Sighting | r.Note
    | r.Summary
)  # fmt: skip
"""Records that belong to a story; messages and what was dropped are in the frames."""
KINDS = frozenset(kind.__struct_config__.tag for kind in Told.__args__)
STATION = " station"
"""How the name of a pilot's report ends that a station recorded."""


class Own(Event, frozen=True, kw_only=True, gc=False):
    """A record of the station itself; `frame` is 0 where it did not come from a file."""

    record: Any


def typed(event: Event) -> Event:
    """A recorded event as `Own`; all others, and those that cannot be read, as they are."""
    if isinstance(event, Recorded) and event.kind in KINDS:
        values = {**event.value, "type": event.kind, "t": event.time, "side": event.station}
        try:
            return _own(event, msgspec.convert(values, Told))
        except msgspec.ValidationError:  # of another version
            return event
    if isinstance(event, Pilot) and event.name.endswith(STATION):
        side = event.name.removesuffix(STATION)
        if side in ("ev", "evse"):
            return _own(event, r.Pilot(state=event.state, duty_percent=event.duty_percent, side=side))  # type: ignore[arg-type]
    return event


def _own(event: Event, record: r.Record) -> Own:
    return Own(frame=event.frame, time=event.time, interface=event.interface, record=record)


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
