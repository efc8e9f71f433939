"""Our vehicle or our charger for one session on an interface, the whole station but modem and matching.

    python ours.py ev|evse INTERFACE din|iso2|din,iso2 dc|ac [field|conformance]

For peers that begin with SECC discovery. Prints each message as it passes, "ready" when a charger listens, and last
line a JSON object: outcome, reason, how often each message passed.
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
from pyplc.record import Message, Note, Record, Recorder, Summary
from pyplc.sdp import server
from pyplc.sdp.messages import PORT
from pyplc.slac.homeplug import HomePlug
from pyplc.slac.modem import Modem
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


async def session(role: str, interface: str, chosen: SessionSettings, energy: Energy, recorder: Recorder) -> Summary:
    """One session with simulated devices; the other side's are elsewhere and its messages are believed."""
    settings = SimSettings(session=chosen)
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
        wish = settings.vehicle
        wish.energy, wish.target_time, wish.evccid = energy, CHARGE_S, EVCCID
        made = compose(VehicleHardware(), {}, wish.energy, settings.plant)
        assert isinstance(made.devices, (VehicleDevices, AcVehicleDevices))
        async with made:
            return await Vehicle(common, made.devices, wish).run()
    settings.charger.energy = energy
    made = compose(ChargerHardware(), {}, settings.charger.energy, settings.plant)
    assert isinstance(made.devices, (ChargerDevices, AcChargerDevices))
    async with made:
        return await Charger(common, made.devices, settings.charger).run()


def main(role: str, interface: str, protocols: str, energy: str, profile: str = "field") -> None:
    chosen = msgspec.convert({"protocols": protocols.split(","), "profile": profile}, SessionSettings)
    passed: list[str] = []

    def read(record: Record) -> None:
        if isinstance(record, Message):
            passed.append(record.name)
            print(f"{record.t:8.3f} {record.direction} {record.name} {record.exi.hex()}", flush=True)
        elif isinstance(record, Note):
            print(f"{record.t:8.3f} {record.text}", flush=True)

    summary = asyncio.run(session(role, interface, chosen, msgspec.convert(energy, Energy), Recorder(read)))
    messages = {name: passed.count(name) for name in dict.fromkeys(passed)}
    print(json.dumps({"outcome": summary.outcome, "reason": summary.reason, "messages": messages}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
