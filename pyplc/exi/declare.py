"""How a message type says what it is on the wire.

A complex type is a subclass of `Element`; its annotated fields, inherited ones first, are its attributes and content:

    class PhysicalValue(Element):
        XSD = Xsd(TYPES)
        Multiplier: Annotated[int, Bits(-3, 3)]
        Unit: unitSymbol | None = None                      # optional: `| None = None`
        Value: Annotated[int, Integer(-0x8000, 0x7FFF)]

An enumeration is an `Enumeration` (an IntEnum whose values are the wire's numbers). A list is `Annotated[list[T],
Occurs(1, 20)]`. A reference to the head of a substitution group names the members: `Annotated[Head, Group(A, B)]`.
Everything else (grammars, generated codecs, XML, JSON, the reference of the manual) is derived from these.
"""

from __future__ import annotations

import types
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    ClassVar,
    NamedTuple,
    Self,
    TypeVar,
    Union,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

import msgspec


class Xsd(NamedTuple):
    """Where a type stands in its schema.

    `element` is the name of its element where that is not the class's; `qualified` says whether its local elements have
    a namespace; `window` is the length in bits of its usual form, for values that come again and again.
    """

    namespace: str
    element: str | None = None
    abstract: bool = False
    mixed: bool = False
    qualified: bool = True
    window: int = 0


if TYPE_CHECKING:

    @dataclass_transform(kw_only_default=True, frozen_default=True)
    class _Meta(type):
        """What type checkers see: mypy takes the defaults of msgspec's own metaclass otherwise."""

    class _Struct(metaclass=_Meta):
        __struct_fields__: ClassVar[tuple[str, ...]]

else:

    class _Meta(msgspec.StructMeta):
        """Makes every complex type an immutable struct with keyword fields; trees of them need no garbage collector."""

        def __new__(mcls, name, bases, namespace, **config):
            config = {"kw_only": True, "frozen": True, "gc": False, **config}
            return super().__new__(mcls, name, bases, namespace, **config)

    class _Struct(msgspec.Struct, metaclass=_Meta):
        pass


class Element(_Struct):
    """Base of every complex type: an immutable value."""

    XSD: ClassVar[Xsd] = Xsd("")
    ALTERNATIVES: ClassVar[tuple[tuple[str, ...], ...]] = ()
    """Where the content is a choice of sequences: their fields, `?` behind an optional one."""

    @classmethod
    def tag(cls) -> str:
        """The name of its element."""
        return cls.XSD.element or cls.__name__


class Enumeration(IntEnum):
    """An enumeration in schema order: the value is the wire's number.

    `NAME = number, "text"` where Python cannot spell the text.
    """

    _text: str

    def __new__(cls, value: int, text: str = "") -> Self:
        member = int.__new__(cls, value)
        member._value_ = value
        member._text = text
        return member

    @property
    def text(self) -> str:
        """The name as the schema writes it."""
        return self._text or self.name

    def __repr__(self) -> str:
        return f"{type(self).__name__}.{self.name}"

    @classmethod
    def of(cls, text: str) -> Self:
        """The member that the schema writes as `text`; ValueError if there is none."""
        for member in cls:
            if member.text == text:
                return member
        raise ValueError(f"{text!r} is no {cls.__name__}")


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
    """Octets of seven bits, least significant first; `low` does not change the coding."""

    high: int | None = None
    low: int = 0


@dataclass(frozen=True)
class Integer(Simple):
    """A sign bit, then an unsigned."""

    low: int | None = None
    high: int | None = None


@dataclass(frozen=True)
class Text(Simple):
    """A string; the length facets do not change the coding."""

    max_length: int | None = None
    min_length: int = 0


@dataclass(frozen=True)
class Binary(Simple):
    """Octets with their count; `base64` is how XML writes them (else hex)."""

    max_length: int | None = None
    base64: bool = False
    min_length: int = 0


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


class Group:
    """The types of a substitution group besides its head; abstract ones keep their number."""

    def __init__(self, *members: type[Element]) -> None:
        self.members = members


@dataclass(frozen=True)
class OneOf:
    """Neighbouring fields with the same label are alternatives of one choice."""

    label: str
    optional: bool = False


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


