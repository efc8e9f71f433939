"""From a capture to events: `read` for a whole source, `Reader` for packets as they come."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO

from . import ip, small
from .events import Change, Comment, Damage, Event, Key
from .files import Broken, Item, Noted, Packet, Secrets, packets
from .keylog import KeyLog
from .links import ETHERNET, EXPORTED, HAL, HOMEPLUG, IPV4, IPV6, Payload, as_ethernet, payload
from .station import Stations
from .stream import Stream
from .tcp import Happening, Reassembler, Wire

NO_EVENTS: list[Event] = []
WAITING = 64
"""TLS connections that may wait for their keys at the same time."""


class Reader:
    """Takes packets (or secrets) one after the other and gives the events each completes.

    `keys` are TLS secrets known beforehand; those found in the capture join them (`keylog`). `schema` forces the schema
    of every V2G message but the handshake. What is kept does not grow with the capture. `start` is when
    the first packet or record was.
    """

    def __init__(self, *, keys: Iterable[Key] = (), schema: str | None = None) -> None:
        self.keylog = KeyLog(keys)
        self.packets = 0
        self.start = 0.0
        self._schema = schema
        self._tcp = Reassembler()
        self._stations = Stations(schema)
        self._sessions = 0
        self._waiting: dict[int, Stream] = {}
        self._last: dict[str, Any] = {"frame": 0, "time": 0.0}

    def feed(self, item: Item) -> list[Event]:
        """The events that this packet completes."""
        if not isinstance(item, Packet):
            return self._other(item)
        self.packets += 1
        if not self.start:
            self.start = item.ns / 1e9
        data = item.data
        if item.comment is not None:
            at = self._at(item, b"", b"")
            return [Comment(**at, text=item.comment), *self._packet(item, data)]
        return self._packet(item, data)

    def started(self) -> float:
        """`start`, for those who ask later."""
        return self.start

    def end(self) -> list[Event]:
        """The capture is over: what was held back."""
        found = self._happened(dict(self._last), self._tcp.finish())
        for wire in self._tcp.wires():
            if wire.user is not None:
                found += wire.user.unread(self._last)
        return found

    def _packet(self, item: Packet, data: bytes) -> list[Event]:
        kind, start = data[12:14], 14
        if item.link_type == ETHERNET and kind == b"\x86\xdd" and data[20:21] == b"\x06":  # the usual, straight on
            length = data[18] << 8 | data[19]
            end = 54 + length if length else len(data)
            found = self._tcp.segment(data[22:58], data, 54, end, item.ns, item)
            return self._happened(self._at(item, data[6:12], data[:6]), found) if found else NO_EVENTS
        if item.link_type == ETHERNET and kind == b"\x88\xe1":
            return [small.homeplug(self._at(item, data[6:12], data[:6]), data)]
        if item.link_type == EXPORTED:
            return NO_EVENTS
        link = payload(item.link_type, data)
        if link.ethertype in (IPV6, IPV4):
            return self._ip(item, link)
        start = link.start
        if link.ethertype == HOMEPLUG:
            frame = data if start == 14 and link.destination else as_ethernet(data, link)
            return [small.homeplug(self._at(item, link.source, link.destination), frame)]
        if link.ethertype == HAL:
            return [small.adapter(self._at(item, link.source, link.destination), data[start:])]
        return NO_EVENTS

    def _ip(self, item: Packet, link: Payload) -> list[Event]:
        data = item.data
        found = ip.parse(data, link.start, link.ethertype)
        if found is None:
            return NO_EVENTS
        at = self._at(item, link.source, link.destination)
        if found.protocol == ip.TCP:
            key = found.source + found.destination + data[found.start : found.start + 4]
            if len(key) < 2 * len(found.source) + 4:
                return NO_EVENTS
            return self._happened(at, self._tcp.segment(key, data, found.start, found.end, item.ns, item))
        if found.protocol == ip.UDP:
            events = small.datagram(at, data, found)
            return [*events, *self._new_keys(events)] if events else NO_EVENTS
        if found.protocol == ip.ICMPV6 and (event := small.neighbour(at, data, found)) is not None:
            return [event]
        return NO_EVENTS

    def _at(self, item: Packet, source: bytes, destination: bytes) -> dict[str, Any]:
        at: dict[str, Any] = {
            "frame": item.number,
            "time": item.ns / 1e9,
            "source": source,
            "destination": destination,
            "interface": item.interface,
        }
        self._last = at
        return at

    def _happened(self, at: dict[str, Any], happenings: list[Happening]) -> list[Event]:
        events: list[Event] = []
        now = at
        for flow, change, data, missing, waited in happenings:
            stream = flow.wire.user or self._stream(flow.wire)
            at = now
            if waited is not None:
                link = payload(waited.link_type, waited.data)
                at = self._at(waited, link.source, link.destination)
            if change is None:
                events += stream.data(at, flow, data)
                if stream.waits_for() is not None:
                    self._wait(stream)
                continue
            if change is Change.GAP:
                events += stream.gap(at, flow)
            events.append(stream.happened(at, flow, change, missing))
        self._last = now
        return events

    def _stream(self, wire: Wire) -> Stream:
        stream = wire.user = Stream(wire, self.keylog, self._schema, self._next_session)
        return stream

    def _next_session(self) -> int:
        self._sessions += 1
        return self._sessions

    def _wait(self, stream: Stream) -> None:
        self._waiting[stream.wire.number] = stream
        while len(self._waiting) > WAITING:
            del self._waiting[next(iter(self._waiting))]

    def _new_keys(self, events: Iterable[Event]) -> list[Event]:
        """Keep the secrets among these events; what waited for them can be read now."""
        if not any([self.keylog.add(event) for event in events if isinstance(event, Key)]):
            return []
        out: list[Event] = []
        for number, stream in list(self._waiting.items()):
            out += stream.retry()
            if stream.waits_for() is None:
                del self._waiting[number]
        return out

    def _other(self, item: Broken | Secrets | Noted) -> list[Event]:
        if isinstance(item, Noted):
            self.start = self.start or item.ns / 1e9
            event = self._stations.event({"frame": item.number, "time": item.ns / 1e9}, item.json)
            return [event] if event is not None else NO_EVENTS
        if isinstance(item, Broken):
            self._last = {**self._last, "frame": item.number}
            return [Damage(**self._last, text=item.text)]
        found: list[Event] = [*small.keys({"frame": 0, "time": 0.0}, item.text)]
        return [*found, *self._new_keys(found)]


def read(source: Path | str | BinaryIO, *, keys: Iterable[Key] = (), schema: str | None = None) -> Iterator[Event]:
    """The events of a capture file (pcap, pcapng, either in gzip), of `-`, or of an open binary stream.

    CaptureError if it is no capture, OSError if it cannot be opened. Nothing is kept of what was yielded.
    """
    reader = Reader(keys=keys, schema=schema)
    if source == "-":
        yield from events(packets(sys.stdin.buffer), reader)
    elif isinstance(source, (str, Path)):
        with closing(open(source, "rb", buffering=0)) as stream:
            yield from events(packets(stream), reader)
    else:
        yield from events(packets(source), reader)


def events(items: Iterable[Item], reader: Reader) -> Iterator[Event]:
    """The events of packets that come from anywhere."""
    for item in items:
        yield from reader.feed(item)
    yield from reader.end()
