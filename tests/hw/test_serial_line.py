"""Serial ports by name, by USB ids and by `auto`."""

from __future__ import annotations

import asyncio
import os
import tty
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pyplc.hw.ports import DeviceError
from pyplc.hw.serial_line import LONGEST_LINE, SerialLine, find_port, ports_there, serial_opener


class Comport(NamedTuple):
    device: str
    vid: int | None
    pid: int | None
    serial_number: str | None
    description: str = ""


THERE = [
    Comport("/dev/ttyAMA0", None, None, None),
    Comport("/dev/ttyS1", None, None, None),
    Comport("/dev/ttyUSB1", 0x1A86, 0x7523, None, "CH340"),
    Comport("/dev/ttyACM0", 0x2341, 0x0043, "85735", "Arduino Uno"),
    Comport("/dev/ttyUSB0", 0x0403, 0x6001, "A1B2", "FT232R"),
]


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> list[Comport]:
    ports = list(THERE)
    monkeypatch.setattr("serial.tools.list_ports.comports", lambda: ports)
    return ports


@pytest.mark.parametrize(
    ("port", "device"),
    [
        ("auto", "/dev/ttyACM0"),
        ("usb:1a86:7523", "/dev/ttyUSB1"),
        ("usb:0403:6001:A1B2", "/dev/ttyUSB0"),
        ("usb:0403", "/dev/ttyUSB0"),
        ("/dev/ttyS7", "/dev/ttyS7"),
    ],
)
def test_which_port_is_meant(port: str, device: str, there: list[Comport]) -> None:
    assert find_port(port) == device


def test_auto_without_usb_takes_no_console(there: list[Comport]) -> None:
    there[:] = THERE[:2]
    assert find_port("auto") == "/dev/ttyS1"
    there[:] = THERE[:1]
    with pytest.raises(DeviceError, match="no serial port matches 'auto'; USB serial ports there are: none"):
        find_port("auto")


def test_what_there_is_is_told(there: list[Comport]) -> None:
    with pytest.raises(DeviceError, match=r"no serial port matches 'usb:dead'.*/dev/ttyACM0 \(2341:0043:85735\)"):
        find_port("usb:dead")
    assert [p.device for p in ports_there() if p.auto] == ["/dev/ttyACM0"]


def test_noise_without_an_end_does_not_grow() -> None:
    async def opener(data: Any, lost: Any) -> Any:
        raise OSError

    lines: list[bytes] = []
    line = SerialLine(opener, lines.append, lambda: None, lambda why: None)
    for _ in range(100):
        line._bytes(b"x" * 100)
    assert len(line._rest) <= LONGEST_LINE
    line._bytes(b"\nA0=1\r\nA0")
    line._bytes(b"=2\n")
    assert lines[1:] == [b"A0=1", b"A0=2"]


def test_a_port_that_was_closed_can_be_opened_by_another_loop_at_once(tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    tty.setraw(theirs)

    async def held() -> None:
        opened = asyncio.Event()
        line = SerialLine(serial_opener(os.ttyname(theirs), 19200), lambda line: None, opened.set, lambda why: None)
        task = asyncio.ensure_future(line.run())
        await asyncio.wait_for(opened.wait(), 0.4)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    for _ in range(3):
        asyncio.run(held())
    os.close(ours)
    os.close(theirs)
