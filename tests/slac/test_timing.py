"""The table of times: what each entry does is measured, and another value of it would be noticed.

A check plays a scene and compares what it measures with the entry's value. It is run twice: with the table as it is,
and with the entry changed wherever the code uses it. The second must fail: then the code uses the entry, and the check
sees it.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import pkgutil
import sys
from collections.abc import Callable, Coroutine
from types import ModuleType, SimpleNamespace
from typing import Any

import msgspec
import playground
import pytest
from playground import READY_S, Charger, Line, Scripted, Station, Vehicle, meet, now, play

import pyplc.slac
from pyplc import clock
from pyplc.record import Checkpoint
from pyplc.slac import settings, timing, validation
from pyplc.slac.emulated import REAL
from pyplc.slac.ev import SlacError
from pyplc.slac.joining import LinkLost
from pyplc.slac.layout import Message
from pyplc.slac.messages import (
    AmpMapReq,
    AttenCharInd,
    AttenCharRsp,
    MnbcSoundInd,
    SetKeyReq,
    SlacMatchCnf,
    SlacMatchReq,
    SlacParamCnf,
    SlacParamReq,
    StartAttenCharInd,
    ValidateCnf,
    ValidateReq,
)
from pyplc.slac.mme import BROADCAST
from pyplc.slac.modem import ModemError
from pyplc.slac.vendor import LinkStatusReq, ResetReq, SwVerReq
from pyplc.tower import charger as charger_tower

near = pytest.approx
NAMES = [name for name in vars(timing) if name.isupper()]
Check = Callable[[float], object]
CHECKS: dict[str, Check] = {}
RUN = b"by hand!"


def entry(name: str) -> Callable[[Check], Check]:
    """The check of an entry; called with its value."""

    def keep(check: Check) -> Check:
        CHECKS[name] = check
        return check

    return keep


# ------------------------------------------------------------------------------------------------------- the scenes


def gaps(times: list[float]) -> list[float]:
    return [b - a for a, b in zip(times, times[1:], strict=False)]


def alone(**chosen: Any) -> Vehicle:
    """What a vehicle did that found nobody in one attempt."""

    async def scene(line: Line) -> Vehicle:
        vehicle = Vehicle(line, 1, **{"search_s": 0.0, "attempts": 1, **chosen})
        with pytest.raises(SlacError):
            await vehicle.matcher.match()
        return vehicle

    return play(scene)


def matched(decibel: float = 10.0, **chosen: Any) -> tuple[Vehicle, Charger]:
    """What both sides did in a match; settings of the vehicle."""

    async def scene(line: Line) -> tuple[Vehicle, Charger]:
        vehicle, charger = Vehicle(line, 1, **chosen), Charger(line, 2, validation="count")
        line.attenuate(vehicle, charger, decibel)
        await meet(line, vehicle, charger)
        vehicle.ready = now()  # type: ignore[attr-defined]
        return vehicle, charger

    return play(scene)


def at(station: Station, number: int) -> float:
    """When a vehicle passed a checkpoint; its records begin with the first request."""
    passed = {record.number: record.t for record in station.records if isinstance(record, Checkpoint)}
    return station.times(SlacParamReq)[0] + passed[number] - passed[100]


def by_hand(steps: Callable[[Station, Charger], Coroutine[Any, Any, None]], **chosen: Any) -> tuple[Station, Charger]:
    """A vehicle whose messages are sent by hand, after CM_SLAC_PARAM.REQ and CNF."""

    async def scene(line: Line) -> tuple[Station, Charger]:
        vehicle, charger = Station(line, "ev", 1), Charger(line, 2, **chosen)
        line.start(charger.serve())
        await asyncio.sleep(READY_S)
        send(vehicle, SlacParamReq(run_id=RUN))
        await asyncio.sleep(0.01)
        await steps(vehicle, charger)
        return vehicle, charger

    return play(scene)


def send(vehicle: Station, *messages: Message, to: Station | None = None) -> None:
    for message in messages:
        vehicle.homeplug.send(message, to.link.address if to else BROADCAST)


def announce(vehicle: Station, timeout: int = 6) -> None:
    send(vehicle, StartAttenCharInd(timeout=timeout, forwarding_sta=vehicle.link.address, run_id=RUN))


def sound(vehicle: Station, counts: range) -> None:
    send(vehicle, *(MnbcSoundInd(count=left, run_id=RUN, random=bytes(16)) for left in reversed(counts)))


async def reported(vehicle: Station, charger: Charger) -> None:
    """Up to CM_ATTEN_CHAR.RSP."""
    announce(vehicle)
    sound(vehicle, range(10))
    await asyncio.sleep(0.1)
    send(vehicle, AttenCharRsp(source_address=vehicle.link.address, run_id=RUN), to=charger)


def choose(vehicle: Station, charger: Charger) -> None:
    request = SlacMatchReq(pev_mac=vehicle.link.address, evse_mac=charger.link.address, run_id=RUN)
    send(vehicle, request, to=charger)


def stall(seconds: float) -> None:
    """The machine stands still."""
    asyncio.get_running_loop()._jumping.now += seconds  # type: ignore[attr-defined]


def taken(**chosen: Any) -> bool:
    """Whether a settings file may say so."""
    try:
        msgspec.convert(chosen, settings.SlacSettings)
    except msgspec.ValidationError:
        return False
    return True


# ------------------------------------------------------------------------------------------------------- the checks


@entry("C_EV_MATCH_MNBC")
def sounds(value: float) -> None:
    async def scene(line: Line) -> int:
        vehicle = Vehicle(line, 1, search_s=0.0, attempts=1)
        Scripted(line, 2, numbers=0)  # a charger that names none
        await vehicle.matcher.match()
        return len(vehicle.times(MnbcSoundInd))

    assert play(scene) == value


@entry("C_EV_MATCH_RETRY")
def repetitions(value: float) -> None:
    assert len(alone().times(SlacParamReq)) == 1 + value


@entry("C_EV_START_ATTEN_CHAR_INDS")
def announcements(value: float) -> None:
    assert len(matched()[0].times(StartAttenCharInd)) == value


@entry("C_EV_MATCH_SIGNALATTN_DIRECT")
def found(value: float) -> None:
    for decibel, word in ((value - 1, "found"), (value + 1, "potentially found")):
        assert f"attenuation, {word}" in matched(decibel)[0].decisions[0].why


@entry("C_EV_MATCH_SIGNALATTN_INDIRECT")
def weak(value: float) -> None:
    for decibel, word in ((value - 1, "potentially found"), (value + 1, "weak")):
        assert f"attenuation, {word}" in matched(decibel)[0].decisions[0].why
    assert settings.conformant(settings.SlacSettings()).worst_attenuation == value


@entry("C_EV_VALD_NB_TOGGLES")
def toggles(value: float) -> None:
    async def scene(line: Line) -> None:
        vehicle, charger = Vehicle(line, 1, validate="always"), Charger(line, 2, validation="count")
        vehicle.rng.randint = lambda low, high: high  # type: ignore[method-assign]
        await meet(line, vehicle, charger)
        assert charger.pilot.toggles == value

    play(scene)


@entry("C_EVSE_MATCH_PARALLEL")
def runs_at_a_time(value: float) -> None:
    assert taken(parallel=int(value)) and not taken(parallel=int(value) - 1)


@entry("C_CONN_MAX_MATCH")
def attempts(value: float) -> None:
    assert len(alone(attempts=settings.SlacSettings().attempts).times(SlacParamReq)) == value * 3


@entry("TP_MATCH_SEQUENCE")
def first_announcement(value: float) -> None:
    assert taken(announce_pause_s=value) and not taken(announce_pause_s=value + 0.01)
    vehicle, _ = matched(announce_pause_s=value)
    assert vehicle.times(StartAttenCharInd)[0] - vehicle.times(SlacParamCnf, received=True)[0] == near(value)


@entry("TP_MATCH_RESPONSE")
def slow_answers(value: float) -> None:
    for late in (-0.01, 0.01):

        async def scene(line: Line) -> str:
            await meet(line, vehicle := Vehicle(line, 1), Charger(line, 2))
            return vehicle.remarks

        told = play(scene, delay=(value + late) / 2)
        assert ("TP_match_response" in told) is (late > 0)


@entry("TP_EV_SLAC_INIT")
def late_beginning(value: float) -> None:
    for late in (-0.1, 0.1):

        async def scene(line: Line, late: float = late) -> str:
            vehicle = Vehicle(line, 1, search_s=0.0, attempts=1)
            with pytest.raises(SlacError):
                await vehicle.matcher.match(plugged_at=-value - late)
            return vehicle.remarks

        assert ("TP_EV_SLAC_init" in play(scene)) is (late > 0)


@entry("TP_EV_BATCH_MSG_INTERVAL_MIN")
def shortest_interval(value: float) -> None:
    assert taken(sound_interval_s=value) and not taken(sound_interval_s=value - 0.001)

    async def scene(line: Line) -> Vehicle:
        vehicle, charger = Vehicle(line, 1, sound_interval_s=value), Charger(line, 2)
        serving = line.start(charger.serve())
        await asyncio.sleep(READY_S)
        matching = line.start(vehicle.matcher.match())
        await asyncio.sleep(0.1)
        stall(0.1)  # what is late is not sent in one burst
        await matching
        await serving
        return vehicle

    times = play(scene)
    spacing = gaps(sorted([*times.times(StartAttenCharInd), *times.times(MnbcSoundInd)]))
    assert min(spacing) == near(value) and max(spacing) > 0.1


@entry("TP_EV_BATCH_MSG_INTERVAL_MAX")
def longest_interval(value: float) -> None:
    assert taken(sound_interval_s=value) and not taken(sound_interval_s=value + 0.001)
    assert gaps(matched(sound_interval_s=value)[0].times(MnbcSoundInd)) == [near(value)] * 9


@entry("TP_EV_MATCH_SESSION")
def late_choice(value: float) -> None:
    for late in (-0.05, 0.05):

        async def scene(line: Line, late: float = late) -> str:
            vehicle, charger = Vehicle(line, 1), Charger(line, 2)
            line.start(charger.serve())
            await asyncio.sleep(READY_S)
            matching = line.start(vehicle.matcher.match())
            await asyncio.sleep(0.8)
            started = vehicle.times(StartAttenCharInd)[0]
            stall(started + timing.TT_EV_ATTEN_RESULTS + value + late - now())
            await matching
            return vehicle.remarks

        assert ("TP_EV_match_session" in play(scene)) is (late > 0)


@entry("TP_EV_VALD_TOGGLE_MIN")
def shortest_count(value: float) -> None:
    assert validation.window(0) == (round(value * 10) - 1, near(value))


@entry("TP_EV_VALD_TOGGLE_MAX")
def longest_count(value: float) -> None:
    assert validation.window(9) == (round(value * 10) - 1, near(value))


@entry("TP_EV_VALD_STATE_DURATION")
def toggle_states(value: float) -> None:
    async def scene(line: Line) -> list[float]:
        vehicle, charger = Vehicle(line, 1, validate="always"), Charger(line, 2, validation="count")
        phases: list[float] = []
        plain = charger.pilot.toggle

        async def toggle(times: int, phase_s: float) -> None:
            phases.append(phase_s)
            await plain(times, phase_s)

        charger.pilot.toggle = toggle  # type: ignore[method-assign]
        await meet(line, vehicle, charger)
        return phases

    assert play(scene) == [value]


@entry("TP_EVSE_AVG_ATTEN_CALC")
def late_report(value: float) -> None:
    for late in (-0.02, 0.02):

        async def steps(vehicle: Station, charger: Charger, late: float = late) -> None:
            charger.emulated._measured = lambda *arguments: None  # type: ignore[method-assign]
            announce(vehicle)
            sound(vehicle, range(10))
            await asyncio.sleep(0.02)
            stall(value + late - 0.019)
            await asyncio.sleep(0.1)

        assert ("TP_EVSE_avg_atten_calc" in by_hand(steps)[1].remarks) is (late > 0)


@entry("TP_AMP_MAP_EXCHANGE")
def map_after_link(value: float) -> None:
    vehicle, _ = matched(amp_map=(1, 2))
    assert vehicle.times(AmpMapReq)[0] - at(vehicle, 190) == near(value / 2)


@entry("TP_LINK_READY_NOTIFICATION")
def ready_after_link(value: float) -> None:
    vehicle, _ = matched()
    assert vehicle.ready - at(vehicle, 190) == near(value)  # type: ignore[attr-defined]


@entry("TP_MATCH_LEAVE")
def slow_leaving(value: float) -> None:
    async def scene(line: Line) -> str:
        vehicle = Vehicle(line, 1)
        vehicle.emulated.silent = True
        line.start(clear(vehicle, value + late))
        await vehicle.matcher.leave()
        return vehicle.remarks

    async def clear(vehicle: Vehicle, after: float) -> None:
        await asyncio.sleep(after - timing.MODEM_RESPONSE)
        vehicle.emulated.silent = False

    for late in (-0.1, 0.1):
        assert ("TP_match_leave" in play(scene)) is (late > 0)


@entry("TT_EV_ATTEN_RESULTS")
def gathering(value: float) -> None:
    vehicle, _ = matched()
    assert vehicle.times(SlacMatchReq)[0] - vehicle.times(StartAttenCharInd)[0] == near(value)


@entry("TT_EVSE_MATCH_MNBC")
def sounding_window(value: float) -> None:
    async def steps(vehicle: Station, charger: Charger) -> None:
        announce(vehicle, timeout=50)
        sound(vehicle, range(9, 10))
        await asyncio.sleep(3.0)

    _, charger = by_hand(steps)
    window = charger.times(AttenCharInd)[0] - charger.times(StartAttenCharInd, received=True)[0]
    assert window == near(value + timing.LATE_PROFILE_GRACE)


@entry("TT_EVSE_MATCH_SESSION")
def patience_for_the_match(value: float) -> None:
    for late in (-0.1, 0.1):

        async def steps(vehicle: Station, charger: Charger, late: float = late) -> None:
            await reported(vehicle, charger)
            await asyncio.sleep(value + late)
            choose(vehicle, charger)
            await asyncio.sleep(0.1)

        assert len(by_hand(steps)[1].times(SlacMatchCnf)) == (late < 0)


@entry("TT_EVSE_SLAC_INIT")
def silence(value: float) -> None:
    async def scene(line: Line) -> None:
        charger = Charger(line, 2)
        line.start(charger.serve())
        await asyncio.sleep(value - 0.1)
        assert "no vehicle asks" not in charger.remarks
        await asyncio.sleep(0.3)
        assert f"{value:g} s (TT_EVSE_SLAC_init)" in charger.remarks

    play(scene)


@entry("TT_EVSE_VALD_TOGGLE")
def longest_counting(value: float) -> None:
    async def steps(vehicle: Station, charger: Charger) -> None:
        await reported(vehicle, charger)
        send(vehicle, ValidateReq(timer=99, result=validation.READY), to=charger)
        await asyncio.sleep(20.0)

    _, charger = by_hand(steps, validation="count")
    assert charger.times(ValidateCnf)[0] - charger.times(ValidateReq, received=True)[0] == near(value)


@entry("TT_MATCH_RESPONSE")
def repeated_after(value: float) -> None:
    assert gaps(alone().times(SlacParamReq)) == [near(value)] * 2


@entry("TT_MATCH_SEQUENCE")
def patience_for_the_announcement(value: float) -> None:
    for late in (-0.05, 0.05):

        async def steps(vehicle: Station, charger: Charger, late: float = late) -> None:
            await asyncio.sleep(value + late - 0.01)
            announce(vehicle)
            sound(vehicle, range(10))
            await asyncio.sleep(0.1)

        assert len(by_hand(steps)[1].times(AttenCharInd)) == (late < 0)


@entry("TT_MATCH_JOIN")
def patience_for_the_link(value: float) -> None:
    assert settings.conformant(settings.SlacSettings()).join_s == value
    assert settings.SlacSettings().join_s == value + 2.0


@entry("TT_MATCHING_REPETITION")
def patience_for_a_charger(value: float) -> None:
    search_s = settings.conformant(settings.SlacSettings()).search_s
    requests = alone(search_s=search_s).times(SlacParamReq)
    assert value - 1.0 < requests[-1] - requests[0] < value + 0.5


@entry("TT_MATCHING_RATE")
def pause_between_attempts(value: float) -> None:
    requests = alone(attempts=2).times(SlacParamReq)
    assert gaps(requests)[2] == near(timing.TT_MATCH_RESPONSE + value)


@entry("TT_AMP_MAP_EXCHANGE")
def map_repeated_after(value: float) -> None:
    async def scene(line: Line) -> list[float]:
        vehicle = Vehicle(line, 1, amp_map=(1, 2, 3))
        Scripted(line, 2)  # knows no map
        await vehicle.matcher.match()
        return vehicle.times(AmpMapReq)

    assert gaps(play(scene)) == [near(value)] * 2


@entry("T_VALD_DETECT_TIME")
def before_the_first_toggle(value: float) -> None:
    async def scene(line: Line) -> float:
        vehicle, charger = Vehicle(line, 1, validate="always"), Charger(line, 2, validation="count")
        began: list[float] = []
        plain = charger.pilot.toggle

        async def toggle(times: int, phase_s: float) -> None:
            began.append(now())
            await plain(times, phase_s)

        charger.pilot.toggle = toggle  # type: ignore[method-assign]
        await meet(line, vehicle, charger)
        return began[0] - vehicle.times(ValidateReq)[1]

    assert play(scene) == near(value)


async def woken(seconds: float) -> list[tuple[float, float]]:
    """When a charger whose vehicle never asks wakes it, and how long by state F."""
    found: list[tuple[float, float]] = []

    async def rouse(phase_s: float, duty: float) -> None:
        found.append((now(), phase_s))
        await asyncio.sleep(phase_s)

    charger = SimpleNamespace(
        charger=SimpleNamespace(rouse=rouse),
        scribe=SimpleNamespace(note=lambda text: None),
        _matcher=SimpleNamespace(asked=asyncio.Event()),
        _common=SimpleNamespace(slac=settings.SlacSettings(wake=True)),
    )
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(seconds):
            await charger_tower.ChargerStation._asked(charger)  # type: ignore[arg-type]
    return found


@entry("C_SEQU_RETRY")
def wakings(value: float) -> None:
    assert len(clock.run(woken(1000.0))) == value


@entry("T_STEP_EF")
def state_f(value: float) -> None:
    (first, phase_s), (second, _) = clock.run(woken(1000.0))
    assert phase_s == value and second - first == near(timing.TT_EVSE_SLAC_INIT + value)
    assert first == near(timing.TT_EVSE_SLAC_INIT)


@entry("T_STEP_X1")
def state_x1(value: float) -> None:
    async def scene() -> float:
        duties: list[float | None] = []

        async def set_duty(duty: float | None) -> None:
            duties.append(duty)

        charger = SimpleNamespace(devices=SimpleNamespace(pilot=SimpleNamespace(set_duty=set_duty)), _in_session=True)
        await charger_tower.ChargerStation._out_of_digital(charger)  # type: ignore[arg-type]
        assert duties == [None]
        return now()

    assert clock.run(scene()) == near(value)


@entry("TT_EVSE_SLAC_INIT_MIN")
def an_ac_charger_waits(value: float) -> None:
    async def scene() -> float:
        charger = SimpleNamespace(
            charger=charger_tower.AcCharger.__new__(charger_tower.AcCharger),
            _settings=SimpleNamespace(communication="both"),
            _matcher=SimpleNamespace(asked=asyncio.Event()),
        )
        charger._within = lambda *arguments: charger_tower.ChargerStation._within(charger, *arguments)  # type: ignore[arg-type]
        with pytest.raises(SlacError, match=f"no vehicle asked within {value:g} s"):
            await charger_tower.ChargerStation._asked(charger)  # type: ignore[arg-type]
        return now()

    assert clock.run(scene()) == near(value)


@entry("ANNOUNCE_PAUSE")
def pause_before_the_announcement(value: float) -> None:
    vehicle, _ = matched()
    assert vehicle.times(StartAttenCharInd)[0] - vehicle.times(SlacParamCnf, received=True)[0] == near(value)


def unanswered() -> list[float]:
    """When a key was offered to a modem that does not answer."""

    async def scene(line: Line) -> list[float]:
        vehicle = Vehicle(line, 1)
        vehicle.emulated.silent = True
        with pytest.raises(ModemError):
            await vehicle.modem.set_key(bytes(16))
        return vehicle.times(SetKeyReq)

    return play(scene)


@entry("MODEM_RESPONSE")
def modem_asked_again_after(value: float) -> None:
    assert gaps(unanswered()) == [near(value)] * 2


@entry("C_MODEM_TRIES")
def modem_asked(value: float) -> None:
    assert len(unanswered()) == value


def restarted(*, silent: bool) -> tuple[Vehicle, float]:
    """A modem that refuses the key is restarted; how long the vehicle then waits for it."""

    async def scene(line: Line) -> tuple[Vehicle, float]:
        vehicle, charger = Vehicle(line, 1), Charger(line, 2)
        vehicle.emulated.refuse_key = True
        line.start(charger.serve())
        await asyncio.sleep(READY_S)
        matching = line.start(vehicle.matcher.match())
        while not vehicle.times(ResetReq):  # noqa: ASYNC110  # looked at from outside
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.1)
        vehicle.emulated.silent, vehicle.emulated.refuse_key = silent, False
        began = vehicle.times(ResetReq)[0]
        if silent:
            with pytest.raises(ModemError, match="did not come back"):
                await matching
        else:
            await matching
        return vehicle, now() - began

    return play(scene)


@entry("MODEM_PAUSE")
def pause_after_a_restart(value: float) -> None:
    vehicle, _ = restarted(silent=False)
    asked = [t for t in vehicle.times(SwVerReq) if t > vehicle.times(ResetReq)[0]]
    assert asked[0] - vehicle.times(ResetReq)[0] == near(value, abs=0.01)


@entry("MODEM_BACK")
def patience_for_a_restart(value: float) -> None:
    assert restarted(silent=True)[1] == near(value, abs=0.01)


@entry("LINK_POLL")
def link_polled(value: float) -> None:
    async def scene(line: Line) -> list[float]:
        vehicle, charger = Vehicle(line, 1), Charger(line, 2)
        await meet(line, vehicle, charger)
        return vehicle.times(LinkStatusReq)

    assert gaps(play(scene, REAL))[:20] == [near(value)] * 20


def lost(how: str) -> tuple[float, float]:
    """From the loss of link or modem to its being told, and how often the modem is asked."""

    async def scene(line: Line) -> tuple[float, float]:
        vehicle, charger = Vehicle(line, 1), Charger(line, 2)
        ours, _ = await meet(line, vehicle, charger)
        attending = line.start(vehicle.matcher.attend(ours))
        await asyncio.sleep(0.01)
        began = vehicle.times(LinkStatusReq)[-1]
        await asyncio.sleep(10.0)
        setattr(vehicle.emulated, how, how == "silent")
        asked = [t for t in vehicle.times(LinkStatusReq) if t >= began]
        with pytest.raises(LinkLost):
            await attending
        return now() - asked[-1], gaps(asked)[0]

    return play(scene)


@entry("LINK_WATCH")
def link_watched(value: float) -> None:
    assert lost("joins")[1] == near(value)


@entry("C_LINK_LOST")
def answers_without_a_link(value: float) -> None:
    assert lost("joins")[0] == near((value + 1) * timing.LINK_WATCH, abs=0.01)


@entry("C_MODEM_LOST")
def questions_without_an_answer(value: float) -> None:
    assert lost("silent")[0] == near((value + 1) * timing.LINK_WATCH, abs=0.01)


@entry("LATE_PROFILE_GRACE")
def patience_for_profiles(value: float) -> None:
    async def steps(vehicle: Station, charger: Charger) -> None:
        charger.emulated._measured = lambda *arguments: None  # type: ignore[method-assign]
        announce(vehicle)
        sound(vehicle, range(10))
        await asyncio.sleep(0.2)

    _, charger = by_hand(steps)
    assert charger.times(AttenCharInd)[0] - charger.times(MnbcSoundInd, received=True)[-1] == near(value)


# -------------------------------------------------------------------------------------------------------- the tests


def test_each_entry_has_its_check_and_no_other() -> None:
    assert set(CHECKS) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_each_entry_is_kept(name: str) -> None:
    CHECKS[name](getattr(timing, name))


@pytest.mark.parametrize("name", NAMES)
def test_another_value_would_be_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    value = getattr(timing, name)
    changed = value + 1 if isinstance(value, int) else value * 1.5
    users = [module for module in rooms() if module is not timing and name in vars(module)]
    assert users, f"no code uses {name}"
    for module in users:
        monkeypatch.setattr(module, name, changed)
    if settings in users:
        settings_anew(monkeypatch, name, changed)
    with pytest.raises((AssertionError, SlacError, ModemError, LinkLost, pytest.fail.Exception)):
        CHECKS[name](value)


def rooms() -> list[ModuleType]:
    """Every module that may use the table."""
    names = [f"pyplc.slac.{room.name}" for room in pkgutil.iter_modules(pyplc.slac.__path__)]
    return [*(importlib.import_module(name) for name in names), charger_tower]


def settings_anew(monkeypatch: pytest.MonkeyPatch, name: str, changed: float) -> None:
    """Defaults and bounds of the settings are made when their module is loaded: load it again with the other value."""
    assert settings.__file__ is not None
    spec = importlib.util.spec_from_file_location("pyplc.slac.settings_anew", settings.__file__)
    assert spec is not None and spec.loader is not None
    anew = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, anew)
    with monkeypatch.context() as while_loading:
        while_loading.setattr(timing, name, changed)
        spec.loader.exec_module(anew)
    for module in (settings, playground):
        for part in ("SlacSettings", "conformant"):
            if hasattr(module, part):
                monkeypatch.setattr(module, part, getattr(anew, part))


def test_what_is_ours_keeps_what_is_the_standards() -> None:
    assert timing.LATE_PROFILE_GRACE <= timing.TP_EVSE_AVG_ATTEN_CALC
    assert timing.ANNOUNCE_PAUSE <= timing.TP_MATCH_SEQUENCE
    assert settings.SlacSettings().sound_interval_s >= timing.TP_EV_BATCH_MSG_INTERVAL_MIN
    assert timing.LINK_POLL <= timing.TP_AMP_MAP_EXCHANGE <= timing.TP_LINK_READY_NOTIFICATION <= 1.0


STANDARD = {
    "C_EV_MATCH_MNBC": 10,
    "C_EV_MATCH_RETRY": 2,
    "C_EV_START_ATTEN_CHAR_INDS": 3,
    "C_EV_MATCH_SIGNALATTN_DIRECT": 10.0,
    "C_EV_MATCH_SIGNALATTN_INDIRECT": 20.0,
    "C_EV_VALD_NB_TOGGLES": 3,
    "C_EVSE_MATCH_PARALLEL": 5,
    "C_CONN_MAX_MATCH": 3,
    "C_SEQU_RETRY": 2,
    "TP_MATCH_SEQUENCE": 0.1,
    "TP_MATCH_RESPONSE": 0.1,
    "TP_EV_SLAC_INIT": 10.0,
    "TP_EV_BATCH_MSG_INTERVAL_MIN": 0.02,
    "TP_EV_BATCH_MSG_INTERVAL_MAX": 0.05,
    "TP_EV_MATCH_SESSION": 0.5,
    "TP_EV_VALD_TOGGLE_MIN": 0.6,
    "TP_EV_VALD_TOGGLE_MAX": 3.5,
    "TP_EVSE_AVG_ATTEN_CALC": 0.1,
    "TP_AMP_MAP_EXCHANGE": 0.1,
    "TP_LINK_READY_NOTIFICATION": 0.2,
    "TP_MATCH_LEAVE": 1.0,
    "TT_EV_ATTEN_RESULTS": 1.2,
    "TT_EVSE_MATCH_MNBC": 0.6,
    "TT_EVSE_MATCH_SESSION": 10.0,
    "TT_EVSE_SLAC_INIT_MIN": 20.0,
    "TT_EVSE_SLAC_INIT": 50.0,
    "TT_EVSE_VALD_TOGGLE": 3.5,
    "TT_MATCH_RESPONSE": 0.2,
    "TT_MATCH_SEQUENCE": 0.4,
    "TT_MATCH_JOIN": 12.0,
    "TT_MATCHING_REPETITION": 10.0,
    "TT_MATCHING_RATE": 0.4,
    "TT_AMP_MAP_EXCHANGE": 0.2,
    "T_VALD_DETECT_TIME": 0.2,
    "T_STEP_EF": 4.0,
    "T_STEP_X1": 3.0,
}


@pytest.mark.parametrize("name", STANDARD)
def test_the_standards_values(name: str) -> None:
    assert getattr(timing, name) == STANDARD[name]
    assert 0.2 <= timing.TP_EV_VALD_STATE_DURATION <= 0.4
