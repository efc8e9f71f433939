"""`pyplc explain`: the story of each session in a capture, and why it stopped."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ..capture.explain.pages import Pages
    from ..capture.explain.report import Report

SESSION = ("session.pcapng", "session.jsonl")
"""The files of a recorded session; either tells the story, the first one with the frames."""
SUFFIXES = (".pcap", ".pcapng", ".cap", ".dump", ".pcap.gz", ".pcapng.gz")


@click.command()
@click.argument("source", metavar="FILE", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--session", type=int, help="Only this session.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a session, a line each.")
@click.option("--csv", "as_csv", is_flag=True, help="A table, one row a session.")
@click.option("--html", "page", type=click.Path(path_type=Path), help="Write a page with plots; of a folder, a folder.")
@click.option("--keys", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="TLS secrets, NSS format.")
@click.option("--schema", metavar="NAME", help="Read every message with this schema.")
@click.option("--jobs", type=click.IntRange(1), help="Processes for a folder; else one a core.")
def command(
    source: Path,
    session: int | None,
    as_json: bool,
    as_csv: bool,
    page: Path | None,
    keys: Path | None,
    schema: str | None,
    jobs: int | None,
) -> None:
    """Say what happened in a capture (a file, a folder, or - for the standard input), and why each session stopped.

    Of a session that pyplc recorded the story also has what the station recorded of itself: pilot, switches, decisions.

    \b
    Example:  pyplc explain session.pcapng
              pyplc explain session.pcapng --html session.html
              pyplc explain captures/ --html pages/
              pyplc explain captures/ --csv > sessions.csv

    The exit code is 0 where a session finished in order, 3 where none did, 1 for a file that cannot be read.
    """
    from .explain_work import Job, Work, explained

    pages = _pages(page, source.is_dir() and not _is_session(source))
    rows = _rows(as_csv)
    job = Job(session, str(keys) if keys is not None else None, schema)
    work = [Work(str(file), name, _place(pages, name)) for file in _files(source) for name in [_name(file, source)]]
    outcomes: list[str] = []
    failed = False
    for done in explained(work, job, jobs):
        if done.error:
            click.echo(f"pyplc explain: {done.work.file}: {done.error}", err=True)
            failed = True
            continue
        if pages is not None and done.work.page is not None:
            pages.add(Path(done.work.page), done.reports)
        for report in done.reports:
            outcomes.append(report.verdict.outcome)
            if pages is None or as_json or as_csv:
                _show(report, as_json, rows)
    if pages is not None:
        pages.close()
        click.echo(f"wrote {pages.where}", err=True)
    sys.exit(1 if failed else 0 if "finished" in outcomes else 3)


def _place(pages: Pages | None, name: str) -> str | None:
    return str(pages.place(name)) if pages is not None else None


def _pages(wanted: Path | None, folder: bool) -> Pages | None:
    if wanted is None:
        return None
    from ..capture.explain.pages import PagesError, writing

    try:
        return writing(wanted, folder)
    except PagesError as error:
        raise click.ClickException(str(error)) from None


def _is_session(source: Path) -> bool:
    """Whether this is the folder of one recorded session."""
    return any((source / name).is_file() for name in SESSION)


def _name(file: Path, source: Path) -> str:
    """What a capture is called: a recorded session by its folder."""
    if file.name in SESSION:
        file, source = file.parent, source.parent if _is_session(source) else source
    return str(file.relative_to(source)) if source.is_dir() else file.name


def _files(source: Path) -> Iterator[Path]:
    if not source.is_dir():
        yield source
        return
    if _is_session(source):
        yield next(source / name for name in SESSION if (source / name).is_file())
        return
    found = sorted(f for f in source.rglob("*") if f.is_file() and f.name.endswith(SUFFIXES))
    if not found:
        raise click.ClickException(f"no captures ({', '.join(SUFFIXES)}) in {source}")
    yield from found


def _rows(wanted: bool) -> object:
    if not wanted:
        return None
    import csv

    from ..capture.explain.text import COLUMNS

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(COLUMNS)
    return writer


def _show(report: Report, as_json: bool, rows: object) -> None:
    if as_json:
        import msgspec

        click.echo(msgspec.json.encode(report).decode())
        return
    from ..capture.explain.text import lines, row

    if rows is not None:
        rows.writerow(row(report))  # type: ignore[attr-defined]  # a writer of module csv
    elif sys.stdout.isatty():
        from rich.console import Console
        from rich.text import Text

        console = Console(highlight=False)
        for text, style in lines(report):
            parts = textwrap.wrap(text, console.width, subsequent_indent=" " * 8)
            console.print(Text("\n".join(parts), style=style))
        console.print()
    else:
        click.echo("\n".join(text for text, _ in lines(report)) + "\n")
