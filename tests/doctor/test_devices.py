"""Devices on their real wires: a Dieter on a pseudo terminal, and what goes wrong with one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from computers import Computer, vehicle

from pyplc.config import EvSettings
from pyplc.doctor import devices
from pyplc.doctor.devices import Plausible, weigh
from pyplc.doctor.patient import Finding
from pyplc.hw.arduino import Arduino
from pyplc.hw.dieter import Dieter
from pyplc.hw.emulated.arduino import EmulatedArduino
from pyplc.hw.emulated.dieter import EmulatedDieter
from pyplc.hw.emulated.line import EmulatedLine, PseudoTerminal
from pyplc.hw.ports import PilotState, PilotView, Reading
from pyplc.hw.settings import VehicleHardware
from pyplc.plant.parameters import PlantParameters
from pyplc.plant.plant import Plant

pytest.importorskip("serial_asyncio_fast")


def on_a_board(port: Path) -> EvSettings:
    """A vehicle with a light bulb on Dieter."""
    hardware = VehicleHardware(pilot="dieter", contactor="dieter", inlet="dieter", lock="none", battery="load")
    return EvSettings(hardware=hardware, devices={"dieter": {"port": str(port)}})


@asynccontextmanager
async def plugged(path: Path, board: Any = None) -> AsyncIterator[Any]:
    device = board or EmulatedDieter(Plant(PlantParameters()))
    terminal = PseudoTerminal(EmulatedLine(device), path)
    terminal.plug()
    task = asyncio.ensure_future(device.run())
    try:
        yield device
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        terminal.unplug()


async def findings(computer: Computer, settings: EvSettings) -> dict[str, Finding]:
    found = [finding async for finding in devices.devices(vehicle(computer, settings))]
    return {finding.check: finding for finding in found}


async def test_a_board_that_answers(computer: Computer, tmp_path: Path) -> None:
    async with plugged(tmp_path / "tty") as device:
        found = await findings(computer, on_a_board(tmp_path / "tty"))
        assert {name: f.verdict for name, f in found.items()} == dict.fromkeys(
            ["", "device dieter", "pilot", "inlet voltage"], "good"
        ), found
        assert found[""].says == "nothing is measured or switched by: lock none, battery load"
        assert found["pilot"].says == "state B, 5 % duty cycle"
        assert found["inlet voltage"].says == "0.0 V"
        assert device.outputs == 0


async def test_a_board_that_tells_its_version(
    computer: Computer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hardware = VehicleHardware(pilot="arduino", contactor="arduino", inlet="arduino", lock="arduino", battery="load")
    settings = EvSettings(hardware=hardware, devices={"arduino": {"port": str(tmp_path / "tty")}})
    async with plugged(tmp_path / "tty", EmulatedArduino("vehicle", Plant(PlantParameters()))):
        found = await findings(computer, settings)
        assert {f.verdict for f in found.values()} == {"good"}, found
        assert "tty, version " in found["device arduino"].says
        assert found["pilot"].says == "state A, no oscillator"
    monkeypatch.setattr(Arduino, "patience_s", 1.5)
    async with plugged(tmp_path / "tty", EmulatedArduino("charger", Plant(PlantParameters()))):
        board = (await findings(computer, settings))["device arduino"]
        assert board.verdict == "failed" and "for a charger" in board.says and "make -C firmware" in str(board.mend)


async def test_voltage_where_there_should_be_none(computer: Computer, tmp_path: Path) -> None:
    async with plugged(tmp_path / "tty") as device:
        device.stuck_counts = 512
        found = await findings(computer, on_a_board(tmp_path / "tty"))
        assert found["inlet voltage"].verdict == "warning" and "359.0 V at rest" in found["inlet voltage"].says


@pytest.mark.parametrize("there", [False, True], ids=["absent", "silent"])
async def test_a_board_that_does_not(
    computer: Computer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    monkeypatch.setattr(Dieter, "patience_s", 0.3)
    path = tmp_path / "tty"
    async with plugged(path) if there else asyncio.timeout(5):  # it boots for longer than that
        found = await findings(computer, on_a_board(path))
    board = found["device dieter"]
    assert board.verdict == "failed" and board.mend
    assert ("power, cable and speed" if there else "plug the device in") in board.mend
    assert "inlet voltage" not in found


async def test_a_composition_that_is_not_safe(computer: Computer) -> None:
    settings = EvSettings(hardware=VehicleHardware(contactor="dieter"), devices={"dieter": {"port": "/dev/null"}})
    found = await findings(computer, settings)
    assert found[""].verdict == "failed" and "may not be simulated" in found[""].says


async def test_all_simulated(computer: Computer) -> None:
    assert [f.verdict for f in (await findings(computer, EvSettings())).values()] == ["good"]


class Shown:
    """A device with a voltage and a view."""

    view = PilotView(PilotState.F, None)

    def __init__(self, value: float, age: float = 0.0) -> None:
        self.voltage = Reading(value, asyncio.get_running_loop().time() - age)


@pytest.mark.parametrize(
    ("value", "age", "verdict", "says"),
    [
        (0.0, 0.0, "good", "0.0 V"),
        (61.0, 0.0, "warning", "at rest"),
        (5000.0, 0.0, "failed", "5000.0 V"),
        (-31.0, 0.0, "failed", "-31.0 V"),
        (float("nan"), 0.0, "failed", "no reading"),
        (12.0, 60.0, "failed", "60.0 s old"),
    ],
)
async def test_readings_are_weighed(value: float, age: float, verdict: str, says: str) -> None:
    found = weigh(Plausible("inlet", "voltage", "V", -30, 1100, at_rest=60), Shown(value, age))
    assert found.verdict == verdict and says in found.says


async def test_a_pilot_in_fault() -> None:
    class Made:
        class devices:
            pilot = Shown(0)

    made: Any = Made
    (found,) = devices.measured("pilot", made)
    assert found.verdict == "warning" and "state F, no oscillator" in found.says
