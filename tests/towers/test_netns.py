"""A vehicle and a charger as two processes on real interfaces: two network namespaces and a powerline between them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import dpkt
import pytest

HERE = Path(__file__).parent
PYPLC = Path(sys.executable).with_name("pyplc")


def rights() -> str | None:
    """Why the towers cannot be built here, None when they can."""
    if not sys.platform.startswith("linux"):
        return "network namespaces are there on Linux only"
    if shutil.which("ip") is None:
        return "no command ip (package iproute2)"
    if not PYPLC.exists():
        return "pyplc is not installed beside this Python"
    probe = subprocess.run(["ip", "netns", "add", "pyplc-probe"], capture_output=True, text=True)
    subprocess.run(["ip", "netns", "del", "pyplc-probe"], capture_output=True)
    if probe.returncode:
        return f"no right to make network namespaces (run as root): {probe.stderr.strip()}"
    return None


pytestmark = [
    pytest.mark.skipif((reason := rights()) is not None, reason=reason or ""),
    pytest.mark.timeout(120),
]


@pytest.fixture
def towers(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Namespaces, up; the environment for the script."""
    environment = {
        **os.environ,
        "PYPLC": str(PYPLC),
        "OUT": str(tmp_path),
        "TAG": f"pyplc{os.getpid() % 10000}",
        "PYTHONASYNCIODEBUG": "",
    }
    try:
        script(environment, "up")
        yield environment
    finally:
        script(environment, "down")


def script(environment: dict[str, str], *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        ["sh", str(HERE / "netns.sh"), *words], env=environment, capture_output=True, text=True, timeout=110
    )
    if check:
        out = Path(environment["OUT"])
        logs = "\n".join(f"== {log.name}\n{log.read_text()[-3000:]}" for log in sorted(out.glob("*.log")))
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}\n{logs}"
    return done


@pytest.mark.parametrize(("driver", "port"), [("packet", "0"), ("pcap", "15118")])
def test_a_session_between_two_processes(towers: dict[str, str], tmp_path: Path, driver: str, port: str) -> None:
    script({**towers, "DRIVER": driver, "TCP_PORT": port}, "run")
    vehicle, charger = last_line(tmp_path / "ev.log"), last_line(tmp_path / "evse.log")
    assert "finished: target of 45.02 % reached" in vehicle
    assert "finished: the vehicle ended the session" in charger
    used = {port for _, port in ports(tmp_path)}
    assert len(used) == 1
    assert used == {15118} if port == "15118" else min(used) >= 49152
    for role in ("ev", "evse"):
        (recorded,) = (tmp_path / f"{role}-results").glob("*/session.pcapng")
        kinds = {frame[12:14] for frame in frames(recorded)}
        assert {b"\x88\xe1", b"\x86\xdd"} <= kinds


@pytest.mark.parametrize("energy", ["dc", "ac"])
def test_a_session_of_iso_15118_2(towers: dict[str, str], tmp_path: Path, energy: str) -> None:
    vehicle, charger = (tmp_path / f"{role}.toml" for role in ("ev", "evse"))
    ends = "target_soc = 45.02" if energy == "dc" else "target_time = 3.0"
    vehicle.write_text(
        f'[vehicle]\nenergy = "{energy}"\n{ends}\n[session]\nprotocols = ["iso2"]\n[record]\nfolder = "ev-results"\n'
    )
    charger.write_text(f'[charger]\nenergy = "{energy}"\n[record]\nfolder = "evse-results"\n')
    script({**towers, "EV": str(vehicle), "EVSE": str(charger)}, "run")
    assert "finished: " in last_line(tmp_path / "ev.log")
    assert "finished: the vehicle ended the session" in last_line(tmp_path / "evse.log")
    loop = "CurrentDemandReq" if energy == "dc" else "ChargingStatusReq"
    (recorded,) = (tmp_path / "evse-results").glob("*/session.jsonl")
    assert f'"{loop}"' in recorded.read_text()


def test_sigterm_in_the_charge_loop_ends_safe(towers: dict[str, str], tmp_path: Path) -> None:
    running = subprocess.Popen(
        ["sh", str(HERE / "netns.sh"), "run", "--target-soc", "90"], env=towers, stdout=subprocess.PIPE, text=True
    )
    log = tmp_path / "ev.log"
    until = time.monotonic() + 60
    while "CHECKPOINT700" not in (log.read_text() if log.exists() else ""):
        assert time.monotonic() < until, "the charge loop was not reached"
        time.sleep(0.2)
    pids = subprocess.run(["ip", "netns", "pids", f"{towers['TAG']}-ev"], capture_output=True, text=True)
    for pid in pids.stdout.split():
        os.kill(int(pid), signal.SIGTERM)
    running.communicate(timeout=60)
    text = log.read_text()
    assert "finished: stopped by SIGTERM" in last_line(log)
    order = [text.index(f"CHECKPOINT{n}]") for n in (800, 810, 815, 900, 910)]
    assert order == sorted(order)


def last_line(log: Path) -> str:
    return log.read_text().rstrip().splitlines()[-1]


def frames(recorded: Path) -> list[bytes]:
    with recorded.open("rb") as file:
        return [frame for _, frame in dpkt.pcapng.Reader(file)]


def ports(folder: Path) -> set[tuple[bytes, int]]:
    """Destinations of the TCP segments that carried the vehicle's handshake."""
    (recorded,) = (folder / "ev-results").glob("*/session.pcapng")
    found = set()
    for frame in frames(recorded):
        ip = dpkt.ethernet.Ethernet(frame).data
        if (
            isinstance(ip, dpkt.ip6.IP6)
            and isinstance(ip.data, dpkt.tcp.TCP)
            and ip.data.data[:4] == b"\x01\xfe\x80\x01"
            and ip.data.data[8:10] == b"\x80\x00"
        ):
            found.add((ip.dst, ip.data.dport))
    return found
