"""How fast is matching, and how punctual, on real interfaces?

In virtual time: from CM_SLAC_PARAM.REQ to MATCH.CNF and to the link, beside the waits that cannot be shortened.

Over a veth pair in a network namespace (Linux, with the right to make one), the station a process of its own and the
peer a blocking socket with the kernel's time stamps, first with the machine as it is, then with one core kept busy.
Stations run first in line where that is allowed (root, CAP_SYS_NICE, LimitRTPRIO=1), as `clock.first_in_line` says:

    PARAM.REQ to CNF            p50 under 0.5 ms, p99 under 5 ms
    our sounds                  within 1 ms of the set interval at p99
    last profile to report      under 5 ms at p99
    emulated modem, SET_KEY     CNF under 5 ms at p99
    1,000 foreign frames/s      under 10 % of a core, nothing lost
    PARAM.REQ to MATCH.CNF      1.2 s of gathering and at most 50 ms, vehicle and charger as processes

python bench/slac.py [packet|pcap ...]
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import socket
import statistics
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pyplc import clock
from pyplc.cli.modem_emulate import fine_loop
from pyplc.link import open_link
from pyplc.link.virtual import Powerline, cable
from pyplc.record import silent
from pyplc.slac import ev, evse
from pyplc.slac.catalogue import read
from pyplc.slac.emulated import FAST, REAL, EmulatedModem, ModemTiming
from pyplc.slac.homeplug import HomePlug
from pyplc.slac.layout import Message
from pyplc.slac.messages import (
    AttenCharInd,
    AttenCharRsp,
    AttenProfileInd,
    MnbcSoundInd,
    SetKeyCnf,
    SetKeyReq,
    SlacMatchCnf,
    SlacParamCnf,
    SlacParamReq,
    StartAttenCharInd,
)
from pyplc.slac.mme import BROADCAST, ETHERTYPE, LOCAL_MODEM, Mme, parse
from pyplc.slac.modem import Modem
from pyplc.slac.settings import SlacSettings
from pyplc.slac.timing import TT_EV_ATTEN_RESULTS

RUNS = 50
ROUNDS = 500
REPORTS = 150
ATTEMPTS = 20
MATCHES = 6
FLOOD_S, FLOOD_RATE = 4.0, 1000
NAMESPACE = f"pyplc-bench-{os.getpid()}"
OURS, THEIRS = "va", "vb"
CABLES = (("ev0", "ev1"), ("se0", "se1"))
"""Host's and modem's end, of a vehicle and of a charger."""
PEER, OTHER = b"\2\0\0\0\0\x55", b"\2\0\0\0\0\x66"
SO_TIMESTAMPNS = 35
HOG = "while True: pass"


# ---------------------------------------------------------------------------------------------------- virtual time


async def match(timing: ModemTiming, seed: int) -> tuple[float, float]:
    """Seconds from the first CM_SLAC_PARAM.REQ to MATCH.CNF and to the link."""
    line = Powerline()
    tasks: list[asyncio.Task[object]] = []
    hosts: list[tuple[HomePlug, Modem]] = []
    for number in (1, 2):
        near, far = cable("cable", bytes([2, 0, 0, 0, 0, number]), bytes([2, 0, 0, 0, 1, number]))
        homeplug = HomePlug(near, silent())
        modem = EmulatedModem(far, line, far.address, random.Random(seed + number), timing)
        tasks += [asyncio.ensure_future(modem.run()), asyncio.ensure_future(homeplug.run())]
        hosts.append((homeplug, Modem(homeplug, silent())))
    settings = SlacSettings()
    charger = evse.Matcher(*hosts[1], silent(), settings, random.Random(seed), lambda: True)
    vehicle = ev.Matcher(*hosts[0], silent(), settings, random.Random(seed + 1))
    await charger.prepare()
    await asyncio.sleep(8.0)
    tasks.append(asyncio.ensure_future(charger.match()))
    started = asyncio.get_running_loop().time()
    confirmed: list[float] = []

    def heard(message: Message, source: bytes) -> None:
        if isinstance(message, SlacMatchCnf):
            confirmed.append(asyncio.get_running_loop().time() - started)

    with hosts[0][0].listening(heard):
        await vehicle.match()
    took = asyncio.get_running_loop().time() - started
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return confirmed[0], took


def virtual() -> None:
    for name, timing in (("fast", FAST), ("real", REAL)):
        began = time.perf_counter()
        took = [clock.run(match(timing, seed)) for seed in range(RUNS)]
        spent = (time.perf_counter() - began) / RUNS * 1000
        confirmed = statistics.median(first for first, _ in took)
        linked = statistics.median(last for _, last in took)
        waits = timing.apply + timing.restart + timing.join
        print(
            f"match, modem {name}: MATCH.CNF after {confirmed:.3f} s (gathering alone: {TT_EV_ATTEN_RESULTS:g} s, "
            f"limit +0.05 s), link after {linked:.2f} s (modem alone: {waits:.1f} s); computed in {spent:.1f} ms"
        )


# --------------------------------------------------------------------------------------------- stations, as processes


async def charger(driver: str) -> None:
    """A charger until SIGTERM; then prints how many frames it received and lost."""
    link = open_link(THEIRS, driver)
    received = 0

    def count(direction: str, frame: bytes) -> None:
        nonlocal received
        received += direction == "rx"

    link.tap = count
    homeplug = HomePlug(link, silent())
    matcher = evse.Matcher(
        homeplug, Modem(homeplug, silent()), silent(), SlacSettings(), random.Random(1), lambda: True
    )
    await _until_sigterm(homeplug.run(), matcher.match())
    print(json.dumps({"received": received, "dropped": link.dropped}), flush=True)
    link.close()


async def vehicle(driver: str) -> None:
    """A vehicle that tries to match until SIGTERM."""
    link = open_link(THEIRS, driver)
    homeplug = HomePlug(link, silent())
    matcher = ev.Matcher(homeplug, Modem(homeplug, silent()), silent(), SlacSettings(search_s=1e9), random.Random(1))
    await _until_sigterm(homeplug.run(), matcher.match())
    link.close()


async def modem(driver: str) -> None:
    """An emulated modem until SIGTERM."""
    link = open_link(THEIRS, driver, (), promiscuous=True)
    emulated = EmulatedModem(link, Powerline(), b"\2\0\0\0\1\1", random.Random(1), FAST)
    with clock.first_in_line():
        await _until_sigterm(emulated.run())
    link.close()


async def line(driver: str) -> None:
    """Two emulated modems, each at the end of a cable, until SIGTERM."""
    powerline = Powerline()
    links = [open_link(far, driver, (), promiscuous=True) for _, far in CABLES]
    modems = [
        EmulatedModem(link, powerline, bytes([2, 0, 0, 0, 1, number]), random.Random(number), FAST)
        for number, link in enumerate(links)
    ]
    with clock.first_in_line():
        await _until_sigterm(*(modem.run() for modem in modems))


async def matching_charger(driver: str) -> None:
    """A charger that serves one vehicle after the other until SIGTERM."""
    homeplug = HomePlug(open_link(CABLES[1][0], driver), silent())
    settings = SlacSettings(answer_unplugged=True)
    matcher = evse.Matcher(homeplug, Modem(homeplug, silent()), silent(), settings, random.Random(1), lambda: True)

    async def serve() -> None:
        while True:
            await matcher.prepare()
            await matcher.join(await matcher.match(), settings.join_s)
            await matcher.leave()

    await _until_sigterm(homeplug.run(), serve())


async def matching_vehicle(driver: str) -> None:
    """A vehicle that matches MATCHES times; prints the seconds from CM_SLAC_PARAM.REQ to MATCH.CNF of each."""
    link = open_link(CABLES[0][0], driver)
    homeplug = HomePlug(link, silent())
    matcher = ev.Matcher(homeplug, Modem(homeplug, silent()), silent(), SlacSettings(), random.Random(1))
    receiving = asyncio.ensure_future(homeplug.run())
    asked: dict[bytes, float] = {}
    took: dict[bytes, float] = {}

    def tap(direction: str, frame: bytes) -> None:
        message = read(parse(frame))
        if isinstance(message, SlacParamReq):
            asked.setdefault(message.run_id, time.monotonic())
        elif isinstance(message, SlacMatchCnf):
            took.setdefault(message.run_id, time.monotonic() - asked[message.run_id])

    link.tap = tap
    print("ready", flush=True)
    for _ in range(MATCHES):
        await matcher.match()
        await matcher.leave()
        await asyncio.sleep(0.5)
    receiving.cancel()
    print(json.dumps(list(took.values())), flush=True)
    link.close()


async def _until_sigterm(*work: Any) -> None:
    done = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, done.set)
    tasks = [asyncio.ensure_future(part) for part in work]
    print("ready", flush=True)
    await done.wait()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


STATIONS = {
    "charger": charger,
    "vehicle": vehicle,
    "modem": modem,
    "line": line,
    "matching-charger": matching_charger,
    "matching-vehicle": matching_vehicle,
}
EMULATED = ("modem", "line")


class Process:
    """A station in a process of its own."""

    def __init__(self, station: str, driver: str) -> None:
        self._process = subprocess.Popen([sys.executable, __file__, station, driver], stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self._out = self._process.stdout
        if self._out.readline().strip() != "ready":
            raise SystemExit(f"{station} with driver {driver} does not start")

    def cpu_s(self) -> float:
        """Seconds of processor time so far."""
        fields = open(f"/proc/{self._process.pid}/stat").read().rpartition(")")[2].split()  # noqa: SIM115
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def last_words(self) -> str:
        """What it prints before it ends by itself."""
        told = self._out.read()
        self._process.wait()
        return told

    def stop(self) -> str:
        """End it; its last words."""
        self._process.terminate()
        self._process.wait()
        return self._out.read()


# ------------------------------------------------------------------------------------------------------- the peer


class Wire:
    """The peer: a blocking socket, with the kernel's time of each frame in seconds."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self._socket.bind((OURS, int.from_bytes(ETHERTYPE, "big")))
        self._socket.settimeout(3.0)

    def send(self, message: Message, to: bytes = BROADCAST, source: bytes = PEER) -> float:
        """Send; the time it was handed to the kernel."""
        now = time.time()
        self._socket.send(message.frame(to, source))
        return now

    def raw(self, frame: bytes) -> None:
        self._socket.send(frame)

    def frames(self) -> Iterator[tuple[float, Message, bytes]]:
        """What comes in: time, message, source; TimeoutError after three seconds of silence."""
        while True:
            frame, extra, _, address = self._socket.recvmsg(2048, 64)
            if address[2] == socket.PACKET_OUTGOING:
                continue
            seconds, nanos = struct.unpack("ll", extra[0][2][:16])
            mme = parse(frame)
            message = read(mme)
            if message is not None:
                yield seconds + nanos / 1e9, message, mme.source

    def await_(self, kind: type[Message]) -> tuple[float, bytes]:
        """The next message of a kind: its time and source."""
        return next((t, source) for t, message, source in self.frames() if isinstance(message, kind))

    def close(self) -> None:
        self._socket.close()


