"""The table of requirements: every id that the code names has tests, and every test it names exists."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
ROOMS = ("v2g", "station", "sdp", "tower")
ID = re.compile(r"\bV2G2-\d+|\bV2G-DC-\d+|\bV2G3-M\d+-\d+")
TABLE: dict[str, dict[str, Any]] = tomllib.loads((HERE / "requirements.toml").read_text())


def test_every_requirement_in_the_code_has_a_row() -> None:
    used: set[str] = set()
    for room in ROOMS:
        path = HERE.parent / "pyplc" / room
        for file in [path] if path.is_file() else path.rglob("*.py"):
            used |= set(ID.findall(file.read_text()))
    assert used == set(TABLE)


@pytest.mark.parametrize("number", TABLE)
def test_every_test_named_exists(number: str) -> None:
    row = TABLE[number]
    assert row["says"]
    assert row["tests"]
    for name in row["tests"]:
        file, _, function = name.partition("::")
        tree = ast.parse((HERE / file).read_text())
        assert function in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}, name
