"""Matching played to the end with peers as they are met: validation, neighbours, odd chargers, modems that fail."""

from __future__ import annotations

import asyncio

import pytest
from playground import READY_S, Charger, Line, Scripted, Station, Vehicle, meet, now, play, plug

from pyplc.slac.emulated import FAST, REAL, ModemTiming
from pyplc.slac.ev import Matched, SlacError
from pyplc.slac.joining import LinkLost
from pyplc.slac.layout import Message
from pyplc.slac.messages import (
    AmpMapCnf,
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
from pyplc.slac.settings import DEVIATIONS

NEAR, FAR = 9.0, 30.0


# ---------------------------------------------------------------------------------------------------- who is who


def test_two_vehicles_and_three_chargers_find_their_own() -> None:
    async def scene(line: Line) -> None:
        one, two = Vehicle(line, 1), Vehicle(line, 4)
        first, second, third = (Charger(line, number) for number in (2, 3, 5))
        for vehicle, near in ((one, first), (two, second)):
            for charger in (first, second, third):
                line.attenuate(vehicle, charger, NEAR if charger is near else FAR)
        serving = [line.start(charger.serve()) for charger in (first, second, third)]
        await asyncio.sleep(READY_S)
        ours = await asyncio.gather(one.matcher.match(), two.matcher.match())
        assert [matched.peer for matched in ours] == [first.link.address, second.link.address]
        theirs = await asyncio.gather(*serving[:2])
        assert [matched.nmk for matched in ours] == [matched.nmk for matched in theirs]
        assert ours[0].nmk != ours[1].nmk
        assert 155 not in third.checkpoints
        assert all(len(vehicle.decisions[0].values) == 3 for vehicle in (one, two))
        assert [peer.address for peer in one.emulated.peers] == [first.emulated.address]

    play(scene)


def test_more_vehicles_than_the_standard_asks_for_are_served_at_once() -> None:
    async def scene(line: Line) -> None:
        charger = Charger(line, 2)
        vehicles = [Vehicle(line, number, worst_attenuation=0.0, search_s=0.0, attempts=1) for number in range(10, 22)]
        line.start(charger.serve())
        await asyncio.sleep(READY_S)
        results = await asyncio.gather(*(vehicle.matcher.match() for vehicle in vehicles), return_exceptions=True)
        assert all("no charger reported between 0 and 0 dB" in str(result) for result in results)
        for vehicle in vehicles:
            reports = [message for _, message in vehicle.received if isinstance(message, AttenCharInd)]
            assert [report.sounds for report in reports if report.source_address == vehicle.link.address] == [10]

    play(scene)


def test_a_flood_of_run_ids_costs_the_oldest() -> None:
    async def scene(line: Line) -> None:
        vehicle, charger = Vehicle(line, 1), Charger(line, 2, parallel=5)
        line.start(charger.serve())
        await asyncio.sleep(READY_S)
        for number in range(8):
            vehicle.homeplug.send(SlacParamReq(run_id=bytes([number]) * 8), BROADCAST)
        await asyncio.sleep(0.1)
        assert len(charger.times(SlacParamCnf)) == 8
        assert charger.remarks.count("5 others followed") == 3

    play(scene)


def test_a_foreign_match_while_charging_disturbs_nobody() -> None:
    async def scene(line: Line) -> None:
        vehicle, charger, stranger = Vehicle(line, 1), Charger(line, 2), Station(line, "evse", 3)
        ours, theirs = await meet(line, vehicle, charger)
        charging = [line.start(vehicle.matcher.attend(ours)), line.start(charger.matcher.attend(theirs))]
        keys = len(vehicle.times(SetKeyReq))
        foreign = SlacMatchCnf(
            pev_mac=vehicle.link.address,
            evse_mac=stranger.link.address,
            run_id=ours.run_id,
            nid=bytes(7),
            nmk=b"k" * 16,
        )
        for _ in range(50):
            stranger.homeplug.send(foreign, vehicle.link.address)
            stranger.homeplug.send(SlacParamReq(run_id=bytes(8)), BROADCAST)
            await asyncio.sleep(0.2)
        assert not any(task.done() for task in charging)
        assert vehicle.emulated.linked and vehicle.emulated.nmk == ours.nmk
        assert len(vehicle.times(SetKeyReq)) == keys and len(charger.times(SlacParamCnf)) == 1

    play(scene)


# ------------------------------------------------------------------------------------------------- odd chargers


@pytest.mark.parametrize(
    "charger",
    [
        {"after": 0.05},
        {"after": 1.1},
        {"sounds": 2},
        {"after": 0.6, "times": 3},
        {"after": 0.3, "sounds": 1, "times": 4},
    ],
    ids=["early", "late", "fewer sounds", "thrice", "early, one sound, four times"],
)
def test_an_odd_charger_is_matched_and_each_report_answered(charger: dict[str, float]) -> None:
    async def scene(line: Line) -> None:
        vehicle, scripted = Vehicle(line, 1), Scripted(line, 2, **charger)  # type: ignore[arg-type]
        matched = await vehicle.matcher.match()
        assert matched.peer == scripted.link.address and matched.attenuation == 12.0
        reports, answers = vehicle.times(AttenCharInd, received=True), vehicle.times(AttenCharRsp)
        assert len(reports) == len(answers) == int(charger.get("times", 1))
        assert all(b - a < 0.1 for a, b in zip(reports, answers, strict=True))
        assert "not derived from its NMK" in vehicle.remarks

    play(scene)


@pytest.mark.parametrize(("trust", "sounds"), [(True, 5), (False, 0)])
def test_a_charger_that_asks_for_other_numbers(trust: bool, sounds: int) -> None:
    async def scene(line: Line) -> None:
        vehicle = Vehicle(line, 1, trust_numbers=trust, search_s=0.0, attempts=1)
        Scripted(line, 2, numbers=5)
        matching = await asyncio.gather(vehicle.matcher.match(), return_exceptions=True)
        assert isinstance(matching[0], Matched) is trust
        assert len(vehicle.times(MnbcSoundInd)) == sounds
        assert ("slac.trust_numbers" in vehicle.remarks) is not trust

    play(scene)


@pytest.mark.parametrize(
    ("groups", "sounds", "word"),
    [(bytes(58), 10, "measures no attenuation"), (b"", 10, "measures no attenuation"), (b"\x40" * 58, 10, "too high")],
)
def test_reports_that_cannot_be_used_are_told(groups: bytes, sounds: int, word: str) -> None:
    async def scene(line: Line) -> None:
        vehicle, scripted = Vehicle(line, 1, search_s=0.0, attempts=1), Scripted(line, 2, sounds=sounds)
        scripted.groups = groups
        with pytest.raises(SlacError) as caught:
            await vehicle.matcher.match()
        text = str(caught.value)
        assert "no charger reported between 0 and 40 dB" in text
        assert word in text.partition("(2)")[0]

    play(scene)


def test_a_charger_that_does_not_confirm_is_told() -> None:
    async def scene(line: Line) -> None:
        vehicle, scripted = Vehicle(line, 1, search_s=0.0, attempts=1), Scripted(line, 2)
        scripted.answers_match = False
        with pytest.raises(SlacError, match=r"awaited CM_SLAC_MATCH.CNF in vain for 0.6 s \(TT_match_response"):
            await vehicle.matcher.match()
        requests = vehicle.times(SlacMatchReq)
        assert [round(b - a, 2) for a, b in zip(requests, requests[1:], strict=False)] == [0.2, 0.2]

    play(scene)


# ----------------------------------------------------------------------------------------- both sides, their times


def test_from_the_request_to_the_key_in_the_standards_waits() -> None:
    async def scene(line: Line) -> None:
        vehicle, charger = Vehicle(line, 1), Charger(line, 2)
        await meet(line, vehicle, charger)
        took = vehicle.times(SlacMatchCnf, received=True)[0] - vehicle.times(SlacParamReq)[0]
        assert 1.2 <= took <= 1.25

    play(scene)


def test_the_report_leaves_when_the_last_sound_is_measured() -> None:
    async def scene(line: Line) -> None:
        vehicle, charger = Vehicle(line, 1), Charger(line, 2)
        await meet(line, vehicle, charger)
        assert charger.times(AttenCharInd)[0] - charger.times(MnbcSoundInd, received=True)[-1] <= 0.005

    play(scene)


def test_the_report_waits_for_profiles_that_do_not_come() -> None:
    async def scene(line: Line) -> None:
        vehicle, charger = Vehicle(line, 1), Charger(line, 2)
        charger.emulated._measured = lambda *arguments: None  # type: ignore[method-assign]
        matched, _ = await meet(line, vehicle, charger)
        waited = charger.times(AttenCharInd)[0] - charger.times(MnbcSoundInd, received=True)[-1]
        assert 0.04 <= waited <= 0.1 and matched.attenuation == pytest.approx(9.55, abs=0.01)

    play(scene)


def test_without_invention_nothing_measured_is_nothing_reported() -> None:
    async def scene(line: Line) -> None:
        vehicle, charger = Vehicle(line, 1, search_s=0.0, attempts=1), Charger(line, 2, invent_attenuation=False)
        charger.emulated.profiles = False
        line.start(charger.serve())
        await asyncio.sleep(READY_S)
        with pytest.raises(SlacError, match="measures no attenuation"):
            await vehicle.matcher.match()

    play(scene)


def test_the_receive_path_is_taken_off_the_report() -> None:
    async def scene(line: Line) -> None:
        vehicle, charger = Vehicle(line, 1, attenuation_offset=1.5), Charger(line, 2, attn_rx=(3.0,))
        line.attenuate(vehicle, charger, 15.0)
        ours, theirs = await meet(line, vehicle, charger)
        assert theirs.attenuation == pytest.approx(12.0, abs=0.1)
        assert ours.attenuation == pytest.approx(10.5, abs=0.1)
        assert vehicle.decisions[0].values["offset"] == 1.5

    play(scene)


@pytest.mark.parametrize(("unheard", "reports"), [(False, 0), (True, 3)])
def test_no_sound_at_all_is_reported_only_where_wished(unheard: bool, reports: int) -> None:
    async def scene(line: Line) -> None:
        vehicle = Vehicle(line, 1, search_s=0.0, attempts=1)
        charger = Charger(line, 2, report_unheard=unheard)
        line.lose(MnbcSoundInd, times=99)
        line.start(charger.serve())
        await asyncio.sleep(READY_S)
        with pytest.raises(SlacError):
            await vehicle.matcher.match()
        await asyncio.sleep(1.0)
        assert len(charger.times(AttenCharInd)) in (reports, min(reports, 1))
        assert ("no sound within 0.6 s (TT_EVSE_match_MNBC)" in charger.remarks) is not unheard

    play(scene)


@pytest.mark.parametrize(
    ("leaves", "word"),
    [
        (StartAttenCharInd, "no CM_START_ATTEN_CHAR.IND within 0.4 s (TT_match_sequence)"),
        (SlacMatchReq, "no CM_SLAC_MATCH.REQ within 10 s (TT_EVSE_match_session)"),
    ],
)
def test_a_vehicle_that_leaves_is_dropped(leaves: type[Message], word: str) -> None:
    async def scene(line: Line) -> None:
        vehicle, charger = Vehicle(line, 1, search_s=0.0, attempts=1), Charger(line, 2)
        line.lose(leaves, times=99)
        line.start(charger.serve())
        await asyncio.sleep(READY_S)
        with pytest.raises(SlacError):
            await vehicle.matcher.match()
        await asyncio.sleep(11.0)
        assert word in charger.remarks

    play(scene)


def test_a_vehicle_that_never_asks_is_remarked() -> None:
    async def scene(line: Line) -> None:
        charger = Charger(line, 2)
        line.start(charger.serve())
        await asyncio.sleep(49.0)
        assert "no vehicle asks" not in charger.remarks
        await asyncio.sleep(2.0)
        for word in ("awaited CM_SLAC_PARAM.REQ", "50 s (TT_EVSE_SLAC_init)", "(1) the vehicle does not ask", "Next:"):
            assert word in charger.remarks

    play(scene)


def test_a_late_beginning_is_remarked() -> None:
    async def scene(line: Line) -> None:
        vehicle, charger = Vehicle(line, 1), Charger(line, 2)
        line.start(charger.serve())
        await asyncio.sleep(11.0)
        await vehicle.matcher.match(plugged_at=0.5)
        assert "10.5 s after plugging in, at most 10 s (TP_EV_SLAC_init)" in vehicle.remarks

    play(scene)


def test_a_slow_answer_is_remarked() -> None:
    async def scene(line: Line) -> None:
        await meet(line, vehicle := Vehicle(line, 1), Charger(line, 2))
        assert "at most 0.1 s are allowed (TP_match_response)" in vehicle.remarks

    play(scene, delay=0.06)


def test_attempts_keep_their_distance_and_their_number() -> None:
    async def scene(line: Line) -> None:
        vehicle = Vehicle(line, 1, search_s=0.0, attempts=4)
        with pytest.raises(SlacError, match="after 4 attempts"):
            await vehicle.matcher.match()
        requests = vehicle.times(SlacParamReq)
        assert len(requests) == 12
        assert [round(b - a, 2) for a, b in zip(requests, requests[1:], strict=False)][2::3] == [0.6, 0.6, 0.6]

    play(scene)


def test_a_station_id_is_sent_and_may_be_refused() -> None:
    async def scene(line: Line) -> None:
        vehicle = Vehicle(line, 1, station_id="43415231", search_s=0.0, attempts=1)
        charger = Charger(line, 2, any_station_id=False)
        line.start(charger.serve())
        await asyncio.sleep(READY_S)
        with pytest.raises(SlacError):
            await vehicle.matcher.match()
        assert "PEV_ID or EVSE_ID is not zero (slac.any_station_id)" in charger.remarks
        requests = [message for _, message in vehicle.sent if isinstance(message, SlacMatchReq)]
        assert requests[0].pev_id == b"CAR1".ljust(17, b"\0")

    play(scene)


# -------------------------------------------------------------------------------------------------- validation


def validations(vehicle: Vehicle) -> list[tuple[int, int]]:
    return [(m.result, m.toggles) for _, m in vehicle.received if isinstance(m, ValidateCnf)]


@pytest.mark.parametrize("wish", ["always", "unsure"])
def test_validation_by_toggles(wish: str) -> None:
    async def scene(line: Line) -> None:
        vehicle, charger = Vehicle(line, 1, validate=wish), Charger(line, 2, validation="count")
        line.attenuate(vehicle, charger, 15.0)
        await meet(line, vehicle, charger)
        toggled = charger.pilot.toggles
        assert 1 <= toggled <= 3 and validations(vehicle) == [(1, 0), (2, toggled)]
        assert "it counted our toggles" in vehicle.decisions[0].why
        first, second = (message for _, message in vehicle.sent if isinstance(message, ValidateReq))
        assert first.timer == 0 and 0.6 <= (second.timer + 1) / 10 <= 3.5

    play(scene)


def test_a_sure_charger_needs_no_validation() -> None:
    async def scene(line: Line) -> None:
        vehicle, charger = Vehicle(line, 1, validate="unsure"), Charger(line, 2, validation="count")
        line.attenuate(vehicle, charger, 6.0)
        await meet(line, vehicle, charger)
        assert not validations(vehicle)

    play(scene)


def test_a_charger_that_counts_other_toggles_is_passed_over() -> None:
    """The nearest by attenuation is the neighbour's: the pilot tells the truth."""

    async def scene(line: Line) -> None:
        vehicle = Vehicle(line, 1, validate="always")
        wrong, right = Charger(line, 2, validation="count"), Charger(line, 3, validation="count")
        line.attenuate(vehicle, wrong, 8.0)
        line.attenuate(vehicle, right, 12.0)
        line.start(wrong.serve())
        matched, _ = await meet(line, vehicle, right)
        assert matched.peer == right.link.address
        assert "it counted other toggles than ours" in vehicle.remarks
        assert [(result, toggles) for result, toggles in validations(vehicle)][1] == (2, 0)

    play(scene)


def test_two_stations_to_the_letter_match() -> None:
    async def scene(line: Line) -> None:
        letter = {name: standard for name, (standard, _) in DEVIATIONS.items()}
        vehicle, charger = Vehicle(line, 1, **letter), Charger(line, 2, **letter)
        line.attenuate(vehicle, charger, 15.0)
        await meet(line, vehicle, charger)
        assert validations(vehicle) == [(4, 0)] and "it needs no validation" in vehicle.decisions[0].why

    play(scene)


def test_a_charger_that_refuses_validation_is_out() -> None:
    async def scene(line: Line) -> None:
        vehicle, charger = (
            Vehicle(line, 1, validate="always", search_s=0.0, attempts=1),
            Charger(line, 2, validation="refuse"),
        )
        plug(vehicle, charger)
        line.start(charger.serve())
        await asyncio.sleep(READY_S)
        with pytest.raises(SlacError, match="awaited CM_VALIDATE.CNF"):
            await vehicle.matcher.match()
        assert "it refuses validation" in vehicle.remarks and validations(vehicle) == [(3, 0)]

    play(scene)


def test_a_charger_without_validation_says_so_or_nothing() -> None:
    async def scene(line: Line) -> None:
        vehicle, charger = Vehicle(line, 1, validate="always"), Charger(line, 2)
        silent = Scripted(line, 3)
        silent.groups = b"\2" * 58
        matched, _ = await meet(line, vehicle, charger)
        assert matched.peer == charger.link.address
        assert "it does not answer CM_VALIDATE.REQ" in vehicle.remarks and validations(vehicle) == [(4, 0)]

    play(scene)


def test_one_validation_at_a_time() -> None:
    async def scene(line: Line) -> None:
        charger = Charger(line, 2, validation="count")
        first, second = (
            Vehicle(line, 1, validate="always"),
            Vehicle(line, 4, validate="always", search_s=0.0, attempts=1),
        )
        plug(first, charger)
        other = Charger(line, 5)
        second.pilot = other.pilot
        serving = line.start(charger.serve())
        await asyncio.sleep(READY_S)
        results = await asyncio.gather(first.matcher.match(), second.matcher.match(), return_exceptions=True)
        assert isinstance(results[0], Matched) and isinstance(results[1], SlacError)
        assert (0, 0) in validations(second)
        await serving

    play(scene)


# ------------------------------------------------------------------------------------------ amplitude map, ids, link


def test_amplitude_maps_go_both_ways() -> None:
    async def scene(line: Line) -> None:
        wanted = tuple(number % 16 for number in range(917))
        vehicle, charger = Vehicle(line, 1, amp_map=wanted), Charger(line, 2)
        plug(vehicle, charger)
        serving = line.start(charger.serve())

        async def attend() -> None:
            await charger.matcher.attend(await serving)

        line.start(attend())
        await asyncio.sleep(READY_S)
        ours = await vehicle.matcher.match()
        assert [m.result for _, m in vehicle.received if isinstance(m, AmpMapCnf)] == [0]
        assert "asks for an amplitude map of 917 carriers" in charger.remarks
        line.start(vehicle.matcher.attend(ours))
        await asyncio.sleep(0.1)
        charger.homeplug.send(AmpMapReq(carriers=2000, rest=b""), vehicle.link.address)
        charger.homeplug.send(AmpMapReq(carriers=3, rest=b"\x21\x03"), vehicle.link.address)
        await asyncio.sleep(0.1)
        assert "2000 carriers do not fit" in vehicle.remarks and "map of 3 carriers" in vehicle.remarks
        assert len(charger.times(AmpMapCnf, received=True)) == 1

    play(scene)


def test_an_amplitude_map_not_answered_is_no_failure() -> None:
    async def scene(line: Line) -> None:
        vehicle = Vehicle(line, 1, amp_map=(1, 2, 3))
        scripted = Scripted(line, 2)
        assert (await vehicle.matcher.match()).peer == scripted.link.address
        assert "no CM_AMP_MAP.CNF" in vehicle.remarks and len(vehicle.times(AmpMapReq)) == 3

    play(scene)


@pytest.mark.parametrize("late", [False, True], ids=["no link", "link in the meantime"])
def test_a_vehicle_that_could_not_join_begins_anew(late: bool) -> None:
    """The charger still waits for the link, or has it by now: it answers, and gives the same key again."""

    async def scene(line: Line) -> None:
        vehicle, charger = Vehicle(line, 1, join_s=2.0), Charger(line, 2)
        other = Vehicle(line, 4, search_s=0.0, attempts=1)
        vehicle.emulated.joins = False
        plug(vehicle, charger)

        async def serve() -> None:
            await charger.matcher.attend(await charger.serve())

        line.start(serve())
        await asyncio.sleep(READY_S)
        matching = line.start(vehicle.matcher.match())
        await asyncio.sleep(2.0)
        with pytest.raises(SlacError, match="CM_SLAC_PARAM.CNF"):
            await other.matcher.match()
        assert "matched with 02:00:00:00:00:01" in charger.remarks
        awaited = SlacParamReq if late else SlacMatchReq
        while len(vehicle.times(awaited)) < 2:  # noqa: ASYNC110  # looked at from outside
            await asyncio.sleep(0.001)
        vehicle.emulated.joins = True
        ours = await matching
        keys = [message for _, message in vehicle.received if isinstance(message, SlacMatchCnf)]
        assert len({key.run_id for key in keys}) == 2 and {key.nmk for key in keys} == {ours.nmk}
        assert charger.emulated.linked

    play(scene)


@pytest.mark.parametrize(
    "timing", [REAL, ModemTiming(apply=6.0, restart=4.0, join=2.0), FAST], ids=["real", "late", "fast"]
)
def test_a_modem_that_restarts_late(timing: ModemTiming) -> None:
    async def scene(line: Line) -> None:
        vehicle, charger = Vehicle(line, 1), Charger(line, 2)
        plug(vehicle, charger)
        serving = line.start(charger.serve())
        await asyncio.sleep(12.0)
        began = now()
        await vehicle.matcher.match()
        await serving
        assert timing.apply + timing.restart + timing.join <= now() - began <= 14.0

    play(scene, timing)


def test_a_modem_that_refuses_the_key_is_restarted_once() -> None:
    async def scene(line: Line) -> None:
        vehicle, charger = Vehicle(line, 1), Charger(line, 2)
        vehicle.emulated.refuse_key = True
        plug(vehicle, charger)
        line.start(charger.serve())
        await asyncio.sleep(READY_S)
        matching = line.start(vehicle.matcher.match())
        await asyncio.sleep(1.5)
        vehicle.emulated.refuse_key = False
        await matching
        assert "restarting the modem" in vehicle.remarks

    play(scene, REAL)


def test_a_modem_that_keeps_refusing_is_told_with_the_cause() -> None:
    async def scene(line: Line) -> None:
        vehicle, charger = Vehicle(line, 1), Charger(line, 2)
        vehicle.emulated.refuse_key = True
        line.start(charger.serve())
        await asyncio.sleep(READY_S)
        with pytest.raises(ModemError, match=r"\(1\) the modem refused the key.*Next: pyplc modem reset"):
            await vehicle.matcher.match()

    play(scene)


def test_a_modem_that_vanishes_is_told() -> None:
    async def scene(line: Line) -> None:
        vehicle, charger = Vehicle(line, 1, search_s=0.0, attempts=1), Charger(line, 2)
        plug(vehicle, charger)
        line.start(charger.serve())
        await asyncio.sleep(READY_S)
        matching = line.start(vehicle.matcher.match())
        while not vehicle.times(SetKeyReq):  # noqa: ASYNC110  # looked at from outside
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.01)
        vehicle.emulated.silent = True
        with pytest.raises(SlacError) as caught:
            await matching
        assert "the modem answers but has not taken the key within 14 s (TT_match_join)" in str(caught.value)
        assert "(1) the modem did not come back with the new key" in str(caught.value)

    play(scene, REAL)


