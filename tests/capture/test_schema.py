"""Which schema a message is of: from the handshake, else a guess over the session, or what the user says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import reference
from making import load, messages_of, segment

from pyplc.capture.reader import Reader
from pyplc.capture.v2g import Conversation
from pyplc.v2g import schemas
from pyplc.v2gtp import pack

VECTORS = Path(__file__).parents[1] / "vectors"
DIN = bytes.fromhex("809a02000000000000000011d01b703a84459c2000")


def vectors(name: str) -> list[bytes]:
    rows = [json.loads(line) for line in (VECTORS / f"{name}.jsonl").read_text().splitlines()]
    return [bytes.fromhex(row["exi_hex"]) for row in rows if row.get("kind", "document") == "document"]


def without_handshake(name: str) -> list[object]:
    items = load(reference.path(f"captures/{name}"))
    handshake = [m.frame for m in messages_of(items) if m.schema == "app"]
    return [item for item in items if item.number not in handshake]


@pytest.mark.parametrize(
    "name, schema",
    [
        ("dsv2gshark/DIN_DC_DS5366_Josev.pcapng", "din"),
        ("dsv2gshark/ISO-2_DC_SalesTariffSchedule_DS5366_RiseV2G.pcapng", "iso2"),
        ("everest/Audi_Q4_dc-iso2.dump", "iso2"),
    ],
)
def test_a_session_without_its_handshake_is_guessed_and_marked(name: str, schema: str) -> None:
    whole = [m for m in messages_of(load(reference.path(f"captures/{name}"))) if m.schema != "app"]
    found = messages_of(without_handshake(name))  # type: ignore[arg-type]
    assert [(m.frame, m.name, m.value) for m in found] == [(m.frame, m.name, m.value) for m in whole]
    assert {(m.schema, m.guessed) for m in found} == {(schema, True)}
    assert {(m.schema, m.guessed) for m in whole} == {(schema, False)}


@pytest.mark.parametrize("name", ["iso20_dc", "iso20_ac", "iso20_acdp", "iso20_wpt", "iso20_common"])
def test_iso20_is_told_by_the_payload_type(name: str) -> None:
    kind = schemas.SCHEMAS[name].payload_type
    assert kind is not None
    for exi in vectors(name)[:40]:
        found = Conversation().read(kind, exi)
        assert (found.schema, found.guessed, found.error) == (name, False, None)


@pytest.mark.parametrize("name", ["din", "iso2"])
def test_each_message_alone_is_guessed_right(name: str) -> None:
    for exi in vectors(name):
        found = Conversation().read(0x8001, exi)
        assert (found.schema, found.guessed) == (name, True)


def test_what_the_handshake_chose_counts_even_with_teslas_name() -> None:
    from pyplc.v2g.handshake import AppProtocol, SupportedAppProtocolReq, SupportedAppProtocolRes, responseCode

    offer = AppProtocol(
        ProtocolNamespace="urn:tesla:din:2018:MsgDef",
        VersionNumberMajor=2,
        VersionNumberMinor=0,
        SchemaID=7,
        Priority=1,
    )
    app = schemas.schema("app")
    talk = Conversation()
    talk.read(0x8001, app.encode(SupportedAppProtocolReq(AppProtocol=[offer])))
    ok = responseCode.OK_SuccessfulNegotiation
    talk.read(0x8001, app.encode(SupportedAppProtocolRes(ResponseCode=ok, SchemaID=7)))
    assert talk.negotiated == "din"
    assert (talk.read(0x8001, DIN).schema, talk.read(0x8001, DIN).guessed) == ("din", False)


def test_forced() -> None:
    items = [segment("ev", 1, pack(0x8001, DIN))]
    (right,) = messages_of(items, Reader(schema="din"))
    assert (right.schema, right.guessed, right.name) == ("din", False, "SessionSetupReq")
    (wrong,) = messages_of(items, Reader(schema="iso2"))
    assert (wrong.schema, wrong.value) == ("iso2", None)
    assert wrong.error


def test_bytes_of_no_schema_are_an_error_with_the_bytes() -> None:
    (found,) = messages_of([segment("ev", 1, pack(0x8001, b"\xff\xff\xff"))])
    assert (found.name, found.exi) == ("", b"\xff\xff\xff")
    assert found.error
