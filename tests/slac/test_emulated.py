"""The emulated modem: what it answers, what it lets through, and when."""

from __future__ import annotations

import asyncio

from playground import Charger, Line, Station, Vehicle, play

from pyplc.link.ethernet import BROADCAST, link_local_of, udp_frame
from pyplc.record import Dropped
from pyplc.slac.keys import nid_of
from pyplc.slac.messages import GetKeyCnf, GetKeyReq, SetKeyCnf, SetKeyReq, SlacParamReq
from pyplc.slac.mme import LOCAL_MODEM
from pyplc.slac.vendor import NwInfoCnf, NwInfoReq, OpAttributesCnf, OpAttributesReq, SwVerCnf, SwVerReq

KEY = bytes(range(16))


def datagram(source: Station, to: Station) -> bytes:
    addresses = link_local_of(source.link.address), link_local_of(to.link.address)
    return udp_frame((source.link.address, to.link.address), addresses, (1, 2), b"hello")


async def join(*stations: Station) -> None:
    for station in stations:
        await station.modem.set_key(KEY)
    for station in stations:
        await station.modem.wait_link(5.0)
    await asyncio.sleep(0.1)  # late answers of remote modems


def test_other_traffic_passes_only_between_members() -> None:
    async def scene(line: Line) -> None:
        vehicle, charger = Vehicle(line, 1), Charger(line, 2)
        seen: list[bytes] = []
        charger.link.tap = lambda direction, frame: seen.append(frame) if direction == "rx" else None
        vehicle.link.send(datagram(vehicle, charger))
        await asyncio.sleep(0.1)
        assert not seen
        charger.link.tap = charger._tap
        await join(vehicle, charger)
        charger.link.tap = lambda direction, frame: seen.append(frame) if direction == "rx" else None
        vehicle.link.tap = None
        vehicle.link.send(datagram(vehicle, charger))
        await asyncio.sleep(0.1)
        assert seen == [datagram(vehicle, charger)]

    play(scene)


def test_the_same_key_under_another_network_id_is_another_network() -> None:
    async def scene(line: Line) -> None:
        vehicle, charger = Vehicle(line, 1), Charger(line, 2)
        await vehicle.modem.set_key(KEY, bytes(7))
        await charger.modem.set_key(KEY, bytes([1] * 7))
        await asyncio.sleep(1.0)
        assert not vehicle.emulated.linked

    play(scene)


def test_slac_passes_between_strangers_but_not_through_a_deaf_modem() -> None:
    async def scene(line: Line) -> None:
        vehicle, charger = Vehicle(line, 1), Charger(line, 2)
        vehicle.homeplug.send(SlacParamReq(run_id=bytes(8)), BROADCAST)
        await asyncio.sleep(0.1)
        charger.emulated.awake = False
        vehicle.homeplug.send(SlacParamReq(run_id=bytes(8)), BROADCAST)
        await asyncio.sleep(0.1)
        assert len(charger.times(SlacParamReq, received=True)) == 1

    play(scene)


def test_a_foreign_hosts_unicast_is_not_handed_up_but_for_slac() -> None:
    """As recorded beside a car: the modem of a third host hands up the chargers' SLAC messages to the car."""

    async def scene(line: Line) -> None:
        vehicle, charger, third = Vehicle(line, 1), Charger(line, 2), Charger(line, 3)
        third.homeplug.send(NwInfoReq(), LOCAL_MODEM)
        vehicle.homeplug.send(SlacParamReq(run_id=bytes(8)), charger.link.address)
        await asyncio.sleep(0.1)
        assert charger.times(SlacParamReq, received=True) and third.times(SlacParamReq, received=True)
        await join(vehicle, charger, third)
        seen: dict[Station, list[bytes]] = {charger: [], third: []}
        for station, frames in seen.items():
            station.link.tap = lambda way, frame, kept=frames: kept.append(frame) if way == "rx" else None
        vehicle.link.tap = None
        vehicle.link.send(datagram(vehicle, charger))
        await asyncio.sleep(0.1)
        assert seen == {charger: [datagram(vehicle, charger)], third: []}

    play(scene)


