"""The files in config/: what stands there are the defaults, and every block that is offered makes a station."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from pyplc.cli.config import KINDS, problems
from pyplc.config import load

FOLDER = Path(__file__).parents[1] / "config"
FILES = {"pev.toml": "ev", "evse.toml": "evse", "soc-reader.toml": "evse", "listen.toml": "listen", "sim.toml": "sim"}


def blocks(text: str) -> dict[str, str]:
    """The offered blocks by their first remark."""
    found: dict[str, list[str]] = {}
    title = ""
    for before, line in zip(["", *text.splitlines()], text.splitlines(), strict=False):
        if line.startswith("## ") and not before.startswith("## "):
            title = line.removeprefix("## ")
            found[title] = []
        elif line.startswith("#: "):
            found[title].append(line.removeprefix("#: "))
    return {title: "\n".join(lines) for title, lines in found.items()}


OFFERED = [(file, title) for file in FILES for title in blocks((FOLDER / file).read_text())]


@pytest.mark.parametrize("file", FILES)
def test_a_file_makes_a_station(file: str) -> None:
    assert not problems(FILES[file], (FOLDER / file).read_text(), file)


@pytest.mark.parametrize("file", ["pev.toml", "evse.toml", "listen.toml"])
def test_what_stands_there_are_the_defaults(file: str) -> None:
    kind = KINDS[FILES[file]]
    assert msgspec.to_builtins(load(FOLDER / file, kind)) == msgspec.to_builtins(kind())


@pytest.mark.parametrize(("file", "title"), OFFERED, ids=lambda word: re.sub(r"\W+", "-", word)[:40])
def test_every_offered_block_makes_a_station(file: str, title: str) -> None:
    text = (FOLDER / file).read_text()
    whole = text + "\n" + blocks(text)[title]
    if "AC wallbox" in title:
        whole = whole.replace('energy = "dc"', 'energy = "ac"')
    assert not problems(FILES[file], whole, file)


def test_blocks_are_offered() -> None:
    assert len(OFFERED) >= 13 and all(blocks((FOLDER / file).read_text())[title] for file, title in OFFERED)


DOCS = FOLDER.parent / "docs"
SHOWN = [
    (page.name, index, block)
    for page in sorted(DOCS.rglob("*.md"))
    for index, block in enumerate(re.findall(r"```toml\n(.*?)```", page.read_text(), re.DOTALL))
    if "[hardware]" in block
]


@pytest.mark.parametrize(("page", "index", "block"), SHOWN, ids=lambda word: str(word)[:30].strip("[\n"))
def test_every_block_of_the_manual_makes_a_station(page: str, index: int, block: str) -> None:
    found = [problems(verb, block, page) for verb in ("ev", "evse")]
    assert [] in found, found
