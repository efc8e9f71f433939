"""The firmware itself, in simavr, frame by frame: what it obeys, what it measures, and what it does alone."""

from __future__ import annotations

import asyncio
import random
import re
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import simavr
from simavr import Event, Simavr

from pyplc.hw.arduino_line import Ask, Flag, Order, Status, Version, frame, from_board, from_host
from pyplc.hw.ports import PilotState
from pyplc.hw.serial_line import serial_opener


class Host:
    """A line to the board without a driver: frames by hand."""

    def __init__(self, board: Simavr) -> None:
        self.board = board
        self.said: list[Status | Version] = []
        self.seq = 100
        self._rest = b""
        self._told = asyncio.Event()

    async def open(self) -> None:
        await self.board.started()
        self.wire = await serial_opener(str(self.board.port), 38400)(self._data, lambda why: None)

    def _data(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if (said := from_board(line)) is not None:
                self.said.append(said)
        self._told.set()

    def order(self, state: str, duty: int = 0, relays: int = 0, locked: bool = False) -> None:
        self.seq += 1
        self.wire.write(Order(self.seq, state, duty, relays, locked).encode())

    async def until(self, reached: Callable[[Status], bool], seconds: float = 20.0) -> Status:
        """The first status from now on that is meant."""
        start = len(self.said)
        async with asyncio.timeout(seconds):
            while True:
                for said in self.said[start:]:
                    if isinstance(said, Status) and reached(said):
                        return said
                start = len(self.said)
                self._told.clear()
                await self._told.wait()

    async def arm(self, state: str) -> None:
        """Give the first order, and see it obeyed."""
        await self.until(lambda s: True)
        for _ in range(50):
            self.order(state)
            if Flag.TRIPPED not in (await self.until(lambda s: s.seq == self.seq)).flags:
                return
            await asyncio.sleep(0.05)
        raise AssertionError("it does not obey")

    async def keep(self, seconds: float, state: str, duty: int = 0, relays: int = 0, locked: bool = False) -> None:
        """Order the same again and again."""
        for _ in range(max(1, round(seconds / 0.2))):
            self.order(state, duty, relays, locked)
            await asyncio.sleep(0.2)


def on(role: str, tmp_path: Path, scenario: Callable[[Host], Awaitable[None]]) -> None:
    simavr.built()

    async def main() -> None:
        board = Simavr(role, tmp_path / "ttyACM0")
        task = asyncio.ensure_future(board.run())
        host = Host(board)
        try:
            await host.open()
            await scenario(host)
            host.wire.close()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())


def hostile(role: str, rng: random.Random, first_seq: int) -> list[bytes]:
    """Orders, and all that is nearly one: every kind of wrong field with a right checksum, and every kind of damage."""
    letters = {"vehicle": "SB", "charger": "SF"}[role]  # nothing of it moves anything
    other = "F" if role == "vehicle" else "B"
    wrong = ["O", "V", "", "X 1", "O 1", "O 1 B", "O 1 B 0", "O 1 B 0 0", "O 1 B 0 0 X", "O 1 B 0 0 U "]
    wrong += ["O 1 B 0 0 U 1", "O  1 B 0 0 U", "O 1 G 0 0 U", "O 1 BB 0 0 U", "O -1 B 0 0 U", "O 1 B 971 0 U"]
    wrong += ["O 1 B 0 4 U", "O 1 B x 0 U", "O 70000 B 0 0 U", "O 1 A 0 0 U", f"O 1 {other} 0 0 U", "O 1 B 0 0 u"]
    wrong += ["S 1 1 0 C 50 598 0 4091 0 1 L", "V 1 1 V 1.0 1", "O 1 B 0 0 U" + " " * 40, "O 1 B 0 0 U" + "9" * 200]
    lines = []
    for n in range(100):
        seq = first_seq + n
        good = Order(seq, rng.choice(letters), 0, 0, False).encode()[:-1]
        kind = rng.randrange(5)
        if kind == 0:
            lines.append(good)
        elif kind == 1:
            lines.append(frame(rng.choice(wrong).replace("1", str(seq), 1))[:-1])
        elif kind == 2:
            at = rng.randrange(len(good))
            lines.append(good[:at] + bytes([good[at] ^ rng.randrange(1, 256)]) + good[at + 1 :])
        elif kind == 3:
            lines.append(good[: rng.randrange(len(good))])
        else:
            lines.append(rng.randbytes(rng.randrange(60)) + good)
    return [line.replace(b"\n", b"") for line in lines]


