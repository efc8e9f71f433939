"""Known stories, as tables beside this file: of captures of the reference material, and of disturbed sessions.

The verdicts of captures are from the notes of those who recorded them, the chargers' own event logs beside them, and
the messages themselves; a fault is what the scenario of that id does.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple


class Known(NamedTuple):
    """A capture (or a scenario), the session in it, and what the verdict must be; `words` stand in its sentence."""

    source: str
    session: int
    outcome: str
    by: str
    phase: str
    rule: str
    words: str


def known(name: str) -> list[Known]:
    """The rows of a table."""
    with Path(__file__).with_name(f"stories-{name}.tsv").open(newline="") as file:
        rows = list(csv.reader(file, delimiter="\t"))[1:]
    return [Known(source, int(session), *rest) for source, session, *rest in rows]


CAPTURES, FAULTS = known("captures"), known("faults")
