"""Fragments: one element alone, as it is hashed and signed.

A fragment is the header, the number of the element, the element, the number of the end. An element name that a schema
declares with different types uses a relaxed grammar, which here knows an Id and a text (ISO 15118-2 eMAID).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from . import slow
from .declare import Element, Text, fields
from .errors import ExiError, ExiValueError

if TYPE_CHECKING:
    from .codec import Fragment, Schema


def digest(schema: Schema[Any], message: Element, name: str | None = None, algorithm: str = "sha256") -> bytes:
    """The hash of an element's canonical fragment."""
    return hashlib.new(algorithm, encode(schema, message, name)).digest()


def name_of(schema: Schema[Any], message: Element) -> str:
    """The only fragment name of a message's type; ExiValueError if there is none or a choice."""
    names = [name for name, fragment in schema.fragments.items() if fragment.type is type(message)]
    if len(names) != 1:
        known = ", ".join(names or schema.fragments) or "none"
        raise ExiValueError(
            f"{type(message).__name__} needs the name of its fragment in schema {schema.name} ({known})"
        )
    return names[0]


def encode(schema: Schema[Any], message: Element, name: str | None = None) -> bytes:
    """The fragment of an element; ExiValueError for what the schema cannot carry."""
    name = name or name_of(schema, message)
    fragment = schema.fragments.get(name)
    if fragment is None:
        raise ExiValueError(f"{name} is no fragment of schema {schema.name} ({', '.join(schema.fragments)})")
    writer = slow.Writer()
    writer.bits(fragment.number, schema.fragment_bits)
    if fragment.attribute is None:
        slow.encode(writer, message, fragment.type, name)
    else:
        _encode_relaxed(schema, writer, message, fragment, name)
    writer.bits(schema.names + 1, schema.fragment_bits)
    return writer.finish()


def decode(schema: Schema[Any], data: bytes) -> tuple[str, Element]:
    """Name and value of the element in a fragment; ExiError where it is none."""
    reader = slow.Reader(data)
    number = reader.bits(schema.fragment_bits, "the element's number")
    name = next((name for name, fragment in schema.fragments.items() if fragment.number == number), None)
    if name is None:
        raise ExiError(f"element {number} is none that schema {schema.name} signs ({', '.join(schema.fragments)})", 8)
    fragment = schema.fragments[name]
    if fragment.attribute is None:
        message = slow.decode(reader, fragment.type, name)
    else:
        message = _decode_relaxed(schema, reader, fragment, name)
    at = reader.pos
    if reader.bits(schema.fragment_bits, "the end") != schema.names + 1:
        raise ExiError(f"{name} is not followed by the end of the fragment", at)
    return name, message


def _widths(schema: Schema[Any], fragment: Fragment) -> tuple[int, int]:
    """Events of the first state (attributes, any attribute, elements, any element, end, text) and of the later ones."""
    first = fragment.attributes + 1 + schema.names + 3
    return first, schema.names + 3


def _encode_relaxed(schema: Schema[Any], writer: slow.Writer, message: Element, fragment: Fragment, name: str) -> None:
    if type(message) is not fragment.type:
        raise ExiValueError(f"{name} must be a {fragment.type.__name__}, not {type(message).__name__}")
    assert fragment.attribute is not None
    first, later = _widths(schema, fragment)
    attribute, content = fields(fragment.type)
    if getattr(message, attribute.name) is not None:
        writer.bits(fragment.attribute, first.bit_length())
        slow.write_simple(writer, attribute.type, getattr(message, attribute.name), attribute.name)
    writer.bits(first - 1, first.bit_length())
    slow.write_simple(writer, content.type, getattr(message, content.name), name)
    writer.bits(schema.names + 1, later.bit_length())


def _decode_relaxed(schema: Schema[Any], reader: slow.Reader, fragment: Fragment, name: str) -> Element:
    first, later = _widths(schema, fragment)
    attribute, content = fields(fragment.type)
    identity = None
    at = reader.pos
    code = reader.bits(first.bit_length(), name)
    if code == fragment.attribute:
        identity = slow.simple(reader, attribute.type, attribute.name, slow.TOLERANT)
        at = reader.pos
        code = reader.bits(first.bit_length(), name)
    if code == first - 2 and isinstance(content.type, Text):
        return fragment.type(**{attribute.name: identity, content.name: ""})
    if code != first - 1:
        raise ExiError(f"in {name}: event {code} is not supported in a fragment", at)
    text = slow.simple(reader, content.type, name, slow.TOLERANT)
    at = reader.pos
    if reader.bits(later.bit_length(), name) != schema.names + 1:
        raise ExiError(f"in {name}: content behind its text", at)
    return fragment.type(**{attribute.name: identity, content.name: text})
