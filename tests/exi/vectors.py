"""The vectors: a selection in tests/vectors, the full set beside the checkout."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import reference

HERE = Path(__file__).parents[1] / "vectors"
SCHEMAS = ("app", "din", "iso2", "iso20_common", "iso20_ac", "iso20_dc", "iso20_acdp", "iso20_wpt", "xmldsig")

Line = dict[str, Any]


@cache
def lines(name: str) -> list[Line]:
    """The lines of a file, the full set where it is to be had."""
    full = reference.ROOT / "vectors" / f"{name}.jsonl"
    return load(full if full.exists() else HERE / f"{name}.jsonl")


def only_full(name: str) -> list[Line]:
    """The lines of a file that is not in the checkout; skips the test where it is absent."""
    return load(reference.path(f"vectors/{name}.jsonl"))


def load(path: Path) -> list[Line]:
    with path.open() as file:
        return [json.loads(line) for line in file]


def octets(line: Line, key: str = "exi_hex") -> bytes:
    return bytes.fromhex(line[key])
