"""Records as plain lines: for a pipe, a file, the journal. The last line says why a session ended."""

from __future__ import annotations

import os
from collections.abc import Mapping
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

ERROR, WARNING, NOTICE, INFO, DEBUG = 3, 4, 5, 6, 7
"""The levels of syslog and the journal."""
LEVELS = {"error": ERROR, "warning": WARNING, "info": INFO}


def text_of(record: Record) -> str | None:
    """One line for a record, None for those that are not for people."""
    match record:
        case Checkpoint():
            return f"[CHECKPOINT{record.number}] {record.text}"
        case Phase():
            return f"--- {record.name} ---"
        case Pilot():
            duty = "oscillator off" if record.duty_percent is None else f"{record.duty_percent:.4g} %"
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


def level_of(record: Record) -> int:
    """How much it matters: what failed, what was switched or decided, what just goes on."""
    match record:
        case Note():
            return LEVELS.get(record.level, INFO)
        case Summary():
            return NOTICE if record.outcome in ("finished", "stopped") else ERROR
        case Phase() | Start() | Decision() | Switch():
            return NOTICE
        case Reading() | Pilot():
            return DEBUG
    return INFO


def to_journal(out: TextIO, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether `out` is the journal's own stream, as systemd says in $JOURNAL_STREAM."""
    device, _, inode = environment.get("JOURNAL_STREAM", "").partition(":")
    try:
        stat = os.fstat(out.fileno())
    except (OSError, ValueError):  # a stream without a file
        return False
    return (device, inode) == (str(stat.st_dev), str(stat.st_ino))


class Thinned:
    """What of a stream of records becomes lines: all but readings, and of those one every ten seconds."""

    READING_S = 10.0

    def __init__(self) -> None:
        self._due: dict[str, float] = {}

    def __call__(self, record: Record) -> str | None:
        """The line, or None."""
        if isinstance(record, Start):
            self._due.clear()
        if isinstance(record, Reading):
            if record.t < self._due.get(record.side, 0.0):
                return None
            self._due[record.side] = record.t + self.READING_S
        text = text_of(record)
        return None if text is None else " ".join(text.splitlines())


class LogLines:
    """A record reader that writes one line a record; in the journal with its level and without the time it has."""

    def __init__(self, out: TextIO, *, journal: bool = False) -> None:
        self._out = out
        self._journal = journal
        self._thinned = Thinned()

    def __call__(self, record: Record) -> None:
        text = self._thinned(record)
        if text is None:
            return
        if self._journal:
            self._out.write(f"<{level_of(record)}>{record.side}: {text}\n")
        else:
            self._out.write(f"{record.t:10.3f} {record.side:<5} {text}\n")
        self._out.flush()
