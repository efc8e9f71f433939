"""The engine can say no: each expectation can fail, and a station that ends unsafe fails whatever is expected."""

from __future__ import annotations

import re
from typing import Any

import pytest

from pyplc.hw.simulated import SimulatedLock, SimulatedOutletContactor, SimulatedVehicleContactor, SimulatedVehiclePilot
from pyplc.record import Record, Recorder
from pyplc.scenario.engine import Result, run
from pyplc.scenario.load import parse
from pyplc.scenario.recorded import Recorded
from pyplc.station import charger_dc, shutdown, vehicle_dc
from pyplc.v2g.din import ev

SCENARIO = """
[[scenario]]
name = "case"
title = "a case"
role = "{role}"
{fault}
[scenario.expect]
{expect}
"""
FAILED = """
[[scenario.fault]]
do = "change"
at = { message = "CurrentDemandRes", occurrence = 5, times = "all" }
set.ResponseCode = "FAILED"
"""
SILENT = """
[[scenario.fault]]
do = "silence"
at = { message = "CurrentDemandReq", occurrence = 5 }
"""


def result(expect: str, fault: str = FAILED, role: str = "pev") -> Result:
    (case,) = parse(SCENARIO.format(role=role, fault=fault, expect=expect), "test.toml")
    return run(case)


RIGHT = 'outcome = "failed"\n'


def test_the_right_reaction_passes() -> None:
    expect = RIGHT + (
        'reason = "CurrentDemandRes says FAILED"\npeer_outcome = ["lost", "pilot"]\nenergy = true\n'
        'never = ["CurrentDemandReq"]\nwithin = { state_b = 0.1, contactors_open = 2.2, closed = 0.1, end = 5 }\n'
        'note = "charger"\n'
    )
    done = result(expect)
    assert done.problems == []
    assert done.passed
    assert (done.outcome, done.took_s) == ("failed", pytest.approx(3.84, abs=0.1))
    assert 12 < done.struck_s < 18


@pytest.mark.parametrize(
    ("expect", "problem"),
    [
        ('outcome = "finished"', "expected finished, it ended failed: CurrentDemandRes says FAILED"),
        ('outcome = ["lost", "pilot"]', "expected lost or pilot, it ended failed"),
        (RIGHT + 'reason = "unplugged"', "the reason does not say 'unplugged'"),
        (RIGHT + 'peer_outcome = "finished"', "peer: expected finished, it ended"),
        (RIGHT + "energy = false", "Wh were charged"),
        (RIGHT + 'never = ["PowerDeliveryReq", "CurrentDemandReq"]', ""),
        (RIGHT + 'then = ["SessionStopReq"]', "SessionStopReq was not sent in its place; after the fault came nothing"),
        (RIGHT + 'answer = { message = "CurrentDemandReq" }', "no CurrentDemandReq; after the fault came nothing"),
        (RIGHT + 'note = "never said"', "no remark says 'never said'"),
        (RIGHT + "within.contactors_open = 1.5", "within.contactors_open: 1.5 s are right, it took 2."),
        (RIGHT + "within.unlocked = 2.5", "within.unlocked: 2.5 s are right, it took 3."),
        (RIGHT + "within.end = 3", "within.end: 3 s are right, it took 3.84 s"),
        (RIGHT + "within.current_zero = 0.0", "within.current_zero: 0 s are right"),
        (RIGHT + "within.voltage_gone = 1", "within.voltage_gone: 1 s are right"),
        (RIGHT + "within.oscillator_off = 0.0", "within.oscillator_off: 0 s are right"),
        (RIGHT + "within.outlet_open = 0.0", "within.outlet_open: 0 s are right"),
    ],
)
def test_a_wrong_reaction_fails(expect: str, problem: str) -> None:
    problems = result(expect).problems
    assert len(problems) == (1 if problem else 0)
    assert not problem or problem in problems[0]


@pytest.mark.parametrize("name", ["state_b", "closed"])
def test_a_reaction_that_comes_late_fails(name: str) -> None:
    """Silence lets the vehicle wait for its time-out of 5 s first."""
    fault = FAILED.replace('"change"', '"drop"').replace('set.ResponseCode = "FAILED"\n', "")
    (problem,) = result(f'outcome = "timeout"\nwithin.{name} = 4.8', fault).problems
    assert re.search(rf"within\.{name}: 4\.8 s are right, it took (4\.9|5\.)", problem)


