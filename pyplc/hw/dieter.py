"""Dieter, the serial Arduino of pyPLC (github.com/uhi22/dieter): 19200 baud, lines as it has them.

    to it      do000N        N: bit 0 state C, bit 1 relay 1, bit 2 relay 2; each 0.5 s and at each change
    from it    A0=dddd       the inlet's voltage as 10 bits, each 0.5 s; A1=dddd is not used
               I received value: N        Starte...  (after a reset)

What it lacks is guarded here: it cannot measure the pilot (5 % is assumed), its readings get an age, a restart ends the
session, and its echo confirms what was switched. It has no watchdog: if this process is killed, its outputs stay.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

import msgspec

from .ports import PilotState, PilotView, Reading
from .serial_board import SerialBoard
from .serial_line import SerialSettings

BAUD = 19200
EACH_S = 0.5
"""Outputs are repeated, and A0 is told, each half second."""
FULL_SCALE = 1023
STATE_C, RELAY_1, RELAY_2 = 1, 2, 4
ASSUMED_DUTY = 5.0

_ANALOG = re.compile(rb"A0=(\d{1,4})")
_ECHO = re.compile(rb"I received value: (\d{1,3})")


class DieterSettings(SerialSettings, kw_only=True, forbid_unknown_fields=True):
    """The line, what hangs on it, and the voltage divider."""

    echo: bool = True
    """Outputs count only when Dieter repeats them. false where one Dieter measures and another one switches."""
    relays: Annotated[tuple[Literal[1, 2], ...], msgspec.Meta(min_length=1)] = (1,)
    """The relays that close the contactors."""
    volts_per_count: Annotated[float, msgspec.Meta(gt=0)] = 1.08 * 6250 / 9.4 / 1024
    """Of the 10-bit value: 1.08 V of reference and the divider of DieterHV make 718 V full scale."""


class Dieter(SerialBoard):
    """Both halves on one port, and the display that may hang on the same line."""

    summary = "pyPLC's serial Arduino: state B and C, two relays, inlet voltage"
    Settings = DieterSettings
    parts = {"vehicle": ("pilot", "contactor", "inlet", "display")}
    extra = "serial"
    baud = BAUD
    each_s = EACH_S
    limit_s = 1.6
    """Three of its periods and a bit."""

    async def run(self) -> None:
        self.note(f"{self.name}: has no watchdog; if this program is killed its relays stay as they are", "warning")
        await super().run()

    def output(self) -> int:
        """The digit that says what is wanted."""
        digit = STATE_C if self.wanted.state is PilotState.C else 0
        if self.wanted.contactor:
            for relay in self.settings.relays:
                digit |= RELAY_1 if relay == 1 else RELAY_2
        return digit

    def push(self) -> None:
        sent = self.line.send(b"do000%d\n" % self.output())
        if sent and not self.settings.echo:
            self._switched(self.output())

    def show(self, lines: tuple[str, str, str]) -> None:
        for line in lines:
            self.line.send(b"lc%s\n" % line.encode("ascii"))

    # what it says

    def said(self, line: bytes) -> None:
        if match := _ANALOG.fullmatch(line):
            self._measured(int(match[1]))
        elif match := _ECHO.fullmatch(line):
            self._switched(int(match[1]))
        elif line.startswith(b"Starte"):
            if self.output():
                self.fail("restarted while its outputs were on")
            self._switched(0)
        elif line and not line.startswith(b"A1="):
            self.garbled += 1

    def _measured(self, counts: int) -> None:
        if counts >= FULL_SCALE:  # saturated, or no number of 10 bits: no reading
            self.garbled += 1
            return
        self.hear()
        self.seen.inlet = Reading(counts * self.settings.volts_per_count, self.now())
        if not self.failed and self.seen.view.state is PilotState.A:
            self.seen.view = PilotView(PilotState.B, ASSUMED_DUTY)
        self.tell()

    def _switched(self, digit: int) -> None:
        """Dieter has these outputs now; other than wanted for a second and a half: it does not obey."""
        wanted = self.output()
        self.agree("outputs", digit == wanted, 3 * EACH_S, f"switched {digit} instead of {wanted}")
        relays = sum(RELAY_1 if relay == 1 else RELAY_2 for relay in self.settings.relays)
        self.seen.contactor = bool(digit & relays)
        if not self.failed:
            self.seen.view = PilotView(PilotState.C if digit & STATE_C else PilotState.B, ASSUMED_DUTY)
        self.tell()


DRIVER = Dieter
