"""A board: one device with several parts (pilot, contactor, lock, inlet), switched by telling it what is wanted.

The driver of a board sends `wanted` in its own words, again and again, and writes what the board confirms to `seen`.
The parts below are the ports of `ports.py` on top of that. A board that failed or went silent wants the safe state from
then on: what comes back never finds outputs asked for earlier.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec

from .driver import Context, Heard
from .ports import UNREAD, DeviceError, PilotState, PilotView, Reading, fresh

CURRENT_GONE_S = 2.0
"""From state B to opening contactors, as on the station's way down."""


@dataclass
class Wanted:
    """What the outputs are to be. The safe state is the default."""

    state: PilotState = PilotState.B
    duty_percent: float | None = None
    fault: bool = False
    contactor: bool = False
    locked: bool = False


@dataclass
class Seen:
    """What the board told last. None: it tells nothing of it."""

    view: PilotView = PilotView(PilotState.A, None)
    contactor: bool | None = None
    locked: bool | None = None
    inlet: Reading = UNREAD
    battery: Reading = UNREAD
    soc: Reading = UNREAD
    max_current: Reading = UNREAD


class Board(Heard):
    """A device with outputs. Subclasses send `wanted` in `push` and fill `seen`."""

    contactor_s = 1.0
    """In which a contactor must confirm."""
    lock_s = 2.0
    pilot_s = 1.0

    def __init__(self, settings: Any, context: Context) -> None:
        super().__init__(settings, context)
        self.wanted = Wanted()
        self.seen = Seen()
        self.differs: dict[str, float] = {}
        """Since when the board has something else than is wanted."""

    def battery(self, settings: BatterySettings | None) -> BoardBattery:
        """What it knows of the battery."""
        return BoardBattery(self, settings)

    def push(self) -> None:
        """Send what is wanted."""
        raise NotImplementedError

    def part(self, name: str) -> Any:
        if name == "battery":
            return self.battery(self.settings.battery)
        pilot = BoardVehiclePilot if self.context.role == "vehicle" else BoardChargerPilot
        parts: dict[str, Any] = {"pilot": pilot, "contactor": BoardContactor, "lock": BoardLock, "inlet": BoardInlet}
        return parts[name](self)

    def fail(self, why: str, *, at_once: bool = True) -> None:
        """The lock is left to the way down: what is at the inlet may still be dangerous. A board that is there and
        contradicts keeps its contactors until state B has cut the current; one that was away must not close them again.
        """
        self.wanted = Wanted(contactor=self.wanted.contactor and not at_once, locked=self.wanted.locked)
        again = self.failed is not None
        super().fail(why)
        if again:  # the next push has it; a board that answers at once would be asked for ever
            return
        self.push()
        if self.wanted.contactor:
            asyncio.get_running_loop().call_later(CURRENT_GONE_S, self._open)

    def _open(self) -> None:
        if self.failed is not None:
            self.wanted.contactor = False
            self.push()

    async def ready(self) -> None:
        self.wanted = Wanted()
        await super().ready()

    async def close(self) -> None:
        self.wanted = Wanted()
        self.push()

    def agree(self, what: str, same: bool, seconds: float, complaint: str, *, at_once: bool = False) -> None:
        """Fails when the board has had something else than is wanted for so long."""
        if same:
            self.differs.pop(what, None)
        elif self.now() - self.differs.setdefault(what, self.now()) > seconds:
            self.fail(complaint, at_once=at_once)

    async def order(self) -> None:
        """Send what is wanted now; DeviceError when the board is lost."""
        self.push()
        self.check()


class BoardVehiclePilot:
    """The vehicle's end of the pilot."""

    def __init__(self, board: Board) -> None:
        self._board = board

    @property
    def view(self) -> PilotView:
        return self._board.seen.view

    async def changed(self) -> PilotView:
        return await _changed(self._board)

    async def set_state(self, state: PilotState) -> None:
        board = self._board
        board.wanted.state = state
        await board.order()
        seen = f"the pilot does not go to state {state.value}"
        # unplugged, there is no state to be confirmed; what is wanted stands for the next time
        await board.until(lambda: board.seen.view.state in (state, PilotState.A), board.pilot_s, seen)