def answers(wire: Wire) -> list[float]:
    """Milliseconds from CM_SLAC_PARAM.REQ to its CNF."""
    found = []
    for number in range(ROUNDS):
        sent = wire.send(SlacParamReq(run_id=number.to_bytes(8, "big")))
        found.append((wire.await_(SlacParamCnf)[0] - sent) * 1000)
    return found


def reports(wire: Wire) -> list[float]:
    """Milliseconds from the profile of the last sound to CM_ATTEN_CHAR.IND."""
    found = []
    for number in range(REPORTS):
        run_id = (1 << 32 | number).to_bytes(8, "big")
        wire.send(SlacParamReq(run_id=run_id))
        _, host = wire.await_(SlacParamCnf)
        wire.send(StartAttenCharInd(forwarding_sta=PEER, run_id=run_id))
        last = 0.0
        for left in reversed(range(10)):
            time.sleep(0.001)
            wire.send(MnbcSoundInd(count=left, run_id=run_id, random=bytes(16)))
            last = wire.send(AttenProfileInd(pev_mac=PEER, count=58, rest=bytes([12]) * 58), source=OTHER)
        t, _ = wire.await_(AttenCharInd)
        found.append((t - last) * 1000)
        wire.send(AttenCharRsp(source_address=PEER, run_id=run_id), host)
    return found