@pytest.mark.parametrize("role", ["vehicle", "charger"])
def test_it_obeys_what_the_other_end_calls_an_order_and_nothing_else(role: str, tmp_path: Path) -> None:
    states = {"vehicle": "SBCD", "charger": "SNF"}[role]
    rng = random.Random(7)

    async def scenario(host: Host) -> None:
        await host.until(lambda s: True)
        expected, lines = [], hostile(role, rng, 1000)
        for line in lines:
            said = from_host(line)
            if isinstance(said, Order) and said.state in states and (role == "charger" or not said.duty):
                expected.append(said.seq)
        assert 20 < len(expected) < 70
        answered: list[int] = []
        for line in lines:
            host.wire.write(line + b"\n")
            await asyncio.sleep(max(0.02, len(line) / 3000))
        host.order("S")
        await host.until(lambda s: s.seq == host.seq)
        for said in host.said:
            if isinstance(said, Status) and said.seq not in (0, host.seq, *answered[-1:]):
                answered.append(said.seq)
        assert answered == expected

    on(role, tmp_path, scenario)


def test_it_introduces_itself(tmp_path: Path) -> None:
    async def scenario(host: Host) -> None:
        await host.until(lambda s: True)
        assert isinstance(host.said[0], Version)
        assert host.said[0][:3] == (0, 1, "charger")
        host.wire.write(Ask(4711).encode())
        await host.until(lambda s: s.uptime_ms > host.said[0].uptime_ms + 200)
        assert [said.seq for said in host.said if isinstance(said, Version)] == [0, 4711]

    on("charger", tmp_path, scenario)


def test_a_vehicles_end_of_the_pilot(tmp_path: Path) -> None:
    """Levels within 0.2 V and duty within 0.3 % of what is put on, for each of its own states; proximity; inlet."""

    async def scenario(host: Host) -> None:
        world = host.board
        world.set(pilot=50)
        await host.arm("B")
        for state, volts in (("B", 8.98), ("C", 6.0), ("D", 2.95)):
            for duty in (50, 100, 500, 960):
                world.set(pilot=duty)
                await host.keep(0.2, state)
                host.order(state)
                status = await host.until(lambda s: s.seq == host.seq)
                assert status.state is PilotState(state)
                assert status.high == pytest.approx(volts, abs=0.2)
                assert status.duty_percent == pytest.approx(duty / 10, abs=0.3)
        for source in ("off", "fault"):
            world.set(pilot=source)
            await host.keep(0.2, "B")
            status = await host.until(lambda s: True)
            assert (status.state, status.duty_percent) == (PilotState.E, None)
        world.set(pilot="steady", proximity="open", inlet=400.0)
        await host.keep(0.2, "B")
        status = await host.until(lambda s: True)
        assert (status.state, status.duty_percent) == (PilotState.B, None)
        assert status.high == pytest.approx(8.98, abs=0.2)
        assert status.proximity == pytest.approx(5.0, abs=0.01)
        assert status.inlet == pytest.approx(400.0, abs=1.5)
        for ohm, volts in ((1500, 4.10), (680, 3.37), (220, 2.0), (100, 1.16)):
            world.set(proximity=ohm, inlet=800.0)
            await host.keep(0.2, "B")
            status = await host.until(lambda s: True)
            assert status.proximity == pytest.approx(volts, abs=0.03)
            assert status.inlet is None  # beyond its range

    on("vehicle", tmp_path, scenario)


LOADS = {"A": "open", "B": "2740", "C": "882", "D": "246", "E": "0"}


def test_a_chargers_end_of_the_pilot(tmp_path: Path) -> None:
    """The oscillator's edges are what was ordered; every vehicle is recognised at every duty cycle; the diode check."""

    async def scenario(host: Host) -> None:
        world = host.board
        await host.arm("N")
        for duty in (50, 100, 500, 960, 0):
            world.set(load="open")
            host.order("N", duty)
            await world.until(lambda e, d=duty: e.duty == (d or 1000))
            for state, ohm in LOADS.items():
                world.set(load=ohm)
                host.order("N", duty)
                there = (state, duty / 10 or None)
                await host.until(lambda s, there=there: (s.state.value, s.duty_percent) == there, 1.0)
        world.set(load="882")
        await host.keep(0.2, "N", 50)
        status = await host.until(lambda s: s.state is PilotState.C)
        assert status.high == pytest.approx(6.0, abs=0.2) and status.low == pytest.approx(-12.0, abs=0.2)
        world.set(diode=0)
        host.order("N", 50)
        status = await host.until(lambda s: Flag.DIODE_FAULT in s.flags, 1.0)
        assert status.state is PilotState.E
        assert status.low == pytest.approx(-5.6, abs=0.2)
        world.set(diode=1)
        host.order("F")
        await host.until(lambda s: s.state is PilotState.F)
        assert (await world.until(lambda e: e.duty == 0)).armed

    on("charger", tmp_path, scenario)


