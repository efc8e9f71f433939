"""Settings: what is in the files loads, and what is wrong is said with file, key and what was expected."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyplc.config import ConfigError, EvseSettings, EvSettings, SimSettings, StationSettings, load, parse

CONFIG = Path(__file__).parents[1] / "config"


@pytest.mark.parametrize(("name", "kind"), [("pev", EvSettings), ("evse", EvseSettings), ("sim", SimSettings)])
def test_the_files_that_ship_say_the_defaults(name: str, kind: type[StationSettings]) -> None:
    assert load(CONFIG / f"{name}.toml", kind) == kind()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[vehicle]\ntarget_socc = 1", r"f.toml: unknown key vehicle.target_socc; did you mean target_soc\?"),
        ("[plant.battery]\nzzz = 1", "unknown key plant.battery.zzz; known keys: capacity_wh, soc_percent"),
        ("colour = 1", "unknown key colour; known keys: network, session"),
        ('[vehicle]\ntarget_soc = "high"', "vehicle.target_soc: expected `float`, got `str`"),
        ("[vehicle]\nprecharge_difference = 50.0", "vehicle.precharge_difference: expected `float` <= 20.0"),
        ('[vehicle]\nprecharge_by = "luck"', "invalid enum value 'luck'; one of: measured, reported, both"),
        ('[network]\ndriver = "raw"', "invalid enum value 'raw'; one of: auto, packet, pcap"),
        ("[network]\ntcp_port = 70000", "network.tcp_port: expected `int` <= 65535"),
        ('[vehicle]\nevccid = "xyz"', "vehicle.evccid: expected `str` matching regex"),
        ("vehicle = [", "f.toml: this is not TOML"),
    ],
)
def test_what_is_wrong_is_said(text: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        parse(text.encode(), EvSettings, "f.toml")


def test_a_missing_file() -> None:
    with pytest.raises(ConfigError, match="nowhere.toml: No such file or directory"):
        load(Path("nowhere.toml"), EvSettings)


def test_bytes_that_are_no_text() -> None:
    with pytest.raises(ConfigError, match="this is not TOML"):
        parse(b"\xff\xfe\x00", EvSettings, "f.toml")
