"""The vehicle's tower."""

from __future__ import annotations

import asyncio

from ..hw.bundles import AcVehicleDevices, VehicleDevices
from ..hw.ports import PilotState
from ..record import Pilot, Scribe, Summary
from ..sdp import client
from ..slac import ev as slac_ev
from ..slac.ev import SlacError
from ..slac.modem import ModemError
from ..station import toggles
from ..station.pwm import allowed_current
from ..station.vehicle import PilotFault, VehicleSettings
from ..station.vehicle_ac import AcVehicle
from ..station.vehicle_bulb import BulbVehicle
from ..station.vehicle_dc import DcVehicle
from ..v2g import vehicle as vehicle_session
from ..v2g.evcc import FIRST_SESSION_ID
from ..v2g.session import Ended, TimedOut
from ..v2g.stream import Channel
from .held import Common, alongside, held

LINK_HOLD_S = 0.5
"""From the end of the session to leaving the network: the FIN must still get through; TP_match_leave allows 1 s."""
FALLBACK_S = 60.0
"""How long an AC vehicle without communication waits for a duty cycle that allows current."""
CONNECT_PAUSE_S = 0.5
"""Between two attempts to connect: a charger may open its announced port late."""


class VehicleStation:
    """A vehicle for one session after the other; `run` holds one. Its kind of energy is that of its devices."""

    def __init__(self, common: Common, devices: VehicleDevices | AcVehicleDevices, settings: VehicleSettings) -> None:
        self._common = common
        self.devices = devices
        self._settings = settings
        self.scribe: Scribe = common.recorder.on("ev")
        self._in_session = False
        self.summary: Summary | None = None
        evccid = bytes.fromhex(settings.evccid) if settings.evccid else common.homeplug.address
        self.vehicle: AcVehicle | DcVehicle
        if isinstance(devices, AcVehicleDevices):
            self.vehicle = AcVehicle(devices, settings, evccid, self.scribe)
        elif settings.bulb is not None:
            self.vehicle = BulbVehicle(devices, settings, settings.bulb, evccid, self.scribe)
        else:
            self.vehicle = DcVehicle(devices, settings, evccid, self.scribe)
        self._matcher = slac_ev.Matcher(
            common.homeplug,
            common.modem,
            self.scribe,
            common.slac,
            common.rng,
            lambda times, phase_s: toggles.toggle(devices.pilot, times, phase_s),
        )
        self._plugged_at = 0.0
        self._matched = False

    def stop(self, reason: str) -> bool:
        """Ask for an orderly end; False when no session runs that could have one."""
        self.vehicle.stop(reason)
        return self._in_session

    def limit(self, max_current: float | None) -> None:
        """Ask for at most this current from now on, A (AC: a phase); None: what the settings say."""
        self.vehicle.limit(max_current)

    async def run(self) -> Summary:
        """Wait to be plugged in, charge, and come to rest; the summary says how it ended.

        Cancelling is passed on after that; `summary` is there either way.
        """
        return await held(self, self._common, self._session(), self._secure)

    async def _secure(self, orderly: bool) -> None:
        if not orderly or self.vehicle.live:
            await self.vehicle.secure()
        if self._matched:
            await asyncio.sleep(LINK_HOLD_S)
            await self._matcher.leave()

    async def _session(self) -> Ended:
        vehicle = self.vehicle
        await self._plugged()
        if isinstance(vehicle, DcVehicle):
            return await alongside(self._connected(), vehicle.watch_pilot())
        if not self._allowed():
            try:
                return await alongside(self._connected(), vehicle.watch_pilot())
            except (SlacError, ModemError, PilotFault) as error:
                if self._in_session:
                    raise
                self.scribe.note(f"no digital communication: {error}; waiting for a duty cycle", "warning")
                await self._duty_for_current(error)
        self._in_session = vehicle.asleep = True  # the charger may switch its oscillator off for a while
        return Ended(await alongside(vehicle.charge_basic(), vehicle.watch_pilot()))

    def _allowed(self) -> float | None:
        """The current that the duty cycle allows now; None when there is none or it asks for communication."""
        duty = self.devices.pilot.view.duty_percent
        return None if duty is None else allowed_current(duty)

    async def _duty_for_current(self, error: Exception) -> None:
        """Wait for a duty cycle that allows current; `error` again when it does not come."""
        try:
            async with asyncio.timeout(FALLBACK_S):
                while not self._allowed():
                    await self.devices.pilot.changed()
        except TimeoutError:
            raise error from None

    async def _plugged(self) -> None:
        pilot = self.devices.pilot
        view = pilot.view
        while view.state is not PilotState.B or view.duty_percent is None:
            self.scribe(Pilot(state=view.state.value, duty_percent=view.duty_percent))
            view = await pilot.changed()
        self.scribe(Pilot(state=view.state.value, duty_percent=view.duty_percent))
        self._plugged_at = asyncio.get_running_loop().time()
        self.scribe.checkpoint(4)
        self.scribe.checkpoint(6)

    async def _connected(self) -> Ended:
        common = self._common
        await common.network.address()  # without one, SLAC would be in vain
        version = await common.modem.find()
        self.scribe.checkpoint(7)
        self.scribe.note(f"modem {version}")
        self._matched = True  # from here on the modem may hold a charger's key
        matched = await self._matcher.match(self._plugged_at)
        return await alongside(self._linked(), self._matcher.attend(matched))

    async def _linked(self) -> Ended:
        """One session, and those that resume it."""
        ended = await self._one_session(FIRST_SESSION_ID)
        while ended.paused:
            await self.vehicle.sleep()
            ended = await self._one_session(ended.paused)
        return ended

    async def _one_session(self, session_id: bytes) -> Ended:
        """Discovery, connection, session."""
        common = self._common
        udp = await common.network.udp()
        try:
            found = await client.discover(udp, self.scribe)
        finally:
            udp.close()
        self.scribe.checkpoint(210)
        timer = common.rules.din.vehicle.communication_setup
        setup_by = asyncio.get_running_loop().time() + timer.seconds
        channel = await self._connect(found.address, found.port, setup_by)
        common.tap(channel)
        self.scribe.checkpoint(303)
        self._in_session = True
        return await vehicle_session.charge(channel, self.vehicle, self.scribe, common.rules, setup_by, session_id)

    async def _connect(self, host: str, port: int, until: float) -> Channel:
        self.scribe.checkpoint(301)
        while True:
            try:
                return await self._common.network.connect(host, port)
            except (OSError, TimeoutError) as error:
                if asyncio.get_running_loop().time() >= until:
                    timer = self._common.rules.din.vehicle.communication_setup
                    raise TimedOut(timer, f"a connection to [{host}]:{port} ({error})") from None
                self.scribe.note(f"connection to [{host}]:{port}: {error or 'no answer'}; trying again")
            await asyncio.sleep(CONNECT_PAUSE_S)
