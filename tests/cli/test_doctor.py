"""`pyplc doctor` as a process, on cables to emulated modems in network namespaces."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pyplc.cli.main import main

sys.path.insert(0, str(Path(__file__).parents[1] / "service"))

from field import PYPLC, Street, missing, wait_for  # beside the service's tests

needs_namespaces = pytest.mark.skipif((reason := missing()) is not None, reason=reason or "")

CAR = '[network]\ninterface = "ev0"\n[vehicle]\ntarget_soc = 90\n[record]\nfolder = "results"\n'


BOX = '[network]\ninterface = "se0"\n[charger]\nenergy = "dc"\n[record]\nfolder = "results"\n'


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    """The car's modem is right, the box has a charger's modem that thinks it is in a car, `dead0` has none."""
    with Street(tmp_path_factory.mktemp("doctor")) as made:
        for name, interface in (("car", "ev0"), ("box", "se0"), ("car", "dead0")):
            made.cable(name, interface)
        roles = ["--role", "lev0=pev", "--role", "lse0=pev"]
        emulated = [str(PYPLC), "modem", "emulate", "lev0", "--peer", "lse0", "--fast", *roles]
        made.start("modem", "line", emulated)
        wait_for("emulated modems", lambda: "ready" in made.log("modem"))
        (made.folder / "car.toml").write_text(CAR)
        (made.folder / "box.toml").write_text(BOX)
        yield made


def examined(street: Street, where: str, *words: str) -> tuple[int, str]:
    command = ["ip", "netns", "exec", street.namespace(where), str(PYPLC), "doctor", *words]
    done = subprocess.run(command, capture_output=True, text=True, cwd=street.folder, timeout=50)
    assert not done.stderr, done.stderr
    return done.returncode, done.stdout


def checks(text: str) -> dict[str, dict[str, Any]]:
    return {check["check"]: check for check in json.loads(text)["checks"]}


@needs_namespaces
def test_a_sound_vehicle(street: Street) -> None:
    code, text = examined(street, "car", "car.toml", "--json")
    found = checks(text)
    wrong = {name: check for name, check in found.items() if check["verdict"] not in ("good", "warning")}
    assert code == 0 and not wrong, text
    assert found["interface"]["says"].startswith("ev0 is up, MAC ")
    assert found["address"]["says"].startswith("fe80::")
    assert found["eee"]["verdict"] == "good"
    assert found["modem"]["says"].startswith("QCA7420 ")
    assert found["firmware"]["says"].startswith("MAC-QCA7420-1.4.0")
    assert found["role"] == {"check": "role", "verdict": "good", "says": "set up as pev, all 5 fields", "mend": None}
    assert json.loads(text)["good"] is True and json.loads(text)["role"] == "ev"


@needs_namespaces
def test_a_modem_of_the_other_side_and_the_command_that_mends_it(street: Street) -> None:
    code, text = examined(street, "box", "box.toml")
    lines = text.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("role "))
    assert code == 1 and lines[at].split()[1] == "failed"
    assert "slac is 1 (PEV)" in lines[at] and "cco is 1 (never)" in lines[at]
    word, mend = lines[at + 1].split(maxsplit=1)
    assert word == "mend"
    commands = mend.replace("pyplc ", f"{PYPLC} ")
    shell = ["ip", "netns", "exec", street.namespace("box"), "sh", "-c", f"{commands} --yes"]
    subprocess.run(shell, check=True, capture_output=True, cwd=street.folder, timeout=50)
    code, text = examined(street, "box", "box.toml", "--json")
    assert code == 0 and checks(text)["role"]["says"] == "set up as evse, all 5 fields", text


@needs_namespaces
def test_a_cable_without_a_modem(street: Street) -> None:
    code, text = examined(street, "car", "car.toml", "--interface", "dead0", "--json")
    found = checks(text)
    assert code == 1 and found["modem"]["verdict"] == "failed" and "no modem answers on dead0" in found["modem"]["says"]
    assert found["firmware"]["verdict"] == found["role"]["verdict"] == "skipped"


@needs_namespaces
def test_an_interface_that_is_down(street: Street) -> None:
    namespace = street.namespace("car")
    subprocess.run(["ip", "-n", namespace, "link", "set", "dead0", "down"], check=True)
    try:
        code, text = examined(street, "car", "--interface", "dead0", "--role", "ev", "--json")
    finally:
        subprocess.run(["ip", "-n", namespace, "link", "set", "dead0", "up"], check=True)
    found = checks(text)
    assert code == 1 and found["interface"]["mend"] == "sudo ip link set dead0 up"
    assert {found[name]["verdict"] for name in ("ethernet", "address", "modem", "role")} == {"skipped"}


def test_an_interface_that_is_not_there() -> None:
    done = CliRunner().invoke(main, ["doctor", "--interface", "nowhere9"])
    assert done.exit_code == 1 and "there is no interface 'nowhere9'" in done.output
    assert "failed" in done.output.splitlines()[-1]