def test_a_wrong_answer_fails() -> None:
    fault = SILENT.replace('"silence"', '"session-id"').replace("occurrence = 5 }", 'occurrence = 5 }\nid = "00"')
    expect = (
        'outcome = "protocol"\nanswer = { message = "CurrentDemandRes", fields = { ResponseCode = "FAILED_%s", '
        '"DC_EVSEStatus.EVSEStatusCode" = "EVSE_NotReady", EVSEPresentVoltage = 0.0 } }'
    )
    assert result(expect % "UnknownSession", fault, "evse").problems == []
    assert result(expect % "SequenceError", fault, "evse").problems == [
        "CurrentDemandRes says ResponseCode = FAILED_UnknownSession, FAILED_SequenceError is right"
    ]


def test_a_fault_that_never_happens_fails() -> None:
    fault = FAILED.replace("occurrence = 5", "occurrence = 5000")
    assert "fault[0] (change) never happened" in result('outcome = "finished"', fault).problems


def test_a_fault_that_cannot_be_done_fails() -> None:
    fault = FAILED.replace('ResponseCode = "FAILED"', "EVSEPresentVoltage = true")
    assert any("fault[0] could not be done" in p for p in result('outcome = "finished"', fault).problems)


def test_a_session_that_does_not_end_fails() -> None:
    text = SCENARIO.format(role="evse", fault=SILENT, expect='outcome = "timeout"')
    (case,) = parse(text.replace('title = "a case"', 'title = "a case"\nlimit_s = 30'), "test.toml")
    assert "the session had not ended after 30 s" in run(case).problems


async def nothing(*_: Any) -> None:
    """A device or a step that does nothing."""


def unsafe(expect: str, fault: str = FAILED, role: str = "pev") -> str:
    """The rules broken, although what is expected happened."""
    problems = result(expect, fault, role).problems
    assert problems
    assert all(problem.startswith("unsafe at") for problem in problems), problems
    return " ".join(problems)


def test_contactors_left_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SimulatedVehicleContactor, "open", nothing)
    assert {"[end-vehicle]", "[unlocking]"} <= set(unsafe(RIGHT).split())


def test_pilot_left_in_c(monkeypatch: pytest.MonkeyPatch) -> None:
    real = SimulatedVehiclePilot.set_state

    async def stuck(self: SimulatedVehiclePilot, state: Any) -> None:
        if state.value != "B":
            await real(self, state)

    monkeypatch.setattr(SimulatedVehiclePilot, "set_state", stuck)
    assert {"[end-pilot]", "[unlocking]", "[powered-unlocked]"} <= set(unsafe(RIGHT).split())


def test_no_way_down_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vehicle_dc, "secure_vehicle", nothing)
    assert {"[end-vehicle]", "[end-pilot]", "[end-lock]"} <= set(unsafe(RIGHT).split())


def test_contactors_opened_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the wait after state B they cut what still flows."""
    monkeypatch.setattr(shutdown, "CURRENT_GONE_S", 0.0)
    assert "[opening-load]" in unsafe(RIGHT)


def test_unlocked_with_voltage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutdown, "DISCHARGED_S", 0.0)
    monkeypatch.setattr(shutdown, "TOUCHABLE_V", 1000.0)
    assert "[unlocking]" in unsafe(RIGHT)


def test_contactors_closed_on_any_voltage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vehicle_dc.DcVehicle, "precharged", lambda self, reported: True)
    monkeypatch.setattr(vehicle_dc.DcVehicle, "_inlet", lambda self: self._battery())
    monkeypatch.setattr(vehicle_dc, "UNWELDED", 10.0)
    assert "[closing-difference]" in unsafe(RIGHT)


def test_state_c_without_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vehicle_dc.DcVehicle, "_locked", nothing)
    monkeypatch.setattr(SimulatedLock, "lock", nothing)
    assert {"[powered-unlocked]", "[closing-unlocked]"} <= set(unsafe(RIGHT).split())


def test_contactors_closed_in_state_b(monkeypatch: pytest.MonkeyPatch) -> None:
    closing = vehicle_dc.DcVehicle.close_contactors

    async def in_b(self: vehicle_dc.DcVehicle) -> None:
        self._devices.pilot._line._vehicle = type(self._devices.pilot.view.state).B  # type: ignore[attr-defined]
        await closing(self)

    monkeypatch.setattr(vehicle_dc.DcVehicle, "close_contactors", in_b)
    expect = 'outcome = ["failed", "lost", "pilot"]'
    found = result(expect).problems
    assert any("[closing-pilot]" in problem for problem in found)


def test_current_without_demand(monkeypatch: pytest.MonkeyPatch) -> None:
    """A charger that does not watch the age of its set-points."""
    monkeypatch.setattr(charger_dc.DcCharger, "hold", nothing)
    assert "[current-undemanded]" in unsafe('outcome = "timeout"', SILENT, "evse")


def test_outlet_left_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SimulatedOutletContactor, "open", nothing)
    assert "[end-outlet]" in unsafe('outcome = "timeout"', SILENT, "evse")


def test_a_charger_that_ignores_the_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charger_dc.DcCharger, "_voltage_limit", lambda self: 1000.0)
    fault = """
