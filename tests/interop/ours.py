"""Our vehicle or our charger for one session on an interface, without modem and matching: the peer has neither.

python ours.py ev|evse INTERFACE din|iso2 dc|ac        the last line is a JSON object; "ready" when a charger listens
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from typing import Any

from pyplc.config import SimSettings
from pyplc.hw.registry import devices
from pyplc.network import KernelNetwork
from pyplc.record import Message, Record, Recorder, Scribe
from pyplc.sdp import client, server
from pyplc.sdp.messages import PORT
from pyplc.station.charger_ac import AcCharger
from pyplc.station.charger_dc import DcCharger
from pyplc.station.vehicle_ac import AcVehicle
from pyplc.station.vehicle_dc import DcVehicle
from pyplc.tower import alongside, judge
from pyplc.v2g import charger as charger_session
from pyplc.v2g import vehicle as vehicle_session
from pyplc.v2g.negotiate import PROTOCOLS
from pyplc.v2g.rules import Rules
from pyplc.v2g.session import Ended
from pyplc.v2g.stream import Channel

EVCCID = bytes.fromhex("0200000000ec")
CHARGE_S = 2.0
"""How long our vehicle charges."""


async def be_vehicle(network: KernelNetwork, rules: Rules, energy: str, scribe: Scribe) -> Ended:
    settings = SimSettings()
    settings.vehicle.target_time = CHARGE_S
    vehicle: Any
    if energy == "ac":
        vehicle = AcVehicle(devices("simulated", "AC vehicle", settings.plant), settings.vehicle, EVCCID, scribe)
    else:
        vehicle = DcVehicle(devices("simulated", "vehicle", settings.plant), settings.vehicle, EVCCID, scribe)
    udp = await network.udp()
    try:
        found = await client.discover(udp, scribe)
    finally:
        udp.close()
    channel = await network.connect(found.address, found.port)
    try:
        return await vehicle_session.charge(channel, vehicle, scribe, rules)
    finally:
        await vehicle.secure()


async def be_charger(network: KernelNetwork, rules: Rules, energy: str, scribe: Scribe) -> Ended:
    settings = SimSettings()
    settings.plant.supply.max_current = 200.0
    charger: Any
    if energy == "ac":
        charger = AcCharger(devices("simulated", "AC charger", settings.plant), settings.charger, scribe)
    else:
        charger = DcCharger(devices("simulated", "charger", settings.plant), settings.charger, scribe)
    accepted: asyncio.Future[Channel] = asyncio.get_running_loop().create_future()
    listener, port = await network.listen(accepted.set_result, 0)
    udp = await network.udp(PORT)
    print("ready", flush=True)
    try:
        return await alongside(
            _serve(accepted, charger, rules, scribe), server.serve(udp, await network.address(), port, scribe)
        )
    finally:
        listener.close()
        udp.close()
        await charger.secure()


async def _serve(accepted: asyncio.Future[Channel], charger: Any, rules: Rules, scribe: Scribe) -> Ended:
    return await charger_session.serve(await accepted, charger, scribe, rules, random.SystemRandom())


async def main(role: str, interface: str, protocol: str, energy: str) -> None:
    exchanged: list[str] = []

    def read(record: Record) -> None:
        if isinstance(record, Message):
            exchanged.append(record.name)
            print(f"{record.t:8.3f} {record.direction} {record.name}", flush=True)
        elif hasattr(record, "text"):
            print(f"{record.t:8.3f} {record.text}", flush=True)

    scribe = Recorder(read).on("ev" if role == "ev" else "evse")
    network = KernelNetwork(interface, scribe)
    rules = Rules(protocols=(PROTOCOLS[protocol],))
    try:
        ended = await (be_vehicle if role == "ev" else be_charger)(network, rules, energy, scribe)
        outcome, reason = "finished", ended.reason
    except Exception as error:
        outcome, reason = judge(error)
    names = {name: exchanged.count(name) for name in dict.fromkeys(exchanged)}
    print(json.dumps({"outcome": outcome, "reason": reason, "messages": names}), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
