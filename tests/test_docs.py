"""The documentation agrees with the code: pages made from declarations are as made, and links lead somewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\(([^)#]+\.[a-z]+)(?:#[^)]*)?\)")


def test_the_reference_pages_are_as_made_from_the_declarations(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(ROOT / "docs" / "make_reference.py"), str(tmp_path)], check=True, timeout=50)
    made = {page.name: page.read_text() for page in tmp_path.glob("*.md")}
    assert len(made) >= 11
    stale = [name for name, text in made.items() if (ROOT / "docs" / "reference" / name).read_text() != text]
    assert not stale, f"run docs/make_reference.py: {', '.join(stale)}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    targets = [link for link in LINK.findall(page.read_text()) if "://" not in link]
    missing = [link for link in targets if not (page.parent / link).exists()]
    assert not missing


def test_every_page_is_linked_from_the_index() -> None:
    """By its name, or by that of its folder."""
    docs = ROOT / "docs"
    linked = {(docs / link).resolve() for link in re.findall(r"\]\(([^)#]+)", (docs / "index.md").read_text())}
    pages = [page for page in docs.rglob("*.md") if page != docs / "index.md"]
    missing = [str(page.relative_to(docs)) for page in pages if not linked & {page, page.parent}]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_anchors_are_headings_of_their_page(page: Path) -> None:
    wrong = []
    for target, anchor in re.findall(r"\]\(([^)#:]*\.md)?#([^)]+)\)", page.read_text()):
        text = (page.parent / target if target else page).read_text()
        headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
        if anchor not in {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}:
            wrong.append(f"{target}#{anchor}")
    assert not wrong
