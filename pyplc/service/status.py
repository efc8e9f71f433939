"""What the station is doing, kept up to date from its records: one small value, and the sentence that says it."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from ..record import Checkpoint as Passed
from ..record import Note, Phase, Pilot, Reading, Record, Side, Start, Summary, Switch

STARTING, WAITING, RETRYING, HELD = "starting", "waiting", "retrying", "held"
SESSION, DONE, ENDING = "session", "done", "ending"
SAID = {
    STARTING: "starts",
    RETRYING: "tries again",
    HELD: "is held",
    DONE: "has charged, waits to be unplugged",
    ENDING: "ends",
}
LISTENING = 300
"""A charger passes this checkpoint while it waits."""
CHARGER_PHASES = {
    101: "SLAC",
    201: "SECC discovery",
    401: "handshake",
    505: "session set-up",
    535: "authorisation",
    545: "parameters",
    561: "cable check",
    575: "pre-charge",
    605: "power on",
    705: "charging",
    805: "power off",
    855: "welding detection",
    905: "session stop",
    960: "safe shutdown",
}
"""The charger's checkpoints that begin a phase; a vehicle records phases itself."""


class Status(msgspec.Struct, kw_only=True):
    """Now. `state` is one of the words above, `phase` names the part of a session, times are the wall clock's (UTC, s).

    Voltage V, current A, energy Wh, state of charge and duty cycle percent. None: not known.
    """

    role: str
    state: str = STARTING
    phase: str | None = None
    checkpoint: int | None = None
    pilot: str | None = None
    duty_percent: float | None = None
    voltage: float | None = None
    current: float | None = None
    soc_percent: float | None = None
    energy_wh: float | None = None
    contactor: str | None = None
    lock: str | None = None
    limit: float | None = None
    remark: str | None = None
    """The newest warning or error, or why it is held or tries again."""
    wrong: list[str] = []
    """What is not well: see health.py."""
    sessions: int = 0
    last_outcome: str | None = None
    last_reason: str | None = None
    last_energy_wh: float | None = None
    last_end: float | None = None
    since: float | None = None
    pid: int = msgspec.field(default_factory=os.getpid)


class StatusReader:
    """A record reader that keeps `status` up to date for one side."""

    def __init__(self, side: Side, wall: object = None) -> None:
        from time import time

        self._side = side
        self._wall = wall if callable(wall) else time
        self.status = Status(role=side, since=self._wall())

    def __call__(self, record: Record) -> None:
        if record.side != self._side and not isinstance(record, Start):
            return
        status = self.status
        match record:
            case Start():
                status.state = WAITING
                status.phase = status.checkpoint = status.voltage = status.current = None
                status.energy_wh = status.soc_percent = None
            case Phase():
                status.phase = record.name
            case Passed():
                status.checkpoint = record.number
                if record.number >= 100 and record.number != LISTENING and status.state == WAITING:
                    status.state = SESSION
                if self._side == "evse":
                    status.phase = CHARGER_PHASES.get(record.number, status.phase)
            case Pilot():
                status.pilot, status.duty_percent = record.state, record.duty_percent
            case Reading():
                status.voltage, status.current = record.voltage, record.current
                status.soc_percent = record.soc_percent if record.soc_percent is not None else status.soc_percent
                status.energy_wh = record.energy_wh if record.energy_wh is not None else status.energy_wh
            case Switch(device="contactor"):
                status.contactor = record.state
            case Switch(device="lock"):
                status.lock = record.state
            case Note() if record.level != "info" and status.state not in (RETRYING, HELD):  # these say why already
                status.remark = record.text
            case Summary():
                self._summed(record)

    def _summed(self, summary: Summary) -> None:
        status = self.status
        status.sessions += status.state == SESSION
        status.state, status.phase = WAITING, None
        status.last_outcome, status.last_reason = summary.outcome, summary.reason
        status.last_energy_wh, status.last_end = summary.energy_wh, self._wall()


def words(status: Status) -> str:
    """One sentence for a person."""
    who = {"ev": "vehicle", "evse": "charger"}.get(status.role, status.role)
    if status.state == SESSION:
        parts = [status.phase or f"in a session, checkpoint {status.checkpoint}"]
        if status.voltage is not None:
            parts.append(f"{status.voltage:.0f} V, {status.current or 0:.0f} A")
        if status.soc_percent is not None:
            parts.append(f"{status.soc_percent:.0f} %")
        if status.energy_wh is not None:
            parts.append(f"{status.energy_wh / 1000:.2f} kWh")
        said = ", ".join(parts)
    elif status.state == WAITING:
        pilot = "" if status.pilot is None else f", pilot in state {status.pilot}"
        awaited = {"ev": "a charger", "evse": "a vehicle"}.get(status.role, "stations to match")
        said = f"waits for {awaited}{pilot}"
    else:
        said = SAID[status.state]
        said += f": {status.remark}" if status.remark else ""
    last = ""
    if status.last_outcome is not None and status.state != SESSION:
        energy = f", {status.last_energy_wh / 1000:.2f} kWh" if status.last_energy_wh else ""
        last = f"; the last session: {status.last_outcome}, {status.last_reason}{energy}"
    wrong = f"; NOT WELL: {'; '.join(status.wrong)}" if status.wrong else ""
    return f"{who}: {said}{last}{wrong}"


def store(status: Status, file: Path) -> None:
    """Write it for other programs, whole or not at all; OSError."""
    beside = file.with_suffix(".new")
    beside.write_bytes(msgspec.json.encode(status))
    beside.chmod(0o644)  # whoever may log in may ask how it goes
    beside.replace(file)


def load(file: Path) -> Status:
    """What a running station wrote; OSError or msgspec.ValidationError."""
    return msgspec.json.decode(file.read_bytes(), type=Status)
