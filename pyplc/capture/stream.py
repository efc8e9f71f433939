"""The data of one TCP connection: plain V2GTP, TLS, or something else; what it says becomes events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..v2gtp import Payload
from .events import Change, Connection, Event, Message, Side, Tls
from .framing import Finder
from .keylog import KeyLog
from .tcp import Flow, Wire
from .tls import TlsConnection
from .tls_records import is_header
from .v2g import Conversation

At = dict[str, Any]


class Stream:
    """What is known of one connection. `number_session` gives the next session its number, at the first message."""

    __slots__ = ("_client", "_conversation", "_finders", "_keys", "_number", "_tls", "session", "wire")

    def __init__(self, wire: Wire, keys: KeyLog, schema: str | None, number_session: Callable[[], int]) -> None:
        self.wire = wire
        self.session = 0
        self._number = number_session
        self._keys = keys
        self._conversation = Conversation(schema)
        self._finders = tuple(Finder(flow.start is not None) for flow in wire.flows)
        self._tls: TlsConnection | None = None
        self._client: int | None = next((i for i, flow in enumerate(wire.flows) if flow.opener), None)

    def data(self, at: At, flow: Flow, data: bytes) -> list[Event]:
        """Bytes in order."""
        direction = self.wire.flows.index(flow)
        if self._tls is None and not self._finders[direction].found and is_header(data) and len(data) > 5:
            self._tls = TlsConnection(self._keys, self._client)
        if self._tls is None:
            return [self._message(at, direction, payload) for payload in self._finders[direction].feed(data)]
        return self._from_tls(self._tls.feed(at, direction, data))

    def gap(self, at: At, flow: Flow) -> list[Event]:
        """Bytes are missing here."""
        direction = self.wire.flows.index(flow)
        if self._tls is not None:
            return self._from_tls(self._tls.gap(at, direction))
        self._finders[direction].gap()
        return []

    def retry(self) -> list[Event]:
        """New keys came."""
        return self._from_tls(self._tls.retry()) if self._tls is not None else []

    def unread(self, at: At) -> list[Event]:
        """What could not be read for want of keys, when the capture is over."""
        return self._from_tls(self._tls.unread(at)) if self._tls is not None else []

    def waits_for(self) -> bytes | None:
        """The client random of a TLS connection that could not be read for want of keys."""
        return self._tls.waits_for() if self._tls is not None else None

    def happened(self, at: At, flow: Flow, change: Change, missing: int) -> Connection:
        """An event of the connection itself."""
        return Connection(
            **at, change=change, connection=self.wire.number, session=self.session,
            side=self._side(self.wire.flows.index(flow)), sender=flow.sender, receiver=flow.receiver, missing=missing,
        )  # fmt: skip

    def _from_tls(self, outs: list[Any]) -> list[Event]:
        events: list[Event] = []
        for at, direction, what in outs:
            if what is None:
                self._finders[direction].gap()
            elif isinstance(what, bytes):
                events += [self._message(at, direction, payload) for payload in self._finders[direction].feed(what)]
            else:
                events.append(
                    Tls(**at, name=what.name, connection=self.wire.number, side=self._side(direction), text=what.text,
                        warning=what.warning)
                )  # fmt: skip
        return events

    def _side(self, direction: int) -> Side:
        if self._client is None:
            return ""
        return "ev" if direction == self._client else "evse"

    def _message(self, at: At, direction: int, payload: Payload) -> Message:
        if not self.session:
            self.session = self._number()
        found = self._conversation.read(*payload)
        if self._client is None and found.side:
            self._client = direction if found.side == "ev" else 1 - direction
        flow = self.wire.flows[direction]
        return Message(
            **at, session=self.session, connection=self.wire.number, side=found.side or self._side(direction),
            sender=flow.sender, receiver=flow.receiver, payload_type=payload.type, exi=payload.data,
            protocol=found.protocol, schema=found.schema, name=found.name, value=found.value, guessed=found.guessed,
            encrypted=self._tls is not None, error=found.error,
        )  # fmt: skip
