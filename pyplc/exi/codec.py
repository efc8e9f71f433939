"""Documents of one schema: bytes to message and back."""

from __future__ import annotations

from typing import NamedTuple

from . import slow
from .declare import Element
from .errors import ExiError, ExiValueError

HEADER = 0x80
"""Distinguishing bits 10, no options, version 1."""


class Root(NamedTuple):
    """A root element: its number in the document grammar, its name and type."""

    number: int
    name: str
    type: type[Element]


class Schema:
    """The document grammar of a schema: root elements by number, in `bits` bits."""

    def __init__(self, name: str, roots: dict[str, tuple[int, type[Element]]], bits: int) -> None:
        self.name = name
        self.bits = bits
        self.roots = tuple(Root(number, element, kind) for element, (number, kind) in roots.items())
        self._by_number = {root.number: root for root in self.roots}
        self._by_type = {root.type: root for root in self.roots}

    def decode(self, data: bytes) -> Element:
        """The message in a stream; ExiError where it is none. Bytes behind the end are ignored."""
        if not data or data[0] != HEADER:
            raise ExiError(f"begins {data[:1].hex() or 'nowhere'}, an EXI stream without options begins 80", 0)
        reader = slow.Reader(data)
        reader.pos = 8
        number = reader.bits(self.bits, "the root element")
        root = self._by_number.get(number)
        if root is None:
            known = ", ".join(r.name for r in self.roots)
            raise ExiError(f"root element {number} is none of schema {self.name} ({known})", 8)
        return slow.decode(reader, root.type, root.name)

    def encode(self, message: Element) -> bytes:
        """The stream of a message; ExiValueError for what the schema cannot carry."""
        root = self._by_type.get(type(message))
        if root is None:
            raise ExiValueError(f"{type(message).__name__} is no root element of schema {self.name}")
        writer = slow.Writer()
        writer.bits(root.number, self.bits)
        slow.encode(writer, message, root.type, root.name)
        return writer.finish()
