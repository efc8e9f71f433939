"""Dieter: its lines to the letter, a whole DIN charge over a pseudo terminal, and every fault of its line."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import benches
import pytest
import worlds
from benches import Bench, cut, cut_for_a_while, safe, set_device, set_line

from pyplc import clock
from pyplc.hw.dieter import Dieter, DieterSettings
from pyplc.hw.driver import Driver
from pyplc.hw.emulated.dieter import EmulatedDieter
from pyplc.hw.emulated.line import EmulatedLine, PseudoTerminal
from pyplc.hw.ports import DeviceError, PilotState
from pyplc.plant.parameters import PlantParameters
from pyplc.plant.plant import Plant


def in_memory(plant: Plant) -> tuple[Driver, EmulatedDieter, EmulatedLine]:
    device = EmulatedDieter(plant)
    line = EmulatedLine(device)
    return Dieter(DieterSettings(), benches.context("vehicle", plant, "dieter"), line.opener), device, line


def test_its_lines() -> None:
    sent: list[bytes] = []

    class Recorded:
        def write(self, data: bytes) -> None:
            sent.append(data)

        def close(self) -> None: ...

    async def main() -> None:
        async def opener(data: Callable[[bytes], None], lost: Callable[[str], None]) -> Recorded:
            said.append(data)
            return Recorded()

        said: list[Callable[[bytes], None]] = []
        plant = Plant(PlantParameters())
        dieter = Dieter(DieterSettings(relays=(1, 2)), benches.context("vehicle", plant, "dieter"), opener)
        task = asyncio.ensure_future(dieter.run())
        await asyncio.sleep(0.1)
        (say,) = said
        say(b"Starte...\r\nA0=0512\r\nA1=0001\r\nA0=0512\r\n")
        await dieter.ready()
        assert dieter.part("inlet").voltage.value == pytest.approx(512 / 1024 * 1.08 * 6250 / 9.4)
        pilot, contactor = dieter.part("pilot"), dieter.part("contactor")
        assert pilot.view == (PilotState.B, 5.0)
        switching = asyncio.ensure_future(pilot.set_state(PilotState.C))
        await asyncio.sleep(0.01)
        assert not switching.done()
        say(b"I received value: 1\r\n")
        await switching
        switching = asyncio.ensure_future(contactor.close())
        await asyncio.sleep(0.01)
        say(b"I received value: 7\r\n")
        await switching
        assert contactor.closed
        before = len(sent)
        say(b"A0=1023\r\nA0=12345\r\nA0=\r\nA0=51\x002\r\n\xff\xfe\r\n")
        assert dieter.part("inlet").voltage.value == pytest.approx(359.05, abs=0.01)
        assert dieter.garbled == 5
        await asyncio.sleep(1.0)
        assert sent[before:] == [b"do0007\n", b"do0007\n"]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    clock.run(main())
    assert sent[0] == b"do0000\n"


def test_a_whole_charge_in_virtual_time() -> None:
    bench = benches.session("ev", in_memory)
    assert bench.summaries["ev"].outcome == "finished", bench.summaries["ev"].reason
    assert bench.plant.circuit.max_inrush < 1000
    assert "has no watchdog" in bench.notes()
    safe(bench)
    assert not bench.plant.circuit.vehicle_closed


def test_unplugged_and_plugged_in_again(tmp_path: Path) -> None:
    port = tmp_path / "ttyUSB0"

    async def main() -> None:
        plant = Plant(PlantParameters())
        device = EmulatedDieter(plant)
        terminal = PseudoTerminal(EmulatedLine(device), port)
        dieter = Dieter(DieterSettings(port=str(port)), benches.context("vehicle", plant, "dieter"))
        dieter.patience_s = 0.5
        tasks = [asyncio.ensure_future(device.run()), asyncio.ensure_future(dieter.run())]
        with pytest.raises(DeviceError, match=r"dieter: nothing heard for 0.5 s: .*No such file"):
            await dieter.ready()
        dieter.patience_s = 10.0
        for _ in range(2):
            terminal.plug()
            await dieter.ready()
            await dieter.part("pilot").set_state(PilotState.C)
            assert device.outputs == 1
            terminal.unplug()
            with pytest.raises(DeviceError, match="the line was lost"):
                await asyncio.wait_for(dieter.changed(), 2)
            assert dieter.part("pilot").view == (PilotState.A, None)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(main())


FAULTS: dict[str, tuple[Callable[[Bench], Any], str, str, float | None]] = {
    # what, outcome, reason, seconds until the contactors are open (None: only the charger can end the current)
    "cut": (cut, "device", "line was lost", None),
    "cut for a while": (cut_for_a_while, "device", "line was lost", 4.0),
    "frozen": (set_line(frozen=True), "device", "silent for|no older|newest reading", None),
    "garbled": (set_line(garble=3), "device", "silent for|newest reading", None),
    "slow": (set_line(delay_s=3.0), "device", "silent for|newest reading|switched", 9.0),
    "restarted": (lambda b: b.device.reset(), "device|lost", "restarted|switched 0|newest reading|silent|closed", 2.0),
    "voltage frozen": (set_device(stuck_counts=100), "refused", "inlet", 9.0),
    "voltage saturated": (set_device(stuck_counts=1023), "device", "newest reading|silent", 9.0),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_in_the_charge_loop_ends_safe(name: str) -> None:
    disturb, outcome, reason, opens = FAULTS[name]
    bench = benches.session("ev", in_memory, disturb=disturb, at=700, settings=worlds.short(48.0))
    summary = bench.summaries["ev"]
    assert summary.outcome in outcome.split("|"), summary
    assert any(part in summary.reason for part in reason.split("|")), summary.reason
    safe(bench)
    if opens is not None:
        assert bench.contactors_opened_at is not None
        assert bench.contactors_opened_at - bench.disturbed_at <= opens
    ended = bench.at("ev", 952)
    assert ended - bench.disturbed_at < 12.0


def test_a_welded_contactor_is_noticed_by_the_voltage() -> None:
    def weld(bench: Bench) -> None:
        bench.plant.contactor_welded = True

    bench = benches.session("ev", in_memory, disturb=weld, at=700, delay=0.5)
    assert bench.plant.circuit.vehicle_closed
    assert bench.plant.circuit.current == 0
    assert "welded" in bench.summaries["ev"].reason or "weld" in bench.notes()


def test_a_contactor_that_is_not_confirmed() -> None:
    def deaf(bench: Bench) -> None:
        bench.device.deaf = True

    bench = benches.session("ev", in_memory, disturb=deaf, at=570, delay=0.05)
    summary = bench.summaries["ev"]
    assert summary.outcome == "device"
    assert "do not confirm that they closed" in summary.reason or "switched" in summary.reason
    safe(bench)
    assert not bench.plant.circuit.vehicle_closed


def test_a_line_with_single_spoilt_bytes_charges_on() -> None:
    def spoil(bench: Bench) -> None:
        bench.line.garble = 211

    bench = benches.session("ev", in_memory, disturb=spoil, at=700)
    assert bench.summaries["ev"].outcome == "finished", bench.summaries["ev"].reason
    assert bench.driver.garbled > 0
