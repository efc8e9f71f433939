"""An emulated board with pyplc's firmware on a plant: what `hw/arduino.py` talks to when there is none.

It follows `firmware/main.c` in its rules and times; the tests of the driver run against both.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ...plant.plant import Plant
from ..arduino_line import BAUD, PROTOCOL, Ask, Flag, Order, Status, Version, from_host
from ..ports import PilotState

BOOT_S = 0.5
"""Boot loader and start."""
LOOK_S = 0.025
STATUS_S = 0.05
HOST_SILENT_S = 1.0
GONE_S = 0.1
OPEN_AFTER_S = 0.5
UNLOCK_AFTER_S = 1.0
UNLOCK_ANYWAY_S = 5.0
LOCK_S = 0.2
LOCK_LONGEST_S = 1.5
TOUCHABLE_V = 60.0
FULL_SCALE_V = 715.0
PROXIMITY_V = {True: 4.1, False: 5.0}
HIGH_V = {"A": 12.0, "B": 9.0, "C": 6.0, "D": 3.0, "E": 0.0, "F": -12.0}
SAFE_STATES = {"vehicle": "B", "charger": "F"}
POWERED = (PilotState.C, PilotState.D)


class EmulatedArduino:
    """Faults: `emergency` opens that input, `deaf` obeys nothing, `stuck_inlet` shows one voltage for ever, `blind`
    measures nothing, `reset` restarts it.
    """

    baud = BAUD

    def __init__(self, role: str, plant: Plant) -> None:
        self.say: Callable[[bytes], None] = lambda data: None
        self.role = role
        self.emergency = self.deaf = self.blind = False
        self.stuck_inlet: float | None = None
        self._plant = plant
        self._rest = b""
        self._start(0.0)

    def show_inlet(self, volts: float) -> None:
        """A fault: tell this from now on."""
        self.stuck_inlet = volts

    def _start(self, at: float) -> None:
        self._booted = at
        self._introduced = False
        self._told_ms = 0
        self.armed = self._testing = False
        self.relays = 0
        self._reasons = Flag(0)
        self._seq: int | None = None
        self._heard = self._tripped = self._present = at
        self._locks: bool | None = None
        self._lock_since = at
        self._jammed = False

    def opened(self) -> None:
        self.reset()

    def reset(self) -> None:
        """As by its button: outputs off, silent while it boots."""
        self._start(self._now() + BOOT_S)
        self._pilot(SAFE_STATES[self.role], 0)
        self._relays(0)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()

    def receive(self, data: bytes) -> None:
        if self._now() < self._booted or self.deaf:
            return
        vehicle = self.role == "vehicle"
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._rest = self._rest[-200:]
        for line in lines:
            said = from_host(line)
            if isinstance(said, Ask):
                self._introduce(said.seq)
            elif said is not None and (said.state in "SBCDT" and not said.duty if vehicle else said.state in "SNFT"):
                self._obey(said)

    async def run(self) -> None:
        """Look and tell, as the firmware's main loop."""
        told = -1.0
        while True:
            await asyncio.sleep(LOOK_S)
            now = self._now()
            if now < self._booted:
                continue
            if not self._introduced:
                self._introduced = True
                self._introduce(0)
            self._look_after(now)
            self._lock_motor(now)
            if now - told >= STATUS_S - LOOK_S / 2:
                told = now
                self._tell()

    # the firmware's rules

    @property
    def state(self) -> PilotState:
        """As measured: behind a vehicle's diode nothing and -12 V look alike."""
        if self.role == "charger":
            return self._plant.pilot.charger_view().state
        state = self._plant.pilot.vehicle_view().state
        return PilotState.E if state in (PilotState.A, PilotState.F) else state

    def _obey(self, order: Order) -> None:
        if order.seq == self._seq:
            return
        self._seq = order.seq
        self._heard = self._now()
        if order.state == "S":
            self._trip(Flag(0))
        nothing = not order.relays and not order.duty and not order.locked and order.state in "BNF"
        if not self.armed and nothing and not self.emergency and not self.blind and not self.relays:
            self.armed = True
            self._reasons = Flag(0)
        if self.armed:
            self._testing = order.state == "T"
            if self._testing:
                self._pilot("B" if self.role == "vehicle" else "N", 0)
            else:
                self._pilot(order.state, order.duty)
            self._lock(order.locked)
            may_close = self._nothing_there() if self._testing else self.state in POWERED
            self._relays(order.relays if may_close else order.relays & self.relays)
        self._tell()

    def _nothing_there(self) -> bool:
        nothing = PilotState.E if self.role == "vehicle" else PilotState.A
        return self.state is nothing and self.inlet is not None and self.inlet < TOUCHABLE_V

    def _trip(self, reason: Flag) -> None:
        if self.armed:
            self._tripped = self._now()
            self._reasons = reason
        self.armed = self._testing = False
        self._pilot(SAFE_STATES[self.role], 0)
        if self.role == "charger":
            self._relays(self.relays & ~2)

    def _look_after(self, now: float) -> None:
        if self.emergency or self.blind:
            self._trip(Flag(0))
        if now - self._heard > HOST_SILENT_S:
            self._trip(Flag.HOST_SILENT)
        if self._testing and self.relays and not self._nothing_there():
            self._relays(0)
            self._trip(Flag.TEST_LIVE)
        if self._testing or self.state in (PilotState.B, *POWERED) or not self.relays:
            self._present = now
        if now - self._present > GONE_S:
            self._trip(Flag.PILOT_GONE)
        if self.armed:
            return
        since = now - self._tripped
        if since > OPEN_AFTER_S:
            self._relays(0)
        inlet = self.inlet
        touchable = inlet is not None and inlet < TOUCHABLE_V
        if since > OPEN_AFTER_S + (UNLOCK_AFTER_S if touchable else UNLOCK_ANYWAY_S):
            self._lock(False)

    # what is wired to it

    @property
    def inlet(self) -> float | None:
        """V; None above its range."""
        if self.stuck_inlet is not None:
            return self.stuck_inlet
        circuit = self._plant.now()
        volts = circuit.inlet_voltage if self.role == "vehicle" else circuit.outlet_voltage
        return max(0.0, volts) if volts < FULL_SCALE_V else None

    def _pilot(self, state: str, duty: int) -> None:
        pilot = self._plant.pilot
        if self.role == "vehicle":
            wanted = PilotState(state)
            if wanted is not pilot.asked and pilot.asked is not PilotState.A:
                pilot.set_vehicle(wanted)
        elif state != "N":
            pilot.set_fault()
        elif pilot.charger_view().state is PilotState.F or (pilot.charger_view().duty_percent or 0) * 10 != duty:
            pilot.set_duty(duty / 10 or None)

    def _relays(self, bits: int) -> None:
        self.relays = bits
        plant = self._plant
        if self.role == "charger":
            if bits & 1:
                plant.now().outlet_closed = True
            elif not plant.contactor_welded:
                plant.now().outlet_closed = False
        else:
            plant.switch_vehicle(bool(bits & 1))

    @property
    def _closed(self) -> bool:
        circuit = self._plant.circuit
        return circuit.vehicle_closed if self.role == "vehicle" else circuit.outlet_closed

    def _lock(self, locked: bool) -> None:
        if self.role != "vehicle":  # the plant's lock is the vehicle's
            return
        if locked is (self._plant.locked if self._locks is None else self._locks):
            return
        self._locks = locked
        self._lock_since = self._now()
        self._jammed = False

    def _lock_motor(self, now: float) -> None:
        if self._locks is None or self._locks is self._plant.locked:
            return
        if self._plant.lock_stuck:
            self._jammed = now - self._lock_since > LOCK_LONGEST_S
        elif now - self._lock_since >= LOCK_S:
            self._plant.locked = self._locks

    # what it says

    def _uptime(self) -> int:
        self._told_ms = max(self._told_ms + 1, round((self._now() - self._booted) * 1000))
        return self._told_ms

    def _introduce(self, seq: int) -> None:
        self.say(Version(seq, PROTOCOL, self.role, "emulated", self._uptime()).encode())

    def _tell(self) -> None:
        flags = self._reasons
        for flag, on in (
            (Flag.TRIPPED, not self.armed),
            (Flag.EMERGENCY, self.emergency),
            (Flag.BLIND, self.blind),
            (Flag.CONTACTOR_CLOSED, self._closed),
            (Flag.LOCK_JAMMED, self._jammed),
        ):
            flags |= flag if on else Flag(0)
        pilot, state = self._plant.pilot, self.state
        duty = pilot.charger_view().duty_percent if self.role == "charger" else pilot.vehicle_view().duty_percent
        moving = self._locks is not None and self._locks is not self._plant.locked and not self._jammed
        inlet = self.inlet
        status = Status(
            self._seq or 0,
            self._uptime(),
            flags,
            state,
            duty,
            HIGH_V[state.value],
            -12.0 if duty and self.role == "charger" else 0.0,
            PROXIMITY_V[pilot.asked is not PilotState.A],
            inlet if inlet is None else round(inlet, 1),
            self.relays,
            "M" if moving else "L" if self._plant.locked else "U",
        )
        self.say(status.encode())
