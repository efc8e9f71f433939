"""GPIO lines: a chip with gpiod's interface, whole DIN charges, faults, and the kernel's gpio-sim where it is."""

from __future__ import annotations

import asyncio
import contextlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import benches
import pytest
import worlds
from benches import Bench, set_plant

from pyplc import clock
from pyplc.hw.driver import Driver
from pyplc.hw.emulated.gpio import EmulatedGpio, EmulatedStepped, FakeChip
from pyplc.hw.gpio import Gpio, GpioSettings
from pyplc.hw.gpio_lines import GpioLines, Spec, spec
from pyplc.hw.ports import DeviceError, PilotState
from pyplc.hw.stepped import Stepped, SteppedSettings, sums
from pyplc.plant.parameters import PlantParameters
from pyplc.plant.plant import Plant
from pyplc.record import Phase, Side, Summary

pytest.importorskip("gpiod", reason="gpiod is not installed")

VEHICLE = GpioSettings(
    state_c=17, contactors=("!27", "!22"), contactor_feedback=5, lock=(23, 24), lock_feedback=6, plugged=13,
    button="!19", emergency=26, led_ready=20, led_charging=21, led_fault=16,
)  # fmt: skip
CHARGER = GpioSettings(contactors=(17,), contactor_feedback=5, button="P9_30", held=("P9_28",))


def maker(side: Side = "ev") -> benches.Make:
    settings, role = (VEHICLE, "vehicle") if side == "ev" else (CHARGER, "charger")

    def make(plant: Plant) -> tuple[Driver, EmulatedGpio, FakeChip]:
        chip = FakeChip()
        device = EmulatedGpio(plant, role, settings, chip)
        return Gpio(settings, benches.context(role, plant, "gpio"), chip.request_lines), device, chip

    return make


@pytest.mark.parametrize("side", ["ev", "evse"])
def test_a_whole_charge(side: Side) -> None:
    bench = benches.session(side, maker(side))
    assert bench.summaries["ev"].outcome == "finished", bench.summaries["ev"].reason
    benches.safe(bench)
    assert not bench.plant.circuit.vehicle_closed and not bench.plant.circuit.outlet_closed
    assert "has no watchdog" in bench.notes()


def test_a_whole_charge_on_stepped_converters(tmp_path: Path) -> None:
    bench = benches.session("evse", stepped(tmp_path), settings=worlds.short(45.02))
    assert bench.summaries["ev"].outcome == "finished", bench.summaries["ev"].reason
    assert bench.summaries["evse"].outcome == "finished", bench.summaries["evse"].reason
    assert bench.plant.circuit.current == 0 and bench.driver.steps == ()
    assert bench.plant.circuit.max_inrush < 1000


def stepped(folder: Path) -> benches.Make:
    def make(plant: Plant) -> tuple[Driver, EmulatedStepped, FakeChip]:
        settings = SteppedSettings(adc=str(folder / "in_voltage1_raw"), load_current=0.5)
        chip = FakeChip()
        device = EmulatedStepped(plant, settings, chip)
        return Stepped(settings, benches.context("charger", plant, "stepped"), chip.request_lines), device, chip

    return make


def test_no_current_is_no_converter() -> None:
    """A vehicle that hangs gets a set-point of 0 A: converters that stay on would go on feeding it."""

    async def main() -> None:
        board = Stepped(SteppedSettings(), benches.context("charger", None))  # type: ignore[arg-type]  # as below
        supply = board.part("supply")
        board.hear()
        await supply.set(300.0, 5.0)
        assert board.steps
        await supply.set(300.0, 0.0)
        assert not board.steps

    clock.run(main())


def test_the_discharge_demo_on_stepped_converters(tmp_path: Path) -> None:
    def make(plant: Plant) -> tuple[Driver, EmulatedStepped, FakeChip]:
        driver, device, chip = stepped(tmp_path)(plant)
        return driver, device, chip

    settings = worlds.short(60.0)
    settings.charger.discharge = 5.0
    settings.vehicle.target_time = 20.0
    seen: list[bool] = []

    def look(bench: Bench) -> None:
        seen.append(bench.plant.circuit.load_closed)

    bench = benches.session("evse", make, settings=settings, disturb=look, at=705, delay=3.0)
    assert seen == [True]
    assert not bench.plant.circuit.load_closed
    assert bench.summaries["evse"].outcome == "finished", bench.summaries["evse"].reason


STEPPED_FAULTS: dict[str, tuple[Any, str]] = {
    "ADC gone": (lambda b: setattr(b.device, "stuck", -100.0), "silent for|newest reading"),
    "ADC saturated": (lambda b: setattr(b.device, "stuck", 1000.0), "silent for|newest reading"),
    "chip gone": (lambda b: setattr(b.line, "gone", True), "lost: "),
}


