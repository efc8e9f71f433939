"""The tables of times: each entry is used by code, named once, and patient in the field profile."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from pyplc.v2g.din.timing import CONFORMANCE, FIELD, MessageTimes
from pyplc.v2g.session import Timer

PYPLC = Path(__file__).parents[3] / "pyplc"
SOURCES = "".join(
    (PYPLC / name).read_text()
    for name in ("v2g/din/ev.py", "v2g/din/evse.py", "v2g/vehicle.py", "v2g/charger.py", "tower.py")
)


def timers(side: str) -> dict[str, tuple[Timer, Timer]]:
    """Name of the entry -> its value in both profiles."""
    strict, patient = getattr(CONFORMANCE, side), getattr(FIELD, side)
    return {
        field.name: (getattr(strict, field.name), getattr(patient, field.name))
        for field in msgspec.structs.fields(strict)
        if not isinstance(getattr(strict, field.name), MessageTimes)
    }


@pytest.mark.parametrize("side", ["vehicle", "charger"])
def test_every_entry_is_used(side: str) -> None:
    unused = [name for name in timers(side) if not re.search(rf"(timing|{side})\.{name}\b", SOURCES)]
    assert not unused


@pytest.mark.parametrize("side", ["vehicle", "charger"])
def test_names_and_sources_are_told_once(side: str) -> None:
    names = [strict.name for strict, _ in timers(side).values()]
    assert len(names) == len(set(names))
    assert all(timer.source for pair in timers(side).values() for timer in pair)


def test_the_field_is_never_less_patient() -> None:
    for side in ("vehicle", "charger"):
        for strict, patient in timers(side).values():
            assert patient.seconds >= strict.seconds, strict.name
    for request in ("SessionSetupReq", "CableCheckReq", "CurrentDemandReq", "PowerDeliveryReq", "SessionStopReq"):
        assert FIELD.vehicle.message.of(request).seconds >= CONFORMANCE.vehicle.message.of(request).seconds


def test_the_figures_of_the_standard() -> None:
    assert CONFORMANCE.vehicle.message.of("CurrentDemandReq").seconds == 0.25
    assert CONFORMANCE.vehicle.message.of("PreChargeReq").seconds == 2
    assert str(CONFORMANCE.charger.sequence) == "V2G_SECC_Sequence_Timer (60 s, V2G-DC-432)"
