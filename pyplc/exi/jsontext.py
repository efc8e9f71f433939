"""Messages as JSON in the names of the schema, and back.

A member of a substitution group stands under its own element name inside the field of the head; binaries are upper-case
hex or base64 as in XML; enumerations are their text.
"""

from __future__ import annotations

from typing import Any

from .declare import Binary, Boolean, Element, Enumerated, Field, Simple, Text, fields
from .errors import ExiValueError
from .plaintext import read, write
from .walk import content


def to_plain(message: Element) -> dict[str, Any]:
    """A message as dictionaries, lists, strings, numbers and booleans."""
    plain: dict[str, Any] = {}
    for own in fields(type(message)):
        value = getattr(message, own.name)
        if value is not None and own.kind in ("attribute", "content"):
            plain[own.name] = _simple(own.type, value)
    for part in content(message):
        if part.field is None or part.what == "CH":
            continue
        f = part.field
        value = to_plain(part.value) if isinstance(part.type, type) else _simple(part.type, part.value)
        if f.kind in ("group", "choices"):
            value = {part.name: value}
        if f.is_list:
            plain.setdefault(f.name, []).append(value)
        else:
            plain[f.name] = value
    return plain


def _simple(kind: Simple, value: Any) -> Any:
    return write(kind, value) if isinstance(kind, (Enumerated, Binary)) else bool(value) if kind == Boolean() else value


def from_plain(plain: Any, cls: type[Element], name: str) -> Element:
    """The value of type `cls` that dictionaries and lists describe; ExiValueError if they describe none."""
    if not isinstance(plain, dict):
        raise ExiValueError(f"{name} must be an object, not {plain!r:.60}")
    declared = {f.name: f for f in fields(cls)}
    values: dict[str, Any] = {}
    for key, value in plain.items():
        field = declared.get(key)
        if field is None:
            raise ExiValueError(f"{name} has no {key} (it has {', '.join(declared) or 'nothing'})")
        if field.is_list:
            if not isinstance(value, list):
                raise ExiValueError(f"{key} must be a list, not {value!r:.60}")
            values[key] = [_value(field, item) for item in value]
        else:
            values[key] = _value(field, value)
    try:
        return cls(**values)
    except TypeError as error:
        raise ExiValueError(f"{name}: {error}") from None


def _value(field: Field, value: Any) -> Any:
    kind: Any = field.type
    name = field.name
    if field.kind in ("group", "choices"):
        name, value, kind = _member(field, value)
    if isinstance(kind, type):
        value = from_plain(value, kind, name)
    elif isinstance(kind, (Enumerated, Binary)):
        value = read(kind, str(value), name)
    elif isinstance(value, bool) != (kind == Boolean()) or isinstance(value, str) != isinstance(kind, Text):
        raise ExiValueError(f"{name} cannot be {value!r:.60}")
    return (name, value) if field.kind == "choices" else value


def _member(field: Field, value: Any) -> tuple[str, Any, Any]:
    if isinstance(value, dict) and len(value) == 1:
        ((name, inner),) = value.items()
        for member in field.members:
            if member.name == name:
                return name, inner, member.type
    names = ", ".join(member.name for member in field.members)
    raise ExiValueError(f"{field.name} must be an object with one of {names}")