@pytest.mark.parametrize("name", STEPPED_FAULTS)
def test_a_fault_of_the_converters_ends_safe(name: str, tmp_path: Path) -> None:
    disturb, reason = STEPPED_FAULTS[name]
    bench = benches.session("evse", stepped(tmp_path), disturb=disturb, at=705, settings=worlds.short(60.0))
    summary = bench.summaries["evse"]
    assert summary.outcome == "device", summary
    assert any(part in summary.reason for part in reason.split("|")), summary.reason
    assert bench.plant.circuit.current == 0
    assert bench.contactors_opened_at is not None and bench.contactors_opened_at - bench.disturbed_at < 6


@pytest.mark.parametrize(
    ("voltage", "sum_"),
    [(0, 0), (11.9, 0), (12, 12), (60, 50), (187, 187), (200, 187), (224.9, 187), (225, 225), (355, 350), (1000, 412)],
)
def test_the_highest_sum_that_is_not_above(voltage: float, sum_: float) -> None:
    voltages = (225.0, 100.0, 50.0, 25.0, 12.0)
    board = Stepped(SteppedSettings(), benches.context("charger", None))  # type: ignore[arg-type]  # no plant is asked
    board.choose(voltage)
    assert sum(voltages[n] for n in board.steps) == sum_
    assert len(sums(voltages)) == 32


FAULTS: dict[str, tuple[Side, Any, str, float]] = {
    "chip gone": ("ev", lambda b: setattr(b.line, "gone", True), "lost: ", 99.0),
    "emergency": ("ev", lambda b: b.device.stuck.update(emergency=True), "emergency input", 0.2),
    "contactor opened": ("ev", lambda b: b.device.stuck.update(contactor_feedback=False), "opened by themselves", 2.0),
    "unplugged": ("ev", lambda b: b.device.stuck.update(plugged=False), "unplugged|state A|plug", 5.0),
    "charger's contactor opened": (
        "evse", lambda b: b.device.stuck.update(contactor_feedback=False), "opened by themselves", 2.0,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_in_the_charge_loop_ends_safe(name: str) -> None:
    side, disturb, reason, opens = FAULTS[name]
    bench = benches.session(side, maker(side), disturb=disturb, at=700 if side == "ev" else 705,
                            settings=worlds.short(60.0))  # fmt: skip
    summary = bench.summaries[side]
    assert summary.outcome != "finished", summary
    assert any(part in summary.reason for part in reason.split("|")), summary
    assert bench.plant.circuit.current == 0
    if opens < 99:
        assert bench.contactors_opened_at is not None
        assert bench.contactors_opened_at - bench.disturbed_at <= opens


def test_a_lock_that_jams_ends_the_session_before_power() -> None:
    bench = benches.session("ev", maker(), disturb=set_plant(lock_stuck=True), at=540, delay=0.0)
    assert bench.summaries["ev"].outcome == "device"
    assert "does not lock (jammed)" in bench.summaries["ev"].reason
    assert not bench.plant.locked and bench.plant.circuit.max_inrush == 0


def test_a_contactor_that_does_not_close() -> None:
    bench = benches.session("ev", maker(), disturb=set_plant(contactor_stuck_open=True), at=570, delay=0.05)
    assert "do not confirm that they closed" in bench.summaries["ev"].reason
    benches.safe(bench)


def test_a_welded_contactor() -> None:
    bench = benches.session("ev", maker(), disturb=set_plant(contactor_welded=True), at=700, delay=0.5)
    assert "welded" in bench.summaries["ev"].reason
    assert bench.plant.circuit.current == 0 and not bench.plant.locked


def test_the_button_ends_the_session() -> None:
    def press(bench: Bench) -> None:
        bench.driver.press = bench.world.vehicle.stop
        bench.device.stuck["button"] = True

    bench = benches.session("ev", maker(), disturb=press, at=700, settings=worlds.short(60.0))
    assert (bench.summaries["ev"].outcome, bench.summaries["ev"].reason) == ("finished", "stop button")
    benches.safe(bench)


def test_lines_levels_and_lamps() -> None:
    async def main() -> None:
        plant, chip = Plant(PlantParameters()), FakeChip()
        plant.plug_in()
        device = EmulatedGpio(plant, "vehicle", VEHICLE, chip)
        board = Gpio(VEHICLE, benches.context("vehicle", plant), chip.request_lines)
        pressed: list[str] = []
        board.press = pressed.append
        tasks = [asyncio.ensure_future(device.run()), asyncio.ensure_future(board.run())]
        await board.ready()
        await asyncio.sleep(0.1)
        assert (chip.levels[17], chip.levels[27], chip.levels[22]) == (False, True, True)  # relays active low
        assert (chip.levels[20], chip.levels[21], chip.levels[16]) == (True, False, False)
        await board.part("contactor").close()
        assert (chip.levels[27], chip.levels[22]) == (False, False)
        locking = asyncio.ensure_future(board.part("lock").lock())
        await asyncio.sleep(0.1)
        assert (chip.levels[23], chip.levels[24]) == (True, False)
        await asyncio.sleep(0.7)
        assert (chip.levels[23], chip.levels[24]) == (False, False) and locking.done()
        board.read(Phase(name="charging", side="ev"))
        await asyncio.sleep(0.1)
        assert (chip.levels[20], chip.levels[21]) == (False, True)
        board.read(Summary(outcome="device", reason="", side="ev"))
        for _ in range(2):
            chip.levels[19] = False  # the button, active low, for one look: too short
            await asyncio.sleep(0.012)
            chip.levels[19] = True
            await asyncio.sleep(0.1)
        assert chip.levels[16] and not pressed
        chip.levels[19] = False
        await asyncio.sleep(0.5)
        assert pressed == ["stop button"]
        await board.close()
        assert (chip.levels[17], chip.levels[27], chip.levels[22]) == (False, True, True)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    clock.run(main())


def test_a_chip_that_comes_back() -> None:
    async def main() -> None:
        plant, chip = Plant(PlantParameters()), FakeChip()
        chip.gone = True
        device = EmulatedGpio(plant, "vehicle", VEHICLE, chip)
        board = Gpio(VEHICLE, benches.context("vehicle", plant, "gpio"), chip.request_lines)
        tasks = [asyncio.ensure_future(device.run()), asyncio.ensure_future(board.run())]
        with pytest.raises(DeviceError, match=r"gpio: /dev/gpiochip0: \[Errno 2\] No such file"):
            await board.ready()
        for _ in range(2):
            chip.gone = False
            await board.ready()
            board.wanted.contactor = True
            await asyncio.sleep(0.1)
            assert not chip.levels[27]
            chip.gone = True
            with pytest.raises(DeviceError, match="lost: "):
                while True:
                    await asyncio.wait_for(board.changed(), 2)
            assert not board.wanted.contactor
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    clock.run(main())


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (17, Spec("/dev/gpiochip0", 17, False)),
        ("17", Spec("/dev/gpiochip0", 17, False)),
        ("!17", Spec("/dev/gpiochip0", 17, True)),
        ("P9_41", Spec("/dev/gpiochip0", "P9_41", False)),
        ("!gpiochip1:GPIO17", Spec("/dev/gpiochip1", "GPIO17", True)),
        ("/dev/gpiochip2:3", Spec("/dev/gpiochip2", 3, False)),
    ],
)
def test_how_a_line_is_written(line: int | str, expected: Spec) -> None:
    assert spec(line, "/dev/gpiochip0") == expected


