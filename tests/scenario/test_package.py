"""The scenarios that come with pyplc: all pass, and none passes whatever happens."""

from __future__ import annotations

import re
from collections import Counter

import msgspec
import pytest

from pyplc.scenario import declare as d
from pyplc.scenario.engine import run
from pyplc.scenario.load import Case, package_cases

CASES = {case.id: case for case in package_cases()}


@pytest.mark.parametrize("name", CASES)
def test_a_scenario_passes(name: str) -> None:
    assert run(CASES[name]).problems == []


def test_what_is_covered() -> None:
    kinds = Counter(name.partition("/")[0] for name in CASES)
    assert set(kinds) == {
        f"{protocol}-{energy}-{role}"
        for protocol, energy in (("din", "dc"), ("iso2", "dc"), ("iso2", "ac"))
        for role in ("pev", "evse")
    }
    assert len([name for name in CASES if re.fullmatch(r"din-dc-pev/suite-\d\d-.*", name)]) == 16
    used = {type(fault) for case in CASES.values() for fault in case.scenario.fault}
    assert used == set(d.AnyFault.__args__)


def without_faults(case: Case) -> Case:
    return case._replace(scenario=msgspec.structs.replace(case.scenario, fault=[]))


REACTIONS = [
    name
    for name, case in CASES.items()
    if case.scenario.fault
    and case.scenario.expect.outcome != "finished"
    and (case.protocol == "din" or case.energy == "ac" or name.replace("iso2", "din") not in CASES)
]
"""Scenarios with a fault that ends a session, each of them once."""


@pytest.mark.parametrize("name", REACTIONS)
def test_without_its_fault_a_scenario_fails(name: str) -> None:
    assert run(without_faults(CASES[name])).problems


TOLERATED = [
    name
    for name, case in CASES.items()
    if case.scenario.expect.outcome == "finished" and any(f.at.message for f in case.scenario.fault)
]


@pytest.mark.parametrize("name", TOLERATED[::4])
def test_a_fault_that_never_happens_fails(name: str) -> None:
    """What is tolerated must have happened."""
    case = CASES[name]
    faults = [
        msgspec.structs.replace(f, at=msgspec.structs.replace(f.at, occurrence=10**6)) if f.at.message else f
        for f in case.scenario.fault
    ]
    result = run(case._replace(scenario=msgspec.structs.replace(case.scenario, fault=faults)))
    assert any("never happened" in problem for problem in result.problems)
