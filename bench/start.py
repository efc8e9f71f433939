"""How quickly does it start, and what does it cost when idle? Whole processes; medians.

`pyplc --help` is compared with an empty Python, the first SLAC frame of `pyplc ev` with the 0.8 s asked for, an idle
`pyplc evse` with 1 % of a core and 60 MB. The last two need the right to make a network namespace of their own.
"""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PYPLC = str(Path(sys.executable).with_name("pyplc"))
SLAC_PARAM_REQ = bytes.fromhex("6460")
ROUNDS = 7


def wall(*command: str) -> float:
    """Median seconds of a whole process."""
    seconds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def programs() -> None:
    empty = wall(sys.executable, "-c", "pass")
    shown = wall(PYPLC, "--help")
    decoded = wall(PYPLC, "decode", "809a02000000000000000011d01b703a84459c2000")
    print(f"empty Python {empty:.3f} s; pyplc --help {shown:.3f} s ({shown / empty:.1f} x); asked for: 0.25 s")
    print(f"pyplc decode of one message {decoded:.3f} s ({decoded / empty:.1f} x)")


def settings(folder: str) -> str:
    file = Path(folder) / "station.toml"
    file.write_text("[record]\n")
    return str(file)


def first_frame() -> None:
    """From starting `pyplc ev` to its first CM_SLAC_PARAM.REQ on the wire."""
    seconds = []
    with tempfile.TemporaryDirectory() as folder, modem():
        for _ in range(ROUNDS):
            wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x88E1))
            wire.bind(("b0", 0x88E1))
            wire.settimeout(10)
            start = time.perf_counter()
            vehicle = subprocess.Popen(
                [PYPLC, "ev", settings(folder), "--interface", "a0"], cwd=folder, stdout=subprocess.DEVNULL
            )
            while wire.recv(2048)[15:17] != SLAC_PARAM_REQ:
                pass
            seconds.append(time.perf_counter() - start)
            vehicle.kill()
            vehicle.wait()
            wire.close()
    print(f"first SLAC frame of pyplc ev after {statistics.median(seconds):.3f} s (median); asked for: 0.8 s")


def idle(seconds: float = 10.0) -> None:
    """CPU and memory of `pyplc evse` that waits for a vehicle."""
    with tempfile.TemporaryDirectory() as folder, modem():
        charger = subprocess.Popen(
            [PYPLC, "evse", settings(folder), "--interface", "a0"], cwd=folder, stdout=subprocess.DEVNULL
        )
        time.sleep(5)
        before = ticks(charger.pid)
        time.sleep(seconds)
        used = (ticks(charger.pid) - before) / os.sysconf("SC_CLK_TCK")
        status = Path(f"/proc/{charger.pid}/status").read_text()
        resident = int(status.split("VmRSS:")[1].split()[0]) / 1024
        charger.terminate()
        charger.wait()
    print(f"idle pyplc evse: {used / seconds:.2%} of a core, {resident:.0f} MB resident; asked for: 1 %, 60 MB")


def ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


class modem:
    """An emulated modem at the other end of the cable a0 - b0."""

    def __enter__(self) -> None:
        self._process = subprocess.Popen([PYPLC, "modem", "emulate", "b0", "--fast"], stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        while "ready" not in self._process.stdout.readline():
            pass

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


def main() -> None:
    if "--inside" not in sys.argv:
        programs()
        sys.stdout.flush()
        probe = subprocess.run(["unshare", "-n", "true"], capture_output=True)
        if probe.returncode:
            print("first frame and idle: skipped, no right to make a network namespace (run as root)")
            return
        subprocess.run(["unshare", "-n", sys.executable, __file__, "--inside"], check=True)
        return
    for command in (
        "ip link add a0 type veth peer name b0",
        "ip link set a0 up",
        "sysctl -qw net.ipv6.conf.b0.disable_ipv6=1",
        "ip link set b0 up",
    ):
        subprocess.run(command.split(), check=True)
    time.sleep(2)
    first_frame()
    idle()


if __name__ == "__main__":
    main()
