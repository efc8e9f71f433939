"""Which schema a message is of, what peers cannot read, and what declarations say of themselves."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pyplc.exi.errors import ExiError
from pyplc.v2g import peers, reference, schemas

VECTORS = Path(__file__).parents[1] / "vectors"


def lines(name: str) -> list[dict[str, str]]:
    found = [json.loads(line) for line in (VECTORS / f"{name}.jsonl").read_text().splitlines()]
    return [line for line in found if line.get("kind") == "document"]


@pytest.mark.parametrize("name", [name for name in schemas.SCHEMAS if name != "xmldsig"])
def test_payload_type_tells(name: str) -> None:
    for line in lines(name):
        found = schemas.detect(bytes.fromhex(line["exi_hex"]), schemas.SCHEMAS[name].payload_type)
        assert (found.schema, found.certain) == (name, True)


@pytest.mark.parametrize("name", [name for name in schemas.SCHEMAS if name != "xmldsig"])
def test_without_it_a_wrong_answer_is_a_guess(name: str) -> None:
    for line in lines(name)[::5]:
        found = schemas.detect(bytes.fromhex(line["exi_hex"]))
        assert found.schema == name or not found.certain


def test_several_messages_score() -> None:
    streams = [(None, bytes.fromhex(line["exi_hex"])) for line in lines("iso20_dc")[:10]]
    assert schemas.detect_session(streams).schema == "iso20_dc"
    with pytest.raises(ExiError):
        schemas.detect(b"\xff\xff")


def test_limits_of_a_peer() -> None:
    from pyplc.v2g import handshake as h

    offer = h.AppProtocol(ProtocolNamespace="urn:x", VersionNumberMajor=1, VersionNumberMinor=0, SchemaID=1, Priority=1)
    assert peers.warnings(h.SupportedAppProtocolReq(AppProtocol=[offer] * 5), "app") == []
    (warning,) = peers.warnings(h.SupportedAppProtocolReq(AppProtocol=[offer] * 6), "app", "cbv2g")
    assert "6 items" in warning and "5" in warning
    with pytest.raises(ValueError, match="nobody"):
        peers.warnings(h.SupportedAppProtocolReq(AppProtocol=[offer]), "app", "nobody")


def test_a_message_describes_itself() -> None:
    cls = reference.find("din", "currentdemandres")
    assert cls is not None
    text = "\n".join(reference.describe("din", cls))
    assert "sent by the charger" in text
    assert "EVSEPresentVoltage" in text
    assert " V  PhysicalValue" in text
    assert reference.similar("CurentDemandRes", "din")[0] == "CurrentDemandRes"


def test_a_schema_loads_nothing_of_the_others() -> None:
    code = "import sys, pyplc.v2g.schemas as s; s.schema('iso20_dc'); print([m for m in sys.modules if 'iso2.' in m])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize("name", schemas.SCHEMAS)
def test_the_manual_is_current(name: str) -> None:
    page = Path(__file__).parents[2] / "docs" / "reference" / "messages" / f"{name}.md"
    assert page.read_text() == reference.markdown(name), "run docs/reference/messages/generate.py"


def test_length_facets() -> None:
    from pyplc.exi.facets import problems
    from pyplc.v2g import iso2

    assert list(problems(iso2.SessionSetupReq(EVCCID=bytes(6)))) == []
    (problem,) = problems(iso2.SessionSetupReq(EVCCID=bytes(7)))
    assert problem == "SessionSetupReq/EVCCID has length 7, its schema allows 0 to 6"
