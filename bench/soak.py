"""Does a station grow? Two simulated days with a charge each hour, in virtual time; then a real watched charger with a
real vehicle, one charge after the other, for ten minutes or the seconds of the first argument.

Memory, objects, descriptors and tasks at the end are compared with those after the first charges.
"""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from service import WATCHED, netns, scrape
from start import PYPLC

from pyplc import clock
from pyplc.config import SimSettings
from pyplc.plant.parameters import BatteryParameters, PlantParameters
from pyplc.service.files import SessionFiles
from pyplc.service.metrics import Metrics
from pyplc.service.rotation import rotate
from pyplc.service.settings import RecordSettings, ServiceSettings, WatchSettings
from pyplc.service.unattended import Unattended
from pyplc.simulation import World
from pyplc.station.vehicle import VehicleSettings

HOURS = 48
SECONDS = 600.0
WARM = 4
"""Charges before the first look: caches are full then."""


class Size(NamedTuple):
    """What may grow: MB resident, objects known to the garbage collector, open descriptors, tasks."""

    resident: float
    objects: int
    descriptors: int
    tasks: int


def resident(pid: int | str) -> float:
    return int(Path(f"/proc/{pid}/status").read_text().split("VmRSS:")[1].split()[0]) / 1024


def descriptors(pid: int | str) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def here() -> Size:
    gc.collect()
    return Size(resident("self"), len(gc.get_objects()), descriptors("self"), len(asyncio.all_tasks()))


async def days(folder: Path) -> list[Size]:
    """A charge each hour; the size after each."""
    sizes = []
    metrics = Metrics("ev")
    record = RecordSettings(folder=str(folder))
    async with Unattended("ev", record, ServiceSettings(), WatchSettings(), metrics, environment={}) as service:
        for hour in range(HOURS):
            settings = SimSettings(
                vehicle=VehicleSettings(target_soc=45.5),
                plant=PlantParameters(battery=BatteryParameters(soc_percent=45.0)),
            )
            files = SessionFiles(folder, "ev")
            world = World(settings, service.recorder(files), hour, fast=True, frames=True)
            await world.run()
            service.between()
            files.close()
            del world, files
            await asyncio.sleep(3600.0 * (hour + 1) - asyncio.get_running_loop().time())
            metrics.text()
            rotate(folder, 5.0, None, 2)  # the service does it in a thread, which a virtual loop has not
            sizes.append(here())
    return sizes


class Street:
    """A second cable and a car park of its own namespace at the other end of the powerline."""

    def __enter__(self) -> Street:
        self._park = subprocess.Popen(["unshare", "-n", "sleep", "infinity"])
        time.sleep(0.5)
        for command in (
            "ip link add c0 type veth peer name d0",
            "sysctl -qw net.ipv6.conf.d0.disable_ipv6=1",
            "ip link set d0 up",
            f"ip link set c0 netns {self._park.pid}",
            f"nsenter -t {self._park.pid} -n sysctl -qw net.ipv6.conf.c0.accept_dad=0",
            f"nsenter -t {self._park.pid} -n ip link set c0 up",
        ):
            subprocess.run(command.split(), check=True)
        modems = [PYPLC, "modem", "emulate", "b0", "--peer", "d0", "--fast"]
        self._modems = subprocess.Popen(modems, stdout=subprocess.PIPE, text=True)
        assert self._modems.stdout is not None
        while "ready" not in self._modems.stdout.readline():
            pass
        return self

    def __exit__(self, *_: object) -> None:
        for process in (self._modems, self._park):
            process.terminate()
            process.wait()
        assert self._modems.stdout is not None
        self._modems.stdout.close()

    def car(self, folder: str) -> subprocess.Popen[bytes]:
        """A vehicle that charges for 3 s."""
        words = ["nsenter", "-t", str(self._park.pid), "-n", PYPLC, "ev", "ev.toml"]
        return subprocess.Popen(words, cwd=folder, stdout=subprocess.DEVNULL)


def real(seconds: float) -> None:
    """A charger and a vehicle that charges again and again; scraped each second, measured while the charger waits."""
    with tempfile.TemporaryDirectory() as folder, Street() as street:
        (Path(folder) / "evse.toml").write_text(WATCHED + "[plant.cable]\nisolation_s = 0.1\n")
        (Path(folder) / "ev.toml").write_text('[network]\ninterface = "c0"\n[vehicle]\ntarget_time = 3.0\n')
        charger = subprocess.Popen([PYPLC, "evse", "--forever", "evse.toml"], cwd=folder, stdout=subprocess.DEVNULL)
        time.sleep(3)
        begun = time.monotonic()
        sizes: list[tuple[float, int]] = []
        while time.monotonic() - begun < seconds:
            vehicle = street.car(folder)
            while vehicle.poll() is None:
                time.sleep(1)
                scrape()
            time.sleep(3)  # the charger waits for the next one
            if vehicle.returncode == 0:
                sizes.append((resident(charger.pid), descriptors(charger.pid)))
        charger.terminate()
        charger.wait()
    if len(sizes) <= WARM:
        print(f"real: only {len(sizes)} charges in {seconds:g} s, too few to compare")
        return
    half = sizes[len(sizes) // 2]
    print(
        f"real: {len(sizes)} charges in {seconds:g} s; resident MB after charge {WARM}, half of them, all: "
        f"{sizes[WARM - 1][0]:.1f}, {half[0]:.1f}, {sizes[-1][0]:.1f}; "
        f"descriptors {sizes[WARM - 1][1]}, {half[1]}, {sizes[-1][1]}"
    )


def main() -> None:
    if "--inside" not in sys.argv:
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            sizes = clock.run(days(Path(folder)))
            took = time.perf_counter() - start
        first, last = sizes[WARM], sizes[-1]
        print(
            f"{HOURS} simulated hours, a charge each, in {took:.0f} s: {first.resident:.1f} -> {last.resident:.1f} MB, "
            f"{first.objects} -> {last.objects} objects, {first.descriptors} -> {last.descriptors} descriptors, "
            f"{first.tasks} -> {last.tasks} tasks"
        )
        sys.stdout.flush()
    netns(__file__, lambda: real(float(sys.argv[1]) if sys.argv[1:2] and sys.argv[1][0] != "-" else SECONDS))


if __name__ == "__main__":
    main()
