"""An AC wallbox that reads the vehicle's state of charge: it begins a DC session, learns what a vehicle tells only
there, and ends politely before there is any power. The wallbox then charges AC by the duty cycle.

Nothing is switched here: there is no DC supply, and every question for power is refused.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from ..hw.bundles import AcChargerDevices
from ..hw.ports import PilotState
from ..record import Pilot, Scribe, VehicleData
from ..v2g.control import ChargerOffer, Delivered, Demand, Energy, Refused, VehicleLimits
from .charger import POWERED, Charger, ChargerSettings

READ = "the state of charge is read"
NO_POWER = "this station reads the state of charge and gives no DC power"


class SocReaderSettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The charger that a state-of-charge reader pretends to be, and where the values go. V, A, W, Wh."""

    max_voltage: Annotated[float, msgspec.Meta(gt=0)] = 500.0
    max_current: Annotated[float, msgspec.Meta(gt=0)] = 125.0
    endpoint: str | None = None
    """URL that gets the values as an HTTP POST in the form of pyPLC's callback."""
    fallback_capacity: Annotated[float, msgspec.Meta(gt=0)] | None = None
    """Capacity for vehicles that tell none."""


class SocReader(Charger):
    """Implements `DcChargerControl`, without power."""

    energy: Energy = "dc"
    modes: tuple[str, ...] = ("DC_extended", "DC_core")

    def __init__(
        self, devices: AcChargerDevices, settings: ChargerSettings, soc: SocReaderSettings, scribe: Scribe
    ) -> None:
        super().__init__(devices, settings, scribe)
        self._soc = soc
        self.data: VehicleData | None = None

    # what the session asks

    def offer(self) -> ChargerOffer:
        soc = self._soc
        return ChargerOffer(soc.max_voltage, soc.max_current, soc.max_voltage * soc.max_current, 150.0, 0.0)

    def _full_power(self, mode: str) -> float:
        return self._soc.max_voltage * self._soc.max_current

    async def agree(self, limits: VehicleLimits, soc: int) -> None:
        """Take what the vehicle tells; zero energy means unknown."""
        self.data = VehicleData(
            evccid=self.evccid.hex(),
            soc_percent=soc,
            full_soc_percent=limits.full_soc,
            capacity_wh=limits.capacity or self._soc.fallback_capacity,
            energy_request_wh=limits.energy_request or None,
        )
        self._scribe(self.data)
        self.request_stop(READ)

    async def power_ready(self, timeout: float) -> bool:
        return await self._pilot_in(POWERED, timeout)

    async def power_left(self, timeout: float) -> bool:
        return await self._pilot_in((PilotState.B, PilotState.A), timeout)

    async def cable_check(self) -> None:
        raise Refused(NO_POWER)

    async def precharge(self, voltage: float, current: float) -> float:
        raise Refused(NO_POWER)

    async def start(self) -> None:
        raise Refused(NO_POWER, "FAILED_PowerDeliveryNotApplied")

    async def deliver(self, demand: Demand) -> Delivered:
        raise Refused(NO_POWER)

    async def hold(self) -> None:
        return None

    async def stop(self) -> None:
        return None

    async def residual_voltage(self) -> float:
        return 0.0

    async def finished(self) -> None:
        return None

    # what the world asks

    async def watch_pilot(self) -> None:
        """Return never; PilotFault when the vehicle is unplugged or the pilot is faulty."""
        pilot = self._pilot_end
        while True:
            self._unplugged_or_faulty(pilot.view.state)
            view = await pilot.changed()
            self._scribe(Pilot(state=view.state.value, duty_percent=view.duty_percent))
