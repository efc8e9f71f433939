"""The dissector in Lua, run by tshark: every message of real captures, each field as our own decoder has it."""

from __future__ import annotations

import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import reference
from click.testing import CliRunner
from sharks import needs_tshark, rows, tshark

from pyplc.capture.events import Message, Sdp
from pyplc.capture.reader import read
from pyplc.cli.main import main
from pyplc.exi.declare import Binary, Enumerated
from pyplc.exi.plaintext import write
from pyplc.exi.walk import attributes, content
from pyplc.v2g import schemas
from pyplc.v2gtp import PayloadType, pack
from pyplc.wireshark.lua import dissector

pytestmark = needs_tshark

PLAIN = (
    "dsv2gshark/DIN_DC_DS5366_Josev.pcapng",
    "dsv2gshark/ISO-2_DC_SalesTariffSchedule_DS5366_RiseV2G.pcapng",
    "dsv2gshark/ISO-20_BPT_AC_DS5366_Josev.pcapng",
    reference.IONIQ,
)
TLS = (
    "dsv2gshark/ISO-2_DC_PnC_TLS_CertInstallation_DS5366_RiseV2G.pcapng",
    "dsv2gshark/ISO-20_TLS13_DC_DS5366_Josev.pcapng",
)


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("lua") / "pyplc.lua"
    file.write_text(dissector())
    return file


def leaves(message: Any, tag: str = "") -> Iterator[tuple[str, Any]]:
    """Each value of a message with its name, as Wireshark shows it: physical values as numbers, binaries as hex."""
    for part in [*attributes(message), *content(message)]:
        name = part.name or tag
        if isinstance(part.type, type):
            if hasattr(part.value, "brief"):
                yield name, float(part.value)
            yield from leaves(part.value, name)
        elif isinstance(part.type, Binary):
            yield name, part.value.hex().upper()
        elif isinstance(part.type, Enumerated):
            yield name, write(part.type, part.value)
        else:
            yield name, part.value


def same(ours: Any, theirs: str) -> bool:
    if isinstance(ours, bool):
        return theirs in (str(ours), str(ours).lower(), str(int(ours)))
    if isinstance(ours, float):
        return abs(float(theirs) - ours) <= 1e-9 * max(1.0, abs(ours))
    if isinstance(ours, int) and theirs.replace(".", "").lstrip("-").isdigit():
        return float(theirs) == ours if "." in theirs else int(theirs) == ours
    return str(ours).replace(" ", "") == theirs


