"""Verdicts for people and for build servers."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from .engine import Result

WIDE = 120
"""Columns from which on there is room for the titles."""


def table(results: Sequence[Result], console: Console, *, failures_only: bool = False) -> None:
    """A table of verdicts, with titles where there is room; the problems of the failures below it."""
    rows = Table(box=None, pad_edge=False)
    rows.add_column("verdict")
    rows.add_column("scenario", no_wrap=True)
    rows.add_column("took", justify="right")
    rows.add_column("ended")
    if told := console.width >= WIDE:
        rows.add_column("what", overflow="fold")
    for result in results:
        if failures_only and result.passed:
            continue
        verdict = "[green]pass[/]" if result.passed else "[bold red]FAIL[/]"
        took = "" if result.took_s is None else f"{result.took_s:.2f} s"
        rows.add_row(verdict, result.id, took, result.outcome, *([escape(result.title)] if told else []))
    if rows.row_count:
        console.print(rows)
    for result in results:
        if not result.passed:
            console.print(f"\n[bold red]{result.id}[/]: {escape(result.title)}")
            for problem in result.problems:
                console.print(f"  {escape(problem)}", soft_wrap=True)


def summary(results: Sequence[Result], seconds: float) -> str:
    """One line about a run."""
    failed = sum(not result.passed for result in results)
    unsafe = sum(any(p.startswith("unsafe") for p in result.problems) for result in results)
    line = f"{len(results)} scenarios, {len(results) - failed} passed, {failed} failed"
    return f"{line} ({unsafe} unsafe), {seconds:.1f} s"


def junit(results: Sequence[Result], seconds: float) -> bytes:
    """JUnit's XML: a test case for each scenario, grouped by protocol, energy and role; `time` is the session's own."""
    failed = sum(not result.passed for result in results)
    suites = ET.Element(
        "testsuites", name="pyplc scenario", tests=str(len(results)), failures=str(failed), time=f"{seconds:.3f}"
    )
    groups: dict[str, list[Result]] = {}
    for result in results:
        groups.setdefault(result.id.partition("/")[0], []).append(result)
    for name, members in groups.items():
        wrong = sum(not member.passed for member in members)
        suite = ET.SubElement(suites, "testsuite", name=name, tests=str(len(members)), failures=str(wrong), errors="0")
        for member in members:
            _case(suite, name, member)
    ET.indent(suites)
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(suites) + b"\n"


def _case(suite: ET.Element, group: str, result: Result) -> None:
    case = ET.SubElement(
        suite,
        "testcase",
        classname=group,
        name=result.id.partition("/")[2],
        time=f"{result.took_s or 0.0:.3f}",
    )
    if not result.passed:
        failure = ET.SubElement(case, "failure", message=_printable(result.problems[0]))
        failure.text = _printable("\n".join(result.problems))
    ET.SubElement(case, "system-out").text = _printable(f"{result.title}\n{result.outcome}: {result.reason}")


def _printable(text: str) -> str:
    """Without the characters that XML cannot hold."""
    return "".join(c if c in "\n\t" or ord(c) >= 32 else "?" for c in text)