@dataclass(frozen=True)
class Wildcard:
    """xs:any: keeps its number; its content is not supported."""

    low: int = 0
    high: int | None = None


@dataclass(frozen=True)
class Attribute:
    """Marks an attribute; `qualified`: it is in the namespace of its schema document."""

    qualified: bool = False


@dataclass(frozen=True)
class Content:
    """Marks the value of simple content."""


@dataclass(frozen=True)
class Namespace:
    """The namespace of an element that is not its type's (a reference to a global element)."""

    uri: str


@dataclass(frozen=True)
class Unit:
    """The unit of a value, for people."""

    symbol: str


@dataclass(frozen=True)
class Field:
    """One declared field, taken apart. `kind` is attribute, content, element, group, choices or any."""

    name: str
    kind: str
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


def _owner(cls: type[Element], name: str) -> type[Element]:
    """The class of the line of ancestors that declares a field: its schema document names the element."""
    return next(c for c in cls.__mro__ if name in c.__dict__.get("__annotations__", ()))


def _strip(hint: Any) -> tuple[Any, list[Any], bool]:
    """A hint without its metadata and its None: (type, metadata, optional)."""
    meta: list[Any] = []
    optional = False
    while True:
        if get_origin(hint) is Annotated:
            hint, *more = get_args(hint)
            meta += more
        elif get_origin(hint) in (Union, types.UnionType) and type(None) in get_args(hint):
            optional = True
            (hint,) = (a for a in get_args(hint) if a is not type(None))
        else:
            return hint, meta, optional


T = TypeVar("T")


def _find(meta: list[Any], kind: type[T]) -> T | None:
    return next((m for m in meta if isinstance(m, kind)), None)


def _simple(hint: Any, meta: list[Any]) -> Any:
    """What a value is on the wire: a Simple, or an Element class, or None."""
    simple = _find(meta, Simple)
    if simple is None and isinstance(hint, type):
        if issubclass(hint, Enumeration):
            return Enumerated(hint)
        if hint is bool:
            return Boolean()
        if issubclass(hint, Element):
            return hint
    return simple


def _members(head: type[Element], group: Group) -> tuple[Member, ...]:
    members = (Member(cls.tag(), cls, cls.XSD.namespace) for cls in (head, *group.members))
    return tuple(sorted(members, key=lambda m: (m.name, m.namespace)))


def _field(cls: type[Element], name: str, hint: Any) -> Field:
    hint, meta, optional = _strip(hint)
    is_list = get_origin(hint) is list
    if is_list:
        hint, more, _ = _strip(get_args(hint)[0])
        meta += more
    owner = _owner(cls, name)
    namespace = owner.XSD.namespace if owner.XSD.qualified else ""
    if (reference := _find(meta, Namespace)) is not None:
        namespace = reference.uri
    low, high = int(not optional), 1
    kind, target = "element", _simple(hint, meta)
    members: tuple[Member, ...] = ()
    limits: Any = _find(meta, Occurs)
    choice = _find(meta, OneOf)
    if choice is not None:
        low = int(not choice.optional)
    if (attribute := _find(meta, Attribute)) is not None:
        kind, namespace = "attribute", namespace if attribute.qualified else ""
    elif _find(meta, Content) is not None:
        kind = "content"
    elif (group := _find(meta, Group)) is not None:
        kind, members = "group", _members(hint, group)
    elif (choices := _find(meta, Choices)) is not None:
        kind, members, limits = "choices", choices.members, choices
    elif (wildcard := _find(meta, Wildcard)) is not None:
        kind, limits = "any", wildcard
    if limits is not None and choice is None:
        low, high = limits.low, limits.high
    if kind in ("element", "attribute", "content") and target is None:
        raise TypeError(f"{cls.__name__}.{name}: {hint} says nothing about the wire")
    together, unit = _find(meta, Together), _find(meta, Unit)
    return Field(
        name, kind, target, low, high, members, namespace, is_list, choice.label if choice else None,
        together.label if together else None, unit.symbol if unit else None,
    )  # fmt: skip
