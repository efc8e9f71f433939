"""The driver of pyplc's own firmware, against the firmware itself in simavr and against its emulated twin."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

import benches
import pytest
import simavr
import worlds
from benches import Bench

from pyplc import clock, simulation
from pyplc.hw.arduino import Arduino, ArduinoSettings
from pyplc.hw.arduino_line import Flag, Status, Version
from pyplc.hw.driver import Driver
from pyplc.hw.emulated.arduino import EmulatedArduino
from pyplc.hw.emulated.line import EmulatedLine, PseudoTerminal
from pyplc.hw.ports import DeviceError, PilotState, PilotView, StaleReading, fresh
from pyplc.plant.parameters import PlantParameters
from pyplc.plant.plant import Plant

BOARDS = ["emulated", "simavr"]


class Place(NamedTuple):
    """A driver and a board on a plant; `pilot` is the other side's end of the line, in the plant."""

    plant: Plant
    driver: Arduino
    board: Any
    """EmulatedArduino or Simavr: both have `emergency` and `reset`."""

    async def seen(self, reached: Callable[[], bool], seconds: float = 3.0) -> float:
        """Wait until the plant shows it; how long that took."""
        before = self.driver.now()
        async with asyncio.timeout(seconds):
            while not reached():  # noqa: ASYNC110  # the plant tells nobody, it is looked at
                await asyncio.sleep(0.005)
        return self.driver.now() - before


def on(kind: str, role: str, tmp_path: Path, scenario: Callable[[Place], Awaitable[None]], **settings: Any) -> None:
    """Run a scenario: in virtual time with the emulated board, in real time with the firmware."""
    if kind == "simavr":
        simavr.built()
    port = tmp_path / "ttyACM0"

    async def main() -> None:
        plant = Plant(PlantParameters())
        chosen = ArduinoSettings(port=str(port), **settings)
        board: Any
        if kind == "simavr":
            board = simavr.Simavr(role, port, plant)
            driver = Arduino(chosen, benches.context(role, plant, "arduino"))
        else:
            board = EmulatedArduino(role, plant)
            driver = Arduino(chosen, benches.context(role, plant, "arduino"), EmulatedLine(board).opener)
        tasks = [asyncio.ensure_future(board.run()), asyncio.ensure_future(driver.run())]
        try:
            await driver.ready()
            await scenario(Place(plant, driver, board))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    (asyncio.run if kind == "simavr" else clock.run)(main())


@pytest.mark.parametrize("kind", BOARDS)
def test_a_vehicle(kind: str, tmp_path: Path) -> None:
    """Everything is switched, measured and confirmed; emergency, then everything again."""

    async def scenario(place: Place) -> None:
        plant, driver, board = place
        pilot, contactor, lock = (driver.part(name) for name in ("pilot", "contactor", "lock"))
        assert pilot.view == PilotView(PilotState.A, None)
        plant.plug_in()
        await place.seen(lambda: pilot.view.state is PilotState.B)
        for percent in (5.0, 16.0, 50.0, 96.0, None, 5.0):
            plant.pilot.set_duty(percent)
            await place.seen(lambda p=percent: (pilot.view.duty_percent or 0) == pytest.approx(p or 0, abs=0.3))
            assert pilot.view.state is PilotState.B
        with pytest.raises(DeviceError, match="do not confirm that they closed"):
            await contactor.close()  # not in state B
        for state in (PilotState.C, PilotState.D, PilotState.B, PilotState.C):
            await pilot.set_state(state)
            assert plant.pilot.asked is state
        await lock.lock()
        assert plant.locked and lock.locked
        await contactor.close()
        assert plant.circuit.vehicle_closed and contactor.closed
        plant.now().impose(355.0, 0.0)
        await place.seen(lambda: abs(driver.part("inlet").voltage.value - plant.now().inlet_voltage) < 2.0)
        await contactor.open()
        assert not plant.circuit.vehicle_closed
        await lock.unlock()
        assert not plant.locked
        plant.lock_stuck = True
        await asyncio.sleep(0.1)
        with pytest.raises(DeviceError, match="does not lock"):
            await lock.lock()
        plant.lock_stuck = False
        await contactor.close()
        board.emergency = True
        assert await place.seen(lambda: plant.pilot.asked is PilotState.B) < 1.0
        assert await place.seen(lambda: not plant.circuit.vehicle_closed) < 1.5
        with pytest.raises(DeviceError, match="the emergency input is open"):
            driver.check()
        driver.patience_s = 0.5
        with pytest.raises(DeviceError, match="the emergency input is open"):
            await driver.ready()
        board.emergency = False
        driver.patience_s = 10.0
        await driver.ready()
        driver.check()
        assert not plant.circuit.vehicle_closed
        await pilot.set_state(PilotState.C)
        plant.unplug()
        async with asyncio.timeout(2):
            while pilot.view.state is not PilotState.A:
                await pilot.changed()

    on(kind, "vehicle", tmp_path, scenario)