def spacing(wire: Wire) -> list[float]:
    """How far the vehicle's announcements and sounds are from their interval, in milliseconds."""
    interval = SlacSettings().sound_interval_s
    times: dict[bytes, list[float]] = {}
    for t, message, source in wire.frames():
        if isinstance(message, SlacParamReq):
            if len(times) == ATTEMPTS:
                break
            wire.send(SlacParamCnf(forwarding_sta=source, run_id=message.run_id), source)
        elif isinstance(message, (StartAttenCharInd, MnbcSoundInd)):
            times.setdefault(message.run_id, []).append(t)
    pairs = ((a, b) for run in times.values() for a, b in zip(run, run[1:], strict=False))
    return [abs(b - a - interval) * 1000 for a, b in pairs]


def keys(wire: Wire) -> list[float]:
    """Milliseconds from CM_SET_KEY.REQ to its CNF of an emulated modem (which waits 0.5 ms, as real ones do)."""
    found = []
    for _ in range(ROUNDS):
        sent = wire.send(SetKeyReq(nid=bytes(7), nmk=bytes(16)), LOCAL_MODEM)
        found.append((wire.await_(SetKeyCnf)[0] - sent) * 1000)
    return found


FOREIGN = [
    SlacParamReq(application=1, run_id=bytes(8)).frame(BROADCAST, OTHER),
    MnbcSoundInd(count=3, run_id=bytes(8), random=bytes(16)).frame(BROADCAST, OTHER),
    AttenProfileInd(pev_mac=OTHER, count=58, rest=bytes(58)).frame(BROADCAST, OTHER),
    Mme(BROADCAST, OTHER, 0, 0xA0F8, bytes(40), bytes.fromhex("00b052")).pack(),
]


