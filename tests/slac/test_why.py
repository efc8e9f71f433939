"""Why it failed, played to the end: each likely cause on a line with emulated modems, and what the paragraph says."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from playground import READY_S, Charger, Line, Scripted, Station, Vehicle, now, play, plug

from pyplc.slac import pib_fields as fields
from pyplc.slac import postmortem
from pyplc.slac.catalogue import read
from pyplc.slac.emulated import EmulatedModem
from pyplc.slac.ev import SlacError
from pyplc.slac.failure import Cause, explain
from pyplc.slac.messages import SlacMatchCnf, SlacParamCnf, SlacParamReq
from pyplc.slac.mme import BROADCAST, ETHERTYPE, LOCAL_MODEM, parse
from pyplc.slac.modem import ModemError
from pyplc.slac.postmortem import events_of, linked, stations, unmatched

PARAGRAPH = re.compile(
    r"sent (?P<sent>nothing|\S+ to \S+ at [\d.]+ s), heard (?P<heard>nothing|\S+ of \S+ at [\d.]+ s), "
    r"and awaited (?P<awaited>.+?) in vain for (?P<seconds>[\d.]+) s \((?P<limit>[^)]+)\)\."
    r"(?P<remark>.*) Likely, in this order: \(1\) (?P<first>.+?)(; \(2\) .*)?\. Next: (?P<command>pyplc .+)$"
)


def set_up(modem: EmulatedModem, role: int) -> None:
    modem.storage.keep((fields.SLAC.offset, bytes((role,))))


def wrong_role(line: Line, vehicle: Vehicle, charger: Charger) -> None:
    set_up(vehicle.emulated, fields.SLAC_EVSE)
    set_up(charger.emulated, fields.SLAC_EVSE)


def no_role(line: Line, vehicle: Vehicle, charger: Charger) -> None:
    """As bought: most chips then carry no SLAC."""
    set_up(vehicle.emulated, fields.SLAC_OFF)
    charger.emulated.awake = False


def no_coordinator(line: Line, vehicle: Vehicle, charger: Charger) -> None:
    set_up(vehicle.emulated, fields.SLAC_PEV)
    charger.emulated.awake = False


def key_refused(line: Line, vehicle: Vehicle, charger: Charger) -> None:
    vehicle.emulated.refuse_key = True


def no_attenuation(line: Line, vehicle: Vehicle, charger: Charger) -> None:
    set_up(vehicle.emulated, fields.SLAC_PEV)
    charger.plugged = False
    Scripted(line, 7).groups = bytes(58)


def neighbour(line: Line, vehicle: Vehicle, charger: Charger) -> None:
    """A charger that answers with a run id of its own, as for another vehicle."""
    set_up(vehicle.emulated, fields.SLAC_PEV)
    charger.plugged = False
    stranger = Station(line, "evse", 7)

    def answer(message: object, source: bytes) -> None:
        if isinstance(message, SlacParamReq):
            stranger.homeplug.send(SlacParamCnf(forwarding_sta=source, run_id=bytes(8)), source)

    stranger.homeplug._handlers.append(answer)


def no_link(line: Line, vehicle: Vehicle, charger: Charger) -> None:
    vehicle.emulated.joins = False


def too_far(line: Line, vehicle: Vehicle, charger: Charger) -> None:
    line.attenuate(vehicle, charger, 60.0)


CAUSES: list[tuple[Callable[[Line, Vehicle, Charger], None], Cause, str, str]] = [
    (wrong_role, Cause.ROLE, "CM_SLAC_PARAM.CNF", "TT_match_response"),
    (no_role, Cause.ROLE, "CM_SLAC_PARAM.CNF", "TT_match_response"),
    (no_coordinator, Cause.NO_CHARGER, "CM_SLAC_PARAM.CNF", "TT_match_response"),
    (key_refused, Cause.KEY_REFUSED, "CM_SET_KEY.CNF with result 1", "C_modem_tries, one restart"),
    (no_attenuation, Cause.NO_ATTENUATION, "a usable attenuation", "slac.worst_attenuation 40 dB"),
    (neighbour, Cause.NEIGHBOUR, "CM_SLAC_PARAM.CNF", "TT_match_response"),
    (no_link, Cause.NO_LINK, "the link", "TT_match_join"),
    (too_far, Cause.WEAK, "a usable attenuation", "slac.worst_attenuation 40 dB"),
]


@pytest.mark.parametrize(
    ("spoil", "cause", "awaited", "limit"), CAUSES, ids=lambda value: getattr(value, "__name__", "")
)
def test_the_cause_that_is_there_is_named_first(
    spoil: Callable[[Line, Vehicle, Charger], None], cause: Cause, awaited: str, limit: str
) -> None:
    async def scene(line: Line) -> str:
        vehicle, charger = Vehicle(line, 1, search_s=0.0, attempts=1), Charger(line, 2)
        plug(vehicle, charger)
        await vehicle.modem.find()
        line.start(charger.serve())
        await asyncio.sleep(READY_S)
        spoil(line, vehicle, charger)
        with pytest.raises((SlacError, ModemError)) as caught:
            await vehicle.matcher.match()
        return str(caught.value)

    told = PARAGRAPH.search(play(scene))
    assert told is not None
    assert (told["awaited"], told["first"]) == (awaited, cause.text) and told["limit"].startswith(limit)
    assert told["sent"] != "nothing" and float(told["seconds"]) > 0
    if cause is Cause.ROLE:
        assert told["remark"] == (
            " The own modem is set up for no role." if spoil is no_role else " The own modem is set up as evse."
        )
        assert told["command"].endswith("pyplc modem pib write ev1 own.pev.pib")
    else:
        assert told["command"] == cause.command("ev1")


def test_a_role_that_was_seen_right_is_not_suspected() -> None:
    async def scene(line: Line) -> str:
        vehicle = Vehicle(line, 1, search_s=0.0, attempts=1)
        set_up(vehicle.emulated, fields.SLAC_PEV)
        await vehicle.modem.find()
        with pytest.raises(SlacError) as caught:
            await vehicle.matcher.match()
        return str(caught.value)

    assert Cause.ROLE.text not in play(scene)


def test_a_charger_with_a_vehicles_modem_is_warned_at_once_and_told_why_later() -> None:
    async def scene(line: Line) -> str:
        charger = Charger(line, 2)
        set_up(charger.emulated, fields.SLAC_PEV)
        await charger.modem.find()
        line.start(charger.serve())
        await asyncio.sleep(1.0)
        assert "the own modem is set up as pev: it hands up no vehicle's frames" in charger.remarks
        await asyncio.sleep(52.0)
        return charger.remarks

    told = PARAGRAPH.search(play(scene).partition("no vehicle asks. We ")[2].partition(" | ")[0])
    assert told is not None and told["first"] == Cause.ROLE.text and told["awaited"] == "CM_SLAC_PARAM.REQ"
    assert told["limit"] == "TT_EVSE_SLAC_init" and "--role evse" in told["command"]


# ------------------------------------------------------------------------------------------------------- captures


def seen(whose: str = "cable", spoil: object = None) -> list[tuple[float, bytes]]:
    """A capture on the vehicle's own cable, or of a listener who hears one half: the vehicle's or the charger's."""

    async def scene(line: Line) -> list[tuple[float, bytes]]:
        vehicle, charger = Vehicle(line, 1, search_s=0.0, attempts=1, join_s=2.0), Charger(line, 2)
        frames: list[tuple[float, bytes]] = []
        plug(vehicle, charger)
        line.start(charger.serve())
        await asyncio.sleep(READY_S)

        def tap(way: str, frame: bytes) -> None:
            if whose == "cable" or (way == "tx" and frame[:6] != LOCAL_MODEM):
                frames.append((now(), frame))

        (charger if whose == "charger" else vehicle).link.tap = tap
        if callable(spoil):
            spoil(line, vehicle, charger)
        await asyncio.gather(vehicle.matcher.match(), return_exceptions=True)
        return frames

    return play(scene)


