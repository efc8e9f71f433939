"""An emulated Dieter on a plant: what `hw/dieter.py` talks to when there is none."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from ...plant.plant import Plant
from ..dieter import BAUD, EACH_S, FULL_SCALE, RELAY_1, RELAY_2, STATE_C, DieterSettings
from ..ports import PilotState

BOOT_S = 1.5
"""Boot loader and start."""


class EmulatedDieter:
    """Both halves in one. Its outputs stay as they are when the host dies.

    Faults: `stuck_counts` shows the same voltage for ever, `deaf` obeys nothing, `reset` restarts it.
    """

    baud = BAUD

    def __init__(self, plant: Plant, settings: DieterSettings | None = None) -> None:
        self.say: Callable[[bytes], None] = lambda data: None
        self.outputs = 0
        self.stuck_counts: int | None = None
        self.deaf = False
        self._plant = plant
        self._settings = settings or DieterSettings()
        self._fifo: deque[int] = deque(maxlen=7)
        self._awake_at = 0.0

    def opened(self) -> None:
        self.reset()

    def reset(self) -> None:
        """As by its button: outputs off, silent while it boots."""
        self._apply(0)
        self._fifo.clear()
        self._awake_at = asyncio.get_running_loop().time() + BOOT_S

    def receive(self, data: bytes) -> None:
        if asyncio.get_running_loop().time() < self._awake_at or self.deaf:
            return
        for byte in data:
            self._fifo.append(byte)
            word = bytes(self._fifo)
            if byte == 0x0A and word[:2] == b"do" and word[2:6].isdigit() and int(word[2:6]) < 256:
                self._apply(int(word[2:6]))
                self.say(b"I received value: %d\r\n" % int(word[2:6]))

    async def run(self) -> None:
        """Tell the voltage each half second."""
        booted = self._awake_at
        self.say(b"Starte...\r\n")
        while True:
            await asyncio.sleep(EACH_S)
            if asyncio.get_running_loop().time() < self._awake_at:
                continue
            if booted != self._awake_at:
                booted = self._awake_at
                self.say(b"Starte...\r\n")
            self.say(b"A0=%04d\r\nA1=0000\r\n" % self.counts())

    def show_inlet(self, volts: float) -> None:
        """A fault: tell this from now on."""
        self.stuck_counts = round(volts / self._settings.volts_per_count)

    def counts(self) -> int:
        """The 10 bits of the inlet's voltage."""
        if self.stuck_counts is not None:
            return self.stuck_counts
        return min(FULL_SCALE, round(self._plant.now().inlet_voltage / self._settings.volts_per_count))

    def _apply(self, digit: int) -> None:
        self.outputs = digit
        plant = self._plant
        plant.pilot.set_vehicle(PilotState.C if digit & STATE_C else PilotState.B)
        wanted = RELAY_1 | RELAY_2 if len(self._settings.relays) > 1 else RELAY_1
        plant.switch_vehicle(digit & wanted == wanted)
