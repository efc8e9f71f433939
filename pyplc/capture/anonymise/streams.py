"""TCP connections of a capture with other messages in them: which bytes of a stream become which.

Segments, retransmissions and gaps stay as they are; only where a message has become longer or shorter do the sequence
numbers behind it move. TLS becomes the plain messages it carried where its keys are known, and nothing where not. What
is no message becomes zeros.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from typing import Any, NamedTuple

from ...exi.declare import Element
from ...exi.errors import ExiError
from ...v2g import schemas
from ...v2gtp import Payload, pack
from ..events import Change
from ..framing import LONGEST, Finder
from ..keylog import KeyLog
from ..tcp import HALF, MASK, Flow, Happening, Reassembler, Wire
from ..tls import TlsConnection
from ..tls_records import is_header
from ..v2g import Conversation


class Piece:
    """Bytes `start` to `end` of a stream and what they become."""

    __slots__ = ("end", "new", "start")

    def __init__(self, start: int, end: int, new: bytes = b"") -> None:
        self.start, self.end, self.new = start, end, new

    def before(self, offset: int) -> int:
        """How many of the new bytes stand before the old byte `offset`: the last one comes with the old last one."""
        if offset >= self.end:
            return len(self.new)
        return min(offset - self.start, max(len(self.new) - 1, 0))


class Track:
    """One direction of a connection. Offsets count from the first byte seen; `base` is its sequence number."""

    def __init__(self) -> None:
        self.base: int | None = None
        self.pieces: list[Piece] = []
        self._starts: list[int] | None = None
        self._moved: list[int] = []

    def offset(self, seq: int) -> int:
        """A sequence number as an offset; may be negative."""
        return ((seq - (self.base or 0) + HALF) & MASK) - HALF

    def _index(self) -> list[int]:
        if self._starts is None:
            self.pieces.sort(key=lambda piece: piece.start)
            self._starts = [piece.start for piece in self.pieces]
            moved, self._moved = 0, []
            for piece in self.pieces:
                self._moved.append(moved)
                moved += len(piece.new) - (piece.end - piece.start)
        return self._starts

    def place(self, offset: int) -> int:
        """Where a byte of the old stream is in the new one."""
        i = bisect_right(self._index(), offset) - 1
        if i < 0:
            return offset
        piece, moved = self.pieces[i], self._moved[i]
        if offset < piece.end:
            return piece.start + moved + piece.before(offset)
        return offset + moved + len(piece.new) - (piece.end - piece.start)

    def number(self, seq: int) -> int:
        """A sequence number (or what acknowledges it) in the new stream."""
        if self.base is None:
            return seq
        offset = self.offset(seq)
        return seq + self.place(offset) - offset & MASK

    def cut(self, start: int, end: int) -> bytes:
        """What bytes `start` to `end` have become; zeros where there is no piece."""
        out, at = b"", start
        i = max(bisect_right(self._index(), start) - 1, 0)
        for piece in self.pieces[i:]:
            if piece.start >= end:
                break
            if piece.end <= at:
                continue
            out += bytes(max(piece.start - at, 0))
            at = max(at, piece.start)
            stop = min(piece.end, end)
            out += piece.new[piece.before(at) : piece.before(stop)]
            at = stop
        return out + bytes(max(end - at, 0))


class Counts(NamedTuple):
    """What became of the connections' contents."""

    messages: int = 0
    blanked: int = 0
    """Messages that cannot be read, or not be written again: zeros now."""
    decrypted: int = 0
    """TLS connections that are plain now."""
    dropped: int = 0
    """TLS connections without keys: nothing is left of what they carried."""


