"""The tables [hardware] and [devices]: what is named is made once, and what is wrong is said before anything moves."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import Any

import pytest

from pyplc import clock
from pyplc.config import EvseSettings, EvSettings, parse
from pyplc.hw.bundles import ChargerDevices, VehicleDevices
from pyplc.hw.compose import Hardware, compose
from pyplc.hw.driver import Driver
from pyplc.hw.ports import DeviceError, PilotState, fresh
from pyplc.hw.registry import DRIVERS, driver
from pyplc.hw.settings import COMPOSITIONS, OPTIONAL


def made(text: str, kind: type[Any] = EvSettings) -> Hardware:
    """The hardware of a file."""
    chosen = parse(text.encode(), kind, "f.toml")
    energy = chosen.vehicle.energy if kind is EvSettings else chosen.charger.energy

    async def main() -> Hardware:
        return compose(chosen.hardware, chosen.devices, energy, chosen.plant)

    return clock.run(main())


DIETER = '[hardware]\npilot = "dieter"\ncontactor = "dieter"\ninlet = "dieter"\nlock = "none"\nbattery = "load"\n'


def test_a_device_is_made_once_whatever_it_does() -> None:
    hardware = made(
        DIETER + '[devices.dieter]\nport = "/dev/ttyUSB7"\nrelays = [1, 2]\n[devices.load]\nvoltage = 120.0'
    )
    assert list(hardware.drivers) == ["dieter", "none", "load"]
    assert hardware.drivers["dieter"].settings.port == "/dev/ttyUSB7"


def test_two_devices_of_one_driver() -> None:
    text = (
        DIETER.replace('contactor = "dieter"', 'contactor = "left"') + '[devices.left]\ndriver = "dieter"\nport = "a"'
    )
    hardware = made(text)
    assert type(hardware.drivers["left"]) is type(hardware.drivers["dieter"])
    assert hardware.drivers["left"].settings.port == "a"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('[hardware]\npilot = "diter"', r"there is no driver 'diter'; did you mean 'dieter'\?"),
        (
            '[hardware]\nlock = "dieter"',
            "hardware.lock: 'dieter' cannot be a vehicle's lock; these can: simulated, none",
        ),
        ("[devices.dieter]", r"devices.dieter: no key of \[hardware\] names 'dieter'"),
        (DIETER + "[devices.dieter]\nprot = 1", r"unknown key devices.dieter.prot; did you mean port\?"),
        (DIETER + "[devices.dieter]\nrelays = [3]", r"devices.dieter.relays\[0\]: invalid enum value 3"),
        (DIETER + "[devices.dieter]\nport = 3", "devices.dieter.port: expected `str`, got `int`"),
        (DIETER + "[devices.dieter]\ndriver = 3", "devices.dieter.driver: expected the name of a driver"),
        (DIETER.replace('"load"', '"simulated"'), "hardware.battery: the contactor is real, so the battery may not be"),
        (DIETER.replace('inlet = "dieter"\n', ""), "hardware.inlet: the contactor is real"),
        ('[vehicle]\nenergy = "ac"\n[hardware]\nonboard = "dieter"', "'dieter' cannot be a vehicle's onboard"),
    ],
)
def test_what_is_wrong_is_said(text: str, complaint: str) -> None:
    with pytest.raises(DeviceError, match=complaint):
        made(text)


def test_a_bench_may_be_simulated_openly() -> None:
    made(DIETER.replace('"load"', '"simulated"') + "trust_simulated = true")


def test_the_default_is_all_simulated() -> None:
    assert list(made("").drivers) == list(made("", EvseSettings).drivers) == ["simulated"]


@pytest.mark.parametrize("name", DRIVERS)
def test_every_driver_says_what_it_is(name: str) -> None:
    found = driver(name)
    assert issubclass(found, Driver)
    assert found.summary and not found.summary.endswith(".")
    known = {(c.role, part) for c in COMPOSITIONS.values() for part in (*c.parts, *OPTIONAL[c.role])}
    offered = {(role, part) for role, parts in found.parts.items() for part in parts}
    assert offered and offered <= known
    assert set(found.Settings.__struct_fields__).isdisjoint({"driver"})


def test_no_library_of_a_device_is_loaded_before_it_is_used() -> None:
    code = (
        "import sys, importlib\n"
        "from pyplc.hw import registry\n"
        "[registry.driver(n) for n in registry.DRIVERS]\n"
        "print(*[m for m in ('serial', 'serial_asyncio_fast', 'aiomqtt', 'gpiod', 'luma', 'can') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_nothing_of_the_last_session_is_left() -> None:
    """However it ended: the next one begins with a charger that gives nothing, and a vehicle that asks for nothing."""

    async def main() -> None:
        car = parse(DIETER.replace('inlet = "dieter"', 'inlet = "reported"').encode(), EvSettings, "f.toml")
        vehicle = compose(car.hardware, car.devices, "dc", car.plant)
        assert isinstance(vehicle.devices, VehicleDevices) and vehicle.devices.imagine is not None
        vehicle.devices.imagine(355.0, 20.0)
        assert vehicle.devices.inlet.voltage.value == 355.0
        await asyncio.sleep(5)
        await vehicle.drivers["reported"].ready()
        now = asyncio.get_running_loop().time()
        assert fresh(vehicle.devices.inlet.voltage, now, "inlet") == 0.0

        charger = compose(EvseSettings().hardware, {}, "dc", EvseSettings().plant)
        devices = charger.devices
        assert isinstance(devices, ChargerDevices) and devices.imagine is not None and devices.imagine_state is not None
        devices.imagine_state(PilotState.C)
        await devices.contactor.close()
        await devices.supply.set(300.0, 2.0)
        await asyncio.sleep(3)
        devices.imagine(300.0, 20.0)
        await devices.supply.off()
        await asyncio.sleep(5)
        assert devices.supply.voltage.value == pytest.approx(300, abs=5)  # the imagined battery holds it
        await charger.ready()
        await asyncio.sleep(5)
        assert devices.supply.voltage.value < 60 and devices.pilot.view.state is PilotState.B

    clock.run(main())
