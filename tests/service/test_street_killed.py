"""A vehicle's process is killed in the charge loop: the firmware in simavr opens alone, by its own clock."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import pytest
import simavr
from field import PYPLC, Street, missing, wait_for

pytestmark = [
    pytest.mark.skipif((reason := missing()) is not None, reason=reason or ""),
    pytest.mark.timeout(120),
]

BOX = """
[network]
interface = "se0"
[record]
folder = "box-results"
[plant.cable]
isolation_s = 0.2
"""
CAR = """
[network]
interface = "ev0"
[vehicle]
target_soc = 99
precharge_by = "reported"
[hardware]
pilot = "arduino"
contactor = "arduino"
inlet = "reported"
lock = "arduino"
battery = "load"
[devices.arduino]
port = "ttyArduino"
[devices.load]
voltage = 300.0
max_voltage = 330.0
max_current = 20.0
soc_percent = 60.0
percent_per_s = 0.1
[record]
folder = "car-results"
"""
WATCHDOG_MS = 1050
"""Silence of the host, and one look of the firmware."""
OPENS_MS = WATCHDOG_MS + 550
UNLOCKS_MS = OPENS_MS + 1050 + 300


class Board:
    """The firmware in simavr as a process; its events are in a file."""

    def __init__(self, folder: Path) -> None:
        built = simavr.built()
        self._log = folder / "board.log"
        with self._log.open("wb") as out:
            self.process = subprocess.Popen(
                [built / "simulate", "vehicle", built / "vehicle.elf", folder / "ttyArduino"],
                stdin=subprocess.PIPE,
                stdout=out,
            )
        assert self.process.stdin is not None
        self.process.stdin.write(b"plugged 1\npilot 50\ninlet 0\n")
        self.process.stdin.flush()

    def end(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.kill()
        self.process.wait()

    def events(self) -> list[dict[str, str]]:
        lines = self._log.read_text().split("\n")[:-1]
        return [dict(word.split("=") for word in line.split()) for line in lines if line.startswith("t=")]

    def until(self, what: str, seconds: float = 10.0, **wanted: str) -> int:
        """The board's time, ms, of the last event, once that shows what is wanted."""

        def there() -> dict[str, str] | None:
            last = (self.events() or [{}])[-1]
            return last if all(last.get(name) == value for name, value in wanted.items()) else None

        return int(wait_for(what, there, seconds)["t"])

    def first(self, after: int, **wanted: str) -> int:
        """The board's time, ms, of the first event after `after` that shows what is wanted."""
        return next(
            int(event["t"])
            for event in self.events()
            if int(event["t"]) > after and all(event[name] == value for name, value in wanted.items())
        )


def test_sigkill_in_the_charge_loop_opens_within_the_firmwares_time(tmp_path: Path) -> None:
    (tmp_path / "box.toml").write_text(BOX)
    (tmp_path / "car.toml").write_text(CAR)
    board = Board(tmp_path)
    with Street(tmp_path) as street:
        try:
            street.powerline()
            street.start("box", "box", [str(PYPLC), "evse", "--once", "--json", "box.toml"])
            street.start("car", "car", [str(PYPLC), "ev", "--json", "car.toml"])
            wait_for("the charge loop", lambda: '"number":700' in street.log("car"), 60)
            closed = board.until("closed contactors", relays="1", state="C", locked="1", armed="1")
            assert street.end("car", signal.SIGKILL) == -signal.SIGKILL

            board.until("the safe state", state="B", relays="0", locked="0", armed="0")
            tripped = board.first(closed, state="B")
            (heard,) = {int(e["heard"]) for e in board.events() if int(e["t"]) >= tripped}
            opened, unlocked = board.first(closed, relays="0"), board.first(closed, locked="0")
            print(f"after the last byte: B {tripped - heard}, open {opened - heard}, unlocked {unlocked - heard} ms")
            assert tripped - heard <= WATCHDOG_MS
            assert tripped < opened and opened - heard <= OPENS_MS
            assert opened < unlocked and unlocked - heard <= UNLOCKS_MS

            # the kernel closed the connection: the charger ends at once, and safely
            street.running.pop("box").wait(20)
            said = [json.loads(line) for line in street.log("box").splitlines() if line.startswith("{")]
            (summary,) = [line for line in said if line["type"] == "summary"]
            assert summary["outcome"] == "lost"
            switched = {line["device"]: line["state"] for line in said if line["type"] == "switch"}
            assert (switched["supply"], switched["contactor"]) == ("off", "open")
        finally:
            board.end()
            for name in ("box", "car", "board"):
                print(f"== {name}\n{street.log(name)[-3000:]}")
