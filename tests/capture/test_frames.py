"""Single frames: the JSON of the customer's decoder, and his two examples."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyplc.capture.frames import KINDS, FrameError, tree
from pyplc.slac.messages import SlacParamReq
from pyplc.v2g import schemas
from pyplc.v2gtp import pack

V2G = "01fe80020000001380940433f88205a4d3eed3898dac6f8dd30228"
HAL = "faaf010300f0e000000185df105125000101fbbf"
VECTORS = Path(__file__).parents[1] / "vectors"


def test_the_v2g_example_of_the_guide() -> None:
    found = KINDS["V2G"](bytes.fromhex(V2G))
    assert list(found) == [
        "protocolVersion", "invProtocolVersion", "payloadTypeRaw", "payloadType", "payloadLength", "payloadData",
        "decoder", "payload",
    ]  # fmt: skip
    payload = found.pop("payload")
    assert found == {
        "protocolVersion": 1, "invProtocolVersion": 254, "payloadTypeRaw": 32770, "payloadType": "COMMON_Message",
        "payloadLength": 19, "payloadData": "gJQEM/iCBaTT7tOJjaxvjdMCKA==", "decoder": "ISO15118_20",
    }  # fmt: skip
    assert payload.startswith("<?xml ")
    root = ElementTree.fromstring(payload)
    leaves = [(node.tag.rpartition("}")[2], node.text) for node in root.iter() if len(node) == 0]
    assert root.tag.endswith("}SessionStopReq")
    assert leaves == [
        ("SessionID", "67F1040B49A7DDA7"),
        ("TimeStamp", "1674484755736"),
        ("ChargingSession", "Terminate"),
    ]


def test_the_hal_example_of_the_guide() -> None:
    assert KINDS["HAL"](bytes.fromhex(HAL)) == {
        "component": "CONTROL_PILOT", "subComponent": "0x03", "command": "0x00", "mode": "MODE_NOT_USED",
        "ack": "ACK_NOT_USED", "timestamp": 1674484666661, "payloadLength": 1, "payloadData": "AQ==", "decoder": "HAL",
        "payload": "01",
    }  # fmt: skip
    assert KINDS["HAL"](bytes(12) + b"\x48\x41" + bytes.fromhex(HAL))["timestamp"] == 1674484666661


@pytest.mark.parametrize(
    "name, payload_type, decoder",
    [
        ("app", "EXI_Message", "SUPPORTED_APP"), ("din", "EXI_Message", "DIN70121"),
        ("iso2", "EXI_Message", "ISO15118_2"),
        ("iso20_common", "COMMON_Message", "ISO15118_20"), ("iso20_ac", "AC_Message", "ISO15118_20"),
        ("iso20_dc", "DC_Message", "ISO15118_20"), ("iso20_acdp", "ACDP_Message", "ISO15118_20"),
        ("iso20_wpt", "WPT_Message", "ISO15118_20"),
    ],
)  # fmt: skip
def test_every_generation(name: str, payload_type: str, decoder: str) -> None:
    rows = [json.loads(line) for line in (VECTORS / f"{name}.jsonl").read_text().splitlines()]
    documents = [row["exi_hex"] for row in rows if row.get("kind", "document") == "document"]
    assert documents
    for exi_hex in documents:
        exi = bytes.fromhex(exi_hex)
        found = KINDS["V2G"](pack(schemas.SCHEMAS[name].payload_type or 0x8001, exi))
        assert (found["payloadType"], found["decoder"]) == (payload_type, decoder)
        assert base64.b64decode(found["payloadData"]) == exi
        message = schemas.schema(name).decode(exi)
        assert ElementTree.fromstring(found["payload"]).tag.endswith("}" + message.tag())


def test_without_a_header_forced_and_as_a_tree() -> None:
    exi = V2G[16:]
    assert KINDS["V2G"](bytes.fromhex(exi), schema="iso20_common")["payloadTypeRaw"] == 32770
    assert tree(bytes.fromhex(V2G))[0] == "SessionStopReq"
    assert tree(bytes.fromhex("01fe9000000000021000")) == []


def test_discovery() -> None:
    found = KINDS["V2G"](bytes.fromhex("01fe9000000000021000"))
    assert (found["payloadType"], found["payload"]) == ("SDP_Request", {"security": 16, "transport": 0})


def test_management_messages_with_and_without_their_header() -> None:
    frame = SlacParamReq(run_id=bytes(range(8))).frame(b"\xff" * 6, b"\2" + bytes(5))
    for data in (frame, frame[14:], frame[:12] + b"\x81\0\0\7" + frame[12:]):
        found = KINDS["MME"](data)
        assert (found["message"], found["run_id"]) == ("CM_SLAC_PARAM.REQ", "0001020304050607")
    assert KINDS["MME"](frame)["source"] == "02:00:00:00:00:00"


@pytest.mark.parametrize(
    "kind, text, what",
    [
        ("V2G", "01fe", "2 bytes"),
        ("V2G", V2G[:-2], "announces 19 bytes"),
        ("V2G", "02fd80020000000180", "version"),
        ("V2G", "01fe800100000002ffff", "no schema"),
        ("HAL", HAL[:-4] + "0000", "end mark"),
        ("HAL", HAL[:-4], "shortest"),
        ("HAL", "fbaf", "fa af"),
        ("MME", "0102", "bytes"),
    ],
)
def test_errors_say_what_and_where(kind: str, text: str, what: str) -> None:
    with pytest.raises(FrameError, match=what):
        KINDS[kind](bytes.fromhex(text))


BEGINNINGS = (b"", b"\1\xfe\x80\1", b"\1\xfe\x90\1\0\0\0\x14", b"\x80\x9a", b"\xfa\xaf")


@given(data=st.binary(max_size=120), kind=st.sampled_from(sorted(KINDS)), begins=st.sampled_from(BEGINNINGS))
def test_nothing_else_is_raised(data: bytes, kind: str, begins: bytes) -> None:
    try:
        KINDS[kind](begins + data)
    except FrameError:
        pass
