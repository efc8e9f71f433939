"""Records as plain lines: for a pipe, a file, the journal. The last line says why a session ended."""

from __future__ import annotations

from typing import TextIO

from ..record import (
    Checkpoint,
    Decision,
    Note,
    Phase,
    Pilot,
    Reading,
    Record,
    Sighting,
    Start,
    Summary,
    Switch,
    VehicleData,
)


def text_of(record: Record) -> str | None:
    """One line for a record, None for those that are not for people."""
    match record:
        case Checkpoint():
            return f"[CHECKPOINT{record.number}] {record.text}"
        case Phase():
            return f"--- {record.name} ---"
        case Pilot():
            duty = "oscillator off" if record.duty_percent is None else f"{record.duty_percent:g} %"
            return f"pilot in state {record.state}, {duty}"
        case Switch():
            return f"{record.device} {record.state}"
        case Decision():
            return f"{record.what}: {record.why} {record.values or ''}".rstrip()
        case Sighting():
            return record.text
        case Note():
            return record.text if record.level == "info" else f"{record.level}: {record.text}"
        case Reading():
            soc = "" if record.soc_percent is None else f" {record.soc_percent:.1f} %"
            return f"{record.voltage:.1f} V {record.current:.1f} A{soc}"
        case VehicleData():
            capacity = "" if record.capacity_wh is None else f", capacity {record.capacity_wh:.0f} Wh"
            wish = "" if record.energy_request_wh is None else f", wants {record.energy_request_wh:.0f} Wh"
            return f"vehicle {record.evccid or '(no id)'}: {record.soc_percent:g} %{capacity}{wish}"
        case Start():
            return f"pyplc {record.version} {record.what}"
        case Summary():
            return (
                f"{record.outcome}: {record.reason} ({record.duration_s:.1f} s, {record.energy_wh:.0f} Wh, "
                f"{record.messages} messages)"
            )
    return None


class LogLines:
    """A record reader that writes one line a record; readings at most each ten seconds."""

    READING_S = 10.0

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._due: dict[str, float] = {}

    def __call__(self, record: Record) -> None:
        if isinstance(record, Reading):
            if record.t < self._due.get(record.side, 0.0):
                return
            self._due[record.side] = record.t + self.READING_S
        text = text_of(record)
        if text is not None:
            self._out.write(f"{record.t:10.3f} {record.side:<5} {text}\n")
            self._out.flush()
