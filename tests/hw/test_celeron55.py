"""celeron55's board: its lines to the letter, a whole DIN charge over a pseudo terminal, and every fault."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import benches
import pytest
import worlds
from benches import Bench, cut, cut_for_a_while, safe, set_device, set_line, set_plant

from pyplc import clock
from pyplc.hw.board import BatterySettings
from pyplc.hw.celeron55 import Celeron55, Celeron55Settings
from pyplc.hw.driver import Driver
from pyplc.hw.emulated.celeron55 import EmulatedCeleron55
from pyplc.hw.emulated.line import EmulatedLine
from pyplc.hw.ports import UNREAD, DeviceError, PilotState, StaleReading
from pyplc.plant.parameters import PlantParameters
from pyplc.plant.plant import Plant
from pyplc.record import Phase, Reading

SETTINGS = Celeron55Settings(battery=BatterySettings(max_voltage=408.0, capacity_wh=5_800.0))


def in_memory(plant: Plant) -> tuple[Driver, EmulatedCeleron55, EmulatedLine]:
    device = EmulatedCeleron55(plant)
    line = EmulatedLine(device)
    driver = Celeron55(SETTINGS, benches.context("vehicle", plant, "celeron55"), line.opener)
    driver.part("display")
    return driver, device, line


def charging(target: float = 46.0) -> Any:
    settings = worlds.short(target)
    settings.plant.battery.capacity_wh = 5_800.0  # the board tells whole percents
    return settings


def test_its_lines() -> None:
    sent: list[bytes] = []
    said: list[Callable[[bytes], None]] = []

    class Recorded:
        def write(self, data: bytes) -> None:
            sent.append(data)

        def close(self) -> None: ...

    async def main() -> None:
        async def opener(data: Callable[[bytes], None], lost: Callable[[str], None]) -> Recorded:
            said.append(data)
            return Recorded()

        board = Celeron55(SETTINGS, benches.context("vehicle", Plant(PlantParameters())), opener)
        display = board.part("display")
        task = asyncio.ensure_future(board.run())
        await asyncio.sleep(0.01)
        assert sent == [b"cp=0\n", b"contactor=0\n", b"unlock\n"]
        (say,) = said
        inlet, battery = board.part("inlet"), board.part("battery")
        assert inlet.voltage == UNREAD
        with pytest.raises(StaleReading, match="there is no reading yet"):
            _ = battery.soc_percent
        say(b"inlet_v=12\r\ndc_link_v=355\nsoc_percent=45\nmax_charge_a=80\n")
        say(b"cp_pwm=5\nplugged_in=1\ncp_output_state=0\nccs_contactor_wanted_closed=0\ncontactor_confirmed=0\n")
        await board.ready()
        assert (inlet.voltage.value, battery.voltage.value) == (12, 355)
        assert (battery.soc_percent, battery.max_current, battery.max_voltage) == (45, 80, 408)
        assert board.part("pilot").view == (PilotState.B, 5.0)
        del sent[:]
        switching = asyncio.ensure_future(board.part("pilot").set_state(PilotState.C))
        await asyncio.sleep(0.01)
        assert sent == [b"cp=1\n"] and not switching.done()
        say(b"cp_output_state=1\n")
        await switching
        await board.part("lock").lock()
        switching = asyncio.ensure_future(board.part("contactor").close())
        await asyncio.sleep(0.01)
        say(b"ccs_contactor_wanted_closed=1\n")
        await asyncio.sleep(0.01)
        assert not switching.done()
        say(b"contactor_confirmed=1\n")
        await switching
        display.read(Phase(name="charging", side="ev"))
        display.read(Reading(voltage=355.4, current=12.0, soc_percent=45.31, side="ev"))
        await asyncio.sleep(0.25)
        say(b"inlet_v=355\n")
        assert sent == [b"cp=1\n", b"lock\n", b"contactor=1\n",
                        b"disp0=charging\n", b"disp1=355 V 12 A\n", b"disp2=SoC 45.3 %\n"]  # fmt: skip
        for noise in (b"inlet_v=\n", b"inlet_v=nan\n", b"inlet_v=1e9\n", b"inlet_v=-1\n", b"x=1\n", b"\xff\xfe\n"):
            say(noise)
        assert board.garbled == 6 and inlet.voltage.value == 355
        say(b"plugged_in=0\n")
        assert board.part("pilot").view == (PilotState.A, None)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    clock.run(main())


def test_a_battery_needs_its_limit() -> None:
    async def main() -> None:
        board = Celeron55(Celeron55Settings(), benches.context("vehicle", Plant(PlantParameters()), "celeron55"))
        with pytest.raises(DeviceError, match="devices.celeron55.battery: missing"):
            board.part("battery")

    clock.run(main())


def test_a_whole_charge_in_virtual_time() -> None:
    bench = benches.session("ev", in_memory, settings=charging())
    assert bench.summaries["ev"].outcome == "finished", bench.summaries["ev"].reason
    assert bench.plant.circuit.max_inrush < 1000
    safe(bench)
    assert not bench.plant.circuit.vehicle_closed
    assert bench.device.display == ["finished", "", "SoC 46.0 %"]


FAULTS: dict[str, tuple[benches.Disturb, str, str, float | None]] = {
    # what, outcome, reason, seconds until the contactors are open (None: only the charger can end the current)
    "cut": (cut, "device", "line was lost", None),
    "cut for a while": (cut_for_a_while, "device", "line was lost", 4.0),
    "frozen": (set_line(frozen=True), "device", "silent for|newest reading", None),
    "garbled": (set_line(garble=3), "device", "silent for|newest reading|repeats", None),
    "slow": (set_line(delay_s=3.0), "device", "silent for|newest reading", None),
    "restarted": (lambda b: b.device.reset(), "device|lost", "repeats|opened by themselves|FIN", 2.0),
    "inlet frozen": (set_device(stuck={"inlet_v": 100}), "refused", "inlet", 9.0),
    "inlet impossible": (set_device(stuck={"inlet_v": -5}), "device", "inlet voltage: the newest reading", 5.0),
    "contactor opened": (set_device(stuck={"contactor_confirmed": 0}), "device", "opened by themselves", 5.0),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_in_the_charge_loop_ends_safe(name: str) -> None:
    disturb, outcome, reason, opens = FAULTS[name]
    bench = benches.session("ev", in_memory, disturb=disturb, at=700, settings=charging(60.0))
    summary = bench.summaries["ev"]
    assert summary.outcome in outcome.split("|"), summary
    assert any(part in summary.reason for part in reason.split("|")), summary.reason
    assert bench.plant.circuit.current == 0
    if opens is not None:  # where the board still obeys
        safe(bench)
        assert bench.contactors_opened_at is not None
        assert bench.contactors_opened_at - bench.disturbed_at <= opens
    ended = bench.at("ev", 952)
    assert ended - bench.disturbed_at < 12.0


def test_a_welded_contactor_is_not_confirmed_open() -> None:
    bench = benches.session(
        "ev", in_memory, disturb=set_plant(contactor_welded=True), at=700, delay=0.5, settings=charging()
    )
    assert bench.plant.circuit.vehicle_closed and bench.plant.circuit.current == 0
    assert "welded" in bench.summaries["ev"].reason, bench.summaries["ev"]
    assert not bench.plant.locked


def test_a_contactor_that_does_not_close() -> None:
    def stick(bench: Bench) -> None:
        bench.plant.contactor_stuck_open = True

    bench = benches.session("ev", in_memory, disturb=stick, at=570, delay=0.05, settings=charging())
    assert bench.summaries["ev"].outcome == "device"
    assert "do not confirm that they closed" in bench.summaries["ev"].reason
    safe(bench)
