"""The local modem: found, given a key, seen linked; and what is said when not."""

from __future__ import annotations

import asyncio

import pytest
from playground import Charger, Line, Vehicle, now, play

from pyplc.slac.chips import BOOTLOADER, chip_of
from pyplc.slac.emulated import REAL
from pyplc.slac.keys import nid_of
from pyplc.slac.messages import SetKeyCnf
from pyplc.slac.modem import ModemError
from pyplc.slac.vendor import HostActionInd, HostActionRsp

KEY = bytes(range(16))


def test_the_modem_tells_its_firmware() -> None:
    async def scene(line: Line) -> None:
        vehicle = Vehicle(line, 1)
        assert await vehicle.modem.find() == "MAC-QCA7420-1.4.0.20-00-20171027-CS"
        assert vehicle.modem.address == vehicle.emulated.address
        assert now() == pytest.approx(0.0005)

    play(scene)


def test_no_modem_is_told_with_what_to_look_at() -> None:
    async def scene(line: Line) -> None:
        vehicle = Vehicle(line, 1)
        vehicle.emulated.silent = True
        with pytest.raises(ModemError, match=r"no PLC modem answered 3 VS_SW_VER.REQ in 1.5 s; is it powered"):
            await vehicle.modem.find()
        with pytest.raises(ModemError, match=r"did not answer 3 CM_SET_KEY.REQ"):
            await vehicle.modem.set_key(KEY)
        with pytest.raises(ModemError, match=r"did not answer 3 VS_RS_DEV.REQ"):
            await vehicle.modem.reset()
        with pytest.raises(ModemError, match=r"did not answer 3 CM_GET_KEY.REQ"):
            await vehicle.modem.get_key()

    play(scene)


def test_a_key_is_in_force_only_after_the_restart() -> None:
    async def scene(line: Line) -> None:
        vehicle = Vehicle(line, 1)
        old = await vehicle.modem.get_key()
        await vehicle.modem.set_key(KEY)
        await asyncio.sleep(3.0)
        assert await vehicle.modem.get_key() == old
        await asyncio.sleep(1.5)
        assert not vehicle.emulated.awake
        await asyncio.sleep(1.0)
        assert await vehicle.modem.get_key() == (nid_of(KEY), KEY)

    play(scene, REAL)


def test_a_network_id_that_is_not_derived_is_taken_as_it_is() -> None:
    async def scene(line: Line) -> None:
        vehicle, charger = Vehicle(line, 1), Charger(line, 2)
        nid = bytes.fromhex("01020304050607")
        for station in (vehicle, charger):
            await station.modem.set_key(KEY, nid)
        await vehicle.modem.wait_link(5.0)
        assert await vehicle.modem.get_key() == (nid, KEY)

    play(scene)


def test_a_refusal_by_another_modem_is_noise() -> None:
    async def scene(line: Line) -> None:
        vehicle, charger = Vehicle(line, 1), Charger(line, 2)
        await vehicle.modem.find()
        setting = line.start(vehicle.modem.set_key(KEY))
        await asyncio.sleep(0)
        foreign = SetKeyCnf(result=0).frame(vehicle.link.address, charger.emulated.address)
        charger.link.send(foreign)
        await setting

    play(scene)


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (lambda vehicle: setattr(vehicle.emulated, "joins", False), "has the key but sees no other modem within 5 s"),
        (lambda vehicle: setattr(vehicle.emulated, "silent", True), "has not come back after the key was set"),
        (lambda vehicle: vehicle.emulated.take_key(bytes(7), bytes(16)), "has not taken"),
    ],
)
def test_what_is_missing_for_the_link(prepare: object, words: str) -> None:
    async def scene(line: Line) -> None:
        vehicle, charger = Vehicle(line, 1), Charger(line, 2)
        for station in (vehicle, charger):
            await station.modem.set_key(KEY)
        prepare(vehicle)  # type: ignore[operator]
        with pytest.raises(ModemError, match=words):
            await vehicle.modem.wait_link(5.0)

    play(scene)


def test_the_link_of_the_old_network_does_not_count() -> None:
    """The modem says "linked" until it restarts: that is the last charger."""

    async def scene(line: Line) -> None:
        vehicle, charger = Vehicle(line, 1), Charger(line, 2)
        vehicle.emulated.nmk = charger.emulated.nmk
        vehicle.emulated.nid = charger.emulated.nid
        assert vehicle.emulated.linked
        await vehicle.modem.set_key(KEY)
        with pytest.raises(ModemError, match="sees no other modem"):
            await vehicle.modem.wait_link(10.0)

    play(scene, REAL)


def test_a_modem_without_firmware_is_known_by_its_ident() -> None:
    ident = (0x001B587C).to_bytes(4, "little")
    assert chip_of(0x06, ident, BOOTLOADER) == "QCA7005" and chip_of(0x20, bytes(4), "MAC-QCA7420-1-2") == "QCA7420"
    assert chip_of(0x77, bytes(4), "") == "class 0x77, ident 0x00000000"


def test_what_a_modem_wants_of_its_host_is_answered_and_remarked_once() -> None:
    async def scene(line: Line) -> None:
        vehicle = Vehicle(line, 1)
        modem = vehicle.link.other
        assert modem is not None
        for _ in range(3):
            modem.send(HostActionInd(action=0).frame(vehicle.link.address, vehicle.emulated.address))
            await asyncio.sleep(0.1)
        assert len(vehicle.times(HostActionRsp)) == 3
        assert vehicle.remarks.count("its firmware and parameters; it has no flash") == 1

    play(scene)
