"""The table of checks, and files of every kind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from computers import Computer, vehicle

from pyplc.doctor.examine import CHECKS, Check, examine, patient
from pyplc.doctor.patient import Finding, Patient, failed, good

CONFIG = Path(__file__).parents[2] / "config"


def check(name: str, *found: Finding, needs: tuple[str, ...] = (), broken: bool = False) -> Check:
    async def look(p: Patient) -> AsyncIterator[Finding]:
        for finding in found:
            yield finding
        if broken:
            raise RuntimeError("out of order")

    return Check(name, look, needs)


async def test_what_cannot_be_known_is_skipped(computer: Computer) -> None:
    checks = (
        check("one", good("yes")),
        check("two", failed("no", "do"), needs=("one",)),
        check("three", good("yes"), needs=("two",)),
        check("four", good("yes"), needs=("three",)),
        check("five", good("yes"), needs=("one",)),
    )
    found = [(f.check, f.verdict) async for f in examine(vehicle(computer), checks)]
    assert found == [("one", "good"), ("two", "failed"), ("three", "skipped"), ("four", "skipped"), ("five", "good")]


async def test_a_check_that_breaks_hides_no_other(computer: Computer) -> None:
    checks = (check("one", good("yes"), broken=True), check("two", good("yes")))
    found = [f async for f in examine(vehicle(computer), checks)]
    assert [f.verdict for f in found] == ["good", "failed", "good"] and "out of order" in found[1].says


def test_the_manual_names_every_check() -> None:
    text = (CONFIG.parent / "docs" / "how-to" / "doctor.md").read_text()
    assert [check.name for check in CHECKS if f"| {check.name} |" not in text] == []


def test_the_table_is_in_order() -> None:
    names = [check.name for check in CHECKS]
    assert len(set(names)) == len(names)
    for number, one in enumerate(CHECKS):
        assert set(one.needs) <= set(names[:number]), f"{one.name} needs what comes later"


@pytest.mark.parametrize(("file", "role"), [("pev.toml", "ev"), ("evse.toml", "evse"), ("listen.toml", "listen")])
def test_the_role_is_read_from_the_file(file: str, role: str) -> None:
    found = patient(CONFIG / file)
    assert (found.role, found.trouble) == (role, None)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[vehicle]\ntarget_sok = 3\n", "did you mean target_soc"),
        ("[vehicle\n", "not TOML"),
        ("[network]\ninterface = 'eth1'\n", "no table that tells the role"),
        ("[vehicle]\n[charger]\n", "tables of more than one role"),
        (None, "No such file"),
    ],
)
async def test_a_file_that_cannot_be_used_is_the_first_finding(
    tmp_path: Path, computer: Computer, text: str | None, says: str
) -> None:
    file = tmp_path / "car.toml"
    if text is not None:
        file.write_text(text)
    found = [f async for f in examine(patient(file, machine=computer), CHECKS[:1])]
    assert found[0].verdict == "failed" and says in found[0].says and str(file) in str(found[0].mend)


def test_a_role_that_is_given_counts(tmp_path: Path) -> None:
    file = tmp_path / "station.toml"
    file.write_text("[network]\ninterface = 'eth7'\n")
    found = patient(file, "evse")
    assert (found.role, found.trouble, found.interface) == ("evse", None, "eth7")
