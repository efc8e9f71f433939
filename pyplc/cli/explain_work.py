"""Captures explained one after the other, or a folder of them on all cores."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from ..capture.explain.page import html
from ..capture.explain.report import Report, told
from ..capture.keylog import load
from ..capture.reader import read

FEW = 8
"""So many captures are done before another process has started."""


class Job(NamedTuple):
    """What is done with each capture: only one session of it, a key log, a schema."""

    session: int | None
    keys: str | None
    schema: str | None


class Work(NamedTuple):
    """A capture, what it is called, and where its page goes, if it gets one."""

    file: str
    name: str
    page: str | None


class Done(NamedTuple):
    """What came of a capture; `error` says why nothing did."""

    work: Work
    reports: list[Report]
    error: str = ""


def explained(work: list[Work], job: Job, jobs: int | None) -> Iterator[Done]:
    """What came of each capture, in their order."""
    one = partial(explain_file, job=job)
    if jobs == 1 or len(work) < (FEW if jobs is None else 2):
        yield from _followed(map(one, work), len(work))
        return
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(min(jobs or os.cpu_count() or 1, len(work))) as pool:
        yield from _followed(pool.map(one, work, chunksize=4), len(work))


def explain_file(work: Work, job: Job) -> Done:
    """Explain one capture and write its page; never raises for what is in the capture."""
    try:
        keys = load(Path(job.keys)) if job.keys is not None else []
        found = told(read(work.file if work.file == "-" else Path(work.file), keys=keys, schema=job.schema), work.name)
        found = [each for each in found if job.session in (None, each[0].session)]
        if work.page is not None:
            Path(work.page).write_text(html(found, work.name), encoding="utf-8")
    except (OSError, ValueError) as error:
        return Done(work, [], str(error))
    return Done(work, [report for report, _ in found])


def _followed(done: Iterable[Done], total: int) -> Iterable[Done]:
    """The same, with a bar on a terminal where there are several."""
    if total < 2 or not sys.stderr.isatty():
        return done
    from rich.console import Console
    from rich.progress import track

    return track(done, "explaining", total=total, console=Console(stderr=True), transient=True)