@pytest.mark.parametrize("kind", BOARDS)
def test_a_charger(kind: str, tmp_path: Path) -> None:
    """Duty cycle and states at the outlet; the contactor closes in state C only; unplugging opens it."""

    async def scenario(place: Place) -> None:
        plant, driver, _ = place
        pilot, contactor = driver.part("pilot"), driver.part("contactor")
        await place.seen(lambda: pilot.view == PilotView(PilotState.A, None))
        for percent in (5.0, 16.0, 50.0, 96.0, None, 5.0):
            await pilot.set_duty(percent)
            await place.seen(lambda p=percent: plant.pilot.charger_view().duty_percent == p)
        plant.plug_in()
        for state in (PilotState.B, PilotState.C, PilotState.D, PilotState.B):
            plant.pilot.set_vehicle(state)
            await place.seen(lambda s=state: pilot.view == PilotView(s, 5.0))
        with pytest.raises(DeviceError, match="do not confirm that they closed"):
            await contactor.close()
        plant.pilot.set_vehicle(PilotState.C)
        await place.seen(lambda: pilot.view.state is PilotState.C)
        await contactor.close()
        assert plant.circuit.outlet_closed
        await contactor.open()
        assert not plant.circuit.outlet_closed
        await pilot.set_fault()
        assert plant.pilot.vehicle_view() == PilotView(PilotState.F, None)
        await pilot.set_duty(5.0)
        await place.seen(lambda: pilot.view.state is PilotState.C)
        await contactor.close()
        plant.unplug()
        assert await place.seen(lambda: not plant.circuit.outlet_closed) < 2.0
        assert plant.pilot.charger_view().state is PilotState.F
        with pytest.raises(DeviceError, match="lost the pilot while a relay was closed"):
            driver.check()

    on(kind, "charger", tmp_path, scenario)


@pytest.mark.parametrize("kind", BOARDS)
def test_a_host_that_hangs_and_a_board_that_restarts(kind: str, tmp_path: Path) -> None:
    async def scenario(place: Place) -> None:
        plant, driver, board = place
        pilot, contactor, lock = (driver.part(name) for name in ("pilot", "contactor", "lock"))

        async def charging() -> None:
            plant.plug_in()
            plant.pilot.set_duty(5.0)
            await place.seen(lambda: pilot.view == PilotView(PilotState.B, pytest.approx(5.0, abs=0.2)))
            await pilot.set_state(PilotState.C)
            await lock.lock()
            await contactor.close()

        await charging()
        driver.push = lambda: None  # type: ignore[method-assign]  # the event loop lives, but nobody orders
        slow = 0.2 if kind == "emulated" else 2.0  # a busy machine; test_firmware.py measures in the board's time
        assert 0.7 < await place.seen(lambda: plant.pilot.asked is PilotState.B) < 1.0 + slow
        assert await place.seen(lambda: not plant.circuit.vehicle_closed) < 0.5 + slow
        assert plant.locked
        plant.now().impose(0.0, 0.0)
        await place.seen(lambda: not plant.locked, 10.0)
        del driver.push
        with pytest.raises(DeviceError, match="heard nothing from us for a second"):
            driver.check()
        await driver.ready()
        await charging()
        board.reset()
        assert await place.seen(lambda: not plant.circuit.vehicle_closed) < slow
        with pytest.raises(DeviceError, match="the board restarted|silent"):
            while True:
                driver.check()
                await asyncio.sleep(0.01)
        await driver.ready()
        assert not plant.circuit.vehicle_closed

    on(kind, "vehicle", tmp_path, scenario)


@pytest.mark.parametrize("kind", BOARDS)
def test_a_charger_that_is_walked_through(kind: str, tmp_path: Path) -> None:
    """`pyplc hw test` with nothing plugged in: the relay closes and opens."""

    async def scenario(place: Place) -> None:
        plant, driver, _ = place
        contactor = driver.part("contactor")
        await place.seen(lambda: driver.part("pilot").view.state is PilotState.A)
        driver.testing = True
        await contactor.close()
        await place.seen(lambda: plant.circuit.outlet_closed)
        await asyncio.sleep(0.3)
        await contactor.open()
        await place.seen(lambda: not plant.circuit.outlet_closed)
        await contactor.close()
        plant.plug_in()
        await place.seen(lambda: not plant.circuit.outlet_closed)
        await place.seen(lambda: driver.failed is not None)
        with pytest.raises(DeviceError, match="opened again: relays are tried with nothing plugged in"):
            driver.check()

    on(kind, "charger", tmp_path, scenario)


