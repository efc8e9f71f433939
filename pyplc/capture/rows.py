"""An event as one row of a list: colouring group, side, protocol, name and text; and as one JSON object."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..exi.jsontext import to_plain
from ..exi.xmltext import to_xml
from ..units import spelled
from . import station
from .events import (
    Change,
    Comment,
    Connection,
    Damage,
    Diagnostic,
    Event,
    Hal,
    HomePlug,
    Key,
    Message,
    Neighbour,
    Pilot,
    Recorded,
    Sdp,
    Syslog,
    Tls,
)
from .quantities import brief

SCHEMAS = {"app": "SAP", "din": "DIN", "iso2": "ISO-2", "xmldsig": "XMLDSIG", "": "?"}
PHASES = ("CM_SLAC", "CM_START", "CM_MNBC", "CM_ATTEN", "CM_VALIDATE", "CM_SET_KEY", "CM_AMP", "VS_ATTEN", "VS_HOST")
"""Management messages that belong to the story of a charge; the rest is the modems' own talk."""


class Row(NamedTuple):
    """`group` is one of `GROUPS` of the command line; `usual` says whether it is shown without being asked for."""

    group: str
    side: str
    protocol: str
    name: str
    text: str
    error: bool = False
    usual: bool = True


def row(event: Event) -> Row:
    """The row of an event."""
    shown: Row = _ROWS[type(event)](event)
    return shown


_RARE = (Neighbour, Syslog, Diagnostic, Comment)


def usual(event: Event) -> bool:
    """Is it shown without being asked for?"""
    if isinstance(event, HomePlug):
        return event.name.startswith(PHASES)
    if isinstance(event, Connection):
        return event.session > 0
    if isinstance(event, Recorded):
        return event.kind not in station.QUIET
    return not isinstance(event, _RARE)


def schema_name(schema: str) -> str:
    """A schema as people say it."""
    return "ISO-20" if schema.startswith("iso20") else SCHEMAS.get(schema, schema)


def failed(event: Message) -> bool:
    """Unreadable, or a response code that is not OK."""
    if event.error is not None:
        return True
    code = getattr(event.body, "ResponseCode", None)
    return code is not None and not getattr(code, "text", "").startswith(("OK", "WARNING"))


def _message(e: Message) -> Row:
    if e.error is not None:
        text = f"{e.error} ({e.exi[:24].hex()}{'...' if len(e.exi) > 24 else ''})"
        return Row("v2g", e.side, schema_name(e.schema), e.name or "(unreadable)", text, True)
    text = brief(e.body)
    name = schema_name(e.schema) + ("?" if e.guessed else "")
    return Row("v2g", e.side, name, e.name, text, failed(e))


def _homeplug(e: HomePlug) -> Row:
    text = e.error or _shown(e)
    return Row("homeplug", e.side, "HomePlug", e.name, text, e.error is not None, usual(e))


def _shown(e: HomePlug) -> str:
    if e.message is None:
        return f"{e.source.hex(':')} > {e.destination.hex(':')}"
    groups = getattr(e.message, "groups", None)
    names = [name for name, _ in e.message.LAYOUT if name and name not in _DULL and not (groups and name == "count")]
    text = "  ".join(f"{_LABELS.get(name, name)} {_spelled(name, getattr(e.message, name))}" for name in names)
    if groups:
        text += f"  mean {sum(groups) / len(groups):.1f} dB of {len(groups)} groups"
    return f"{e.source.hex(':')}  {text}"


def _spelled(name: str, value: Any) -> str:
    if isinstance(value, bytes):
        return value.hex(":") if len(value) == MAC else value.hex()
    if name == "action" and value in ACTIONS:
        return f"{value} ({ACTIONS[value]})"
    return f"{value * 100} ms" if name == "timeout" else str(value)


MAC = 6
ACTIONS = {0: "wants firmware and PIB", 2: "a changed PIB is stored", 5: "factory defaults"}
"""VS_HOST_ACTION of Qualcomm."""
_LABELS = {"pev_mac": "PEV", "evse_mac": "EVSE", "source_address": "PEV", "nid": "NID", "nmk": "NMK", "run_id": "run",
           "timeout": "time-out"}  # fmt: skip
_DULL = {"application", "security", "reserved", "response_type", "pad", "carriers", "sender_id", "source_id",
         "response_id", "pev_id", "evse_id", "length", "rest", "random", "my_nonce", "your_nonce", "prn", "pmn", "pid",
         "cco_capability", "eks", "forwarding_sta", "sound_target", "groups"}  # fmt: skip


def _pilot(e: Pilot) -> Row:
    parts = [f"state {e.state or '?'}"]
    for value, unit in ((e.duty_percent, "%"), (e.frequency or None, "Hz"), (e.voltage, "V")):
        if value is not None:
            parts.append(spelled(value, unit))
    return Row("pilot", "", "Pilot", e.name, "  ".join(parts))


def _sdp(e: Sdp) -> Row:
    if e.message is None:
        return Row("sdp", e.side, "SDP", e.name, e.error or "", True)
    security = {0: "TLS", 0x10: "no TLS"}.get(e.message.security, f"security {e.message.security:#04x}")
    where = f"[{e.message.address}]:{e.message.port}  " if hasattr(e.message, "address") else ""
    return Row("sdp", e.side, "SDP", e.name, where + security)


