"""The general codec: walks the grammars bit by bit, accepts what a tolerant decoder must, and tells exactly what is wrong.

It is the second opinion of the generated code, and its fallback for everything unusual: string table hits, empty values
as EE, long integers, wildcards (refused), values out of range.
"""

from __future__ import annotations

from typing import Any

from .declare import Binary, Bits, Boolean, Element, Enumerated, Integer, Simple, Text, Unsigned
from .errors import ExiError, ExiValueError
from .grammar import Event, grammar

MAX_OCTETS = 10
"""Octets of a bounded integer: ten hold 64 bits; needless ones are accepted up to here."""
MAX_OCTETS_UNBOUNDED = 64


class Reader:
    """A bit string with a position, and the string tables of one message."""

    def __init__(self, data: bytes) -> None:
        self.value = int.from_bytes(data, "big")
        self.size = len(data) * 8
        self.pos = 0
        self.local: dict[str, list[str]] = {}
        self.globals: list[str] = []

    def bits(self, n: int, what: str) -> int:
        """The next n bits as a number; ExiError when the stream is over."""
        if self.pos + n > self.size:
            raise ExiError(f"the message ends inside {what}", self.pos)
        self.pos += n
        return (self.value >> (self.size - self.pos)) & ((1 << n) - 1)

    def unsigned(self, what: str, limit: int = MAX_OCTETS) -> int:
        """An unsigned integer in octets of seven bits."""
        value = shift = 0
        for _ in range(limit):
            octet = self.bits(8, what)
            value |= (octet & 0x7F) << shift
            if octet < 0x80:
                return value
            shift += 7
        raise ExiError(f"{what}: an integer of more than {limit} octets", self.pos)

    def octets(self, count: int, what: str) -> bytes:
        """`count` octets; checked against what is left before anything is taken."""
        if count * 8 > self.size - self.pos:
            raise ExiError(f"{what} claims {count} octets, {(self.size - self.pos) // 8} are left", self.pos)
        return self.bits(count * 8, what).to_bytes(count, "big")

    def text(self, name: str) -> str:
        """A string: a miss, or a hit in the tables of earlier values."""
        length = self.unsigned(f"the length of {name}")
        if length >= 2:
            count = length - 2
            if count * 8 > self.size - self.pos:
                raise ExiError(f"{name} claims {count} characters, {(self.size - self.pos) // 8} octets left", self.pos)
            points = [self.unsigned(name) for _ in range(count)]
            try:
                value = "".join(map(chr, points))
                value.encode()
            except (ValueError, OverflowError):
                raise ExiError(f"{name} has a code point that is no character", self.pos) from None
            if value:
                self.local.setdefault(name, []).append(value)
                self.globals.append(value)
            return value
        table = self.local.get(name, []) if length == 0 else self.globals
        index = self.bits(max(len(table) - 1, 0).bit_length(), name)
        if index >= len(table):
            raise ExiError(f"{name} refers to entry {index} of a string table with {len(table)}", self.pos)
        return table[index]


def simple(reader: Reader, kind: Simple, name: str, strict: bool) -> Any:
    """One simple value; ExiError when it is not one."""
    at = reader.pos
    match kind:
        case Boolean():
            return bool(reader.bits(1, name))
        case Enumerated():
            index = reader.bits(kind.bits, name)
            if index >= len(kind.kind):
                raise ExiError(f"{name} has number {index} of {len(kind.kind)}", at)
            return kind.kind(index)
        case Bits():
            value = reader.bits(kind.bits, name) + kind.low
            if value > kind.high:
                raise ExiError(f"{name} is {value}, at most {kind.high} is allowed", at)
            return value
        case Unsigned():
            value = reader.unsigned(name, MAX_OCTETS if kind.high is not None else MAX_OCTETS_UNBOUNDED)
            if kind.high is not None and value > kind.high:
                raise ExiError(f"{name} is {value}, at most {kind.high} is allowed", at)
            return value
        case Integer():
            negative = reader.bits(1, name)
            value = reader.unsigned(name, MAX_OCTETS if kind.high is not None else MAX_OCTETS_UNBOUNDED)
            value = -value - 1 if negative else value
            if (kind.low is not None and value < kind.low) or (kind.high is not None and value > kind.high):
                raise ExiError(f"{name} is {value}, allowed are {kind.low} to {kind.high}", at)
            return value
        case Text():
            return reader.text(name)
        case Binary():
            return reader.octets(reader.unsigned(f"the length of {name}"), name)
    raise TypeError(kind)


