"""What a message holds, part by part in the order of the wire: what the general encoder and the texts go through."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from .declare import Element, Field, fields
from .errors import ExiValueError


class Part(NamedTuple):
    """One attribute (AT), element (SE), text (CH) or the end (EE) of a message."""

    what: str
    name: str
    namespace: str
    type: Any
    value: Any
    field: Field | None


END = Part("EE", "", "", None, None, None)


def attributes(message: Element) -> list[Part]:
    """The attributes that are there, sorted as the wire wants them."""
    found = [f for f in fields(type(message)) if f.kind == "attribute" and getattr(message, f.name) is not None]
    found.sort(key=lambda f: (f.name, f.namespace))
    return [Part("AT", f.name, f.namespace, f.type, getattr(message, f.name), f) for f in found]


def content(message: Element) -> Iterator[Part]:
    """Elements and text in order; ExiValueError for what cannot be there."""
    for f in fields(type(message)):
        value = getattr(message, f.name)
        if f.kind == "attribute" or value is None:
            continue
        if f.kind == "content":
            yield Part("CH", "", "", f.type, value, f)
        elif f.kind == "any":
            if value:
                raise ExiValueError(f"{f.name}: free content is not supported")
        elif f.kind == "choices":
            yield from _chosen(f, value)
        else:
            for item in items(f.name, value) if f.is_list else (value,):
                yield _element(f, item)


def items(name: str, value: Any) -> Any:
    """The entries of a list field; ExiValueError where it is no list."""
    if not isinstance(value, (list, tuple)):
        raise ExiValueError(f"{name} must be a list, not {value!r:.60}")
    return value


def _chosen(field: Field, value: Any) -> Iterator[Part]:
    by_name = {member.name: member for member in field.members}
    for entry in items(field.name, value):
        member = by_name.get(entry[0]) if isinstance(entry, (list, tuple)) and len(entry) == 2 else None
        if member is None:
            raise ExiValueError(f"{field.name} holds pairs of name ({', '.join(by_name)}) and value, not {entry!r:.60}")
        yield Part("SE", member.name, member.namespace, member.type, entry[1], field)


def _element(field: Field, value: Any) -> Part:
    """The element of a value: the field's, or the one of the member of a substitution group."""
    if field.kind != "group":
        return Part("SE", field.name, field.namespace, field.type, value, field)
    for member in field.members:
        if type(value) is member.type:
            return Part("SE", member.name, member.namespace, member.type, value, field)
    raise ExiValueError(f"{field.name} cannot be a {type(value).__name__}")
