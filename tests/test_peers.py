"""Profiles of cars and chargers: every figure is found in its capture, and a simulated session behaves like them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import peerfacts
import pytest
import reference
import worlds
from click.testing import CliRunner

from pyplc import peers
from pyplc.cli.main import main
from pyplc.config import ConfigError, SimSettings
from pyplc.peers import SECTIONS, ChargerProfile, SectionName, VehicleProfile
from pyplc.record import Message

VEHICLES = {name: peers.load(name, VehicleProfile) for name in peers.names(VehicleProfile)}
CHARGERS = {name: peers.load(name, ChargerProfile) for name in peers.names(ChargerProfile)}
CLAIMS = [
    pytest.param(kind, name, section, id=f"{name}-{section}")
    for kind, shelf in (("vehicle", VEHICLES), ("charger", CHARGERS))
    for name, profile in shelf.items()
    for section in SECTIONS
    if getattr(profile, section) is not None
]


def test_there_are_eight_of_each_with_a_din_session() -> None:
    assert sum(profile.din is not None for profile in VEHICLES.values()) >= 8
    assert sum(profile.din is not None for profile in CHARGERS.values()) >= 8


def plain(section: Any) -> dict[str, Any]:
    """A section as the facts are written: without what says nothing."""
    usual = {"service_id": 1, "tuples": 1}
    return {
        key: value
        for key, value in msgspec.to_builtins(section).items()
        if value not in (None, [], {}) and value is not False and usual.get(key) != value
    }


@pytest.mark.parametrize(("kind", "name", "section"), CLAIMS)
def test_the_capture_shows_what_the_profile_says(kind: str, name: str, section: str) -> None:
    profile: Any = (VEHICLES if kind == "vehicle" else CHARGERS)[name]
    said = plain(getattr(profile, section))
    reference.path(f"captures/{said['capture']}")
    seen = getattr(peerfacts, kind)(said["capture"])
    said.pop("offers", None)
    if "schedule" in seen:
        seen["schedule"] = plain(msgspec.convert(seen["schedule"], peers.Schedule))
        said["schedule"] = plain(getattr(profile, section).schedule)
    assert said == seen
    if kind == "charger":
        ports = [message.port for message in peerfacts.longest(said["capture"]) if message.name.endswith("Res")]
        assert ports[0] in profile.ports
        return
    session = peerfacts.longest(said["capture"])
    setup = next(message.body for message in session if message.name == "SessionSetupReq")
    assert peerfacts.offers(session) == msgspec.to_builtins(getattr(profile, section).offers or profile.offers)
    assert setup.EVCCID.hex() == profile.evccid or section != next(s for s in SECTIONS if getattr(profile, s))


def simulated(vehicle: str | None, charger: str | None, section: SectionName | None = None) -> worlds.Outcome:
    """A session of the two, with a few seconds of charging; in a section of the one that is named, if said."""
    settings = SimSettings()
    if section is None:
        peers.imitate(settings, VEHICLES[vehicle] if vehicle else None, CHARGERS[charger] if charger else None)
    else:
        if vehicle is not None:
            peers.be_vehicle(VEHICLES[vehicle], settings, section)
        if charger is not None:
            peers.be_charger(CHARGERS[charger], settings, section)
        settings.vehicle.energy = settings.charger.energy = "ac" if section == "ac" else "dc"
        settings.session.protocols = ("din",) if section == "din" else ("iso2",)
    settings.vehicle.target_soc = 100.0
    settings.vehicle.target_time = 3.0
    return worlds.session(settings=settings)


def met(vehicle: str, charger: str) -> SectionName | None:
    """The kind of session of a pair, None when there is none."""
    try:
        return peers.meeting(VEHICLES[vehicle], CHARGERS[charger])
    except ConfigError:
        return None


PAIRS = {(vehicle, charger): met(vehicle, charger) for vehicle in VEHICLES for charger in CHARGERS}


def test_cars_and_chargers_meet_in_what_both_know() -> None:
    assert PAIRS["ioniq-2016", "alpitronic-hyc"] == "din"
    assert PAIRS["vw-id3", "everest-umwc"] == "iso2"
    assert PAIRS["vw-id3", "compleo"] == "din"
    assert PAIRS["audi-q4", "everest-umwc"] == "din"
    assert PAIRS["audi-q4", "everest-ac"] == "ac"
    assert PAIRS["porsche-taycan", "everest-josev"] == "ac"
    assert PAIRS["porsche-taycan", "compleo"] is None
    assert sum(section == "din" for section in PAIRS.values()) >= 64
    with pytest.raises(ConfigError, match="Porsche Taycan 4S and Compleo 50 kW: no kind of session in common"):
        peers.imitate(SimSettings(), VEHICLES["porsche-taycan"], CHARGERS["compleo"])


@pytest.mark.parametrize(("vehicle", "charger"), [pair for pair, section in PAIRS.items() if section is not None])
def test_every_pair_holds_a_session_to_its_end(vehicle: str, charger: str) -> None:
    outcome = simulated(vehicle, charger)
    assert {side: summary.outcome for side, summary in outcome.summaries.items()} == {
        "ev": "finished",
        "evse": "finished",
    }, [summary.reason for summary in outcome.summaries.values()]
    spoken = next(r.protocol for r in outcome.records if isinstance(r, Message) and r.name == "SessionSetupReq")
    assert spoken == ("din" if PAIRS[vehicle, charger] == "din" else "iso2")
    assert not outcome.world.plant.circuit.vehicle_closed
    assert not outcome.world.plant.circuit.outlet_closed
    assert not outcome.world.plant.ac.contactor_closed
    assert not outcome.world.plant.locked


def sent(outcome: worlds.Outcome, side: str, name: str) -> Any:
    """The first message of a name that a side sent."""
    return next(
        record.body
        for record in outcome.records
        if isinstance(record, Message) and (record.side, record.direction, record.name) == (side, "tx", name)
    )


def same(theirs: Any, ours: Any, elements: tuple[str, ...], slack: float = 0.05) -> None:
    """The named elements are there in both or in neither, with the same values."""
    for element in elements:
        said, heard = getattr(theirs, element), getattr(ours, element)
        assert (said is None) == (heard is None), element
        assert said is None or float(said) == pytest.approx(float(heard), abs=slack), element


VEHICLE_LIMITS = ("EVMaximumVoltageLimit", "EVMaximumCurrentLimit", "EVMaximumPowerLimit", "EVEnergyCapacity",
                  "EVEnergyRequest", "FullSOC", "BulkSOC")  # fmt: skip
CHARGER_LIMITS = ("EVSEMaximumVoltageLimit", "EVSEMaximumCurrentLimit", "EVSEMaximumPowerLimit",
                  "EVSEMinimumVoltageLimit", "EVSEMinimumCurrentLimit", "EVSECurrentRegulationTolerance",
                  "EVSEPeakCurrentRipple")  # fmt: skip


@pytest.mark.parametrize(("kind", "name", "section"), [c for c in CLAIMS if c.values[0] == "vehicle"])
def test_our_car_says_what_the_recorded_one_said(kind: str, name: str, section: SectionName) -> None:
    capture = getattr(VEHICLES[name], section).capture
    reference.path(f"captures/{capture}")
    recorded = {message.name: message.body for message in reversed(peerfacts.longest(capture))}
    outcome = simulated(name, None, section)
    if VEHICLES[name].evccid == recorded["SessionSetupReq"].EVCCID.hex():
        assert sent(outcome, "ev", "SessionSetupReq").EVCCID == recorded["SessionSetupReq"].EVCCID
    if "ChargeParameterDiscoveryReq" not in recorded:
        return
    ours = sent(outcome, "ev", "ChargeParameterDiscoveryReq")
    theirs = recorded["ChargeParameterDiscoveryReq"]
    mode = "EVRequestedEnergyTransferType" if section == "din" else "RequestedEnergyTransferMode"
    assert getattr(ours, mode) == getattr(theirs, mode)
    ours, theirs = ours.EVChargeParameter, theirs.EVChargeParameter
    if section == "ac":
        same(theirs, ours, ("EVMaxVoltage", "EVMaxCurrent", "EVMinCurrent"))
        return
    same(theirs, ours, VEHICLE_LIMITS)
    assert ours.DC_EVStatus.EVRESSSOC == theirs.DC_EVStatus.EVRESSSOC
    if "PreChargeReq" in recorded:
        ours, theirs = sent(outcome, "ev", "PreChargeReq"), recorded["PreChargeReq"]
        same(theirs, ours, ("EVTargetCurrent",))
        same(theirs, ours, ("EVTargetVoltage",), 0.5)


@pytest.mark.parametrize(("kind", "name", "section"), [c for c in CLAIMS if c.values[0] == "charger"])
def test_our_charger_offers_what_the_recorded_one_offered(kind: str, name: str, section: SectionName) -> None:
    capture = getattr(CHARGERS[name], section).capture
    reference.path(f"captures/{capture}")
    recorded = {message.name: message.body for message in peerfacts.longest(capture)}
    outcome = simulated(None, name, section)
    assert sent(outcome, "evse", "SessionSetupRes").EVSEID == recorded["SessionSetupRes"].EVSEID
    ours = sent(outcome, "evse", "ChargeParameterDiscoveryRes").EVSEChargeParameter
    if "ChargeParameterDiscoveryRes" not in recorded:
        assert float(ours.EVSEMaximumCurrentLimit) == CHARGERS[name].assumed["max_current"]
        return
    theirs = recorded["ChargeParameterDiscoveryRes"].EVSEChargeParameter
    same(theirs, ours, ("EVSENominalVoltage", "EVSEMaxCurrent") if section == "ac" else CHARGER_LIMITS)


def test_the_paces_are_the_recorded_ones() -> None:
    outcome = simulated("ioniq-2016", "alpitronic-hyc")
    times: dict[str, list[float]] = {}
    answers: list[float] = []
    for record in outcome.records:
        if isinstance(record, Message) and record.side == "ev":
            if record.direction == "tx":
                times.setdefault(record.name, []).append(record.t)
            elif record.name == "CurrentDemandRes":
                answers.append(record.t - times["CurrentDemandReq"][-1])
    for name in ("CableCheckReq", "CurrentDemandReq"):
        gaps = [b - a for a, b in zip(times[name], times[name][1:], strict=False)]
        assert sorted(gaps)[len(gaps) // 2] == pytest.approx(0.09, abs=0.002)
    assert sorted(answers)[len(answers) // 2] == pytest.approx(0.01, abs=0.002)
    phase = times["PreChargeReq"][0] - times["CableCheckReq"][0]
    assert phase == pytest.approx(
        14.41, abs=1.5
    )  # the recorded one, from the first CableCheckReq to the first PreChargeReq


@pytest.mark.parametrize(
    "charger", [name for name, profile in CHARGERS.items() if any(s != "ac" and getattr(profile, s) for s in SECTIONS)]
)
def test_each_charger_charges_for_longer_than_a_few_seconds(charger: str) -> None:
    """Longer than a charger waits for a value of its isolation monitor, however long its cable check takes."""
    settings = SimSettings()
    peers.imitate(settings, None, CHARGERS[charger])
    settings.vehicle.target_time = 15.0
    outcome = worlds.session(settings=settings)
    assert {side: summary.outcome for side, summary in outcome.summaries.items()} == {
        "ev": "finished",
        "evse": "finished",
    }


@pytest.mark.parametrize(
    ("name", "kind", "complaint"),
    [
        ("ionic-2016", VehicleProfile, "there is no vehicle 'ionic-2016'; did you mean ioniq-2016.*tesla-model-y"),
        ("zzz", ChargerProfile, "there is no charger 'zzz'; a file is named by its path"),
        ("./nowhere.toml", VehicleProfile, "nowhere.toml: No such file"),
    ],
)
def test_an_unknown_name_is_told(name: str, kind: Any, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        peers.load(name, kind)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('name = "x"\nevccid = "00"\noffers = []', r"at least one section \[din\], \[iso2\] or \[ac\]"),
        ('name = "x"\nevccid = "0"\noffers = []', "evccid: expected `str` matching regex"),
        ('name = "x"\nevccid = "00"\noffers = []\n[dim]\n', "unknown key dim; did you mean din"),
        (
            'name = "x"\nevccid = "00"\noffers = []\n[din]\ncapture = "-"\nsession_id = ""\ntransfer = "DC"\n'
            'max_voltage = "high"',
            "din.max_voltage: expected `float`, got `str`",
        ),
    ],
)
def test_what_is_wrong_in_a_profile_is_told(text: str, complaint: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=complaint):
        peers.load(str(file), VehicleProfile)


def test_a_profile_of_ones_own_is_named_by_its_path(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_bytes((peers.DATA / "vehicles" / "kona-2017.toml").read_bytes())
    assert peers.load(str(file), VehicleProfile) == VEHICLES["kona-2017"]


def test_every_knob_that_waits_is_in_the_data() -> None:
    classes = {"vehicle": VehicleProfile, "charger": ChargerProfile}
    for knob in peers.UNUSED:
        side, _, sections = knob.sections.partition(" ")
        for section in filter(None, sections.split(", ")) if sections else [""]:
            kind = {"vehicle": peers.VehicleDc, "charger": peers.ChargerDc}[side] if section else classes[side]
            if section == "ac":
                kind = {"vehicle": peers.VehicleAc, "charger": peers.ChargerAc}[side]
            known = [field.name for field in msgspec.structs.fields(kind)]
            assert set(knob.key.split(", ")) <= set(known), knob


def test_the_command_takes_them_by_name() -> None:
    done = CliRunner().invoke(main, ["sim", "--vehicle", "kona-2017", "--charger", "compleo", "--target-soc", "81.02",
                                     "--fast-modems", "--json"])  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "vehicle e0:0e:e1:00:24:dd" in done.output
    shelf = CliRunner().invoke(main, ["sim", "--vehicle", "list"])
    assert shelf.exit_code == 0
    assert all(name in shelf.output for name in VEHICLES)
    wrong = CliRunner().invoke(main, ["ev", "x.toml", "--vehicle", "ionic-2016"])
    assert wrong.exit_code == 1
    assert "did you mean ioniq-2016?" in wrong.output
