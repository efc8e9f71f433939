"""The vehicle's session as playbooks against a charger that answers by a script."""

from __future__ import annotations

import asyncio
from typing import Any

import playbook
import pytest
from msgspec.structs import replace
from playbook import phases
from stations import WillingVehicle

from pyplc import clock
from pyplc.record import silent
from pyplc.v2g.control import ChargerOffer, Delivered
from pyplc.v2g.din import messages as m
from pyplc.v2g.din import responses
from pyplc.v2g.din.ev import VehicleSession
from pyplc.v2g.din.timing import CONFORMANCE, FIELD
from pyplc.v2g.din.values import VALUES
from pyplc.v2g.session import Ended, PeerFailed, PeerGone, PeerWrong, TimedOut
from pyplc.v2g.stream import pipe
from pyplc.v2g.timing import Timing

OK = m.responseCode.OK
READY = responses.status(m.DC_EVSEStatusCode.EVSE_Ready)
FINISHED = m.EVSEProcessing.Finished
OFFER = ChargerOffer(500, 125, 50_000, 150, 1)
SESSION = b"\x06\xef\x00\x71"
"""Four bytes, as a Supercharger gives."""

GOOD: dict[type, Any] = {
    m.SessionSetupReq: m.SessionSetupRes(ResponseCode=m.responseCode.OK_NewSessionEstablished, EVSEID=b"\0"),
    m.ServiceDiscoveryReq: responses.service_discovery(OK),
    m.ServicePaymentSelectionReq: m.ServicePaymentSelectionRes(ResponseCode=OK),
    m.ContractAuthenticationReq: m.ContractAuthenticationRes(ResponseCode=OK, EVSEProcessing=FINISHED),
    m.ChargeParameterDiscoveryReq: responses.parameters(OK, FINISHED, OFFER, READY),
    m.CableCheckReq: m.CableCheckRes(ResponseCode=OK, DC_EVSEStatus=READY, EVSEProcessing=FINISHED),
    m.PreChargeReq: m.PreChargeRes(ResponseCode=OK, DC_EVSEStatus=READY, EVSEPresentVoltage=VALUES.volt(380)),
    m.PowerDeliveryReq: m.PowerDeliveryRes(ResponseCode=OK, EVSEStatus=READY),
    m.CurrentDemandReq: VALUES.delivered(OK, Delivered(380, 50, 500, 125, 50_000), READY),
    m.WeldingDetectionReq: m.WeldingDetectionRes(
        ResponseCode=OK, DC_EVSEStatus=READY, EVSEPresentVoltage=VALUES.volt(10)
    ),
    m.SessionStopReq: m.SessionStopRes(ResponseCode=OK),
}
ORDER = [*list(GOOD)[:8], m.CurrentDemandReq, m.PowerDeliveryReq, m.WeldingDetectionReq, m.SessionStopReq]
UNTIL_POWER = ORDER[: ORDER.index(m.PowerDeliveryReq)]


def hold(
    answer: playbook.Answer, timing: Timing = FIELD, vehicle: WillingVehicle | None = None
) -> tuple[playbook.End, list[str], float]:
    """How the session ended, what was asked, and when it ended."""
    return playbook.hold(VehicleSession, answer, vehicle or WillingVehicle(), timing, session_id=SESSION)


def but(kind: type, response: Any) -> playbook.Answer:
    """The good charger, except that it answers `kind` like this."""
    return lambda request: response if type(request) is kind else GOOD[type(request)]


def test_the_good_case() -> None:
    vehicle = WillingVehicle()
    end, asked, _ = hold(lambda request: GOOD[type(request)], vehicle=vehicle)
    assert end == Ended("enough")
    assert phases(asked) == [kind.__name__ for kind in ORDER]
    assert vehicle.calls == ["prepare", "close", "state B", "open", "release"]


@pytest.mark.parametrize("session_id", [b"\1", SESSION, b"ABB00006"])
def test_the_session_id_is_kept_with_its_length(session_id: bytes) -> None:
    end, _, _ = hold(lambda request: (GOOD[type(request)], session_id))
    assert isinstance(end, Ended)


def test_a_plain_ok_opens_a_session_too() -> None:
    end, _, _ = hold(but(m.SessionSetupReq, m.SessionSetupRes(ResponseCode=OK, EVSEID=b"\0")))
    assert isinstance(end, Ended)


