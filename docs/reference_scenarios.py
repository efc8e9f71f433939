"""The reference page of scenarios: what a file may say, and what comes with pyplc."""

from __future__ import annotations

import inspect
from itertools import groupby
from typing import Any

import msgspec
from declared import MADE, remarks_of, row_of

from pyplc.scenario import declare
from pyplc.scenario.load import FAULTS, Case, package_cases

INTRODUCTION = (
    "`pyplc scenario run FILE` runs what a file like this says; how to write one is in "
    "[a car on the desk](../how-to/charger-firmware.md). Times in s, voltages in V, currents in A.\n"
)
STRUCTURES: dict[str, type[msgspec.Struct]] = {
    "## A file": declare.File,
    "## [[scenario]]": declare.Scenario,
    "## [scenario.expect]": declare.Expect,
    "### within": declare.Within,
    "### answer": declare.Answer,
}
SHARED = ("at",)
"""Keys of every fault."""


def scenarios() -> str:
    lines = [
        MADE,
        "# Scenarios\n",
        "`pyplc scenario run FILE` runs what a file like this says; how to write one is in ",
    ]
    lines[-1] += "[a car on the desk](../how-to/charger-firmware.md). Times in s, voltages in V, currents in A.\n"
    for title, kind in (
        ("A file", declare.File),
        ("[[scenario]]", declare.Scenario),
        ("[scenario.expect]", declare.Expect),
    ):
        lines += [f"## {title}\n", *keys(kind), ""]
    lines += ["### within\n", *keys(declare.Within), "", "### answer\n", *keys(declare.Answer), ""]
    lines += ["## [[scenario.fault]]\n", "### at\n", *keys(declare.At), "", "### do\n"]
    lines += ["| do | what it is | keys |", "|---|---|---|", *(fault(word, kind) for word, kind in FAULTS.items()), ""]
    cases = package_cases()
    lines += [f"## The {len(cases)} cases that come with pyplc\n"]
    for file, members in groupby(cases, key=lambda case: case.file):
        lines += [f"### {file}\n", "| scenario | what | runs as | right is | source |", "|---|---|---|---|---|"]
        lines += [case_row(list(group)) for _, group in groupby(members, key=lambda case: case.scenario.name)]
        lines.append("")
    return "\n".join(lines)


def keys(kind: type[msgspec.Struct]) -> list[str]:
    remarks = remarks_of(kind)
    rows = [row_of(f"`{name}`", remarks.get(name, "").replace("|", "or")) for name in kind.__struct_fields__]
    return [words(kind) + "\n", "| key | |", "|---|---|", *rows]


def fault(word: str, kind: type[declare.Fault]) -> str:
    remarks = remarks_of(kind)
    names = [name for name in kind.__struct_fields__ if name not in SHARED]
    told = [f"`{name}`" + (f": {remarks[name]}" if name in remarks else "") for name in names]
    return row_of(f"`{word}`", words(kind), "<br>".join(told))


def words(kind: type[Any]) -> str:
    return (inspect.getdoc(kind) or "").replace("\n", " ")


def case_row(cases: list[Case]) -> str:
    first = cases[0]
    outcome = first.scenario.expect.outcome
    right = outcome if isinstance(outcome, str) else " or ".join(outcome)
    runs = ", ".join(dict.fromkeys(case.id.split("/")[0] for case in cases))
    return row_of(f"`{first.scenario.name}`", first.scenario.title, runs, right, first.source or "")


__all__ = ["scenarios"]