def test_a_line_has_one_purpose() -> None:
    with pytest.raises(DeviceError, match="line 4 of /dev/gpiochip0 cannot be both a and b"):
        GpioLines("/dev/gpiochip0", {"a": 4}, {"b": "!4"})
    board = Gpio(GpioSettings(), benches.context("vehicle", None, "gpio"))  # type: ignore[arg-type]
    with pytest.raises(DeviceError, match="devices.gpio.state_c: missing; say which line is the pilot"):
        board.part("pilot")


CONFIGFS = Path("/sys/kernel/config/gpio-sim")


@contextlib.contextmanager
def simulated_chip() -> Iterator[tuple[Path, Path]]:
    """A chip of the kernel's gpio-sim: its device, and the folder with the far ends of its lines."""
    if not CONFIGFS.is_dir() or not os.access(CONFIGFS, os.W_OK):
        pytest.skip("this kernel has no gpio-sim, or we may not use it")
    root = CONFIGFS / f"pyplc-{uuid.uuid4().hex[:8]}"
    bank = root / "bank"
    bank.mkdir(parents=True)
    try:
        (bank / "num_lines").write_text("8")
        (root / "live").write_text("1")
        name = (bank / "chip_name").read_text().strip()
        device = (root / "dev_name").read_text().strip()
        yield Path("/dev") / name, Path("/sys/devices/platform") / device / name
    finally:
        (root / "live").write_text("0")
        bank.rmdir()
        root.rmdir()


def test_the_kernels_own_simulated_chip() -> None:
    with simulated_chip() as (device, far):
        lines = GpioLines(str(device), {"relay": "!1"}, {"button": 2})
        lines.acquire()
        assert (far / "sim_gpio1/value").read_text().strip() == "1"
        lines.set({"relay": True})
        assert (far / "sim_gpio1/value").read_text().strip() == "0"
        (far / "sim_gpio2/pull").write_text("pull-up")
        assert lines.get() == {"button": True}
        lines.release()


def test_an_unknown_chip_is_named() -> None:
    async def main() -> None:
        board = Gpio(GpioSettings(chip="/dev/gpiochip-none", contactors=(1,)), benches.context("vehicle", None, "gpio"))  # type: ignore[arg-type]
        task = asyncio.ensure_future(board.run())
        with pytest.raises(DeviceError, match="gpio: /dev/gpiochip-none: "):
            await board.ready()
        assert board.seen.view.state is PilotState.A
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    clock.run(main())
