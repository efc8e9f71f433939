"""`pyplc service`: what is written, that systemd understands it, that it goes away again, and what status says."""

from __future__ import annotations

import configparser
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from pyplc.cli.main import main
from pyplc.config import EvseSettings, EvSettings, ListenSettings, load
from pyplc.service import install as installer
from pyplc.service.install import InstallError, carry_out, places, unit_name
from pyplc.service.status import Status, store
from pyplc.service.unit import SERIAL, VERBS, Role, Unit, network_manager, service, udev

ROLES: tuple[Role, ...] = ("pev", "evse", "listen")
PROGRAM = "/opt/pyplc/bin/pyplc"
TARGETS = ("sysinit", "basic", "shutdown", "local-fs", "network-pre", "multi-user")
SETTINGS = {"pev": EvSettings, "evse": EvseSettings, "listen": ListenSettings}


def pyplc(*words: str, code: int = 0) -> str:
    done = CliRunner().invoke(main, ["service", *words])
    assert done.exit_code == code, done.output
    return done.output


def installed(root: Path, role: Role, *more: str) -> str:
    """Install below `root`, with a program that can be run; what was said."""
    program = root / PROGRAM[1:]
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return pyplc("install", "--role", role, "--root", str(root), "--program", PROGRAM, *more)


@pytest.mark.parametrize("role", ROLES)
def test_the_command_of_the_unit_parses_and_its_settings_load(tmp_path: Path, role: Role) -> None:
    installed(tmp_path, role)
    text = (tmp_path / f"etc/systemd/system/{unit_name(role)}").read_text()
    words = re.search(r"^ExecStart=(.*)$", text, re.MULTILINE)
    assert words is not None
    program, verb, *arguments = words[1].split()
    assert (program, verb) == (PROGRAM, VERBS[role])
    assert "--forever" in arguments
    done = CliRunner().invoke(main, [verb, *arguments, "--help"])
    assert done.exit_code == 0
    config = tmp_path / arguments[-1][1:]
    chosen = load(config, SETTINGS[role])
    assert chosen.record.folder == "results" and chosen.record.max_mb
    assert config.stat().st_mode & 0o777 == 0o640


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze (package systemd)")
@pytest.mark.parametrize("role", ROLES)
def test_systemd_understands_the_unit_and_finds_it_hardened(
    tmp_path: Path, role: Role, capsys: pytest.CaptureFixture[str]
) -> None:
    installed(tmp_path, role)
    for target in TARGETS:  # of systemd itself, which may not be installed whole
        (tmp_path / f"etc/systemd/system/{target}.target").write_text("[Unit]\n")
    file = tmp_path / f"etc/systemd/system/{unit_name(role)}"
    verified = subprocess.run(
        ["systemd-analyze", "verify", f"--root={tmp_path}", str(file)], capture_output=True, text=True
    )
    assert (verified.returncode, verified.stderr) == (0, "")
    judged = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=25", str(file)],
        capture_output=True,
        text=True,
    )
    score = re.search(r"exposure level for .*: ([\d.]+)", judged.stdout)
    assert score is not None and judged.returncode == 0, judged.stdout[-300:]
    with capsys.disabled():
        print(f"\n{unit_name(role)}: exposure {score[1]} of 10")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze (package systemd)")
def test_a_unit_of_the_user_is_understood_too(tmp_path: Path) -> None:
    file = tmp_path / unit_name("pev")
    file.write_text(service(Unit("pev", sys.executable, "/home/me/.config/pyplc/pev.toml", user=True, systemd=254)))
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--user", str(file)],
        capture_output=True,
        text=True,
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path), "SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
    )
    wrong = [text for text in verified.stderr.splitlines() if file.name in text and "not found" not in text]
    assert not [text for text in wrong if "Restart" not in text]  # systemd before 254 does not know RestartSteps
    assert "CapabilityBoundingSet" not in file.read_text()


def test_a_unit_says_what_systemd_must_know() -> None:
    text = service(Unit("evse", "/opt/my pyplc/bin/pyplc", "/etc/pyplc/evse.toml", systemd=256))
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # keys as they are
    unit.read_string(text)
    said = unit["Service"]
    assert said["Type"] == "notify"
    assert said["ExecStart"].startswith('"/opt/my pyplc/bin/pyplc" evse --forever ')
    assert said["CapabilityBoundingSet"] == said["AmbientCapabilities"] == "CAP_NET_RAW CAP_NET_ADMIN"
    assert (said["WatchdogSec"], said["WatchdogSignal"], said["Restart"]) == ("15", "SIGTERM", "always")
    assert (said["RestartSteps"], said["RestartMaxDelaySec"]) == ("6", "60")
    assert int(said["TimeoutStopSec"]) > 8 + 30  # an orderly end, and the safe shutdown after it
    assert said["User"] == "pyplc" and said["StateDirectory"] == "pyplc"
    assert not {"network-online.target", "time-sync.target"} & set(unit["Unit"].get("After", "").split())
    assert "RestartSteps" not in service(Unit("evse", "/p", "/c", systemd=252))


