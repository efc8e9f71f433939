"""How fast are captures read, how much memory does one without end take, and what is found where frames are missing?

Captures are those of the reference material (PYPLC_REFERENCE): the largest of each collection, decoded to JSON lines in
this process. CPU of another packet is that of the file without the segments that carry data, per packet; CPU of a
message is the rest (retransmissions are in it). Beside it, in the same run and on the same file:

    tshark       (where installed) its list of packets, without any plugin: it frames nothing of V2G and decodes nothing
    dpkt         Ethernet, IPv6 and TCP taken apart with the library, nothing put together, nothing decoded
    elsewhere    tshark with the plugin dsV2Gshark takes 0.71 to 1.3 ms a message, pyPLC's converter 12.1 ms

Further: one message on the command line beside `python -c pass`; answers over WebSocket; sessions of which 5 % of the
TCP data frames behind the handshake were dropped.

python bench/capture.py
"""

from __future__ import annotations

import asyncio
import io
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import dpkt

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "capture"))

from making import dropped, has_data, load, messages_of, session_end

from pyplc.capture.events import Message
from pyplc.capture.files import Packet, packets
from pyplc.capture.output import Choice, Writer
from pyplc.capture.reader import Reader, events
from pyplc.link.ethernet import tcp_frame
from pyplc.v2gtp import pack

ROOT = Path(os.environ.get("PYPLC_REFERENCE") or Path(__file__).parents[2] / "shared" / "reference") / "captures"
ROUNDS = 3
MESSAGE_US, PACKET_US, START_S, ANSWER_MS = 100, 8, 0.3, 5
V2G = "01fe80020000001380940433f88205a4d3eed3898dac6f8dd30228"
DSV2GSHARK_MS, PYPLC_MS = (0.71, 1.3), 12.1
EXAMPLES = {
    "DIN 70121, plain": ("DIN_DC_DS5366_Josev", "182 and 187"),
    "ISO 15118-2, TLS 1.2": ("ISO-2_DC_PnC_TLS_Contract_DS5366_RiseV2G", "172 and 177; tshark 18 and 24"),
    "ISO 15118-20, TLS 1.3": ("ISO-20_TLS13_DC_DS5366_Josev", "102 and 107; tshark 19 and 25"),
}
SEEDS = range(1, 21)


def main() -> None:
    if not ROOT.exists():
        print(f"no captures at {ROOT}: set PYPLC_REFERENCE")
        return
    speed()
    endless()
    command_line()
    asyncio.run(service())
    lost()


def cpu(work: Callable[[], object]) -> float:
    """Least seconds of CPU of this process in `ROUNDS` rounds."""
    times = []
    for _ in range(ROUNDS):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def largest() -> list[Path]:
    found = []
    for folder in ("everest", "pyplc"):
        files = [f for f in (ROOT / folder).iterdir() if f.suffix in (".pcap", ".pcapng", ".dump")]
        found += sorted(files, key=lambda file: -file.stat().st_size)[:2]
    return found


def decoded(items: Iterable[object]) -> int:
    """Messages of packets, everything written as JSON lines."""
    reader, writer, choice, out, count = Reader(), Writer("json"), Choice(), io.StringIO(), 0
    for event in events(items, reader):  # type: ignore[arg-type]  # items of a file
        if choice(event):
            out.write(writer(event))
        count += isinstance(event, Message)
    return count


def speed() -> None:
    print(f"{'capture':34} {'packets':>7} {'messages':>8} {'us/message':>10} {'us/other':>9}   beside, CPU of each")
    for file in largest():
        data = file.read_bytes()
        whole = [item for item in packets(io.BytesIO(data)) if isinstance(item, Packet)]
        rest = [item for item in whole if not has_data(item.data)]
        count = decoded(packets(io.BytesIO(data)))
        all_s = cpu(lambda data=data: decoded(packets(io.BytesIO(data))))  # type: ignore[misc]
        reading = cpu(lambda data=data: sum(1 for _ in packets(io.BytesIO(data))))  # type: ignore[misc]
        reading *= len(rest) / len(whole)
        rest_s = cpu(lambda rest=rest: decoded(rest)) + reading  # type: ignore[misc]
        per_message = (all_s - rest_s) / max(count, 1) * 1e6
        per_packet = rest_s / max(len(rest), 1) * 1e6
        beside = [f"dpkt {cpu(lambda f=file: apart(f)) / all_s:.1f}"]  # type: ignore[misc]
        if (plain := tshark(file)) is not None:
            beside.append(f"tshark's list {plain / all_s:.1f}")
        print(
            f"{file.name[:34]:34} {len(whole):7} {count:8} {per_message:10.1f} {per_packet:9.2f}   "
            f"{', '.join(beside)} times ours"
        )
        if count > 100:
            low, high = (f"{ms * 1000 / per_message:.0f}" for ms in DSV2GSHARK_MS)
            print(
                f"{'':34} a message: dsV2Gshark {low} to {high} times, pyPLC {PYPLC_MS * 1000 / per_message:.0f} times"
            )
    print(f"wanted: {MESSAGE_US} us a message, {PACKET_US} us another packet")


