"""Matching of both sides through emulated modems: given this on the line, that must come out."""

from __future__ import annotations

import asyncio

import pytest
from playground import READY_S, Charger, Line, Vehicle, meet, now, play

from pyplc.slac.emulated import REAL
from pyplc.slac.ev import SlacError
from pyplc.slac.keys import nid_of
from pyplc.slac.messages import (
    AttenCharInd,
    AttenCharRsp,
    MnbcSoundInd,
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


def test_a_vehicle_and_a_charger_match() -> None:
    async def scene(line: Line) -> None:
        vehicle, charger = Vehicle(line, 1), Charger(line, 2)
        ours, theirs = await meet(line, vehicle, charger)
        assert ours.peer == charger.link.address and theirs.peer == vehicle.link.address
        assert (ours.nid, ours.nmk, ours.run_id) == (theirs.nid, theirs.nmk, theirs.run_id)
        assert ours.nid == nid_of(ours.nmk)
        assert vehicle.emulated.linked and charger.emulated.linked
        assert vehicle.checkpoints == [100, 102, 103, 104, 140, 130, 150, 160, 170, 180, 190]
        assert charger.checkpoints == [1, 101, 110, 120, 155, 190]

    play(scene)


def test_the_sequence_keeps_the_standards_times() -> None:
    async def scene(line: Line) -> None:
        vehicle, charger = Vehicle(line, 1), Charger(line, 2)
        await meet(line, vehicle, charger)
        starts, sounds = vehicle.times(StartAttenCharInd), vehicle.times(MnbcSoundInd)
        assert (len(starts), len(sounds)) == (3, 10)
        batch = starts + sounds
        assert all(0.02 <= b - a <= 0.05 for a, b in zip(batch, batch[1:], strict=False))
        assert starts[0] - vehicle.times(SlacParamCnf, received=True)[0] <= 0.1
        assert vehicle.times(SlacMatchReq)[0] - starts[0] >= 1.2
        assert charger.times(AttenCharInd)[0] - charger.times(MnbcSoundInd, received=True)[-1] <= 0.1
        assert charger.times(SlacParamCnf)[0] - charger.times(SlacParamReq, received=True)[0] <= 0.1

    play(scene)


def test_with_a_modem_that_restarts_as_a_real_one() -> None:
    async def scene(line: Line) -> float:
        vehicle, charger = Vehicle(line, 1), Charger(line, 2)
        serving = line.start(charger.serve())
        await asyncio.sleep(READY_S)
        started = now()
        await vehicle.matcher.match()
        await serving
        return now() - started

    assert 8.0 < play(scene, REAL) < 12.0


def test_lost_sounds_are_missing_in_the_report_only() -> None:
    async def scene(line: Line) -> None:
        vehicle, charger = Vehicle(line, 1), Charger(line, 2)
        line.lose(MnbcSoundInd, times=3)
        await meet(line, vehicle, charger)
        reports = [message for _, message in charger.sent if isinstance(message, AttenCharInd)]
        assert [report.sounds for report in reports] == [7]

    play(scene)


def test_the_window_ends_when_the_last_sound_is_lost() -> None:
    async def scene(line: Line) -> None:
        vehicle, charger = Vehicle(line, 1), Charger(line, 2)
        line.lose(MnbcSoundInd, lambda sound: sound.count == 0)
        await meet(line, vehicle, charger)
        waited = charger.times(AttenCharInd)[0] - charger.times(StartAttenCharInd, received=True)[0]
        assert 0.6 <= waited <= 0.7

    play(scene)


def test_the_same_request_again_does_not_disturb_the_run() -> None:
    async def scene(line: Line) -> None:
        vehicle, charger = Vehicle(line, 1, run_id="5445534c41204556"), Charger(line, 2)
        serving = line.start(charger.serve())
        await asyncio.sleep(READY_S)
        matching = line.start(vehicle.matcher.match())
        await asyncio.sleep(0.01)
        vehicle.homeplug.send(SlacParamReq(run_id=b"TESLA EV"), BROADCAST)
        await matching
        await serving
        assert len(charger.times(SlacParamCnf)) == 2

    play(scene)


def test_a_run_may_be_begun_again_with_the_same_run_id() -> None:
    """Cars with a constant run id try again with it after a failure."""

    async def scene(line: Line) -> None:
        vehicle, charger = Vehicle(line, 1, run_id="5445534c41204556"), Charger(line, 2)
        line.lose(SlacMatchReq, times=3)
        await meet(line, vehicle, charger)
        assert "CM_SLAC_MATCH.REQ" in vehicle.remarks

    play(scene)


@pytest.mark.parametrize("kind", [SlacParamReq, SlacParamCnf, AttenCharInd, AttenCharRsp, SlacMatchReq, SlacMatchCnf])
def test_a_lost_message_is_repeated(kind: type) -> None:
    async def scene(line: Line) -> None:
        vehicle, charger = Vehicle(line, 1), Charger(line, 2)
        line.lose(kind)
        await meet(line, vehicle, charger)
        assert "SLAC attempt" not in vehicle.remarks

    play(scene)


def test_everything_twice_changes_nothing() -> None:
    async def scene(line: Line) -> None:
        vehicle, charger = Vehicle(line, 1), Charger(line, 2)
        await meet(line, vehicle, charger)
        report = next(message for _, message in charger.sent if isinstance(message, AttenCharInd))
        assert report.sounds == 10

    play(scene, duplicate=1.0)


def test_the_nearest_of_two_chargers_wins() -> None:
    async def scene(line: Line) -> None:
        vehicle, far, near = Vehicle(line, 1), Charger(line, 2), Charger(line, 3)
        line.attenuate(vehicle, far, 32.0)
        line.attenuate(vehicle, near, 9.0)
        line.start(far.serve())
        matched, _ = await meet(line, vehicle, near)
        assert matched.peer == near.link.address
        assert matched.attenuation == pytest.approx(9.0, abs=0.5)
        assert vehicle.decisions[0].values.keys() == {"02:00:00:00:00:02", "02:00:00:00:00:03"}
        assert 155 not in far.checkpoints

    play(scene)


def test_a_neighbours_modem_that_tells_the_line_is_not_believed() -> None:
    async def scene(line: Line) -> None:
        vehicle, far, near = Vehicle(line, 1), Charger(line, 2), Charger(line, 3)
        far.emulated.leak = True
        near.emulated.profiles = False
        line.attenuate(vehicle, far, 60.0)
        matched, _ = await meet(line, vehicle, near)
        assert matched.attenuation < 10.0

    play(scene)


def test_a_modem_without_profiles_gets_an_invented_one() -> None:
    async def scene(line: Line) -> None:
        vehicle, charger = Vehicle(line, 1), Charger(line, 2)
        charger.emulated.profiles = False
        matched, _ = await meet(line, vehicle, charger)
        assert 1.0 < matched.attenuation < 10.0

    play(scene)


def test_a_silent_charger_is_told_in_one_sentence() -> None:
    async def scene(line: Line) -> None:
        vehicle, charger = Vehicle(line, 1, search_s=5.0), Charger(line, 2)
        charger.plugged = False
        line.start(charger.serve())
        with pytest.raises(SlacError) as caught:
            await vehicle.matcher.match()
        for word in ("CM_SLAC_PARAM.REQ", "CM_SLAC_PARAM.CNF", "nothing", "0.6 s", "TT_match_response", "5 s"):
            assert word in str(caught.value)
        runs = {message.run_id for _, message in vehicle.sent if isinstance(message, SlacParamReq)}
        assert len(runs) == len(vehicle.times(SlacParamReq)) / 3 == 6
        assert "nothing is plugged in here" in charger.remarks

    play(scene)


def test_a_charger_plugged_in_late_is_found() -> None:
    async def scene(line: Line) -> None:
        vehicle, charger = Vehicle(line, 1), Charger(line, 2)
        charger.plugged = False
        serving = line.start(charger.serve())
        matching = line.start(vehicle.matcher.match())
        await asyncio.sleep(29.0)
        charger.plugged = True
        await matching
        await serving

    play(scene)


def test_a_modem_that_refuses_the_key_ends_matching() -> None:
    async def scene(line: Line) -> None:
        vehicle, charger = Vehicle(line, 1), Charger(line, 2)
        vehicle.emulated.refuse_key = True
        line.start(charger.serve())
        await asyncio.sleep(READY_S)
        with pytest.raises(ModemError, match="refused the key: CM_SET_KEY.CNF with result 0"):
            await vehicle.matcher.match()

    play(scene)


def test_no_link_after_the_match_is_told() -> None:
    async def scene(line: Line) -> None:
        vehicle, charger = Vehicle(line, 1, search_s=1.0), Charger(line, 2)
        charger.emulated.joins = False
        serving = line.start(charger.serve())
        await asyncio.sleep(READY_S)
        with pytest.raises(SlacError, match=r"sees no other modem within 14 s \(TT_match_join\)"):
            await vehicle.matcher.match()
        with pytest.raises(ModemError, match="sees no other modem within 14 s"):
            await serving

    play(scene)


def test_a_foreign_confirmation_is_ignored() -> None:
    """A neighbour's CM_SLAC_MATCH.CNF must neither match nor set a key."""

    async def scene(line: Line) -> None:
        vehicle, charger, stranger = Vehicle(line, 1), Charger(line, 2), Charger(line, 3)
        stranger.plugged = False

        async def shout() -> None:
            while True:
                me, you = stranger.link.address, vehicle.link.address
                runs = [message.run_id for _, message in vehicle.sent if isinstance(message, SlacParamReq)]
                for run_id in (bytes(8), *runs[-1:]):
                    foreign = SlacMatchCnf(pev_mac=you, evse_mac=me, run_id=run_id, nid=bytes(7), nmk=bytes(16))
                    stranger.homeplug.send(foreign, you)
                await asyncio.sleep(0.005)

        line.start(shout())
        matched, _ = await meet(line, vehicle, charger)
        assert matched.peer == charger.link.address and matched.nmk != bytes(16)

    play(scene)


def test_a_report_for_another_vehicle_is_not_answered() -> None:
    async def scene(line: Line) -> None:
        vehicle, charger = Vehicle(line, 1), Charger(line, 2)

        async def shout() -> None:
            while True:
                other = AttenCharInd(source_address=bytes(6), run_id=bytes(8), sounds=10, groups=b"\1" * 58)
                charger.homeplug.send(other, vehicle.link.address)
                await asyncio.sleep(0.05)

        line.start(shout())
        await meet(line, vehicle, charger)
        assert len(vehicle.times(AttenCharRsp)) == 1
        assert "another vehicle's run" in vehicle.remarks

    play(scene)


def test_a_second_vehicle_is_not_matched_too() -> None:
    async def scene(line: Line) -> None:
        first, second, charger = Vehicle(line, 1), Vehicle(line, 4, search_s=2.0), Charger(line, 2)
        serving = line.start(charger.serve())
        await asyncio.sleep(READY_S)
        results = await asyncio.gather(first.matcher.match(), second.matcher.match(), return_exceptions=True)
        assert sorted(type(result).__name__ for result in results) == ["Matched", "SlacError"]
        await serving

    play(scene)


def test_validation_is_not_required() -> None:
    async def scene(line: Line) -> None:
        vehicle, charger = Vehicle(line, 1), Charger(line, 2)
        serving = line.start(charger.serve())
        await asyncio.sleep(READY_S)
        matching = line.start(vehicle.matcher.match())
        await asyncio.sleep(0.6)
        vehicle.homeplug.send(ValidateReq(), charger.link.address)
        await matching
        await serving
        answers = [message for _, message in vehicle.received if isinstance(message, ValidateCnf)]
        assert [answer.result for answer in answers] == [4]

    play(scene)


def test_a_match_request_again_gets_the_same_key_again() -> None:
    async def scene(line: Line) -> None:
        vehicle, charger = Vehicle(line, 1), Charger(line, 2)
        ours, theirs = await meet(line, vehicle, charger)
        line.start(charger.matcher.attend(theirs))
        await asyncio.sleep(1.0)
        me, you = vehicle.link.address, charger.link.address
        vehicle.homeplug.send(SlacMatchReq(pev_mac=me, evse_mac=you, run_id=ours.run_id), you)
        await asyncio.sleep(0.1)
        answers = [message for _, message in vehicle.received if isinstance(message, SlacMatchCnf)]
        assert len(answers) == 2 and answers[0] == answers[1]

    play(scene)


def test_leaving_ends_the_link() -> None:
    async def scene(line: Line) -> None:
        vehicle, charger = Vehicle(line, 1), Charger(line, 2)
        await meet(line, vehicle, charger)
        await vehicle.matcher.leave()
        await asyncio.sleep(1.0)
        assert not charger.emulated.linked

    play(scene)


@pytest.mark.parametrize("seed", range(5))
def test_a_bad_line_is_got_through(seed: int) -> None:
    import random

    async def scene(line: Line) -> None:
        vehicle, charger = Vehicle(line, 1), Charger(line, 2)
        await meet(line, vehicle, charger)

    play(scene, loss=0.15, duplicate=0.1, rng=random.Random(seed))
