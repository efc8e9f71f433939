"""The control pilot line: the charger's oscillator at one end, the vehicle's resistors at the other."""

from __future__ import annotations

import asyncio

from ..hw.ports import PilotState, PilotView


class PilotLine:
    """One wire with two ends; each sees a `PilotView`, and both are told of every change."""

    def __init__(self) -> None:
        self._plugged = False
        self._vehicle = PilotState.B
        self._duty: float | None = None
        self._fault = False
        self._waiters: list[asyncio.Future[None]] = []

    @property
    def asked(self) -> PilotState:
        """The state the vehicle's resistors ask for, whatever the charger makes of it; A while unplugged."""
        return self._vehicle if self._plugged else PilotState.A

    def vehicle_view(self) -> PilotView:
        """What the vehicle sees."""
        return self.charger_view() if self._plugged else PilotView(PilotState.A, None)

    def charger_view(self) -> PilotView:
        """What the charger sees."""
        if self._fault:
            return PilotView(PilotState.F, None)
        return PilotView(self._vehicle if self._plugged else PilotState.A, self._duty)

    @property
    def ready(self) -> bool:
        """State C or D as the charger sees it."""
        return self._plugged and not self._fault and self._vehicle in (PilotState.C, PilotState.D)

    def plug(self, plugged: bool) -> None:
        """Plug in or unplug; a vehicle that is plugged in begins in state B."""
        self._plugged = plugged
        self._vehicle = PilotState.B
        self._tell()

    def set_vehicle(self, state: PilotState) -> None:
        """The vehicle's resistors: B, C or D."""
        self._vehicle = state
        self._tell()

    def set_duty(self, percent: float | None) -> None:
        """The oscillator's duty cycle; None: steady +12 V."""
        self._duty, self._fault = percent, False
        self._tell()

    def set_fault(self) -> None:
        """Steady -12 V: state F."""
        self._duty, self._fault = None, True
        self._tell()

    async def changed(self) -> None:
        """Wait for the next change."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        await waiter

    def _tell(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)
