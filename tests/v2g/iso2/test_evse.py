"""The charger's session in ISO 15118-2 as playbooks: DC and AC."""

from __future__ import annotations

import asyncio
from typing import Any

import iso2_requests as q
import playbook
import pytest
from iso2_requests import END, PAUSE, RENEGOTIATE, START, STOP, WAYS, power, select, way_to
from msgspec.structs import replace
from playbook import Car
from stations import ObedientCharger

from pyplc.record import Note, Record
from pyplc.v2g.control import Energy, Kept, Meter, Schedule, ScheduleEntry, Service
from pyplc.v2g.iso2 import messages as m
from pyplc.v2g.iso2.evse import charger_session
from pyplc.v2g.iso2.sequence import AC_SEQUENCE, DC_SEQUENCE, State, admitted
from pyplc.v2g.iso2.timing import CONFORMANCE, FIELD
from pyplc.v2g.rules import CONFORMANCE as STRICT
from pyplc.v2g.rules import FIELD as PATIENT
from pyplc.v2g.rules import Rules
from pyplc.v2g.sequence import Outcome
from pyplc.v2g.session import Ended, PeerGone, PeerWrong, StationRefused, TimedOut, name_of

Code = m.responseCode
TABLES: dict[Energy, Any] = {"dc": DC_SEQUENCE, "ac": AC_SEQUENCE}
EVERY = [(energy, state) for energy, way in WAYS.items() for state in way]
BOTH = pytest.mark.parametrize("energy", ["dc", "ac"])


def play(
    script: playbook.Play,
    control: ObedientCharger | None = None,
    timing: Any = FIELD,
    rules: Rules = PATIENT,
    energy: Energy = "dc",
    **more: Any,
) -> tuple[playbook.End, float]:
    control = control or ObedientCharger(energy=energy)
    return playbook.play(charger_session(control), script, control, timing, rules, **more)  # type: ignore[arg-type]


def but(**deviations: bool) -> Rules:
    """The strict rules, but for these."""
    return STRICT._replace(deviations=replace(STRICT.deviations, **deviations))


def loop(energy: Energy) -> Any:
    return q.DEMAND if energy == "dc" else m.ChargingStatusReq()


@pytest.mark.parametrize(("energy", "state"), EVERY, ids=lambda v: getattr(v, "name", v))
@pytest.mark.parametrize("kind", q.requests("dc"), ids=lambda k: k.__name__)
def test_every_request_in_every_state(energy: Energy, state: State, kind: type) -> None:
    """Admitted, or answered with its own response and FAILED_SequenceError, and the session is over."""
    outcomes = admitted(TABLES[energy], state, kind, stop_in_loop=False, stopping=False, short=False)
    answers: list[Any] = []

    async def script(car: Car) -> None:
        await car.go(way_to(state, energy))
        request = power(STOP) if kind is m.PowerDeliveryReq and state is State.CHARGING else q.requests(energy)[kind]
        answers.append(await car.ask(request))
        if outcomes is not None:
            await car.channel.close()

    end, _ = play(script, rules=but(no_charging_profile=True), energy=energy)
    (answer,) = answers
    assert name_of(answer) == kind.__name__.removesuffix("Req") + "Res"
    if outcomes is None:
        assert answer.ResponseCode == Code.FAILED_SequenceError
        assert isinstance(end, PeerWrong)
        assert "V2G2-459" in str(end)
    else:
        assert answer.ResponseCode < Code.FAILED


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_the_table_leads_from_the_first_state_to_the_end(table: Any) -> None:
    seen, todo = set(), [State.SESSION_SETUP]
    while todo:
        state = todo.pop()
        if state not in seen:
            seen.add(state)
            todo += [after for row in table[state].values() for after in row.values()]
    assert seen == set(table)


@pytest.mark.parametrize(("energy", "state"), EVERY[1:], ids=lambda v: getattr(v, "name", v))
def test_another_session_id_is_refused_in_every_state(energy: Energy, state: State) -> None:
    if state is State.SESSION_SETUP:
        return
    answers: list[Any] = []

    async def script(car: Car) -> None:
        await car.go(way_to(state, energy))
        answers.append(await car.ask(END, session_id=bytes(8)))

    end, _ = play(script, energy=energy)
    assert answers[0].ResponseCode == Code.FAILED_UnknownSession
    assert isinstance(end, PeerWrong)
    assert "V2G2-460" in str(end)