SAFE: dict[str, Callable[[Event], bool]] = {
    "vehicle": lambda e: e.state == "B" and not e.armed,
    "charger": lambda e: e.duty == 0 and not e.armed,
}


async def charging(host: Host) -> None:
    """Both relays closed, locked, in the charge loop."""
    host.board.set(pilot=50, load=882, inlet=400.0)
    if host.board.role == "vehicle":
        await host.arm("B")
        await host.keep(0.2, "C")
        host.order("C", 0, 3, True)
    else:
        await host.arm("N")
        await host.keep(0.4, "N", 50)
        host.order("N", 50, 3, True)
    await host.board.until(lambda e: e.relays == 3 and e.locked)
    host.order(*(("C", 0) if host.board.role == "vehicle" else ("N", 50)), 3, True)


@pytest.mark.parametrize("role", ["vehicle", "charger"])
def test_its_watchdog(role: str, tmp_path: Path) -> None:
    """Silent for 1 s: safe pilot at once, relays half a second later, unlocked when no voltage is left; in its time."""

    async def scenario(host: Host) -> None:
        await charging(host)
        host.board.set(speed=4)
        events = host.board.events
        safe = await host.board.until(SAFE[role])
        assert 1000 <= safe.t - safe.heard <= 1050
        first = next(e for e in events if not e.armed and e.t > events[0].t and e.t > safe.heard + 500)
        assert first.relays == (3 if role == "vehicle" else 1)  # the charger's supply loses its enable at once
        opened = await host.board.until(lambda e: e.relays == 0)
        assert 480 <= opened.t - first.t <= 540
        assert opened.locked
        host.board.set(inlet=30.0)
        unlocked = await host.board.until(lambda e: not e.locked)
        assert unlocked.t - opened.t >= 1000
        status = await host.until(lambda s: True)
        assert status.flags & (Flag.TRIPPED | Flag.HOST_SILENT) == Flag.TRIPPED | Flag.HOST_SILENT
        for _ in range(5):  # outputs asked for earlier never come back
            host.order(*(("C", 0) if role == "vehicle" else ("N", 50)), 3, True)
            await asyncio.sleep(0.05)
        assert (host.board.now.relays, host.board.now.locked, host.board.now.armed) == (0, False, False)
        await host.arm("B" if role == "vehicle" else "N")

    on(role, tmp_path, scenario)


def test_a_repeated_frame_is_no_sign_of_life(tmp_path: Path) -> None:
    async def scenario(host: Host) -> None:
        await charging(host)
        same = Order(host.seq, "C", 0, 3, True).encode()
        safe = asyncio.ensure_future(host.board.until(lambda e: not e.armed))
        while not safe.done():  # by the board's time, which may be slower than ours
            host.wire.write(same)
            await asyncio.sleep(0.1)
        assert not safe.result().armed

    on("vehicle", tmp_path, scenario)


def test_a_voltage_that_stays_does_not_lock_anybody_in(tmp_path: Path) -> None:
    async def scenario(host: Host) -> None:
        await charging(host)
        host.board.set(speed=5)
        opened = await host.board.until(lambda e: e.relays == 0)
        unlocked = await host.board.until(lambda e: not e.locked)
        assert 5000 <= unlocked.t - opened.t <= 5400

    on("vehicle", tmp_path, scenario)


@pytest.mark.parametrize("role", ["vehicle", "charger"])
def test_a_program_that_hangs_is_reset_by_the_watchdog_of_the_chip(role: str, tmp_path: Path) -> None:
    async def scenario(host: Host) -> None:
        await charging(host)
        before = host.board.now
        host.board.command("hang")
        after = await host.board.until(lambda e: e.relays == 0, 3.0)
        assert after.resets == before.resets + 1
        assert after.t - before.t < 800
        assert SAFE[role](await host.board.until(SAFE[role]))
        assert host.board.now.locked
        host.board.set(inlet=0, speed=5)
        await host.board.until(lambda e: not e.locked)  # what it finds locked, it unlocks

    on(role, tmp_path, scenario)


