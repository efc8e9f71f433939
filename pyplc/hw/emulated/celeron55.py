"""An emulated celeron55 board on a plant: what `hw/celeron55.py` talks to when there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ...plant.plant import Plant
from ..celeron55 import BAUD
from ..ports import PilotState

TELLS_S = 0.2


class EmulatedCeleron55:
    """Tells everything each 0.2 s; its outputs stay as they are when the host dies.

    Faults: `stuck` are values told instead of the true ones, by key; `deaf` obeys nothing.
    """

    baud = BAUD

    def __init__(self, plant: Plant) -> None:
        self.say: Callable[[bytes], None] = lambda data: None
        self.stuck: dict[str, int] = {}
        self.deaf = False
        self.display = ["", "", ""]
        self._plant = plant
        self._rest = b""
        self.cp = self.contactor = False

    def opened(self) -> None:
        """A board on a UART of the computer does not notice."""

    def reset(self) -> None:
        """It restarts: outputs off."""
        for line in (b"cp=0", b"contactor=0"):
            self._obey(line)

    def show_inlet(self, volts: float) -> None:
        """A fault: tell this from now on."""
        self.stuck["inlet_v"] = round(volts)

    def receive(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if not self.deaf:
                self._obey(line)

    def _obey(self, line: bytes) -> None:
        plant = self._plant
        key, _, value = line.partition(b"=")
        if line in (b"cp=0", b"cp=1"):
            self.cp = value == b"1"
            plant.pilot.set_vehicle(PilotState.C if self.cp else PilotState.B)
        elif line in (b"contactor=0", b"contactor=1"):
            self.contactor = value == b"1"
            plant.switch_vehicle(self.contactor)
        elif line in (b"lock", b"unlock"):
            if not plant.lock_stuck:
                plant.locked = line == b"lock"
        elif key in (b"disp0", b"disp1", b"disp2"):
            self.display[int(key[4:])] = value.decode("ascii", "replace")

    async def run(self) -> None:
        """Tell how things are."""
        while True:
            for key, value in {**self.values(), **self.stuck}.items():
                self.say(b"%s=%d\r\n" % (key.encode(), value))
            await asyncio.sleep(TELLS_S)

    def values(self) -> dict[str, int]:
        """What the board measures."""
        circuit, view, battery = self._plant.now(), self._plant.pilot.vehicle_view(), self._plant.parameters.battery
        room = (battery.max_voltage - circuit.open_circuit_voltage) / battery.resistance
        return {
            "inlet_v": round(circuit.inlet_voltage),
            "dc_link_v": round(circuit.battery_voltage),
            "cp_pwm": round(view.duty_percent or 0),
            "cp_output_state": int(self.cp),
            "ccs_contactor_wanted_closed": int(self.contactor),
            "max_charge_a": round(max(0.0, min(battery.max_current, room))),
            "soc_percent": int(circuit.soc_percent),
            "contactor_confirmed": int(circuit.vehicle_closed),
            "plugged_in": int(view.state is not PilotState.A),
        }
