"""Messages as JSON in the names of the schema, and back.

A member of a substitution group stands under its own element name inside the field of the head; binaries are upper-case
hex or base64 as in XML; enumerations are their text.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

from .declare import Binary, Boolean, Element, Enumerated, Field, Text, fields
from .errors import ExiValueError
from .plaintext import read, write
from .walk import items


def to_plain(message: Element) -> dict[str, Any]:
    """A message as dictionaries, lists, strings, numbers and booleans."""
    plain: dict[str, Any] = {}
    for name, write_one, is_list in _plan(type(message)):
        value = getattr(message, name)
        if value is None:
            continue
        if not is_list:
            plain[name] = write_one(value)
        elif value:
            plain[name] = [write_one(item) for item in items(name, value)]
    return plain


Writer = Callable[[Any], Any]


@cache
def _plan(cls: type[Element]) -> tuple[tuple[str, Writer, bool], ...]:
    """Field by field, attributes first: its name, how a value of it is written, whether it is a list."""
    declared = sorted(fields(cls), key=lambda f: f.kind not in ("attribute", "content"))
    return tuple((f.name, _writer(f), f.is_list or f.kind in ("choices", "any")) for f in declared)


def _writer(f: Field) -> Writer:
    kind: Any = f.type
    if f.kind == "group":
        by_type = {member.type: member.name for member in f.members}

        def member_of_group(value: Any) -> Any:
            name = by_type.get(type(value))
            if name is None:
                raise ExiValueError(f"{f.name} cannot be a {type(value).__name__}")
            return {name: to_plain(value)}

        return member_of_group
    if f.kind == "choices":
        writers = {member.name: _value_writer(member.type) for member in f.members}

        def choice(entry: Any) -> Any:
            known = isinstance(entry, (list, tuple)) and len(entry) == 2 and entry[0] in writers
            if not known:
                raise ExiValueError(f"{f.name} holds pairs of name ({', '.join(writers)}) and value, not {entry!r:.60}")
            return {entry[0]: writers[entry[0]](entry[1])}

        return choice
    if f.kind == "any":

        def free(_: Any) -> Any:
            raise ExiValueError(f"{f.name}: free content is not supported")

        return free
    return _value_writer(kind)


def _value_writer(kind: Any) -> Writer:
    if isinstance(kind, type):
        return to_plain
    if isinstance(kind, (Enumerated, Binary)):
        return partial(write, kind)
    return bool if kind == Boolean() else _as_it_is


def _as_it_is(value: Any) -> Any:
    return value


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
