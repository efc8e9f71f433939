"""What is wrong in a settings file, in its own words: the key's path first, the likely key for an unknown one."""

from __future__ import annotations

import difflib
import re
from typing import Any, get_args

import msgspec


def explain(error: str, kind: type, above: str = "") -> str:
    """msgspec's message about a value of `kind` with the key's path first, in TOML's form; `above`: where it stands."""
    message, _, at = error.partition(" - at `$")
    path = at.rstrip("`").lstrip(".")
    if unknown := re.search(r"unknown field `(.+?)`", message):
        key = unknown.group(1)
        known = _fields(kind, path)
        near = difflib.get_close_matches(key, known, 1)
        hint = f"did you mean {near[0]}?" if near else f"known keys: {', '.join(known)}"
        return f"unknown key {_joined(above, path, key)}; {hint}"
    if message.startswith("Invalid enum value") and (words := _words(kind, path)):
        message = f"{message}; one of: {', '.join(words)}"
    return f"{_joined(above, path) or 'top level'}: {message[0].lower()}{message[1:]}"


def _joined(*names: str) -> str:
    return ".".join(filter(None, names))


def _words(kind: Any, path: str) -> tuple[str, ...]:
    """The words allowed for the key at `path`."""
    parent, _, name = path.rpartition(".")
    hint = next((f.type for f in msgspec.structs.fields(_section(kind, parent)) if f.name == name), None)
    return tuple(str(word) for word in get_args(hint))


def _fields(kind: Any, path: str) -> list[str]:
    """The keys of the section at `path`."""
    return [f.name for f in msgspec.structs.fields(_section(kind, path))]


def _section(kind: Any, path: str) -> Any:
    for name in filter(None, path.split(".")):
        hint = next((f.type for f in msgspec.structs.fields(kind) if f.name == name), None)
        kind = next((t for t in (hint, *get_args(hint)) if isinstance(t, type) and issubclass(t, msgspec.Struct)), kind)
    return kind
