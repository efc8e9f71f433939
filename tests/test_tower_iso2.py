"""Whole towers in virtual time with ISO 15118-2, DC and AC; and AC without messages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import worlds
from msgspec.structs import replace
from test_tower import assert_safe

from pyplc.config import SessionSettings, SimSettings
from pyplc.hw.ports import PilotState
from pyplc.record import Message, Note, Reading, Switch
from pyplc.simulation import World
from pyplc.slac.modem import LOCAL_MODEM
from pyplc.station.charger import ChargerSettings, ScheduleStep
from pyplc.station.charger_ac import AcCharger
from pyplc.station.charger_dc import DcCharger
from pyplc.v2g.control import Energy

ISO2 = SessionSettings(protocols=("iso2",))
BOTH = pytest.mark.parametrize("energy", ["dc", "ac"])


def iso2(
    energy: Energy = "dc", *, target: float = 45.2, charger: dict[str, Any] | None = None, **vehicle: Any
) -> SimSettings:
    """Settings of a short session; AC charges a tenth as fast."""
    short = worlds.short(45.0 + (target - 45.0) * (1 if energy == "dc" else 0.3))
    return replace(
        short,
        session=ISO2,
        vehicle=replace(short.vehicle, energy=energy, **vehicle),
        charger=ChargerSettings(energy=energy, **(charger or {})),
    )


def finished(outcome: worlds.Outcome) -> None:
    assert {s.outcome for s in outcome.summaries.values()} == {"finished"}, outcome.summaries
    assert_safe(outcome)
    ac = outcome.world.plant.ac
    assert not ac.contactor_closed
    assert ac.cut_under_load_a == 0


def currents(outcome: worlds.Outcome, side: str = "ev") -> list[tuple[float, float]]:
    return [(r.t, r.current) for r in outcome.records if isinstance(r, Reading) and r.side == side and r.current]


@BOTH
def test_a_whole_session(energy: Energy) -> None:
    outcome = worlds.session(settings=iso2(energy))
    finished(outcome)
    vehicle, charger = outcome.summaries["ev"], outcome.summaries["evse"]
    assert "target of" in vehicle.reason
    plant = outcome.world.plant
    delivered = plant.circuit.delivered_wh if energy == "dc" else plant.ac.delivered_wh
    assert delivered > 10
    assert vehicle.energy_wh == pytest.approx(delivered, rel=0.1)
    assert charger.energy_wh == pytest.approx(delivered, rel=0.1)
    assert {r.protocol for r in outcome.records if isinstance(r, Message)} == {"app", "iso2"}


def test_both_offer_both_and_the_vehicles_taste_decides() -> None:
    for order in (("din", "iso2"), ("iso2", "din")):
        settings = replace(worlds.short(), session=SessionSettings(protocols=order))  # type: ignore[arg-type]
        outcome = worlds.session(settings=settings)
        finished(outcome)
        assert order[0] in {r.protocol for r in outcome.records if isinstance(r, Message)}


@BOTH
def test_the_conformance_profile(energy: Energy) -> None:
    settings = replace(iso2(energy), session=SessionSettings(protocols=("iso2",), profile="conformance"))
    finished(worlds.session(settings=settings))


@BOTH
@pytest.mark.parametrize("who", ["vehicle", "charger"])
def test_renegotiation_goes_on_with_closed_contactors(energy: Energy, who: str) -> None:
    def ask(world: World) -> None:
        if who == "vehicle":
            world.vehicle.vehicle.ask_renegotiation("the driver leaves later")
        else:
            world.charger.charger.request_renegotiation()

    outcome = worlds.session(ask, at=700, delay=2, settings=iso2(energy))
    finished(outcome)
    assert 610 in outcome.checkpoints("ev")
    switched = [r.state for r in outcome.records if isinstance(r, Switch) and r.device == "contactor"]
    assert switched.count("closed") == (2 if energy == "dc" else 1)
    assert outcome.messages("ev").count("SessionSetupReq") == 1


@BOTH
def test_a_pause_is_resumed_with_the_same_session(energy: Energy) -> None:
    outcome = worlds.session(settings=iso2(energy, pause_at=45.03, pause=30.0))
    finished(outcome)
    assert outcome.messages("ev").count("SessionSetupReq") == 2
    assert [r for r in outcome.records if isinstance(r, Note) and "is resumed after" in r.text]
    gap = max(b - a for (a, _), (b, _) in zip(currents(outcome), currents(outcome)[1:], strict=False))
    assert gap > 30
    assert outcome.checkpoints("ev").count(910) == 1  # unlocked once, at the very end


def test_a_charger_can_end_a_pause_itself() -> None:
    settings = iso2(pause_at=45.03, pause=500.0)
    outcome = worlds.session(lambda w: w.charger.charger.wake(), at=906, delay=5, settings=settings)
    # the vehicle sleeps as long as it likes: it finds the charger awake when it looks
    finished(outcome)


@BOTH
def test_a_charger_stops_with_a_delay(energy: Energy) -> None:
    settings = iso2(energy, target=60, charger={"stop_delay": 10})
    outcome = worlds.session(lambda w: w.charger.stop("operator"), at=705, delay=5, settings=settings)
    finished(outcome)
    assert outcome.summaries["evse"].reason == "operator"
    begun, stopped = outcome.at("evse", 790), outcome.at("ev", 800)
    assert 5 < stopped - begun <= 10


def test_a_lowered_limit_is_obeyed() -> None:
    def lower(world: World) -> None:
        assert isinstance(world.charger.charger, DcCharger)
        world.charger.charger.limit(max_current=20)

    outcome = worlds.session(lower, at=700, delay=3, settings=iso2())
    finished(outcome)
    changed = outcome.at("ev", 700) + 3
    after = [current for t, current in currents(outcome) if changed + 2 < t < outcome.at("ev", 800) - 0.1]
    assert after
    assert max(after) <= 20.1
    assert max(current for t, current in currents(outcome) if t < changed) > 100


def test_a_lowered_ac_limit_is_obeyed_and_below_six_amperes_is_a_pause() -> None:
    def lower(current: float) -> Callable[[World], None]:
        def act(world: World) -> None:
            assert isinstance(world.charger.charger, AcCharger)
            world.charger.charger.limit(current)

        return act

    for limit, given in ((10.0, 10.0), (5.0, 0.0)):
        settings = iso2("ac", target_time=30.0)
        outcome = worlds.session(lower(limit), at=705, delay=5, settings=settings)
        finished(outcome)
        changed = outcome.at("evse", 705) + 5
        after = [r.current for r in outcome.records if isinstance(r, Reading) and r.t > changed + 2]
        assert max(after) == pytest.approx(given)


def test_a_schedule_shapes_the_charge_over_time() -> None:
    steps = (ScheduleStep(start=0, max_power=20_000), ScheduleStep(start=10, max_power=7_000))
    outcome = worlds.session(settings=iso2(target=45.3, charger={"schedules": (steps,)}))
    finished(outcome)
    start = outcome.at("evse", 605)
    powers = [
        (r.t - start, r.current * r.voltage)
        for r in outcome.records
        if isinstance(r, Reading) and r.side == "evse" and r.current and r.t < outcome.at("ev", 800)
    ]
    early = [p for t, p in powers if t < 10]
    late = [p for t, p in powers if t > 12]
    assert max(early) == pytest.approx(20_000, rel=0.02)
    assert late
    assert max(late) == pytest.approx(7_000, rel=0.02)


def test_a_new_schedule_is_negotiated() -> None:
    def change(world: World) -> None:
        world.charger.charger.reschedule(((ScheduleStep(start=0, max_power=5000),),))

    outcome = worlds.session(change, at=700, delay=3, settings=iso2(target=45.1))
    finished(outcome)
    again = [r.t for r in outcome.records if isinstance(r, Message) and r.name == "ChargeParameterDiscoveryRes"][-1]
    late = [c for t, c in currents(outcome) if again + 2 < t < outcome.at("ev", 800)]
    assert max(late) < 15


@pytest.mark.parametrize(
    ("wish", "reason"), [({"target_energy": 50.0}, "50 Wh"), ({"target_time": 12.0}, "12 s")], ids=["energy", "time"]
)
@BOTH
def test_charging_to_an_energy_or_a_time(energy: Energy, wish: dict[str, float], reason: str) -> None:
    outcome = worlds.session(settings=iso2(energy, target=60, **wish))
    finished(outcome)
    assert reason in outcome.summaries["ev"].reason


# AC: faults


@pytest.mark.parametrize(
    ("disturb", "outcomes"),
    [
        (lambda w: setattr(w.plant.ac, "rcd_tripped", True), {"finished"}),
        (lambda w: setattr(w.plant.ac, "ignores_limits", True), {"finished"}),
        (lambda w: w.plant.unplug(), {"pilot"}),
        (lambda w: w.vehicle.vehicle.stop("user"), {"finished"}),
    ],
    ids=["rcd", "draws its maximum, which is allowed", "unplugged", "user stop"],
)
def test_ac_ends_safe(disturb: Callable[[World], None], outcomes: set[str]) -> None:
    outcome = worlds.session(disturb, at=705, delay=5, settings=iso2("ac"))
    assert outcomes <= {s.outcome for s in outcome.summaries.values()}
    assert not outcome.world.plant.ac.contactor_closed
    assert outcome.world.plant.ac.current == 0
    assert not outcome.world.plant.locked


def test_an_ac_vehicle_that_draws_too_much_is_cut_off() -> None:
    def disturb(world: World) -> None:
        world.plant.ac.ignores_limits = True
        assert isinstance(world.charger.charger, AcCharger)
        world.charger.charger.limit(8)

    outcome = worlds.session(disturb, at=705, delay=5, settings=iso2("ac", target=60))
    assert outcome.summaries["evse"].outcome == "pilot"
    assert "draws 16 A" in outcome.summaries["evse"].reason
    assert not outcome.world.plant.ac.contactor_closed


def test_an_ac_vehicle_in_state_b_pauses_the_energy_and_the_session_lives() -> None:
    async def pause(world: World) -> None:
        pilot = world.plant.pilot
        pilot.set_vehicle(PilotState.B)
        await asyncio.sleep(3)
        assert not world.plant.ac.contactor_closed
        pilot.set_vehicle(PilotState.C)

    outcome = worlds.session(pause, at=705, delay=5, settings=iso2("ac"))
    assert {s.outcome for s in outcome.summaries.values()} == {"finished"}
    closed = [r for r in outcome.records if isinstance(r, Switch) and r.device == "contactor" and r.state == "closed"]
    assert len(closed) == 2


def test_an_ac_contactor_that_does_not_close() -> None:
    def stick(world: World) -> None:
        world.plant.contactor_stuck_open = True

    outcome = worlds.session(prepare=stick, settings=iso2("ac"))
    assert {s.outcome for s in outcome.summaries.values()} == {"failed", "refused"}
    assert_safe(outcome)


# AC: without digital communication


def test_charging_by_the_duty_cycle_alone() -> None:
    outcome = worlds.session(settings=iso2("ac", charger={"communication": "none", "max_current": 10}))
    finished(outcome)
    assert not [r for r in outcome.records if isinstance(r, Message)]
    assert max(c for _, c in currents(outcome)) == pytest.approx(10)


def test_without_an_answer_in_slac_ac_falls_back_to_the_duty_cycle() -> None:
    def deaf(world: World) -> None:
        near = (LOCAL_MODEM, world.modems[0].address)
        host = world.hosts[0]
        send = host.send
        host.send = lambda frame: send(frame) if frame[:6] in near else None  # type: ignore[method-assign]

    outcome = worlds.session(prepare=deaf, settings=iso2("ac"))
    finished(outcome)
    assert not [r for r in outcome.records if isinstance(r, Message)]
    assert [r for r in outcome.records if isinstance(r, Note) and "no digital communication" in r.text]


def test_a_charger_stops_basic_charging_on_request() -> None:
    async def stop(world: World) -> None:
        world.charger.stop("operator")
        await asyncio.sleep(5)
        assert world.plant.ac.current == 0
        world.vehicle.vehicle.stop("user")

    settings = iso2("ac", target=60, charger={"communication": "none"})
    outcome = worlds.session(stop, at=550, delay=20, settings=settings)
    assert outcome.summaries["evse"].reason == "operator"
    assert not outcome.world.plant.ac.contactor_closed


def test_the_schedule_lasts_as_long_as_the_vehicle_stays() -> None:
    for departure, duration in ((None, 86_400), (7200, 7200)):
        outcome = worlds.session(settings=iso2(departure=departure))
        finished(outcome)
        told = next(r for r in outcome.records if isinstance(r, Message) and r.name == "ChargeParameterDiscoveryRes")
        (schedule,) = told.body.SASchedules.SAScheduleTuple
        assert schedule.PMaxSchedule.PMaxScheduleEntry[-1].TimeInterval.duration == duration


def test_the_end_of_the_schedule_is_renegotiated() -> None:
    outcome = worlds.session(settings=iso2(target=60, departure=10, target_time=25.0))
    finished(outcome)
    assert outcome.messages("evse").count("ChargeParameterDiscoveryRes") > 2
    notes = [r.text for r in outcome.records if isinstance(r, Note)]
    assert any("the schedule is over" in text for text in notes)


def test_the_lower_of_duty_cycle_and_message_holds() -> None:
    def narrow(world: World) -> None:
        world.plant.pilot.set_duty(20.0)  # 12 A, while the messages say 16

    outcome = worlds.session(narrow, at=705, delay=5, settings=iso2("ac", target_time=20.0))
    finished(outcome)
    changed = outcome.at("evse", 705) + 5
    after = [r.current for r in outcome.records if isinstance(r, Reading) and r.side == "ev" and r.t > changed + 1]
    assert max(after) == pytest.approx(12)


def test_the_ac_contactor_follows_state_c() -> None:
    outcome = worlds.session(settings=iso2("ac"))
    closed = next(r.t for r in outcome.records if isinstance(r, Switch) and r.device == "contactor")
    assert 0 <= closed - outcome.at("ev", 550) < 3
    assert outcome.at("evse", 605) >= closed
