"""TCP connections of a capture: each byte of each direction once, in order, and what is missing.

Nothing is acknowledged or sent here, so a hole is judged by what was seen: when the peer acknowledged bytes that the
capture does not have, they are a gap as soon as later data of either side arrives; when the peer's acknowledgements are
not in the capture, the retransmission is waited for (`PATIENCE_NS` of the capture's time, or `HELD` bytes).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

from .events import Change, Endpoint
from .ip import text

FIN, SYN, RST, ACK = 1, 2, 4, 16
PATIENCE_NS = 3_000_000_000
HELD = 1 << 18
OUTLANDISH = 1 << 22
"""A jump of the sequence number that no charging session makes: a spoiled segment, unless the next goes on from it."""
CONNECTIONS = 4096
"""Connections remembered; of more, the half that is silent for longest is forgotten: a capture may go on for ever."""
HEADER = struct.Struct("!IIHH").unpack_from
HALF, MASK = 1 << 31, 0xFFFFFFFF


class Happening(NamedTuple):
    """`what` is None for data in order, else what happened to the connection; `missing` counts bytes of a gap.

    `packet` is what was given with the segment where its data had to wait, else None: it is the present one.
    """

    flow: Flow
    what: Change | None
    data: bytes = b""
    missing: int = 0
    packet: Any = None


NOTHING: list[Happening] = []


class Wire:
    """One connection. `user` belongs to whoever reads the data."""

    __slots__ = ("closed", "flows", "last", "number", "user")

    def __init__(self, number: int) -> None:
        self.number = number
        self.flows: tuple[Flow, Flow]
        self.closed = False
        self.last = 0
        self.user: Any = None


class Flow:
    """One direction of a connection. `opener` says whether it is the side that sent the SYN (None: not seen)."""

    __slots__ = (
        "acked", "early", "finished", "key", "next", "odd", "opener", "peer", "receiver", "sender", "since", "start",
        "wire",
    )  # fmt: skip

    def __init__(self, key: bytes, wire: Wire) -> None:
        self.key = key
        self.wire = wire
        self.peer: Flow
        size = (len(key) - 4) // 2
        ports = key[-4:]
        self.sender = Endpoint(text(key[:size]), ports[0] << 8 | ports[1])
        self.receiver = Endpoint(text(key[size : 2 * size]), ports[2] << 8 | ports[3])
        self.next: int | None = None
        self.start: int | None = None
        self.acked: int | None = None
        self.early: dict[int, tuple[bytes, Any]] = {}
        self.since = 0
        self.odd: int | None = None
        self.opener: bool | None = None
        self.finished = False


def _reversed(key: bytes) -> bytes:
    size = (len(key) - 4) // 2
    return key[size : 2 * size] + key[:size] + key[-2:] + key[-4:-2]


class Reassembler:
    """Takes segments and tells what they mean. A key is source address, destination address, the two ports."""

    def __init__(self) -> None:
        self._flows: dict[bytes, Flow] = {}
        self._number = 0

    def segment(self, key: bytes, data: bytes, start: int, end: int, ns: int, packet: Any = None) -> list[Happening]:
        """One segment: the TCP header begins at `start` of a packet, its payload ends at `end`."""
        if len(data) < start + 20:
            return NOTHING
        seq, ack, bits, _ = HEADER(data, start + 4)
        flow = self._flows.get(key)
        out: list[Happening] = []
        if flow is None:
            flow = self._connect(key)
            flow.wire.last = ns
            self._forget(out)
        flow.wire.last = ns
        flow.peer.acked = ack if bits & ACK else flow.peer.acked
        at = start + (bits >> 12) * 4
        if at >= end and not bits & 7:
            return out
        if bits & SYN:
            flow = self._syn(flow, seq, bits, out)
            flow.wire.last = ns
            seq = seq + 1 & MASK
        elif flow.wire.closed and not bits & (FIN | RST) and flow.next is None:
            return out
        if at < end and len(data) > at:
            self._data(flow, seq, data[at:end], end - at, ns, packet, out)
        if bits & (FIN | RST):
            self._ending(flow, seq + max(end - at, 0) & MASK, bits, out)
        return out

    def wires(self) -> Iterator[Wire]:
        """The connections that are remembered, in order of their beginning."""
        yield from dict.fromkeys(flow.wire for flow in self._flows.values())

    def finish(self) -> list[Happening]:
        """The end of the capture: what was held back, with its gaps."""
        out: list[Happening] = []
        for flow in list(self._flows.values()):
            _give_up(flow, out)
        return out

    def _connect(self, key: bytes) -> Flow:
        self._number += 1
        wire = Wire(self._number)
        one, other = Flow(key, wire), Flow(_reversed(key), wire)
        one.peer, other.peer = other, one
        wire.flows = (one, other)
        self._flows[one.key], self._flows[other.key] = one, other
        return one

    def _forget(self, out: list[Happening]) -> None:
        """Of too many connections those that are silent for longest, told to their end."""
        if len(self._flows) <= 2 * CONNECTIONS:
            return
        wires = sorted(self.wires(), key=lambda wire: wire.last)
        for wire in wires[: CONNECTIONS // 2]:
            for flow in wire.flows:
                _give_up(flow, out)
                self._flows.pop(flow.key, None)

    def _syn(self, flow: Flow, seq: int, bits: int, out: list[Happening]) -> Flow:
        if flow.start == seq:
            return flow  # the same again
        if flow.start is not None or flow.next is not None:  # the ports are used again
            for old in flow.wire.flows:
                _give_up(old, out)
                self._flows.pop(old.key, None)
            flow = self._connect(flow.key)
        flow.start, flow.next = seq, seq + 1 & MASK
        flow.opener = not bits & ACK
        flow.peer.opener = not flow.opener
        if flow.peer.start is None:
            out.append(Happening(flow, Change.OPEN))
        return flow

    def _data(
        self, flow: Flow, seq: int, payload: bytes, size: int, ns: int, packet: Any, out: list[Happening]
    ) -> None:
        if flow.peer.early:
            _resolve(flow.peer, ns, out)
        if flow.next is None:
            flow.next = seq
            if flow.peer.next is None:
                out.append(Happening(flow, Change.MIDSTREAM))
        ahead = seq - flow.next & MASK
        if ahead == 0:
            _deliver(flow, payload, size, out)
            if flow.early:
                _chain(flow, out)
        elif ahead >= HALF:
            behind = -ahead & MASK
            if behind > OUTLANDISH:
                _strange(flow, seq, payload, size, out)
            elif behind < size:
                _deliver(flow, payload[behind:], size - behind, out)
                _chain(flow, out)
        elif ahead > OUTLANDISH:
            _strange(flow, seq, payload, size, out)
        else:
            if not flow.early:
                flow.since = ns
            if seq not in flow.early or len(payload) > len(flow.early[seq][0]):
                flow.early[seq] = payload, packet
            _resolve(flow, ns, out)

    def _ending(self, flow: Flow, seq: int, bits: int, out: list[Happening]) -> None:
        if bits & RST:
            for each in flow.wire.flows:
                _give_up(each, out)
            if not flow.wire.closed:
                flow.wire.closed = True
                out.append(Happening(flow, Change.RESET))
            return
        if flow.finished:
            return
        if flow.next is not None and 0 < seq - flow.next & MASK < OUTLANDISH and not flow.early:
            acked = flow.acked
            if acked is not None and (acked - seq & MASK) < HALF:
                _gap(flow, seq, out)
        flow.finished = True
        _give_up(flow, out)
        out.append(Happening(flow, Change.CLOSE))


def _deliver(flow: Flow, payload: bytes, size: int, out: list[Happening], packet: Any = None) -> None:
    """Data in order; `size` is what the segment had, of which a short snap length may have cut some."""
    flow.next = flow.next + size & MASK  # type: ignore[operator]  # data is delivered only where next is known
    flow.odd = None
    out.append(Happening(flow, None, payload, 0, packet))
    if size > len(payload):
        out.append(Happening(flow, Change.GAP, missing=size - len(payload)))


def _chain(flow: Flow, out: list[Happening]) -> None:
    """What was early and is now in order."""
    while flow.early:
        seq = min(flow.early, key=lambda seq: seq - flow.next & MASK ^ HALF)  # type: ignore[operator]
        ahead = seq - flow.next & MASK  # type: ignore[operator]
        if 0 < ahead < HALF:
            return
        payload, packet = flow.early.pop(seq)
        behind = -ahead & MASK
        if behind < len(payload):
            _deliver(flow, payload[behind:], len(payload) - behind, out, packet)


def _resolve(flow: Flow, ns: int, out: list[Happening]) -> None:
    """Is what stands before the early data lost for good?"""
    while flow.early and flow.next is not None:
        seq = min(flow.early, key=lambda seq: seq - flow.next & MASK)  # type: ignore[operator]
        acked = flow.acked is not None and (flow.acked - seq & MASK) < HALF
        if not (acked or ns - flow.since > PATIENCE_NS or sum(len(data) for data, _ in flow.early.values()) > HELD):
            return
        _gap(flow, seq, out)
        _chain(flow, out)
        flow.since = ns


def _gap(flow: Flow, seq: int, out: list[Happening]) -> None:
    out.append(Happening(flow, Change.GAP, missing=seq - flow.next & MASK))  # type: ignore[operator]
    flow.next = seq


def _give_up(flow: Flow, out: list[Happening]) -> None:
    while flow.early:
        _gap(flow, min(flow.early, key=lambda seq: seq - flow.next & MASK), out)  # type: ignore[operator]
        _chain(flow, out)


def _strange(flow: Flow, seq: int, payload: bytes, size: int, out: list[Happening]) -> None:
    """A sequence number out of all order: ignored, but where the next segment goes on from it, believed."""
    if flow.odd != seq:
        flow.odd = seq + size & MASK
        return
    out.append(Happening(flow, Change.GAP))
    flow.early.clear()
    flow.next = seq
    _deliver(flow, payload, size, out)
