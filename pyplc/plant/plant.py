"""The electrical world around one cable, and what can go wrong in it. Never imported by a session."""

from __future__ import annotations

import asyncio

from .ac import AcCircuit
from .circuit import Circuit
from .parameters import PlantParameters
from .pilot import PilotLine


class Plant:
    """Circuit, pilot line and lock of one charging place.

    Faults are plain fields: `contactor_welded`, `lock_stuck`, `contactor_stuck_open`; and of the circuit `isolation`
    (ohm), `supply_fault`.
    """

    def __init__(self, parameters: PlantParameters) -> None:
        self.parameters = parameters
        self._time = asyncio.get_running_loop().time
        now = self._time()
        self.circuit = Circuit(parameters, now)
        self.ac = AcCircuit(parameters.ac, self.circuit, parameters.battery.capacity_wh, now)
        self.pilot = PilotLine()
        self.locked = False
        self.contactor_welded = False
        self.contactor_stuck_open = False
        self.lock_stuck = False

    def now(self) -> Circuit:
        """The circuit, brought to the loop's time."""
        self.circuit.advance(self._time())
        return self.circuit

    def ac_now(self) -> AcCircuit:
        """The AC connection, brought to the loop's time."""
        self.ac.advance(self._time())
        self.ac.ready = self.pilot.ready
        return self.ac

    def switch_vehicle(self, closed: bool) -> None:
        """Drive the vehicle's contactors; they obey unless they are stuck or welded."""
        circuit = self.now()
        if closed and not self.contactor_stuck_open:
            circuit.close_vehicle()
        elif not closed and not self.contactor_welded:
            circuit.open_vehicle()

    def plug_in(self) -> None:
        """The user plugs the connector in."""
        self.now().plugged = True
        self.pilot.plug(True)

    def unplug(self) -> None:
        """The user, or violence, takes the connector out."""
        self.now().plugged = False
        self.pilot.plug(False)
