"""How fast messages are decoded and encoded, beside `json` of the standard library with the same message's JSON text.

Figures are microseconds, minimum and median of many rounds in one run. The messages are those of a charge loop: 200
whose values move, in turn, as in a session. `cold` (the last two columns: decode, encode) empties the tables of values
before each round. EXIficient (Java, as the PyPI package iso15118 drives it) stands beside, in an environment made on
first use under the temporary folder, where Java and pip allow.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pyplc.exi import gendecode, genencode
from pyplc.exi.declare import Element
from pyplc.exi.jsontext import to_plain
from pyplc.v2g import handshake as app
from pyplc.v2g import schemas
from pyplc.v2g.din import messages as din
from pyplc.v2g.iso2 import messages as iso2
from pyplc.v2g.iso20 import dc, types

ROUNDS, TARGET_DECODE, TARGET_ENCODE = 25, 0.8, 0.4
BIG, TARGET_BIG = "ISO-2 CertificateInstallationRes", 60


def offers(i: int) -> Element:
    names = ("urn:iso:std:iso:15118:-20:DC", "urn:iso:15118:2:2013:MsgDef", "urn:din:70121:2012:MsgDef")
    return app.SupportedAppProtocolReq(
        AppProtocol=[
            app.AppProtocol(
                ProtocolNamespace=name, VersionNumberMajor=2, VersionNumberMinor=i % 3, SchemaID=n, Priority=n
            )
            for n, name in enumerate(names, 1)
        ]
    )


def v2(m: Any, body: Element) -> Element:
    header = m.MessageHeader(SessionID=bytes.fromhex("7b96db55ed0f82ba"))
    message: Element = m.V2G_Message(Header=header, Body=m.Body(BodyElement=body))
    return message


def demand_req(m: Any, i: int) -> Element:
    of, unit = m.PhysicalValue.of, m.unitSymbol
    status = m.DC_EVStatus(EVReady=True, EVErrorCode=m.DC_EVErrorCode.NO_ERROR, EVRESSSOC=30 + i // 4)
    body = m.CurrentDemandReq(
        DC_EVStatus=status,
        EVTargetCurrent=of(100 + i / 10, unit.A),
        EVMaximumVoltageLimit=of(420, unit.V),
        EVMaximumCurrentLimit=of(200, unit.A),
        BulkChargingComplete=False,
        ChargingComplete=False,
        RemainingTimeToFullSoC=of(3600 - i, unit.s),
        EVTargetVoltage=of(400, unit.V),
    )
    return v2(m, body)


def demand_res(m: Any, i: int) -> Element:
    of, unit = m.PhysicalValue.of, m.unitSymbol
    status = m.DC_EVSEStatus(
        NotificationMaxDelay=0,
        EVSENotification=m.EVSENotification.None_,
        EVSEIsolationStatus=m.isolationLevel.Valid,
        EVSEStatusCode=m.DC_EVSEStatusCode.EVSE_Ready,
    )
    more = {"EVSEID": "DE*PNX*E12345*1", "SAScheduleTupleID": 1} if m is iso2 else {}
    body = m.CurrentDemandRes(
        ResponseCode=m.responseCode.OK,
        DC_EVSEStatus=status,
        EVSEPresentVoltage=of(380 + i / 10, unit.V),
        EVSEPresentCurrent=of(100 + i / 10, unit.A),
        EVSECurrentLimitAchieved=False,
        EVSEVoltageLimitAchieved=False,
        EVSEPowerLimitAchieved=False,
        EVSEMaximumVoltageLimit=of(920, unit.V),
        EVSEMaximumCurrentLimit=of(500, unit.A),
        EVSEMaximumPowerLimit=of(350000, unit.W),
        **more,
    )
    return v2(m, body)


def parameters_res(m: Any, i: int) -> Element:
    of, unit = m.PhysicalValue.of, m.unitSymbol
    status = m.DC_EVSEStatus(
        NotificationMaxDelay=0,
        EVSENotification=m.EVSENotification.None_,
        EVSEIsolationStatus=m.isolationLevel.Invalid,
        EVSEStatusCode=m.DC_EVSEStatusCode.EVSE_Ready,
    )
    parameter = m.DC_EVSEChargeParameter(
        DC_EVSEStatus=status,
        EVSEMaximumCurrentLimit=of(200 + i / 10, unit.A),
        EVSEMaximumPowerLimit=of(100000, unit.W),
        EVSEMaximumVoltageLimit=of(920, unit.V),
        EVSEMinimumCurrentLimit=of(1, unit.A),
        EVSEMinimumVoltageLimit=of(200, unit.V),
        EVSEPeakCurrentRipple=of(1, unit.A),
    )
    interval = m.RelativeTimeInterval(start=0, duration=86400)
    power: Any = of(100000, unit.W) if m is iso2 else 10000
    entry = m.PMaxScheduleEntry(TimeInterval=interval, PMax=power)
    identity = {} if m is iso2 else {"PMaxScheduleID": 1}
    schedule = m.PMaxSchedule(PMaxScheduleEntry=[entry], **identity)
    body = m.ChargeParameterDiscoveryRes(
        ResponseCode=m.responseCode.OK,
        EVSEProcessing=m.EVSEProcessing.Finished,
        SASchedules=m.SAScheduleList(SAScheduleTuple=[m.SAScheduleTuple(SAScheduleTupleID=1, PMaxSchedule=schedule)]),
        EVSEChargeParameter=parameter,
    )
    return v2(m, body)


def header20(i: int) -> types.MessageHeader:
    return types.MessageHeader(SessionID=bytes.fromhex("7b96db55ed0f82ba"), TimeStamp=1739635913 + i // 4)


def loop_req(i: int) -> Element:
    of = types.RationalNumber.of
    mode = dc.Scheduled_DC_CLReqControlMode(
        EVTargetCurrent=of(100 + i / 10),
        EVTargetVoltage=of(400),
        EVMaximumChargePower=of(150000),
        EVMaximumChargeCurrent=of(300),
        EVMaximumVoltage=of(420),
    )
    shown = types.DisplayParameters(PresentSOC=30 + i // 4, ChargingComplete=False)
    return dc.DC_ChargeLoopReq(
        Header=header20(i),
        DisplayParameters=shown,
        MeterInfoRequested=False,
        EVPresentVoltage=of(380 + i / 10),
        CLReqControlMode=mode,
    )


def loop_res(i: int) -> Element:
    of = types.RationalNumber.of
    mode = dc.Scheduled_DC_CLResControlMode(
        EVSEMaximumChargePower=of(150000), EVSEMaximumChargeCurrent=of(300), EVSEMaximumVoltage=of(920)
    )
    return dc.DC_ChargeLoopRes(
        Header=header20(i),
        ResponseCode=types.responseCode.OK,
        EVSEPresentCurrent=of(100 + i / 10),
        EVSEPresentVoltage=of(380 + i / 10),
        EVSEPowerLimitAchieved=False,
        EVSECurrentLimitAchieved=False,
        EVSEVoltageLimitAchieved=False,
        CLResControlMode=mode,
    )


def installation_res(i: int) -> Element:
    certificate = bytes(range(256)) * 3
    chain = iso2.CertificateChain(
        Id="id1", Certificate=certificate, SubCertificates=iso2.SubCertificates(Certificate=[certificate, certificate])
    )
    body = iso2.CertificateInstallationRes(
        ResponseCode=iso2.responseCode.OK,
        SAProvisioningCertificateChain=chain,
        ContractSignatureCertChain=chain,
        ContractSignatureEncryptedPrivateKey=iso2.ContractSignatureEncryptedPrivateKey(Id="id2", value=bytes(48)),
        DHpublickey=iso2.DiffieHellmanPublickey(Id="id3", value=bytes(65)),
        eMAID=iso2.EMAID(Id="id4", value=f"DEABC{i:010}"),
    )
    return v2(iso2, body)


CASES: dict[str, tuple[str, Callable[[int], Element]]] = {
    "SupportedAppProtocolReq": ("app", offers),
    "DIN CurrentDemandReq": ("din", lambda i: demand_req(din, i)),
    "DIN CurrentDemandRes": ("din", lambda i: demand_res(din, i)),
    "DIN ChargeParameterDiscoveryRes": ("din", lambda i: parameters_res(din, i)),
    "ISO-2 CurrentDemandReq": ("iso2", lambda i: demand_req(iso2, i)),
    "ISO-2 CurrentDemandRes": ("iso2", lambda i: demand_res(iso2, i)),
    "ISO-2 ChargeParameterDiscoveryRes": ("iso2", lambda i: parameters_res(iso2, i)),
    "-20 DC_ChargeLoopReq": ("iso20_dc", loop_req),
    "-20 DC_ChargeLoopRes": ("iso20_dc", loop_res),
    "ISO-2 CertificateInstallationRes": ("iso2", installation_res),
}


def timed(
    function: Callable[[Any], Any], arguments: list[Any], before: Callable[[], None] | None = None
) -> list[float]:
    """Microseconds a call, for each round over all arguments."""
    rounds = []
    for _ in range(ROUNDS):
        if before:
            before()
        began = time.perf_counter()
        for argument in arguments:
            function(argument)
        rounds.append((time.perf_counter() - began) / len(arguments) * 1e6)
    return rounds


def empty_tables() -> None:
    for get, _, _ in gendecode.KEPT.values():
        get.__self__.clear()  # type: ignore[attr-defined]  # the bound method of a dict
    for get, _ in genencode.KEPT.values():
        get.__self__.clear()  # type: ignore[attr-defined]
    gendecode.TEXTS.clear()


def measure(name: str, schema_name: str, make: Callable[[int], Element]) -> dict[str, Any]:
    schema = schemas.schema(schema_name)
    messages = [make(i) for i in range(200)]
    streams = [schema.encode(m) for m in messages]
    assert [schema.decode(s) for s in streams] == messages
    plain = [{m.tag(): to_plain(m)} for m in messages]
    texts = [json.dumps(p) for p in plain]
    return {
        "name": name,
        "bytes": len(streams[0]),
        "decode": timed(schema.decode, streams),
        "loads": timed(json.loads, texts),
        "encode": timed(schema.encode, messages),
        "dumps": timed(json.dumps, plain),
        "cold decode": timed(schema.decode, streams, empty_tables),
        "cold encode": timed(schema.encode, messages, empty_tables),
    }


def row(found: dict[str, Any]) -> str:
    def pair(key: str) -> str:
        return f"{min(found[key]):6.2f} {statistics.median(found[key]):6.2f}"

    decode = min(found["decode"]) / min(found["loads"])
    encode = min(found["encode"]) / min(found["dumps"])
    return (
        f"{found['name']:34}{found['bytes']:5}  {pair('decode')}  {pair('loads')}  {decode:5.2f}   "
        f"{pair('encode')}  {pair('dumps')}  {encode:5.2f}   "
        f"{min(found['cold decode']):6.2f} {min(found['cold encode']):6.2f}"
    )


PEER = """
import json, sys, time
from iso15118.shared.exi_codec import EXI
from iso15118.shared.exificient_exi_codec import ExificientEXICodec
codec = ExificientEXICodec()
for line in sys.stdin:
    case = json.loads(line)
    data = bytes.fromhex(case["exi"])
    def decode(): return codec.decode(data, case["namespace"])
    text = decode()
    def encode(): return codec.encode(text, case["namespace"])
    out = []
    for call in (decode, encode):
        for _ in range(200): call()
        times = []
        for _ in range(300):
            began = time.perf_counter(); call(); times.append((time.perf_counter() - began) * 1e6)
        times.sort()
        out += [times[0], times[len(times) // 2]]
    print(json.dumps(out), flush=True)
"""
NAMESPACES = {
    "app": "urn:iso:15118:2:2010:AppProtocol",
    "din": "urn:din:70121:2012:MsgDef",
    "iso2": "urn:iso:15118:2:2013:MsgDef",
    "iso20_dc": "urn:iso:std:iso:15118:-20:DC",
}


def peer_environment() -> Path | None:
    """The interpreter of an environment with iso15118, made on first use; None (with a message) where that fails."""
    if shutil.which("java") is None:
        print("EXIficient skipped: no java on this machine")
        return None
    python = Path(tempfile.gettempdir()) / "pyplc-bench-iso15118" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(python.parents[1])], check=True)
        install = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", "iso15118==0.31.2"]
        if subprocess.run(install, capture_output=True).returncode:
            shutil.rmtree(python.parents[1])
            print("EXIficient skipped: pip cannot install iso15118==0.31.2")
            return None
    return python


def beside_exificient() -> None:
    """Only the codec part of the other package: JSON text to bytes and back in Java, without its Python models."""
    python = peer_environment()
    if python is None:
        return
    cases = [(name, schema, make(0)) for name, (schema, make) in CASES.items()]
    lines = "\n".join(
        json.dumps({"exi": schemas.schema(s).encode(m).hex(), "namespace": NAMESPACES[s]}) for _, s, m in cases
    )
    done = subprocess.run([str(python), "-c", PEER], input=lines, capture_output=True, text=True, check=False)
    answers = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
    if not answers:
        print("EXIficient skipped:", done.stderr.strip().splitlines()[-1:] or "no answer")
        return
    print(f"\n{'EXIficient through py4j, us':34}  decode min median   encode min median")
    for (name, _, _), (low, middle, encode_low, encode_middle) in zip(cases, answers, strict=False):
        print(f"{name:34}  {low:10.0f} {middle:7.0f}  {encode_low:10.0f} {encode_middle:7.0f}")


def results(only: str) -> Iterator[dict[str, Any]]:
    for name, (schema, make) in CASES.items():
        if only in name:
            yield measure(name, schema, make)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="part of a message's name")
    parser.add_argument("--no-exificient", action="store_true", help="do not measure EXIficient beside")
    arguments = parser.parse_args()
    print(
        f"{'us: min, median':34}bytes  decode         json.loads     ratio   encode         json.dumps     ratio   cold"
    )
    worst = [0.0, 0.0]
    for found in results(arguments.only):
        print(row(found))
        if found["name"] == BIG:
            big = max(min(found["decode"]), min(found["encode"]))
            print(f"the big message takes {big:.0f} us (target {TARGET_BIG})")
            continue
        worst[0] = max(worst[0], min(found["decode"]) / min(found["loads"]))
        worst[1] = max(worst[1], min(found["encode"]) / min(found["dumps"]))
    print(
        f"worst ratio: decode {worst[0]:.2f} (target {TARGET_DECODE}), encode {worst[1]:.2f} (target {TARGET_ENCODE})"
    )
    if not arguments.no_exificient:
        beside_exificient()


if __name__ == "__main__":
    main()
