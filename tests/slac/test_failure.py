"""Why matching failed, from events as a station has them and from frames as a capture has them."""

from __future__ import annotations

import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st

from pyplc.slac.failure import (
    AWAITED,
    CHOICE,
    KEY,
    LINK,
    Cause,
    Event,
    Heard,
    Sent,
    Side,
    Waited,
    explain,
)
from pyplc.slac.layout import Message
from pyplc.slac.messages import (
    AttenCharInd,
    AttenCharRsp,
    AttenProfileInd,
    GetKeyCnf,
    MnbcSoundInd,
    SetKeyCnf,
    SetKeyReq,
    SlacMatchCnf,
    SlacMatchReq,
    SlacParamCnf,
    SlacParamReq,
    StartAttenCharInd,
    ValidateReq,
)
from pyplc.slac.mme import BROADCAST, ETHERTYPE, LOCAL_MODEM
from pyplc.slac.postmortem import events_of, seen

ME, YOU, MODEM = b"\x02\0\0\0\0\1", b"\x02\0\0\0\0\2", b"\x02\0\0\0\1\1"
RUN, NID, NMK = b"runrunru", b"network", b"k" * 16
REQUEST = SlacParamReq(run_id=RUN)
ANSWER = SlacParamCnf(forwarding_sta=ME, run_id=RUN)
START = StartAttenCharInd(forwarding_sta=ME, run_id=RUN)
SOUND = MnbcSoundInd(count=0, run_id=RUN, random=bytes(16))
REPORT = AttenCharInd(source_address=ME, run_id=RUN, sounds=10, groups=b"\x0c" * 58)
EMPTY = AttenCharInd(source_address=ME, run_id=RUN, sounds=10, groups=bytes(58))
REPLY = AttenCharRsp(source_address=ME, run_id=RUN)
CHOSEN = SlacMatchReq(pev_mac=ME, evse_mac=YOU, run_id=RUN)
CONFIRM = SlacMatchCnf(pev_mac=ME, evse_mac=YOU, run_id=RUN, nid=NID, nmk=NMK)
SET = SetKeyReq(nid=NID, nmk=NMK)


def sent(*messages: Message, to: bytes = BROADCAST) -> list[Event]:
    return [Sent(0.0, message, to) for message in messages]


def heard(*messages: Message, of: bytes = YOU, ours: bool = True) -> list[Event]:
    return [Heard(0.0, message, of, ours) for message in messages]


ASKED = [*sent(REQUEST), *heard(ANSWER)]
SOUNDED = [*ASKED, *sent(START, SOUND)]
REPORTED = [*SOUNDED, *heard(REPORT), *sent(REPLY, to=YOU)]
MATCHED = [*REPORTED, *sent(CHOSEN, to=YOU), *heard(CONFIRM), *sent(SET, to=LOCAL_MODEM)]
TAKEN = [*MATCHED, *heard(SetKeyCnf(result=1), of=MODEM)]
SHOWN = [*TAKEN, *heard(GetKeyCnf(result=1, nid=NID), of=MODEM)]
OLD = [*TAKEN, *heard(GetKeyCnf(result=1, nid=bytes(7)), of=MODEM), *heard(GetKeyCnf(result=1, nid=NID), of=YOU)]


@pytest.mark.parametrize(
    ("events", "awaited", "cause"),
    [
        (sent(REQUEST), "CM_SLAC_PARAM.CNF", Cause.ROLE),
        ([*sent(REQUEST), *heard(REQUEST, ours=False)], "CM_SLAC_PARAM.CNF", Cause.NEIGHBOUR),
        (SOUNDED, "CM_ATTEN_CHAR.IND", Cause.LATE_SOUNDS),
        ([*SOUNDED, *heard(EMPTY), *sent(REPLY, to=YOU), Waited(0, CHOICE, 1.2, "x")], CHOICE, Cause.NO_ATTENUATION),
        ([*REPORTED, Waited(0, CHOICE, 1.2, "x")], CHOICE, Cause.WEAK),
        ([*REPORTED, *sent(ValidateReq(), to=YOU)], "CM_VALIDATE.CNF", Cause.REFUSED_PILOT),
        ([*REPORTED, *sent(CHOSEN, to=YOU)], "CM_SLAC_MATCH.CNF", Cause.NEIGHBOUR),
        (MATCHED, KEY, Cause.NO_MODEM),
        (TAKEN, LINK, Cause.NO_LINK),
        ([*MATCHED, Waited(0, KEY, 1.5, "x")], KEY, Cause.NO_MODEM),
        ([*MATCHED, *heard(SetKeyCnf(result=0), of=MODEM)], KEY, Cause.KEY_REFUSED),
        ([*TAKEN, Waited(0, LINK, 14, "TT_match_join")], LINK, Cause.KEY_IGNORED),
        ([*OLD, Waited(0, LINK, 14, "TT_match_join")], LINK, Cause.KEY_IGNORED),
        ([*SHOWN, Waited(0, LINK, 14, "TT_match_join")], LINK, Cause.NO_LINK),
    ],
)
def test_a_vehicle_without_a_link(events: list[Event], awaited: str, cause: Cause) -> None:
    failure = explain(events, "ev", "eth1")
    assert failure.awaited == awaited and failure.causes[0] is cause
    assert failure.command == cause.command("eth1") and failure.command in failure.text


