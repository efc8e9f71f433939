"""How a message type says what it is on the wire.

A complex type is a subclass of `Element`; its annotated fields, in order, are its attributes and content:

    class PhysicalValue(Element, frozen=True):
        Multiplier: Annotated[int, Bits(-3, 3)]
        Unit: unitSymbol | None = None                      # optional: `| None = None`
        Value: Annotated[int, Integer(-32768, 32767)]

An enumeration is an `Enumeration` (an IntEnum whose values are the wire's numbers). A list is `Annotated[list[T],
Occurs(1, 20)]`. A reference to the head of a substitution group names its members: `Annotated[A | B, Group(...)]`.
"""

from __future__ import annotations

import types
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from typing import Annotated, Any, ClassVar, NamedTuple, Union, get_args, get_origin, get_type_hints

import msgspec


class Element(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Base of every complex type. `XSD` is its place in the schema."""

    XSD: ClassVar[Xsd]
    ALTERNATIVES: ClassVar[tuple[tuple[str, ...], ...]] = ()
    """Where the content is a choice of sequences: their fields, `?` behind an optional one."""


class Xsd(NamedTuple):
    """Namespace of the schema document that defines a type; the element's own name where it is not the class's."""

    namespace: str
    element: str | None = None
    abstract: bool = False
    mixed: bool = False
    qualified: bool = True


class Enumeration(IntEnum):
    """An enumeration in schema order: the value is the wire's number."""

    @property
    def text(self) -> str:
        """The name as the schema writes it (a name Python cannot spell has a trailing or inner underscore)."""
        special: dict[str, str] = getattr(type(self), "__spelling__", {}) or {}
        return special.get(self.name, self.name)


@dataclass(frozen=True)
class Simple:
    """Base of the simple types."""


@dataclass(frozen=True)
class Boolean(Simple):
    """One bit."""


@dataclass(frozen=True)
class Enumerated(Simple):
    """n bits: the index in schema order."""

    kind: type[Enumeration]

    @property
    def bits(self) -> int:
        return (len(self.kind) - 1).bit_length()


@dataclass(frozen=True)
class Bits(Simple):
    """A bounded integer of at most 4096 values: n bits, offset `low`."""

    low: int
    high: int

    @property
    def bits(self) -> int:
        return (self.high - self.low).bit_length()


@dataclass(frozen=True)
class Unsigned(Simple):
    """Octets of seven bits, least significant first."""

    high: int | None = None


@dataclass(frozen=True)
class Integer(Simple):
    """A sign bit, then an unsigned."""

    low: int | None = None
    high: int | None = None


@dataclass(frozen=True)
class Text(Simple):
    """A string; the length facet does not change the coding."""

    max_length: int | None = None


@dataclass(frozen=True)
class Binary(Simple):
    """Octets with their count; `base64` is how XML writes them (else hex)."""

    max_length: int | None = None
    base64: bool = False


@dataclass(frozen=True)
class Occurs:
    """A list: how many times its element stands there; `high` None is unbounded."""

    low: int
    high: int | None = None


class Member(NamedTuple):
    """One alternative of a substitution group or choice: element name, type, namespace of the element."""

    name: str
    type: Any
    namespace: str


@dataclass(frozen=True)
class Group:
    """A substitution group: all members, the head too, sorted by name; abstract ones keep their number."""

    head: str
    members: tuple[Member, ...]


@dataclass(frozen=True)
class OneOf:
    """Neighbouring fields with the same label are alternatives of one choice."""

    label: str


@dataclass(frozen=True)
class Together:
    """Neighbouring fields with the same label are an optional sequence: all or none."""

    label: str


@dataclass(frozen=True)
class Choices:
    """A repeated choice whose order matters: a list of (element name, value)."""

    members: tuple[Member, ...]
    low: int = 1
    high: int | None = None
    any_content: bool = True


@dataclass(frozen=True)
class Wildcard:
    """xs:any: keeps its number; its content is not supported."""

    low: int = 0
    high: int | None = None


class Attribute:
    """Marks an attribute."""


class Content:
    """Marks the value of simple content."""


@dataclass(frozen=True)
class Namespace:
    """The namespace of an element that is not its type's (a reference to a global element)."""

    uri: str


@dataclass(frozen=True)
class Unit:
    """The unit of a physical value, for people."""

    symbol: str


@dataclass(frozen=True)
class Field:
    """One declared field, taken apart."""

    name: str
    kind: str  # "attribute", "content", "element", "group", "choices", "any"
    type: Any  # a Simple, or an Element class
    low: int
    high: int | None
    members: tuple[Member, ...]
    namespace: str
    is_list: bool
    choice: str | None
    together: str | None
    unit: str | None


@cache
def fields(cls: type[Element]) -> tuple[Field, ...]:
    """The declared fields of a complex type, in order."""
    hints = get_type_hints(cls, include_extras=True)
    return tuple(_field(cls, name, hints[name]) for name in cls.__struct_fields__)


def _field(cls: type[Element], name: str, hint: Any) -> Field:
    meta: list[Any] = []
    optional = False
    while True:
        origin = get_origin(hint)
        if origin is Annotated:
            args = get_args(hint)
            hint, meta = args[0], [*meta, *args[1:]]
        elif origin in (Union, types.UnionType) and type(None) in get_args(hint):
            optional = True
            rest = tuple(a for a in get_args(hint) if a is not type(None))
            hint = rest[0] if len(rest) == 1 else Union[rest]  # noqa: UP007  # built at run time
        else:
            break
    is_list = get_origin(hint) is list
    if is_list:
        item = get_args(hint)[0]
        if get_origin(item) is Annotated:
            meta = [*meta, *get_args(item)[1:]]
            item = get_args(item)[0]
        hint = item
    find = lambda kind: next((m for m in meta if isinstance(m, kind)), None)  # noqa: E731
    occurs = find(Occurs)
    low, high = (occurs.low, occurs.high) if occurs else (0 if optional else 1, 1)
    group, choices, wildcard = find(Group), find(Choices), find(Wildcard)
    namespace = find(Namespace)
    unit = find(Unit)
    choice, together = find(OneOf), find(Together)
    kind, simple, members = "element", find(Simple), ()
    if find(Attribute) or Attribute in meta:
        kind = "attribute"
    elif find(Content) or Content in meta:
        kind = "content"
    elif group:
        kind, members = "group", group.members
    elif choices:
        kind, members, low, high = "choices", choices.members, choices.low, choices.high
    elif wildcard:
        kind, low, high = "any", wildcard.low, wildcard.high
    target: Any = simple
    if target is None and isinstance(hint, type):
        if issubclass(hint, Enumeration):
            target = Enumerated(hint)
        elif hint is bool:
            target = Boolean()
        elif issubclass(hint, Element):
            target = hint
    if kind == "element" and target is None:
        raise TypeError(f"{cls.__name__}.{name}: {hint} says nothing about the wire")
    return Field(
        name, kind, target, 1 if choice else low, high, members,
        namespace.uri if namespace else cls.XSD.namespace, is_list, choice.label if choice else None,
        together.label if together else None, unit.symbol if unit else None,
    )  # fmt: skip
