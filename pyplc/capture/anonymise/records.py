"""Records of our own stations with pseudonyms: their messages, the identifiers they name, and the text in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from ...exi.declare import Element
from ...exi.errors import ExiError
from ...v2g import schemas
from ...v2gtp import PayloadType
from ..v2g import Conversation
from .pseudonyms import Pseudonyms
from .text import Scrubber

KINDS = {"evccid": "station", "run_id": "raw", "nid": "nid", "nmk": "nmk"}
"""Fields that hold an identifier as hex, and its kind."""
BLANKED = ("data",)
"""Bytes nobody understood."""


class Records:
    """Makes records anonymous; `change` does it for a message."""

    def __init__(self, names: Pseudonyms, scrub: Scrubber, change: Callable[[Element], Element]) -> None:
        self._names, self._scrub, self._change = names, scrub, change

    def __call__(self, json: bytes) -> bytes:
        """A record with pseudonyms; what is no JSON is empty text afterwards."""
        try:
            record = msgspec.json.decode(json.rstrip(b"\0"))
        except msgspec.DecodeError:
            return b'""'
        if isinstance(record, dict) and record.get("type") == "message":
            record = {key: value for key, value in record.items() if key != "body"}
            record["exi"] = self._message(str(record.get("protocol")), record.get("exi"))
        return msgspec.json.encode(self._value("", record))

    def _message(self, schema: str, exi: Any) -> str:
        try:
            data = bytes.fromhex(exi)
        except (TypeError, ValueError):
            return ""
        entry = schemas.SCHEMAS.get(schema)
        kind = (entry.payload_type if entry is not None else None) or PayloadType.EXI
        found = Conversation(schema if entry is not None else None).read(kind, data)
        if found.value is None:
            return bytes(len(data)).hex()
        new = self._change(found.value)
        try:
            return data.hex() if new == found.value else schemas.schema(found.schema).encode(new).hex()
        except ExiError:
            return bytes(len(data)).hex()

    def _value(self, name: str, value: Any) -> Any:
        if isinstance(value, dict):
            return {self._scrub(key): self._value(key, item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._value(name, item) for item in value]
        if not isinstance(value, str) or name == "exi":
            return value
        if name in BLANKED:
            return "0" * len(value)
        return self._hex(KINDS[name], value) if name in KINDS else self._scrub(value)

    def _hex(self, kind: str, value: str) -> str:
        try:
            new: bytes = getattr(self._names, kind)(bytes.fromhex(value))
        except ValueError:
            return self._names.text(value)
        return new.hex().upper() if value.isupper() else new.hex()
