"""`pyplc scenario`: faults as data, run on whole towers in virtual time."""

from __future__ import annotations

import fnmatch
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

if TYPE_CHECKING:
    from ..scenario.engine import Result
    from ..scenario.load import Case

FAILED, UNUSABLE = 1, 2
"""Exit codes: a scenario failed; a file cannot be used or nothing is to be run."""

files = click.argument("files", nargs=-1, type=click.Path(path_type=Path))
only = click.option("--only", metavar="GLOB", multiple=True, help="Only scenarios whose id matches; several add up.")


@click.group()
def command() -> None:
    """Faults as data: what goes wrong, and which reaction is right.

    \b
    Example:  pyplc scenario run
              pyplc scenario run --only 'din-dc-pev/*' --junit verdicts.xml
              pyplc scenario show din-dc-pev/suite-07-precharge
    """


@command.command()
@files
@only
@click.option("--junit", type=click.Path(path_type=Path), help="Write the verdicts as JUnit XML.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON line for each scenario, then one for the run.")
@click.option("--failures", is_flag=True, help="Show only what failed.")
@click.option("--record", type=click.Path(path_type=Path), help="Folder to record in what each unit under test had.")
def run(
    files: tuple[Path, ...],
    only: tuple[str, ...],
    junit: Path | None,
    as_json: bool,
    failures: bool,
    record: Path | None,
) -> None:
    """Run the scenarios of FILES, or those that come with pyplc, and judge them.

    Exit code 0: all passed. 1: a reaction was wrong, or an ending unsafe. 2: a file cannot be used.

    \b
    Example:  pyplc scenario run my-faults.toml --junit verdicts.xml
              pyplc scenario run --record faults/ && pyplc explain faults/ --html pages/
    """
    from ..scenario import report
    from ..scenario.engine import run as run_case

    begun = time.perf_counter()
    results: list[Result] = []
    for case in _followed(_chosen(files, only)):
        results.append(result := run_case(case) if record is None else _recorded(case, record))
        if as_json:
            _print_json(result)
    seconds = time.perf_counter() - begun
    if junit is not None:
        try:
            junit.write_bytes(report.junit(results, seconds))
        except OSError as error:
            _unusable(f"{junit}: {error.strerror}")
    if as_json:
        _print_json({"type": "run", "passed": sum(r.passed for r in results), "failed": _failed(results)})
    else:
        from rich.console import Console

        width = None if sys.stdout.isatty() else 160
        report.table(results, Console(highlight=False, width=width), failures_only=failures)
        click.echo(report.summary(results, seconds))
    sys.exit(FAILED if _failed(results) else 0)


@command.command("list")
@files
@only
def list_(files: tuple[Path, ...], only: tuple[str, ...]) -> None:
    """List scenarios: id and title.

    \b
    Example:  pyplc scenario list --only '*unplug*'
    """
    for case in _chosen(files, only):
        click.echo(f"{case.id:48} {case.scenario.title}")


@command.command()
@click.argument("name")
@files
def show(name: str, files: tuple[Path, ...]) -> None:
    """Show what a scenario says, as it stands in its file with everything filled in.

    \b
    Example:  pyplc scenario show iso2-dc-evse/stop-ignored
    """
    from ..scenario.text import described

    for case in _chosen(files, (name,)):
        click.echo(described(case))


def _recorded(case: Case, parent: Path) -> Result:
    """Run a case and keep the frames and records of the unit under test, as it would itself."""
    from ..record import Record
    from ..scenario.engine import run as run_case
    from ..service.files import ResultsError, SessionFiles

    side = "ev" if case.role == "pev" else "evse"
    try:
        kept = SessionFiles(parent / case.id, side)
    except ResultsError as error:
        _unusable(str(error))

    def reader(record: Record) -> None:
        if record.side == side:
            kept(record)

    try:
        return run_case(case, reader=reader)
    finally:
        kept.close()


def _chosen(files: tuple[Path, ...], only: tuple[str, ...]) -> list[Case]:
    from ..scenario.load import ScenarioError, cases, package_cases

    try:
        found = [case for file in files for case in cases(file)] if files else package_cases()
    except ScenarioError as error:
        _unusable(str(error))
    chosen = [case for case in found if not only or any(fnmatch.fnmatch(case.id, glob) for glob in only)]
    if not chosen:
        _unusable(f"no scenario matches {' or '.join(only) or 'that'}; `pyplc scenario list` names them")
    return chosen


def _followed(cases: list[Case]) -> Iterable[Case]:
    """The cases, with a bar on a terminal."""
    if not sys.stderr.isatty():
        return cases
    from rich.console import Console
    from rich.progress import track

    return track(cases, "scenarios", console=Console(stderr=True), transient=True)


def _failed(results: list[Result]) -> int:
    return sum(not result.passed for result in results)


def _print_json(value: object) -> None:
    import msgspec

    from ..scenario.engine import Result

    if isinstance(value, Result):
        value = {"type": "scenario", "passed": value.passed, **msgspec.structs.asdict(value)}
    click.echo(msgspec.json.encode(value))


def _unusable(text: str) -> NoReturn:
    click.echo(f"Error: {text}", err=True)
    sys.exit(UNUSABLE)