class BoardChargerPilot:
    """The charger's end of the pilot."""

    def __init__(self, board: Board) -> None:
        self._board = board

    @property
    def view(self) -> PilotView:
        return self._board.seen.view

    async def changed(self) -> PilotView:
        return await _changed(self._board)

    async def set_duty(self, percent: float | None) -> None:
        board = self._board
        board.wanted.duty_percent, board.wanted.fault = percent, False
        await board.order()
        said = "off" if percent is None else f"{percent:g} %"
        await board.until(
            lambda: board.seen.view.state is not PilotState.F and _near(board.seen.view.duty_percent, percent),
            board.pilot_s,
            f"the oscillator does not go to {said}",
        )

    async def set_fault(self) -> None:
        board = self._board
        board.wanted.duty_percent, board.wanted.fault = None, True
        await board.order()
        await board.until(lambda: board.seen.view.state is PilotState.F, board.pilot_s, "no state F")


async def _changed(board: Board) -> PilotView:
    before = board.seen.view
    while (view := board.seen.view) == before:
        await board.changed()
    return view


def _near(seen: float | None, wanted: float | None) -> bool:
    return seen is wanted if seen is None or wanted is None else abs(seen - wanted) < 1.0


class Confirmed:
    """What a board switches and confirms; `name` is its field in what is wanted and seen."""

    def __init__(self, board: Board, name: str) -> None:
        self._board = board
        self._name = name

    @property
    def _on(self) -> bool:
        seen: bool | None = getattr(self._board.seen, self._name)
        wanted: bool = getattr(self._board.wanted, self._name)
        return wanted if seen is None else seen

    async def _switch(self, on: bool, seconds: float, complaint: str) -> None:
        board = self._board
        setattr(board.wanted, self._name, on)
        await board.order()
        try:
            await board.until(lambda: self._on is on, seconds, complaint)
        except DeviceError:
            setattr(board.wanted, self._name, False)  # what did not close in time must not close later
            board.push()
            raise


class BoardContactor(Confirmed):
    """Main contactors; `closed` is what the board confirmed."""

    def __init__(self, board: Board) -> None:
        super().__init__(board, "contactor")

    @property
    def closed(self) -> bool:
        return self._on

    async def close(self) -> None:
        await self._switch(True, self._board.contactor_s, "the contactors do not confirm that they closed")

    async def open(self) -> None:
        await self._switch(False, self._board.contactor_s, "the contactors do not confirm that they opened (welded)")


class BoardLock(Confirmed):
    """The connector lock; `locked` is what the board confirmed."""

    def __init__(self, board: Board) -> None:
        super().__init__(board, "locked")

    @property
    def locked(self) -> bool:
        return self._on

    async def lock(self) -> None:
        await self._switch(True, self._board.lock_s, "the connector lock does not lock (jammed)")

    async def unlock(self) -> None:
        await self._switch(False, self._board.lock_s, "the connector lock does not unlock (jammed)")


class BoardInlet:
    """The voltage at the inlet."""

    def __init__(self, board: Board) -> None:
        self._board = board

    @property
    def voltage(self) -> Reading:
        return self._board.seen.inlet


class BatterySettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What a board that knows the battery does not tell of it."""

    max_voltage: Annotated[float, msgspec.Meta(gt=0)]
    """V, what the battery may be charged to."""
    max_current: Annotated[float, msgspec.Meta(gt=0)] | None = None
    """A, whatever the device says; without a word of the device it is all that is known."""
    capacity_wh: Annotated[float, msgspec.Meta(gt=0)] = 20_000.0


class BoardBattery:
    """What a board knows of the battery. Its word is needed for the voltage and the state of charge."""

    def __init__(self, board: Board, settings: BatterySettings | None) -> None:
        if settings is None:
            where = f"devices.{board.name}.battery"
            raise DeviceError(f"{where}: missing; its key max_voltage says what the battery may be charged to, in V")
        self._board, self._most, self._limit = board, settings.max_current, settings.max_voltage
        self.capacity_wh = settings.capacity_wh

    @property
    def max_voltage(self) -> float:
        return self._limit

    @property
    def voltage(self) -> Reading:
        return self._board.seen.battery

    @property
    def soc_percent(self) -> float:
        return fresh(self._board.seen.soc, self._board.now(), f"{self._board.name}: state of charge")

    @property
    def max_current(self) -> float:
        if self._most is not None and self._board.seen.max_current == UNREAD:
            return self._most
        told = fresh(self._board.seen.max_current, self._board.now(), f"{self._board.name}: most current")
        return told if self._most is None else min(told, self._most)
