"""What is said beside TCP: HomePlug management, pilot reports, discovery, neighbours, keys and log lines."""

from __future__ import annotations

import re
from typing import Any

from ..sdp import messages as sdp
from ..slac import catalogue
from ..slac.layout import Message
from ..slac.mme import FORMS, Mme, MmeError, parse
from ..v2gtp import VERSION
from . import hal, ip
from .events import Diagnostic, Endpoint, Event, Hal, HomePlug, Key, Neighbour, Pilot, Sdp, Syslog
from .names import MMTYPES

VERTEXCOM, IOTECHA = bytes.fromhex("0013d7"), bytes.fromhex("0080e1")
SYSLOG = 514
PRIORITY = re.compile(r"<(\d{1,3})>").match
NEIGHBOUR = {133: "router solicitation", 134: "router advertisement", 135: "neighbour solicitation",
             136: "neighbour advertisement", 137: "redirect"}  # fmt: skip
KEY_LINE = re.compile(
    r"(CLIENT_RANDOM|(?:CLIENT|SERVER)_HANDSHAKE_TRAFFIC_SECRET|(?:CLIENT|SERVER)_TRAFFIC_SECRET_\d+"
    r"|CLIENT_EARLY_TRAFFIC_SECRET|EARLY_EXPORTER_SECRET|EXPORTER_SECRET)"
    r"[ \t]+([0-9A-Fa-f]{64})[ \t]+((?:[0-9A-Fa-f]{2}){16,64})\b"
)


def homeplug(at: dict[str, Any], frame: bytes) -> Event:
    """A management message, or the pilot report or tester's values that it is."""
    try:
        mme = parse(frame)
    except MmeError as error:
        return HomePlug(**at, name="", type=0, version=0, oui=b"", payload=frame[14:], error=str(error))
    report = _REPORTS.get((mme.type, mme.oui))
    if report is not None and (event := report(at, mme)) is not None:
        return event
    message: Message | None = None
    problem: str | None = None
    try:
        message = catalogue.read(mme)
    except MmeError as error:
        problem = str(error)
    return HomePlug(
        **at, name=message.NAME if message is not None else name_of(mme), type=mme.type, version=mme.version,
        oui=mme.oui, payload=mme.payload, message=message, error=problem,
    )  # fmt: skip


def name_of(mme: Mme) -> str:
    """The name of a management message, or its number."""
    base = MMTYPES.get((mme.type & ~3, mme.oui))
    return f"{base}.{FORMS[mme.type & 3]}" if base else f"MMTYPE {mme.type:#06x}"


def _vertexcom(at: dict[str, Any], mme: Mme) -> Event | None:
    """VS_GET_PWM_STATS: status, frequency, duty cycle in 0.1 %, mV, ADC."""
    data = mme.payload
    if len(data) < 7:
        return None
    frequency, duty, voltage = (int.from_bytes(data[i : i + 2], "little") for i in (1, 3, 5))
    state = hal.pilot_state(voltage / 1000)[-1]
    name = f"VS_GET_PWM_STATS.{FORMS[mme.type & 3]}"
    return Pilot(
        **at, name=name, state=state, duty_percent=duty / 10, frequency=float(frequency), voltage=voltage / 1000
    )


def _iotecha(at: dict[str, Any], mme: Mme) -> Event | None:
    """Control pilot report: state twice the number of its letter less one, duty cycle in %, Hz, mV."""
    data = mme.payload
    if len(data) < 11:
        return None
    letter = "ABCDEF"[(data[5] - 1) // 2] if 1 <= data[5] <= 12 else ""
    frequency, voltage = (int.from_bytes(data[i : i + 2], "little") for i in (7, 9))
    return Pilot(
        **at, name="CP_REPORT.IND", state=letter, duty_percent=float(data[6]), frequency=float(frequency),
        voltage=voltage / 1000,
    )  # fmt: skip


def _dspace(at: dict[str, Any], mme: Mme) -> Event | None:
    text = mme.payload.rstrip(b"\0").decode("utf-8", "replace")
    start = text.find("{")
    if start < 0:
        return None
    return Diagnostic(**at, title=text[:start].strip("|").rpartition("|")[2], text=text[start:])


_REPORTS = {
    (0xA10E, VERTEXCOM): _vertexcom,
    (0xA10D, VERTEXCOM): _vertexcom,
    (0xA22E, IOTECHA): _iotecha,
    (0x8002, b""): _dspace,
}


def neighbour(at: dict[str, Any], data: bytes, found: ip.Ip) -> Event | None:
    """ICMPv6 neighbour discovery; None for the rest of ICMPv6."""
    start = found.start
    name = NEIGHBOUR.get(data[start]) if len(data) > start else None
    if name is None or data[start] not in (135, 136) or len(data) < start + 24:
        return None
    target, option = ip.text(data[start + 8 : start + 24]), data[start + 24 : start + 32]
    link = option[2:8] if len(option) == 8 and option[0] in (1, 2) and option[1] == 1 else b""
    return Neighbour(
        **at, name=name, sender=ip.text(found.source), receiver=ip.text(found.destination), target=target,
        link_address=link,
    )  # fmt: skip


def datagram(at: dict[str, Any], data: bytes, found: ip.Ip) -> list[Event]:
    """What a UDP packet says: discovery, keys, a line of a log; nothing for all others."""
    start = found.start
    if len(data) < start + 8:
        return []
    payload = data[start + 8 : found.end]
    here, there = int.from_bytes(data[start : start + 2], "big"), int.from_bytes(data[start + 2 : start + 4], "big")
    if payload[:3] == VERSION + b"\x90":
        return [
            _discovery(at, payload, Endpoint(ip.text(found.source), here), Endpoint(ip.text(found.destination), there))
        ]
    if b"_RANDOM" in payload or b"_SECRET" in payload:
        return [*keys(at, payload)]
    if there == SYSLOG:
        return [_syslog(at, payload)]
    return []


def _discovery(at: dict[str, Any], payload: bytes, sender: Endpoint, receiver: Endpoint) -> Sdp:
    request = payload[3:4] == b"\x00"
    name, side = ("SECC_DiscoveryReq", "ev") if request else ("SECC_DiscoveryRes", "evse")
    try:
        message = sdp.parse(payload)
    except sdp.SdpError as error:
        return Sdp(**at, name=name, side=side, sender=sender, receiver=receiver, error=str(error))  # type: ignore[arg-type]
    return Sdp(**at, name=name, side=side, sender=sender, receiver=receiver, message=message)  # type: ignore[arg-type]


def keys(at: dict[str, Any], text: bytes) -> list[Key]:
    """The secrets in the text of an NSS key log, wherever they stand in it."""
    return [
        Key(**at, label=label, client_random=bytes.fromhex(random), secret=bytes.fromhex(secret))
        for label, random, secret in KEY_LINE.findall(text.decode("latin-1"))
    ]


def _syslog(at: dict[str, Any], payload: bytes) -> Syslog:
    text = payload.split(b"\0", 1)[0].decode("utf-8", "replace")
    match = PRIORITY(text)
    if match is None:
        return Syslog(**at, text=text)
    return Syslog(**at, text=text[match.end() :], priority=int(match.group(1)))


def adapter(at: dict[str, Any], data: bytes) -> Hal:
    """A frame of the test adapter."""
    try:
        return Hal(**at, message=hal.parse(data))
    except hal.HalError as error:
        return Hal(**at, error=str(error))