@pytest.mark.parametrize(("energy", "state"), EVERY, ids=lambda v: getattr(v, "name", v))
def test_silence_in_every_state_ends_by_the_sequence_timer(energy: Energy, state: State) -> None:
    control = ObedientCharger(energy=energy)
    end, at = play(
        lambda car: car.go(way_to(state, energy)), control, CONFORMANCE, but(no_charging_profile=True), energy
    )
    assert isinstance(end, TimedOut)
    assert end.timer.name == "V2G_SECC_Sequence_Timer"
    assert at == pytest.approx(60, abs=0.01)
    assert ("hold" in control.calls) == (energy == "dc" and state in (State.READY, State.CHARGING))


def test_the_communication_setup_time_ends_a_vehicle_that_does_not_begin() -> None:
    async def script(car: Car) -> None:
        await asyncio.sleep(0)

    end, at = play(script, timing=CONFORMANCE, setup_by=18.0)
    assert isinstance(end, TimedOut)
    assert end.timer is CONFORMANCE.charger.communication_setup
    assert at == pytest.approx(18)


@BOTH
def test_a_whole_session_in_order(energy: Energy) -> None:
    control = ObedientCharger(energy=energy)

    async def script(car: Car) -> None:
        await car.go(way_to(State.STOPPED, energy))
        await car.go([END])
        await car.channel.close()

    end, _ = play(script, control, rules=but(no_charging_profile=True))
    assert isinstance(end, Ended)
    assert control.calls[-1] == "finished"
    assert control.chosen is not None


# session id and resume


def test_a_new_session_gets_a_new_id_and_the_time() -> None:
    async def script(car: Car) -> None:
        response = await car.ask(q.SETUP)
        assert response.ResponseCode == Code.OK_NewSessionEstablished
        assert response.EVSETimeStamp == 1_700_000_000
        assert len(car.session_id) == 8
        assert any(car.session_id)
        await car.channel.close()

    end, _ = play(script)
    assert isinstance(end, PeerGone)


KEPT = Kept(b"\1" * 8, bytes(6), "DC_extended", Schedule(7, (ScheduleEntry(0, 9000), ScheduleEntry(100, 5000))), -40.0)


@pytest.mark.parametrize(
    ("asked", "evccid", "code"),
    [
        (KEPT.session_id, bytes(6), Code.OK_OldSessionJoined),
        (KEPT.session_id, b"\2" * 6, Code.OK_NewSessionEstablished),
        (b"\3" * 8, bytes(6), Code.OK_NewSessionEstablished),
        (b"\1" * 7, bytes(6), Code.OK_NewSessionEstablished),
        (b"\0", bytes(6), Code.OK_NewSessionEstablished),
    ],
    ids=["joined", "another car", "unknown id", "shorter id", "one zero byte"],
)
def test_a_paused_session_is_joined_by_its_id_and_its_car(asked: bytes, evccid: bytes, code: Code) -> None:
    control = ObedientCharger()
    control.kept = KEPT
    control.modes = ("DC_extended", "DC_core")

    async def script(car: Car) -> None:
        response = await car.ask(m.SessionSetupReq(EVCCID=evccid))
        assert response.ResponseCode == code
        joined = code == Code.OK_OldSessionJoined
        assert (car.session_id == asked) == joined
        found = await car.ask(m.ServiceDiscoveryReq())
        assert len(found.ChargeService.SupportedEnergyTransferMode.EnergyTransferMode) == (1 if joined else 2)
        await car.go([select(1), m.AuthorizationReq()])
        told = await car.ask(q.parameters())
        (schedule,) = told.SASchedules.SAScheduleTuple
        assert schedule.SAScheduleTupleID == (7 if joined else 1)
        if joined:  # the time of the pause is gone [V2G2-741]
            assert [e.TimeInterval.start for e in schedule.PMaxSchedule.PMaxScheduleEntry] == [0, 60]
        await car.channel.close()

    play(script, control, session_id=asked)
    assert control.kept is None


@BOTH
def test_a_pause_is_kept_and_only_after_power_off(energy: Energy) -> None:
    control = ObedientCharger(energy=energy)

    async def script(car: Car) -> None:
        await car.go([*way_to(State.STOPPED, energy), PAUSE])
        await car.channel.close()

    end, _ = play(script, control)
    assert isinstance(end, Ended)
    assert control.kept is not None
    assert end.paused == control.kept.session_id