@pytest.mark.parametrize("kind", BOARDS)
def test_the_wrong_firmware(kind: str, tmp_path: Path) -> None:
    async def scenario(place: Place) -> None:
        driver = place.driver
        driver.context = driver.context._replace(role="charger")
        driver.patience_s = 0.3
        with pytest.raises(DeviceError, match=r"for a vehicle, protocol 1; needed is .* charger.*: make -C firmware"):
            await driver.ready()

    on(kind, "vehicle", tmp_path, scenario)


# what a board that lies or dies is believed


class Wire:
    """Somebody else's board: what is sent is kept, what it says is told by the test."""

    def __init__(self, role: str = "vehicle", **settings: Any) -> None:
        self.sent: list[bytes] = []
        plant = Plant(PlantParameters())
        self.driver = Arduino(ArduinoSettings(**settings), benches.context(role, plant, "arduino"), self._open)
        self._task = asyncio.ensure_future(self.driver.run())
        self._uptime = 0
        self.status = Status(0, 0, Flag(0), PilotState.C, 5.0, 6.0, 0.0, 4.1, 400.0, 0, "U")

    async def _open(self, data: Callable[[bytes], None], lost: Callable[[str], None]) -> Wire:
        self._data = data
        return self

    def write(self, data: bytes) -> None:
        self.sent.append(data)

    def close(self) -> None: ...

    async def introduce(self, version: Version = Version(0, 1, "vehicle", "9.9", 1)) -> None:  # noqa: B008
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        self._data(version.encode())

    def say(self, **differs: Any) -> None:
        self._uptime += 50
        order = next((line for line in reversed(self.sent) if line.startswith(b":O")), b"O 0")
        seq = int(order.split()[1])
        self._data(self.status._replace(**{"seq": seq, "uptime_ms": self._uptime, **differs}).encode())

    async def well(self, seconds: float, **differs: Any) -> None:
        for _ in range(round(seconds / 0.05)):
            self.say(**differs)
            await asyncio.sleep(0.05)

    async def end(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


def alone(scenario: Callable[[Wire], Awaitable[None]], **settings: Any) -> None:
    async def main() -> None:
        wire = Wire(**settings)
        await wire.introduce()
        try:
            await scenario(wire)
        finally:
            await wire.end()

    clock.run(main())


def test_orders_are_repeated_and_each_has_a_number() -> None:
    async def scenario(wire: Wire) -> None:
        await wire.well(1.0)
        orders = [line for line in wire.sent if line.startswith(b":O")]
        assert len(orders) in (5, 6)
        assert len(set(orders)) == len(orders)
        wire.driver.check()

    alone(scenario)


def test_a_board_that_repeats_itself_is_silent() -> None:
    async def scenario(wire: Wire) -> None:
        await wire.well(0.5)
        await wire.well(0.7, uptime_ms=500)
        with pytest.raises(StaleReading, match="arduino: silent for 0.[678] s"):
            wire.driver.check()

    alone(scenario)


def test_a_board_that_does_not_hear_is_lost() -> None:
    async def scenario(wire: Wire) -> None:
        await wire.well(0.5)
        await wire.well(1.1, seq=3)
        with pytest.raises(StaleReading, match=r"no order was answered for 1.\d s: the line to the board is dead"):
            wire.driver.check()

    alone(scenario)


def test_an_inlet_without_reading_gets_old() -> None:
    async def scenario(wire: Wire) -> None:
        with pytest.raises(StaleReading):
            fresh(wire.driver.part("inlet").voltage, wire.driver.now(), "inlet voltage")
        await wire.well(0.5)
        await wire.well(1.0, inlet=None)
        reading = wire.driver.part("inlet").voltage
        assert reading.value == 600.0
        assert wire.driver.now() - reading.t >= 1.0
        wire.driver.check()

    alone(scenario, inlet_factor=1.5)


@pytest.mark.parametrize("told", [{"flags": Flag.TRIPPED | Flag.BLIND}, {"flags": Flag.TRIPPED}, {"uptime_ms": 7}])
def test_a_failed_board_is_told_to_go_down_until_it_is_asked_again(told: dict[str, Any]) -> None:
    async def scenario(wire: Wire) -> None:
        await wire.well(1.0)
        wire.driver.wanted.contactor = True
        await wire.well(0.5, relays=1)
        assert wire.driver.part("contactor").closed
        wire.say(**told)
        await wire.well(0.5, flags=Flag.TRIPPED)
        with pytest.raises(DeviceError, match="measure|safe state|restarted"):
            wire.driver.check()
        assert wire.sent[-1].split()[2:5] == [b"S", b"0", b"0"]
        wire._uptime += 1000
        ready = asyncio.ensure_future(wire.driver.ready())
        await wire.well(0.5, flags=Flag.TRIPPED)
        assert wire.sent[-1].split()[2:5] == [b"B", b"0", b"0"]
        assert not ready.done()
        await wire.well(0.1)
        await ready

    alone(scenario)


def test_contactor_feedback_counts_and_may_not_disagree() -> None:
    async def scenario(wire: Wire) -> None:
        await wire.well(0.5)
        contactor = wire.driver.part("contactor")
        await wire.well(0.5, flags=Flag.CONTACTOR_CLOSED)
        assert contactor.closed
        wire.driver.check()
        await wire.well(1.5, flags=Flag.CONTACTOR_CLOSED)
        with pytest.raises(DeviceError, match="the contactors stay closed \\(welded\\)"):
            wire.driver.check()

    alone(scenario, feedback=True)


def test_without_proximity_no_voltage_is_unplugged() -> None:
    async def scenario(wire: Wire) -> None:
        await wire.well(0.5, state=PilotState.E, proximity=5.0)
        assert wire.driver.part("pilot").view.state is PilotState.A
        await wire.well(0.5, state=PilotState.B, proximity=5.0)
        assert wire.driver.part("pilot").view.state is PilotState.B

    alone(scenario, proximity=False)


def test_a_newer_protocol_is_refused() -> None:
    async def main() -> None:
        wire = Wire()
        await wire.introduce(Version(0, 2, "vehicle", "2.0", 1))
        await wire.well(0.5)
        assert wire.driver.heard is None
        wire.driver.patience_s = 0.2
        with pytest.raises(DeviceError, match="firmware 2.0 for a vehicle, protocol 2; needed"):
            await wire.driver.ready()
        await wire.end()

    clock.run(main())


# whole towers


def in_memory(role: str) -> benches.Make:
    def make(plant: Plant) -> tuple[Driver, EmulatedArduino, EmulatedLine]:
        device = EmulatedArduino(role, plant)
        line = EmulatedLine(device)
        return Arduino(ArduinoSettings(), benches.context(role, plant, "arduino"), line.opener), device, line

    return make


def in_simavr(role: str, port: Path) -> benches.Make:
    def make(plant: Plant) -> tuple[Driver, simavr.Simavr, None]:
        settings = ArduinoSettings(port=str(port), feedback=True)
        return Arduino(settings, benches.context(role, plant, "arduino")), simavr.Simavr(role, port, plant), None

    return make


SIDES: dict[str, Any] = {"ev": "vehicle", "evse": "charger"}
CHARGING = {"ev": 700, "evse": 705}
"""The checkpoint of the charge loop."""


def finished(bench: Bench, side: Any) -> None:
    assert bench.summaries[side].outcome == "finished", bench.summaries[side].reason + bench.notes()
    rest(bench)


def rest(bench: Bench) -> None:
    assert not bench.plant.locked
    dead(bench)


def dead(bench: Bench) -> None:
    circuit = bench.plant.circuit
    assert circuit.current == 0
    assert not circuit.vehicle_closed
    assert not circuit.outlet_closed
    assert circuit.max_inrush < 1000


@pytest.mark.parametrize("side", SIDES)
def test_a_whole_charge_in_virtual_time(side: Any) -> None:
    bench = benches.session(side, in_memory(SIDES[side]))
    finished(bench, side)


RESTARTED = "restarted in the charge loop"
TOWERS = [(side, what) for what in ("undisturbed", RESTARTED) for side in SIDES]


@pytest.fixture(scope="module")
def towers(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Bench]:
    """Whole charges with the firmware in real time, each in a world of its own, all at once."""
    simavr.built()
    folder = tmp_path_factory.mktemp("boards")

    def held(side: Any, what: str) -> Awaitable[Bench]:
        make = in_simavr(SIDES[side], folder / f"{side}-{len(what)}")
        if what != RESTARTED:
            return benches.hold(side, make, settings=worlds.short(45.02))
        return benches.hold(
            side,
            make,
            settings=worlds.short(48.0),
            disturb=lambda bench: bench.device.reset(),
            at=CHARGING[side],
            delay=0.3,
        )

    async def main() -> list[Bench]:
        return await asyncio.gather(*(held(side, what) for side, what in TOWERS))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simulation, "PLUG_IN_S", 1.0)
        patch.setattr(simulation, "UNPLUG_S", 0.1)
        return dict(zip(TOWERS, asyncio.run(main()), strict=True))


