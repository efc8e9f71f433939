"""The tables of times: each entry is used by code, named once, and patient in the field profile."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from pyplc.v2g.din import timing as din
from pyplc.v2g.iso2 import timing as iso2
from pyplc.v2g.session import Timer

PYPLC = Path(__file__).parents[2] / "pyplc"
SOURCES = "".join(file.read_text() for file in [*(PYPLC / "v2g").rglob("*.py"), *(PYPLC / "tower").glob("*.py")])
TABLES = {"din": din, "iso2": iso2}
EACH = pytest.mark.parametrize(("name", "side"), [(n, s) for n in TABLES for s in ("vehicle", "charger")])


def timers(name: str, side: str) -> dict[str, tuple[Timer, Timer]]:
    """Name of the entry -> its value in both profiles."""
    strict, patient = getattr(TABLES[name].CONFORMANCE, side), getattr(TABLES[name].FIELD, side)
    return {
        field.name: (getattr(strict, field.name), getattr(patient, field.name))
        for field in msgspec.structs.fields(strict)
        if isinstance(getattr(strict, field.name), Timer)
    }


@EACH
def test_every_entry_is_used(name: str, side: str) -> None:
    unused = [entry for entry in timers(name, side) if not re.search(rf"(timing|{side})\.{entry}\b", SOURCES)]
    assert not unused


@EACH
def test_names_and_sources_are_told_once(name: str, side: str) -> None:
    names = [strict.name for strict, _ in timers(name, side).values()]
    assert len(names) == len(set(names))
    assert all(timer.source for pair in timers(name, side).values() for timer in pair)


@EACH
def test_the_field_is_never_less_patient(name: str, side: str) -> None:
    for strict, patient in timers(name, side).values():
        assert patient.seconds >= strict.seconds, strict.name


@pytest.mark.parametrize("name", TABLES)
def test_every_message_is_waited_for_longer_than_it_may_take(name: str) -> None:
    table = TABLES[name]
    for request in {
        **table.CONFORMANCE.vehicle.message.by_request,
        **table.FIELD.vehicle.message.by_request,
        "x": None,
    }:
        assert table.FIELD.vehicle.message.of(request).seconds >= table.CONFORMANCE.vehicle.message.of(request).seconds
        promise = table.CONFORMANCE.charger.performance.of(request).seconds
        assert promise < table.CONFORMANCE.vehicle.message.of(request).seconds


def test_the_figures_of_the_standards() -> None:
    assert din.CONFORMANCE.vehicle.message.of("CurrentDemandReq").seconds == 0.25
    assert din.CONFORMANCE.vehicle.message.of("PreChargeReq").seconds == 2
    assert str(din.CONFORMANCE.charger.sequence) == "V2G_SECC_Sequence_Timer (60 s, V2G-DC-432)"
    assert iso2.CONFORMANCE.vehicle.message.of("PowerDeliveryReq").seconds == 5
    assert iso2.CONFORMANCE.vehicle.message.of("ServiceDetailReq").seconds == 5
    assert iso2.CONFORMANCE.charger.performance.of("PowerDeliveryReq").seconds == 4.5
    assert str(iso2.CONFORMANCE.charger.sequence) == "V2G_SECC_Sequence_Timer (60 s, V2G2-443)"
