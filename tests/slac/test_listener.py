"""Foreign matching, followed from both halves and from each of them, in real captures and in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from playground import Charger, Line, Vehicle, play

from pyplc.link.virtual import VirtualLink, cable
from pyplc.record import Frame, Note, Record, Recorder, Sighting, Summary
from pyplc.slac.catalogue import CATALOGUE, read
from pyplc.slac.keys import nid_of
from pyplc.slac.listener import ADVICE, CHARGERS_HALF, KEPT, VEHICLES_HALF, Follower, Half
from pyplc.slac.messages import SlacParamReq
from pyplc.slac.mme import BROADCAST, ETHERTYPE, parse

CAPTURES = {
    "pyplc/2022-11-25_v0.2_ABB_until_ChargeParamDiscovery.pcapng": ("54:10:ec:a1:f3:e2", 22.1, "d5925cb82e6808"),
    "pyplc/2022-12-13_compleo_with_bulb.pcapng": ("80:1f:12:e8:e6:47", 21.0, "4c53a6137fd300"),
    "pyplc/2022-12-20_alpi_currentDemandSequenceErrorShutdown.pcapng": ("6a:79:9c:3a:13:58", 8.7, "5a97fe49d9ea0b"),
    "pyplc/2023-03-02_SuperCharger_CableCheck_error.pcapng": ("dc:44:27:1f:d9:1b", 17.3, "a0a98997e89d0e"),
    reference.IONIQ: ("52:ad:92:07:32:8b", 19.4, "4ee9194d581702"),
}
"""Capture: charger, its mean attenuation, and the NID, which those chargers derive from their NMK."""


def frames(capture: str) -> Iterator[tuple[float, bytes]]:
    for t, frame in reference._frames(reference.path(f"captures/{capture}")):
        if frame[12:14] == ETHERTYPE:
            yield float(t), bytes(frame)


@pytest.mark.parametrize("capture", CAPTURES)
@pytest.mark.parametrize("half", [Half.BOTH, Half.CHARGER], ids=["both halves", "the chargers' half"])
def test_a_real_matching_is_followed(capture: str, half: Half) -> None:
    follower = Follower()
    seen = [
        sighting
        for t, frame in frames(capture)
        if (half is Half.BOTH or isinstance(read(parse(frame)), CHARGERS_HALF)) and (sighting := follower.see(t, frame))
    ]
    charger, attenuation, nid = CAPTURES[capture]
    found = next(sighting.matching for sighting in seen if sighting.matching.nmk is not None)
    mac = bytes.fromhex(charger.replace(":", ""))
    assert found.chosen == mac and found.attenuation[mac] == pytest.approx(attenuation, abs=0.05)
    assert found.nid == bytes.fromhex(nid) and found.nmk is not None and nid_of(found.nmk) == found.nid
    assert follower.half == half


def test_a_car_that_was_not_matched_shows_no_key() -> None:
    follower = Follower()
    for t, frame in frames("pyplc/2023-05-03_TaycanLeftside_slacFail.pcapng"):
        follower.see(t, frame)
    runs = [found for found in follower.matchings.values() if found.vehicle.hex() == "00188700a1d6"]
    assert len(runs) == 3 and not any(found.nmk for found in runs)


def test_the_vehicles_half_alone_tells_whom_it_chose_but_no_key() -> None:
    follower = Follower()
    for t, frame in frames(reference.IONIQ):
        if isinstance(read(parse(frame)), VEHICLES_HALF):
            follower.see(t, frame)
    (found,) = follower.matchings.values()
    assert found.chosen is not None and found.chosen.hex(":") == "52:ad:92:07:32:8b"
    assert found.nmk is None and not found.attenuation
    assert follower.half is Half.VEHICLE and "neither attenuation nor key" in follower.advice("eth0")


def test_each_half_lists_what_it_cannot_see() -> None:
    assert all(kind.NAME in ADVICE[Half.CHARGER] for kind in VEHICLES_HALF)
    assert all(kind.NAME in ADVICE[Half.VEHICLE] for kind in CHARGERS_HALF)


def test_old_matchings_are_forgotten() -> None:
    follower = Follower()
    for number in range(KEPT + 5):
        run = number.to_bytes(8, "big")
        assert follower.see(0.0, SlacParamReq(run_id=run).frame(BROADCAST, bytes(6)))
        assert not follower.see(0.0, SlacParamReq(run_id=run).frame(BROADCAST, bytes(6)))
    assert len(follower.matchings) == KEPT


@given(st.binary(max_size=150), st.sampled_from(sorted(CATALOGUE)), st.integers(0, 1))
def test_any_frame_may_come(tail: bytes, kind: tuple[int, bytes], version: int) -> None:
    follower = Follower()
    head = bytes(12) + ETHERTYPE + bytes((version,)) + kind[0].to_bytes(2, "little")
    for frame in (tail, head + (bytes(2) if version else b"") + kind[1] + tail):
        follower.see(0.0, frame)


# ------------------------------------------------------------------------------------------------- the whole listener


class Ear:
    """A listener beside the two: what passes on the charger's cable comes out of its own."""

    def __init__(self, line: Line, charger: Charger, half: tuple[type, ...], **options: bool) -> None:
        from pyplc.listening import Listener
        from pyplc.slac.emulated import EmulatedModem

        self.records: list[Record] = []
        near, self._far = cable("ear0", bytes.fromhex("020000000009"), bytes.fromhex("020000000109"))
        self._half = half
        if options.get("join"):
            import random

            self.modem = EmulatedModem(self._far, line.powerline, self._far.address, random.Random(9), line.timing)
            line.start(self.modem.run())
        before = charger.link.tap
        charger.link.tap = lambda direction, frame: (before and before(direction, frame), self._heard(frame))[0]
        self.listener = Listener(near, Recorder(self.records.append), **options)
        self.near: VirtualLink = near

    def _heard(self, frame: bytes) -> None:
        if frame[12:14] == ETHERTYPE and isinstance(read(parse(frame)), self._half):
            self._far.send(frame)

    @property
    def sightings(self) -> list[Sighting]:
        return [record for record in self.records if isinstance(record, Sighting)]

    @property
    def notes(self) -> str:
        return " | ".join(record.text for record in self.records if isinstance(record, Note))