@pytest.mark.parametrize("side", SIDES)
def test_a_whole_charge_with_the_firmware(side: str, towers: dict[tuple[str, str], Bench]) -> None:
    bench = towers[side, "undisturbed"]
    finished(bench, side)
    assert bench.device.now.relays == 0
    assert bench.driver.garbled < 5


@pytest.mark.parametrize("side", SIDES)
def test_the_firmware_restarts_in_the_charge_loop(side: str, towers: dict[tuple[str, str], Bench]) -> None:
    bench = towers[side, RESTARTED]
    summary = bench.summaries[side]  # type: ignore[index]
    assert summary.outcome in ("device", "lost", "failed", "refused", "pilot"), summary
    assert bench.contactors_opened_at is not None
    assert bench.contactors_opened_at - bench.disturbed_at < 1.0
    assert bench.device.now.resets == 2
    dead(bench)  # the board unlocks by itself, later than this world lasts


def cut(bench: Bench) -> None:
    bench.line.unplug()


def set_line(**fields: Any) -> Callable[[Bench], None]:
    return lambda bench: [setattr(bench.line, name, value) for name, value in fields.items()] and None


def set_device(**fields: Any) -> Callable[[Bench], None]:
    return lambda bench: [setattr(bench.device, name, value) for name, value in fields.items()] and None