class _Content:
    """What one connection carries, found as the reader of captures finds it."""

    def __init__(self, wire: Wire, streams: Streams) -> None:
        self.tracks = (Track(), Track())
        self.tls: TlsConnection | None = None
        self.opened = False
        self._streams = streams
        self._conversation = Conversation(streams.schema)
        self._finders = tuple(Finder(flow.start is not None) for flow in wire.flows)
        self._client = next((i for i, flow in enumerate(wire.flows) if flow.opener), None)
        self._buffers = [b"", b""]

    def data(self, direction: int, seq: int, data: bytes) -> None:
        track = self.tracks[direction]
        if track.base is None:
            track.base = seq
        start = track.offset(seq)
        if self.tls is None and not self._finders[direction].found and is_header(data) and len(data) > 5:
            self.tls = TlsConnection(self._streams.keys, self._client)
        if self.tls is None:
            self._plain(direction, start, data)
            return
        piece = Piece(start, start + len(data))
        track.pieces.append(piece)
        self._from_tls(self.tls.feed({"piece": piece}, direction, data))

    def gap(self, direction: int) -> None:
        self._buffers[direction] = b""
        if self.tls is None:
            self._finders[direction].gap()
        else:
            self._from_tls(self.tls.gap({"piece": None}, direction))

    def _plain(self, direction: int, start: int, data: bytes) -> None:
        buffer = self._buffers[direction] + data
        start -= len(self._buffers[direction])
        for payload in self._finders[direction].feed(data):
            old = pack(*payload)
            at = buffer.find(old)
            piece = Piece(start + at, start + at + len(old), self._streams.changed(self._conversation, payload))
            self.tracks[direction].pieces.append(piece)
            buffer, start = buffer[at + len(old) :], piece.end
        self._buffers[direction] = buffer[-2 * LONGEST :]

    def _from_tls(self, outs: list[Any]) -> None:
        for at, direction, what in outs:
            if what is None:
                self._finders[direction].gap()
            elif isinstance(what, bytes):
                self.opened = True
                for payload in self._finders[direction].feed(what):
                    at["piece"].new += self._streams.changed(self._conversation, payload)


class _Following(Reassembler):
    def of(self, key: bytes) -> Flow | None:
        """The flow of a segment just taken."""
        return self._flows.get(key)


class Streams:
    """Takes the segments of a capture; then tells what becomes of each.

    `change` makes a message one without identifiers.
    """

    def __init__(self, keys: KeyLog, change: Callable[[Element], Element], schema: str | None = None) -> None:
        self.keys = keys
        self.schema = schema
        self.messages = self.blanked = 0
        self._change = change
        self._tcp = _Following()
        self._wires: list[Wire] = []

    def segment(self, key: bytes, data: bytes, start: int, end: int, ns: int) -> Flow | None:
        """Take one segment (as `Reassembler.segment`); the direction it belongs to."""
        self._happened(self._tcp.segment(key, data, start, end, ns))
        flow = self._tcp.of(key)
        if flow is not None:
            self._content(flow.wire)
        return flow

    def end(self) -> None:
        """The capture is over."""
        self._happened(self._tcp.finish())

    def counts(self) -> Counts:
        """What was found."""
        secret = [content for wire in self._wires if (content := wire.user).tls is not None]
        opened = sum(content.opened for content in secret)
        return Counts(self.messages, self.blanked, opened, len(secret) - opened)

    def tracks(self, flow: Flow) -> tuple[Track, Track]:
        """The direction of a flow, and the other one."""
        direction = flow.wire.flows.index(flow)
        own: tuple[Track, Track] = self._content(flow.wire).tracks
        return own[direction], own[1 - direction]

    def changed(self, conversation: Conversation, payload: Payload) -> bytes:
        """A V2GTP message without identifiers."""
        self.messages += 1
        found = conversation.read(*payload)
        if found.value is not None:
            new = self._change(found.value)
            if new == found.value:
                return pack(*payload)
            try:
                return pack(payload.type, schemas.schema(found.schema).encode(new))
            except ExiError:
                pass  # it holds numbers that its schema does not know
        self.blanked += 1
        return pack(payload.type, bytes(len(payload.data)))

    def _content(self, wire: Wire) -> _Content:
        if wire.user is None:
            wire.user = _Content(wire, self)
            self._wires.append(wire)
        content: _Content = wire.user
        return content

    def _happened(self, happenings: list[Happening]) -> None:
        """Each stretch of data with its sequence number: a flow's next one is known, so it is counted backwards."""
        placed: list[tuple[Happening, int]] = []
        ends: dict[Flow, int] = {}
        for happening in reversed(happenings):
            if happening.what not in (None, Change.GAP):
                continue
            size = len(happening.data) if happening.what is None else happening.missing
            flow = happening.flow
            ends[flow] = ends.get(flow, flow.next or 0) - size & MASK
            placed.append((happening, ends[flow]))
        for happening, seq in reversed(placed):
            direction = happening.flow.wire.flows.index(happening.flow)
            content = self._content(happening.flow.wire)
            if happening.what is None:
                content.data(direction, seq, happening.data)
            else:
                content.gap(direction)
