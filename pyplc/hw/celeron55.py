"""The serial device of celeron55's cars, as pyPLC talks to it: 115200 baud, lines of key=value.

    to it      cp=0  cp=1  contactor=0  contactor=1  lock  unlock  disp0=text  disp1=text  disp2=text
    from it    inlet_v  dc_link_v  cp_pwm  cp_output_state  ccs_contactor_wanted_closed  max_charge_a  soc_percent
               contactor_confirmed  plugged_in

A command is sent when it changes, and again while what the device repeats differs from it. The lock tells nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import msgspec

from .board import BatterySettings
from .driver import Context
from .ports import PilotState, PilotView, Reading
from .serial_board import SerialBoard
from .serial_line import Opener, SerialSettings

BAUD = 115200
EACH_S = 0.2
DISAGREE_S = 1.5
"""What it repeats may differ from what was commanded for so long."""
FACTS_AGE_S = 10.0
"""State of charge and most current change slowly."""

LIMITS = {
    "inlet_v": (0.0, 1500.0),
    "dc_link_v": (0.0, 1500.0),
    "cp_pwm": (0.0, 100.0),
    "cp_output_state": (0.0, 1.0),
    "ccs_contactor_wanted_closed": (0.0, 1.0),
    "max_charge_a": (0.0, 1000.0),
    "soc_percent": (0.0, 100.0),
    "contactor_confirmed": (0.0, 1.0),
    "plugged_in": (0.0, 1.0),
}
"""What each key may be; anything else is no reading."""


class Celeron55Settings(SerialSettings, kw_only=True, forbid_unknown_fields=True):
    """The line, the battery's figures, and how old a reading may get."""

    max_age_s: Annotated[float, msgspec.Meta(gt=0, le=2)] = 1.0
    """s, of the voltages."""
    battery: BatterySettings | None = None
    """Where this board is the battery."""


class Celeron55(SerialBoard):
    """The board in the car."""

    summary = "celeron55's serial board: pilot, contactors, lock, inlet and battery voltage"
    Settings = Celeron55Settings
    parts = {"vehicle": ("pilot", "contactor", "lock", "inlet", "battery", "display")}
    extra = "serial"
    baud = BAUD
    each_s = EACH_S
    limit_s = 1.6

    def __init__(self, settings: Celeron55Settings, context: Context, opener: Opener | None = None) -> None:
        super().__init__(settings, context, opener)
        self._sent: dict[str, bytes] = {}
        self._told: dict[str, float] = {}
        self._lines: tuple[str, ...] = ("", "", "")

    def push(self) -> None:
        c = self.wanted.state is PilotState.C
        self._command("cp", b"cp=%d" % c, self._told.get("cp_output_state", c) != c)
        closed = self.wanted.contactor
        told = self._told.get("ccs_contactor_wanted_closed", closed)
        self._command("contactor", b"contactor=%d" % closed, told != closed)
        self._command("lock", b"lock" if self.wanted.locked else b"unlock", False)

    def _command(self, what: str, line: bytes, differs: bool) -> None:
        if (self._sent.get(what) != line or differs) and self.line.send(line + b"\n"):
            self._sent[what] = line

    def show(self, lines: tuple[str, str, str]) -> None:
        for number, (line, before) in enumerate(zip(lines, self._lines, strict=True)):
            if line != before:
                self.line.send(b"disp%d=%s\n" % (number, line.encode("ascii")))
        self._lines = lines

    def opened(self) -> None:
        self._sent.clear()
        self._told.clear()
        self._lines = ("", "", "")
        super().opened()

    # what it says

    def said(self, line: bytes) -> None:
        if not line:
            return
        key, _, text = line.decode("ascii", "replace").partition("=")
        try:
            low, high = LIMITS[key]
            value = float(text)
        except (KeyError, ValueError):
            self.garbled += 1
            return
        if not low <= value <= high:
            self.garbled += 1
            return
        self.hear()
        self._told[key] = value
        if take := TAKE.get(key):
            take(self, value)
        self._view()
        self.tell()

    def _view(self) -> None:
        """The pilot from what was told; without a word of the plug, the oscillator says that there is one."""
        duty = self._told.get("cp_pwm", 0.0)
        c = bool(self._told.get("cp_output_state", 0.0))
        if not self.failed:
            plugged = self._told.get("plugged_in", duty > 0)
            state = PilotState.A if not plugged else PilotState.C if c else PilotState.B
            self.seen.view = PilotView(state, duty if plugged and duty > 0 else None)

    def _inlet(self, value: float) -> None:
        self.seen.inlet = Reading(value, self.now(), self.settings.max_age_s)

    def _dc_link(self, value: float) -> None:
        self.seen.battery = Reading(value, self.now(), self.settings.max_age_s)

    def _soc(self, value: float) -> None:
        self.seen.soc = Reading(value, self.now(), FACTS_AGE_S)

    def _most(self, value: float) -> None:
        self.seen.max_current = Reading(value, self.now(), FACTS_AGE_S)

    def _confirmed(self, value: float) -> None:
        self.seen.contactor = bool(value)
        verb = "opened by themselves" if self.wanted.contactor else "stay closed (welded)"
        same = bool(value) is self.wanted.contactor
        self.agree("contactor", same, DISAGREE_S, f"the contactors {verb}", at_once=True)

    def _wanted_closed(self, value: float) -> None:
        said = f"contactor={value:g} instead of {self.wanted.contactor:d}"
        self.agree("contactor command", bool(value) is self.wanted.contactor, DISAGREE_S, f"repeats {said}")

    def _output(self, value: float) -> None:
        c = self.wanted.state is PilotState.C
        self.agree("cp command", bool(value) is c, DISAGREE_S, f"repeats cp={value:g} instead of {c:d}")


TAKE: dict[str, Callable[[Celeron55, float], None]] = {
    "inlet_v": Celeron55._inlet,
    "dc_link_v": Celeron55._dc_link,
    "soc_percent": Celeron55._soc,
    "max_charge_a": Celeron55._most,
    "contactor_confirmed": Celeron55._confirmed,
    "ccs_contactor_wanted_closed": Celeron55._wanted_closed,
    "cp_output_state": Celeron55._output,
}
DRIVER = Celeron55
