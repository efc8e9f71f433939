"""Where pages go: one file for a capture; for a folder of captures a folder, with an index of every session."""

from __future__ import annotations

import re
from collections import Counter
from html import escape
from pathlib import Path
from typing import NamedTuple, Protocol

from . import page
from .findings import Level
from .report import Report
from .text import schema_name, tone

INDEX = "index.html"


class PagesError(OSError):
    """Pages cannot be written there; the text says why."""


class Pages(Protocol):
    """Where the page of each capture goes, in their order; `close` when all were told. `where` is what was written."""

    where: Path

    def place(self, name: str) -> Path: ...

    def add(self, page: Path, reports: list[Report]) -> None: ...

    def close(self) -> None: ...


def writing(where: Path, folder: bool) -> Pages:
    """A writer of one page, or of a folder of pages; PagesError if that cannot be written."""
    try:
        if folder:
            where.mkdir(parents=True, exist_ok=True)
            return _Folder(where)
        where.parent.mkdir(parents=True, exist_ok=True)
        where.open("a").close()
    except OSError as error:
        raise PagesError(f"cannot write pages to {where}: {error.strerror}") from error
    return _One(where)


class _One:
    def __init__(self, where: Path) -> None:
        self.where = where

    def place(self, name: str) -> Path:
        return self.where

    def add(self, page: Path, reports: list[Report]) -> None:
        """One page needs no index."""

    def close(self) -> None:
        """Nothing is left to write."""


class Row(NamedTuple):
    """A session in the index: its page, and its report."""

    link: str
    report: Report


class _Folder:
    def __init__(self, where: Path) -> None:
        self.where = where
        self._rows: list[Row] = []
        self._names: set[str] = set()

    def add(self, page: Path, reports: list[Report]) -> None:
        self._rows += [Row(f"{page.name}#s{number}", report) for number, report in enumerate(reports)]

    def place(self, name: str) -> Path:
        stem = re.sub(r"[^\w.+-]+", "_", name).strip("_") or "capture"
        file, number = f"{stem}.html", 1
        while file in self._names or file == INDEX:
            number += 1
            file = f"{stem}-{number}.html"
        self._names.add(file)
        return self.where / file

    def close(self) -> None:
        (self.where / INDEX).write_text(index(self._rows), encoding="utf-8")
        self.where = self.where / INDEX


COLUMNS = ("capture", "outcome", "why it stopped", "phase", "standard", "vehicle", "began", "SoC", "kWh", "errors")


def index(rows: list[Row]) -> str:
    """The table of all sessions, with a filter; a click on a head sorts."""
    counts = Counter(row.report.verdict.outcome for row in rows)
    stack = "".join(
        f'<i class="{tone(outcome)}" style="flex:{count}" title="{escape(outcome)}: {count}"></i>'
        for outcome, count in counts.most_common()
    )
    told = " ".join(
        f'<span class="badge {tone(outcome)}">{escape(outcome)}: {count}</span>'
        for outcome, count in counts.most_common()
    )
    head = "".join(f"<th>{name}</th>" for name in COLUMNS)
    body = "".join(_row(row) for row in rows)
    captures = len({row.report.file for row in rows})
    return page.frame(
        "Why the sessions stopped",
        '<div class="wide">'
        f'<header><h1>Why the sessions stopped</h1><p class="sub">{len(rows)} sessions and attempts in '
        f'{captures} captures</p></header><div class="card"><div class="stack">{stack}</div><p>{told}</p></div>'
        '<div class="card"><div class="filter"><input type="search" placeholder="show only rows with these words" '
        'aria-label="show only rows with these words"></div>'
        f'<div class="scroll"><table class="index"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
        "</div></div>",
    )


def _row(row: Row) -> str:
    report, v = row.report, row.report.verdict
    errors = sum(f.level is Level.ERROR for f in report.findings)
    soc = f"{report.soc_first:g} to {report.soc_last:g} %" if report.soc_last is not None else ""
    number = f" #{report.session}" if report.session else ""
    folder, _, file = report.file.rpartition("/")
    kwh = f"{report.energy_wh / 1000:.2f}" if report.delivered else ""
    cells = (
        f'<td class="file"><a href="{escape(row.link)}">{escape(file)}</a>{number}<br>'
        f'<small class="soft">{escape(folder)}</small></td>',
        f'<td><span class="badge {tone(v.outcome)}">{escape(v.outcome)}</span></td>',
        f'<td class="why-cell">{escape(v.sentence)}</td>',
        f"<td>{escape(v.phase)}</td>",
        f'<td class="tight">{escape(schema_name(report))}</td>',
        f'<td class="tight">{escape(report.ev.identity or report.ev.mac)}</td>',
        f'<td class="n" data-key="{report.start}">{report.start[:16].replace("T", " ")}</td>',
        f'<td class="n" data-key="{report.soc_last if report.soc_last is not None else -1}">{soc}</td>',
        f'<td class="n" data-key="{report.energy_wh}">{kwh}</td>',
        f'<td class="n">{errors or ""}</td>',
    )
    return f"<tr>{''.join(cells)}</tr>"
