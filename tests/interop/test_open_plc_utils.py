"""Unmodified programs of open-plc-utils against the emulated modems and against both roles.

Three network namespaces: the vehicle's host, the charger's host, and the powerline with both modems between them. The
programs are those of the Debian packages plc-utils and plc-utils-extra; they wait 50 ms for a modem.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyplc.slac import pib_fields as fields
from pyplc.slac.pib import Pib

PYPLC = Path(sys.executable).with_name("pyplc")
PROGRAMS = ("int6klist", "plctool", "pev", "evse", "chkpib2", "setpib")
TOWERS = Path(__file__).parents[1] / "towers"
NMK = "000102030405060708090a0b0c0d0e0f"
PROFILE = {
    "pev": """[default]
vehicle identifier = 0000000000000000000000000000000000
network membership key = 50D3E4933F855B7040784DF815AA8DB7
network identifier = B0F2E695666B03
attenuation threshold = 40
msound pause = 20
charge time = 2
settle time = 1
""",
    "evse": """[default]
station identifier = 0000000000000000000000000000000000
network membership key = B59319D7E8157BA001B018669CCEE30D
network identifier = 026BCBA5354E08
number of sounds = 10
time to sound = 6
response type = 1
settle time = 1
charge time = 4
""",
}


def missing() -> str | None:
    """Why these tests cannot run here, None when they can."""
    if not sys.platform.startswith("linux") or shutil.which("ip") is None:
        return "needs Linux and the command ip (package iproute2)"
    if absent := [name for name in PROGRAMS if shutil.which(name) is None]:
        return f"no {', '.join(absent)} (Debian packages plc-utils, plc-utils-extra)"
    if not PYPLC.exists():
        return "pyplc is not installed beside this Python"
    probe = subprocess.run(["ip", "netns", "add", "pyplc-interop-probe"], capture_output=True, text=True)
    subprocess.run(["ip", "netns", "del", "pyplc-interop-probe"], capture_output=True)
    return f"no right to make network namespaces (run as root): {probe.stderr.strip()}" if probe.returncode else None


pytestmark = pytest.mark.skipif((reason := missing()) is not None, reason=reason or "")


class World:
    """Hosts `ev` and `se`, and the modems between them."""

    def __init__(self, tag: str, folder: Path) -> None:
        self.tag = tag
        self.folder = folder
        self.macs: dict[str, str] = {}
        self._started: list[subprocess.Popen[str]] = []
        for role, profile in PROFILE.items():
            (folder / f"{role}.ini").write_text(profile)

    def up(self, *options: str) -> None:
        for place in ("ev", "se", "line"):
            self._ip("netns", "add", f"{self.tag}-{place}")
        for host, cable in (("ev", "ev0"), ("se", "se0")):
            near, far = f"{self.tag}-{host}", f"{self.tag}-line"
            self._ip("link", "add", cable, "netns", near, "type", "veth", "peer", "name", f"l{cable}", "netns", far)
            self.run("line", "sysctl", "-qw", f"net.ipv6.conf.l{cable}.disable_ipv6=1")
            self.run(host, "sysctl", "-qw", f"net.ipv6.conf.{cable}.accept_dad=0")
            self._ip("-n", near, "link", "set", cable, "up")
            self._ip("-n", far, "link", "set", f"l{cable}", "up")
        roles = ("--role", "lev0=pev", "--role", "lse0=evse")
        modems = self.start("line", PYPLC, "modem", "emulate", "lev0", "--peer", "lse0", *roles, *options)
        assert modems.stdout is not None
        for line in modems.stdout:
            if line.strip() == "ready":
                return
            if found := re.match(r"modem (\S+) on l(ev|se)0", line):
                self.macs[found[2]] = found[1].upper()
        raise AssertionError("no modem became ready")

    def _ip(self, *words: str) -> None:
        subprocess.run(["ip", *words], check=True, capture_output=True)

    def _command(self, place: str, words: tuple[object, ...]) -> list[str]:
        return ["ip", "netns", "exec", f"{self.tag}-{place}", *map(str, words)]

    def run(self, place: str, *words: object) -> str:
        """What a program prints, both ways; it must end well within 40 s."""
        done = subprocess.run(
            self._command(place, words),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=40, cwd=self.folder,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout
        return done.stdout

    def start(self, place: str, *words: object) -> subprocess.Popen[str]:
        """A program that goes on."""
        started = subprocess.Popen(
            self._command(place, words),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=self.folder,
        )  # fmt: skip
        self._started.append(started)
        return started

    def plctool(self, *words: object, place: str = "ev", modem: str | None = None) -> str:
        return self.run(place, "plctool", "-i", f"{place}0", *words, modem or self.macs[place])

    def down(self) -> None:
        for started in self._started:
            started.terminate()
        for started in self._started:
            started.communicate(timeout=10)
        for place in ("ev", "se", "line"):
            subprocess.run(["ip", "netns", "del", f"{self.tag}-{place}"], capture_output=True)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    built = World(f"pyplc-i{os.getpid() % 10000}", tmp_path_factory.mktemp("interop"))
    try:
        built.up("--fast")
        yield built
    finally:
        built.down()


def fields_of(text: str) -> dict[str, str]:
    """The lines of `chkpib2 -v` and `plctool -I`: a word, then the value."""
    return dict(line.split(maxsplit=1) for line in text.splitlines() if line.startswith("\t"))


def test_it_is_found_within_50_ms(world: World) -> None:
    for _ in range(20):
        assert set(world.run("ev", "int6klist", "-i", "ev0").split()) == {world.macs["ev"]}
    assert "MAC-QCA7420-1.4.0.20-00-20171027-CS" in world.plctool("-r")
    assert f"{world.macs['ev']} QCA7420" in world.plctool("-r", modem="local")


def test_what_it_tells(world: World) -> None:
    identity = fields_of(world.plctool("-I"))
    assert (identity["MAC"], identity["USR"], identity["CCo"]) == (world.macs["ev"], "PEV", "Never")
    assert "QCA7420-MAC-QCA7420-1.4.0.20-00-20171027-CS" in world.plctool("-a")
    assert "Found 0 Network(s)" in world.plctool("-m")
    assert world.plctool("-L").splitlines()[-1].endswith(" 0")
    assert "SIZE=0x100000" in world.plctool("-f")
    assert world.plctool("-b").strip().endswith(world.macs["ev"])
    assert "Membership Status 0" in world.plctool("-B", "status")


def test_a_key_makes_two_modems_a_network(world: World) -> None:
    for place in ("ev", "se"):
        assert "Setting" in world.plctool("-M", "-K", NMK, place=place)
    time.sleep(0.4)
    assert fields_of(world.plctool("-I"))["NMK"].replace(":", "").lower() == NMK
    assert world.plctool("-L").splitlines()[-1].endswith(" 1")
    members = world.plctool("-m")
    assert "Found 1 Network(s)" in members and world.macs["se"] in members
    for place in ("ev", "se"):
        assert "Resetting" in world.plctool("-R", place=place)
    time.sleep(0.4)
    assert "Found 1 Network(s)" in world.plctool("-m")
    assert "Leaving" in world.plctool("-B", "leave")
    time.sleep(0.3)
    assert world.plctool("-L").splitlines()[-1].endswith(" 0")
    for place in ("ev", "se"):
        assert "Restoring" in world.plctool("-T", place=place)
    time.sleep(0.3)
    assert fields_of(world.plctool("-I"))["NMK"].replace(":", "").lower() != NMK


def test_its_pib_goes_to_a_file_and_back(world: World) -> None:
    file = world.folder / "read.pib"
    world.plctool("-p", file)
    ours = world.folder / "ours.pib"
    world.run("ev", PYPLC, "modem", "pib", "read", "ev0", ours)
    assert file.read_bytes() == ours.read_bytes()
    theirs = fields_of(world.run("ev", "chkpib2", "-v", file))
    assert theirs["MAC"] == world.macs["ev"] and theirs["MFG"] == "pyplc emulated QCA7420"
    before = Pib(file.read_bytes())
    world.run("ev", "setpib", file, "74", "hfid", "changed by setpib")
    after = Pib(file.read_bytes())
    assert after == before.edit((0x74, fields.encode(fields.USER, "changed by setpib")))
    world.plctool("-P", file)
    assert fields_of(world.plctool("-I"))["USR"] == "changed by setpib"
    assert "nothing is written" in world.run("ev", PYPLC, "modem", "pib", "write", "ev0", file, "--yes")
    world.run("ev", PYPLC, "modem", "pib", "write", "ev0", ours, "--yes")
    assert fields_of(world.plctool("-I"))["USR"] == "PEV"


def test_what_we_patch_their_checker_accepts(world: World) -> None:
    file = world.folder / "mine.pib"
    world.run("se", PYPLC, "modem", "pib", "read", "se0", file)
    world.run("se", PYPLC, "modem", "pib", "patch", file, "--role", "pev", "--thorough")
    checked = fields_of(world.run("se", "chkpib2", "-v", world.folder / "mine.pev.pib"))
    assert (checked["USR"], checked["CCo"]) == ("PEV", "Never")


def test_pev_and_evse_match_over_our_line(world: World) -> None:
    charger = world.start("se", "evse", "-i", "se0", "-l")
    time.sleep(1.2)
    vehicle = world.run("ev", "pev", "-i", "ev0")
    assert "Average attenuation (10) less than limit (40) from 58 groups" in vehicle
    assert "<-- CM_SLAC_MATCH.CNF" in vehicle and "Charging (0)" in vehicle
    told, _ = charger.communicate(timeout=20)
    assert told.count("<-- CM_ATTEN_PROFILE.IND") == 10 and "Charging (0)" in told


def test_pev_matches_with_our_charger(world: World) -> None:
    charger = world.start("se", PYPLC, "evse", TOWERS / "evse.toml", "--interface", "se0", "--once")
    time.sleep(1.5)
    vehicle = world.run("ev", "pev", "-i", "ev0")
    assert "<-- CM_SLAC_MATCH.CNF" in vehicle and "Charging (0)" in vehicle
    charger.terminate()
    told, _ = charger.communicate(timeout=20)
    assert "[CHECKPOINT155]" in told and "[CHECKPOINT190]" in told, told


def test_our_vehicle_matches_with_evse(world: World) -> None:
    world.start("se", "evse", "-i", "se0", "-l")
    time.sleep(1.2)
    vehicle = world.start("ev", PYPLC, "ev", TOWERS / "ev.toml", "--interface", "ev0")
    assert vehicle.stdout is not None
    told = ""
    for line in vehicle.stdout:
        told += line
        if "[CHECKPOINT190]" in line:
            break
    vehicle.terminate()
    assert "[CHECKPOINT190]" in told, told