def flood(wire: Wire, process: Process) -> tuple[float, int]:
    """Percent of a core at 1,000 foreign frames a second, and the frames sent."""
    before, began = process.cpu_s(), time.monotonic()
    count = round(FLOOD_S * FLOOD_RATE)
    for number in range(count):
        wire.raw(FOREIGN[number % len(FOREIGN)])
        time.sleep(max(0.0, began + (number + 1) / FLOOD_RATE - time.monotonic()))
    took = time.monotonic() - began
    time.sleep(0.2)
    return (process.cpu_s() - before) / took * 100, count


# ---------------------------------------------------------------------------------------------------------- running


def tell(what: str, values: list[float], limits: str) -> None:
    ordered = sorted(values)
    p50, p99 = ordered[len(ordered) // 2], ordered[len(ordered) * 99 // 100]
    print(f"  {what:<26} p50 {p50:7.3f} ms   p99 {p99:7.3f} ms   worst {ordered[-1]:7.3f} ms   ({limits})", flush=True)


@contextmanager
def station(name: str, driver: str) -> Iterator[tuple[Wire, Process]]:
    process, wire = Process(name, driver), Wire()
    try:
        yield wire, process
    finally:
        wire.close()
        process.stop()


def measured(driver: str) -> None:
    with station("charger", driver) as (wire, _):
        tell("PARAM.REQ to CNF", answers(wire), "limits 0.5 and 5 ms")
    with station("charger", driver) as (wire, _):
        tell("last profile to report", reports(wire), "limit 5 ms")
    with station("vehicle", driver) as (wire, _):
        tell("sounds off their interval", spacing(wire), "limit 1 ms")
    with station("modem", driver) as (wire, _):
        tell("emulated modem, SET_KEY", keys(wire), "limit 5 ms")
    process, wire = Process("charger", driver), Wire()
    percent, sent = flood(wire, process)
    heard = json.loads(process.stop())
    wire.close()
    lost = sent - heard["received"] + heard["dropped"]
    print(f"  1,000 foreign frames/s     {percent:.1f} % of a core (limit 10 %), {lost} of {sent} lost")
    took = whole_matches(driver)
    print(
        f"  PARAM.REQ to MATCH.CNF     p50 {statistics.median(took):7.3f} s    worst {max(took):7.3f} s"
        f"    of {len(took)}   (limit {TT_EV_ATTEN_RESULTS + 0.05:g} s)",
        flush=True,
    )


def whole_matches(driver: str) -> list[float]:
    """Seconds from CM_SLAC_PARAM.REQ to MATCH.CNF, both roles and their modems in three processes."""
    powerline, serving = Process("line", driver), Process("matching-charger", driver)
    time.sleep(0.5)  # its modem restarts with the fresh key
    asking = Process("matching-vehicle", driver)
    took: list[float] = json.loads(asking.last_words())
    serving.stop()
    powerline.stop()
    return took


def others() -> float:
    """Percent of all cores that other programs take, over a second."""
    before = _busy()
    time.sleep(1.0)
    after = _busy()
    return 100.0 * (after[0] - before[0]) / max(1, after[1] - before[1])


def _busy() -> tuple[int, int]:
    """Ticks that were not idle, and all of them."""
    with open("/proc/stat") as told:
        ticks = [int(word) for word in told.readline().split()[1:9]]
    return sum(ticks) - ticks[3] - ticks[4], sum(ticks)


def inside(drivers: list[str]) -> None:
    for driver in drivers:
        print(f"over veth, driver {driver}, other programs take {others():.0f} % of all cores:", flush=True)
        measured(driver)
        hog = subprocess.Popen([sys.executable, "-c", HOG])
        try:
            time.sleep(0.5)
            print(f"over veth, driver {driver}, one core kept busy, so others take {others():.0f} %:", flush=True)
            measured(driver)
        finally:
            hog.kill()
            hog.wait()


def veth(drivers: list[str]) -> None:
    """Measure in a namespace of its own, or say why not."""
    if subprocess.run(["ip", "netns", "add", NAMESPACE], capture_output=True, check=False).returncode:
        print("over veth: not measured, no right to make network namespaces")
        return
    try:
        for command in (
            f"link add {OURS} type veth peer name {THEIRS}",
            f"link set {OURS} up",
            f"link set {THEIRS} up",
            *(f"link add {near} type veth peer name {far}" for near, far in CABLES),
            *(f"link set {end} up" for pair in CABLES for end in pair),
        ):
            subprocess.run(["ip", "-n", NAMESPACE, *command.split()], check=True)
        subprocess.run(["ip", "netns", "exec", NAMESPACE, sys.executable, __file__, "inside", *drivers], check=False)
    finally:
        subprocess.run(["ip", "netns", "del", NAMESPACE], check=False)


def main() -> None:
    first, *rest = sys.argv[1:] or [""]
    if first in STATIONS:
        with asyncio.Runner(loop_factory=fine_loop if first in EMULATED else None) as runner:
            runner.run(STATIONS[first](rest[0]))
    elif first == "inside":
        inside(rest)
    else:
        virtual()
        veth([first, *rest] if first else ["packet"])


if __name__ == "__main__":
    main()
