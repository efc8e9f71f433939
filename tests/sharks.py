"""Running tshark on files; tests skip where it is not installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

TSHARK = shutil.which("tshark")
needs_tshark = pytest.mark.skipif(TSHARK is None, reason="no tshark (Debian package tshark)")


def tshark(*arguments: str, home: Path, env: dict[str, str] | None = None, check: bool = True) -> str:
    """What tshark prints; `home` keeps the user's own configuration out."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("WIRESHARK", "XDG"))}
    done = subprocess.run(
        [TSHARK or "tshark", *arguments],
        capture_output=True,
        text=True,
        env={**environment, "HOME": str(home), **(env or {})},
        timeout=50,
    )
    assert done.returncode == 0 or not check, done.stderr
    wrong = [line for line in done.stderr.splitlines() if "Lua" in line or "lua" in line]
    assert not wrong, wrong
    return done.stdout


def rows(file: Path, names: list[str], *arguments: str, home: Path) -> list[dict[str, list[str]]]:
    """The fields of each packet: name to its values."""
    columns = [part for name in names for part in ("-e", name)]
    out = tshark(
        "-r", str(file), *arguments, "-T", "fields", "-E", "separator=/t", "-E", "aggregator=/s", *columns, home=home
    )  # fmt: skip
    split = (line.split("\t") for line in out.splitlines())
    return [{n: v.split(" ") if v else [] for n, v in zip(names, values, strict=True)} for values in split]
