"""From declarations to grammars: for each complex type an automaton of states, made as they are reached.

A state is what may still come: the attributes left, then the particles of the content model as a linked list. Its
events are numbered in a fixed order: attributes, elements, wildcards, end, characters. One more code, the escape,
stands behind them in every state, so n events take n.bit_length() bits.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

from .declare import Element, Field, fields

Cont = tuple[Any, ...]
"""() or (particle, rest); a particle is (low, high, term)."""


class Event(NamedTuple):
    """One event of a state: `what` is "AT", "SE", "ANY", "EE" or "CH"."""

    what: str
    name: str = ""
    namespace: str = ""
    type: Any = None
    field: Field | None = None


class State(NamedTuple):
    """The numbered events of a state and, for each, the key of the state behind it."""

    events: tuple[Event, ...]
    next: tuple[tuple[int, Cont, bool], ...]

    @property
    def bits(self) -> int:
        return len(self.events).bit_length()


class Grammar:
    """The automaton of one complex type. A state's key is (attributes done, particles left, text written)."""

    def __init__(self, cls: type[Element]) -> None:
        declared = fields(cls)
        self.type = cls
        self.attributes = sorted((f for f in declared if f.kind == "attribute"), key=lambda f: (f.name, f.namespace))
        self.content = next((f for f in declared if f.kind == "content"), None)
        self.mixed = cls.XSD.mixed
        self.start: tuple[int, Cont, bool] = (0, _chain(_content(cls)), False)
        self._states: dict[tuple[int, Cont, bool], State] = {}

    def state(self, key: tuple[int, Cont, bool]) -> State:
        """The state of a key."""
        state = self._states.get(key)
        if state is None:
            state = self._states[key] = self._build(*key)
        return state

    def _build(self, done: int, cont: Cont, text: bool) -> State:
        events: list[Event] = []
        following: list[tuple[int, Cont, bool]] = []
        for i in range(done, len(self.attributes)):
            attribute = self.attributes[i]
            events.append(Event("AT", attribute.name, attribute.namespace, attribute.type, attribute))
            following.append((i + 1, cont, text))
            if attribute.low:
                return State(tuple(events), tuple(following))
        after = len(self.attributes)
        if self.content is not None:
            if text:
                return State((Event("EE"),), ((after, (), True),))
            events.append(Event("CH", type=self.content.type, field=self.content))
            following.append((after, (), True))
            return State(tuple(events), tuple(following))
        found, ends = _expand(cont)
        for event, rest in found:
            events.append(event)
            following.append((after, rest, text))
        if ends:
            events.append(Event("EE"))
            following.append((after, (), text))
        if self.mixed:
            events.append(Event("CH"))
            following.append((after, cont, text))
        return State(tuple(events), tuple(following))


@cache
def grammar(cls: type[Element]) -> Grammar:
    """The grammar of a complex type."""
    return Grammar(cls)


def _content(cls: type[Element]) -> list[Any]:
    declared = fields(cls)
    if not cls.ALTERNATIVES:
        return _particles(declared)
    by_name = {f.name: f for f in declared}
    sequences = []
    for names in cls.ALTERNATIVES:
        parts = _particles(tuple(by_name[name.rstrip("?")] for name in names))
        sequences.append(
            tuple(
                (int(not name.endswith("?") and term[1][0].what != "ANY"), high, term)
                for name, (_, high, term) in zip(names, parts, strict=True)
            )
        )
    return [(1, 1, ("choice", tuple(sequences)))]


def _particles(declared: tuple[Field, ...]) -> list[Any]:
    particles: list[Any] = []
    label = pair = None
    for f in declared:
        if f.kind in ("attribute", "content"):
            continue
        if f.kind == "any":
            term: Any = ("events", (Event("ANY", field=f),))
        elif f.kind == "group":
            term = ("events", tuple(Event("SE", m.name, m.namespace, m.type, f) for m in f.members))
        elif f.kind == "choices":
            alternatives = tuple(Event("SE", m.name, m.namespace, m.type, f) for m in f.members)
            term = ("events", (*alternatives, Event("ANY", field=f)))
        else:
            term = ("events", (Event("SE", f.name, f.namespace, f.type, f),))
        if f.choice is not None and f.choice == label:
            low, high, (_, events) = particles[-1]
            particles[-1] = (low, high, ("events", events + term[1]))
            continue
        if f.together is not None:
            member = (1, 1, term)
            if f.together == pair:
                low, high, (_, members) = particles[-1]
                particles[-1] = (low, high, ("seq", (*members, member)))
            else:
                particles.append((0, 1, ("seq", (member,))))
            label, pair = None, f.together
            continue
        label, pair = f.choice, None
        particles.append((f.low, f.high, term))
    return particles


def _chain(particles: list[Any], cont: Cont = ()) -> Cont:
    for particle in reversed(particles):
        cont = (particle, cont)
    return cont


def _expand(cont: Cont) -> tuple[list[tuple[Event, Cont]], bool]:
    """The next events of a content model and what stands behind each; whether it may end here.

    Wildcards come after all declared elements.
    """
    found: list[tuple[Event, Cont]] = []
    wild: list[tuple[Event, Cont]] = []
    while cont:
        (low, high, term), rest = cont
        if high != 0:
            again = ((max(low - 1, 0), None if high is None else high - 1, term), rest)
            kind, payload = term
            if kind == "choice":
                for sequence in payload:
                    first, _ = _expand(_chain(list(sequence), again))
                    found += first
                payload = ()
            if kind == "seq":
                first, _ = _expand(_chain(list(payload), again))
                found += first
                payload = ()
            for event in payload:
                (wild if event.what == "ANY" else found).append((event, again))
            if low:
                return found + wild[:1], False
        cont = rest
    return found + wild[:1], True