def _neighbour(e: Neighbour) -> Row:
    text = f"{e.sender} > {e.receiver}  {e.target}  {e.link_address.hex(':')}"
    return Row("network", "", "ICMPv6", e.name, text, usual=usual(e))


def _connection(e: Connection) -> Row:
    text = f"{e.sender} > {e.receiver}"
    if e.change is Change.GAP:
        text = f"{e.missing or 'an unknown number of'} bytes are not in the capture  {text}"
    wrong = e.change is Change.GAP and e.session > 0
    return Row("network", e.side, "TCP", e.change.value, text, wrong, usual(e))


def _tls(e: Tls) -> Row:
    return Row("tls", e.side, "TLS", e.name, e.text, e.warning)


def _key(e: Key) -> Row:
    return Row("key", "", "TLS key", e.label, f"client random {e.client_random.hex()}")


def _hal(e: Hal) -> Row:
    if e.message is None:
        return Row("hal", "", "HAL", "", e.error or "", True)
    plain = e.message.plain()
    payload = plain["payload"]
    text = "  ".join(f"{k} {v}" for k, v in payload.items()) if isinstance(payload, dict) else payload
    return Row("hal", "", "HAL", e.message.name, f"{plain['mode']} {plain['ack']}  {text}")


def _recorded(e: Recorded) -> Row:
    return Row("station", e.side, "Station", e.kind, e.text, station.failed(e.kind, e.value), usual(e))


_ROWS: dict[type[Event], Any] = {
    Message: _message,
    HomePlug: _homeplug,
    Pilot: _pilot,
    Sdp: _sdp,
    Neighbour: _neighbour,
    Connection: _connection,
    Tls: _tls,
    Key: _key,
    Hal: _hal,
    Recorded: _recorded,
    Syslog: lambda e: Row("log", "", "Log", "", e.text, usual=usual(e)),
    Diagnostic: lambda e: Row("log", "", "Tester", e.title, e.text, usual=usual(e)),
    Comment: lambda e: Row("log", "", "Comment", "", e.text, usual=usual(e)),
    Damage: lambda e: Row("damage", "", "File", "damage", e.text, True),
}


def plain(event: Event, xml: bool = False) -> dict[str, Any]:
    """An event as JSON: the same keys for every kind, `value` what it says."""
    out = {
        "frame": event.frame,
        "time": event.time,
        "session": getattr(event, "session", 0),
        "side": getattr(event, "side", ""),
        "protocol": "",
        "message": "",
        "schema": "",
        "guessed": False,
        "exi_hex": "",
        "value": None,
    }
    if isinstance(event, Message):
        out["protocol"], out["message"], out["schema"] = event.protocol, event.name, event.schema
        out["guessed"], out["exi_hex"] = event.guessed, event.exi.hex()
        if event.value is not None:
            out["value"] = to_plain(event.value)
            if xml:
                out["xml"] = to_xml(event.value)
        else:
            out["error"] = event.error
        return out
    protocol, name, value = _PLAIN[type(event)](event)
    out["protocol"], out["message"], out["value"] = protocol, name, value
    if error := getattr(event, "error", None):
        out["error"] = error
    return out


def _macs(e: Event) -> dict[str, Any]:
    return {"source": e.source.hex(":"), "destination": e.destination.hex(":")}


def _plain_homeplug(e: HomePlug) -> tuple[str, str, dict[str, Any]]:
    known = e.message.fields() if e.message is not None else {"payload": e.payload.hex()}
    return "HomePlug", e.name, {**_macs(e), "mmtype": e.type, "oui": e.oui.hex(), **known}


def _plain_sdp(e: Sdp) -> tuple[str, str, dict[str, Any]]:
    known = e.message._asdict() if e.message is not None else {}
    return "SDP", e.name, {"sender": str(e.sender), "receiver": str(e.receiver), **known}


_PLAIN: dict[type[Event], Any] = {
    HomePlug: _plain_homeplug,
    Sdp: _plain_sdp,
    Pilot: lambda e: ("Pilot", e.name, {**_macs(e), "state": e.state, "duty_percent": e.duty_percent,
                                        "frequency": e.frequency, "voltage": e.voltage}),
    Neighbour: lambda e: ("ICMPv6", e.name, {"sender": e.sender, "receiver": e.receiver, "target": e.target,
                                             "link_address": e.link_address.hex(":")}),
    Connection: lambda e: ("TCP", e.change.value, {"connection": e.connection, "sender": str(e.sender),
                                                   "receiver": str(e.receiver), "missing": e.missing}),
    Tls: lambda e: ("TLS", e.name, {"connection": e.connection, "text": e.text, "warning": e.warning}),
    Key: lambda e: ("TLS key", e.label, {"client_random": e.client_random.hex(), "secret": e.secret.hex()}),
    Hal: lambda e: ("HAL", e.message.name if e.message else "", e.message.plain() if e.message else None),
    Recorded: lambda e: ("Station", e.kind, {"station": e.station, **e.value}),
    Syslog: lambda e: ("Log", "", {"text": e.text, "priority": e.priority}),
    Diagnostic: lambda e: ("Tester", e.title, {"text": e.text}),
    Comment: lambda e: ("Comment", "", {"text": e.text}),
    Damage: lambda e: ("File", "damage", {"text": e.text}),
}  # fmt: skip