[[scenario.fault]]
do = "change"
at = { message = "PreChargeReq", times = "all" }
set.EVTargetVoltage = 480
"""
    assert "[over-voltage]" in unsafe('outcome = "timeout"', fault, "evse")


def test_a_defect_fails_whatever_is_expected(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Any, *_: Any) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr(ev.VehicleSession, "_heed", broken)
    assert any("defect in pyplc" in p for p in result('outcome = "error"', "").problems)


PROCESS = """
[[scenario.fault]]
do = "process"
signal = "{}"
at = {{ message = "CurrentDemandRes", occurrence = 10 }}
"""
KILLED = PROCESS.format("sigkill")
ON_A_BOARD = 'outcome = "killed"\nwithin = { state_b = 1, contactors_open = 1.5, unlocked = 3 }'


def on_a_board(expect: str, fault: str) -> list[str]:
    text = SCENARIO.format(role="pev", fault=fault, expect=expect).replace(
        'role = "pev"\n', 'role = "pev"\ndevice = "arduino"\n'
    )
    (case,) = parse(text, "test.toml")
    return run(case).problems


def test_a_board_without_a_watchdog_fails_when_the_program_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert on_a_board(ON_A_BOARD, KILLED) == []
    monkeypatch.setattr("pyplc.hw.emulated.arduino.HOST_SILENT_S", 1e9)
    problems = on_a_board(ON_A_BOARD, KILLED)
    assert [problem.partition(":")[0] for problem in problems] == [
        "within.state_b",
        "within.contactors_open",
        "within.unlocked",
    ]


def test_a_program_that_was_told_to_stop_was_not_killed() -> None:
    (problem,) = on_a_board('outcome = "killed"', PROCESS.format("sigterm"))
    assert "expected killed, it ended finished: stopped by SIGTERM" in problem


def test_a_program_that_does_not_heed_sigterm_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyplc.service.ending.Ending.signalled", lambda self, name: None)
    problems = on_a_board('outcome = "finished"\nreason = "SIGTERM"', PROCESS.format("sigterm"))
    assert problems == ["the reason does not say 'SIGTERM': target of 45.1 % reached"]


def test_a_charge_that_a_full_disk_ends_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def unguarded(self: Recorder, record: Record) -> None:
        record.t = round(self.now(), 6)
        for reader in self.readers:
            reader(record)

    fault = PROCESS.replace("process", "disk").replace('signal = "{}"\n', "").format()
    expect = 'outcome = "finished"\nnote = "No space left on device"'
    assert result(expect, fault).problems == []
    assert any("no remark says" in problem for problem in result(expect, "").problems)
    monkeypatch.setattr(Recorder, "emit", unguarded)
    assert result(expect, fault).problems


@pytest.mark.parametrize("years", [30, -50])
def test_a_recording_by_the_wall_clock_fails(monkeypatch: pytest.MonkeyPatch, years: int) -> None:
    fault = PROCESS.replace("process", "clock").replace('signal = "{}"', f"years = {years}").format()
    expect = 'outcome = "finished"\nnote = "the clock was set during the session"'
    assert result(expect, fault).problems == []
    walls: list[Recorded] = []
    real = Recorded.__init__

    def made(self: Recorded, *arguments: Any) -> None:
        real(self, *arguments)
        walls.append(self)

    monkeypatch.setattr(Recorded, "__init__", made)
    monkeypatch.setattr(Recorder, "now", lambda self: walls[-1].wall() if walls else 0.0)
    assert result(expect, fault).problems
