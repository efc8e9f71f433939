"""Unmodified programs of open-plc-utils against the emulated modems and against both roles.

The programs are those of the Debian packages plc-utils and plc-utils-extra; they wait 50 ms for a modem.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from namespaces import PYPLC, World, missing

from pyplc.slac import pib_fields as fields
from pyplc.slac.pib import Pib

TOWERS = Path(__file__).parents[1] / "towers"
NMK = "000102030405060708090a0b0c0d0e0f"

pytestmark = pytest.mark.skipif((reason := missing()) is not None, reason=reason or "")


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
