"""What is said beside TCP: management messages, pilot reports, the test adapter, neighbours, logs."""

from __future__ import annotations

import socket
import struct
from pathlib import Path

import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from making import T0, events_of, load

from pyplc.capture import hal
from pyplc.capture.events import Damage, Diagnostic, Event, Hal, HomePlug, Neighbour, Pilot, Syslog
from pyplc.capture.files import Packet
from pyplc.capture.output import Choice, Writer
from pyplc.capture.rows import plain, row
from pyplc.link.ethernet import ipv6_frame, udp_frame
from pyplc.slac.messages import AttenCharInd, SlacMatchCnf, SlacParamCnf
from pyplc.slac.mme import Mme
from pyplc.slac.vendor import HostActionInd

PEV, EVSE = bytes.fromhex("02aa00000001"), bytes.fromhex("02bb00000002")
FIGURE = bytes.fromhex(
    "00073270 4f3a 0220 0300 0005 4841 faaf 0107030001 000000000012000f 0012"
    "000f4240 00001388 00002195 00002d8a 05b1 fbbf 000000000000000000"
)
"""The frame of the customer's figure, 60 bytes."""
COMMAND = bytes.fromhex("faaf010300f0e000000185df105125000101fbbf")


def event_of(frame: bytes) -> Event:
    (found,) = events_of([Packet(1, T0, 1, frame, 0, len(frame))])
    return found


def test_matching_is_told_with_side_addresses_and_units() -> None:
    run = bytes(range(8))
    param = event_of(SlacParamCnf(forwarding_sta=PEV, run_id=run).frame(PEV, EVSE))
    assert isinstance(param, HomePlug)
    assert param.side == "evse"
    assert row(param).text == "02:bb:00:00:00:02  sounds 10  time-out 600 ms  run 0001020304050607"
    levels = bytes([20] * 29 + [30] * 29)
    char = event_of(AttenCharInd(source_address=PEV, run_id=run, sounds=10, groups=levels).frame(PEV, EVSE))
    assert row(char).text.endswith("PEV 02:aa:00:00:00:01  run 0001020304050607  sounds 10  mean 25.0 dB of 58 groups")
    match = event_of(SlacMatchCnf(pev_mac=PEV, evse_mac=EVSE, run_id=run, nid=bytes(7), nmk=bytes(16)).frame(PEV, EVSE))
    assert "NMK 00000000000000000000000000000000" in row(match).text
    assert plain(match)["side"] == "evse"
    assert plain(char)["value"]["groups"] == list(levels) or plain(char)["value"]["groups"] == levels.hex()


def test_a_modem_asks_its_host() -> None:
    found = row(event_of(HostActionInd(action=2).frame(PEV, EVSE)))
    assert (found.name, found.usual) == ("VS_HOST_ACTION.IND", True)
    assert "action 2 (a changed PIB is stored)" in found.text


def test_a_management_message_nobody_knows_is_kept() -> None:
    event = event_of(Mme(PEV, EVSE, 1, 0x7ABC, b"payload of it").pack())
    assert isinstance(event, HomePlug)
    assert (event.name, event.message, row(event).usual) == ("MMTYPE 0x7abc", None, False)
    assert bytes.fromhex(plain(event)["value"]["payload"]).startswith(b"payload of it")


def test_a_management_message_that_is_cut_says_so() -> None:
    whole = SlacMatchCnf(pev_mac=PEV, evse_mac=EVSE, run_id=bytes(8), nid=bytes(7), nmk=bytes(16)).frame(PEV, EVSE)
    event = event_of(whole[:60])
    assert row(event).error
    assert Choice(errors=True)(event)


def test_pilot_reports_of_both_modems() -> None:
    """Vertexcom 0xA10E: status, Hz, 0.1 %, mV, ADC. ST/Iotecha 0xA22E: state, %, Hz, mV."""
    stats = struct.pack("<BHHHH", 0, 1000, 53, 8950, 1234)
    event = event_of(Mme(PEV, EVSE, 1, 0xA10E, stats, bytes.fromhex("0013d7")).pack())
    assert isinstance(event, Pilot)
    assert (event.state, event.duty_percent, event.frequency, event.voltage) == ("B", 5.3, 1000.0, 8.95)
    assert row(event).text == "state B  5.3 %  1000 Hz  8.95 V"


def test_pilot_reports_of_a_real_capture() -> None:
    found = [e for e in events_of(load(reference.path("captures/dsv2gshark/IEC61851_AC_PWM_Basic.pcapng")))]
    states = [(e.state, e.duty_percent) for e in found if isinstance(e, Pilot)]
    assert (
        states
        == [("A", 100), ("B", 100), ("B", 22), ("C", 22), ("B", 22), ("C", 22), ("C", 100), ("B", 100)] + states[8:]
    )
    assert all(e.voltage is not None and 2 < e.voltage < 13 for e in found if isinstance(e, Pilot))
    tester = [e for e in found if isinstance(e, Diagnostic)]
    assert tester
    assert all(e.text.startswith("{") and not row(e).usual for e in tester)