def test_a_frame_for_another_host_is_not_ours() -> None:
    async def scene(line: Line) -> None:
        vehicle, charger, third = Vehicle(line, 1), Charger(line, 2), Charger(line, 3)
        heard: list[type] = []
        with third.homeplug.listening(lambda message, source: heard.append(type(message))):
            for destination in (charger.link.address, third.link.address, BROADCAST):
                vehicle.homeplug.send(SlacParamReq(run_id=bytes(8)), destination)
            await asyncio.sleep(0.1)
        assert heard == [SlacParamReq, SlacParamReq]

    play(scene)


def test_a_remote_modem_answers_everyone_only_when_linked() -> None:
    async def scene(line: Line) -> None:
        vehicle, charger = Vehicle(line, 1), Charger(line, 2)
        vehicle.homeplug.send(SwVerReq(), BROADCAST)
        await asyncio.sleep(0.1)
        assert len(vehicle.times(SwVerCnf, received=True)) == 1
        await join(vehicle, charger)
        vehicle.received.clear()
        vehicle.homeplug.send(SwVerReq(), BROADCAST)
        vehicle.homeplug.send(GetKeyReq(nid=nid_of(KEY)), BROADCAST)
        vehicle.homeplug.send(SetKeyReq(nid=nid_of(KEY), nmk=KEY), BROADCAST)
        await asyncio.sleep(0.1)
        assert len(vehicle.times(SwVerCnf, received=True)) == 2
        keys = [message for _, message in vehicle.received if isinstance(message, GetKeyCnf)]
        assert [(key.result, key.nid, key.nmk) for key in keys] == [
            (0, nid_of(KEY), KEY),
            (1, nid_of(KEY), bytes(16)),
        ]
        results = [message.result for _, message in vehicle.received if isinstance(message, SetKeyCnf)]
        assert results == [1, 0]

    play(scene)


def test_what_it_tells_about_itself() -> None:
    async def scene(line: Line) -> None:
        vehicle, charger = Vehicle(line, 1), Charger(line, 2)
        vehicle.homeplug.send(NwInfoReq(), LOCAL_MODEM)
        vehicle.homeplug.send(OpAttributesReq(cookie=b"\x45\x23\x01\x00"), LOCAL_MODEM)
        await join(vehicle, charger)
        vehicle.homeplug.send(NwInfoReq(), LOCAL_MODEM)
        await asyncio.sleep(0.1)
        attributes = next(message for _, message in vehicle.received if isinstance(message, OpAttributesCnf))
        assert (attributes.family, attributes.cookie) == ("QCA7420", b"\x45\x23\x01\x00")
        assert len(attributes.frame(bytes(6), bytes(6))) == 1053
        none, one = (message.networks() for _, message in vehicle.received if isinstance(message, NwInfoCnf))
        assert not none and one[0].stations[0].host == charger.link.address

    play(scene)


def test_a_reset_is_a_pause_with_the_same_key() -> None:
    async def scene(line: Line) -> None:
        vehicle, charger = Vehicle(line, 1), Charger(line, 2)
        await join(vehicle, charger)
        await vehicle.modem.reset()
        await asyncio.sleep(0.01)
        assert not vehicle.emulated.linked
        await vehicle.modem.wait_link(5.0)

    play(scene)


def test_frames_that_cannot_be_read_are_counted_and_recorded() -> None:
    async def scene(line: Line) -> None:
        vehicle = Vehicle(line, 1)
        modem = vehicle.link.other
        assert modem is not None
        vehicle.link.tap = None
        modem.send(BROADCAST + bytes(6) + b"\x88\xe1\x01\x64\x60\0\0")
        for _ in range(2):
            modem.send(BROADCAST + bytes(6) + b"\x88\xe1\x01\x48\x60\0\0".ljust(48, b"\0"))
        await asyncio.sleep(0.1)
        assert (vehicle.homeplug.malformed, vehicle.homeplug.unknown) == (1, 2)
        reasons = [record.reason for record in vehicle.records if isinstance(record, Dropped)]
        assert len(reasons) == 2 and "end inside" in reasons[0] and "0x6048" in reasons[1]

    play(scene)
