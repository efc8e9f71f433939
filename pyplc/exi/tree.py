"""Messages as a compact tree of names and values, for people.

A type that knows a brief form of its own (a method `brief(unit)`) is one line: `EVSEPresentVoltage 399.9 V`.
"""

from __future__ import annotations

from typing import Any

from .declare import Binary, Element, Simple
from .plaintext import write
from .walk import Part, attributes, content


def lines(message: Element, name: str | None = None, depth: int = 0) -> list[str]:
    """A message as indented lines."""
    out = ["  " * depth + (name or message.tag())]
    for part in [*attributes(message), *content(message)]:
        out += _part(part, depth + 1)
    return out


def _part(part: Part, depth: int) -> list[str]:
    label = f"@{part.name}" if part.what == "AT" else part.name or "="
    unit = part.field.unit if part.field else None
    if not isinstance(part.type, type):
        return [f"{'  ' * depth}{label} {_simple(part.type, part.value, unit)}"]
    brief = getattr(part.value, "brief", None)
    if brief is not None:
        return [f"{'  ' * depth}{label} {brief(unit)}"]
    return lines(part.value, label, depth)


def _simple(kind: Simple, value: Any, unit: str | None) -> str:
    if isinstance(kind, Binary):
        return bytes(value).hex() or "(empty)"
    text = write(kind, value)
    return f"{text} {unit}" if unit else text or "(empty)"