def test_the_adapters_frame_of_the_figure() -> None:
    event = event_of(FIGURE)
    assert isinstance(event, Hal)
    assert plain(event)["value"]["payload"] == {
        "frequency": 1000.0, "dutyCycle": 5.0, "posVoltage": 8.597, "negVoltage": 11.658, "proximity": 1457,
        "cpState": "STATE_B",
    }  # fmt: skip
    assert row(event).name == "WATCH_PERIODIC_STATUS"
    tagged = FIGURE[:12] + b"\x81\0\0\5" + FIGURE[12:]
    assert plain(event_of(tagged))["value"] == plain(event)["value"]


def test_the_adapters_command_of_the_command_line() -> None:
    frame = hal.parse(COMMAND)
    assert frame.plain()["timestamp"] == 1674484666661  # 2023-01-23 14:37:46 UTC, as the file of the figure is named
    assert (frame.plain()["subComponent"], frame.payload) == ("0x03", b"\1")


@pytest.mark.parametrize("cut", range(len(COMMAND)))
def test_a_cut_adapter_frame_says_what_is_missing(cut: int) -> None:
    with pytest.raises(hal.HalError):
        hal.parse(COMMAND[:cut])


@given(st.binary(max_size=80))
def test_the_adapter_parser_raises_only_its_own(data: bytes) -> None:
    for each in (data, b"\xfa\xaf" + data):
        try:
            hal.parse(each)
        except hal.HalError:
            pass


def test_names_of_the_users_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for table, key in ((hal.COMMANDS, (1, 3, 0)), (hal.SUB_COMPONENTS, (1, 3)), (hal.MODES, 0xF1)):
        monkeypatch.setitem(table, key, "taken away at the end")  # type: ignore[arg-type]
    file = tmp_path / "adapter.toml"
    file.write_text('[commands]\n"1.3.0" = "SET_DUTY"\n[sub_components]\n"1.3" = "PWM"\n[modes]\n"0xF1" = "MODE_X"\n')
    hal.learn(file)
    shown = hal.parse(COMMAND).plain()
    assert (shown["command"], shown["subComponent"], shown["mode"]) == ("SET_DUTY", "PWM", "MODE_NOT_USED")
    assert hal.parse(COMMAND[:5] + b"\xf1" + COMMAND[6:]).plain()["mode"] == "MODE_X"


@pytest.mark.parametrize(
    "text", ["[commands]\n1 = 'x'", "[x]\n1 = 'y'", "[modes]\na = 'y'", "[modes]\n1 = 2", "[", "x = 1"]
)
def test_a_wrong_file_of_names_says_where(tmp_path: Path, text: str) -> None:
    file = tmp_path / "adapter.toml"
    file.write_text(text)
    with pytest.raises(hal.NamesError, match="adapter.toml"):
        hal.learn(file)


@pytest.mark.parametrize("voltage, state", [(12, "A"), (9, "B"), (6, "C"), (3, "D"), (0, "E"), (-12, "F"), (8.6, "B")])
def test_pilot_states(voltage: float, state: str) -> None:
    assert hal.pilot_state(voltage) == f"STATE_{state}"


def test_neighbour_discovery() -> None:
    target = socket.inet_pton(socket.AF_INET6, "fe80::2")
    ask = bytes((135, 0, 0, 0)) + bytes(4) + target + b"\1\1" + PEV
    event = event_of(ipv6_frame((PEV, EVSE), ("fe80::1", "ff02::1:ff00:2"), 58, ask))
    assert isinstance(event, Neighbour)
    assert (event.name, event.target, event.link_address) == ("neighbour solicitation", "fe80::2", PEV)
    assert not row(event).usual


@pytest.mark.parametrize(
    "line, priority, text", [(b"<15>pev state 7\0junk", 15, "pev state 7"), (b"[INFO] hello", None, "[INFO] hello")]
)
def test_lines_of_a_log(line: bytes, priority: int | None, text: str) -> None:
    event = event_of(udp_frame((PEV, EVSE), ("fe80::1", "ff02::1"), (514, 514), line))
    assert isinstance(event, Syslog)
    assert (event.priority, event.text) == (priority, text)


def test_discovery_that_is_no_discovery_is_an_error() -> None:
    event = event_of(
        udp_frame((PEV, EVSE), ("fe80::1", "ff02::1"), (50000, 15118), bytes.fromhex("01fe900000000009ff"))
    )
    assert row(event).error
    assert not isinstance(event, Damage)


def test_what_was_captured_does_not_command_the_terminal() -> None:
    """Line ends and escape sequences in a log, a comment or a field stay in one line."""
    event = event_of(
        udp_frame((PEV, EVSE), ("fe80::1", "ff02::1"), (514, 514), b"<1>one\r\ntwo\x1b[2Jthree\xc2\x9b31m")
    )
    for form in ("list", "tree"):
        text = Writer(form)(event)
        assert text.endswith("one two [2Jthree 31m\n")
        assert text.count("\n") == 1