def decode(reader: Reader, cls: type[Element], name: str, strict: bool = False) -> Element:
    """One complex element, its start already read."""
    if cls.XSD.abstract and strict:
        raise ExiError(f"{name} is abstract", reader.pos)
    rules = grammar(cls)
    key = rules.start
    values: dict[str, Any] = {}
    while True:
        state = rules.state(key)
        at = reader.pos
        code = reader.bits(state.bits, name)
        if code >= len(state.events):
            if code == len(state.events) and _empty(reader, rules.content is not None and not key[2], rules.content):
                values[rules.content.name] = "" if isinstance(rules.content.type, Text) else b""  # type: ignore[union-attr]
                return _make(cls, values, name, at)
            raise ExiError(f"in {name}: event {code} of {len(state.events)} (undeclared content)", at)
        event = state.events[code]
        if event.what == "EE":
            return _make(cls, values, name, at)
        if event.what == "ANY" or (event.what == "CH" and event.type is None):
            raise ExiError(f"in {name}: free content is not supported", at)
        if event.what in ("AT", "CH"):
            values[event.field.name] = simple(reader, event.type, event.name or name, strict)  # type: ignore[union-attr]
        else:
            _store(values, event, _element(reader, event, strict))
        key = state.next[code]


def _empty(reader: Reader, text_expected: bool, field: Any) -> bool:
    """The escape form of an empty string or binary: 000 behind the escape, the element is over (section 7.3)."""
    if not text_expected or not isinstance(field.type, (Text, Binary)):
        return False
    return reader.bits(3, "an undeclared event") == 0


def _element(reader: Reader, event: Event, strict: bool) -> Any:
    if isinstance(event.type, type):
        return decode(reader, event.type, event.name, strict)
    at = reader.pos
    if reader.bits(1, event.name):
        if isinstance(event.type, (Text, Binary)) and reader.bits(3, event.name) == 0:
            return "" if isinstance(event.type, Text) else b""
        raise ExiError(f"in {event.name}: undeclared content instead of its value", at)
    value = simple(reader, event.type, event.name, strict)
    at = reader.pos
    if reader.bits(1, event.name):
        raise ExiError(f"in {event.name}: undeclared content behind its value", at)
    return value


def _store(values: dict[str, Any], event: Event, value: Any) -> None:
    field = event.field
    assert field is not None
    if field.kind == "choices":
        values.setdefault(field.name, []).append((event.name, value))
    elif field.is_list:
        values.setdefault(field.name, []).append(value)
    else:
        values[field.name] = value


def _make(cls: type[Element], values: dict[str, Any], name: str, at: int) -> Element:
    from .declare import fields

    for f in fields(cls):
        if (f.is_list or f.kind == "choices") and f.name not in values:
            values[f.name] = []
    try:
        return cls(**values)
    except TypeError as error:
        raise ExiError(f"{name} is incomplete: {error}", at) from None


