"""The charger's session as playbooks: this comes in, that must go out, then time passes."""

from __future__ import annotations

import asyncio
from typing import Any

import playbook
import pytest
from din_requests import REQUESTS, parameters, power
from playbook import Car, Play
from stations import ObedientCharger

from pyplc.v2g.din import messages as m
from pyplc.v2g.din.evse import ChargerSession
from pyplc.v2g.din.sequence import SEQUENCE, State, admitted
from pyplc.v2g.din.timing import CONFORMANCE, FIELD
from pyplc.v2g.iso2.sequence import AC_SEQUENCE, DC_SEQUENCE
from pyplc.v2g.rules import CONFORMANCE as CONFORMANCE_RULES
from pyplc.v2g.rules import FIELD as FIELD_RULES
from pyplc.v2g.rules import Rules
from pyplc.v2g.sequence import Outcome
from pyplc.v2g.session import Ended, PeerGone, PeerWrong, StationRefused, TimedOut, name_of
from pyplc.v2g.stream import Closed
from pyplc.v2g.timing import Timing
from pyplc.v2gtp import PayloadType

Q = REQUESTS
WAY: dict[State, list[Any]] = {
    State.SESSION_SETUP: [],
    State.SERVICE_DISCOVERY: [Q[m.SessionSetupReq]],
    State.PAYMENT_SELECTION: [Q[m.ServiceDiscoveryReq]],
    State.AUTHENTICATION: [Q[m.ServicePaymentSelectionReq]],
    State.PARAMETERS: [Q[m.ContractAuthenticationReq]],
    State.CABLE_CHECK: [Q[m.ChargeParameterDiscoveryReq]],
    State.PRECHARGE: [Q[m.CableCheckReq]],
    State.PRECHARGED: [Q[m.PreChargeReq]],
    State.READY: [power(True)],
    State.CHARGING: [Q[m.CurrentDemandReq]],
    State.STOPPED: [power(False)],
}
"""The request that leads to each state, from the one before."""


def way_to(state: State) -> list[Any]:
    path: list[Any] = []
    for known, requests in WAY.items():
        path += requests
        if known is state:
            return path
    raise AssertionError(state)


def play(
    script: Play,
    control: ObedientCharger | None = None,
    timing: Timing = FIELD,
    rules: Rules = FIELD_RULES,
    setup_by: float | None = None,
) -> tuple[playbook.End, float]:
    """How the session ended, and when."""
    return playbook.play(ChargerSession, script, control or ObedientCharger(), timing, rules, setup_by)


@pytest.mark.parametrize("state", WAY, ids=lambda s: s.name)
@pytest.mark.parametrize("kind", REQUESTS, ids=lambda k: k.__name__)
def test_every_request_in_every_state(state: State, kind: type) -> None:
    """Admitted, or answered with its own response and FAILED_SequenceError, and the session is over."""
    outcomes = admitted(state, kind, stop_in_loop=False, stopping=False)
    answers: list[Any] = []

    async def script(car: Car) -> None:
        await car.go(way_to(state))
        request = power(False) if kind is m.PowerDeliveryReq and state in (State.READY, State.CHARGING) else Q[kind]
        answers.append(await car.ask(request))
        if outcomes is not None:
            await car.channel.close()

    end, _ = play(script, rules=CONFORMANCE_RULES)
    (answer,) = answers
    assert name_of(answer) == kind.__name__.removesuffix("Req") + "Res"
    if outcomes is None:
        assert answer.ResponseCode == m.responseCode.FAILED_SequenceError
        assert isinstance(end, PeerWrong)
        assert "out of sequence" in str(end)
    else:
        assert answer.ResponseCode < m.responseCode.FAILED


def test_the_table_leads_from_the_first_state_to_the_end() -> None:
    seen, todo = set(), [State.SESSION_SETUP]
    while todo:
        state = todo.pop()
        if state not in seen:
            seen.add(state)
            todo += [after for outcomes in SEQUENCE[state].values() for after in outcomes.values()]
    assert seen == set(State)


@pytest.mark.parametrize("state", [s for s in WAY if s is not State.SESSION_SETUP], ids=lambda s: s.name)
@pytest.mark.parametrize("session_id", [b"", bytes(8), b"\1", b"12345678"], ids=["empty", "zero", "short", "other"])
def test_a_wrong_session_id(state: State, session_id: bytes) -> None:
    async def script(car: Car) -> None:
        await car.go(way_to(state))
        request = next(iter(SEQUENCE[state]))
        answer = await car.ask(power(False) if request is m.PowerDeliveryReq else Q[request], session_id)
        assert answer.ResponseCode == m.responseCode.FAILED_UnknownSession
        assert car.header_id == car.session_id  # the header carries the right one

    end, _ = play(script)
    assert isinstance(end, PeerWrong)
    assert "V2G-DC-391" in str(end)