@pytest.mark.parametrize("kind", UNTIL_POWER + [m.PowerDeliveryReq, m.CurrentDemandReq], ids=lambda k: k.__name__)
@pytest.mark.parametrize("timing", [FIELD, CONFORMANCE], ids=["field", "conformance"])
def test_silence_ends_the_session_by_the_timer_of_the_message(kind: type, timing: Timing) -> None:
    timer = timing.vehicle.message.of(kind.__name__)
    reached = []

    def answer(request: Any) -> Any:
        if type(request) is kind:
            reached.append(asyncio.get_running_loop().time())
            return None
        return GOOD[type(request)]

    end, asked, at = hold(answer, timing)
    assert isinstance(end, TimedOut)
    assert end.timer == timer
    assert f"the answer to {kind.__name__}" in str(end)
    assert at - reached[0] == pytest.approx(timer.seconds, abs=0.01)
    assert asked[-1] == kind.__name__


@pytest.mark.parametrize("kind", UNTIL_POWER + [m.PowerDeliveryReq, m.CurrentDemandReq], ids=lambda k: k.__name__)
def test_failed_ends_the_session_and_nothing_more_is_asked(kind: type) -> None:
    end, asked, _ = hold(but(kind, replace(GOOD[kind], ResponseCode=m.responseCode.FAILED_SequenceError)))
    assert isinstance(end, PeerFailed)
    assert "FAILED_SequenceError" in str(end)
    assert asked[-1] == kind.__name__


@pytest.mark.parametrize("kind", UNTIL_POWER, ids=lambda k: k.__name__)
def test_another_response_than_asked_for(kind: type) -> None:
    other = m.ServicePaymentSelectionReq if kind is not m.ServicePaymentSelectionReq else m.CableCheckReq
    end, asked, _ = hold(but(kind, GOOD[other]))
    assert isinstance(end, PeerWrong)
    assert f"in answer to {kind.__name__}" in str(end)
    assert asked[-1] == kind.__name__


@pytest.mark.parametrize("kind", UNTIL_POWER[1:], ids=lambda k: k.__name__)
def test_another_session_id(kind: type) -> None:
    end, _, _ = hold(but(kind, (GOOD[kind], b"\1\2\3\4\5\6\7\x08")))
    assert isinstance(end, PeerWrong)
    assert "session id 0102030405060708, ours is 06ef0071" in str(end)


@pytest.mark.parametrize("data", [b"", b"\x80", b"\x80\x9a\x02", b"\xff" * 20])
def test_bytes_that_are_no_message(data: bytes) -> None:
    end, _, _ = hold(but(m.CableCheckReq, data or b"\0"))
    assert isinstance(end, PeerWrong)
    assert "cannot be decoded" in str(end)


@pytest.mark.parametrize(
    ("kind", "timer", "seconds"),
    [
        (m.ContractAuthenticationReq, "V2G_EVCC_Ongoing_Timer", 60),
        (m.ChargeParameterDiscoveryReq, "V2G_EVCC_Ongoing_Timer", 60),
        (m.CableCheckReq, "V2G_EVCC_CableCheck_Timer", 40),
    ],
)
def test_ongoing_for_ever(kind: type, timer: str, seconds: float) -> None:
    end, _, at = hold(but(kind, replace(GOOD[kind], EVSEProcessing=m.EVSEProcessing.Ongoing)), CONFORMANCE)
    assert isinstance(end, TimedOut)
    assert end.timer.name == timer
    assert at == pytest.approx(seconds, abs=1.0)


def test_a_voltage_that_never_comes() -> None:
    vehicle = WillingVehicle()
    low = replace(GOOD[m.PreChargeReq], EVSEPresentVoltage=VALUES.volt(200))
    end, _, at = hold(but(m.PreChargeReq, low), CONFORMANCE, vehicle)
    assert isinstance(end, TimedOut)
    assert "V2G_EVCC_PreCharge_Timer (7 s" in str(end)
    assert "the charger is at 200 V" in str(end)
    assert "close" not in vehicle.calls


