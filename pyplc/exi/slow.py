"""The general codec: walks the grammars bit by bit, accepts what a tolerant decoder must, says exactly what is wrong.

It is the second opinion of the generated code, and its fallback for everything unusual: string table hits, empty values
written as an undeclared end, long integers, numbers of enumerations that are new, values out of range.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .declare import Binary, Bits, Boolean, Element, Enumerated, Field, Integer, Simple, Text, Unsigned
from .errors import ExiError, ExiValueError
from .grammar import Event, grammar
from .walk import END, attributes, content

if TYPE_CHECKING:
    from .codec import Schema

MAX_OCTETS = 10
"""Octets of a bounded integer: ten hold 64 bits; needless ones are accepted up to here."""
MAX_OCTETS_UNBOUNDED = 64


class Mode(NamedTuple):
    """`strict`: nothing but what V2G peers write, within facets. `lenient`: unknown enumeration numbers are kept."""

    strict: bool = False
    lenient: bool = False


TOLERANT = Mode()


class Reader:
    """A bit string with a position, and the string tables of one message."""

    def __init__(self, data: bytes) -> None:
        from .codec import body_of

        self.data, self.skipped = body_of(data)
        self.size = len(self.data) * 8
        self.pos = 8
        self.local: dict[str, list[str]] = {}
        self.globals: list[str] = []

    def error(self, reason: str, at: int | None = None) -> ExiError:
        """An error here, or at a bit read before."""
        return ExiError(reason, self.skipped + (self.pos if at is None else at))

    def bits(self, n: int, what: str) -> int:
        """The next n bits as a number; ExiError when the stream is over."""
        end = self.pos + n
        if end > self.size:
            raise self.error(f"the message ends inside {what}")
        window = self.data[self.pos >> 3 : (end + 7) >> 3]
        self.pos = end
        return (int.from_bytes(window, "big") >> (-end & 7)) & ((1 << n) - 1)

    def unsigned(self, what: str, limit: int = MAX_OCTETS) -> int:
        """An unsigned integer in octets of seven bits."""
        value = shift = 0
        for _ in range(limit):
            octet = self.bits(8, what)
            value |= (octet & 0x7F) << shift
            if octet < 0x80:
                return value
            shift += 7
        raise self.error(f"{what}: an integer of more than {limit} octets")

    def octets(self, count: int, what: str) -> bytes:
        """`count` octets; checked against what is left before anything is taken."""
        self.claim(count, what, "octets")
        return self.bits(count * 8, what).to_bytes(count, "big")

    def claim(self, count: int, what: str, of: str) -> None:
        """ExiError when less than `count` octets are left."""
        left = (self.size - self.pos) // 8
        if count > left:
            raise self.error(f"{what} claims {count} {of}, {left} octets are left")

    def text(self, name: str) -> str:
        """A string: a miss, or a hit in the tables of earlier values."""
        length = self.unsigned(f"the length of {name}")
        if length < 2:
            return self._hit(name, self.local.get(name, []) if length == 0 else self.globals)
        self.claim(length - 2, name, "characters")
        points = [self.unsigned(name) for _ in range(length - 2)]
        try:
            value = "".join(map(chr, points))
            value.encode()
        except (ValueError, OverflowError):
            raise self.error(f"{name} has a code point that is no character") from None
        if value:
            self.local.setdefault(name, []).append(value)
            self.globals.append(value)
        return value

    def _hit(self, name: str, table: list[str]) -> str:
        index = self.bits(max(len(table) - 1, 0).bit_length(), name)
        if index >= len(table):
            raise self.error(f"{name} refers to entry {index} of a string table with {len(table)}")
        return table[index]


def simple(reader: Reader, kind: Simple, name: str, mode: Mode) -> Any:
    """One simple value; ExiError when it is not one."""
    at = reader.pos
    match kind:
        case Boolean():
            return bool(reader.bits(1, name))
        case Enumerated():
            index = reader.bits(kind.bits, name)
            if index < len(kind.kind):
                return kind.kind(index)
            if mode.lenient:
                return index
            raise reader.error(f"{name} has number {index}, its enumeration ends with {len(kind.kind) - 1}", at)
        case Bits():
            value = reader.bits(kind.bits, name) + kind.low
        case Unsigned():
            value = reader.unsigned(name, MAX_OCTETS if kind.high is not None else MAX_OCTETS_UNBOUNDED)
        case Integer():
            negative = reader.bits(1, name)
            value = reader.unsigned(name, MAX_OCTETS if kind.high is not None else MAX_OCTETS_UNBOUNDED)
            value = ~value if negative else value
        case Text():
            return _measured(reader, kind, reader.text(name), name, mode, at)
        case Binary():
            return _measured(
                reader, kind, reader.octets(reader.unsigned(f"the length of {name}"), name), name, mode, at
            )
        case _:
            raise TypeError(kind)
    if (kind.low is not None and value < kind.low) or (kind.high is not None and value > kind.high):
        raise reader.error(f"{name} is {value}, its range is {kind.low} to {kind.high}", at)
    return value


def _measured(reader: Reader, kind: Text | Binary, value: Any, name: str, mode: Mode, at: int) -> Any:
    if mode.strict and (length := len(value)) != min(max(length, kind.min_length), kind.max_length or length):
        raise reader.error(f"{name} has length {length}, allowed are {kind.min_length} to {kind.max_length}", at)
    return value


def decode_document(schema: Schema[Any], data: bytes, mode: Mode = TOLERANT) -> Element:
    """The message in a stream; ExiError where it is none."""
    reader = Reader(data)
    number = reader.bits(schema.bits, "the root element")
    root = schema.roots.get(number)
    if root is None:
        known = ", ".join(f"{r.name} {r.number}" for r in schema.roots.values()) or "none"
        raise reader.error(f"root element {number} is not one of schema {schema.name} ({known})", 8)
    message = decode(reader, root.type, root.name, mode)
    if mode.strict and (left := (reader.size - reader.pos) // 8):
        raise reader.error(f"{left} octets behind the end")
    return message


def decode(reader: Reader, cls: type[Element], name: str, mode: Mode = TOLERANT) -> Element:
    """One complex element, its start already read."""
    if cls.XSD.abstract and mode.strict:
        raise reader.error(f"{name} is abstract")
    rules = grammar(cls)
    key = rules.start
    values: dict[str, Any] = {}
    while True:
        state = rules.state(key)
        at = reader.pos
        code = reader.bits(state.bits, name)
        if code >= len(state.events):
            if code == len(state.events) and rules.content is not None and not key[2] and not mode.strict:
                values[rules.content.name] = _empty(reader, rules.content.type, name, at)
                return _make(reader, cls, values, name, at)
            raise reader.error(f"in {name}: event {code} of {len(state.events)}, undeclared content is refused", at)
        event = state.events[code]
        if event.what == "EE":
            return _make(reader, cls, values, name, at)
        if event.field is None or event.type is None:
            raise reader.error(f"in {name}: free content is not supported", at)
        if event.what == "SE":
            _store(values, event, event.field, _element(reader, event, mode))
        else:
            values[event.field.name] = simple(reader, event.type, event.name or name, mode)
        key = state.next[code]


def _empty(reader: Reader, kind: Simple, name: str, at: int) -> Any:
    """The other form of an empty string or binary: 000 behind the escape, and the element is over."""
    if isinstance(kind, (Text, Binary)) and reader.bits(3, name) == 0:
        return "" if isinstance(kind, Text) else b""
    raise reader.error(f"in {name}: undeclared content instead of its value", at)


def _element(reader: Reader, event: Event, mode: Mode) -> Any:
    if isinstance(event.type, type):
        return decode(reader, event.type, event.name, mode)
    at = reader.pos
    if reader.bits(1, event.name):
        if mode.strict:
            raise reader.error(f"in {event.name}: undeclared content instead of its value", at)
        return _empty(reader, event.type, event.name, at)
    value = simple(reader, event.type, event.name, mode)
    at = reader.pos
    if reader.bits(1, event.name):
        raise reader.error(f"in {event.name}: undeclared content behind its value", at)
    return value


def _store(values: dict[str, Any], event: Event, field: Field, value: Any) -> None:
    if field.kind == "choices":
        values.setdefault(field.name, []).append((event.name, value))
    elif field.is_list:
        values.setdefault(field.name, []).append(value)
    else:
        values[field.name] = value


def _make(reader: Reader, cls: type[Element], values: dict[str, Any], name: str, at: int) -> Element:
    try:
        return cls(**values)
    except TypeError as error:
        raise reader.error(f"{name} is incomplete: {error}", at) from None


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
            writer.unsigned(~value if value < 0 else value)
        case Text():
            writer.unsigned(len(value) + 2)
            for character in value:
                writer.unsigned(ord(character))
        case Binary():
            writer.unsigned(len(value))
            writer.bits(int.from_bytes(value, "big"), 8 * len(value))


def check(kind: Simple, value: Any, name: str) -> None:
    """ExiValueError unless `value` can be written as `kind`."""
    match kind:
        case Boolean():
            good, allowed = value in (0, 1), "True or False"
        case Enumerated():
            good, allowed = isinstance(value, int) and 0 <= value < len(kind.kind), f"a {kind.kind.__name__}"
        case Bits(low, high) | Integer(low, high):
            good = isinstance(value, int) and (low is None or value >= low) and (high is None or value <= high)
            allowed = f"an integer from {low} to {high}"
        case Unsigned(high, low):
            good = isinstance(value, int) and value >= low and (high is None or value <= high)
            allowed = f"an integer from {low} to {high}"
        case Text():
            good, allowed = isinstance(value, str) and _encodable(value), "a string without surrogates"
        case Binary():
            good, allowed = isinstance(value, (bytes, bytearray)), "bytes"
        case _:
            raise TypeError(kind)
    if not good:
        raise ExiValueError(f"{name} cannot be {value!r}, it must be {allowed}")


def _encodable(text: str) -> bool:
    return not any("\ud800" <= c <= "\udfff" for c in text)


def encode_document(schema: Schema[Any], message: Element) -> bytes:
    """The stream of a message; ExiValueError for what the schema cannot carry."""
    root = schema.root_of(message)
    writer = Writer()
    writer.bits(root.number, schema.bits)
    encode(writer, message, root.type, root.name)
    return writer.finish()


def encode(writer: Writer, message: Element, cls: type[Element], name: str) -> None:
    """One complex element, its start already written."""
    if type(message) is not cls:
        raise ExiValueError(f"{name} must be a {cls.__name__}, not {message!r:.60}")
    rules = grammar(cls)
    key = rules.start
    for part in [*attributes(message), *content(message), END]:
        state = rules.state(key)
        code = _find(state.events, part.what, part.name)
        if code is None:
            allowed = ", ".join(e.name or e.what for e in state.events)
            raise ExiValueError(f"in {name}: {part.name or 'the end'} cannot stand here (allowed: {allowed})")
        event = state.events[code]
        writer.bits(code, state.bits)
        if event.what == "SE":
            _write_element(writer, event, part.value)
        elif event.what != "EE":
            write_simple(writer, event.type, part.value, event.name or name)
        key = state.next[code]


def _find(events: tuple[Event, ...], what: str, name: str) -> int | None:
    for i, event in enumerate(events):
        if event.what == what and (what in ("EE", "CH") or event.name == name):
            return i
    return None


def _write_element(writer: Writer, event: Event, value: Any) -> None:
    if isinstance(event.type, type):
        encode(writer, value, event.type, event.name)
        return
    writer.bits(0, 1)
    write_simple(writer, event.type, value, event.name)
    writer.bits(0, 1)
