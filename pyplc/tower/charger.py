"""The charger's tower."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from ..hw.bundles import AcChargerDevices, ChargerDevices
from ..hw.ports import PilotState
from ..record import Pilot, Scribe, Summary
from ..sdp import server
from ..sdp.messages import PORT as SDP_PORT
from ..slac import evse as slac_evse
from ..slac.ev import SlacError
from ..slac.modem import ModemError
from ..slac.timing import C_SEQU_RETRY, T_STEP_EF, T_STEP_X1, TT_EVSE_SLAC_INIT, TT_EVSE_SLAC_INIT_MIN
from ..station import toggles
from ..station.charger import ChargerSettings
from ..station.charger_ac import AcCharger
from ..station.charger_dc import DcCharger
from ..station.soc_reader import SocReader, SocReaderSettings
from ..v2g import charger as charger_session
from ..v2g.session import Ended, SessionError, TimedOut
from ..v2g.stream import Channel
from .held import Common, alongside, held

HLC_DUTY = 5.0
"""Duty cycle in percent that asks for digital communication."""


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
        return await held(self, self._common, self._session(), self._secure)

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
