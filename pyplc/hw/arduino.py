"""pyplc's own firmware on an Arduino (`firmware/`): the pilot of either side, relays, lock, inlet, emergency stop.

Its lines are those of `arduino_line.py`. Orders go out five times a second; without one for a second the board goes to
the safe state by itself. A board that is in the safe state without being asked, restarted, is blind, or does not answer
orders has failed, and is told S: it then opens and unlocks in its own order. Only `ready` makes it obey again.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

import msgspec

from .arduino_line import BAUD, MAX_SEQ, PROTOCOL, Ask, Flag, Order, Status, Version, from_board
from .board import Board
from .driver import Context
from .ports import PilotState, PilotView, Reading, StaleReading
from .serial_line import Opener, SerialLine, SerialSettings, serial_opener

EACH_S = 0.2
"""Between two orders."""
DISAGREE_S = 1.5
"""How long contactor feedback and relay may disagree."""
PLUGGED_BELOW_V = 4.28
"""Proximity with 330 ohm to 5 V: 1.5 kohm of a CCS2 plug makes 4.10 V, nothing plugged in at least 4.45 V."""
DUTY_JITTER = 0.3
"""Percent by which a measured duty cycle may move without being another one."""
WRAP_MS = 1 << 32

REASONS = {
    Flag.EMERGENCY: "the emergency input is open",
    Flag.BLIND: "cannot measure the pilot",
    Flag.HOST_SILENT: "heard nothing from us for a second and went to its safe state",
    Flag.PILOT_GONE: "lost the pilot while a relay was closed and went to its safe state",
    Flag.TEST_LIVE: "opened again: relays are tried with nothing plugged in and no voltage (service disconnect open)",
}


class ArduinoSettings(SerialSettings, kw_only=True, forbid_unknown_fields=True):
    """The line, and what is wired to the board."""

    relays: Annotated[tuple[Literal[1, 2], ...], msgspec.Meta(min_length=1)] = (1,)
    """The relays that close the contactors."""
    feedback: bool = False
    """The contactors' auxiliary contacts are wired to D12: they confirm, and not the relay."""
    proximity: bool = True
    """Vehicle: the proximity line at A1 tells unplugged; false where it is not wired."""
    inlet_factor: Annotated[float, msgspec.Meta(gt=0)] = 1.0
    """Corrects the inlet's voltage; the divider itself stands in `firmware/board.h`."""


