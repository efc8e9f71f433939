"""Relays, lock, button and LEDs on the GPIO lines of a Raspberry Pi, a BeagleBone or any Linux board.

Inputs are looked at each 40 ms and count when two looks agree. There is no watchdog: when the program is killed the
kernel gives the lines back, and what they do then is the board's business. Use relays that drop out without a signal.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import msgspec

from ..record import Record
from .board import Board
from .driver import Context
from .gpio_lines import GpioLines, Line, Request
from .ports import DeviceError, PilotState, PilotView
from .shown import Shown

LOOK_S = 0.04
AGAIN_S = 0.5
ASSUMED_DUTY = 5.0
DISAGREE_S = 1.0
"""What a feedback line says may differ from what was switched for so long."""
INPUTS = ("contactor_feedback", "lock_feedback", "plugged", "button", "emergency")


class GpioSettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The lines: numbers or names; "gpiochip1:17" for another chip, "!17" for active low."""

    chip: str = "/dev/gpiochip0"
    state_c: Line | None = None
    """Output: the vehicle's resistor for state C."""
    contactors: tuple[Line, ...] = ()
    """Outputs: all of them together."""
    contactor_feedback: Line | None = None
    """Input: active while the contactors are closed."""
    lock: tuple[Line, ...] = ()
    """Outputs: one that is active while locked, or two that get a pulse to lock and to unlock."""
    pulse_s: Annotated[float, msgspec.Meta(gt=0, le=2)] = 0.6
    lock_feedback: Line | None = None
    """Input: active while locked."""
    plugged: Line | None = None
    """Input: active while the connector is plugged in; without it, it always is."""
    button: Line | None = None
    """Input: ends the session."""
    emergency: Line | None = None
    """Input: active opens everything, at once."""
    held: tuple[Line, ...] = ()
    """Outputs that are always active: the supply of a button's lamp, for instance."""
    led_ready: Line | None = None
    led_charging: Line | None = None
    led_fault: Line | None = None