FAULTS: dict[str, tuple[Callable[[Bench], Any], str, str, float]] = {
    # what, outcomes, reason, seconds until the contactors are open
    "cut": (cut, "device", "line was lost", 2.0),
    "frozen": (set_line(frozen=True), "device", "silent for|newest reading|no order", 2.0),
    "garbled": (set_line(garble=3), "device", "silent for|newest reading|no order", 2.0),
    "slow": (set_line(delay_s=3.0), "device", "silent|newest reading|no order|heard nothing", 2.0),
    "restarted": (lambda b: b.device.reset(), "device|lost|failed|pilot", "restarted|silent|reading|clos|pilot", 1.0),
    "deaf": (set_device(deaf=True), "device", "no order was answered|heard nothing from us", 2.0),
    "emergency": (set_device(emergency=True), "device|pilot|failed", "emergency", 1.0),
    "blind": (set_device(blind=True), "device|pilot|failed", "cannot measure", 1.0),
}


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_in_the_charge_loop_ends_safe(name: str, side: Any) -> None:
    disturb, outcome, reason, opens = FAULTS[name]
    bench = benches.session(
        side, in_memory(SIDES[side]), disturb=disturb, at=CHARGING[side], delay=0.5, settings=worlds.short(48.0)
    )
    summary = bench.summaries[side]
    assert summary.outcome in outcome.split("|"), summary
    assert any(part in summary.reason + bench.notes() for part in reason.split("|")), summary.reason
    assert bench.contactors_opened_at is not None
    assert bench.contactors_opened_at - bench.disturbed_at <= opens
    rest(bench)


def test_unplugged_and_plugged_in_again(tmp_path: Path) -> None:
    port = tmp_path / "ttyACM0"

    async def main() -> None:
        plant = Plant(PlantParameters())
        device = EmulatedArduino("vehicle", plant)
        terminal = PseudoTerminal(EmulatedLine(device), port)
        driver = Arduino(ArduinoSettings(port=str(port)), benches.context("vehicle", plant, "arduino"))
        driver.patience_s = 0.5
        tasks = [asyncio.ensure_future(device.run()), asyncio.ensure_future(driver.run())]
        with pytest.raises(DeviceError, match=r"arduino: nothing heard for 0.5 s: .*No such file"):
            await driver.ready()
        driver.patience_s = 10.0
        plant.plug_in()
        for _ in range(2):
            terminal.plug()
            await driver.ready()
            await driver.part("pilot").set_state(PilotState.C)
            terminal.unplug()
            with pytest.raises(DeviceError, match="the line was lost"):
                await asyncio.wait_for(driver.changed(), 2)
            assert driver.part("pilot").view == (PilotState.A, None)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(main())
