"""Real frames: each parses, and what we can build is rebuilt byte for byte. Any bytes give a value or MmeError."""

from __future__ import annotations

import json
from typing import Any

import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st

from pyplc.slac import messages, vendor
from pyplc.slac.catalogue import CATALOGUE, read
from pyplc.slac.layout import COUNTED, REST, WIDTH, Message
from pyplc.slac.mme import ETHERTYPE, Mme, MmeError, form, parse
from pyplc.slac.vendor import NwInfoCnf, VsAttenCharInd, nw_info

PARAM_REQ = bytes.fromhex("ffffffffffffdc0ea1116708" + "88e1" + "016460" + "0000" + "0000" + "dc0ea1deadbeef55").ljust(
    60, b"\0"
)


def frames() -> list[dict[str, Any]]:
    with reference.path("homeplug-frames.jsonl").open() as lines:
        return [json.loads(line) for line in lines]


def test_every_real_frame_parses_and_is_rebuilt() -> None:
    known = set()
    for recorded in frames():
        frame = bytes.fromhex(recorded["hex"])
        mme = parse(frame)
        assert mme.type == int(recorded["mmtype"], 16)
        assert mme.pack() == frame
        message = read(mme)
        assert message is not None, recorded["name"]
        assert message.NAME.replace("PARAM", "PARM") == recorded["name"].replace("PARAM", "PARM")
        assert message.frame(mme.destination, mme.source) == frame
        known.add(message.NAME)
    assert len(known) == 29


@given(
    st.integers(0, 0xFFFF), st.binary(min_size=3, max_size=3), st.binary(min_size=46, max_size=90), st.integers(0, 2)
)
def test_unknown_types_and_makers_are_kept_to_the_byte(kind: int, oui: bytes, tail: bytes, version: int) -> None:
    head = bytes(12) + ETHERTYPE + bytes((version,)) + kind.to_bytes(2, "little")
    frame = head + (b"\0\0" if version else b"") + (oui if kind >= 0xA000 else b"") + tail
    mme = parse(frame)
    assert (mme.type, mme.oui) == (kind, oui if kind >= 0xA000 else b"")
    assert mme.pack() == frame
    if (kind, mme.oui) not in CATALOGUE:
        assert read(mme) is None


def test_the_vehicles_first_request() -> None:
    request = messages.SlacParamReq(run_id=bytes.fromhex("dc0ea1deadbeef55"))
    assert request.frame(b"\xff" * 6, bytes.fromhex("dc0ea1116708")) == PARAM_REQ
    assert read(parse(PARAM_REQ)) == request
    assert request.fields() == {"application": 0, "security": 0, "run_id": "dc0ea1deadbeef55"}


def test_networks_are_read_as_the_modem_lists_them() -> None:
    lists = [
        message.networks()
        for known in frames()
        if isinstance(message := read(parse(bytes.fromhex(known["hex"]))), NwInfoCnf)
    ]
    assert [len(networks) for networks in lists] == [0, 1, 1]
    network = lists[1][0]
    assert network.nid.hex() == "d5925cb82e6808" and network.role == 0
    assert network.stations[0].host.hex() == "5410eca1f3e2" and network.stations[0].tx_rate == 9
    assert nw_info(lists[1]).networks() == lists[1]


def test_a_cut_list_of_networks_is_an_error() -> None:
    with pytest.raises(MmeError, match="the list ends"):
        NwInfoCnf(count=1, rest=bytes(31)).networks()


def test_a_vendor_number_means_nothing_without_its_oui() -> None:
    foreign = Mme(bytes(6), bytes(6), 0, 0xA000, bytes(40), bytes.fromhex("0013d7"))
    assert read(parse(foreign.pack())) is None


def test_profiles_with_an_oui_of_zeros_are_known() -> None:
    wild = Mme(bytes(6), bytes(6), 0, 0xA14E, bytes(6) + b"\x02\x00\x10" + bytes(7) + b"\x05\x06", bytes(3))
    message = read(parse(wild.pack()))
    assert isinstance(message, VsAttenCharInd) and message.groups == b"\5\6"


def test_a_fragment_is_not_taken_for_a_message() -> None:
    assert read(parse(PARAM_REQ[:17] + b"\x10\x00" + PARAM_REQ[19:])) is None


def test_form() -> None:
    assert [form(kind) for kind in (0x6064, 0x6065, 0x606A, 0x606F)] == ["REQ", "CNF", "IND", "RSP"]


@pytest.mark.parametrize(
    ("frame", "word"),
    [
        (b"", "no HomePlug frame"),
        (PARAM_REQ[:12] + b"\x86\xdd" + PARAM_REQ[14:], "no HomePlug frame"),
        (PARAM_REQ[:18], "a header of MMV 1 has 19"),
        (bytes(12) + ETHERTYPE + b"\0\x00\xa0" + b"\0\xb0", "without OUI"),
        (PARAM_REQ[:25], "end inside run_id"),
    ],
)
def test_what_is_too_short_is_told(frame: bytes, word: str) -> None:
    with pytest.raises(MmeError, match=word):
        read(parse(frame))


@given(st.binary(max_size=200), st.sampled_from(sorted(CATALOGUE)), st.integers(0, 2))
def test_any_bytes_give_a_message_or_the_one_error(tail: bytes, kind: tuple[int, bytes], version: int) -> None:
    head = bytes(12) + ETHERTYPE + bytes((version,)) + kind[0].to_bytes(2, "little")
    frame = head + (bytes(2) if version else b"") + kind[1] + tail
    for data in (tail, frame):
        try:
            message = read(parse(data))
            if isinstance(message, NwInfoCnf):
                message.networks()
        except MmeError:
            continue


def values(kind: type[Message]) -> st.SearchStrategy[Message]:
    """Messages of a kind with any values its layout can hold."""

    def of(how: str | int) -> st.SearchStrategy[Any]:
        if isinstance(how, int):
            return st.binary(min_size=how, max_size=how)
        if how in WIDTH:
            return st.integers(0, 256 ** WIDTH[how] - 1)
        return st.binary(max_size=255 if how == COUNTED else 80)

    return st.builds(kind, **{name: of(how) for name, how in kind.LAYOUT if name})


@pytest.mark.parametrize("kind", [*messages.MESSAGES, *vendor.MESSAGES], ids=lambda kind: kind.NAME)
def test_what_is_written_is_read_again(kind: type[Message]) -> None:
    @given(values(kind))
    def check(message: Message) -> None:
        again = read(parse(message.frame(bytes(6), bytes(6))))
        assert type(again) is kind
        payload = again.payload()
        assert payload.rstrip(b"\0") == message.payload().rstrip(b"\0")
        assert REST in dict(kind.LAYOUT).values() or again == message

    check()


@pytest.mark.parametrize(
    "wrong", [{"run_id": bytes(7)}, {"run_id": bytes(8), "application": 256}, {"run_id": bytes(8), "security": -1}]
)
def test_a_value_that_does_not_fit_is_not_written(wrong: dict[str, Any]) -> None:
    with pytest.raises(MmeError):
        messages.SlacParamReq(**wrong).payload()
