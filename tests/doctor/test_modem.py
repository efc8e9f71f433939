"""Modems of every kind on a virtual cable, in virtual time."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
from computers import Computer, look, vehicle

from pyplc import clock
from pyplc.doctor import modem
from pyplc.doctor import patient as patients
from pyplc.doctor.patient import Finding, Patient, Role
from pyplc.link.ports import LinkError
from pyplc.link.virtual import Powerline, cable
from pyplc.record import silent
from pyplc.slac import pib_fields as fields
from pyplc.slac.chips import trouble_of
from pyplc.slac.emulated import FAST, EmulatedModem
from pyplc.slac.emulated_kinds import KINDS
from pyplc.slac.homeplug import HomePlug
from pyplc.slac.pib import Pib
from pyplc.slac.survey import Found

HOST, MODEM = bytes([2, 0, 0, 0, 0, 1]), bytes([2, 0, 0, 0, 1, 1])


class OnACable(Patient):
    """HomePlug on a virtual cable to an emulated modem."""

    far: HomePlug

    @asynccontextmanager
    async def homeplug(self) -> AsyncIterator[HomePlug]:
        yield self.far


def asked(
    computer: Computer,
    checks: Callable[[OnACable], Coroutine[Any, Any, list[Finding]]],
    change: Callable[[EmulatedModem], None] = lambda emulated: None,
    station: Role | None = "ev",
    **how: Any,
) -> list[Finding]:
    """What checks find of an emulated modem."""

    async def main() -> list[Finding]:
        near, far = cable("eth1", HOST, MODEM)
        emulated = EmulatedModem(far, Powerline(), MODEM, random.Random(1), FAST, **how)
        change(emulated)
        well = vehicle(computer)
        patient = OnACable(well.settings, station, well.config, None, computer)
        patient.far = HomePlug(near, silent("modem"))
        tasks = [asyncio.ensure_future(work) for work in (emulated.run(), patient.far.run())]
        try:
            return await checks(patient)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    return clock.run(main())


async def all_three(patient: OnACable) -> list[Finding]:
    return [await look(check, patient) for check in (modem.modem, modem.firmware, modem.role)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("station", "role"), [("ev", "pev"), ("evse", "evse")])
def test_a_modem_that_is_right(computer: Computer, kind: str, station: Role, role: str) -> None:
    found = asked(computer, all_three, station=station, kind=KINDS[kind], role=role)
    assert [f.verdict for f in found] == ["good"] * 3, found
    assert KINDS[kind].chip in found[0].says and found[1].says == KINDS[kind].version
    assert found[2].says == f"set up as {role}, all 5 fields"


def test_one_as_it_was_delivered(computer: Computer) -> None:
    *_, found = asked(computer, all_three)
    assert found.verdict == "failed"
    assert found.says == "not set up as pev: user is pyplc emulated modem, cco is 0 (auto), slac is 0 (off)"
    assert "pib patch mine.pib --role pev &&" in str(found.mend) and "pib write eth1 mine.pev.pib" in str(found.mend)


def test_fields_that_do_not_decide_are_a_warning(computer: Computer) -> None:
    def changed(emulated: EmulatedModem) -> None:
        emulated.storage.keep((fields.USER.offset, fields.encode(fields.USER, "my car")))

    *_, found = asked(computer, all_three, changed, role="pev")
    assert (found.verdict, found.says) == ("warning", "set up as pev, but user is my car")


def test_a_layout_that_is_not_known_is_not_judged(computer: Computer) -> None:
    def changed(emulated: EmulatedModem) -> None:
        emulated.storage.keep((fields.SLAC.offset, b"\x77"))

    *_, found = asked(computer, all_three, changed)
    assert found.verdict == "warning" and "another layout" in found.says


def test_a_damaged_pib(computer: Computer) -> None:
    def changed(emulated: EmulatedModem) -> None:
        sound = emulated.storage.memory
        at = sound.start + fields.NETWORK.offset
        emulated.storage.memory = Pib(sound.data[:at] + b"?" + sound.data[at + 1 :])

    *_, found = asked(computer, all_three, changed, role="pev")
    assert found.verdict == "failed" and "checksum" in found.says and "--repair --role pev" in str(found.mend)


def test_a_listener_may_have_any(computer: Computer) -> None:
    *_, found = asked(computer, all_three, station="listen", role="evse")
    assert (found.verdict, found.says) == ("good", "the modem is set up as evse")


def test_one_that_is_silent(computer: Computer) -> None:
    def changed(emulated: EmulatedModem) -> None:
        emulated.silent = True

    async def only_the_first(patient: OnACable) -> list[Finding]:
        return [await look(modem.modem, patient)]

    (found,) = asked(computer, only_the_first, changed)
    assert (found.verdict, found.says) == ("failed", "no modem answers on eth1")


async def test_an_interface_that_cannot_be_opened(computer: Computer, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any) -> None:
        raise LinkError("no right to open raw sockets; sudo setcap grants it")

    monkeypatch.setattr(patients, "open_link", refused)
    found = await look(modem.modem, vehicle(computer))
    assert (found.says, found.mend) == ("no right to open raw sockets", "sudo setcap grants it")


@pytest.mark.parametrize(
    ("chip", "version", "station", "verdict"),
    [
        ("QCA7000", "MAC-QCA7000-1.1.0.844-02-FINAL", "ev", "failed"),
        ("QCA7500", "MAC-QCA7500-2.0", "ev", "failed"),
        ("QCA7500", "MAC-QCA7500-2.0", "evse", "warning"),
        ("QCA7000", "BootLoader", "evse", "failed"),
    ],
)
async def test_firmware_with_a_record(computer: Computer, chip: str, version: str, station: Role, verdict: str) -> None:
    patient = vehicle(computer)
    patient.role = station
    patient.modem = Found(mac=MODEM, local=True, chip=chip, version=version, trouble=trouble_of(f"{version} {chip}"))
    found = await look(modem.firmware, patient)
    assert found.verdict == verdict and patient.modem.trouble and patient.modem.trouble in found.says