@pytest.mark.parametrize("state", [State.PARAMETERS, State.CHARGING], ids=lambda s: s.name)
def test_a_pause_too_early_fails(state: State) -> None:
    control = ObedientCharger()

    async def script(car: Car) -> None:
        await car.go(way_to(state, "dc"))
        assert (await car.ask(PAUSE)).ResponseCode == Code.FAILED

    end, _ = play(script, control)
    assert isinstance(end, PeerWrong)
    assert control.kept is None


# services and payment

CATALOGUE = (
    Service(3, "InternetAccess", "Internet", sets={3: {"Protocol": "http", "Port": 80}}),
    Service(60_001, None, "OtherCustom", sets={1: {"cosy": True, "warmth": 21.5}}),
)


def test_services_are_listed_filtered_and_detailed() -> None:
    control = ObedientCharger()
    control.services = CATALOGUE

    async def script(car: Car) -> None:
        await car.ask(q.SETUP)
        found = await car.ask(m.ServiceDiscoveryReq(ServiceCategory=m.serviceCategory.Internet, ServiceScope="x"))
        assert [s.ServiceID for s in found.ServiceList.Service] == [3]
        assert found.ChargeService.ServiceID == 1
        detail = await car.ask(m.ServiceDetailReq(ServiceID=3))
        (one,) = detail.ServiceParameterList.ParameterSet
        assert {p.Name: p.stringValue or p.intValue for p in one.Parameter} == {"Protocol": "http", "Port": 80}
        other = await car.ask(m.ServiceDetailReq(ServiceID=60_001))
        (one,) = other.ServiceParameterList.ParameterSet
        assert [p.boolValue for p in one.Parameter] == [True, None]
        assert float(one.Parameter[1].physicalValue) == 21.5 or float(one.Parameter[1].physicalValue) == 22
        assert (await car.ask(m.ServiceDetailReq(ServiceID=1))).ServiceParameterList is None
        chosen = m.SelectedService(ServiceID=3, ParameterSetID=3)
        listed = m.SelectedServiceList(SelectedService=[m.SelectedService(ServiceID=1), chosen])
        await car.go([replace(select(1), SelectedServiceList=listed)])
        await car.channel.close()

    play(script, control, rules=but(services_without_tls=True))


def test_without_tls_no_services_are_offered() -> None:
    control = ObedientCharger()
    control.services = CATALOGUE

    async def script(car: Car) -> None:
        await car.ask(q.SETUP)
        assert (await car.ask(m.ServiceDiscoveryReq())).ServiceList is None
        assert (await car.ask(m.ServiceDetailReq(ServiceID=3))).ResponseCode == Code.FAILED_ServiceIDInvalid

    end, _ = play(script, control)
    assert isinstance(end, StationRefused)


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (select(1, contract=True), Code.FAILED_PaymentSelectionInvalid),
        (select(3), Code.FAILED_NoChargeServiceSelected),
        (select(1, 3), Code.FAILED_ServiceSelectionInvalid),
    ],
)
def test_a_wrong_selection_is_refused(request_: Any, code: Code) -> None:
    async def script(car: Car) -> None:
        await car.go(way_to(State.PAYMENT_SELECTION, "dc"))
        assert (await car.ask(request_)).ResponseCode == code

    end, _ = play(script)
    assert isinstance(end, StationRefused)


# authorisation and parameters


@pytest.mark.parametrize("plain", [False, True])
def test_authorisation_waits_for_the_customer(plain: bool) -> None:
    async def script(car: Car) -> None:
        await car.go(way_to(State.AUTHORIZATION, "dc"))
        kinds = m.EVSEProcessing
        waiting = kinds.Ongoing if plain else kinds.Ongoing_WaitingForCustomerInteraction
        assert (await car.ask(m.AuthorizationReq())).EVSEProcessing == waiting
        await asyncio.sleep(11)
        assert (await car.ask(m.AuthorizationReq())).EVSEProcessing == kinds.Finished
        await car.channel.close()

    play(script, ObedientCharger(slow=10.0), rules=but(waiting_as_ongoing=plain))


@pytest.mark.parametrize(
    ("state", "seconds"), [(State.AUTHORIZATION, 55), (State.PARAMETERS, 55), (State.CABLE_CHECK, 38)]
)
def test_ongoing_has_a_limit(state: State, seconds: float) -> None:
    control = ObedientCharger()
    asked = {State.AUTHORIZATION: m.AuthorizationReq(), State.PARAMETERS: q.parameters(), State.CABLE_CHECK: q.CABLE}

    async def script(car: Car) -> None:
        await car.go(way_to(state, "dc"))
        control.slow = 1000.0
        while (response := await car.ask(asked[state])).ResponseCode < Code.FAILED:
            if state is State.PARAMETERS:  # no schedule while it is Ongoing [V2G2-905]
                assert response.SASchedules is None
            await asyncio.sleep(1)

    end, at = play(script, control, CONFORMANCE)
    assert isinstance(end, StationRefused)
    assert at == pytest.approx(seconds, abs=1.5)


