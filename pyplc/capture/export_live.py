"""Packets as they come, written for Wireshark: each with what it completes, keys and names once they are known."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, NamedTuple

from .events import Event, Key, Message
from .export import Exporter, Names, describe
from .files import Item, Packet, Secrets
from .links import ETHERNET
from .output import Choice
from .reader import Reader


class Wanted(NamedTuple):
    """What is written: `keys` names an NSS key log that may grow meanwhile, `schema` is forced where it is named.

    `messages` are exported PDUs, `comments` stand at the packets.
    """

    keys: str = ""
    schema: str | None = None
    messages: bool = True
    comments: bool = True
    choice: Choice = Choice()


def write(packets: Iterable[Item], out: BinaryIO, application: str, wanted: Wanted) -> None:
    """Write until the packets end or the reader of `out` has gone (BrokenPipeError)."""
    reader, names, choice = Reader(schema=wanted.schema), Names(), wanted.choice
    exporter = Exporter(out, application)
    exporter.interface(ETHERNET, "captured 0")
    log = _Growing(wanted.keys)
    for packet in packets:
        if not isinstance(packet, Packet):
            continue
        found: list[Event] = reader.feed(Secrets(new)) if (new := log.text()) else []
        found += reader.feed(packet)
        exporter.secrets("".join(f"{event.line}\n" for event in found if isinstance(event, Key)))
        if any([names(event) for event in found]):
            exporter.names(names.of)
        shown = [event for event in found if choice(event)]
        here = (event for event in shown if event.frame == packet.number)
        exporter.packet(packet, map(describe, here) if wanted.comments else ())
        for event in shown:
            if wanted.messages and isinstance(event, Message):
                exporter.message(event, packet.ns if event.frame == packet.number else round(event.time * 1e9))


class _Growing:
    """A key log that another program writes to."""

    def __init__(self, name: str) -> None:
        self._file = Path(name) if name else None
        self._read = 0

    def text(self) -> bytes:
        """The whole lines that are new; nothing where there is no such file (yet)."""
        try:
            if self._file is None or self._file.stat().st_size <= self._read:
                return b""
            with self._file.open("rb") as log:
                log.seek(self._read)
                new = log.read()
        except OSError:
            return b""
        whole = new[: new.rfind(b"\n") + 1]
        self._read += len(whole)
        return whole
