"""Displays: what they show of a whole session, on a pseudo terminal, in a picture, on a virtual CAN bus."""

from __future__ import annotations

import asyncio
import importlib
import uuid
from pathlib import Path
from typing import Any

import benches
import pytest
import worlds
from hypothesis import given
from hypothesis import strategies as st

from pyplc.hw import can_frames
from pyplc.hw.can_display import CanDisplay, CanSettings, open_bus
from pyplc.hw.dieter import Dieter, DieterSettings
from pyplc.hw.emulated.line import EmulatedLine, PseudoTerminal
from pyplc.hw.emulated.oled import EmulatedSerialOled
from pyplc.hw.oled import Oled, OledSettings, SerialOled, SerialOledSettings
from pyplc.hw.ports import DeviceError
from pyplc.hw.shown import WIDTH, Shown, plain
from pyplc.plant.parameters import PlantParameters
from pyplc.plant.plant import Plant
from pyplc.record import Note, Phase, Reading, Record, Side


@pytest.fixture(scope="module")
def session() -> list[Record]:
    return worlds.session().records


def shown_of(records: list[Record], side: Side) -> list[tuple[str, str, str]]:
    shown, seen = Shown(), list[tuple[str, str, str]]()
    for record in records:
        if record.side == side and shown.read(record) and (not seen or seen[-1] != shown.lines()):
            seen.append(shown.lines())
    return seen


def test_a_vehicle_s_session_in_three_lines(session: list[Record]) -> None:
    seen = shown_of(session, "ev")
    states = list(dict.fromkeys(lines[0] for lines in seen))
    assert states[:4] == ["plugged in", "SLAC", "joining the netwo", "SECC discovery"]
    assert {"cable check", "pre-charge", "charging", "finished"} <= set(states)
    assert any(
        state == "charging" and figures.endswith("V 125 A") and soc == "SoC 45.1 %" for state, figures, soc in seen
    )
    assert all(len(line) <= WIDTH for lines in seen for line in lines)


def test_a_charger_s_session(session: list[Record]) -> None:
    seen = shown_of(session, "evse")
    states = list(dict.fromkeys(lines[0] for lines in seen))
    assert "CurrentDemand" in states and states[-1] == "finished"


def test_only_printable_characters() -> None:
    assert plain("Größe\n\0°C") == "Gr??e???C"
    shown = Shown()
    shown.read(Note(text="lc\nfoo", level="error"))
    assert shown.lines()[0] == "lc?foo"


def context(role: str = "vehicle") -> Any:
    return benches.context(role, None, "display")  # type: ignore[arg-type]  # a display asks no plant


async def played(display: Any, records: list[Record], *, seconds: float = 0.6) -> None:
    task = asyncio.ensure_future(display.run())
    await asyncio.sleep(0.05)
    for record in records:
        display.read(record)
    await asyncio.sleep(seconds)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


CHARGING = [Phase(name="charging", side="ev"), Reading(voltage=355.4, current=12.0, soc_percent=45.31, side="ev")]


def test_the_serial_oled_over_a_pseudo_terminal(tmp_path: Path) -> None:
    far = EmulatedSerialOled()
    terminal = PseudoTerminal(EmulatedLine(far), tmp_path / "ttyOled")
    display = SerialOled(SerialOledSettings(port=str(terminal.path)), context())

    async def main() -> None:
        terminal.plug()
        await played(display, CHARGING, seconds=1.0)
        terminal.unplug()

    asyncio.run(main())
    assert list(far.lines)[-3:] == ["charging", "355 V 12 A", "SoC 45.3 %"]


def test_a_display_that_is_not_there_is_noted_once() -> None:
    display, notes = SerialOled(SerialOledSettings(port="/dev/ttyNone"), context()), list[str]()
    display.note = lambda text, level: notes.append(text)
    asyncio.run(played(display, CHARGING))
    display.check()  # and ends nothing


def test_a_display_on_dieter_s_line() -> None:
    sent: list[bytes] = []

    class Recorded:
        def write(self, data: bytes) -> None:
            sent.append(data)

        def close(self) -> None: ...

    async def main() -> None:
        async def opener(data: Any, lost: Any) -> Recorded:
            return Recorded()

        dieter = Dieter(DieterSettings(), benches.context("vehicle", Plant(PlantParameters())), opener)
        await played(dieter.part("display"), CHARGING)

    asyncio.run(main())
    assert sent[-4:-1] == [b"lccharging\n", b"lc355 V 12 A\n", b"lcSoC 45.3 %\n"] or sent[-3:] == [
        b"lccharging\n", b"lc355 V 12 A\n", b"lcSoC 45.3 %\n",
    ]  # fmt: skip