@pytest.mark.parametrize(
    ("whose", "side", "awaited", "remark"),
    [
        ("cable", "ev", "the link", ""),
        ("vehicle", "ev", "CM_SLAC_MATCH.CNF", " Only the vehicle's half was heard."),
        ("charger", "evse", "the link", " Only the charger's half was heard."),
    ],
)
def test_a_capture_without_a_link_is_told_from_what_was_heard(whose: str, side: str, awaited: str, remark: str) -> None:
    (told,) = unmatched(seen(whose, no_link), "eth1")
    assert (told.side, told.failure.remark, told.failure.awaited) == (side, remark, awaited)
    assert told.failure.command.endswith("eth1") and PARAGRAPH.search(told.failure.text)


def test_a_capture_with_a_link_has_nothing_to_tell() -> None:
    frames = seen()
    vehicle, charger = stations(postmortem.seen(frames))
    assert unmatched(frames)[0].mac == vehicle  # nothing shows that the link came up
    frames.append((99.0, vehicle + charger + b"\x86\xdd" + bytes(46)))
    assert linked(frames, vehicle) and not unmatched(frames)
    frames.append((100.0, SlacParamReq(run_id=bytes(8)).frame(BROADCAST, vehicle)))
    frames.append((101.0, bytes(12) + b"\x86\xdd" + bytes(46)))
    assert not linked(frames[:-3] + frames[-2:], vehicle)