@pytest.mark.parametrize(
    ("energy", "request_", "code"),
    [
        ("dc", q.parameters("dc", "AC_three_phase_core"), Code.FAILED_WrongEnergyTransferMode),
        ("ac", q.parameters("ac", "DC_core"), Code.FAILED_WrongEnergyTransferMode),
        ("dc", q.parameters("ac", "DC_extended"), Code.FAILED_WrongChargeParameter),
        ("ac", q.parameters("dc", "AC_three_phase_core"), Code.FAILED_WrongChargeParameter),
    ],
)
def test_wrong_parameters_are_refused(energy: Energy, request_: Any, code: Code) -> None:
    async def script(car: Car) -> None:
        await car.go(way_to(State.PARAMETERS, energy))
        assert (await car.ask(request_)).ResponseCode == code

    end, _ = play(script, energy=energy)
    assert isinstance(end, StationRefused)


# schedules and profiles

SCHEDULES = (
    Schedule(1, (ScheduleEntry(0, 11_000), ScheduleEntry(1800, 4000), ScheduleEntry(3600, 22_000)), 7200),
    Schedule(2, (ScheduleEntry(0, 5000),), 7200),
)


def test_schedules_are_told_with_their_times() -> None:
    control = ObedientCharger()
    control.offered = SCHEDULES

    async def script(car: Car) -> None:
        await car.go(way_to(State.PARAMETERS, "dc"))
        told = await car.ask(q.parameters(MaxEntriesSAScheduleTuple=2))
        first, second = told.SASchedules.SAScheduleTuple
        entries = first.PMaxSchedule.PMaxScheduleEntry
        assert [(e.TimeInterval.start, e.TimeInterval.duration, float(e.PMax)) for e in entries] == [
            (0, None, 11_000),
            (1800, 1800, 4000),  # the vehicle holds two entries, the schedule ends where the third would begin
        ]
        assert second.SAScheduleTupleID == 2
        await car.channel.close()

    play(script, control)


@pytest.mark.parametrize(
    ("entries", "schedule", "code"),
    [
        (((0, 11_000), (1800, 4000), (3600, 22_000)), 1, Code.OK),
        (((0, 4000),), 1, Code.OK),
        (((0, 5000),), 1, Code.FAILED_ChargingProfileInvalid),
        (((0, 4000), (7200, 4000)), 1, Code.FAILED_ChargingProfileInvalid),
        (((0, 4000), (7200, 0)), 1, Code.OK),  # EcoG's vehicle closes its profile like this
        (((0, 4000), (7201, 0)), 1, Code.FAILED_ChargingProfileInvalid),
        (((0, 5000),), 2, Code.OK),
        ((), 1, Code.FAILED_ChargingProfileInvalid),
        (((0, 4000),), 3, Code.FAILED_TariffSelectionInvalid),
    ],
)
@BOTH
def test_the_charging_profile_is_checked(
    energy: Energy, entries: tuple[tuple[int, float], ...], schedule: int, code: Code
) -> None:
    control = ObedientCharger(energy=energy)
    control.offered = SCHEDULES

    async def script(car: Car) -> None:
        await car.go(way_to(State.PRECHARGED if energy == "dc" else State.POWER, energy))
        assert (await car.ask(power(START, schedule, *entries))).ResponseCode == code
        await car.channel.close()

    play(script, control, rules=STRICT)
    assert (control.chosen is not None) == (code == Code.OK)


def test_in_the_field_a_profile_may_be_wrong_or_missing() -> None:
    for entries in ((), ((0, 99_000.0),)):
        control = ObedientCharger()
        records: list[Record] = []

        async def script(car: Car, entries: Any = entries) -> None:
            await car.go([*way_to(State.PRECHARGED, "dc"), power(START, 1, *entries)])
            await car.channel.close()

        play(script, control, records=records)
        assert bool([r for r in records if isinstance(r, Note) and "profile" in r.text]) == bool(entries)


def test_a_wrong_schedule_does_not_block_the_stop() -> None:
    control = ObedientCharger()

    async def script(car: Car) -> None:
        await car.go([*way_to(State.CHARGING, "dc"), power(STOP, 99)])
        await car.channel.close()

    play(script, control)
    assert "stop" in control.calls


