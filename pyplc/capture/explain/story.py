"""From the events of a capture to one story for each session: who talked, exchanges of messages, phases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from ..events import Change, Connection, Event, HomePlug, Message, Sdp, Tls
from .facts import Facts, base, facts, phase_of
from .own import Own, typed

TAPS_S = 0.1
"""A management message that comes again on another interface within this time is the same one, seen by two taps."""


class Limits(NamedTuple):
    """The latest limits of one side in V, A, W; None where it gave none."""

    voltage: float | None = None
    current: float | None = None
    power: float | None = None


NO_LIMITS = Limits()


class Exchange(msgspec.Struct):
    """A request and its response; either may be missing. `ev` and `evse` are the limits told until then."""

    request: Message | None
    response: Message | None = None
    asked: Facts = {}
    answered: Facts = {}
    ev: Limits = NO_LIMITS
    evse: Limits = NO_LIMITS

    @property
    def name(self) -> str:
        """The request's name; where only the response is there, what it would answer."""
        if self.request is not None:
            return self.request.name
        return self.response.name.removesuffix("Res") + "Req" if self.response is not None else ""

    @property
    def pair(self) -> str:
        """The pair's name, the same in every generation."""
        return base(self.name)

    @property
    def first(self) -> Message:
        """The message that came first."""
        found = self.request if self.request is not None else self.response
        assert found is not None
        return found

    @property
    def last(self) -> Message:
        """The message that came last."""
        return self.response if self.response is not None else self.first

    @property
    def seconds(self) -> float | None:
        """From request to response."""
        if self.request is None or self.response is None:
            return None
        return self.response.time - self.request.time

    @property
    def phase(self) -> str:
        """What it belongs to."""
        return phase_of(self.name, self.asked)


class Phase(msgspec.Struct):
    """A stretch of a session; it lasts until the next begins."""

    name: str
    """As in the checkpoints."""
    start: float
    """Seconds since the story began."""
    seconds: float
    """How long it lasted."""
    frame: int
    """Its first frame."""
    last_frame: int
    """Its last frame of that phase."""
    rounds: int = 0
    """Requests, or messages below the session."""


class Story(msgspec.Struct):
    """Everything of one session, or of an attempt that came to none (`number` 0)."""

    number: int
    events: list[Event]
    exchanges: list[Exchange] = []
    connection: int = 0
    last_in_file: float = 0.0
    """Time of the last event of the capture."""

    @property
    def messages(self) -> list[Message]:
        """The V2G messages in order."""
        return [event for event in self.events if isinstance(event, Message)]

    @property
    def start(self) -> float:
        """When it began, seconds since 1970."""
        return self.events[0].time if self.events else 0.0

    @property
    def end(self) -> float:
        """When the last thing of it happened."""
        return max((event.time for event in self.events), default=0.0)

    @property
    def schema(self) -> str:
        """The schema most of its messages are of, the handshake apart."""
        names = [message.schema for message in self.messages if message.schema not in ("", "app")]
        return max(set(names), key=names.count) if names else ""

    def own(self, kind: type[Any]) -> list[Own]:
        """What the station recorded of this kind (`record`)."""
        return [e for e in self.events if isinstance(e, Own) and isinstance(e.record, kind)]

    def homeplug(self, *names: str) -> list[HomePlug]:
        """The management messages of these names, all without a name."""
        return [e for e in self.events if isinstance(e, HomePlug) and (not names or e.name in names)]

    def sdp(self, kind: str) -> list[Sdp]:
        """The discovery messages of one kind: "Request" or "Response" is in their name."""
        return [e for e in self.events if isinstance(e, Sdp) and (e.side == "ev") == (kind == "Request")]

    def changes(self, *kinds: Change, own: bool = True) -> list[Connection]:
        """What happened to its connection; with `own` False to every connection near it."""
        return [
            e
            for e in self.events
            if isinstance(e, Connection)
            and (not kinds or e.change in kinds)
            and (not own or e.connection == self.connection)
        ]

    def phases(self) -> list[Phase]:
        """Its phases in order; each lasts until the next begins."""
        found: list[Phase] = []
        for time, frame, name in self._marks():
            if found and found[-1].name == name:
                found[-1].rounds += 1
                found[-1].last_frame = frame
                continue
            found.append(Phase(name, time - self.start, 0.0, frame, frame, 1))
        ends = [phase.start for phase in found[1:]] + [self.end - self.start]
        for phase, end in zip(found, ends, strict=False):
            phase.seconds = round(end - phase.start, 6)
        return found

    def _marks(self) -> Iterator[tuple[float, int, str]]:
        matched = talking = False
        said = {id(exchange.request): exchange for exchange in self.exchanges if exchange.request is not None}
        for event in self.events:
            if isinstance(event, Message):
                talking = True
                exchange = said.get(id(event))
                if exchange is not None and exchange.phase:
                    yield event.time, event.frame, exchange.phase
            elif talking:
                continue
            elif isinstance(event, HomePlug):
                if event.name.startswith(("CM_SLAC_PARAM", "CM_START_ATTEN", "CM_MNBC", "CM_ATTEN", "CM_SLAC_MATCH")):
                    if matched and event.name == "CM_SLAC_PARAM.REQ":
                        matched = False
                    if not matched:
                        yield event.time, event.frame, "SLAC"
                    if event.name == "CM_SLAC_MATCH.CNF":
                        matched = True
                        yield event.time, event.frame, "joining the network"
            elif isinstance(event, Sdp):
                yield event.time, event.frame, "SECC discovery"
            elif isinstance(event, (Connection, Tls)) and event.connection == self.connection:
                yield event.time, event.frame, "connection"