def test_each_vehicle_of_a_capture_is_told_of() -> None:
    one, two = b"\2\0\0\0\0\1", b"\2\0\0\0\0\2"
    frames = [(0.0, SlacParamReq(run_id=mac + b"\0\0").frame(BROADCAST, mac)) for mac in (one, two)]
    assert [(told.mac, told.side) for told in unmatched(frames)] == [(one, "ev"), (two, "ev")]


def test_the_attempt_that_came_furthest_is_told() -> None:
    frames = seen("cable", no_link)
    again = SlacParamReq(run_id=b"another!").frame(BROADCAST, next(iter(stations(postmortem.seen(frames)))))
    passed = postmortem.seen([*frames, (50.0, again), (50.2, again)])
    vehicle = next(iter(stations(passed)))
    assert len(postmortem.attempts(passed, vehicle)) == 2
    assert postmortem.furthest(passed, vehicle, "ev").awaited == "the link"
    alone = postmortem.seen([(50.0, again), (50.2, again)])
    assert postmortem.furthest(alone, vehicle, "ev").short.startswith("sent CM_SLAC_PARAM.REQ to everyone at 0.2 s")


@pytest.mark.parametrize(
    ("capture", "told"),
    [
        ("captures/pyplc/2023-05-03_TaycanLeftside_slacFail.pcapng", "CM_SLAC_PARAM.CNF"),
        ("captures/pyplc/2022-11-25_v0.2_ABB_until_ChargeParamDiscovery.pcapng", None),
        ("captures/pyplc/2022-12-13_compleo_with_bulb.pcapng", None),
        ("captures/pyplc/2023-03-02_SuperCharger_CableCheck_error.pcapng", None),
    ],
)
def test_real_captures(capture: str, told: str | None) -> None:
    found = reference.path(capture)
    frames = [(float(t), bytes(frame)) for t, frame in reference._frames(found)]
    assert [entry.failure.awaited for entry in unmatched(frames)] == ([] if told is None else [told])


@given(st.lists(st.binary(max_size=70), max_size=6), st.booleans())
def test_any_frames_may_be_in_a_capture(tails: list[bytes], homeplug: bool) -> None:
    head = bytes(12) + ETHERTYPE if homeplug else b""
    frames = [(0.0, head + tail) for tail in tails]
    for entry in unmatched(frames):
        assert entry.failure.text
    assert explain(events_of(postmortem.seen(frames), bytes(6)), "ev").text


def test_a_key_is_in_no_paragraph() -> None:
    frames = seen(spoil=no_link)
    keys = [m.nmk.hex() for _, f in frames if isinstance(m := read(parse(f)), SlacMatchCnf)]
    assert keys and not any(key in entry.failure.text for key in keys for entry in unmatched(frames))
