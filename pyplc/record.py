"""The typed records every storey emits, on one time base: the only log of truth.

A record says what was seen or decided, once. The terminal, the log, the session file, metrics and displays are readers
of it (`Recorder.readers`); nothing else is logged anywhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from .checkpoints import CHECKPOINTS, PHASES

Side = Literal["ev", "evse", "modem", "listen", "sim"]
"""Who speaks: the vehicle, the charger, an emulated modem, a listener, or the simulation around them."""


class Record(msgspec.Struct, kw_only=True, tag_field="type", gc=False):
    """What every record has. `t` is seconds since the start of the recording, `side` who recorded it."""

    t: float = 0.0
    side: Side = "sim"


class Start(Record, tag="start"):
    """The first record: what was started, and the wall-clock time (ISO 8601, UTC) of t = 0 where there is one."""

    what: str
    version: str
    wall: str | None = None
    seed: int | None = None


class Phase(Record, tag="phase"):
    """A session enters a phase, named as a person would say it ("SLAC", "PreCharge")."""

    name: str


class Checkpoint(Record, tag="checkpoint"):
    """A numbered checkpoint (see `checkpoints.py`) was passed."""

    number: int
    text: str


class Frame(Record, tag="frame"):
    """A raw Ethernet frame on the wire: `direction` is "tx" or "rx" as this station saw it."""

    direction: str
    data: bytes
    interface: str = ""


class Message(Record, tag="message"):
    """One V2G message as it was on the socket: `exi` are its bytes, `body` its values in the standard's names."""

    direction: str
    protocol: str
    name: str
    exi: bytes
    body: Any = None


class Reading(Record, tag="reading"):
    """Measured values: volts and amperes at the inlet (vehicle) or the outlet (charger), and the battery's state."""

    voltage: float
    current: float
    battery_voltage: float | None = None
    soc_percent: float | None = None
    energy_wh: float | None = None


class VehicleData(Record, tag="vehicle"):
    """What a vehicle tells of itself only in a DC session; None is unknown. `evccid` as hex, Wh, percent."""

    evccid: str
    soc_percent: float
    full_soc_percent: float | None = None
    capacity_wh: float | None = None
    energy_request_wh: float | None = None


class Pilot(Record, tag="pilot"):
    """The control pilot as this side sees it: state letter A to F and duty cycle in percent (None: no oscillator)."""

    state: str
    duty_percent: float | None = None


class Switch(Record, tag="switch"):
    """A device was switched: "contactor", "lock", "supply", with the new state in words."""

    device: str
    state: str


class Decision(Record, tag="decision"):
    """Something was chosen: what, and the figures that decided."""

    what: str
    why: str
    values: dict[str, Any] = {}


class Sighting(Record, tag="sighting"):
    """A listener learnt something of a foreign matching: what, and all that is known by now; None is not known.

    MACs of hosts, hex for the rest; `attenuation` is the charger's mean in dB over `sounds` sounds.
    """

    what: str
    vehicle: str
    run_id: str
    charger: str | None = None
    attenuation: float | None = None
    sounds: int | None = None
    nid: str | None = None
    nmk: str | None = None

    @property
    def text(self) -> str:
        """One line for people."""
        known = {
            "vehicle": self.vehicle,
            "charger": self.charger,
            "run": self.run_id,
            "attenuation": None if self.attenuation is None else f"{self.attenuation:g} dB in {self.sounds} sounds",
            "NID": self.nid,
            "NMK": self.nmk,
        }
        return f"{self.what}: " + ", ".join(f"{name} {value}" for name, value in known.items() if value is not None)


class Note(Record, tag="note"):
    """A remark for people; `level` is "info", "warning" or "error"."""

    text: str
    level: str = "info"


class Dropped(Record, tag="dropped"):
    """A frame or message that was counted and ignored, with the reason."""

    what: str
    reason: str
    data: bytes = b""


class Summary(Record, tag="summary"):
    """The last record of a session.

    `outcome` is "finished" or what went wrong ("timeout", "failed", "stopped", "lost", "error"); `reason` the sentence
    that names the time-out or rule; `messages` counts V2G messages both ways; `phases` seconds per phase.
    """

    outcome: str
    reason: str
    soc_percent: float | None = None
    energy_wh: float = 0.0
    duration_s: float = 0.0
    messages: int = 0
    phases: dict[str, float] = {}


Reader = Callable[[Record], None]


class Recorder:
    """Hands each record to its readers, stamped with the loop's time since the recorder was made.

    A reader is a plain callable; one that raises is removed and reported to the others as an error note, so that a
    full disk never ends a charge.
    """

    def __init__(self, *readers: Reader) -> None:
        self.readers: list[Reader] = list(readers)
        self._zero: float | None = None

    def now(self) -> float:
        """Seconds since the first call."""
        time = asyncio.get_running_loop().time()
        if self._zero is None:
            self._zero = time
        return time - self._zero

    def emit(self, record: Record) -> None:
        """Stamp `record` and give it to every reader."""
        record.t = round(self.now(), 6)
        for reader in self.readers:
            try:
                reader(record)
            except Exception as error:  # whatever a reader does, the session goes on
                self.readers.remove(reader)
                self.emit(
                    Note(side=record.side, level="error", text=f"a record reader failed and was removed: {error!r}")
                )
                return

    def on(self, side: Side) -> Scribe:
        """This recorder as seen from one side."""
        return Scribe(self, side)


class Scribe:
    """A recorder with the side filled in: what storeys are given."""

    __slots__ = ("_recorder", "side")

    def __init__(self, recorder: Recorder, side: Side) -> None:
        self._recorder = recorder
        self.side = side

    def __call__(self, record: Record) -> None:
        record.side = self.side
        self._recorder.emit(record)

    def note(self, text: str, level: str = "info") -> None:
        """Emit a remark."""
        self(Note(text=text, level=level))

    def checkpoint(self, number: int) -> None:
        """Emit a checkpoint by number, and the phase it begins; KeyError if the number is not in the vocabulary."""
        if self.side == "ev" and number in PHASES:
            self(Phase(name=PHASES[number]))
        self(Checkpoint(number=number, text=CHECKPOINTS[number]))


def silent(side: Side = "sim") -> Scribe:
    """A scribe nobody reads: for tests and tools that need none."""
    return Scribe(Recorder(), side)