@pytest.mark.parametrize("kind", [m.ChargeParameterDiscoveryReq, m.CableCheckReq, m.PreChargeReq, m.CurrentDemandReq])
def test_a_shutdown_is_answered_in_order(kind: type) -> None:
    shutdown = responses.status(m.DC_EVSEStatusCode.EVSE_Shutdown)
    good = GOOD[kind]
    if kind is m.ChargeParameterDiscoveryReq:
        asking = replace(good, EVSEChargeParameter=replace(good.EVSEChargeParameter, DC_EVSEStatus=shutdown))
    else:
        asking = replace(good, DC_EVSEStatus=shutdown)
    vehicle = WillingVehicle(turns=100)
    end, asked, _ = hold(but(kind, asking), vehicle=vehicle)
    assert end == Ended("the charger asked to stop (EVSE_Shutdown)")
    tail = ["PowerDeliveryReq", "WeldingDetectionReq"] if kind is m.CurrentDemandReq else []
    assert phases(asked)[-len(tail) - 2 :] == [kind.__name__, *tail, "SessionStopReq"]
    assert vehicle.calls[-3:] == ["state B", "open", "release"]


@pytest.mark.parametrize("code", ["EVSE_EmergencyShutdown", "EVSE_Malfunction", "EVSE_UtilityInterruptEvent"])
@pytest.mark.parametrize("kind", [m.CableCheckReq, m.PreChargeReq, m.CurrentDemandReq])
def test_an_emergency_ends_without_another_word(code: str, kind: type) -> None:
    end, asked, _ = hold(but(kind, replace(GOOD[kind], DC_EVSEStatus=responses.status(m.DC_EVSEStatusCode[code]))))
    assert isinstance(end, PeerFailed)
    assert code in str(end)
    assert asked[-1] == kind.__name__


@pytest.mark.parametrize("code", ["EVSE_NotReady", "EVSE_IsolationMonitoringActive"])
def test_codes_that_are_only_information(code: str) -> None:
    """Compleo says NotReady in the parameters; it is not an error."""
    asking = responses.parameters(OK, FINISHED, OFFER, responses.status(m.DC_EVSEStatusCode[code]))
    end, _, _ = hold(but(m.ChargeParameterDiscoveryReq, asking))
    assert isinstance(end, Ended)


def test_an_isolation_fault_with_finished_stops() -> None:
    faulty = responses.status(m.DC_EVSEStatusCode.EVSE_Ready, m.isolationLevel.Fault)
    end, asked, _ = hold(but(m.CableCheckReq, replace(GOOD[m.CableCheckReq], DC_EVSEStatus=faulty)))
    assert isinstance(end, PeerFailed)
    assert asked[-1] == "CableCheckReq"


def test_a_refused_welding_detection_does_not_stop_the_end() -> None:
    vehicle = WillingVehicle()
    failed = replace(GOOD[m.WeldingDetectionReq], ResponseCode=m.responseCode.FAILED)
    end, asked, _ = hold(but(m.WeldingDetectionReq, failed), vehicle=vehicle)
    assert isinstance(end, Ended)
    assert asked[-1] == "SessionStopReq"
    assert vehicle.calls[-1] == "release"


def test_a_voltage_that_stays_ends_the_detection_by_time() -> None:
    """Hypercharger's never drops for some cars: judge by time, and do not lock the user in."""
    vehicle = WillingVehicle()
    high = replace(GOOD[m.WeldingDetectionReq], EVSEPresentVoltage=VALUES.volt(380))
    end, asked, _ = hold(but(m.WeldingDetectionReq, high), vehicle=vehicle)
    assert isinstance(end, Ended)
    assert 5 < asked.count("WeldingDetectionReq") < 12
    assert vehicle.calls[-1] == "release"


def test_a_session_stop_that_is_never_answered_unlocks_all_the_same() -> None:
    vehicle = WillingVehicle()
    end, _, _ = hold(but(m.SessionStopReq, None), vehicle=vehicle)
    assert isinstance(end, Ended)
    assert vehicle.calls[-1] == "release"


def test_a_charger_that_vanishes() -> None:
    async def main() -> None:
        near, far = pipe()
        session = VehicleSession(near, WillingVehicle(), silent("ev"), FIELD.vehicle)
        asyncio.get_running_loop().call_later(0.5, far.abort)
        await session.run()

    with pytest.raises(PeerGone, match="connection reset by peer.*answer to SessionSetupReq"):
        clock.run(main())
