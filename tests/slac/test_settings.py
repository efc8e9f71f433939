"""Settings of matching: each switch is named where a user looks; the conformance profile has the standard's values."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pyplc.slac.settings import DEVIATIONS, SlacSettings, conformant

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", DEVIATIONS)
def test_a_switch_is_named_in_a_settings_file_and_in_the_docs(name: str) -> None:
    files = "".join((ROOT / "config" / file).read_text() for file in ("pev.toml", "evse.toml"))
    assert re.search(rf"^{name} = ", files, re.M)
    assert f"| `{name}` |" in (ROOT / "docs" / "reference" / "deviations.md").read_text()


def test_the_conformance_profile_keeps_what_the_user_set() -> None:
    plain = conformant(SlacSettings())
    assert {name: getattr(plain, name) for name in DEVIATIONS} == {
        name: value for name, (value, _) in DEVIATIONS.items()
    }
    assert all(getattr(SlacSettings(), name) != value for name, (value, _) in DEVIATIONS.items())
    assert conformant(SlacSettings(join_s=20.0)).join_s == 20.0
