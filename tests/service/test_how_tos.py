"""The how-tos against the code: each command of pyplc that they name parses, each TOML block loads and composes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from pyplc import clock
from pyplc.cli.main import main
from pyplc.config import EvseSettings, EvSettings, ListenSettings, SimSettings, parse
from pyplc.hw.compose import compose

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "docs/first-steps/index.md", *sorted((ROOT / "docs/how-to").glob("*.md"))]
OWN = ["raspberry-pi.md", "unattended.md", "watching.md"]
COMMAND = re.compile(r"(?:^|[\s|&`(])((?:/opt/pyplc/bin/)?pyplc (?!import )[a-z-][^`|&;>#\n]*)")
SPACED = re.compile(r" {3,}.*$")
"""A remark beside a command."""


def blocks(text: str) -> Iterator[str]:
    """Code: lines that are indented by four or in fences, and what stands in backticks."""
    fenced = False
    for line in text.splitlines():
        if line.startswith("```"):
            fenced = not fenced
        elif fenced or re.match(r" {4,}\S", line):
            yield line.strip()
        else:
            yield from re.findall(r"`([^`]+)`", line)


def commands(page: Path) -> list[list[str]]:
    """The words after `pyplc` of each command in a page."""
    found = []
    for code in blocks(re.sub(r"\\\n\s*", " ", page.read_text())):
        for match in COMMAND.finditer(code):
            text = SPACED.sub("", match[1]).partition(", ")[0].rstrip("\\ ")
            words = shlex.split(re.sub(r"[<>]|\.\.\.|\$\(.*", "x", text))[1:]
            found.append([word for word in words if word != "x"])
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_command_parses(page: Path) -> None:
    for words in commands(page):
        done = CliRunner().invoke(main, [*words, "--help"])
        assert done.exit_code == 0, f"pyplc {' '.join(words)}: {done.output}"
    assert commands(page) or page.name not in OWN


def test_an_option_that_does_not_exist_would_be_noticed(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text("text\n\n    sudo pyplc service install --rolle pev\n")
    (words,) = commands(tmp_path / "page.md")
    assert CliRunner().invoke(main, [*words, "--help"]).exit_code != 0


def tables(page: Path) -> list[str]:
    return re.findall(r"^```toml\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_toml_block_loads(page: Path) -> None:
    for text in tables(page):
        problems = []
        for kind in (EvSettings, EvseSettings, ListenSettings, SimSettings):
            try:
                parse(text.encode(), kind, page.name)
                break
            except Exception as error:
                problems.append(str(error))
        else:
            raise AssertionError(f"{problems[0]}\n{text}")


def test_the_devices_of_the_raspberry_pi_fit_together() -> None:
    async def main() -> int:
        count = 0
        for text in tables(ROOT / "docs/how-to/raspberry-pi.md"):
            chosen = parse(text.encode(), EvSettings, "raspberry-pi.md")
            compose(chosen.hardware, chosen.devices, chosen.vehicle.energy, chosen.plant)
            count += 1
        return count

    assert clock.run(main()) == 3


def test_the_wiring_is_that_of_the_firmware() -> None:
    """Each pin of the table is one of board.h for a vehicle, and none is missing but the LED."""
    board = (ROOT / "firmware" / "board.h").read_text()
    pins = re.findall(r"^#define PIN_\w+ .*/\* (\w+)\s*\| (\w+)\s*\| (\w+)\s*\| (.*) \*/$", board, re.MULTILINE)
    of_a_vehicle = {pin for pin, role, _, _ in pins if role in ("vehicle", "both")}
    page = (ROOT / "docs/how-to/raspberry-pi.md").read_text()
    section = page[page.index("### An Arduino") : page.index("## 4.")]
    wired = dict(re.findall(r"^\| ([AD]\d+) \| (.*) \|$", section, re.MULTILINE))
    assert set(wired) == of_a_vehicle - {"D13"}
    told = {pin: text for pin, _, _, text in pins}
    for pin, word in (("D3", "relay 1"), ("D4", "relay 2"), ("D7", "locks"), ("D10", "unlocks"), ("A1", "330 ohm")):
        assert word in wired[pin] and word in told[pin]
    scale = re.search(r"#define INLET_FULL_SCALE (\d+)UL", board)
    assert scale is not None and f"{int(scale[1]) / 10:g} V" in wired["A2"]


def test_links_between_pages_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
