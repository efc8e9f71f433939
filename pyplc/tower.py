"""A station: its storeys put together, each run as a task, and one way down when any of them ends.

    vehicle:  plugged, 5 % - modem - SLAC - SECC discovery - connection - session - leave
    charger:  key to the modem - plugged: 5 % - SLAC, discovery and port open - connection - session - oscillator off

A paused session keeps the link: the charger switches its oscillator off, the vehicle wakes it, and discovery,
connection and session come again. AC charges by the pilot's duty cycle alone where there is no communication.

Whatever ends a session (its own end, an error, a cancelled or crashed task, a lost link), the station's shutdown runs,
then the summary is recorded. A defect in a task is reported as one, never swallowed.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from .hw.bundles import AcChargerDevices, AcVehicleDevices, ChargerDevices, VehicleDevices
from .hw.ports import DeviceError, PilotState
from .link.ports import LinkError
from .network import Network
from .record import Pilot, Recorder, Scribe, Summary
from .sdp import client, server
from .sdp.address import AddressError
from .sdp.client import DiscoveryFailed
from .sdp.messages import PORT as SDP_PORT
from .service.progress import Progress
from .slac import ev as slac_ev
from .slac import evse as slac_evse
from .slac.ev import SlacError
from .slac.homeplug import HomePlug
from .slac.joining import LinkLost
from .slac.modem import Modem, ModemError
from .slac.settings import SlacSettings
from .slac.timing import C_SEQU_RETRY, T_STEP_EF, T_STEP_X1, TT_EVSE_SLAC_INIT, TT_EVSE_SLAC_INIT_MIN
from .station import toggles
from .station.charger import ChargerSettings
from .station.charger import PilotFault as ChargerPilotFault
from .station.charger_ac import AcCharger
from .station.charger_dc import DcCharger
from .station.pwm import allowed_current
from .station.shutdown import to_the_end
from .station.soc_reader import SocReader, SocReaderSettings
from .station.vehicle import PilotFault, VehicleSettings
from .station.vehicle_ac import AcVehicle
from .station.vehicle_bulb import BulbVehicle
from .station.vehicle_dc import DcVehicle
from .v2g import charger as charger_session
from .v2g import vehicle as vehicle_session
from .v2g.evcc import FIRST_SESSION_ID
from .v2g.rules import Rules
from .v2g.session import Ended, SessionError, TimedOut
from .v2g.stream import Channel

T = TypeVar("T")

HLC_DUTY = 5.0
"""Duty cycle in percent that asks for digital communication."""
LINK_HOLD_S = 0.5
"""From the end of the session to leaving the network: the FIN must still get through; TP_match_leave allows 1 s."""
FALLBACK_S = 60.0
"""How long an AC vehicle without communication waits for a duty cycle that allows current."""
CONNECT_PAUSE_S = 0.5
"""Between two attempts to connect: a charger may open its announced port late."""


class Crashed(Exception):
    """A task that must live has ended; the text names it."""


OUTCOMES: dict[type[BaseException], str] = {
    SlacError: "slac",
    ModemError: "modem",
    DiscoveryFailed: "discovery",
    AddressError: "network",
    LinkError: "network",
    LinkLost: "lost",
    PilotFault: "pilot",
    ChargerPilotFault: "pilot",
    DeviceError: "device",
    Crashed: "crashed",
}
"""What went wrong, in one word, for errors that are no SessionError."""


def _name(task: asyncio.Future[Any]) -> str:
    coroutine = task.get_coro() if isinstance(task, asyncio.Task) else None
    return str(getattr(coroutine, "__qualname__", task))


async def alongside(main: Coroutine[Any, Any, T], *watchers: Coroutine[Any, Any, Any]) -> T:
    """Run `main` with watchers beside it; a watcher that ends, ends `main`, and its error is the one raised."""
    tasks = [asyncio.ensure_future(main), *(asyncio.ensure_future(watcher) for watcher in watchers)]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        done = next(task for task in tasks if task.done())
        if done.cancelled():
            raise Crashed(f"the task {_name(done)} was cancelled")
        result = done.result()
        if done is not tasks[0]:
            raise Crashed(f"the task {_name(done)} ended")
        return result  # type: ignore[no-any-return]  # of `main`
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def judge(error: BaseException) -> tuple[str, str]:
    """Outcome and reason of a session that ended with `error`."""
    if isinstance(error, SessionError):
        return error.outcome, str(error)
    for kind, outcome in OUTCOMES.items():
        if isinstance(error, kind):
            return outcome, str(error)
    if isinstance(error, asyncio.CancelledError):
        return "stopped", "stopped from outside"
    return "error", f"defect in pyplc: {type(error).__name__}: {error}"


@dataclass
class Common:
    """What both stations have. `background` are tasks that must live: receivers of links and networks."""

    recorder: Recorder
    network: Network
    homeplug: HomePlug
    modem: Modem
    rules: Rules
    rng: random.Random
    slac: SlacSettings = field(default_factory=SlacSettings)
    background: tuple[Callable[[], Coroutine[Any, Any, None]], ...] = ()
    tap: Callable[[Channel], None] = lambda channel: None


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
        return await _held(self, self._common, self._session(), self._secure)

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


class ChargerStation:
    """A charger for one session after the other; `run` holds one. Its kind of energy is that of its devices."""

    def __init__(
        self,
        common: Common,
        devices: ChargerDevices | AcChargerDevices,
        settings: ChargerSettings,
        tcp_port: int = 0,
        wall: Callable[[], float] | None = None,
        soc: SocReaderSettings | None = None,
    ) -> None:
        self._common = common
        self.devices = devices
        self._settings = settings
        self._tcp_port = tcp_port
        self.scribe: Scribe = common.recorder.on("evse")
        self._in_session = False
        self.summary: Summary | None = None
        self.charger: AcCharger | DcCharger
        if isinstance(devices, AcChargerDevices):
            self.charger = AcCharger(devices, settings, self.scribe, wall)
        else:
            self.charger = DcCharger(devices, settings, self.scribe, wall)
        self._answering: AcCharger | DcCharger | SocReader = self.charger
        """Who answers the session."""
        if isinstance(devices, AcChargerDevices) and settings.communication == "soc":
            self._answering = SocReader(devices, settings, soc or SocReaderSettings(), self.scribe)
        self._matcher = slac_evse.Matcher(
            common.homeplug,
            common.modem,
            self.scribe,
            common.slac,
            common.rng,
            lambda: devices.pilot.view.state is not PilotState.A,
            lambda seconds: toggles.count(devices.pilot, seconds),
        )
        self._keyed = False
        self._accepted: asyncio.Future[Channel] | None = None

    def stop(self, reason: str) -> bool:
        """Ask for an orderly end; False when no session runs that could have one."""
        self.charger.request_stop(reason)
        if self._answering is not self.charger:
            self._answering.request_stop(reason)
        return self._in_session

    def limit(self, max_current: float | None) -> None:
        """Give at most this current from now on, A (AC: a phase); None: what was offered."""
        self.charger.limit(max_current)

    async def run(self) -> Summary:
        """Wait for a vehicle, charge it, and come to rest; the summary says how it ended.

        Cancelling is passed on after that; `summary` is there either way.
        """
        return await _held(self, self._common, self._session(), self._secure)

    async def _secure(self, orderly: bool) -> None:
        if orderly:
            await asyncio.sleep(self._common.rules.din.charger.oscillator_retain.seconds)
        await self.charger.secure()
        if self._keyed:
            await self._matcher.leave()

    async def _session(self) -> Ended:
        charger = self.charger
        if isinstance(charger, AcCharger) and self._settings.communication != "digital":
            return await self._ac_session(charger)
        await self._prepared()
        await self._plugged(HLC_DUTY)
        return await alongside(self._connected(), charger.watch_pilot())

    async def _ac_session(self, charger: AcCharger) -> Ended:
        """AC that can do without messages: it charges by the duty cycle when there are none, or after the state of
        charge was read."""
        digital = self._settings.communication != "none"
        if digital:
            try:
                await self._prepared()
            except ModemError as error:
                self.scribe.note(f"no digital communication: {error}", "warning")
                digital = False
        await self._plugged(HLC_DUTY if digital else None)
        if digital:
            try:
                ended = await alongside(self._connected(), self._answering.watch_pilot())
                if self._answering is charger:
                    return ended
            except (SlacError, SessionError) as error:
                if self._in_session and self._answering is charger:
                    raise
                self.scribe.note(f"no digital communication: {error}", "warning")
            await self._out_of_digital()
        self._in_session = True
        return Ended(await charger.serve_basic())

    async def _out_of_digital(self) -> None:
        """From 5 % to a duty cycle with current: through state F without a match [V2G3-M06-05], else through X1."""
        pilot = self.devices.pilot
        if self._in_session:
            await pilot.set_duty(None)
            await asyncio.sleep(T_STEP_X1)
        else:
            await pilot.set_fault()
            await asyncio.sleep(T_STEP_EF)

    async def _prepared(self) -> None:
        common = self._common
        self._keyed = False
        version = await common.modem.find()
        self.scribe.note(f"modem {version}")
        await self._matcher.prepare()

    async def _plugged(self, duty: float | None) -> None:
        pilot = self.devices.pilot
        view = pilot.view
        if view.state is PilotState.A:
            self.scribe.checkpoint(2)
        while view.state not in (PilotState.B, PilotState.C):
            self.scribe(Pilot(state=view.state.value, duty_percent=view.duty_percent))
            view = await pilot.changed()
        self.scribe.checkpoint(3)
        await pilot.set_duty(duty)
        self.scribe(Pilot(state=pilot.view.state.value, duty_percent=pilot.view.duty_percent))
        self.scribe.checkpoint(5)

    async def _connected(self) -> Ended:
        """Discovery and port are open before MATCH.CNF leaves: cars come 0.5 s after it."""
        common = self._common
        listener, port = await common.network.listen(self._accept, self._tcp_port)
        self.scribe.checkpoint(300)
        udp = await common.network.udp(SDP_PORT)
        address = await common.network.address()
        self._accepted = asyncio.get_running_loop().create_future()
        try:
            return await alongside(self._matched(), server.serve(udp, address, port, self.scribe))
        finally:
            listener.close()
            udp.close()

    async def _matched(self) -> Ended:
        matcher = self._matcher
        matched = await alongside(matcher.match(), self._asked())
        self._keyed = True  # from here on a vehicle holds this key
        matched = await matcher.join(matched, self._common.slac.join_s)
        return await alongside(self._linked(), matcher.attend(matched))

    async def _asked(self) -> None:
        """Watch that the vehicle asks for matching: one that sleeps is woken where that is wished; AC that may charge
        by the duty cycle alone does not wait for ever. Raises SlacError."""
        asked = self._matcher.asked
        if isinstance(self.charger, AcCharger) and self._settings.communication != "digital":
            await self._within(TT_EVSE_SLAC_INIT_MIN, asked.wait(), "no vehicle asked")
            await self._within(TT_EVSE_SLAC_INIT, asyncio.Event().wait(), "no vehicle was matched")
        for _ in range(C_SEQU_RETRY if self._common.slac.wake else 0):
            try:
                async with asyncio.timeout(TT_EVSE_SLAC_INIT):
                    await asked.wait()
                break
            except TimeoutError:
                self.scribe.note("no CM_SLAC_PARAM.REQ: waking the vehicle by state F")
                await self.charger.rouse(T_STEP_EF, HLC_DUTY)
        await asyncio.get_running_loop().create_future()

    async def _within(self, seconds: float, event: Coroutine[Any, Any, Any], missing: str) -> None:
        try:
            async with asyncio.timeout(seconds):
                await event
        except TimeoutError:
            raise SlacError(f"{missing} within {seconds:g} s") from None

    async def _linked(self) -> Ended:
        """One session, and those that resume it."""
        ended = await self._one_session()
        while ended.paused:
            self._accepted = asyncio.get_running_loop().create_future()
            await self._answering.sleep()
            await self.devices.pilot.set_duty(HLC_DUTY)
            ended = await self._one_session()
        return ended

    async def _one_session(self) -> Ended:
        """Connection, session."""
        common = self._common
        assert self._accepted is not None  # set before anybody can connect
        timer = common.rules.din.charger.communication_setup
        setup_by = asyncio.get_running_loop().time() + timer.seconds
        try:
            async with asyncio.timeout(timer.seconds):
                channel = await asyncio.shield(self._accepted)
        except TimeoutError:
            raise TimedOut(timer, "a connection of the vehicle") from None
        common.tap(channel)
        channel.latency = self._settings.answer_s
        self._in_session = True
        return await charger_session.serve(channel, self._answering, self.scribe, common.rules, common.rng, setup_by)

    def _accept(self, channel: Channel) -> None:
        if self._accepted is None or self._accepted.done():  # one session a link
            self.scribe.note(f"a second connection from {channel.peer} was refused")
            channel.abort()
            return
        self.scribe.note(f"connection from {channel.peer}")
        self._accepted.set_result(channel)


async def _held(
    station: VehicleStation | ChargerStation,
    common: Common,
    session: Coroutine[Any, Any, Ended],
    secure: Callable[[bool], Coroutine[Any, Any, None]],
) -> Summary:
    """Hold one session, make the station safe whatever happened, and record the summary."""
    progress = Progress(station.scribe.side)
    common.recorder.readers.append(progress)
    tasks = [asyncio.ensure_future(task()) for task in common.background]
    cancelled: asyncio.CancelledError | None = None
    orderly = False
    try:
        ended = await alongside(session, *(_living(task) for task in tasks))
        outcome, reason, orderly = "finished", ended.reason, True
    except asyncio.CancelledError as error:
        cancelled = error
        outcome, reason = judge(error)
    except Exception as error:
        outcome, reason = judge(error)
    try:
        # the receivers live on: leaving the network needs the modem's answer
        await to_the_end(secure(orderly))
    except asyncio.CancelledError as error:
        cancelled = error
    except Exception as error:  # the link may be gone: the station is safe, only the modem keeps its key
        station.scribe.note(f"leaving the network: {error}", "warning")
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    common.recorder.readers.remove(progress)
    summary = station.summary = progress.summary(outcome, reason, common.recorder.now())
    station.scribe(summary)
    if cancelled is not None:
        raise cancelled
    return summary


async def _living(task: asyncio.Task[None]) -> None:
    """Watch a background task without cancelling it; Crashed when it ends."""
    await asyncio.wait({task})
    if task.cancelled():
        raise Crashed(f"the task {_name(task)} was cancelled")
    task.result()
    raise Crashed(f"the task {_name(task)} ended")


__all__ = ["ChargerStation", "Common", "VehicleStation", "alongside", "judge"]