def pair_up(messages: Iterable[Message]) -> list[Exchange]:
    """Requests and responses in the order of requests; a response goes to the open request of its name."""
    found: list[Exchange] = []
    for message in messages:
        said = facts(message)
        last = found[-1] if found else None
        if _is_response(message):
            if last is not None and last.response is None and last.request is not None:
                last.response, last.answered = message, said
            else:
                found.append(Exchange(None, message, {}, said))
        else:
            found.append(Exchange(message, None, said))
    ev = evse = NO_LIMITS
    for exchange in found:
        exchange.ev = ev = limits_of(exchange.asked, "EV", ev)
        exchange.evse = evse = limits_of(exchange.answered, "EVSE", evse)
    return found


LIMITS = {side: [f"{side}Maximum{what}Limit" for what in ("Voltage", "Current", "Power")] for side in ("EV", "EVSE")}


def limits_of(said: Facts, side: str, before: Limits) -> Limits:
    """The limits in a message of `side` ("EV" or "EVSE"); what it leaves out stays as before."""
    found = [said.get(name) for name in LIMITS[side]]
    if found == [None, None, None]:
        return before
    return Limits(*(float(n) if isinstance(n, (int, float)) else o for n, o in zip(found, before, strict=True)))


def _is_response(message: Message) -> bool:
    return message.side == "evse" if message.side else message.name.endswith("Res")


def stories(events: Iterable[Event]) -> list[Story]:
    """One story a session; what comes before a session and is no session of its own belongs to its story."""
    before: list[Event] = []
    open_stories: dict[int, Story] = {}
    by_connection: dict[int, Story] = {}
    found: list[Story] = []
    last = 0.0
    for event in map(typed, _once(events)):
        if event.time:
            last = max(last, event.time)
        story = _home(event, open_stories, by_connection)
        if story is None and isinstance(event, Message):
            story = Story(event.session, before, connection=event.connection)
            before = []
            found.append(story)
            open_stories[event.session] = by_connection[_place(event)] = story
        if story is None and isinstance(event, Own) and found and not _is_attempt(before):
            story = found[-1]  # what a station does after the connection still belongs to its session
        if story is None:
            before.append(event)
            continue
        story.events.append(event)
        if isinstance(event, Connection) and event.change in (Change.CLOSE, Change.RESET):
            open_stories.pop(story.number, None)
    if not found or _is_attempt(before):
        found.append(Story(0, before))
    elif before:
        found[-1].events.extend(e for e in before if not isinstance(e, Connection))
    for story in found:
        story.events = [e for e in story.events if e.frame or not isinstance(e, Message)]
        story.exchanges = pair_up(story.messages)
        story.last_in_file = last
    return [story for story in found if story.events]


def _once(events: Iterable[Event]) -> Iterator[Event]:
    """Every management message once, where two interfaces saw it."""
    seen: dict[tuple[bytes, bytes, int, bytes], tuple[int, float]] = {}
    for event in events:
        if isinstance(event, HomePlug):
            key = (event.source, event.destination, event.type, event.payload)
            interface, time = seen.get(key, (event.interface, event.time))
            if interface != event.interface and event.time - time < TAPS_S:
                continue
            seen[key] = event.interface, event.time
        yield event


def _home(event: Event, open_stories: dict[int, Story], by_connection: dict[int, Story]) -> Story | None:
    if isinstance(event, Message):
        return by_connection.get(_place(event))
    if isinstance(event, (Connection, Tls)):
        return by_connection.get(event.connection)
    if open_stories:
        return next(reversed(open_stories.values()))
    return None


def _place(message: Message) -> int:
    """The connection of a message, or a number of its own for a session that was recorded without frames."""
    return message.connection or -message.session


def _is_attempt(events: list[Any]) -> bool:
    """Whether a vehicle tried something: it matched, or looked for a charger."""
    return any(
        isinstance(e, Sdp) or (isinstance(e, HomePlug) and e.name in ("CM_SLAC_PARAM.REQ", "CM_SLAC_MATCH.REQ"))
        for e in events
    )
