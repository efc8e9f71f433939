"""Whatever comes over the cable or the line: parsers give a value or MmeError, modems and matchers live on."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st
from playground import READY_S, Charger, Line, Station, Vehicle, play, plug

from pyplc.slac import ampmap, chips, pib, pib_fields, vendor_modules
from pyplc.slac.catalogue import CATALOGUE
from pyplc.slac.messages import AmpMapReq, SlacMatchCnf, SlacParamCnf
from pyplc.slac.mme import BROADCAST, ETHERTYPE, LOCAL_MODEM, MmeError
from pyplc.slac.vendor import NwInfoCnf, OpAttributesCnf, SwVerCnf

RUN = b"run of 8"
KINDS = sorted(CATALOGUE)
MODULE_REQUESTS = (vendor_modules.Read, vendor_modules.Start, vendor_modules.Write, vendor_modules.Close)


def frame(to: bytes, source: bytes, kind: tuple[int, bytes], version: int, tail: bytes) -> bytes:
    head = to + source + ETHERTYPE + bytes((version,)) + kind[0].to_bytes(2, "little")
    return head + (bytes(2) if version else b"") + kind[1] + tail


tails = st.one_of(
    st.binary(max_size=120),
    st.binary(max_size=40).map(lambda tail: bytes(2) + RUN + tail),  # application, security, run id: as SLAC begins
    st.binary(max_size=40).map(lambda tail: bytes(2) + bytes([2, 0, 0, 0, 0, 1]) + RUN + tail),
)
frames = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 2), tails), max_size=25)


@given(st.binary(max_size=90), st.sampled_from(MODULE_REQUESTS))
def test_the_operations_in_a_module_request(data: bytes, kind: type) -> None:
    request = vendor_modules.ModuleOperationReq(operation=0, length=len(data), data=data)
    try:
        found = kind.of(request)
    except MmeError:
        return
    assert isinstance(found, kind)


@given(st.binary(max_size=90), st.binary(max_size=30))
def test_the_operation_in_a_module_answer(data: bytes, block: bytes) -> None:
    written = vendor_modules.Write(1, 0, vendor_modules.PIB_MODULE, 0, block)
    answer = vendor_modules.ModuleOperationCnf(operation=vendor_modules.WRITE, length=len(data), data=data)
    try:
        assert not written.echoed(answer) or len(data) >= vendor_modules.WRITE_HEAD.size
    except MmeError:
        assert len(data) < vendor_modules.WRITE_HEAD.size
    try:
        found = vendor_modules.Read.of(answer)
    except MmeError:
        return
    assert found.data == data[vendor_modules.READ_HEAD.size :][: found.length] and len(found.data) == found.length


@given(st.integers(0, 255), st.binary(max_size=300), st.binary(min_size=4, max_size=4))
def test_what_people_are_shown_of_an_answer(number: int, data: bytes, ident: bytes) -> None:
    version = SwVerCnf(device=number, length=number, text=data[:254].ljust(254, b"\0"), ident=ident, rest=b"")
    assert chips.chip_of(number, ident, version.version) and isinstance(
        chips.trouble_of(version.version), (str, type(None))
    )
    assert isinstance(OpAttributesCnf(cookie=bytes(4), data=data).family, str)
    try:
        assert len(NwInfoCnf(count=number, rest=data).networks()) == number
    except MmeError:
        assert number
    found = ampmap.amplitudes(AmpMapReq(carriers=number * 5, rest=data))
    assert found is None or len(found) == number * 5


@given(st.binary(max_size=1500))
def test_the_head_of_a_pib(head: bytes) -> None:
    found = pib.expected(head)
    assert found is None or found.start > 0


@given(st.sampled_from(pib_fields.FIELDS), st.one_of(st.text(max_size=70), st.integers()))
def test_any_value_for_a_field_fits_or_is_refused(field: pib_fields.Field, given_: str | int) -> None:
    try:
        raw = pib_fields.encode(field, given_)
    except pib.PibError:
        return
    assert len(raw) == field.size and isinstance(field.show(raw), str)


@settings(max_examples=40, deadline=None)
@given(frames, st.booleans())
def test_a_modem_lives_on(found: list[tuple[tuple[int, bytes], int, bytes]], far: bool) -> None:
    """From its own host, and from the host of a member at the far end."""

    async def scene(line: Line) -> None:
        vehicle, charger = Vehicle(line, 1), Charger(line, 2)
        for station in (vehicle, charger):
            await station.modem.set_key(bytes(16))
        await asyncio.sleep(1.0)
        working = [task for task in line._tasks if not task.done()]
        to = charger.emulated.address if far else LOCAL_MODEM
        for kind, version, tail in found:
            for destination in (to, BROADCAST):
                vehicle.link.tap = charger.link.tap = None
                vehicle.link.send(frame(destination, vehicle.link.address, kind, version, tail))
            await asyncio.sleep(0.01)
        await asyncio.sleep(20.0)  # keys, resets and factory defaults among them
        assert not any(task.done() for task in working)
        assert await charger.modem.find() and await vehicle.modem.find()

    play(scene)


@settings(max_examples=40, deadline=None)
@given(frames)
def test_a_matching_lives_on(found: list[tuple[tuple[int, bytes], int, bytes]]) -> None:
    """A stranger on the line talks into the matching, with its run id too; it comes to its end all the same."""
    harmful = (SlacMatchCnf.TYPE, SlacParamCnf.TYPE)

    async def scene(line: Line) -> None:
        vehicle, charger = Vehicle(line, 1, run_id=RUN.hex()), Charger(line, 2)
        stranger = Station(line, "evse", 9)
        plug(vehicle, charger)
        serving = line.start(charger.serve())
        await asyncio.sleep(READY_S)
        for station in (vehicle, charger, stranger):
            station.link.tap = None
        matching = line.start(vehicle.matcher.match())
        for kind, version, tail in found:
            for to in (vehicle.link.address, charger.link.address, BROADCAST):
                if kind[0] not in harmful:  # with the run's id they are what a charger says
                    stranger.link.send(frame(to, stranger.link.address, kind, version, tail))
            await asyncio.sleep(0.06)
        ours = await matching
        assert ours.peer == charger.link.address and (await serving).nmk == ours.nmk

    play(scene)
