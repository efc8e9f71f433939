"""`pyplc sim` and the errors of the other verbs, as a user meets them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from pyplc.cli.main import VERBS, main


def pyplc(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from pyplc.cli.main import main; main()", *words], capture_output=True, text=True
    )


def test_the_last_json_line_is_the_summary() -> None:
    done = pyplc("sim", "--json", "--target-soc", "45.1", "--fast-modems")
    assert done.returncode == 0
    lines = [json.loads(text) for text in done.stdout.splitlines()]
    assert lines[0]["type"] == "start"
    assert {"t", "type", "side"} <= set.intersection(*(set(entry) for entry in lines))
    last = lines[-1]
    assert last["type"] == "summary"
    assert (last["outcome"], last["reason"]) == ("finished", "target of 45.1 % reached")
    assert {"soc_percent", "energy_wh", "duration_s", "messages"} <= set(last)
    assert done.stdout == pyplc("sim", "--json", "--target-soc", "45.1", "--fast-modems").stdout


def test_a_session_that_does_not_finish_has_another_exit_code(tmp_path: Path) -> None:
    file = tmp_path / "weak.toml"
    file.write_text("[charger]\nmax_voltage = 300.0\n")
    done = pyplc("sim", str(file), "--fast-modems")
    assert done.returncode == 1
    assert "the charger gives 150 to 300 V" in " ".join(done.stdout.split())


def test_record_writes_both_files(tmp_path: Path) -> None:
    assert pyplc("sim", "--target-soc", "45.05", "--fast-modems", "--record", str(tmp_path)).returncode == 0
    (folder,) = tmp_path.iterdir()
    assert sorted(file.name for file in folder.iterdir()) == ["session.jsonl", "session.pcapng"]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("ev", "nowhere.toml"), "nowhere.toml: No such file"),
        (("ev", "{file}", "--interface", "nope0"), "there is no interface 'nope0'; there are: "),
        (("evse", "{file}", "--interface", "nope0", "--driver", "pcap"), "there is no interface 'nope0'"),
        (("modem", "emulate", "nope0"), "there is no interface 'nope0'"),
    ],
)
def test_one_clear_line_and_no_traceback(words: tuple[str, ...], complaint: str, tmp_path: Path) -> None:
    file = tmp_path / "station.toml"
    file.write_text("[record]\n")
    done = pyplc(*(word.format(file=file) for word in words))
    assert done.returncode == 1
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == 1


def test_every_verb_has_help() -> None:
    for verb in VERBS:
        result = CliRunner().invoke(main, [verb, "--help"])
        assert result.exit_code == 0, verb
    assert "Example" in CliRunner().invoke(main, ["--help"]).output
