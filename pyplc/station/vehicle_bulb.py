"""The light-bulb demo: a vehicle without a car. There is no battery; a lamp at the inlet is lit by a real charger.

The charger is brought to the lamp's voltage without load, since many overshoot or stop with one, and the contactors
close, which light the lamp, only when the charge loop has run for a while.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from ..hw.bundles import VehicleDevices
from ..hw.ports import Reading
from ..record import Scribe
from ..v2g.control import Demand
from .vehicle import BulbSettings, VehicleSettings
from .vehicle_dc import DcVehicle

HEADROOM_V = 100.0
"""What is told as the maximum voltage above the lamp's: chargers overshoot without load."""


class Lamp:
    """A `Battery` that is none: the lamp's voltage, its current, and a state of charge that never moves."""

    capacity_wh = 10_000.0
    soc_percent = 50.0

    def __init__(self, bulb: BulbSettings) -> None:
        self._volts = bulb.voltage
        self.max_voltage = bulb.voltage + HEADROOM_V
        self.max_current = bulb.current

    @property
    def voltage(self) -> Reading:
        return Reading(self._volts, asyncio.get_running_loop().time())


class BulbVehicle(DcVehicle):
    """A DC vehicle whose contactors close late; it ends by time or by the user."""

    def __init__(
        self, devices: VehicleDevices, settings: VehicleSettings, bulb: BulbSettings, evccid: bytes, scribe: Scribe
    ) -> None:
        super().__init__(replace(devices, battery=Lamp(bulb), measured=False), settings, evccid, scribe)
        self._delay = bulb.delay
        self._lighting: asyncio.Task[None] | None = None

    async def close_contactors(self) -> None:
        """Not yet: the voltage is to be stable first."""
        self._agreeing = 0

    def demand(self) -> Demand:
        if self._lighting is None:
            self._lighting = asyncio.ensure_future(self._light())
        elif self._lighting.done():
            self._lighting.result()  # a contactor that failed ends the session
        return super().demand()._replace(voltage=self._battery())

    async def open_contactors(self) -> None:
        await self._dark()
        await super().open_contactors()

    async def secure(self) -> None:
        await self._dark()
        await super().secure()

    @property
    def live(self) -> bool:
        return super().live or (self._lighting is not None and not self._lighting.done())

    async def _dark(self) -> None:
        """What was to light the lamp must not do so after the end."""
        if self._lighting is not None:
            self._lighting.cancel()
            await asyncio.gather(self._lighting, return_exceptions=True)

    async def _light(self) -> None:
        await asyncio.sleep(self._delay)
        await super().close_contactors()
        self._scribe.note("the lamp is on")
