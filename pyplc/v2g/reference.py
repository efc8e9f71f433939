"""Messages and types described from their declarations: for `pyplc schema` and the reference of the manual."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from ..exi.declare import Binary, Bits, Boolean, Element, Enumerated, Field, Integer, Text, Unsigned, fields
from . import schemas


def types(name: str) -> dict[str, type[Element]]:
    """Every type that the messages and fragments of a schema reach, by element or class name."""
    schema = schemas.schema(name)
    found: dict[str, type[Element]] = {}
    todo = [root.type for root in schema.roots.values()] + [f.type for f in schema.fragments.values()]
    while todo:
        cls = todo.pop(0)
        if found.get(cls.__name__) is cls:
            continue
        found[cls.__name__] = cls
        todo += [kind for f in fields(cls) for kind in (f.type, *(m.type for m in f.members)) if isinstance(kind, type)]
    return dict(sorted(found.items()))


def find(name: str, message: str) -> type[Element] | None:
    """The type of a message or type name in a schema, in any spelling of upper and lower case."""
    wanted = message.lower()
    for known, cls in types(name).items():
        if wanted in (known.lower(), cls.tag().lower()):
            return cls
    return None


def similar(message: str, name: str | None) -> list[str]:
    """Names that are close to one that is unknown."""
    names = {known for candidate in ([name] if name else schemas.SCHEMAS) for known in types(candidate)}
    return difflib.get_close_matches(message, sorted(names), 3)


def sender(cls: type[Element]) -> str:
    """Who sends a message: the vehicle asks, the charger answers."""
    tag = cls.tag()
    return "vehicle" if tag.endswith("Req") else "charger" if tag.endswith("Res") else ""


def describe(name: str, cls: type[Element]) -> list[str]:
    """A type in lines: name, who sends it, what it is, and its fields."""
    who = sender(cls)
    head = f"{cls.tag()} ({name}{', sent by the ' + who if who else ''}{', abstract' if cls.XSD.abstract else ''})"
    return [head, f"  {cls.__doc__ or ''}".rstrip(), *(f"  {line}" for line in rows(cls))]


def rows(cls: type[Element]) -> Iterator[str]:
    """The fields of a type, aligned: name, occurrence, unit, type."""
    cells = [(f"{'@' * (f.kind == 'attribute')}{f.name}", occurrence(f), f.unit or "", kind(f)) for f in fields(cls)]
    widths = [max((len(cell[i]) for cell in cells), default=0) for i in range(3)]
    for cell in cells:
        yield "  ".join([*(text.ljust(width) for text, width in zip(cell, widths, strict=False)), cell[3]]).rstrip()


def occurrence(field: Field) -> str:
    """How often a field stands there."""
    if field.choice:
        return "one of"
    if field.high == 1:
        return "" if field.low else "optional"
    return f"{field.low}..{'*' if field.high is None else field.high}"


def kind(field: Field) -> str:
    """The type of a field and its range."""
    if field.kind in ("group", "choices"):
        return " | ".join(member.name for member in field.members)
    match field.type:
        case Boolean():
            return "boolean"
        case Enumerated():
            return f"{field.type.kind.__name__}: {', '.join(member.text for member in field.type.kind)}"
        case Bits() | Integer() | Unsigned():
            low, high = field.type.low, field.type.high
            return f"integer {'' if low is None else low}..{'' if high is None else high}"
        case Text():
            return "string" + _length(field.type)
        case Binary():
            return ("base64" if field.type.base64 else "hex") + " bytes" + _length(field.type)
        case None:
            return "any content (refused)"
    return str(field.type.__name__)


def _length(kind: Text | Binary) -> str:
    return "" if kind.max_length is None else f", {kind.min_length}..{kind.max_length} long"


def markdown(name: str) -> str:
    """The page of a schema for the manual: messages first, then the types they use."""
    schema = schemas.schema(name)
    known = types(name)
    roots = {root.type for root in schema.roots.values()}
    messages = [cls for cls in known.values() if cls in roots or (sender(cls) and not cls.XSD.abstract)]
    others = [cls for cls in known.values() if cls not in messages]
    lines = [f"# {name}", "", GENERATED, "", *(["## Messages", ""] if messages else [])]
    for cls in messages:
        lines += _section(cls)
    lines += ["## Types", ""]
    for cls in others:
        lines += _section(cls)
    lines += ["## Enumerations", "", "| type | values in the order of the wire |", "|---|---|"]
    for enumeration, texts in sorted(_enumerations(known).items()):
        lines.append(f"| {enumeration} | {', '.join(texts)} |")
    return "\n".join(lines) + "\n"


GENERATED = "Generated from the declarations by `docs/reference/messages/generate.py`; do not edit."


def _section(cls: type[Element]) -> list[str]:
    lines = [f"### {cls.tag()}", "", (cls.__doc__ or "").strip(), ""]
    declared = fields(cls)
    if declared:
        lines += ["| field | occurs | type | unit |", "|---|---|---|---|"]
        lines += [
            f"| {'@' * (f.kind == 'attribute')}{f.name} | {occurrence(f) or '1'} | {_short(f)} | {f.unit or ''} |"
            for f in declared
        ]
        lines.append("")
    return lines


def _short(field: Field) -> str:
    text = field.type.kind.__name__ if isinstance(field.type, Enumerated) and not field.members else kind(field)
    return text.replace("|", "\\|")


def _enumerations(known: dict[str, type[Element]]) -> dict[str, list[str]]:
    found = {}
    for cls in known.values():
        for f in fields(cls):
            for simple in (f.type, *(m.type for m in f.members)):
                if isinstance(simple, Enumerated):
                    found[simple.kind.__name__] = [member.text for member in simple.kind]
    return found
