"""The lines of pyplc's own firmware: what goes out comes in, and nothing else does."""

from __future__ import annotations

import binascii
import re

import pytest
import simavr
from hypothesis import given
from hypothesis import strategies as st

from pyplc.hw import arduino, arduino_line
from pyplc.hw.arduino_line import Ask, Flag, Order, Status, Version, body, frame, from_board, from_host
from pyplc.hw.emulated import arduino as emulated
from pyplc.hw.ports import PilotState

SEQS = st.integers(0, 0xFFFF)
UPTIMES = st.integers(0, 0xFFFFFFFF)
ORDERS = st.builds(Order, SEQS, st.sampled_from("BCDNFST"), st.integers(0, 970), st.integers(0, 3), st.booleans())


def tenths(most: int) -> st.SearchStrategy[float]:
    return st.integers(0, most).map(lambda n: n / 10)


STATUSES = st.builds(
    Status,
    SEQS,
    UPTIMES,
    st.integers(0, 511).map(Flag),
    st.sampled_from(PilotState),
    st.none() | st.integers(1, 999).map(lambda n: n / 10),
    st.integers(-1500, 1500).map(lambda n: n / 100),
    st.integers(-1500, 1500).map(lambda n: n / 100),
    st.none() | st.integers(0, 5000).map(lambda n: n / 1000),
    st.none() | tenths(15000),
    st.integers(0, 3),
    st.sampled_from("LUM"),
)
VERSIONS = st.builds(
    Version,
    SEQS,
    st.integers(0, 99999),
    st.sampled_from(["vehicle", "charger"]),
    st.from_regex(r"[0-9A-Za-z.-]{1,12}", fullmatch=True),
    UPTIMES,
)


def test_golden_frames() -> None:
    assert frame("123456789") == b":123456789*31C3\n"  # the check value of CRC-16/XMODEM
    assert from_host(b":O 7 C 0 1 L*%04X" % binascii.crc_hqx(b"O 7 C 0 1 L", 0)) == Order(7, "C", 0, 1, True)
    said = from_board(b":S 0 1020 5 E 0 0 0 4091 0 0 L*C5A4")  # by the firmware, whose CRC is avr-libc's
    tripped = Flag.TRIPPED | Flag.CONTACTOR_CLOSED
    assert said == Status(0, 1020, tripped, PilotState.E, None, 0.0, 0.0, 4.091, 0.0, 0, "L")
    line = frame("S 7 123456 4 C 50 598 -1201 4091 3551 1 L").strip()
    assert from_board(line) == Status(
        7, 123456, Flag.CONTACTOR_CLOSED, PilotState.C, 5.0, 5.98, -12.01, 4.091, 355.1, 1, "L"
    )


@given(STATUSES | VERSIONS, st.binary(max_size=20))
def test_what_a_board_says_is_understood(said: Status | Version, noise: bytes) -> None:
    line = said.encode()
    assert line.endswith(b"\n") and line.count(b"\n") == 1
    assert from_board(line[:-1]) == said
    assert from_board(noise.replace(b"\n", b"") + line[:-1]) == said


@given(ORDERS | SEQS.map(Ask))
def test_what_a_host_says_is_understood(said: Order | Ask) -> None:
    line = said.encode()
    assert from_host(line[:-1]) == said
    assert len(line) - 7 <= arduino_line.LONGEST_BODY


@given(st.binary(max_size=100))
def test_noise_is_nothing(line: bytes) -> None:
    if body(line) is None:
        assert from_board(line) is None and from_host(line) is None


@given(STATUSES, st.data())
def test_a_spoilt_byte_is_noticed(status: Status, data: st.DataObject) -> None:
    line = bytearray(status.encode()[:-1])
    at = data.draw(st.integers(1, len(line) - 1))
    line[at] ^= data.draw(st.integers(1, 255))
    # nothing is understood otherwise; a new start of a frame inside is no frame either
    assert from_board(bytes(line)) is None


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60))
def test_a_right_checksum_alone_is_not_enough(text: str) -> None:
    line = frame(text)[:-1]
    for said in (from_board(line), from_host(line)):
        assert said is None or said.encode()[:-1] == line or re.search(r"(?<!\d)0\d|-0", text)


@pytest.mark.parametrize(
    "text",
    [
        "S 7 1 0 C 1000 598 0 4091 0 1 L",  # 100 %
        "S 7 1 0 C 50 1501 0 4091 0 1 L",  # 15 V
        "S 7 1 0 C 50 598 -1501 4091 0 1 L",
        "S 7 1 0 C 50 598 0 5011 0 1 L",
        "S 7 1 0 C 50 598 0 4091 15001 1 L",  # 1500 V
        "S 7 1 0 C 50 598 0 4091 0 4 L",
        "S 7 1 512 C 50 598 0 4091 0 1 L",
        "S 65536 1 0 C 50 598 0 4091 0 1 L",
        "S 7 4294967296 0 C 50 598 0 4091 0 1 L",
        "S 7 1 0 G 50 598 0 4091 0 1 L",
        "S 7 1 0 C 50 598 0 4091 0 1 L ",
        "S 7 1 0 C 50 598 0 4091 0 1",
        "S 7 1 0 C 50 598 0 -1 0 1 L",
    ],
)
def test_what_cannot_be_is_no_reading(text: str) -> None:
    assert from_board(frame("S 7 1 0 C 50 598 0 4091 0 1 L")[:-1]) is not None
    assert from_board(frame(text)[:-1]) is None


# the same figures in C and in Python

HEADER = (simavr.FIRMWARE / "board.h").read_text()


def number(name: str) -> int:
    match = re.search(rf"#define {name} (-?\d+)", HEADER)
    assert match, name
    return int(match[1])


def test_the_firmwares_figures_are_ours() -> None:
    assert number("PROTOCOL") == arduino_line.PROTOCOL
    assert number("BAUD_RATE") == arduino_line.BAUD
    assert number("HOST_SILENT_MS") == emulated.HOST_SILENT_S * 1000
    assert number("GONE_MS") == emulated.GONE_S * 1000
    assert number("OPEN_AFTER_MS") == emulated.OPEN_AFTER_S * 1000
    assert number("UNLOCK_AFTER_MS") == emulated.UNLOCK_AFTER_S * 1000
    assert number("UNLOCK_ANYWAY_MS") == emulated.UNLOCK_ANYWAY_S * 1000
    assert number("LOCK_MS") == emulated.LOCK_LONGEST_S * 1000
    assert number("STATUS_MS") == emulated.STATUS_S * 1000
    assert number("INLET_TOUCHABLE") == emulated.TOUCHABLE_V * 10
    assert number("HOST_SILENT_MS") > 3 * arduino.EACH_S * 1000
    flags = re.search(r"enum \{ (TRIPPED.*?) \};", HEADER, re.DOTALL)
    assert flags
    told = dict(re.findall(r"(\w+) = (\d+)", flags[1]))
    assert told == {flag.name: str(flag.value) for flag in Flag}
    main = (simavr.FIRMWARE / "main.c").read_text()
    assert f"char body[{arduino_line.LONGEST_BODY + 1}]" in main
    assert f": {arduino_line.MAX_DUTY}, &w.duty" in main