@pytest.mark.parametrize("name", PLAIN + TLS)
def test_every_field_is_ours(name: str, script: Path, tmp_path: Path) -> None:
    file = reference.path(f"captures/{name}")
    found = [event for event in read(file) if isinstance(event, Message)]
    if name in TLS:  # the keys are in UDP packets, which Wireshark does not look into: put them into the file
        target = tmp_path / "keys.pcapng"
        CliRunner().invoke(main, ["decode", str(file), "--only", "nothing", "--to-pcapng", str(target)])
        file = target
    wanted: dict[int, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for event in found:
        wanted[event.frame]["message"].append(event.name)
        for field, value in leaves(event.value):
            wanted[event.frame][field].append(value)
    fields = sorted({field for values in wanted.values() for field in values})
    columns = ["frame.number", "v2g.error", *(f"v2g.{field}" for field in fields)]
    seen = rows(file, columns, "-X", f"lua_script:{script}", "-Y", "v2g.message", home=tmp_path)
    assert [int(row["frame.number"][0]) for row in seen] == list(wanted)
    for row in seen:
        expected = wanted[int(row["frame.number"][0])]
        assert row["v2g.error"] == []
        for field in fields:
            theirs, ours = row[f"v2g.{field}"], expected.get(field, [])
            if any(isinstance(value, str) and " " in value for value in ours):
                theirs, ours = ["".join(theirs)], ["".join(map(str, ours))]
            assert len(theirs) == len(ours), (row["frame.number"], field)
            assert all(map(same, ours, theirs)), (row["frame.number"], field, ours, theirs)


def test_discovery_and_columns(script: Path, tmp_path: Path) -> None:
    file = reference.path("captures/dsv2gshark/DIN_DC_DS5366_Josev.pcapng")
    (response,) = (
        event
        for event in read(file)
        if isinstance(event, Sdp) and event.name == "SECC_DiscoveryRes" and event.message is not None
    )
    columns = ["v2g.sdp.address", "v2g.sdp.port", "v2g.sdp.security", "_ws.col.Protocol", "_ws.col.Info"]
    out = tshark(
        "-r", str(file), "-X", f"lua_script:{script}", "-Y", "v2g.sdp_payload && v2g.sdp.port", "-T", "fields",
        *(part for column in columns for part in ("-e", column)), home=tmp_path,
    )  # fmt: skip
    address, port, security, protocol, info = out.rstrip("\n").split("\t")
    assert (address, int(port)) == (response.message.address, response.message.port)
    assert int(security, 0) == response.message.security
    assert (protocol, info.strip()) == ("V2G", "SECC_DiscoveryRes SDP_Response")
    out = tshark(
        "-r", str(file), "-X", f"lua_script:{script}", "-Y", 'v2g.message == "SessionSetupReq"', "-T", "fields",
        "-e", "_ws.col.Protocol", "-e", "_ws.col.Info", home=tmp_path,
    )  # fmt: skip
    assert [part.strip() for part in out.split("\t")] == ["V2G DIN70121", "SessionSetupReq EXI_Message"]


def test_numbers_are_filterable(script: Path, tmp_path: Path) -> None:
    file = reference.path("captures/dsv2gshark/DIN_DC_DS5366_Josev.pcapng")
    limit = 100.0
    wanted = [
        event.frame
        for event in read(file)
        if isinstance(event, Message) and float(getattr(event.body, "EVSEPresentVoltage", None) or 0) > limit
    ]
    out = tshark(
        "-r", str(file), "-X", f"lua_script:{script}", "-Y", f"v2g.EVSEPresentVoltage > {limit:g}", "-T", "fields",
        "-e", "frame.number", home=tmp_path,
    )  # fmt: skip
    assert wanted
    assert list(map(int, out.split())) == wanted


HAL = bytes.fromhex("faaf0107030001000000000012000f0012000f424000001388000021950000 2d8a05b1fbbf".replace(" ", ""))


def written(tmp_path: Path, *frames: bytes) -> Path:
    from pyplc.capture import pcapng

    file = tmp_path / "made.pcapng"
    blocks = [pcapng.section("test"), pcapng.interface("made")]
    file.write_bytes(b"".join([*blocks, *(pcapng.packet(0, i * 10**6, data) for i, data in enumerate(frames))]))
    return file


def test_frames_of_the_test_adapter(script: Path, tmp_path: Path) -> None:
    file = written(tmp_path, bytes.fromhex("00073270 4f3a 022003000005 4841".replace(" ", "")) + HAL + bytes(9))
    columns = ["hal.component", "hal.frequency", "hal.duty_cycle", "hal.positive_voltage", "hal.negative_voltage"]
    columns += ["hal.proximity", "hal.cp_state", "hal.timestamp", "hal.payload_length"]
    (row,) = rows(file, columns, "-X", f"lua_script:{script}", "-Y", "hal", home=tmp_path)
    values = [row[column][0] for column in columns]
    assert int(values[0], 0) == 1
    assert list(map(float, values[1:5])) == [1000.0, 5.0, 8.597, 11.658]
    assert values[5:] == ["1457", "STATE_B", str(0x12000F), "18"]


def udp(payload: bytes, port: int) -> bytes:
    """A UDP packet between two made-up stations (checksum 0 is not looked at)."""
    head = bytes.fromhex("333300000001020000000001 86dd 60000000".replace(" ", ""))
    ends = bytes.fromhex("fe80000000000000000000000000000 1 ff020000000000000000000000000001".replace(" ", ""))
    datagram = (port.to_bytes(2, "big") * 2) + (8 + len(payload)).to_bytes(2, "big") + bytes(2) + payload
    return head + len(datagram).to_bytes(2, "big") + b"\x11\xff" + ends + datagram


def test_keys_in_udp_packets(script: Path, tmp_path: Path) -> None:
    line = f"CLIENT_RANDOM {'ab' * 32} {'cd' * 48}"
    file = written(tmp_path, udp(b"\0\0" + line.encode(), 53186))
    out = tshark(
        "-r", str(file), "-X", f"lua_script:{script}", "-Y", "tls_session_masterkey", "-T", "fields",
        "-e", "tls_session_masterkey.key", "-e", "_ws.col.Protocol", home=tmp_path,
    )  # fmt: skip
    assert out.rstrip("\n").split("\t") == [line, "TLS Session Master Key"]


def test_what_is_no_message_is_an_error_and_no_crash(script: Path, tmp_path: Path) -> None:
    setup = bytes.fromhex("809a02000000000000000011d01b703a84459c2000")
    cut = [udp(pack(PayloadType.EXI, setup[:n]), 5000) for n in range(1, len(setup))]
    spoiled = [udp(pack(PayloadType.EXI, setup[:i] + b"\xff" + setup[i + 1 :]), 5000) for i in range(len(setup))]
    file = written(tmp_path, *cut, *spoiled)
    columns = ["frame.number", "v2g.payload", "v2g.error", "v2g.message"]
    found = rows(file, columns, "-X", f"lua_script:{script}", home=tmp_path)
    assert len(found) == len(cut) + len(spoiled)
    assert all(row["v2g.payload"] for row in found)
    for row, data in zip(found, [setup[:n] for n in range(1, len(setup) - 1)], strict=False):
        with pytest.raises(ValueError, match="bit"):
            schemas.schema("din").decode(data)
        assert row["v2g.error"] or len(data) < 2, data.hex()


LUA = shutil.which("lua5.4") or shutil.which("lua5.3") or shutil.which("lua")
CHECK = """
local m = dofile(arg[1])
for line in io.lines(arg[2]) do
    local kind, hex = line:match("(%d+) (%x+)")
    local data = hex:gsub("%x%x", function(octet) return string.char(tonumber(octet, 16)) end)
    local root, problem, bit = m.decode(m.schema_of(tonumber(kind), data), data)
    print(root and m.message_name(root) or bit .. " " .. problem)
end
print(m.decimal({1, 2, 3}, 0), m.decimal({127, 127}, 1), m.decimal({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 0))
"""


@pytest.mark.skipif(LUA is None, reason="no Lua (Debian package lua5.4)")
def test_newer_lua(script: Path, tmp_path: Path) -> None:
    """Wireshark from 4.4 on has Lua 5.4, whose numbers are of two kinds."""
    found = [event for name in PLAIN[:3] + TLS for event in read(reference.path(f"captures/{name}"))]
    sent = [event for event in found if isinstance(event, Message)]
    (tmp_path / "check.lua").write_text(CHECK)
    (tmp_path / "rows").write_text("".join(f"{m.payload_type} {m.exi.hex()}\n" for m in sent))
    done = subprocess.run(
        [str(LUA), "check.lua", str(script), "rows"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    *names, numbers = done.stdout.splitlines()
    assert names == [message.name for message in sent]
    assert numbers.split() == [str(1 + 2 * 128 + 3 * 128**2), str(127 + 127 * 128 + 1), str(128**10)]


def test_it_is_small_and_whole() -> None:
    text = dissector()
    assert len(text) < 100_000
    for name in ("CertificateInstallationRes", "DC_ChargeLoopRes", "supportedAppProtocolReq", "WPT_AlignmentCheckReq"):
        assert f'"{name}"' in text
    assert "--@TABLES@" not in text
