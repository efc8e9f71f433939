"""Every message of every schema against another codec's bytes, in both directions and both codecs of ours."""

from __future__ import annotations

import json
import time

import pytest
import vectors

from pyplc.cli import exitool
from pyplc.exi import slow
from pyplc.exi.declare import Element
from pyplc.exi.errors import ExiError
from pyplc.exi.xmltext import canonical, to_xml
from pyplc.v2g import schemas


def decode(line: vectors.Line, data: bytes) -> Element:
    return exitool.decode(data, line["schema"], line.get("kind") == "fragment")[0]


@pytest.mark.parametrize("name", vectors.SCHEMAS)
def test_xml_gives_the_bytes(name: str) -> None:
    for line in vectors.lines(name):
        message, tag = exitool.read(line["xml"], name)
        data, digest = exitool.encode(message, name, tag if line["kind"] == "fragment" else None)
        assert data.hex() == line["exi_hex"], line["variant"]
        assert digest is None or digest.hex() == line["sha256"]


@pytest.mark.parametrize("name", vectors.SCHEMAS)
def test_bytes_give_the_xml(name: str) -> None:
    for line in vectors.lines(name):
        data = vectors.octets(line)
        message, tag, namespace = exitool.decode(data, name, line["kind"] == "fragment")
        assert canonical(to_xml(message, tag, namespace)) == canonical(line["xml"]), line["variant"]
        if "exi_hex_alt" in line:
            assert decode(line, vectors.octets(line, "exi_hex_alt")) == message


@pytest.mark.parametrize("name", vectors.SCHEMAS)
def test_json_and_back(name: str) -> None:
    for line in vectors.lines(name)[::3]:
        message, tag, _ = exitool.decode(vectors.octets(line), name, line["kind"] == "fragment")
        text = json.dumps(exitool.to_json(message, tag))
        assert exitool.read(text, name) == (message, tag)


@pytest.mark.parametrize("name", [name for name in vectors.SCHEMAS if name != "xmldsig"])
def test_generated_and_general_codec_agree(name: str) -> None:
    schema = schemas.schema(name)
    for line in vectors.lines(name):
        if line["kind"] == "document":
            data = vectors.octets(line)
            message = slow.decode_document(schema, data)
            assert schema.decode(data) == message
            assert slow.encode_document(schema, message) == data


@pytest.mark.parametrize("name", [name for name in vectors.SCHEMAS if name != "xmldsig"])
def test_strict(name: str) -> None:
    schema = schemas.schema(name)
    for line in vectors.lines(name):
        if line["kind"] == "document":
            assert schema.decode(vectors.octets(line), strict=True) == schema.decode(vectors.octets(line))
            if "exi_hex_alt" in line:
                with pytest.raises(ExiError):
                    schema.decode(vectors.octets(line, "exi_hex_alt"), strict=True)


def test_malformed() -> None:
    for line in vectors.lines("malformed"):
        began = time.perf_counter()
        try:
            schemas.schema(line["schema"]).decode(vectors.octets(line))
        except ExiError as error:
            assert error.bit is None or 0 <= error.bit <= 4 * len(line["exi_hex"]) + 8
        else:
            assert line["expect"] == "any", line["case"]
        assert time.perf_counter() - began < 1.0


def test_tolerated() -> None:
    for line in vectors.lines("tolerated"):
        assert decode(line, vectors.octets(line)) == decode(line, vectors.octets(line, "same_as_exi_hex")), line["case"]


def test_exotic_is_an_error_or_the_right_value() -> None:
    values = 0
    for line in vectors.lines("exotic"):
        try:
            message = decode(line, vectors.octets(line))
        except ExiError:
            continue
        values += 1
        assert line["case"] in ("xsi:nil=false", "xsi:schemaLocation on the root")
        assert "urn:x" in to_xml(message)
    assert values <= 2


def test_digests_of_real_signatures() -> None:
    for line in vectors.lines("signed_field"):
        message, tag = exitool.read(line["xml"], line["schema"])
        data, digest = exitool.encode(message, line["schema"], tag)
        assert digest is not None
        assert (data.hex(), digest.hex()) == (line["exi_hex"], line["sha256"])
        assert decode(line, data) == message


def test_field_messages_come_back() -> None:
    for line in vectors.only_full("field"):
        schema, data = schemas.schema(line["schema"]), vectors.octets(line)
        again = schema.encode(schema.decode(data))
        assert again == data if line["reencode"] == "exact" else data.startswith(again)