def test_a_true_request_to_start_in_the_loop_is_no_start() -> None:
    async def script(car: Car) -> None:
        await car.go(way_to(State.CHARGING))
        assert (await car.ask(power(True))).ResponseCode == m.responseCode.FAILED

    end, _ = play(script)
    assert isinstance(end, PeerWrong)


@pytest.mark.parametrize("data", ["80", "809a", "8098020000", "ffffffff", "809a0200000000000000001fff"])
def test_what_cannot_be_decoded_closes_without_an_answer(data: str) -> None:
    async def script(car: Car) -> None:
        await car.go(way_to(State.PAYMENT_SELECTION))
        car.channel.send(PayloadType.EXI, bytes.fromhex(data))

    end, _ = play(script)
    assert isinstance(end, PeerWrong)
    assert "cannot be decoded" in str(end)


# time


@pytest.mark.parametrize("state", [s for s in WAY if s not in (State.PRECHARGED, State.STOPPED)], ids=lambda s: s.name)
def test_silence_ends_the_session_after_the_sequence_time(state: State) -> None:
    control = ObedientCharger()
    end, at = play(lambda car: car.go(way_to(state)), control, CONFORMANCE)
    assert isinstance(end, TimedOut)
    assert str(end).startswith("V2G_SECC_Sequence_Timer (60 s, V2G-DC-432)")
    assert at == pytest.approx(60, abs=0.2)
    assert ("hold" in control.calls) == (state in (State.READY, State.CHARGING))  # 1 s without a set-point


@pytest.mark.parametrize(
    ("state", "request_kind", "timer"),
    [
        (State.PRECHARGED, m.PreChargeReq, "V2G_SECC_PowerDelivery_Timeout"),
        (State.STOPPED, m.WeldingDetectionReq, "V2G_SECC_WeldingDetection_Timeout"),
    ],
)
def test_endless_loops_end_after_twenty_seconds(state: State, request_kind: type, timer: str) -> None:
    async def script(car: Car) -> None:
        await car.go(way_to(state))
        try:
            while True:
                await car.ask(Q[request_kind])
                await asyncio.sleep(0.25)
        except Closed:
            return

    end, at = play(script)
    assert isinstance(end, TimedOut)
    assert end.timer.name == timer
    assert at == pytest.approx(20, abs=0.5)


def test_the_setup_time_runs_from_the_link() -> None:
    async def script(car: Car) -> None: ...

    end, at = play(script, setup_by=18.0)
    assert isinstance(end, TimedOut)
    assert end.timer.name == "V2G_SECC_CommunicationSetup_Performance_Time"
    assert at == pytest.approx(18, abs=0.1)


def test_ongoing_until_the_station_has_answered() -> None:
    seen: list[bool] = []

    async def script(car: Car) -> None:
        await car.go(way_to(State.AUTHENTICATION))
        while True:
            answer = await car.ask(Q[m.ContractAuthenticationReq])
            seen.append(answer.EVSEProcessing == m.EVSEProcessing.Finished)
            if seen[-1]:
                return await car.channel.close()
            await asyncio.sleep(0.5)

    play(script, ObedientCharger(slow=3.2))
    assert seen == [False] * 7 + [True]


@pytest.mark.parametrize(
    ("state", "timing", "seconds"),
    [
        (State.AUTHENTICATION, CONFORMANCE, 55),
        (State.PARAMETERS, CONFORMANCE, 55),
        (State.CABLE_CHECK, CONFORMANCE, 38),
        (State.CABLE_CHECK, FIELD, 60),
    ],
)
def test_ongoing_has_a_limit(state: State, timing: Timing, seconds: float) -> None:
    control = ObedientCharger()
    request = next(iter(SEQUENCE[state]))

    async def script(car: Car) -> None:
        await car.go(way_to(state))
        control.slow = 1000.0
        for _ in range(1000):
            if (answer := await car.ask(Q[request])).ResponseCode != m.responseCode.OK:
                break
            await asyncio.sleep(0.5)
        assert answer.ResponseCode == m.responseCode.FAILED

    end, at = play(script, control, timing)
    assert isinstance(end, StationRefused)
    assert at == pytest.approx(seconds, abs=1.0)


# what the station says