class Writer:
    """A bit string that grows at its end; the leading 1 of the header keeps its length."""

    def __init__(self) -> None:
        self.value = 0x80

    def bits(self, value: int, n: int) -> None:
        """n bits."""
        self.value = self.value << n | value

    def unsigned(self, value: int) -> None:
        """An unsigned integer in the fewest octets."""
        while value > 0x7F:
            self.bits(value & 0x7F | 0x80, 8)
            value >>= 7
        self.bits(value, 8)

    def finish(self) -> bytes:
        """The octets, padded with zero bits."""
        size = self.value.bit_length()
        pad = -size % 8
        return (self.value << pad).to_bytes((size + pad) // 8, "big")


def write_simple(writer: Writer, kind: Simple, value: Any, name: str) -> None:
    """One simple value; ExiValueError when the schema cannot carry it."""
    check(kind, value, name)
    match kind:
        case Boolean():
            writer.bits(int(value), 1)
        case Enumerated():
            writer.bits(int(value), kind.bits)
        case Bits():
            writer.bits(value - kind.low, kind.bits)
        case Unsigned():
            writer.unsigned(value)
        case Integer():
            writer.bits(int(value < 0), 1)
            writer.unsigned(-value - 1 if value < 0 else value)
        case Text():
            writer.unsigned(len(value) + 2)
            for character in value:
                writer.unsigned(ord(character))
        case Binary():
            writer.unsigned(len(value))
            if value:
                writer.bits(int.from_bytes(value, "big"), 8 * len(value))


def check(kind: Simple, value: Any, name: str) -> None:
    """ExiValueError unless `value` can be written as `kind`."""
    match kind:
        case Boolean():
            good = isinstance(value, (bool, int)) and value in (0, 1)
        case Enumerated():
            good = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(kind.kind)
        case Bits(low, high) | Integer(low, high):
            good = isinstance(value, int) and (low is None or value >= low) and (high is None or value <= high)
        case Unsigned(high):
            good = isinstance(value, int) and value >= 0 and (high is None or value <= high)
        case Text():
            good = isinstance(value, str)
        case Binary():
            good = isinstance(value, (bytes, bytearray))
        case _:
            good = False
    if not good:
        raise ExiValueError(f"{name} cannot be {value!r} ({kind})")


def encode(writer: Writer, message: Element, cls: type[Element], name: str) -> None:
    """One complex element, its start already written."""
    if not isinstance(message, cls):
        raise ExiValueError(f"{name} must be a {cls.__name__}, not {type(message).__name__}")
    rules = grammar(cls)
    key = rules.start
    pending = _pending(message)
    position = 0
    while True:
        state = rules.state(key)
        wanted = pending[position] if position < len(pending) else ("EE", "", None)
        code = _find(state.events, wanted)
        if code is None:
            allowed = ", ".join(e.name or e.what for e in state.events)
            raise ExiValueError(f"in {name}: {wanted[1] or 'the end'} is not allowed here (allowed: {allowed})")
        event = state.events[code]
        writer.bits(code, state.bits)
        if event.what == "EE":
            return
        value = wanted[2]
        if event.what == "SE":
            _write_element(writer, event, value)
        else:
            write_simple(writer, event.type, value, event.name or name)
        position += 1
        key = state.next[code]


def _pending(message: Element) -> list[tuple[str, str, Any]]:
    """What a message holds, in the order of the wire: (kind, element name, value)."""
    cls = type(message)
    rules = grammar(cls)
    from .declare import fields

    out: list[tuple[str, str, Any]] = []
    for f in rules.attributes:
        value = getattr(message, f.name)
        if value is not None:
            out.append(("AT", f.name, value))
    for f in fields(cls):
        value = getattr(message, f.name)
        if f.kind == "attribute" or value is None:
            continue
        if f.kind == "content":
            out.append(("CH", "", value))
        elif f.kind == "choices":
            out.extend(("SE", name, item) for name, item in value)
        elif f.kind != "any":
            for item in value if f.is_list else (value,):
                out.append(("SE", _member_name(f, item) if f.kind == "group" else f.name, item))
    return out


def _member_name(field: Any, value: Any) -> str:
    for member in field.members:
        if type(value) is member.type:
            return str(member.name)
    raise ExiValueError(f"{field.name} cannot be a {type(value).__name__}")


def _find(events: tuple[Event, ...], wanted: tuple[str, str, Any]) -> int | None:
    for i, event in enumerate(events):
        if event.what == wanted[0] and (wanted[0] == "EE" or event.name == wanted[1]):
            return i
    return None


def _write_element(writer: Writer, event: Event, value: Any) -> None:
    if isinstance(event.type, type):
        encode(writer, value, event.type, event.name)
        return
    writer.bits(0, 1)
    write_simple(writer, event.type, value, event.name)
    writer.bits(0, 1)