class Arduino(Board):
    """One board with pyplc's firmware, built for the role it has here."""

    summary = "pyplc's own Arduino firmware: pilot of either side, relays, lock, inlet, with a watchdog"
    Settings = ArduinoSettings
    parts = {"vehicle": ("pilot", "contactor", "lock", "inlet"), "charger": ("pilot", "contactor")}
    extra = "serial"
    limit_s = 0.5
    """Ten of its periods."""

    def __init__(self, settings: ArduinoSettings, context: Context, opener: Opener | None = None) -> None:
        super().__init__(settings, context)
        self._line = SerialLine(opener or serial_opener(settings.port, BAUD), self._said, self._opened, self._lost)
        self.version: Version | None = None
        self.status: Status | None = None
        """The newest, with readings that no port asks for: pilot levels, proximity, flags."""
        self.garbled = 0
        """Lines that were none, or said what cannot be."""
        self._relays = sum(settings.relays)
        self._seq = 0
        self._answered: float | None = None
        self._armed = False
        self._leaving = False

    async def run(self) -> None:
        line = asyncio.ensure_future(self._line.run())
        try:
            while not line.done():
                if self.version is None:
                    self._line.send(Ask(self._next()).encode())
                self.push()
                await asyncio.sleep(EACH_S)
            line.result()
        finally:
            line.cancel()
            await asyncio.gather(line, return_exceptions=True)

    async def ready(self) -> None:
        self._armed = self._leaving = False
        await super().ready()

    async def close(self) -> None:
        self._leaving = True
        await super().close()
        if self._line.send(b""):
            await asyncio.sleep(0.05)  # an order takes 7 ms

    def push(self) -> None:
        self._line.send(self.order_now().encode())

    def order_now(self) -> Order:
        """What is wanted as the next order."""
        wanted = self.wanted
        if self.failed or self._leaving:
            return Order(self._next(), "S", 0, 0, False)
        if self.testing:
            state, duty = "T", 0
        elif self.context.role == "vehicle":
            state, duty = wanted.state.value, 0
        else:
            state, duty = "F" if wanted.fault else "N", round((wanted.duty_percent or 0) * 10)
        return Order(self._next(), state, duty, self._relays if wanted.contactor else 0, wanted.locked)

    def _next(self) -> int:
        self._seq = self._seq % MAX_SEQ + 1
        return self._seq

    def check(self) -> None:
        super().check()
        if self._answered is None or (age := self.now() - self._answered) > self.limit_s + 2 * EACH_S:
            said = "yet" if self._answered is None else f"for {age:.1f} s"
            raise StaleReading(f"{self.name}: no order was answered {said}: the line to the board is dead")

    @property
    def alive(self) -> bool:
        return super().alive and self._answered is not None and self._armed

    def unheard(self) -> str:
        if self.version is not None and not self._fits(self.version):
            return self._misfit(self.version)
        for flag, reason in REASONS.items():
            if super().alive and self.status is not None and flag in self.status.flags:
                return reason
        return f"nothing heard for {self.patience_s:g} s: {self._line.trouble}"

    # what it says

    def _opened(self) -> None:
        self.note(f"{self.name}: line open", "info")
        self.version = self.status = None
        self._line.send(Ask(self._next()).encode())

    def _lost(self, why: str) -> None:
        self.heard = self._answered = None
        self._armed = False
        self.seen.view = PilotView(PilotState.A, None)
        self.fail(why)

    def _said(self, line: bytes) -> None:
        said = from_board(line)
        if isinstance(said, Version):
            self._introduced(said)
        elif said is None:
            self.garbled += bool(line)
        elif self.version is not None and self._fits(self.version):
            self._measured(said)

    def _fits(self, version: Version) -> bool:
        return version.protocol == PROTOCOL and version.role == self.context.role

    def _misfit(self, version: Version) -> str:
        return (
            f"has firmware {version.version} for a {version.role}, protocol {version.protocol}; needed is one for a "
            f"{self.context.role}, protocol {PROTOCOL}: make -C firmware flash ROLE={self.context.role}"
        )

    def _introduced(self, version: Version) -> None:
        if version.seq == 0 and self.version is not None:
            self._restarted()
        if not self._fits(version):
            self.fail(self._misfit(version))
        elif self.version is None:
            self.note(f"{self.name}: firmware {version.version}", "info")
        self.version = version

    def _restarted(self) -> None:
        armed, self._armed = self._armed, False
        self.status = None
        if armed:
            self.fail("the board restarted")

    def _measured(self, status: Status) -> None:
        if self.status is not None:
            passed = (status.uptime_ms - self.status.uptime_ms) % WRAP_MS
            if passed == 0:  # said twice is not measured twice
                self.garbled += 1
                return
            if passed > WRAP_MS // 2:
                self._restarted()
        now = self.now()
        if self.status is None or status.seq != self.status.seq:
            self._answered = now
        self.status = status
        self.hear()
        self._judge(status)
        self._see(status, now)
        self.tell()

    def _judge(self, status: Status) -> None:
        """Fail where the board does not do what is wanted of it."""
        tripped = Flag.TRIPPED in status.flags
        armed, self._armed = self._armed, not tripped
        if tripped and armed and not self._leaving:
            why = next((reason for flag, reason in REASONS.items() if flag in status.flags), "went to its safe state")
            self.fail(why)
        closed, asked = Flag.CONTACTOR_CLOSED in status.flags, bool(status.relays & self._relays)
        told = "stay closed (welded)" if closed else "are open though their relay is on"
        agree = not self.settings.feedback or closed is asked
        self.agree("contactor", agree, DISAGREE_S, f"the contactors {told}", at_once=True)

    def _see(self, status: Status, now: float) -> None:
        seen = self.seen
        duty = status.duty_percent
        if duty and seen.view.duty_percent and abs(duty - seen.view.duty_percent) <= DUTY_JITTER:
            duty = seen.view.duty_percent
        view = PilotView(self._state(status), duty)
        if view != seen.view and Flag.DIODE_FAULT in status.flags:
            self.note(f"{self.name}: diode check: the pilot's low level is {status.low:.1f} V, not -12 V", "warning")
        seen.view = view
        seen.contactor = (
            Flag.CONTACTOR_CLOSED in status.flags if self.settings.feedback else bool(status.relays & self._relays)
        )
        seen.locked = not self.wanted.locked if status.lock == "M" else status.lock == "L"
        if status.inlet is not None:
            seen.inlet = Reading(status.inlet * self.settings.inlet_factor, now)

    def _state(self, status: Status) -> PilotState:
        """A vehicle's pilot has 0 V when nothing is plugged in; only proximity tells that from a short circuit."""
        if self.context.role == "charger":
            return status.state
        if not self.settings.proximity:
            return PilotState.A if status.state is PilotState.E else status.state
        plugged = status.proximity is not None and status.proximity < PLUGGED_BELOW_V
        return status.state if plugged else PilotState.A


DRIVER = Arduino