def test_the_oled_draws_three_lines() -> None:
    device = pytest.importorskip("luma.core.device", reason="luma.oled is not installed")
    importlib.import_module("luma.core.render")
    picture = device.dummy(width=128, height=64, mode="1")
    display = Oled(OledSettings(), context(), lambda: picture)

    def dark(top: int) -> bool:
        return picture.image.crop((0, top, 128, top + 21)).getbbox() is None

    asyncio.run(played(display, []))
    assert [dark(top) for top in (0, 21, 42)] == [False, True, True]
    asyncio.run(played(Oled(OledSettings(), context(), lambda: picture), CHARGING))
    assert [dark(top) for top in (0, 21, 42)] == [False, False, False]
    assert picture.image.getbbox()[2] <= 128


def test_an_oled_that_is_not_there_ends_nothing() -> None:
    pytest.importorskip("luma.oled", reason="luma.oled is not installed")
    display, notes = Oled(OledSettings(port=99), context()), list[str]()
    display.note = lambda text, level: notes.append(text)
    asyncio.run(played(display, CHARGING, seconds=0.1))
    display.check()
    assert len(notes) == 1 and "the display failed" in notes[0]


@pytest.mark.parametrize(("role", "side"), [("charger", "evse"), ("vehicle", "ev")])
def test_frames_on_a_virtual_bus(role: str, side: Side, session: list[Record]) -> None:
    can = pytest.importorskip("can", reason="python-can is not installed")
    channel = uuid.uuid4().hex
    settings = CanSettings(interface="virtual", channel=channel)
    far = can.Bus(interface="virtual", channel=channel)
    until = next(i for i, r in enumerate(session) if r.t > 24.0)
    display = CanDisplay(settings, context(role))
    asyncio.run(played(display, [r for r in session[:until] if r.side == side], seconds=0.3))
    heard: dict[int, Any] = {}
    while (message := far.recv(0)) is not None:
        assert not message.is_extended_id
        heard[message.arbitration_id] = can_frames.decode(message.arbitration_id, bytes(message.data))
    far.shutdown()
    if role == "charger":
        assert heard[0x678] == {"info": 13, "meaning": "CurrentDemand", "soc_percent": 0}
        assert heard[0x679] == {"target_voltage": 408, "target_current": 125, "voltage": 366, "current": 125}
        assert heard[0x67A] == {"vehicle": "00:00:00:00:00:00", "log": 0}  # of the first round: nobody was there
    else:
        assert heard[0x567]["checkpoint"] == 700
        assert heard[0x568]["charger_voltage"] == pytest.approx(367, abs=2)
        assert heard[0x568]["inlet_voltage"] == pytest.approx(366, abs=2)


def test_frames_to_the_byte() -> None:
    assert can_frames.state(13, 45.3).hex() == "0d2d223344556677"
    assert can_frames.power(408, 125, 365.4, 70000).hex() == "98017d006d01ffff"
    assert can_frames.peer(bytes.fromhex("020000000001"), 0x1234).hex() == "0200000000013412"
    assert can_frames.progress(65538, 700).hex() == "01000202bc000000"
    assert can_frames.voltages(400, -3).hex() == "0190fffd00000000"


@given(st.integers(0, 0x7FF), st.binary(max_size=8))
def test_any_frame_decodes_or_is_none_of_ours(number: int, data: bytes) -> None:
    decoded = can_frames.decode(number, data)
    assert decoded is None or number in can_frames.NAMES


def test_a_bus_that_is_not_there_is_named() -> None:
    pytest.importorskip("can", reason="python-can is not installed")
    with pytest.raises((DeviceError, OSError), match="can-none|No such device|not supported"):
        open_bus(CanSettings(channel="can-none"))


def test_ports_are_listed_without_a_line(tmp_path: Path) -> None:
    display = SerialOled(SerialOledSettings(port="usb:ffff:ffff"), context())
    asyncio.run(played(display, [], seconds=0.1))
    assert "no serial port matches 'usb:ffff:ffff'" in display._line.trouble
