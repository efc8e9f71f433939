"""A whole world in one process: plant, powerline, two emulated modems, a vehicle and a charger."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from .capture.synthesis import StreamFrames
from .config import SimSettings, rules
from .hw.compose import Hardware
from .hw.simulated import ac_charger_devices, ac_vehicle_devices, charger_devices, vehicle_devices
from .link.ethernet import mac_text
from .link.ports import HOMEPLUG, IPV6, Tap
from .link.split import Split
from .link.virtual import Powerline, VirtualLink, cable
from .network import Exchange, VirtualNetwork
from .plant.plant import Plant
from .processes import Process, apart
from .record import Frame, Recorder, Side, Summary
from .slac.emulated import FAST, REAL, EmulatedModem, ModemTiming
from .slac.homeplug import HomePlug
from .slac.modem import Modem
from .slac.settings import conformant
from .tower import ChargerStation, Common, VehicleStation
from .v2g.stream import Channel

VEHICLE_HOST, VEHICLE_MODEM = bytes.fromhex("020000000001"), bytes.fromhex("020000000011")
CHARGER_HOST, CHARGER_MODEM = bytes.fromhex("020000000002"), bytes.fromhex("020000000012")
PLUG_IN_S = 8.0
"""When the user plugs in: the charger's modem is ready by then."""
UNPLUG_S = 2.0
"""From the end of the session to unplugging."""
TUG_S = 15.0
"""So long the user of a vehicle whose program died tries to get the connector out."""


class World:
    """Everything a simulated session needs; `run` holds one session.

    `frames` False leaves frames out of the records, which is faster. `hardware` makes the devices of a side instead of
    the simulated ones; whoever gives it starts and ends it. `wall` is the charger's clock.
    """

    def __init__(
        self,
        settings: SimSettings,
        recorder: Recorder,
        seed: int = 1,
        *,
        fast: bool = False,
        frames: bool = True,
        hardware: Mapping[Side, Callable[[Plant], Hardware]] | None = None,
        wall: Callable[[], float] | None = None,
    ) -> None:
        self._recorder = recorder
        self._frames = frames
        self.exchange = Exchange()
        timing = FAST if fast else REAL
        self.line = Powerline()
        self.plant = Plant(settings.plant)
        rng = random.Random(seed)
        self.modems: list[EmulatedModem] = []
        self.hosts: list[VirtualLink] = []
        """The stations' interfaces, vehicle first."""
        self.hardware = {side: make(self.plant) for side, make in (hardware or {}).items()}
        self.processes: dict[Side, Process] = {"ev": Process(), "evse": Process()}
        """What runs of each station's program; its modem does not."""
        self.tasks: dict[Side, asyncio.Task[Summary]] = {}
        """The stations', once `run` has begun."""
        self.channels: list[Channel] = []
        """The vehicle's and the charger's end of the stream, in the order they were opened."""
        vehicle = self._common("ev", VEHICLE_HOST, VEHICLE_MODEM, settings, rng, timing)
        charger = self._common("evse", CHARGER_HOST, CHARGER_MODEM, settings, rng, timing)
        self.common: dict[Side, Common] = {"ev": vehicle, "evse": charger}
        port = settings.network.tcp_port
        ac = settings.vehicle.energy == "ac"
        near = ac_vehicle_devices(self.plant) if ac else vehicle_devices(self.plant)
        self.vehicle = VehicleStation(vehicle, self._devices("ev", near), settings.vehicle)
        ac = settings.charger.energy == "ac"
        far = ac_charger_devices(self.plant) if ac else charger_devices(self.plant)
        self.charger = ChargerStation(charger, self._devices("evse", far), settings.charger, port, wall, settings.soc)

    def _common(
        self, side: Side, host: bytes, modem: bytes, settings: SimSettings, rng: random.Random, timing: ModemTiming
    ) -> Common:
        scribe = self._recorder.on(side)
        near, far = cable(f"{side} {mac_text(host)}", host, modem)
        emulated = EmulatedModem(far, self.line, modem, random.Random(rng.random()), timing)
        self.modems.append(emulated)
        self.hosts.append(near)
        split = Split(near)
        homeplug = HomePlug(split.branch(HOMEPLUG), scribe)
        network = VirtualNetwork(split.branch(IPV6), self.exchange)
        if self._frames:
            split.tap = self._tap(side, near)
        watch = (self.hardware[side].watch,) if side in self.hardware else ()
        return Common(
            recorder=self._recorder,
            network=network,
            homeplug=homeplug,
            modem=Modem(homeplug, scribe),
            rules=rules(settings.session),
            rng=random.Random(rng.random()),
            slac=conformant(settings.slac) if settings.session.profile == "conformance" else settings.slac,
            background=(lambda: apart(emulated.run()), split.run, homeplug.run, network.run, *watch),
            tap=self._stream_tap(side, near),
        )

    def _devices(self, side: Side, simulated: Any) -> Any:
        return self.hardware[side].devices if side in self.hardware else simulated

    def _tap(self, side: Side, link: VirtualLink) -> Tap:
        scribe = self._recorder.on(side)

        def tap(direction: str, frame: bytes) -> None:
            scribe(Frame(direction=direction, data=frame, interface=link.name))

        return tap

    def _stream_tap(self, side: Side, link: VirtualLink) -> Callable[[Channel], None]:
        """Bytes of the in-process stream become the TCP segments that would carry them."""
        peer = CHARGER_HOST if side == "ev" else VEHICLE_HOST

        def attach(channel: Channel) -> None:
            self.channels.append(channel)
            if not self._frames:
                return
            frames = StreamFrames(channel.local, channel.peer, link.address, peer, self._tap(side, link))
            channel.tap = frames.bytes_passed

        return attach

    async def run(self) -> dict[Side, Summary]:
        """Plug in, charge, unplug; the summaries of both sides, none of a program that was killed."""
        runs: dict[Side, Coroutine[Any, Any, Summary]] = {"ev": self.vehicle.run(), "evse": self.charger.run()}
        self.tasks = {side: self.processes[side].start(run) for side, run in runs.items()}
        user = asyncio.ensure_future(self._user())
        try:
            await asyncio.gather(self._over("ev"), self._over("evse"), user)
            found = {"ev": self.vehicle.summary, "evse": self.charger.summary}
            return {side: summary for side, summary in found.items() if summary is not None}  # type: ignore[misc]
        finally:
            living = [task for side, task in self.tasks.items() if not self.processes[side].died.done()]
            await _cancelled(user, *living)

    async def bury(self) -> None:
        """What a killed program left; call it when nobody looks any more."""
        for side, process in self.processes.items():
            if process.died.done():
                process.bury()
                await _cancelled(self.tasks[side])

    async def _over(self, side: Side) -> None:
        """Wait until a station is at rest, or its program dead."""
        ends: set[asyncio.Future[Any]] = {self.tasks[side], self.processes[side].died}
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)

    async def _user(self) -> None:
        """Plugs in, waits for the vehicle to come to rest, unplugs if it is not locked in."""
        await asyncio.sleep(PLUG_IN_S)
        self.plant.plug_in()
        await self._over("ev")
        await asyncio.sleep(UNPLUG_S)
        if self.processes["ev"].died.done():
            tugs = asyncio.get_running_loop().time() + TUG_S
            while self.plant.locked:
                if asyncio.get_running_loop().time() >= tugs:
                    return
                await asyncio.sleep(0.1)
        self.plant.unplug()
        self._recorder.on("ev").checkpoint(920)


async def _cancelled(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