def test_what_was_installed_is_removed_again(tmp_path: Path) -> None:
    installed(tmp_path, "pev")
    installed(tmp_path, "evse")
    assert "kept      /etc/pyplc/pev.toml" in installed(tmp_path, "pev")
    said = pyplc("remove", "--role", "pev", "--root", str(tmp_path))
    assert "stay for pyplc-evse.service" in said
    assert (tmp_path / "etc/udev/rules.d/70-pyplc.rules").exists()
    pyplc("remove", "--role", "evse", "--root", str(tmp_path), "--purge")
    left = {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file()}
    assert left == {PROGRAM[1:], "etc/pyplc/pev.toml"}


def test_a_file_that_is_not_ours_stays(tmp_path: Path) -> None:
    foreign = tmp_path / "etc/systemd/system/pyplc-pev.service"
    foreign.parent.mkdir(parents=True)
    foreign.write_text("[Unit]\n")
    done = CliRunner().invoke(
        main, ["service", "install", "--role", "pev", "--root", str(tmp_path), "--program", PROGRAM]
    )
    assert done.exit_code == 1 and "not ours; move it away" in done.output
    assert "not ours  /etc/systemd/system/pyplc-pev.service" in pyplc(
        "remove", "--role", "pev", "--root", str(tmp_path)
    )
    assert foreign.read_text() == "[Unit]\n"


def test_settings_are_checked_before_anything_is_written(tmp_path: Path) -> None:
    wrong = tmp_path / "my.toml"
    wrong.write_text("[vehicle]\ntarget_sok = 3\n")
    root = tmp_path / "root"
    words = ("install", "--role", "pev", "--root", str(root), "--program", PROGRAM, "--config", str(wrong))
    assert "target_soc" in pyplc(*words, code=1)
    assert not root.exists()
    wrong.write_text('[network]\ninterface = "eth7"\n')
    assert "eth7" in pyplc(*words, "--interface", "eth1", code=2)
    pyplc(*words)
    assert (root / "etc/pyplc/pev.toml").read_text() == wrong.read_text()
    assert (root / "etc/NetworkManager/system-connections/pyplc-eth7.nmconnection").stat().st_mode & 0o777 == 0o600


def test_a_dry_run_shows_everything_and_writes_nothing(tmp_path: Path) -> None:
    said = pyplc("install", "--role", "evse", "--root", str(tmp_path), "--program", PROGRAM, "--dry-run")
    for part in ("WatchdogSec=15", "run     systemctl enable --now pyplc-evse.service", "chgrp pyplc", "ENV{ID_MM_"):
        assert part in said
    assert not list(tmp_path.iterdir())


def test_a_program_that_the_user_pyplc_cannot_reach_is_refused(tmp_path: Path) -> None:
    closed = tmp_path / "home"
    with pytest.raises(InstallError, match="no program that can be run"):
        installer.install("pev", "", "eth0", closed / "pyplc")


def test_the_profile_and_the_rule() -> None:
    profile = configparser.ConfigParser()
    profile.read_string(network_manager("eth1"))
    assert profile["ipv4"]["method"] == "disabled" and profile["ipv6"]["method"] == "link-local"
    assert profile["connection"]["interface-name"] == "eth1"
    rules = [text for text in udev().splitlines() if not text.startswith("#")]
    assert len(rules) == len(SERIAL)
    for rule in rules:
        assert all(re.fullmatch(r'[A-Z_]+(\{\w+\})?(==|\+?=)"[^"]*"', word) for word in rule.split(", ")), rule


def test_the_commands_that_must_work_end_it(tmp_path: Path) -> None:
    said: list[str] = []
    plan = installer.Plan(after=(("false",), ("sh", "-c", "echo told; exit 3"), ("sh", "-c", "exit 1", "enable")))
    with pytest.raises(InstallError, match="failed"):
        carry_out(plan, tell=said.append)
    assert said[1].endswith(": told")


# status


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    folder = places(True).runtime
    folder.mkdir(parents=True)
    return folder


def test_status_says_in_words_what_the_station_is_doing(runtime: Path) -> None:
    assert "no service is installed" in pyplc("status", "--user", code=1)
    well = Status(role="ev", state="session", phase="charging", voltage=400, current=100, soc_percent=55)
    store(well, runtime / "pev.json")
    assert pyplc("status", "--user") == "vehicle: charging, 400 V, 100 A, 55 %\n"
    told = json.loads(pyplc("status", "--user", "--json"))
    assert told["running"] and told["status"]["soc_percent"] == 55

    ill = msgspec.structs.replace(well, wrong=["loop: it was 3.0 s late"])
    store(ill, runtime / "pev.json")
    assert "NOT WELL: loop: it was 3.0 s late" in pyplc("status", "--user", code=1)

    store(well, runtime / "pev.json")
    os.utime(runtime / "pev.json", (1, 1))
    assert "it may hang" in pyplc("status", "--user", code=1)

    store(msgspec.structs.replace(well, pid=2**22 + 1), runtime / "pev.json")
    assert "pyplc-pev.service does not run" in pyplc("status", "--user", "--role", "pev", code=3)
