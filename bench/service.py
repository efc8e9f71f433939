"""What does it cost to be watched? `pyplc ev` and `evse` with HTTP, MQTT, metrics, syslog, recording, rotation and
low voltage configured, compared with the same without any of them. Whole processes on real interfaces; medians.

Asked for: the first SLAC frame within 1.2 s, 1 % of a core when idle, 80 MB resident. Needs mosquitto and the right to
make a network namespace of its own.
"""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from start import PYPLC, SLAC_PARAM_REQ, modem, ticks

ROUNDS = 7
IDLE_S = 20.0
TOKEN = "a-token-of-many-characters"
PLAIN = '[network]\ninterface = "a0"\n[record]\nfolder = "results"\n'
WATCHED = f"""{PLAIN}max_mb = 2000
max_days = 365
[service]
low_voltage = "/proc/loadavg"
low_voltage_below = -1.0
[watch.http]
port = 8080
token = "{TOKEN}"
[watch.mqtt]
host = "127.0.0.1"
[watch.syslog]
to = "127.0.0.1:5140"
"""


DEVICES = f"""{WATCHED}
[hardware]
pilot = "celeron55"
contactor = "celeron55"
lock = "celeron55"
inlet = "celeron55"
battery = "celeron55"
[devices.celeron55]
port = "board"
[devices.celeron55.battery]
max_voltage = 400.0
max_current = 100.0
"""


def settings(folder: str, text: str) -> str:
    file = Path(folder) / "station.toml"
    file.write_text(text)
    return str(file)


@contextmanager
def board(folder: str) -> Iterator[None]:
    """An emulated device on a pseudo terminal `board` in the folder."""
    words = [PYPLC, "hw", "emulate", "celeron55", "--port", "board"]
    process = subprocess.Popen(words, cwd=folder, stdout=subprocess.DEVNULL)
    while not (Path(folder) / "board").exists():
        time.sleep(0.1)
    yield
    process.terminate()
    process.wait()


def first_frame(text: str) -> float:
    """Median seconds from starting `pyplc ev --forever` to its first CM_SLAC_PARAM.REQ on the wire."""
    seconds = []
    with tempfile.TemporaryDirectory() as folder, modem(), board(folder):
        for _ in range(ROUNDS):
            with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x88E1)) as wire:
                wire.bind(("b0", 0x88E1))
                wire.settimeout(10)
                start = time.perf_counter()
                vehicle = subprocess.Popen(
                    [PYPLC, "ev", "--forever", settings(folder, text)], cwd=folder, stdout=subprocess.DEVNULL
                )
                while wire.recv(2048)[15:17] != SLAC_PARAM_REQ:
                    pass
                seconds.append(time.perf_counter() - start)
            vehicle.kill()
            vehicle.wait()
    return statistics.median(seconds)


def idle(text: str, *, scraped: bool) -> tuple[float, float]:
    """Share of a core and MB resident of `pyplc evse --forever` that waits for a vehicle; scraped each 5 s."""
    with tempfile.TemporaryDirectory() as folder, modem():
        charger = subprocess.Popen(
            [PYPLC, "evse", "--forever", settings(folder, text)], cwd=folder, stdout=subprocess.DEVNULL
        )
        time.sleep(5)
        before, begun = ticks(charger.pid), time.perf_counter()
        while time.perf_counter() - begun < IDLE_S:
            if scraped:
                scrape()
            time.sleep(5)
        used = (ticks(charger.pid) - before) / os.sysconf("SC_CLK_TCK") / (time.perf_counter() - begun)
        status = Path(f"/proc/{charger.pid}/status").read_text()
        charger.terminate()
        charger.wait()
    return used, int(status.split("VmRSS:")[1].split()[0]) / 1024


def scrape() -> None:
    connection = http.client.HTTPConnection("127.0.0.1", 8080, timeout=5)
    connection.request("GET", "/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    if b"pyplc_loop_lag_seconds" not in connection.getresponse().read():
        raise SystemExit("no metrics were served")
    connection.close()


def netns(script: str, measured: Callable[[], None]) -> None:
    """Run `script` again in a network namespace with a cable a0 - b0 and a broker, where it does what is `measured`."""
    mosquitto = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if "--inside" not in sys.argv:
        probe = subprocess.run(["unshare", "-n", "true"], capture_output=True)
        if probe.returncode or mosquitto is None:
            print("skipped: needs mosquitto and the right to make a network namespace (run as root)")
            return
        subprocess.run(["unshare", "-n", sys.executable, script, *sys.argv[1:], "--inside"], check=True)
        return
    for command in (
        "ip link set lo up",
        "ip link add a0 type veth peer name b0",
        "ip link set a0 up",
        "sysctl -qw net.ipv6.conf.b0.disable_ipv6=1",
        "ip link set b0 up",
    ):
        subprocess.run(command.split(), check=True)
    assert mosquitto is not None
    broker = subprocess.Popen([mosquitto, "-p", "1883"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(2)
    try:
        measured()
    finally:
        broker.terminate()
        broker.wait()


def figures() -> None:
    plain, watched = first_frame(PLAIN), first_frame(WATCHED)
    print(f"first SLAC frame: {plain:.3f} s; watched {watched:.3f} s ({watched / plain:.2f} x); asked for: 1.2 s")
    print(f"the same with devices on a serial line: {first_frame(DEVICES):.3f} s")
    cpu, size = idle(PLAIN, scraped=False)
    print(f"idle: {cpu:.2%} of a core, {size:.0f} MB resident")
    more, larger = idle(WATCHED, scraped=True)
    print(f"watched and scraped: {more:.2%} of a core, {larger:.0f} MB resident; asked for: 1 %, 80 MB")


if __name__ == "__main__":
    netns(__file__, figures)