# power


def test_start_twice_and_renegotiate_before_start_fail() -> None:
    for state, progress in ((State.CHARGING, START), (State.PRECHARGED, RENEGOTIATE)):

        async def script(car: Car, state: State = state, progress: Any = progress) -> None:
            await car.go(way_to(state, "dc"))
            assert (await car.ask(power(progress))).ResponseCode == Code.FAILED

        end, _ = play(script)
        assert isinstance(end, PeerWrong)


@pytest.mark.parametrize("code", ["FAILED_PowerDeliveryNotApplied", "FAILED_ContactorError"])
@BOTH
def test_a_charger_that_cannot_start_says_why(energy: Energy, code: str) -> None:
    async def script(car: Car) -> None:
        await car.go(way_to(State.PRECHARGED if energy == "dc" else State.POWER, energy))
        assert (await car.ask(power(START))).ResponseCode == Code[code]

    end, _ = play(script, ObedientCharger("start", code, energy=energy))
    assert isinstance(end, StationRefused)


def test_an_ac_contactor_that_does_not_close_in_time_is_an_error() -> None:
    control = ObedientCharger(energy="ac")

    async def script(car: Car) -> None:
        await car.go(way_to(State.POWER, "ac"))
        control.slow = 100.0
        assert (await car.ask(power(START))).ResponseCode == Code.FAILED_ContactorError

    end, at = play(script, control)
    assert isinstance(end, StationRefused)
    assert "V2G2-862" in str(end)
    assert at == pytest.approx(4.5, abs=0.01)


@BOTH
def test_renegotiation_goes_back_to_the_parameters(energy: Energy) -> None:
    control = ObedientCharger(energy=energy)
    way = [power(RENEGOTIATE), q.parameters(energy)]
    way += [q.CABLE, q.PRECHARGE] if energy == "dc" else []

    async def script(car: Car) -> None:
        await car.go(way_to(State.CHARGING, energy))
        control.renegotiate = True
        told = await car.ask(loop(energy))
        status = told.DC_EVSEStatus if energy == "dc" else told.AC_EVSEStatus
        assert status.EVSENotification == m.EVSENotification.ReNegotiation
        await car.go([*way, power(START, 1, (0, 11_000)), loop(energy), power(STOP), END])
        await car.channel.close()

    end, _ = play(script, control, rules=but(no_charging_profile=True))
    assert isinstance(end, Ended)
    assert not control.renegotiate
    assert control.calls.count("cable_check") == (1 if energy == "dc" else 0)  # not with closed contactors
    assert ("hold" in control.calls) == (energy == "dc")


def test_the_short_way_of_a_renegotiation_is_a_deviation() -> None:
    for rules, code in ((PATIENT, Code.OK), (but(no_charging_profile=True), Code.FAILED_SequenceError)):

        async def script(car: Car, code: Code = code) -> None:
            await car.go([*way_to(State.CHARGING, "dc"), power(RENEGOTIATE), q.parameters()])
            assert (await car.ask(power(START))).ResponseCode == code
            await car.channel.close()

        play(script, rules=rules)


def test_after_power_off_a_vehicle_may_begin_again() -> None:
    control = ObedientCharger()

    async def script(car: Car) -> None:
        await car.go([*way_to(State.STOPPED, "dc"), q.parameters(), q.CABLE, q.PRECHARGE, power(START), q.DEMAND])
        await car.channel.close()

    play(script, control)
    assert control.calls.count("cable_check") == 2


# the pilot's part


def test_cable_check_wants_state_c() -> None:
    control = ObedientCharger()
    control.in_c = False

    async def script(car: Car) -> None:
        await car.go(way_to(State.CABLE_CHECK, "dc"))
        assert (await car.ask(q.CABLE)).ResponseCode == Code.FAILED

    end, _ = play(script, control)
    assert "V2G2-917" in str(end)


@pytest.mark.parametrize("request_", [q.WELDING, END], ids=["WeldingDetection", "SessionStop"])
def test_after_power_off_dc_wants_state_b(request_: Any) -> None:
    control = ObedientCharger()
    control.in_b = False

    async def script(car: Car) -> None:
        await car.go(way_to(State.STOPPED, "dc"))
        assert (await car.ask(request_)).ResponseCode == Code.FAILED

    end, _ = play(script, control)
    assert "V2G2-920" in str(end)


