"""Reading the records of our own stations as lines of JSON: `session.jsonl`, or what `--json` prints."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec

from .items import Broken, Item, Noted, Packet
from .source import Source

LONGEST_LINE = 1 << 24


def read(source: Source) -> Iterator[Item]:
    """Records as lines of JSON: each line is a number. Where frames are among them, messages are in the frames."""
    zero, framed = 0.0, False
    interfaces: dict[str, int] = {}
    for number, line in enumerate(_split(source), 1):
        try:
            record: Any = msgspec.json.decode(line)
            kind, t = record["type"], float(record["t"])
            if kind == "start" and record.get("wall"):
                zero = datetime.fromisoformat(record["wall"]).timestamp()
            ns = round((zero + t) * 1e6) * 1000
            data = bytes.fromhex(record["data"]) if kind == "frame" else b""
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            yield Broken(number, f"line {number} is no record: {error!r}")
            continue
        if kind == "frame":
            framed = True
            which = interfaces.setdefault(str(record.get("interface")), len(interfaces))
            yield Packet(number, ns, 1, data, which, len(data))
        elif kind != "message" or not framed:
            yield Noted(number, ns, line)


def _split(source: Source) -> Iterator[bytes]:
    while source.have(1):
        end = source.buffer.find(b"\n", source.at)
        while end < 0 and source.left <= LONGEST_LINE and source.have(source.left + 1):
            end = source.buffer.find(b"\n", source.at)
        end = len(source.buffer) if end < 0 else end
        line = source.buffer[source.at : end]
        source.at = min(end + 1, len(source.buffer))
        if line.strip():
            yield line
