"""`pyplc decode`, `encode` and `schema`."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from pyplc.cli import decode, encode, schema

SETUP = "809a02000000000000000011d01b703a84459c2000"


def run(command: object, *args: str, text: str | None = None) -> tuple[int, str]:
    result = CliRunner().invoke(command, list(args), input=text)  # type: ignore[arg-type]
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.output


@pytest.mark.parametrize(
    "given",
    [SETUP, SETUP.upper(), f"0x{SETUP}", " ".join(SETUP), f"01fe800100000015{SETUP}", ":".join([SETUP[:4], SETUP[4:]])],
)
def test_hex_in_any_dress(given: str) -> None:
    code, out = run(decode.command, given)
    assert code == 0
    assert "EVCCID dc0ea1116708" in out


def test_standard_input_and_files(tmp_path: Path) -> None:
    assert "SessionSetupReq" in run(decode.command, "-", text=SETUP)[1]
    file = tmp_path / "message.exi"
    file.write_bytes(bytes.fromhex(SETUP))
    assert "SessionSetupReq" in run(decode.command, f"@{file}")[1]
    assert "SessionSetupReq" in run(decode.command, "--base64", base64.b64encode(bytes.fromhex(SETUP)).decode())[1]


def test_forms_and_back() -> None:
    for form in ("--xml", "--json"):
        code, text = run(decode.command, form, SETUP)
        assert code == 0
        assert run(encode.command, "--schema", "din", "-", text=text) == (0, SETUP + "\n")
    assert run(decode.command, "--repr", SETUP)[1].startswith("V2G_Message(Header=")


@pytest.mark.parametrize("given", ["809a02", "zz", "01fe8001000000ff80", "", "ff"])
def test_bad_input_is_one_sentence(given: str) -> None:
    code, out = run(decode.command, given)
    assert code == 1
    assert out.startswith("pyplc decode: ")
    assert out.count("\n") == 1


def test_the_bit_is_named() -> None:
    assert "bit 26" in run(decode.command, "809a0200")[1] or "bit" in run(decode.command, "809a0200")[1]


def test_batch(tmp_path: Path) -> None:
    file = tmp_path / "lines.jsonl"
    lines = [{"schema": "din", "kind": "document", "exi_hex": SETUP}, {"schema": "din", "exi_hex": "809a02"}, {}]
    file.write_text("\n".join(map(json.dumps, lines)))
    good, bad, empty = map(json.loads, run(decode.command, "--batch", str(file))[1].splitlines())
    assert good["message"] == "SessionSetupReq"
    assert bad["bit"] > 0
    assert "exi_hex" in empty["error"]
    file.write_text("\n".join(json.dumps({"schema": "din", "kind": "document", k: good[k]}) for k in ("xml", "json")))
    assert [json.loads(line) for line in run(encode.command, "--batch", str(file))[1].splitlines()] == [
        {"exi_hex": SETUP}
    ] * 2


def test_schema() -> None:
    code, out = run(schema.command, "PreChargeReq")
    assert code == 0
    assert "sent by the vehicle" in out
    assert "EVTargetVoltage" in out
    code, out = run(schema.command, "PreChargRes")
    assert code == 1
    assert "PreChargeRes" in out


def test_fragments() -> None:
    fragment = "8004015a590c408000081018202830384048505860687079e8"
    code, xml = run(decode.command, "--fragment", "--schema", "iso2", "--xml", fragment)
    assert code == 0
    assert "AuthorizationReq" in xml
    code, out = run(encode.command, "--fragment", "--schema", "iso2", xml)
    assert out.splitlines()[0] == fragment
    assert out.splitlines()[1].startswith("sha256 ")
    assert run(decode.command, "--fragment", fragment)[0] == 1


def test_warnings_and_strictness() -> None:
    offer = {
        "ProtocolNamespace": "urn:x",
        "VersionNumberMajor": 1,
        "VersionNumberMinor": 0,
        "SchemaID": 1,
        "Priority": 1,
    }
    text = json.dumps({"supportedAppProtocolReq": {"AppProtocol": [offer] * 6}})
    assert "warning: " in run(encode.command, "--schema", "app", "--peer", "cbv2g", text)[1]
    offer["ProtocolNamespace"] = "x" * 101
    text = json.dumps({"supportedAppProtocolReq": {"AppProtocol": [offer]}})
    assert run(encode.command, "--schema", "app", text)[0] == 0
    code, out = run(encode.command, "--schema", "app", "--strict", text)
    assert (code, "length 101" in out) == (1, True)