def test_without_a_pilot_the_gates_can_be_opened() -> None:
    control = ObedientCharger()
    control.in_b = control.in_c = False

    async def script(car: Car) -> None:
        await car.go([*way_to(State.STOPPED, "dc"), END])
        await car.channel.close()

    end, _ = play(script, control, rules=but(no_pilot_gates=True, no_charging_profile=True))
    assert isinstance(end, Ended)


# stop


@BOTH
def test_a_charger_that_wants_to_stop_says_so_with_its_delay(energy: Energy) -> None:
    control = ObedientCharger(energy=energy)

    async def script(car: Car) -> None:
        await car.go(way_to(State.CHARGING, energy))
        control.stop_reason, control.delay = "operator", 30
        told = await car.ask(loop(energy))
        status = told.DC_EVSEStatus if energy == "dc" else told.AC_EVSEStatus
        assert (status.EVSENotification, status.NotificationMaxDelay) == (m.EVSENotification.StopCharging, 30)
        if energy == "dc":
            assert status.EVSEStatusCode == m.DC_EVSEStatusCode.EVSE_Shutdown
        await car.go([power(STOP), END])
        await car.channel.close()

    end, _ = play(script, control)
    assert isinstance(end, Ended)
    assert end.reason == "operator"


@pytest.mark.parametrize("state", [State.CABLE_CHECK, State.PRECHARGE], ids=lambda s: s.name)
@pytest.mark.parametrize("request_", [power(STOP), END], ids=["PowerDelivery stop", "SessionStop"])
def test_a_stop_before_power_accepts_both_ways_out(state: State, request_: Any) -> None:
    control = ObedientCharger()

    async def script(car: Car) -> None:
        await car.go(way_to(state, "dc"))
        control.stop_reason = "operator"
        await car.go([request_])
        await car.channel.close()

    play(script, control)


@BOTH
def test_session_stop_in_the_loop_switches_the_power_off_first(energy: Energy) -> None:
    for rules, code in ((PATIENT, Code.OK), (but(no_charging_profile=True), Code.FAILED_SequenceError)):
        control = ObedientCharger(energy=energy)

        async def script(car: Car, code: Code = code) -> None:
            await car.go(way_to(State.CHARGING, energy))
            assert (await car.ask(END)).ResponseCode == code
            await car.channel.close()

        play(script, control, rules=rules)
        assert ("stop" in control.calls) == (code == Code.OK)


# meter


@BOTH
def test_a_receipt_is_asked_once_where_it_is_switched_on(energy: Energy) -> None:
    control = ObedientCharger(energy=energy)
    control.reading = Meter("meter 1", 1234)

    async def script(car: Car) -> None:
        await car.go([r for r in way_to(State.READY, energy)])
        told = await car.ask(loop(energy))
        assert told.ReceiptRequired
        assert told.MeterInfo.MeterReading == 1234
        receipt = m.MeteringReceiptReq(SessionID=car.session_id, SAScheduleTupleID=1, MeterInfo=told.MeterInfo)
        await car.go([receipt])
        assert not (await car.ask(loop(energy))).ReceiptRequired
        await car.channel.close()

    play(script, control, rules=but(receipts_without_contract=True, no_charging_profile=True))


def test_a_receipt_of_another_session_is_refused() -> None:
    control = ObedientCharger()
    control.reading = Meter("meter 1", 1234)

    async def script(car: Car) -> None:
        await car.go(way_to(State.CHARGING, "dc"))
        assert (await car.ask(q.RECEIPT)).ResponseCode == Code.FAILED_MeteringSignatureNotValid

    play(script, control, rules=but(receipts_without_contract=True, no_charging_profile=True))


def test_a_tripped_rcd_is_told() -> None:
    control = ObedientCharger(energy="ac")

    async def script(car: Car) -> None:
        await car.go(way_to(State.CHARGING, "ac"))
        control.tripped = True
        assert (await car.ask(m.ChargingStatusReq())).AC_EVSEStatus.RCD
        await car.channel.close()

    play(script, control)


def test_what_cannot_be_decoded_ends_the_session() -> None:
    async def script(car: Car) -> None:
        await car.ask(q.SETUP)
        car.channel.send(0x8001, b"\x80\x9a\xff\xff\xff")

    end, _ = play(script)
    assert isinstance(end, PeerWrong)
    assert "cannot be decoded" in str(end)


def test_outcomes_are_all_used() -> None:
    used = {o for t in TABLES.values() for row in t.values() for outcomes in row.values() for o in outcomes}
    assert used == set(Outcome)
