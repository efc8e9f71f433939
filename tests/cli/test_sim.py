"""`pyplc sim` and the errors of the other verbs, as a user meets them."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from pyplc.checkpoints import CHECKPOINTS
from pyplc.cli.main import VERBS, main
from pyplc.record import Checkpoint, Note, Record
from pyplc.service.terminal import Terminal


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
    done = pyplc("decode", str(folder), "--session", "7")
    assert (done.returncode, done.stdout) == (0, "")
    assert "nothing to show of session 7" in done.stderr


def test_a_recording_says_where_it_is(tmp_path: Path) -> None:
    done = pyplc("sim", "--json", "--target-soc", "45.01", "--fast-modems", "--record", str(tmp_path))
    (folder,) = tmp_path.iterdir()
    assert done.stderr == f"recorded in {folder}\n"


def told(record: Record, width: int) -> list[str]:
    console = Console(file=io.StringIO(), force_terminal=True, color_system=None, width=width, highlight=False)
    Terminal(console)(record)
    return console.file.getvalue().splitlines()  # type: ignore[attr-defined]


def test_what_does_not_fit_goes_on_below_where_it_began() -> None:
    note = Note(text="a word " * 12, t=1.5, side="evse")
    first, *rest = told(note, 60)
    assert first.startswith("    1.500  charger       a word a word")
    assert len(rest) == 2 and all(line.startswith(" " * 25 + "a word") for line in rest)
    assert all(len(line) <= 60 for line in (first, *rest))
    assert len(told(note, 140)) == 1


def test_what_goes_into_a_pipe_is_not_broken() -> None:
    console = Console(file=io.StringIO(), width=40)
    Terminal(console)(Checkpoint(number=700, text=CHECKPOINTS[700], t=1.0, side="ev"))
    assert console.file.getvalue().count("\n") == 1  # type: ignore[attr-defined]


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
