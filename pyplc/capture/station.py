"""What our own stations recorded, as events on the time line of the frames.

A record is JSON: `type`, `t`, `side` and the fields of its class in `record`. It comes from a custom block of a session
file (`pcapng.PcapngWriter.record`) or is a line of `session.jsonl`.
"""

from __future__ import annotations

from typing import Any

import msgspec

from ..v2g import schemas
from ..v2gtp import PayloadType
from .events import Damage, Endpoint, Event, Message, Pilot, Recorded, Side
from .v2g import Conversation, side_of

TEXTS = {
    "start": "pyplc {version} {what}",
    "phase": "{name}",
    "checkpoint": "{number}  {text}",
    "switch": "{device} {state}",
    "decision": "{what}: {why}",
    "note": "{text}",
    "dropped": "{what}: {reason}",
    "message": "{direction} {name}",
    "summary": "{outcome}: {reason}",
}
"""Records as one line; others as their fields."""
UNITS = {"voltage": "V", "current": "A", "battery_voltage": "V", "soc_percent": "%", "energy_wh": "Wh"}
QUIET = ("reading", "message", "dropped")
"""Records that are many, and said by messages too."""
HEAD = ("type", "t", "side")
NOWHERE = Endpoint("", 0)


class Stations:
    """Turns records into events. Messages of a recording without frames are decoded, each as the first side had it."""

    def __init__(self, schema: str | None) -> None:
        self._schema = schema
        self._side: str | None = None
        self._session = 0

    def event(self, at: dict[str, Any], json: bytes) -> Event | None:
        """The event of one record; None for a message that the other side recorded too."""
        try:
            record: Any = msgspec.json.decode(json.rstrip(b"\0"))
        except msgspec.DecodeError as error:
            return Damage(**at, text=f"a station's record is spoiled: {error}")
        if not isinstance(record, dict) or not isinstance(record.get("type"), str):
            return Damage(**at, text="a station's record has no type")
        kind, who = record["type"], str(record.get("side", ""))
        if kind == "message":
            return self._message(at, who, record)
        if kind == "pilot":
            return _pilot(at, who, record)
        values = {name: value for name, value in record.items() if name not in HEAD}
        return Recorded(**at, side=_side(who), station=who, kind=kind, value=values, text=text_of(kind, values))

    def _message(self, at: dict[str, Any], who: str, record: dict[str, Any]) -> Message | None:
        if self._side is None:
            self._side = who
        try:
            exi = bytes.fromhex(record["exi"])
            schema, name, sent = str(record["protocol"]), str(record["name"]), record["direction"] == "tx"
        except (KeyError, TypeError, ValueError):
            return None
        if who != self._side:
            return None
        if name == "supportedAppProtocolReq" or not self._session:
            self._session += 1
        entry = schemas.SCHEMAS.get(schema)
        kind = (entry.payload_type if entry is not None else None) or PayloadType.EXI
        found = Conversation(self._schema or (schema if entry is not None else None)).read(kind, exi)
        other: dict[str, Side] = {"ev": "evse", "evse": "ev"}
        side = side_of(name) or (_side(who) if sent else other.get(who, ""))
        return Message(
            **at, session=self._session, connection=0, side=side, sender=NOWHERE, receiver=NOWHERE, payload_type=kind,
            exi=exi, protocol=found.protocol, schema=found.schema, name=found.name, value=found.value,
            guessed=found.guessed, error=found.error,
        )  # fmt: skip


def _side(who: str) -> Side:
    return who if who in ("ev", "evse") else ""  # type: ignore[return-value]  # one of the literals


def _pilot(at: dict[str, Any], who: str, record: dict[str, Any]) -> Pilot:
    duty = record.get("duty_percent")
    percent = float(duty) if isinstance(duty, (int, float)) else None
    state = str(record.get("state", ""))[:1]
    return Pilot(**at, name=f"{who} station", state=state, duty_percent=percent, frequency=None, voltage=None)


def text_of(kind: str, values: dict[str, Any]) -> str:
    """A record as one line."""
    try:
        return TEXTS[kind].format_map(values)
    except KeyError:
        pairs = ((name, value) for name, value in values.items() if value is not None)
        return "  ".join(f"{name} {value}{' ' + UNITS[name] if name in UNITS else ''}" for name, value in pairs)


def failed(kind: str, values: dict[str, Any]) -> bool:
    """Does this record say that something is wrong?"""
    if kind == "note":
        return values.get("level") in ("warning", "error")
    return kind == "summary" and values.get("outcome") not in ("finished", "stopped")