@pytest.mark.parametrize(
    ("refuse", "state", "code"),
    [
        ("authorise", State.AUTHENTICATION, "FAILED"),
        ("agree", State.PARAMETERS, "FAILED_WrongChargeParameter"),
        ("cable_check", State.CABLE_CHECK, "FAILED"),
        ("start", State.PRECHARGED, "FAILED_PowerDeliveryNotApplied"),
    ],
)
def test_a_refusal_reaches_the_vehicle_with_its_code(refuse: str, state: State, code: str) -> None:
    async def script(car: Car) -> None:
        await car.go(way_to(state))
        request = power(True) if refuse == "start" else Q[next(iter(SEQUENCE[state]))]
        answer = await car.ask(request)
        assert answer.ResponseCode == m.responseCode[code]

    end, _ = play(script, ObedientCharger(refuse, code))
    assert isinstance(end, StationRefused)
    assert f"{refuse} refused" in str(end)


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (
            m.ServicePaymentSelectionReq(
                SelectedPaymentOption=m.paymentOption.Contract,
                SelectedServiceList=Q[m.ServicePaymentSelectionReq].SelectedServiceList,
            ),
            "FAILED_PaymentSelectionInvalid",
        ),
        (
            m.ServicePaymentSelectionReq(
                SelectedPaymentOption=m.paymentOption.ExternalPayment,
                SelectedServiceList=m.SelectedServiceList(SelectedService=[m.SelectedService(ServiceID=2)]),
            ),
            "FAILED_ServiceSelectionInvalid",
        ),
    ],
)
def test_selections_that_were_not_offered(request_: Any, code: str) -> None:
    async def script(car: Car) -> None:
        await car.go(way_to(State.PAYMENT_SELECTION))
        assert (await car.ask(request_)).ResponseCode == m.responseCode[code]

    play(script)


def test_an_ac_mode_at_a_dc_charger() -> None:
    async def script(car: Car) -> None:
        await car.go(way_to(State.PARAMETERS))
        wish = m.ChargeParameterDiscoveryReq(
            EVRequestedEnergyTransferType=m.EVRequestedEnergyTransfer.AC_three_phase_core,
            EVChargeParameter=parameters().EVChargeParameter,
        )
        assert (await car.ask(wish)).ResponseCode == m.responseCode.FAILED_WrongEnergyTransferType

    play(script)


def test_cable_check_without_state_c_fails() -> None:
    control = ObedientCharger()
    control.in_c = False

    async def script(car: Car) -> None:
        await car.go(way_to(State.CABLE_CHECK))
        answer = await car.ask(Q[m.CableCheckReq])
        assert answer.ResponseCode == m.responseCode.FAILED
        assert answer.DC_EVSEStatus.EVSEIsolationStatus == m.isolationLevel.Fault

    end, _ = play(script, control)
    assert "state C or D" in str(end)


@pytest.mark.parametrize("kind", [m.WeldingDetectionReq, m.SessionStopReq])
def test_after_power_off_the_pilot_must_be_in_state_b(kind: type) -> None:
    control = ObedientCharger()
    control.in_b = False

    async def script(car: Car) -> None:
        await car.go(way_to(State.STOPPED))
        assert (await car.ask(Q[kind])).ResponseCode == m.responseCode.FAILED

    end, _ = play(script, control)
    assert "V2G-DC-556" in str(end)


@pytest.mark.parametrize("state", [State.CABLE_CHECK, State.PRECHARGE, State.PRECHARGED, State.READY, State.CHARGING])
def test_a_stop_is_told_by_the_status_code_and_the_vehicle_may_power_off(state: State) -> None:
    control = ObedientCharger()

    async def script(car: Car) -> None:
        await car.go(way_to(state))
        control.stop_reason = "button"
        request = next(iter(SEQUENCE[state]))
        answer = await car.ask(Q[request])
        assert answer.ResponseCode == m.responseCode.OK
        assert answer.DC_EVSEStatus.EVSEStatusCode == m.DC_EVSEStatusCode.EVSE_Shutdown
        assert answer.DC_EVSEStatus.EVSENotification == m.EVSENotification.None_  # [V2G-DC-500]
        assert (await car.ask(power(False))).ResponseCode == m.responseCode.OK
        assert (await car.ask(Q[m.SessionStopReq])).ResponseCode == m.responseCode.OK
        await car.channel.close()

    end, _ = play(script, control)
    assert end == Ended("button")
    assert control.calls[-2:] == ["stop", "finished"]


def test_session_stop_in_the_loop_switches_the_power_off_first() -> None:
    control = ObedientCharger()

    async def script(car: Car) -> None:
        await car.go(way_to(State.CHARGING))
        assert (await car.ask(Q[m.SessionStopReq])).ResponseCode == m.responseCode.OK
        await car.channel.close()

    end, _ = play(script, control)
    assert isinstance(end, Ended)
    assert control.calls[-2:] == ["stop", "finished"]


def test_a_vehicle_that_leaves_the_connection_open_is_not_waited_for() -> None:
    async def script(car: Car) -> None:
        await car.go(way_to(State.STOPPED))
        await car.ask(Q[m.SessionStopReq])

    end, at = play(script)
    assert isinstance(end, Ended)
    assert at == pytest.approx(5, abs=1.2)


def test_a_vehicle_that_vanishes() -> None:
    async def script(car: Car) -> None:
        await car.go(way_to(State.CHARGING))
        car.channel.abort()

    end, _ = play(script)
    assert isinstance(end, PeerGone)
    assert "phase CurrentDemand" in str(end)


def test_outcomes_are_all_used() -> None:
    tables = (SEQUENCE, DC_SEQUENCE, AC_SEQUENCE)
    assert {o for t in tables for row in t.values() for outcomes in row.values() for o in outcomes} == set(Outcome)
