"""How quickly does a charger answer over TCP, and how many vehicles does one process serve?

Compared with: the standard's 25 ms for CurrentDemandRes, the 7 to 26 ms of chargers in the field, and the 87 ms of
pyPLC; the vehicles keep the conformance time-outs (250 ms for each CurrentDemandRes), so a late answer ends a session.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
import resource
import statistics
import time
from multiprocessing.connection import Connection
from typing import Any

from pyplc.hw.bundles import ChargerDevices, VehicleDevices
from pyplc.hw.compose import compose
from pyplc.hw.settings import ChargerHardware, VehicleHardware
from pyplc.plant.parameters import BatteryParameters, PlantParameters
from pyplc.record import Recorder, Summary
from pyplc.station.charger import ChargerSettings
from pyplc.station.charger_dc import DcCharger
from pyplc.station.vehicle import VehicleSettings
from pyplc.station.vehicle_dc import DcVehicle
from pyplc.v2g import charger, vehicle
from pyplc.v2g.negotiate import PROTOCOLS
from pyplc.v2g.rules import CONFORMANCE, Rules
from pyplc.v2g.session import SessionError
from pyplc.v2g.stream import Channel, connect, listen

ANSWERS = 2000
SESSIONS = 200
CYCLE_S = 0.25
SECONDS = 20.0
CORE = {0}
PLANT = PlantParameters(battery=BatteryParameters(soc_percent=40.0))


def rules(protocol: str, cycle: float) -> Rules:
    pacing = CONFORMANCE.pacing._replace(charging=cycle, authentication=0.25, charging_status=cycle)
    return CONFORMANCE._replace(protocols=(PROTOCOLS[protocol],), pacing=pacing)


def charger_process(protocol: str, pipe: Connection) -> None:
    """A charger with as many connectors as vehicles connect; tells its port, then what it used."""
    os.sched_setaffinity(0, CORE)
    held: list[asyncio.Task[Any]] = []

    async def main() -> None:
        def accept(channel: Channel) -> None:
            scribe = Recorder(lambda record: None).on("evse")
            devices = compose(ChargerHardware(), {}, "dc", PLANT).devices
            assert isinstance(devices, ChargerDevices)
            control = DcCharger(devices, ChargerSettings(), scribe)
            session = charger.serve(channel, control, scribe, rules(protocol, CYCLE_S), random.Random(len(held)))
            held.append(asyncio.ensure_future(session))

        server, port = await listen(accept, "::1")
        pipe.send(port)
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, pipe.recv)
        results = await asyncio.gather(*held, return_exceptions=True)
        server.close()
        usage = resource.getrusage(resource.RUSAGE_SELF)
        failed = [str(r) for r in results if isinstance(r, BaseException)]
        pipe.send((usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, failed))

    asyncio.run(main())


async def drive(port: int, protocol: str, cycle: float, seconds: float, taken: list[float]) -> Summary | str:
    """One vehicle; `taken` gets the time of each answer in the charge loop."""
    channel = await connect("::1", port)
    scribe = Recorder(lambda record: None).on("ev")
    settings = VehicleSettings(target_soc=100.0, target_time=seconds, precharge_by="reported")
    devices = compose(VehicleHardware(), {}, "dc", PLANT).devices
    assert isinstance(devices, VehicleDevices)
    control = DcVehicle(devices, settings, bytes(6), scribe)
    sent = 0.0
    observe, demand = control.observe, control.demand

    def asked() -> Any:
        nonlocal sent
        wanted = demand()
        sent = time.perf_counter()
        return wanted

    def answered(delivered: Any) -> None:
        taken.append(time.perf_counter() - sent)
        observe(delivered)

    control.demand, control.observe = asked, answered  # type: ignore[method-assign]
    try:
        return str(await vehicle.charge(channel, control, scribe, rules(protocol, cycle)))
    except SessionError as error:
        return f"FAILED {error}"


def measure(protocol: str, sessions: int, cycle: float, seconds: float) -> None:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=charger_process, args=(protocol, theirs))
    process.start()
    port = ours.recv()
    os.sched_setaffinity(0, CORE if sessions > 1 else os.sched_getaffinity(0))
    taken: list[float] = []
    before = resource.getrusage(resource.RUSAGE_SELF)

    async def main() -> list[Any]:
        async def later(number: int) -> Any:
            await asyncio.sleep(number * cycle / sessions * 8)  # people do not plug in all at once
            return await drive(port, protocol, cycle, seconds, taken)

        return await asyncio.gather(*(later(number) for number in range(sessions)))

    start = time.perf_counter()
    ends = asyncio.run(main())
    wall = time.perf_counter() - start
    ours.send(None)
    cpu, rss, failed = ours.recv()
    process.join()
    after = resource.getrusage(resource.RUSAGE_SELF)
    vehicles = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    wrong = [end for end in ends if "FAILED" in end] + failed
    taken.sort()
    p50, p99 = statistics.median(taken) * 1000, taken[int(len(taken) * 0.99)] * 1000
    print(
        f"{protocol:5} {sessions:4} sessions, loop {cycle * 1000:3.0f} ms: {len(taken):6} answers, p50 {p50:5.2f} ms, "
        f"p99 {p99:6.2f} ms, worst {taken[-1] * 1000:6.1f} ms; charger {cpu / wall * 100:5.1f} % of a core, "
        f"{cpu / wall / sessions * 100:5.2f} % and {rss / sessions:5.2f} MB a session ({rss:.0f} MB in all); "
        f"vehicles {vehicles / wall * 100:5.1f} %; ended otherwise: {len(wrong)} {wrong[:1] or ''}"
    )


def main() -> None:
    for protocol in ("din", "iso2"):
        measure(protocol, 1, 0.005, ANSWERS * 0.006)
    everything = os.sched_getaffinity(0)
    for protocol in ("din", "iso2"):
        measure(protocol, SESSIONS, CYCLE_S, SECONDS)
        os.sched_setaffinity(0, everything)


if __name__ == "__main__":
    main()
