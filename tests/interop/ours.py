"""Our vehicle or our charger for one session on an interface, the whole station but modem and matching.

    python ours.py ev|evse|soc INTERFACE din|iso2|din,iso2 dc|ac [field|conformance]

For peers that begin with SECC discovery. `soc` is a wallbox that reads the state of charge, then charges by the duty
cycle and is stopped there. Prints each message as it passes, "ready" when a charger listens, and last line a JSON
object: outcome, reason, how often each message passed, whether all is open and unlocked, what the vehicle told of
itself.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys

import msgspec

from pyplc.config import SessionSettings, SimSettings, rules
from pyplc.hw.bundles import AcChargerDevices, AcVehicleDevices, ChargerDevices, VehicleDevices
from pyplc.hw.compose import compose
from pyplc.hw.settings import ChargerHardware, VehicleHardware
from pyplc.link.virtual import cable
from pyplc.network import KernelNetwork
from pyplc.record import Message, Note, Record, Recorder, Summary, VehicleData
from pyplc.sdp import server
from pyplc.sdp.messages import PORT
from pyplc.slac.homeplug import HomePlug
from pyplc.slac.modem import Modem
from pyplc.station.charger import ChargerSettings
from pyplc.station.vehicle import VehicleSettings
from pyplc.tower import ChargerStation, Common, VehicleStation, alongside
from pyplc.v2g.control import Energy
from pyplc.v2g.session import Ended

EVCCID = "0200000000ec"
CHARGE_S = 2.0
"""How long our vehicle charges."""


class Vehicle(VehicleStation):
    """From discovery on."""

    async def _connected(self) -> Ended:
        return await self._linked()


class Charger(ChargerStation):
    """From discovery on."""

    async def _prepared(self) -> None:
        self._keyed = False

    async def _connected(self) -> Ended:
        listener, port = await self._common.network.listen(self._accept, 0)
        udp = await self._common.network.udp(PORT)
        address = await self._common.network.address()
        self._accepted = asyncio.get_running_loop().create_future()
        print("ready", flush=True)
        try:
            return await alongside(self._linked(), server.serve(udp, address, port, self.scribe))
        finally:
            listener.close()
            udp.close()


class Told:
    """A record reader: prints messages and remarks, keeps what the last line needs."""

    def __init__(self) -> None:
        self.messages: dict[str, int] = {}
        self.vehicle: VehicleData | None = None
        self.by_duty = asyncio.Event()
        """Charging without messages has begun."""

    def __call__(self, record: Record) -> None:
        if isinstance(record, Message):
            self.messages[record.name] = self.messages.get(record.name, 0) + 1
            print(f"{record.t:8.3f} {record.direction} {record.name} {record.exi.hex()}", flush=True)
        elif isinstance(record, Note):
            print(f"{record.t:8.3f} {record.text}", flush=True)
            if record.text.startswith("charging by the pilot's duty cycle"):
                self.by_duty.set()
        elif isinstance(record, VehicleData):
            self.vehicle = record


async def session(role: str, interface: str, chosen: SessionSettings, energy: Energy, told: Told) -> dict[str, object]:
    """One session with simulated devices; the other side's are elsewhere and its messages are believed."""
    settings = SimSettings(session=chosen)
    settings.vehicle = VehicleSettings(energy=energy, target_time=CHARGE_S, evccid=EVCCID)
    settings.charger = (
        ChargerSettings(energy="ac", communication="soc") if role == "soc" else ChargerSettings(energy=energy)
    )
    recorder = Recorder(told)
    scribe = recorder.on("ev" if role == "ev" else "evse")
    homeplug = HomePlug(cable("no modem", bytes(6), bytes(6))[0], scribe)
    common = Common(
        recorder=recorder,
        network=KernelNetwork(interface, scribe),
        homeplug=homeplug,
        modem=Modem(homeplug, scribe),
        rules=rules(settings.session),
        rng=random.SystemRandom(),
    )
    if role == "ev":
        made = compose(VehicleHardware(), {}, settings.vehicle.energy, settings.plant)
        assert isinstance(made.devices, (VehicleDevices, AcVehicleDevices))
        station: Vehicle | Charger = Vehicle(common, made.devices, settings.vehicle)
    else:
        made = compose(ChargerHardware(), {}, settings.charger.energy, settings.plant)
        assert isinstance(made.devices, (ChargerDevices, AcChargerDevices))
        station = Charger(common, made.devices, settings.charger, soc=settings.soc)
    async with made:
        running = asyncio.ensure_future(station.run())
        by_duty = asyncio.ensure_future(told.by_duty.wait())
        await asyncio.wait({running, by_duty}, return_when=asyncio.FIRST_COMPLETED)
        by_duty.cancel()
        station.stop("enough of the duty cycle")
        summary: Summary = await running
    contactor, lock = getattr(made.devices, "contactor", None), getattr(made.devices, "lock", None)
    return {
        "outcome": summary.outcome,
        "reason": summary.reason,
        "messages": told.messages,
        "safe": not (contactor and contactor.closed) and not (lock and lock.locked),
        "vehicle": msgspec.to_builtins(told.vehicle),
    }


async def main(role: str, interface: str, protocols: str, energy: str, profile: str = "field") -> None:
    chosen = msgspec.convert({"protocols": protocols.split(","), "profile": profile}, SessionSettings)
    result = await session(role, interface, chosen, msgspec.convert(energy, Energy), Told())
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
