"""Installing into a user's Wireshark folders, and taking away exactly that."""

from __future__ import annotations

from pathlib import Path

import pytest
import reference
from click.testing import CliRunner
from sharks import needs_tshark, tshark

from pyplc.cli.main import main
from pyplc.wireshark import install, profile
from pyplc.wireshark.install import Folders, WiresharkError

USERS = "# mine\n@My rule@tcp.port == 80@[1,2,3][4,5,6]\n!@Off@udp@[1,2,3][4,5,6]\n"


def tree(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def folders(home: Path, system: Path | None = None) -> Folders:
    return Folders(home / "config", home / "lib" / "plugins", home / "config" / "extcap", system)


def test_in_and_out_leaves_nothing(tmp_path: Path) -> None:
    where = folders(tmp_path)
    install.install(where)
    there = tree(tmp_path)
    assert {"lib/plugins/pyplc.lua", "config/extcap/pyplc", "config/profiles/pyPLC/preferences"} <= set(there)
    assert (where.extcap / "pyplc").stat().st_mode & 0o111
    install.install(where)
    assert tree(tmp_path) == there
    install.remove(where)
    assert tree(tmp_path) == {}


def test_the_users_rules_stay(tmp_path: Path) -> None:
    where = folders(tmp_path)
    where.config.mkdir()
    file = where.config / "colorfilters"
    file.write_text(USERS)
    (where.config / "preferences").write_text("gui.ask_unsaved: FALSE\n")
    install.install(where)
    lines = file.read_text().splitlines()
    assert lines[: len(profile.RULES)] == profile.colour_lines()
    assert file.read_text().endswith(USERS)
    added = "@Later@arp@[1,2,3][4,5,6]\n"
    file.write_text(file.read_text() + added)
    install.remove(where)
    assert tree(tmp_path) == {
        "config/colorfilters": (USERS + added).encode(),
        "config/preferences": b"gui.ask_unsaved: FALSE\n",
    }


def test_rules_of_wireshark_come_behind_ours(tmp_path: Path) -> None:
    system = tmp_path / "system"
    system.mkdir()
    (system / "colorfilters").write_text(USERS)
    where = folders(tmp_path / "home", system)
    install.install(where)
    file = where.config / "colorfilters"
    assert file.read_text().endswith(USERS)
    install.remove(where)
    assert not file.exists()
    install.install(where)
    file.write_text(file.read_text().replace("# mine\n", "# changed\n"))
    install.remove(where)
    assert file.read_text().splitlines()[-3:] == USERS.replace("# mine", "# changed").splitlines()
    assert "pyPLC" not in file.read_text()


def test_what_was_changed_is_kept(tmp_path: Path) -> None:
    where = folders(tmp_path)
    install.install(where)
    own = where.config / "profiles" / "pyPLC" / "preferences"
    own.write_text("changed")
    assert any(line.startswith("kept") and str(own) in line for line in install.install(where))
    assert own.read_text() == "changed"
    assert any(line.startswith("kept") and str(own) in line for line in install.remove(where))
    assert tree(tmp_path) == {"config/profiles/pyPLC/preferences": b"changed"}


def test_a_foreign_file_of_our_name_is_not_touched(tmp_path: Path) -> None:
    where = folders(tmp_path)
    where.plugins.mkdir(parents=True)
    (where.plugins / "pyplc.lua").write_text("-- mine")
    install.install(where)
    install.remove(where)
    assert tree(tmp_path) == {"lib/plugins/pyplc.lua": b"-- mine"}


def test_errors_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(WiresharkError, match="nothing of pyplc is installed"):
        install.remove(folders(tmp_path))
    (tmp_path / "config").write_text("a file")
    with pytest.raises(WiresharkError, match="config"):
        install.install(folders(tmp_path))
    done = CliRunner().invoke(main, ["wireshark", "remove", "--folder", str(tmp_path / "none")])
    assert (done.exit_code, "nothing of pyplc" in done.output) == (1, True)


def test_the_command(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["wireshark", "install", "--folder", str(tmp_path)])
    assert done.exit_code == 0
    assert "plugins/pyplc.lua" in done.output
    assert CliRunner().invoke(main, ["wireshark", "remove", "--folder", str(tmp_path)]).exit_code == 0
    assert tree(tmp_path) == {}
    assert CliRunner().invoke(main, ["wireshark", "lua"]).output.startswith("-- V2G messages")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home in which everything is installed where tshark itself looks for it."""
    for name in ("WIRESHARK_CONFIG_DIR", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    install.install(install.folders())
    return tmp_path


@needs_tshark
def test_tshark_finds_everything(home: Path) -> None:
    capture = str(reference.path("captures/dsv2gshark/DIN_DC_DS5366_Josev.pcapng"))
    assert "pyplc-lo (pyPLC: charging on lo)" in tshark("-D", home=home)
    out = tshark("-C", profile.PROFILE, "-r", capture, "-Y", 'v2g.message == "PreChargeReq"', "-c", "400", home=home)
    assert len(out.splitlines()) == 6
    assert "PreChargeReq EXI_Message" in out


@needs_tshark
def test_every_rule_is_taken(home: Path) -> None:
    capture = str(reference.path("captures/dsv2gshark/DIN_DC_DS5366_Josev.pcapng"))
    out = tshark("-C", profile.PROFILE, "-r", capture, "--color", "-T", "fields", "-e", "frame.coloring_rule.name",
                 "-e", "v2g.message", home=home)  # fmt: skip
    names = [line.split("\t") for line in out.splitlines()]
    coloured = [name for name, *message in names if message and message[0]]
    assert len(coloured) == 200
    assert all("pyPLC V2G" in name for name in coloured)
    assert any("pyPLC SECC discovery" in line[0] for line in names)
    assert any("pyPLC HomePlug" in line[0] for line in names)
    whole = " || ".join(f"({rule.filter})" for rule in profile.RULES)
    tshark("-r", capture, "-c", "1", "-Y", whole, home=home)
