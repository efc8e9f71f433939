"""From plans to generated Python functions, made when they are first needed.

A stream is one big integer: `v` holds it with PAD zero bits behind, `r` is how many bits are left. A field is a shift
and a mask; neighbouring bits of known place are read at once and their event codes tested with one mask. Running past
the end makes a shift count negative, so Python itself raises ValueError. Whatever is unusual makes the function give up
(None), and the general codec does the message again.

Small values of numbers come again and again in a charge loop, so those types keep a table from their bits to the
finished (immutable) value, and back. An attacker chooses the keys: a table is emptied when it has LIMIT entries.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .codec import HEADER
from .declare import Element
from .plan import steps

if TYPE_CHECKING:
    from .codec import Schema

PAD = 320
"""Zero bits behind the stream: a window may look past the end."""
LIMIT = 1024
"""Entries of a table of values."""
LONGEST = 1 << 15
"""Longer streams (octets) take the general codec, whose time grows with their length only."""


class Unusual(Exception):
    """The generated code gives up."""


GIVE_UP = (Unusual, ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError)

Function = Callable[..., Any]


def build(source: str, namespace: dict[str, Any], name: str) -> Function:
    """The function `name` of a generated source."""
    exec(compile(source, f"<exi {name}>", "exec"), namespace)
    function: Function = namespace[name]
    return function


class Lazy(dict[type[Element], Function]):
    """Generated functions by type; a missing one is generated."""

    def __init__(self, generate: Callable[[type[Element]], Function]) -> None:
        self._generate = generate

    def __missing__(self, cls: type[Element]) -> Function:
        function = self[cls] = self._generate(cls)
        return function


def later(namespace: dict[str, Any], name: str, table: Lazy, cls: type[Element]) -> None:
    """Bind `name` to the function of a type; it is generated at its first call."""

    def first(*args: Any) -> Any:
        namespace[name] = table[cls]
        return namespace[name](*args)

    namespace[name] = first


def octets(v: int, r: int, value: int, shift: int) -> tuple[int, int]:
    """The rest of an unsigned integer, from its third octet; Unusual beyond ten."""
    while shift < 70:
        r -= 8
        octet = v >> r & 255
        value |= (octet & 127) << shift
        if octet < 128:
            return value, r
        shift += 7
    raise Unusual


def unsigned(a: int, value: int, high: int | None) -> int:
    """`a` with an unsigned integer behind."""
    if value < 0 or (high is not None and value > high):
        raise Unusual
    while value > 127:
        a = a << 8 | value & 127 | 128
        value >>= 7
    return a << 8 | value


def integer(a: int, value: int, low: int | None, high: int | None) -> int:
    """`a` with a sign and an unsigned integer behind."""
    if (low is not None and value < low) or (high is not None and value > high):
        raise Unusual
    return unsigned(a << 1 | 1, ~value, None) if value < 0 else unsigned(a << 1, value, None)


def document_decoder(schema: Schema[Any]) -> Function:
    """A function from bytes to the message: the generated way, or the general one."""
    from . import slow
    from .gendecode import DECODERS

    bits, roots = 8 + schema.bits, {HEADER << schema.bits | r.number: r.type for r in schema.roots.values()}
    get = {code: cls for code, cls in roots.items() if steps(cls) is not None}.get

    def decode(data: bytes, *, strict: bool = False, lenient: bool = False) -> Element:
        if not (strict or lenient or len(data) > LONGEST):
            try:
                r = len(data) * 8 + PAD - bits
                v = int.from_bytes(data, "big") << PAD
                message: Element
                message, r = DECODERS[get(v >> r)](v, r)  # type: ignore[index]  # an unknown root gives up
                if r >= PAD:
                    return message
            except GIVE_UP:
                pass
        return slow.decode_document(schema, data, slow.Mode(strict, lenient))

    return decode


def document_encoder(schema: Schema[Any]) -> Function:
    """A function from a message to its bytes: the generated way, or the general one."""
    from . import slow
    from .genencode import ENCODERS

    start = {root.type: HEADER << schema.bits | root.number for root in schema.roots.values()}

    def encode(message: Element) -> bytes:
        cls = type(message)
        try:
            a: int = ENCODERS[cls](start[cls], message)
            size = a.bit_length()
            return (a << (-size & 7)).to_bytes((size + 7) >> 3, "big")
        except GIVE_UP:
            return slow.encode_document(schema, message)

    return encode
