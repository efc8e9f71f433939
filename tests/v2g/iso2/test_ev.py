"""The vehicle's session in ISO 15118-2 as playbooks against a charger that answers by a script: DC and AC."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import playbook
import pytest
from msgspec.structs import replace
from stations import WillingVehicle

from pyplc.record import Note, Record
from pyplc.v2g.control import AcOffer, ChargerOffer, Delivered, Energy, Meter, Schedule, ScheduleEntry, Service
from pyplc.v2g.iso2 import messages as m
from pyplc.v2g.iso2 import responses
from pyplc.v2g.iso2.ev import vehicle_session
from pyplc.v2g.iso2.timing import CONFORMANCE, FIELD
from pyplc.v2g.iso2.values import VALUES, meter_info
from pyplc.v2g.rules import CONFORMANCE as STRICT
from pyplc.v2g.rules import FIELD as PATIENT
from pyplc.v2g.rules import Rules
from pyplc.v2g.session import Ended, PeerFailed, PeerGone, PeerWrong, StationRefused, TimedOut

Code, Status = m.responseCode, m.DC_EVSEStatusCode
OK = Code.OK
FINISHED, ONGOING = m.EVSEProcessing.Finished, m.EVSEProcessing.Ongoing
BOTH = pytest.mark.parametrize("energy", ["dc", "ac"])
READY = responses.dc_status(Status.EVSE_Ready, m.isolationLevel.Valid)
AC_READY = responses.ac_status(False)
OFFER = ChargerOffer(500, 125, 50_000, 150, 1)
SCHEDULES = (Schedule(1, (ScheduleEntry(0, 11_000),)), Schedule(2, (ScheduleEntry(0, 3000),)))
STOP_NOW = (m.EVSENotification.StopCharging, 0)
RENEGOTIATE = (m.EVSENotification.ReNegotiation, 0)


def dc(notice: responses.Notice = responses.NO_NOTICE, code: Status = Status.EVSE_Ready) -> m.DC_EVSEStatus:
    return responses.dc_status(code, m.isolationLevel.Valid, notice)


def demand(status: m.DC_EVSEStatus = READY, **more: Any) -> m.CurrentDemandRes:
    given = Delivered(380, 50, 500, 125, 50_000)
    response = VALUES.delivered(OK, given, status, EVSEID="ZZ00000", SAScheduleTupleID=1, **more)
    assert isinstance(response, m.CurrentDemandRes)
    return response


def charging(status: m.AC_EVSEStatus = AC_READY, limit: float | None = 16, **more: Any) -> m.ChargingStatusRes:
    return responses.charging_status(OK, "ZZ00000", 1, limit, more.get("meter"), more.get("receipt", False), status)


def parameters(energy: Energy, **more: Any) -> m.ChargeParameterDiscoveryRes:
    parameter: Any = (
        VALUES.offer(OFFER, READY) if energy == "dc" else responses.ac_parameter(AcOffer(230, 16, 3), AC_READY)
    )
    return replace(responses.parameters(OK, True, SCHEDULES, None, parameter), **more)


def good(energy: Energy) -> dict[type, Any]:
    modes = ("DC_core", "DC_extended") if energy == "dc" else ("AC_single_phase_core", "AC_three_phase_core")
    return {
        m.SessionSetupReq: m.SessionSetupRes(ResponseCode=Code.OK_NewSessionEstablished, EVSEID="DE*PNX*E1"),
        m.ServiceDiscoveryReq: responses.service_discovery(OK, modes, []),
        m.PaymentServiceSelectionReq: m.PaymentServiceSelectionRes(ResponseCode=OK),
        m.AuthorizationReq: m.AuthorizationRes(ResponseCode=OK, EVSEProcessing=FINISHED),
        m.ChargeParameterDiscoveryReq: parameters(energy),
        m.CableCheckReq: m.CableCheckRes(ResponseCode=OK, DC_EVSEStatus=READY, EVSEProcessing=FINISHED),
        m.PreChargeReq: m.PreChargeRes(ResponseCode=OK, DC_EVSEStatus=READY, EVSEPresentVoltage=VALUES.volt(380)),
        m.PowerDeliveryReq: m.PowerDeliveryRes(ResponseCode=OK, EVSEStatus=READY if energy == "dc" else AC_READY),
        m.CurrentDemandReq: demand(),
        m.ChargingStatusReq: charging(),
        m.WeldingDetectionReq: m.WeldingDetectionRes(
            ResponseCode=OK, DC_EVSEStatus=READY, EVSEPresentVoltage=VALUES.volt(10)
        ),
        m.MeteringReceiptReq: m.MeteringReceiptRes(ResponseCode=OK, EVSEStatus=READY if energy == "dc" else AC_READY),
        m.SessionStopReq: m.SessionStopRes(ResponseCode=OK),
    }


ORDER: dict[Energy, list[str]] = {
    "dc": [
        "SessionSetupReq",
        "ServiceDiscoveryReq",
        "PaymentServiceSelectionReq",
        "AuthorizationReq",
        "ChargeParameterDiscoveryReq",
        "CableCheckReq",
        "PreChargeReq",
        "PowerDeliveryReq",
        "CurrentDemandReq",
        "PowerDeliveryReq",
        "WeldingDetectionReq",
        "SessionStopReq",
    ],
    "ac": [
        "SessionSetupReq",
        "ServiceDiscoveryReq",
        "PaymentServiceSelectionReq",
        "AuthorizationReq",
        "ChargeParameterDiscoveryReq",
        "PowerDeliveryReq",
        "ChargingStatusReq",
        "PowerDeliveryReq",
        "SessionStopReq",
    ],
}
EVERY = [(energy, name) for energy, names in ORDER.items() for name in dict.fromkeys(names)]


def hold(
    change: dict[type, Any] | None = None,
    energy: Energy = "dc",
    vehicle: WillingVehicle | None = None,
    timing: Any = FIELD,
    rules: Rules = PATIENT,
    **more: Any,
) -> tuple[playbook.End, list[str], float]:
    """A session with the good charger, except that it answers these kinds like this; a callable makes the answer."""
    answers = {**good(energy), **(change or {})}
    control = vehicle or WillingVehicle(energy=energy)

    def answer(request: Any) -> Any:
        found = answers[type(request)]
        return found(request) if callable(found) else found

    return playbook.hold(vehicle_session(control), answer, control, timing, rules, **more)  # type: ignore[arg-type]


def in_turn(*answers: Any) -> Callable[[Any], Any]:
    """These answers one after the other, the last for ever."""
    left = list(answers)
    return lambda request: left.pop(0) if len(left) > 1 else left[0]


def but(**deviations: bool) -> Rules:
    return STRICT._replace(deviations=replace(STRICT.deviations, **deviations))


@BOTH
def test_the_good_case(energy: Energy) -> None:
    vehicle = WillingVehicle(energy=energy)
    requests: list[Any] = []
    end, asked, _ = hold(energy=energy, vehicle=vehicle, requests=requests)
    assert end == Ended("enough")
    assert playbook.phases(asked) == ORDER[energy]
    begun = ["prepare", "close"] if energy == "dc" else ["prepare", "state C"]
    ended = ["state B", "open", "release"] if energy == "dc" else ["no current", "state B", "release"]
    assert vehicle.calls == begun + ended
    by_kind = {type(r): r for r in reversed(requests)}
    discovery = by_kind[m.ChargeParameterDiscoveryReq]
    assert discovery.EVChargeParameter.DepartureTime == 7200
    mode = m.EnergyTransferMode.DC_extended if energy == "dc" else m.EnergyTransferMode.AC_three_phase_core
    assert discovery.RequestedEnergyTransferMode == mode
    start = by_kind[m.PowerDeliveryReq]
    assert start.SAScheduleTupleID == 1
    assert float(start.ChargingProfile.ProfileEntry[0].ChargingProfileEntryMaxPower) == 11_000
    stop = requests[-3] if energy == "dc" else requests[-2]
    assert stop.ChargeProgress == m.chargeProgress.Stop
    assert stop.ChargingProfile is None


@pytest.mark.parametrize(("energy", "name"), EVERY)
@pytest.mark.parametrize("timing", [FIELD, CONFORMANCE], ids=["field", "conformance"])
def test_silence_ends_the_session_by_the_timer_of_the_message(energy: Energy, name: str, timing: Any) -> None:
    kind = getattr(m, name)
    rules = PATIENT if timing is FIELD else STRICT
    end, asked, _ = hold({kind: None}, energy, timing=timing, rules=rules)
    if name == "SessionStopReq" and timing is FIELD:
        assert isinstance(end, Ended)  # power is off: nobody is locked in
        return
    if name == "WeldingDetectionReq":
        assert isinstance(end, Ended)
        assert asked[-1] == "SessionStopReq"
        return
    assert isinstance(end, TimedOut)
    assert end.timer == timing.vehicle.message.of(name)
    assert asked[-1] == name


@pytest.mark.parametrize(("energy", "name"), EVERY)
def test_a_failed_code_ends_the_session(energy: Energy, name: str) -> None:
    kind = getattr(m, name)
    failed = replace(good(energy)[kind], ResponseCode=Code.FAILED)
    vehicle = WillingVehicle(energy=energy)
    end, asked, _ = hold({kind: failed}, energy, vehicle)
    if name in ("SessionStopReq", "WeldingDetectionReq"):
        assert isinstance(end, Ended)
        assert asked[-1] == "SessionStopReq"
    else:
        assert isinstance(end, PeerFailed)
        assert asked[-1] == name  # no further request
        assert "release" not in vehicle.calls


@pytest.mark.parametrize(("energy", "name"), [pair for pair in EVERY if pair[1] != "SessionSetupReq"])
def test_a_wrong_response_or_session_id_ends_the_session(energy: Energy, name: str) -> None:
    kind = getattr(m, name)
    wrong = m.SessionSetupRes(ResponseCode=OK, EVSEID="ZZ00000")
    end, _, _ = hold({kind: wrong}, energy)
    assert isinstance(end, PeerWrong)
    end, _, _ = hold({kind: (good(energy)[kind], bytes(8))}, energy)
    assert isinstance(end, PeerWrong)


def test_garbage_and_a_closed_connection() -> None:
    end, _, _ = hold({m.AuthorizationReq: b"\x80\x9a\xff"})
    assert isinstance(end, PeerWrong)
    assert "cannot be decoded" in str(end)
    assert not isinstance(end, PeerGone)


@pytest.mark.parametrize(
    ("kind", "timer"),
    [
        (m.AuthorizationReq, "ongoing"),
        (m.ChargeParameterDiscoveryReq, "ongoing"),
        (m.CableCheckReq, "cable_check"),
    ],
)
def test_ongoing_for_ever_ends_by_its_timer(kind: type, timer: str) -> None:
    end, _, _ = hold({kind: replace(good("dc")[kind], EVSEProcessing=ONGOING)}, timing=CONFORMANCE)
    assert isinstance(end, TimedOut)
    assert end.timer is getattr(CONFORMANCE.vehicle, timer)


def test_precharge_for_ever_ends_by_its_timer() -> None:
    low = replace(good("dc")[m.PreChargeReq], EVSEPresentVoltage=VALUES.volt(20))
    end, _, _ = hold({m.PreChargeReq: low}, timing=CONFORMANCE)
    assert isinstance(end, TimedOut)
    assert end.timer is CONFORMANCE.vehicle.precharge


def test_waiting_for_the_customer_is_ongoing() -> None:
    waiting = m.AuthorizationRes(ResponseCode=OK, EVSEProcessing=m.EVSEProcessing.Ongoing_WaitingForCustomerInteraction)
    end, asked, _ = hold({m.AuthorizationReq: in_turn(*[waiting] * 20, good("dc")[m.AuthorizationReq])})
    assert isinstance(end, Ended)
    assert asked.count("AuthorizationReq") == 21


# set-up


def test_abb_says_plain_ok() -> None:
    plain = m.SessionSetupRes(ResponseCode=OK, EVSEID="ZZ00000")
    assert isinstance(hold({m.SessionSetupReq: plain})[0], Ended)
    assert isinstance(hold({m.SessionSetupReq: plain}, rules=STRICT)[0], PeerWrong)


def test_resume_sends_the_old_id_and_takes_what_comes() -> None:
    old = b"\5" * 8
    joined = m.SessionSetupRes(ResponseCode=Code.OK_OldSessionJoined, EVSEID="ZZ00000")
    end, _, _ = hold({m.SessionSetupReq: joined}, session_id=old, resume=old)
    assert isinstance(end, Ended)
    records: list[Record] = []
    end, _, _ = hold(resume=old, records=records)  # the charger has forgotten
    assert isinstance(end, Ended)
    assert [r for r in records if isinstance(r, Note) and "forgotten" in r.text]
    end, _, _ = hold({m.SessionSetupReq: (joined, b"\6" * 8)}, resume=old)  # joined what was not asked
    assert isinstance(end, PeerWrong)


# services


def test_services_are_asked_for_and_selected() -> None:
    offered = [Service(3, "InternetAccess", "Internet"), Service(60_001)]
    detail = responses.service_detail(OK, Service(3, sets={3: {"Port": 80}, 4: {"Port": 443}}))
    vehicle = WillingVehicle()
    vehicle.wants = (3,)
    requests: list[Any] = []
    change = {
        m.ServiceDiscoveryReq: responses.service_discovery(OK, ("DC_extended",), offered),
        m.ServiceDetailReq: detail,
    }
    end, _, _ = hold(change, vehicle=vehicle, requests=requests)
    assert isinstance(end, Ended)
    selected = next(r for r in requests if isinstance(r, m.PaymentServiceSelectionReq)).SelectedServiceList
    assert [(s.ServiceID, s.ParameterSetID) for s in selected.SelectedService] == [(1, None), (3, 3)]


def test_a_charger_for_contracts_only_or_of_the_wrong_energy_is_left() -> None:
    found = good("dc")[m.ServiceDiscoveryReq]
    contract = m.PaymentOptionList(PaymentOption=[m.paymentOption.Contract])
    for wrong in (replace(found, PaymentOptionList=contract), good("ac")[m.ServiceDiscoveryReq]):
        end, _, _ = hold({m.ServiceDiscoveryReq: wrong})
        assert isinstance(end, StationRefused)


# parameters


@BOTH
def test_a_missing_schedule_is_no_reason_to_leave(energy: Energy) -> None:
    records: list[Record] = []
    end, _, _ = hold({m.ChargeParameterDiscoveryReq: parameters(energy, SASchedules=None)}, energy, records=records)
    assert isinstance(end, Ended)
    assert [r for r in records if isinstance(r, Note) and "no schedule" in r.text]


@BOTH
def test_parameters_of_the_other_energy_are_wrong(energy: Energy) -> None:
    other = parameters("ac" if energy == "dc" else "dc")
    assert isinstance(hold({m.ChargeParameterDiscoveryReq: other}, energy)[0], PeerWrong)


def test_no_energy_now_is_answered_with_power_delivery_stop() -> None:
    status = responses.dc_status(Status.EVSE_IsolationMonitoringActive, m.isolationLevel.Invalid, STOP_NOW)
    parameter = VALUES.offer(OFFER, status)
    vehicle = WillingVehicle()
    vehicle.pause = True
    requests: list[Any] = []
    end, asked, _ = hold(
        {m.ChargeParameterDiscoveryReq: parameters("dc", EVSEChargeParameter=parameter)},
        vehicle=vehicle,
        requests=requests,
    )
    assert isinstance(end, Ended)
    assert end.paused == b"\x06\xef\x00\x71"
    assert asked[-2:] == ["PowerDeliveryReq", "SessionStopReq"]
    assert requests[-2].ChargeProgress == m.chargeProgress.Stop
    assert requests[-1].ChargingSession == m.chargingSession.Pause
    assert "prepare" not in vehicle.calls


# the loop


@BOTH
def test_stop_at_once(energy: Energy) -> None:
    last = demand(dc(STOP_NOW)) if energy == "dc" else charging(responses.ac_status(False, STOP_NOW))
    kind = m.CurrentDemandReq if energy == "dc" else m.ChargingStatusReq
    end, asked, _ = hold({kind: last}, energy, WillingVehicle(100, energy))
    assert isinstance(end, Ended)
    assert "StopCharging" in end.reason
    assert asked.count(kind.__name__) <= 2
    assert asked[-1] == "SessionStopReq"


@BOTH
def test_stop_with_a_delay_is_obeyed_in_time(energy: Energy) -> None:
    notice = (m.EVSENotification.StopCharging, 20)
    status: Any = dc(notice, Status.EVSE_Shutdown) if energy == "dc" else responses.ac_status(False, notice)
    kind = m.CurrentDemandReq if energy == "dc" else m.ChargingStatusReq
    answer = demand(status) if energy == "dc" else charging(status)
    end, asked, at = hold({kind: answer}, energy, WillingVehicle(10_000, energy))
    assert isinstance(end, Ended)
    assert 17 < at < 20
    assert asked.count(kind.__name__) > 20


@BOTH
def test_renegotiation_asked_by_the_charger_and_by_the_vehicle(energy: Energy) -> None:
    kind = m.CurrentDemandReq if energy == "dc" else m.ChargingStatusReq
    asking: Any = demand(dc(RENEGOTIATE)) if energy == "dc" else charging(responses.ac_status(False, RENEGOTIATE))
    calm = good(energy)[kind]
    begin = ORDER[energy].index("ChargeParameterDiscoveryReq")
    there = ORDER[energy].index(kind.__name__)
    again = [*ORDER[energy][: there + 1], "PowerDeliveryReq", *ORDER[energy][begin:]]
    end, asked, _ = hold({kind: in_turn(asking, calm)}, energy)
    assert isinstance(end, Ended)
    assert playbook.phases(asked) == again
    vehicle = WillingVehicle(energy=energy)
    vehicle.renegotiations = ["the driver leaves later"]
    requests: list[Any] = []
    end, asked, _ = hold(energy=energy, vehicle=vehicle, requests=requests)
    assert isinstance(end, Ended)
    assert [r.ChargeProgress for r in requests if isinstance(r, m.PowerDeliveryReq)] == [0, 2, 0, 1]
    assert vehicle.calls.count("prepare") == 1


@BOTH
def test_a_receipt_is_given_and_its_status_counts(energy: Energy) -> None:
    kind = m.CurrentDemandReq if energy == "dc" else m.ChargingStatusReq
    meter = Meter("meter 1", 1234)
    asking: Any = demand(MeterInfo=meter_info(meter), ReceiptRequired=True)
    stop: Any = dc(STOP_NOW)
    if energy == "ac":
        asking, stop = charging(meter=meter, receipt=True), responses.ac_status(False, STOP_NOW)
    requests: list[Any] = []
    change = {kind: asking, m.MeteringReceiptReq: m.MeteringReceiptRes(ResponseCode=OK, EVSEStatus=stop)}
    end, asked, _ = hold(change, energy, WillingVehicle(100, energy), requests=requests)
    assert isinstance(end, Ended)
    receipt = next(r for r in requests if isinstance(r, m.MeteringReceiptReq))
    assert receipt.MeterInfo.MeterReading == 1234
    assert receipt.SessionID == b"\x06\xef\x00\x71"
    assert "StopCharging" in end.reason


@pytest.mark.parametrize("code", [Status.EVSE_EmergencyShutdown, Status.EVSE_Malfunction])
def test_an_emergency_ends_the_session_at_once(code: Status) -> None:
    end, asked, _ = hold({m.CurrentDemandReq: demand(dc(code=code))})
    assert isinstance(end, PeerFailed)
    assert asked[-1] == "CurrentDemandReq"


def test_by_the_letter_a_malfunction_only_informs() -> None:
    end, _, _ = hold({m.CurrentDemandReq: demand(dc(code=Status.EVSE_Malfunction))}, rules=STRICT)
    assert isinstance(end, Ended)


def test_an_isolation_fault_ends_the_session() -> None:
    fault = responses.dc_status(Status.EVSE_Ready, m.isolationLevel.Fault)
    end, _, _ = hold({m.CableCheckReq: replace(good("dc")[m.CableCheckReq], DC_EVSEStatus=fault)})
    assert isinstance(end, PeerFailed)


def test_a_tripped_rcd_ends_the_charge_in_order() -> None:
    end, asked, _ = hold({m.ChargingStatusReq: charging(responses.ac_status(True))}, "ac", WillingVehicle(100, "ac"))
    assert isinstance(end, Ended)
    assert "residual current" in end.reason
    assert asked[-1] == "SessionStopReq"


def test_the_current_limit_of_the_loop_reaches_the_vehicle() -> None:
    vehicle = WillingVehicle(energy="ac")
    hold({m.ChargingStatusReq: charging(limit=8)}, "ac", vehicle)
    assert vehicle.limit_told == 8
    vehicle = WillingVehicle(energy="ac")
    hold({m.ChargingStatusReq: charging(limit=None)}, "ac", vehicle)
    assert vehicle.limit_told is None


def test_welding_detection_can_be_left_out() -> None:
    _, asked, _ = hold(rules=but(no_welding_detection=True))
    assert "WeldingDetectionReq" not in asked


def test_a_voltage_that_stays_is_judged_by_time() -> None:
    stays = replace(good("dc")[m.WeldingDetectionReq], EVSEPresentVoltage=VALUES.volt(380))
    records: list[Record] = []
    end, asked, _ = hold({m.WeldingDetectionReq: stays}, records=records)
    assert isinstance(end, Ended)
    assert 5 < asked.count("WeldingDetectionReq") < 12
    assert [r for r in records if isinstance(r, Note) and "welded" in r.text]


class SlowVehicle(WillingVehicle):
    """Its lock, its contactors or its state C never confirm."""

    async def power_on_ac(self) -> None:
        await asyncio.sleep(1000)

    async def prepare(self, offer: ChargerOffer) -> None:
        await asyncio.sleep(1000)


def test_state_c_must_come_in_time() -> None:
    end, _, _ = hold(energy="ac", vehicle=SlowVehicle(energy="ac"), timing=CONFORMANCE)
    assert isinstance(end, TimedOut)
    assert end.timer is CONFORMANCE.vehicle.power_state


def test_our_own_station_has_the_time_of_the_sequence() -> None:
    end, _, at = hold(vehicle=SlowVehicle(), timing=CONFORMANCE)
    assert isinstance(end, TimedOut)
    assert end.timer is CONFORMANCE.vehicle.sequence_performance
    assert at == pytest.approx(40, abs=1)