@pytest.mark.parametrize(
    ("events", "awaited", "cause"),
    [
        ([], "CM_SLAC_PARAM.REQ", Cause.NO_VEHICLE),
        ([*sent(SET), *heard(SetKeyCnf(result=1))], "CM_SLAC_PARAM.REQ", Cause.NO_VEHICLE),
        ([*heard(REQUEST), *sent(ANSWER, to=ME)], "CM_START_ATTEN_CHAR.IND", Cause.CHOSE_ANOTHER),
        ([*heard(REQUEST), *sent(ANSWER), *heard(START)], "CM_MNBC_SOUND.IND", Cause.LOST_FRAMES),
        (
            [*heard(START, SOUND, AttenProfileInd(pev_mac=ME, count=0, rest=b"")), *sent(REPORT)],
            "CM_ATTEN_CHAR.RSP",
            Cause.NO_ATTENUATION,
        ),
        ([*heard(START), *sent(REPORT), *heard(REPLY)], "CM_SLAC_MATCH.REQ", Cause.CHOSE_ANOTHER),
        ([*heard(CHOSEN), *sent(CONFIRM)], LINK, Cause.NO_LINK),
    ],
)
def test_a_charger_without_a_link(events: list[Event], awaited: str, cause: Cause) -> None:
    failure = explain(events, "evse")
    assert failure.awaited == awaited and failure.causes[0] is cause


def test_the_paragraph() -> None:
    events = [Sent(0.0, REQUEST, BROADCAST), Waited(0.6, "CM_SLAC_PARAM.CNF", 0.6, "TT_match_response")]
    parts = explain(events, "ev", "eth1").text.split("(")
    assert parts[0] == (
        "sent CM_SLAC_PARAM.REQ to everyone at 0.0 s, heard nothing, and awaited CM_SLAC_PARAM.CNF in vain for 0.6 s "
    )
    assert parts[1] == "TT_match_response). Likely, in this order: "
    assert [part[:30] for part in parts[2:]] == [
        "1) the own modem is not set up",
        "2) no coordinator is heard: th",
        "3) the plug is not in, or the ",
        "4) the own modem does not answ",
    ]
    assert parts[-1].endswith(". Next: pyplc modem info eth1")


def test_no_key_is_told() -> None:
    text = explain([*SHOWN, Waited(0, LINK, 14, "TT_match_join")], "ev").text
    assert NMK.hex() not in text and NMK.decode() not in text


def test_the_stages_are_in_the_order_of_the_sequence() -> None:
    stages = [explain(events, "ev").stage for events in (sent(REQUEST), SOUNDED, REPORTED, MATCHED)]
    assert stages == sorted(stages)
    for table in AWAITED.values():
        assert all(entry.seconds > 0 and entry.causes for entry in table.values())


def test_each_cause_may_be_named_and_has_a_command() -> None:
    named = {cause for table in AWAITED.values() for entry in table.values() for cause in entry.causes}
    assert named | {Cause.KEY_IGNORED, Cause.KEY_REFUSED} == set(Cause)
    assert all(cause.command("eth7").startswith("pyplc ") and "eth7" in cause.command("eth7") for cause in Cause)


def test_a_capture_tells_the_same_as_the_station() -> None:
    frames = [
        (0.0, REQUEST.frame(BROADCAST, ME)),
        (0.1, ANSWER.frame(ME, YOU)),
        (0.2, START.frame(BROADCAST, ME)),
        (0.3, SOUND.frame(BROADCAST, ME)),
        (0.4, b"\0" * 60),
        (0.5, AttenCharInd(source_address=YOU, run_id=bytes(8), sounds=1, groups=b"\1").frame(ME, MODEM)),
    ]
    failure = explain(events_of(seen(frames), ME), "ev")
    assert failure.awaited == "CM_ATTEN_CHAR.IND" and failure.causes[0] is Cause.NEIGHBOUR
    assert failure.heard == "CM_SLAC_PARAM.CNF of 02:00:00:00:00:02 at 0.1 s"


def test_a_real_failure_is_explained() -> None:
    """A Taycan that never went on: the charger answered with another run id than it had asked with."""
    found = reference.path("captures/pyplc/2023-05-03_TaycanLeftside_slacFail.pcapng")
    frames = [(float(t), bytes(frame)) for t, frame in reference._frames(found) if frame[12:14] == ETHERTYPE]
    vehicle = bytes.fromhex("00188700a1d6")
    failure = explain(events_of(seen(frames), vehicle), "ev")
    assert failure.awaited == "CM_SLAC_PARAM.CNF" and Cause.NEIGHBOUR in failure.causes


MESSAGES = [
    REQUEST,
    ANSWER,
    START,
    SOUND,
    REPORT,
    EMPTY,
    REPLY,
    CHOSEN,
    CONFIRM,
    SET,
    SetKeyCnf(result=0),
    ValidateReq(),
]
EVENTS = st.one_of(
    st.builds(Sent, st.floats(0, 9), st.sampled_from(MESSAGES), st.sampled_from([ME, YOU, BROADCAST])),
    st.builds(Heard, st.floats(0, 9), st.sampled_from(MESSAGES), st.sampled_from([ME, YOU]), st.booleans()),
    st.builds(Waited, st.floats(0, 9), st.sampled_from([LINK, CHOICE, "x"]), st.floats(0, 9), st.just("limit")),
)


@given(st.lists(EVENTS, max_size=30), st.sampled_from(["ev", "evse"]))
def test_any_events_are_explained(events: list[Event], side: Side) -> None:
    failure = explain(events, side)
    assert failure.causes and failure.command and "vain" in failure.text


@given(st.lists(st.tuples(st.floats(0, 9), st.binary(max_size=80)), max_size=5))
def test_any_capture_is_explained(frames: list[tuple[float, bytes]]) -> None:
    assert explain(events_of(seen(frames), ME), "ev").text