def test_an_emergency_and_a_jammed_lock(tmp_path: Path) -> None:
    async def scenario(host: Host) -> None:
        await charging(host)
        host.board.set(jam=1, inlet=0, speed=4)
        host.order("C", 0, 3, True)
        host.board.set(emergency=1)
        opened = await host.board.until(lambda e: e.relays == 0, 2.0)
        assert not opened.armed
        host.order("B")
        assert Flag.EMERGENCY in (await host.until(lambda s: s.seq == host.seq)).flags
        await host.until(lambda s: Flag.LOCK_JAMMED in s.flags)
        assert host.board.now.lock == "-"
        host.board.set(jam=0)
        await host.board.until(lambda e: not e.locked)  # it tries again

    on("vehicle", tmp_path, scenario)


@pytest.mark.parametrize(("role", "plugs"), [("vehicle", {"plugged": 1}), ("charger", {"load": 2740})])
def test_relays_are_tried_with_nothing_plugged_in(role: str, plugs: dict[str, object], tmp_path: Path) -> None:
    rest = "B" if role == "vehicle" else "N"

    async def scenario(host: Host) -> None:
        world = host.board
        world.set(plugged=0, pilot=50, load="open")
        for spoils in ({"inlet": 100.0}, plugs):
            world.set(inlet=10.0)
            await host.arm(rest)
            await host.keep(0.3, rest, relays=1)
            assert world.now.relays == 0
            await host.keep(0.5, "T", relays=3)
            assert world.now.relays == 3
            assert Flag.TRIPPED not in (await host.until(lambda s: True)).flags
            world.set(**spoils)
            await world.until(lambda e: e.relays == 0, 1.0)
            flags = (await host.until(lambda s: s.relays == 0)).flags
            assert flags & (Flag.TRIPPED | Flag.TEST_LIVE) == Flag.TRIPPED | Flag.TEST_LIVE
        await host.arm(rest)
        await host.keep(0.3, "T", relays=3)
        assert world.now.relays == 0

    on(role, tmp_path, scenario)


HOST = """
import asyncio, sys
from pyplc.hw.arduino import Arduino, ArduinoSettings
from pyplc.hw.driver import Context
from pyplc.hw.ports import PilotState

async def main():
    board = Arduino(ArduinoSettings(port=sys.argv[1]), Context("arduino", "vehicle", lambda: None))
    task = asyncio.ensure_future(board.run())
    await board.ready()
    pilot = board.part("pilot")
    while pilot.view.state is not PilotState.B:
        await pilot.changed()
    await pilot.set_state(PilotState.C)
    await board.part("lock").lock()
    await board.part("contactor").close()
    await task

asyncio.run(main())
"""


def test_a_host_killed_with_sigkill(tmp_path: Path) -> None:
    simavr.built()

    async def main() -> None:
        board = Simavr("vehicle", tmp_path / "ttyACM0")
        task = asyncio.ensure_future(board.run())
        await board.started()
        board.set(pilot=50, inlet=20.0)
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", HOST, str(board.port))
        try:
            await board.until(lambda e: e.relays == 1 and e.state == "C" and e.locked, 20.0)
            await asyncio.sleep(0.5)
            assert board.now.armed
            process.send_signal(signal.SIGKILL)
            safe = await board.until(lambda e: e.state == "B", 3.0)
            assert safe.t - safe.heard <= 1050
            opened = await board.until(lambda e: e.relays == 0, 3.0)
            assert opened.t - safe.heard <= 1600
            assert (await board.until(lambda e: not e.locked)).t > opened.t
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())


# the pins

PIN = re.compile(r"#define PIN_\w+ ([BCD]), (\d) +/\* (\w+) +\| (\w+) +\| (\w+) +\| (.*) \*/")
NAMES = {"D": "D{}", "B": "D{}", "C": "A{}"}


def test_the_pins_are_what_they_are_called_and_stand_in_the_manual() -> None:
    pins = PIN.findall((simavr.FIRMWARE / "board.h").read_text())
    assert len(pins) == 15
    for port, bit, name, *_ in pins:
        assert name == NAMES[port].format(int(bit) + 8 if port == "B" else int(bit))
    assert len({name for _, _, name, *_ in pins}) == len(pins)
    page = (simavr.FIRMWARE.parent / "docs" / "reference" / "firmware-protocol.md").read_text()
    rows = {tuple(cell.strip() for cell in line.strip("|").split("|")) for line in page.splitlines() if line[:1] == "|"}
    assert {tuple(pin[2:]) for pin in pins} <= rows