def apart(file: Path) -> int:
    """What dpkt does to take packets apart."""
    count = 0
    with file.open("rb") as stream:
        try:
            for _, frame in (dpkt.pcapng.Reader if file.suffix == ".pcapng" else dpkt.pcap.Reader)(stream):
                ip = dpkt.ethernet.Ethernet(frame).data
                count += isinstance(getattr(ip, "data", None), dpkt.tcp.TCP)
        except dpkt.UnpackError:
            pass
    return count


def tshark(file: Path) -> float | None:
    """CPU of tshark's list of packets, less its start."""
    if shutil.which("tshark") is None:
        return None

    def children(*words: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(["tshark", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    start = min(children("-v") for _ in range(ROUNDS))
    return min(children("-n", "-r", str(file)) for _ in range(ROUNDS)) - start


# ------------------------------------------------------------------------------------------------------- without end


def sessions(count: int) -> Iterator[Packet]:
    """Connections one after the other, lossy, never closed, with logs and strangers between: a capture without end."""
    exi = pack(0x8001, bytes.fromhex("809a02000000000000000011d01b703a84459c2000"))
    macs, addresses = (b"\2\0\0\0\0\1", b"\2\0\0\0\0\2"), ("fe80::1", "fe80::2")
    number = 0
    for session in range(count):
        ports = (1024 + session % 60_000, 61_000)
        for i in range(12):
            if i == 5:
                continue  # lost, and never acknowledged
            number += 1
            frame = tcp_frame(macs, addresses, ports, (1 + i * len(exi) + session * 7919, 1), 0x18, exi)
            yield Packet(number, number * 1_000_000, 1, frame, 0, len(frame))


def endless() -> None:
    reader, writer = Reader(), Writer("json")
    marks: list[int] = []
    for item in sessions(30_000):
        for event in reader.feed(item):
            writer(event)
        if item.number % 55_000 == 0:
            with open("/proc/self/statm") as statm:
                marks.append(int(statm.read().split()[1]) * resource.getpagesize() >> 20)
    print(f"\na capture without end, 30,000 lossy connections: {marks} MiB resident on the way")


def command_line() -> None:
    pyplc = [sys.executable, "-c", "from pyplc.cli.main import main; main()"]

    def took(*command: str) -> str:
        walls, spent = [], []
        for _ in range(15):
            start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            walls.append(time.perf_counter() - start)
            spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        return f"{statistics.median(walls):.3f} s, {statistics.median(spent):.3f} s of CPU"

    print(f"\npyplc decode v2g HEX from start to end: {took(*pyplc, 'decode', 'v2g', V2G)} (wanted {START_S} s)")
    print(f"python -c pass: {took(sys.executable, '-c', 'pass')}")


async def service() -> None:
    """Answers of the decoder and of a server that only echoes, in turn, over the same loop."""
    import websockets
    from websockets.asyncio.server import serve as serve_websocket

    from pyplc.service.decoder import serve

    async def echo(connection: websockets.ServerConnection) -> None:
        async for request in connection:
            await connection.send(request)

    started: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    task = asyncio.ensure_future(serve("127.0.0.1", 0, ready=started.set_result))
    samples = [f"V2G {V2G}"]
    wire = load(ROOT / "dsv2gshark/ISO-2_DC_SalesTariffSchedule_DS5366_RiseV2G.pcapng")
    samples += [f"V2G {pack(m.payload_type, m.exi).hex()}" for m in messages_of(wire)]
    times: dict[str, list[float]] = {"decoder": [], "echo": []}
    async with serve_websocket(echo, "127.0.0.1", 0) as server:
        ports = {"decoder": await started, "echo": next(iter(server.sockets)).getsockname()[1]}
        open_to = {name: await websockets.connect(f"ws://127.0.0.1:{port}", proxy=None) for name, port in ports.items()}
        for i in range(2000):
            for name, connection in open_to.items():
                start = time.perf_counter()
                await connection.send(samples[i % len(samples)])
                await connection.recv()
                times[name].append((time.perf_counter() - start) * 1000)
        for connection in open_to.values():
            await connection.close()
    task.cancel()
    for name, taken in times.items():
        cut = statistics.quantiles(taken, n=100)
        print(f"WebSocket, 2000 requests, {name:7}: p50 {cut[49]:.2f} ms, p99 {cut[98]:.2f} ms", end="")
        print(f" (wanted p99 {ANSWER_MS} ms)" if name == "decoder" else "")


def lost() -> None:
    print("\n5 % of the TCP data frames behind the handshake dropped: messages found, least / median of 20 runs")
    for what, (name, reference) in EXAMPLES.items():
        items = load(ROOT / "dsv2gshark" / f"{name}.pcapng")
        first, whole = session_end(items), len(messages_of(items))
        found, gone = [], []
        for seed in SEEDS:
            kept, without = dropped(items, seed, 0.05, first)
            there = {m.frame for m in messages_of(kept)}
            found.append(len(there))
            gone.append(len({m.frame for m in messages_of(items)} - there - set(without)))
        print(
            f"{what:24} {min(found):3} / {statistics.median(found):5.1f} of {whole}; lost besides what was dropped: "
            f"{max(gone)}; elsewhere {reference}"
        )


if __name__ == "__main__":
    main()
