"""`pyplc hw`: the walk through emulated devices on their wires, what it asks, and what it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest
from click.testing import CliRunner, Result

from pyplc.cli.hw import command
from pyplc.hw.can_frames import state
from pyplc.hw.registry import DRIVERS

DIETER = """
[hardware]
pilot = "dieter"
contactor = "dieter"
inlet = "dieter"
lock = "none"
battery = "load"
[devices.dieter]
port = "{port}"
"""


@contextmanager
def emulated(device: str, port: Path) -> Iterator[None]:
    """`pyplc hw emulate` in a process of its own."""
    words = [sys.executable, "-m", "pyplc.cli.main", "hw", "emulate", device, "--port", str(port)]
    code = "from pyplc.cli.main import main; main()"
    process = subprocess.Popen([sys.executable, "-c", code, *words[3:]], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None and b"is at" in process.stdout.readline()
        yield
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


def hw(*words: str) -> Result:
    return CliRunner().invoke(command, list(words))


@pytest.fixture(scope="module")
def dieter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("hw")
    file = folder / "my.toml"
    file.write_text(DIETER.format(port=folder / "ttyDieter"))
    with emulated("dieter", folder / "ttyDieter"):
        yield file


def outcomes(result: Result) -> dict[str, str]:
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    return {f"{line['part']}: {line['title']}": line["verdict"] for line in lines}


def test_without_leave_nothing_is_energised(dieter: Path) -> None:
    result = hw("test", str(dieter), "--json")
    assert result.exit_code == 0, result.output
    assert outcomes(result) == {
        "pilot: read the pilot": "ok",
        "inlet: read the inlet's voltage": "ok",
        "battery: read the battery": "ok",
        "lock: lock and unlock the connector": "skipped",
        "pilot: ask for state C, then B": "skipped",
        "contactor: close and open the contactors": "skipped",
    }


def test_with_leave_everything_is_switched_there_and_back(dieter: Path) -> None:
    result = hw("test", str(dieter), "--yes", "--live", "--part", "pilot", "--part", "contactor")
    assert result.exit_code == 0, result.output
    assert "pilot (dieter): ask for state C, then B: confirmed C and B" in result.output
    assert "contactor (dieter): close and open the contactors: confirmed closed and open" in result.output


def test_what_cannot_be_tested_is_said(tmp_path: Path, dieter: Path) -> None:
    file = tmp_path / "f.toml"
    file.write_text("")
    assert "everything is simulated" in hw("test", str(file)).output
    assert "no such part: roof; there is: pilot, contactor" in hw("test", str(dieter), "--part", "roof").output
    assert "--live goes with --yes or --json" in hw("test", str(dieter), "--live").output
    file.write_text('[hardware]\npilot = "diter"')
    assert "did you mean 'dieter'" in hw("test", str(file)).output


def test_a_device_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyplc.hw.dieter.Dieter.patience_s", 0.3)
    file = tmp_path / "f.toml"
    file.write_text(DIETER.format(port=tmp_path / "none"))
    result = hw("test", str(file), "--json")
    assert result.exit_code == 1
    assert "dieter: nothing heard for 0.3 s" in result.output and "No such file" in result.output


def test_the_celeron55_board_is_emulated_too(tmp_path: Path) -> None:
    file = tmp_path / "my.toml"
    parts = "\n".join(f'{part} = "celeron55"' for part in ("pilot", "contactor", "lock", "inlet", "battery"))
    file.write_text(
        f'[hardware]\n{parts}\n[devices.celeron55]\nport = "{tmp_path}/tty"\nbattery = {{ max_voltage = 400.0 }}\n'
    )
    with emulated("celeron55", tmp_path / "tty"):
        result = hw("test", str(file), "--json", "--live")
    assert result.exit_code == 0, result.output
    assert set(outcomes(result).values()) == {"ok"} and len(outcomes(result)) == 6


def test_the_board_with_our_firmware_is_emulated_too(tmp_path: Path) -> None:
    file = tmp_path / "my.toml"
    file.write_text(
        '[hardware]\npilot = "arduino"\ncontactor = "arduino"\nlock = "arduino"\ninlet = "arduino"\nbattery = "load"\n'
        f'[devices.arduino]\nport = "{tmp_path}/tty"\n'
    )
    with emulated("arduino", tmp_path / "tty"):
        result = hw("test", str(file), "--json", "--live", "--part", "pilot", "--part", "contactor", "--part", "lock")
    assert result.exit_code == 0, result.output
    assert set(outcomes(result).values()) == {"ok"} and len(outcomes(result)) == 4


def test_drivers_and_ports_are_listed() -> None:
    rows = json.loads(hw("drivers", "--json").output)
    assert [row["name"] for row in rows] == list(DRIVERS)
    assert "dieter" in hw("drivers").output
    assert isinstance(json.loads(hw("ports", "--json").output), list)


def test_can_frames_in_words() -> None:
    can = pytest.importorskip("can", reason="python-can is not installed")
    channel = uuid.uuid4().hex
    bus = can.Bus(interface="virtual", channel=channel)

    def send() -> None:
        until = time.monotonic() + 5
        while time.monotonic() < until and not done:
            bus.send(can.Message(arbitration_id=0x678, data=state(13, 45), is_extended_id=False))
            time.sleep(0.05)

    done: list[bool] = []
    sender = Thread(target=send)
    sender.start()
    result = hw("sniff", "--interface", "virtual", "--channel", channel, "--count", "1")
    done.append(True)
    sender.join()
    bus.shutdown()
    assert result.output == "678 state    info 13, meaning CurrentDemand, soc_percent 45\n"


def test_an_emulated_port_vanishes_with_its_program_and_replaces_no_file(tmp_path: Path) -> None:
    with emulated("dieter", port := tmp_path / "tty"):
        assert port.is_symlink()
    assert not port.is_symlink()
    port.write_text("mine")
    done = hw("emulate", "dieter", "--port", str(port))
    assert (done.exit_code, port.read_text()) == (1, "mine")
    assert "exists; --port is the name of a port to be made" in done.output
