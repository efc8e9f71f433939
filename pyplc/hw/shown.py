"""What a small display shows of a session: three lines of text, gathered from its records."""

from __future__ import annotations

from ..checkpoints import CHECKPOINTS
from ..record import Checkpoint, Note, Phase, Reading, Record, Summary, VehicleData
from ..record import Message as V2gMessage

WIDTH = 17
"""Characters a line: what pyPLC's display has room for."""


class Shown:
    """Reads records; `read` says whether what is shown has changed."""

    def __init__(self) -> None:
        self.state = "ready"
        """What the station does, in a word or two."""
        self.checkpoint = 0
        self.voltage: float | None = None
        self.current: float | None = None
        self.soc_percent: float | None = None
        self.reported: float | None = None
        """What the charger reports, V."""
        self.trouble = False
        """The last session did not end in order."""
        self.charging = False

    def read(self, record: Record) -> bool:
        """Take what concerns a display."""
        before = self.lines(), self.charging, self.trouble, self.checkpoint
        if isinstance(record, Phase):
            self._state(record.name)
        elif isinstance(record, Checkpoint):
            self.checkpoint = record.number
            if record.side == "evse" and record.number < 100:
                self._state(CHECKPOINTS[record.number])
        elif isinstance(record, V2gMessage):
            if record.name == "CurrentDemandRes" or record.name == "PreChargeRes":
                self.reported = physical(getattr(record.body, "EVSEPresentVoltage", None))
            if record.side == "evse" and record.direction == "rx":
                self._state(record.name.removesuffix("Req"))
        elif isinstance(record, Reading):
            self.voltage, self.current = record.voltage, record.current
            self.soc_percent = record.soc_percent if record.soc_percent is not None else self.soc_percent
        elif isinstance(record, VehicleData):
            self.soc_percent = record.soc_percent
        elif isinstance(record, Summary):
            self.trouble = record.outcome not in ("finished", "stopped")
            self._state("finished" if not self.trouble else record.outcome)
            self.voltage = self.current = None
        elif isinstance(record, Note) and record.level == "error":
            self._state(record.text)
        return before != (self.lines(), self.charging, self.trouble, self.checkpoint)

    def lines(self) -> tuple[str, str, str]:
        """State, voltage and current, state of charge; at most `WIDTH` characters each."""
        figures = [] if self.voltage is None else [f"{self.voltage:.0f} V"]
        if self.current is not None:
            figures.append(f"{self.current:.0f} A")
        soc = "" if self.soc_percent is None else f"SoC {self.soc_percent:.1f} %"
        return self.state[:WIDTH], " ".join(figures)[:WIDTH], soc[:WIDTH]

    def _state(self, text: str) -> None:
        self.state = plain(text)
        self.charging = text in ("charging", "CurrentDemand", "ChargingStatus")


def plain(text: str) -> str:
    """Printable ASCII: anything else would be a command or nonsense to a display's firmware."""
    return "".join(c if " " <= c <= "~" else "?" for c in text)


def physical(value: object) -> float | None:
    """The number of a physical value of either standard, in its unit; None where there is none."""
    multiplier, number = getattr(value, "Multiplier", None), getattr(value, "Value", None)
    return None if multiplier is None or number is None else float(number * 10.0**multiplier)
