"""Records as JSON lines: what programs read. Bytes are hex, times seconds, names the records' own."""

from __future__ import annotations

from typing import Any, TextIO

import msgspec

from ..record import Dropped, Frame, Message, Record

_encoder = msgspec.json.Encoder()


def plain(record: Record, *, values: bool = False) -> dict[str, Any] | Record:
    """What is encoded for a record: itself, or for records with bytes a dict with hex in their place.

    With `values` a message has its content under `value`, in the standard's names.
    """
    if isinstance(record, Message):
        message = {
            "type": "message",
            "t": record.t,
            "side": record.side,
            "direction": record.direction,
            "protocol": record.protocol,
            "name": record.name,
            "exi": record.exi.hex(),
        }
        if values and record.body is not None:
            from ..exi.jsontext import to_plain

            message["value"] = to_plain(record.body)
        return message
    if isinstance(record, Frame):
        return {
            "type": "frame",
            "t": record.t,
            "side": record.side,
            "direction": record.direction,
            "interface": record.interface,
            "data": record.data.hex(),
        }
    if isinstance(record, Dropped):
        return {
            "type": "dropped",
            "t": record.t,
            "side": record.side,
            "what": record.what,
            "reason": record.reason,
            "data": record.data.hex(),
        }
    return record


def line(record: Record, *, values: bool = False) -> bytes:
    """One JSON object without its newline; `t`, `type` and `side` are always there."""
    return _encoder.encode(plain(record, values=values))


class JsonLines:
    """A record reader that writes lines to a text stream, messages with their values; frames only when asked for."""

    def __init__(self, out: TextIO, *, frames: bool = False) -> None:
        self._write = out.write
        self._frames = frames

    def __call__(self, record: Record) -> None:
        if self._frames or not isinstance(record, Frame):
            self._write(line(record, values=True).decode() + "\n")