def test_a_charger_tells_why_no_link_came() -> None:
    async def scene(line: Line) -> None:
        vehicle, charger = Vehicle(line, 1, search_s=0.0, attempts=1), Charger(line, 2)
        vehicle.emulated.joins = False
        serving = line.start(charger.serve())
        await asyncio.sleep(READY_S)
        with pytest.raises(SlacError, match=r"\(1\) the key is in the modem, but the other modem did not join"):
            await vehicle.matcher.match()
        with pytest.raises(ModemError, match=r"matched with 02:00:00:00:00:01.*\(1\) the key is in the modem"):
            await serving

    play(scene)


@pytest.mark.parametrize(
    ("how", "word", "least"),
    [("joins", "has had no link for 3 s", 3.0), ("silent", "has not answered for 5 s", 5.0)],
)
def test_a_lost_link_ends_the_session(how: str, word: str, least: float) -> None:
    async def scene(line: Line) -> None:
        vehicle, charger = Vehicle(line, 1), Charger(line, 2)
        ours, theirs = await meet(line, vehicle, charger)
        charging = [line.start(vehicle.matcher.attend(ours)), line.start(charger.matcher.attend(theirs))]
        await asyncio.sleep(10.0)
        assert not any(task.done() for task in charging)
        for station in (vehicle, charger):
            setattr(station.emulated, how, how == "silent")
        began = now()
        for task in charging:
            with pytest.raises(LinkLost, match=word):
                await task
        assert least <= now() - began <= least + 1.0

    play(scene)


def test_a_modem_that_knows_no_link_state_is_not_believed() -> None:
    async def scene(line: Line) -> None:
        vehicle, charger = Vehicle(line, 1), Charger(line, 2)
        ours, _ = await meet(line, vehicle, charger)
        vehicle.emulated.silent = True
        attending = line.start(vehicle.matcher.attend(ours))
        await asyncio.sleep(30.0)
        assert not attending.done()

    play(scene)


def test_a_watch_may_be_switched_off() -> None:
    async def scene(line: Line) -> None:
        vehicle, charger = Vehicle(line, 1, link_watch=False), Charger(line, 2)
        ours, _ = await meet(line, vehicle, charger)
        attending = line.start(vehicle.matcher.attend(ours))
        await asyncio.sleep(2.0)
        charger.emulated.joins = False
        await asyncio.sleep(10.0)
        assert not attending.done()

    play(scene)


def test_leaving_that_takes_too_long_is_remarked() -> None:
    async def scene(line: Line) -> None:
        vehicle = Vehicle(line, 1)
        vehicle.emulated.silent = True
        await vehicle.matcher.leave()
        assert "leaving the network took 1.5 s, at most 1 s (TP_match_leave)" in vehicle.remarks

    play(scene)