class Gpio(Board):
    """The board's own lines as devices."""

    summary = "GPIO lines of a Raspberry Pi or BeagleBone: relays, lock, button, LEDs"
    Settings = GpioSettings
    parts = {"vehicle": ("pilot", "contactor", "lock", "display"), "charger": ("contactor", "display")}
    extra = "gpio"
    limit_s = 0.5

    def __init__(self, settings: GpioSettings, context: Context, request: Request | None = None) -> None:
        super().__init__(settings, context)
        self.reads = True
        self._lines = GpioLines(settings.chip, _outputs(settings), _inputs(settings), request)
        self._looked: dict[str, bool] = {}
        self._steady: dict[str, bool] = {}
        self._out: dict[str, bool] = {}
        """What the outputs are."""
        self._shown = Shown()
        self._pulse: tuple[bool, float] | None = None
        self._locked = False
        self._trouble = "the lines were not taken yet"

    def part(self, name: str) -> Any:
        for key, part in (("state_c", "pilot"), ("contactors", "contactor"), ("lock", "lock")):
            if name == part and getattr(self.settings, key) in (None, ()):
                raise DeviceError(f"devices.{self.name}.{key}: missing; say which line is the {part}")
        return self if name == "display" else super().part(name)

    def read(self, record: Record) -> None:
        self._shown.read(record)

    def unheard(self) -> str:
        return self._trouble

    async def run(self) -> None:
        self.note(f"{self.name}: has no watchdog; if this program is killed its lines are the kernel's", "warning")
        try:
            while True:
                try:
                    if not self._lines.open:
                        self._lines.acquire()
                        self._looked.clear()
                        self._out.clear()
                    self._look()
                    self.push()
                except (OSError, DeviceError) as error:
                    self._lost(str(error))
                    await asyncio.sleep(AGAIN_S)
                await asyncio.sleep(LOOK_S)
        finally:
            self._lines.release()

    async def close(self) -> None:
        await super().close()
        if self._pulse is not None:  # a motor is on its way
            await asyncio.sleep(self.settings.pulse_s)
        if self._lines.open:
            self._lines.set(dict.fromkeys(_outputs(self.settings), False))

    def _lost(self, why: str) -> None:
        self._trouble = why
        self._lines.release()
        self.seen.view = PilotView(PilotState.A, None)
        if self.heard is not None:
            self.heard = None
            self.fail(f"lost: {why}")

    def push(self) -> None:
        if not self._lines.open:
            return
        wanted, settings = self.wanted, self.settings
        out = {f"held {line}": True for line in settings.held}
        out |= {f"contactors {line}": wanted.contactor for line in settings.contactors}
        if settings.state_c is not None:
            out["state_c"] = wanted.state in (PilotState.C, PilotState.D)
        out |= self._locking()
        for name, lit in self._lamps().items():
            if getattr(settings, name) is not None:
                out[name] = lit
        if out == self._out:
            return
        try:
            self._lines.set(out)
            self._out = out
        except OSError as error:
            self._lost(str(error))

    def _locking(self) -> dict[str, bool]:
        lines = self.settings.lock
        if len(lines) < 2:
            return {f"lock {line}": self.wanted.locked for line in lines}
        if self.wanted.locked != self._locked:
            self._locked = self.wanted.locked
            self._pulse = self._locked, self.now() + self.settings.pulse_s
        if self._pulse is not None and self.now() >= self._pulse[1]:
            self._pulse = None
        return {
            f"lock {lines[0]}": self._pulse is not None and self._pulse[0],
            f"lock {lines[1]}": self._pulse is not None and not self._pulse[0],
        }

    def _lamps(self) -> dict[str, bool]:
        fault = self._shown.trouble or self.failed is not None
        charging = self._shown.charging
        return {"led_ready": not fault and not charging, "led_charging": charging, "led_fault": fault}

    def _look(self) -> None:
        now = self._lines.get()
        before = self._looked or now
        steady = {name: value for name, value in now.items() if before.get(name) == value}
        pressed = steady.get("button", False) and not self._was("button")
        self._looked, self._steady = now, self._steady | steady
        self.hear()
        if pressed:
            self.press("stop button")
        if self._steady.get("emergency", False):
            self.fail("the emergency input is active")
        self._see()

    def _was(self, name: str) -> bool:
        return self._steady.get(name, False)

    def _see(self) -> None:
        """What the inputs say, and where there is none what was ordered."""
        settings, seen, wanted = self.settings, self.seen, self.wanted
        plugged = settings.plugged is None or self._was("plugged")
        state = PilotState.A if not plugged or self.failed else wanted.state
        view = PilotView(state, ASSUMED_DUTY if state is not PilotState.A else None)
        before = (seen.view, seen.contactor, seen.locked)
        seen.view = view
        seen.contactor = wanted.contactor if settings.contactor_feedback is None else self._was("contactor_feedback")
        if settings.lock_feedback is not None:
            seen.locked = self._was("lock_feedback")
        elif len(settings.lock) == 2:
            seen.locked = self._locked if self._pulse is None else not self._locked
        else:
            seen.locked = wanted.locked
        verb = "opened by themselves" if wanted.contactor else "stay closed (welded)"
        same = seen.contactor is wanted.contactor
        self.agree("contactor", same, DISAGREE_S, f"the contactors {verb}", at_once=True)
        if before != (seen.view, seen.contactor, seen.locked) or not self.failed:
            self.tell()


def _outputs(settings: GpioSettings) -> dict[str, int | str]:
    """Every output by the name it has here."""
    single = {name: getattr(settings, name) for name in ("state_c", "led_ready", "led_charging", "led_fault")}
    several = {f"{name} {line}": line for name in ("contactors", "lock", "held") for line in getattr(settings, name)}
    return {name: line for name, line in single.items() if line is not None} | several


def _inputs(settings: GpioSettings) -> dict[str, int | str]:
    return {name: line for name in INPUTS if (line := getattr(settings, name)) is not None}


DRIVER = Gpio