async def matched(line: Line, charger: Charger) -> Vehicle:
    vehicle = Vehicle(line, 1)
    serving = line.start(charger.serve())
    await asyncio.sleep(6.0)
    await vehicle.matcher.match()
    await serving
    return vehicle


@pytest.mark.parametrize(
    ("half", "words", "keys"),
    [
        (CHARGERS_HALF, ["a charger answers", "a charger reports its attenuation", "the charger gives its key"], 1),
        (VEHICLES_HALF, ["a vehicle asks for a charger", "a vehicle sounds", "the vehicle chooses"], 0),
    ],
    ids=["as PEV", "as EVSE"],
)
def test_a_listener_tells_what_its_half_tells(half: tuple[type, ...], words: list[str], keys: int) -> None:
    async def scene(line: Line) -> None:
        charger = Charger(line, 2)
        ear = Ear(line, charger, half)
        listening = line.start(ear.listener.run())
        await matched(line, charger)
        await asyncio.sleep(6.0)
        assert [sighting.what for sighting in ear.sightings] == words
        assert ear.sightings[-1].charger == "02:00:00:00:00:02" and ear.sightings[-1].vehicle == "02:00:00:00:00:01"
        assert bool(ear.sightings[-1].nmk) is bool(keys)
        assert ear.listener.follower.advice("ear0") in ear.notes
        assert ear.listener.stop("enough")
        assert (await listening).reason == f"1 runs heard, {keys} keys"
        assert isinstance(ear.records[-1], Summary) and any(isinstance(record, Frame) for record in ear.records)

    play(scene)


def test_a_listener_joins_with_the_key_it_heard() -> None:
    async def scene(line: Line) -> None:
        charger = Charger(line, 2)
        ear = Ear(line, charger, CHARGERS_HALF, join=True)
        line.start(ear.listener.run())
        vehicle = await matched(line, charger)
        await asyncio.sleep(3.0)
        assert ear.modem.nmk == vehicle.emulated.nmk and len(vehicle.emulated.peers) == 2
        assert "joined the network of 02:00:00:00:00:02" in ear.notes and "do not send to third stations" in ear.notes

    play(scene)


def test_a_listener_without_a_modem_or_a_matching_says_so() -> None:
    async def scene(line: Line) -> None:
        ear = Ear(line, Charger(line, 2), CHARGERS_HALF)
        line.start(ear.listener.run())
        await asyncio.sleep(61.0)
        assert "no PLC modem answered" in ear.notes and "No matching was heard" in ear.notes

    play(scene)
