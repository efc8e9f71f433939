"""The disturber: it stands in the stream between both stations and does what a scenario's faults say."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from ..exi.declare import Element
from ..exi.errors import ExiError
from ..record import Checkpoint, Record, Side
from ..simulation import World
from ..v2g import stream
from ..v2g.schemas import schema
from ..v2g.stream import Channel
from ..v2gtp import HEADER_LENGTH, VERSION, PayloadType, pack
from . import declare as d
from .edit import EditError, body_of, changed, kind_of, smallest, with_body, with_session
from .faults import apply, patient
from .load import Case
from .recorded import Recorded

Carry = Callable[[bytes], None]


class Piece(NamedTuple):
    """Bytes that go on after `after` seconds."""

    data: bytes
    after: float = 0.0


class Disturber:
    """Does the faults of a case to a world. `struck` is the loop's time of the first one, None before.

    `on_struck` is called then.
    """

    def __init__(self, case: Case, world: World, recorded: Recorded, on_struck: Callable[[], None]) -> None:
        self._case = case
        self._world = world
        self._recorded = recorded
        self._on_struck = on_struck
        self._unit: Side = "ev" if case.role == "pev" else "evse"
        self._peer: Side = "evse" if case.role == "pev" else "ev"
        self._counts: Counter[str] = Counter()
        self._handshake = {"ev": True, "evse": True}
        self._silent = self._dead = False
        self._done: set[int] = set()
        self._refusals = 0
        self.broken: str | None = None
        """Why a fault could not be done to a message."""
        self.struck: float | None = None
        world.exchange.pipe = self._pipe

    def start(self) -> None:
        """Do what is there from the start, and make a peer patient that will hang."""
        scenario = self._case.scenario
        if scenario.patient_peer or any(isinstance(fault, d.Silence) for fault in scenario.fault):
            common = self._world.common[self._peer]
            common.rules = patient(common.rules)
        for index, fault in enumerate(scenario.fault):
            if isinstance(fault, d.MessageFault):
                continue
            if fault.at.message is None and fault.at.checkpoint is None:
                self._act(index, fault)

    def read(self, record: Record) -> None:
        """A record reader: checkpoints set faults off."""
        if isinstance(record, Checkpoint):
            for index, fault in enumerate(self._case.scenario.fault):
                if fault.at.checkpoint == record.number:
                    self._act(index, fault)

    @property
    def undone(self) -> list[int]:
        """Numbers of the faults that never happened."""
        return [index for index in range(len(self._case.scenario.fault)) if index not in self._done]

    # faults of the world and of the connection

    def _act(self, index: int, fault: d.Fault) -> None:
        if index in self._done:
            return
        match fault:
            case d.PortLate(refusals=count):
                self._refusals = -1 if count == "all" else count
            case d.Reset() | d.Close():
                self._done.add(index)
                asyncio.get_running_loop().call_later(fault.at.after_s, partial(self._end, index, fault))
            case _ if fault.at.after_s:
                self._done.add(index)
                asyncio.get_running_loop().call_later(fault.at.after_s, self._do, index, fault)
            case _:
                self._do(index, fault)
                self._dead |= isinstance(fault, d.Lose) and (fault.frames, fault.count) == ("all", "all")

    def _do(self, index: int, fault: d.Fault) -> None:
        self._strike(index)
        apply(fault, self._world, self._unit, self._recorded)

    def _end(self, index: int, fault: d.Fault) -> None:
        if not self._world.channels:
            return
        channel = self._world.channels[0 if self._peer == "ev" else 1]
        self._strike(index)
        if isinstance(fault, d.Reset):
            channel.abort()
        else:
            self._closing = asyncio.ensure_future(channel.close())

    def _strike(self, index: int) -> None:
        self._done.add(index)
        if self.struck is None:
            self.struck = asyncio.get_running_loop().time()
            self._on_struck()

    # the stream

    def _pipe(self, near: str, far: str) -> tuple[Channel, Channel]:
        if self._refusals:
            self._refusals -= 1
            self._strike(next(i for i, f in enumerate(self._case.scenario.fault) if isinstance(f, d.PortLate)))
            raise ConnectionRefusedError("connection refused")
        return stream.pipe(near, far, through=(partial(self._passing, "ev"), partial(self._passing, "evse")))

    def _passing(self, side: Side, data: bytes, carry: Carry) -> None:
        """One message of one side on its way to the other."""
        document, name = self._read(side, data)
        self._counts[name] += 1
        pieces, taken = [Piece(data)], False
        for index, fault in enumerate(self._case.scenario.fault):
            if fault.at.message != name or not self._due(fault):
                continue
            if not isinstance(fault, d.MessageFault):
                taken |= isinstance(fault, (d.Reset, d.Close)) and side == self._peer
                self._act(index, fault)
            else:
                self._strike(index)
                try:
                    pieces = [new for piece in pieces for new in self._changed(fault, document, piece)]
                except (EditError, ExiError) as error:
                    self.broken = f"fault[{index}] could not be done: {error}"
        if taken or self._dead or (self._silent and side == self._peer):
            return
        for piece in pieces:
            if piece.after:
                asyncio.get_running_loop().call_later(piece.after, carry, piece.data)
            else:
                carry(piece.data)

    def _due(self, fault: d.Fault) -> bool:
        at, number = fault.at, self._counts[fault.at.message or ""]
        return number >= at.occurrence and (at.times == "all" or number < at.occurrence + at.times)

    def _read(self, side: Side, data: bytes) -> tuple[Element | None, str]:
        """A message of ours and its name; the first of each side is the handshake's."""
        name = "app" if self._handshake[side] else self._case.protocol
        self._handshake[side] = False
        try:
            document = schema(name).decode(data[HEADER_LENGTH:])
        except ExiError:
            return None, "?"
        return document, body_of(document).tag()

    def _changed(self, fault: d.MessageFault, document: Element | None, piece: Piece) -> Iterator[Piece]:
        """What becomes of a message."""
        data, after = piece
        payload = data[HEADER_LENGTH:]
        match fault:
            case d.Silence():
                self._silent = True
            case d.Drop():
                pass
            case d.Delay(seconds=seconds):
                yield Piece(data, after + seconds)
            case d.Duplicate():
                yield from (piece, piece)
            case d.Raw(hex=text):
                yield Piece(pack(PayloadType.EXI, bytes.fromhex(text)), after)
            case d.Truncate(keep=keep):
                yield Piece(pack(PayloadType.EXI, payload[:keep]), after)
            case d.Header():
                yield Piece(_header(fault, data), after)
            case d.Split(bytes=size, pause_s=pause):
                for number, start in enumerate(range(0, len(data), size)):
                    yield Piece(data[start : start + size], after + number * pause)
            case _ if document is not None:
                yield from self._rewritten(fault, document, piece)

    def _rewritten(self, fault: d.MessageFault, document: Element, piece: Piece) -> Iterator[Piece]:
        """Another document, or one before it."""
        match fault:
            case d.SessionId(id=text):
                yield self._packed(with_session(document, bytes.fromhex(text)), piece)
            case d.Change(set=values, remove=paths):
                yield self._packed(with_body(document, changed(body_of(document), values, paths)), piece)
            case d.Replace(by=name, set=values):
                yield self._packed(with_body(document, self._other(name, values)), piece)
            case d.Insert(message=name, set=values):
                yield self._packed(with_body(document, self._other(name, values)), piece)
                yield piece

    def _other(self, name: str, values: dict[str, object]) -> Element:
        return changed(smallest(kind_of(self._case.protocol, name)), values, [])

    def _packed(self, document: Element, piece: Piece) -> Piece:
        name = self._case.protocol if hasattr(document, "Header") else "app"
        return Piece(pack(PayloadType.EXI, schema(name).encode(document)), piece.after)


def _header(fault: d.Header, data: bytes) -> bytes:
    version = VERSION if fault.version is None else bytes.fromhex(fault.version)
    kind = data[2:4] if fault.payload_type is None else fault.payload_type.to_bytes(2, "big")
    length = data[4:8] if fault.length is None else fault.length.to_bytes(4, "big")
    return version + kind + length + data[HEADER_LENGTH:]
