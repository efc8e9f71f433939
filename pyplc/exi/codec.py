"""Documents and fragments of one schema: bytes to message and back.

The usual goes through generated functions (compile.py); whatever they meet that is unusual, right or wrong, is done
again by the general codec (slow.py), which is complete and says exactly what is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, NamedTuple, TypeVar

from .declare import Element
from .errors import ExiError, ExiValueError

HEADER = 0x80
"""Distinguishing bits 10, no options, version 1."""
COOKIE = b"$EXI"


class Root(NamedTuple):
    """A root element: its number in the document grammar, its name and type."""

    number: int
    name: str
    type: type[Element]


class Fragment(NamedTuple):
    """An element that may stand alone: its number in the fragment grammar, its type, its namespace if not the type's.

    An element declared with different types uses the relaxed grammar: `attribute` is the number of its Id among the
    `attributes` attribute names of the schema.
    """

    number: int
    type: type[Element]
    namespace: str | None = None
    attribute: int | None = None
    attributes: int = 0


M = TypeVar("M", bound=Element)


class Schema(Generic[M]):
    """The document grammar of a schema (`roots` by number, `bits` wide) and its fragments (`names` element names)."""

    def __init__(
        self,
        name: str,
        *,
        bits: int,
        roots: Mapping[type[Element], int],
        names: int,
        fragments: Mapping[str, Fragment] | None = None,
    ) -> None:
        self.name = name
        self.bits = bits
        self.names = names
        self.roots = {number: Root(number, kind.tag(), kind) for kind, number in roots.items()}
        self.fragments: Mapping[str, Fragment] = fragments or {}
        self._by_type = {root.type: root for root in self.roots.values()}

    @property
    def fragment_bits(self) -> int:
        """Width of the codes of the fragment grammar: all names, any other, and the end."""
        return (self.names + 1).bit_length()

    def decode(self, data: bytes, *, strict: bool = False, lenient: bool = False) -> M:
        """The message in a stream; ExiError where it is none. Bytes behind the end are ignored.

        `strict` refuses what is legal EXI but not what V2G peers write, and facets that are not kept; `lenient` keeps
        numbers of enumerations that the schema does not know as plain integers.
        """
        decode: Any = self.__dict__.get("decode")  # from the second call on, it stands before this method
        if decode is None:
            from .compile import document_decoder

            decode = self.__dict__["decode"] = document_decoder(self)
        message: M = decode(data, strict=strict, lenient=lenient)
        return message

    def encode(self, message: M) -> bytes:
        """The stream of a message; ExiValueError for what the schema cannot carry."""
        encode: Any = self.__dict__.get("encode")  # from the second call on, it stands before this method
        if encode is None:
            from .compile import document_encoder

            encode = self.__dict__["encode"] = document_encoder(self)
        data: bytes = encode(message)
        return data

    def root_of(self, message: object) -> Root:
        """The root element of a message; ExiValueError if it is none of this schema."""
        root = self._by_type.get(type(message))  # type: ignore[arg-type]
        if root is None:
            raise ExiValueError(f"{type(message).__name__} is no root element of schema {self.name}")
        return root

    def decode_fragment(self, data: bytes) -> tuple[str, Element]:
        """Name and value of the element in a fragment; ExiError where it is none."""
        from . import fragment

        return fragment.decode(self, data)

    def encode_fragment(self, message: Element, name: str | None = None) -> bytes:
        """The fragment of an element, as it is hashed for signing; `name` where its type has several elements."""
        from . import fragment

        return fragment.encode(self, message, name)


def body_of(data: bytes) -> tuple[bytes, int]:
    """A stream without its cookie, and how many bits that were; ExiError if the header is not the one of V2G."""
    skipped = 0
    if data[:4] == COOKIE:
        data, skipped = data[4:], 32
    if not data:
        raise ExiError("no bytes at all", 0)
    if data[0] != HEADER:
        raise ExiError(f"begins with {data[0]:02x}; an EXI stream without options begins with 80", skipped)
    return data, skipped
