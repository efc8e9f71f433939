"""A vehicle with Dieter as processes: its file composes the station, the port comes and goes, the charge is real."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
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
target_soc = 90
precharge_by = "reported"
[hardware]
pilot = "dieter"
contactor = "dieter"
inlet = "reported"
lock = "none"
battery = "load"
display = "dieter"
[devices.dieter]
port = "ttyDieter"
[devices.load]
voltage = 300.0
max_voltage = 330.0
max_current = 20.0
soc_percent = 60.0
percent_per_s = 4.0
[service]
retry_first_s = 0.5
retry_most_s = 1
[record]
folder = "car-results"
"""


def ended(street: Street) -> list[dict[str, object]]:
    """The summaries of the vehicle's sessions."""
    lines = [json.loads(line) for line in street.log("car").splitlines() if line.startswith("{")]
    return [line for line in lines if line["type"] == "summary"]


def test_a_vehicle_whose_dieter_comes_and_goes(tmp_path: Path) -> None:
    (tmp_path / "box.toml").write_text(BOX)
    (tmp_path / "car.toml").write_text(CAR)
    emulate = [str(PYPLC), "hw", "emulate", "dieter", "--port", "ttyDieter"]
    with Street(tmp_path) as street:
        try:
            street.powerline()
            street.start("box", "box", [str(PYPLC), "evse", "box.toml"])
            street.start("car", "car", [str(PYPLC), "ev", "--forever", "--json", "car.toml"])
            wait_for("the missing port", lambda: "ttyDieter" in street.log("car"), 20)

            street.start("dieter", "car", emulate)
            wait_for("the charge loop", lambda: '"number":700' in street.log("car"), 40)
            street.end("dieter", signal.SIGKILL)  # the adaptor is torn out
            wait_for("the end of the session", lambda: ended(street), 20)
            assert ended(street)[0]["outcome"] == "device", ended(street)

            (tmp_path / "ttyDieter").unlink()
            street.start("dieter", "car", emulate)
            wait_for("the next charge", lambda: len(ended(street)) > 1, 60)
            assert ended(street)[1]["outcome"] == "finished", ended(street)
            assert "target of 90 % reached" in str(ended(street)[1]["reason"])
            assert street.end("car") in (0, 1)
        finally:
            for name in ("box", "car", "dieter"):
                print(f"== {name}\n{street.log(name)[-3000:]}")
