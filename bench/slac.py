"""How long does matching take, and how much of it is waiting that the standard asks for?

Prints the duration of a match in virtual time beside the sum of the waits that cannot be shortened, and on Linux with
the right to make namespaces the time from CM_SLAC_PARAM.REQ to its CNF over a veth pair (limit: 100 ms).
"""

from __future__ import annotations

import asyncio
import random
import statistics
import subprocess
import sys
import time

from pyplc import clock
from pyplc.link import open_link
from pyplc.link.ports import LinkError
from pyplc.link.virtual import Powerline, cable
from pyplc.record import silent
from pyplc.slac import ev, evse
from pyplc.slac.emulated import FAST, REAL, EmulatedModem, ModemTiming
from pyplc.slac.homeplug import HomePlug
from pyplc.slac.messages import SlacParamCnf, SlacParamReq
from pyplc.slac.modem import Modem
from pyplc.slac.settings import SlacSettings
from pyplc.slac.timing import TT_EV_ATTEN_RESULTS

RUNS = 50
ROUNDS = 500
NAMESPACE = "pyplc-bench"


async def match(timing: ModemTiming, seed: int) -> float:
    """Seconds from the first CM_SLAC_PARAM.REQ to the link."""
    line = Powerline()
    tasks: list[asyncio.Task[object]] = []
    hosts: list[tuple[HomePlug, Modem]] = []
    for number in (1, 2):
        near, far = cable("cable", bytes([2, 0, 0, 0, 0, number]), bytes([2, 0, 0, 0, 1, number]))
        homeplug = HomePlug(near, silent())
        modem = EmulatedModem(far, line, far.address, random.Random(seed + number), timing)
        tasks += [asyncio.ensure_future(modem.run()), asyncio.ensure_future(homeplug.run())]
        hosts.append((homeplug, Modem(homeplug, silent())))
    charger = evse.Matcher(*hosts[1], silent(), SlacSettings(), random.Random(seed), lambda: True)
    vehicle = ev.Matcher(*hosts[0], silent(), SlacSettings(), random.Random(seed + 1))
    await charger.prepare()
    await asyncio.sleep(8.0)
    tasks.append(asyncio.ensure_future(charger.match()))
    started = asyncio.get_running_loop().time()
    await vehicle.match()
    took = asyncio.get_running_loop().time() - started
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return took


async def answer(driver: str) -> list[float]:
    """Milliseconds from request to answer over a veth pair, both ends in this process."""
    ours, theirs = open_link("va", driver), open_link("vb", driver)
    vehicle, charger = HomePlug(ours, silent()), HomePlug(theirs, silent())
    matcher = evse.Matcher(charger, Modem(charger, silent()), silent(), SlacSettings(), random.Random(1), lambda: True)
    tasks = [asyncio.ensure_future(part) for part in (vehicle.run(), charger.run(), matcher.match())]
    await asyncio.sleep(0)
    found = []
    with vehicle.inbox(SlacParamCnf) as inbox:
        for number in range(ROUNDS):
            started = time.perf_counter()
            vehicle.send(SlacParamReq(run_id=number.to_bytes(8, "big")), b"\xff" * 6)
            await inbox.take(1.0)
            found.append((time.perf_counter() - started) * 1000)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    ours.close()
    theirs.close()
    return found


def veth() -> None:
    """Measure `answer` in a namespace of its own, or say why not."""
    if subprocess.run(["ip", "netns", "add", NAMESPACE], capture_output=True, check=False).returncode:
        print("PARAM.REQ to CNF over veth: not measured, no right to make network namespaces")
        return
    try:
        for command in ("link add va type veth peer name vb", "link set va up", "link set vb up"):
            subprocess.run(["ip", "-n", NAMESPACE, *command.split()], check=True)
        for driver in ("packet", "pcap"):
            inside = ["ip", "netns", "exec", NAMESPACE, sys.executable, __file__, driver]
            subprocess.run(inside, check=False)
    finally:
        subprocess.run(["ip", "netns", "del", NAMESPACE], check=False)


def main() -> None:
    for name, timing in (("fast", FAST), ("real", REAL)):
        began = time.perf_counter()
        took = [clock.run(match(timing, seed)) for seed in range(RUNS)]
        spent = (time.perf_counter() - began) / RUNS * 1000
        least = TT_EV_ATTEN_RESULTS + timing.apply + timing.restart + timing.join
        print(
            f"match, modem {name}: {statistics.median(took):.2f} s (gathering and modem alone: {least:.2f} s); "
            f"computed in {spent:.1f} ms"
        )
    veth()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        try:
            times = sorted(asyncio.run(answer(sys.argv[1])))
        except (LinkError, OSError) as error:
            sys.exit(f"{sys.argv[1]}: {error}")
        middle, late = times[len(times) // 2], times[len(times) * 99 // 100]
        print(f"PARAM.REQ to CNF over veth, {sys.argv[1]}: p50 {middle:.3f} ms, p99 {late:.3f} ms (limit 100 ms)")
    else:
        main()
