"""Messages taken apart and put together again by the paths of their fields, without knowing their kind.

A path is the names of the schema with dots between, an index in a list; inside a substitution group the member's
name stands as in JSON: `EVSEChargeParameter.DC_EVSEChargeParameter.EVSEMaximumVoltageLimit`.
"""

from __future__ import annotations

import difflib
import importlib
from typing import Any

import msgspec

from ..exi.declare import Binary, Bits, Boolean, Element, Enumerated, Field, Integer, Text, Unsigned, fields
from ..exi.errors import ExiError
from ..exi.jsontext import from_plain, to_plain
from ..units import PhysicalValueArithmetic, scaled
from ..v2g.schemas import SCHEMAS, schema

HANDSHAKE = ("supportedAppProtocolReq", "supportedAppProtocolRes")


class EditError(ValueError):
    """A path, value or message name does not fit; the text says which and what there is."""


def messages(protocol: str) -> dict[str, type[Element]]:
    """Every message of a protocol by name, the handshake included."""
    module = importlib.import_module(f"pyplc.v2g.{SCHEMAS[protocol].module}")
    found = {
        kind.tag(): kind
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, Element) and kind.tag().endswith(("Req", "Res"))
    }
    return {**found, **{root.name: root.type for root in schema("app").roots.values()}}


def kind_of(protocol: str, name: str) -> type[Element]:
    """The type of a message; EditError if there is none of the name."""
    known = messages(protocol)
    if name not in known:
        raise EditError(f"{protocol} has no message {name}{_like(name, known)}")
    return known[name]


def check_path(kind: type[Element], path: str) -> None:
    """EditError where a path leads nowhere in messages of a type."""
    at: Any = kind
    rest = path.split(".")
    while rest:
        name = rest.pop(0)
        if not (isinstance(at, type) and issubclass(at, Element)):
            raise EditError(f"{path}: nothing is inside {name}'s parent")
        found = {f.name: f for f in fields(at)}
        if name not in found:
            raise EditError(f"{path}: {at.tag()} has no {name}{_like(name, found)}")
        at = _inside(found[name], rest, path)


def _inside(field: Field, rest: list[str], path: str) -> Any:
    """The type behind a field, with the index and the group's member taken from the path."""
    if field.is_list and rest:
        if not rest[0].isdecimal():
            raise EditError(f"{path}: {field.name} is a list; its first item is {field.name}.0")
        rest.pop(0)
    if field.kind == "group" and rest:
        members = {member.name: member.type for member in field.members}
        name = rest.pop(0)
        if name not in members:
            raise EditError(f"{path}: {field.name} is one of {', '.join(members)}")
        return members[name]
    return field.type


def changed(message: Element, values: dict[str, Any], remove: list[str]) -> Element:
    """A message with other values; EditError for a path or value that does not fit it."""
    plain = to_plain(message)
    for path, value in values.items():
        holder, key = _holder(plain, path)
        old = holder[key] if isinstance(holder, list) or key in holder else None
        holder[key] = _value(old, value)
    for path in remove:
        holder, key = _holder(plain, path)
        if isinstance(holder, list):
            del holder[key]
        else:
            holder.pop(key, None)
    try:
        return from_plain(plain, type(message), message.tag())
    except ExiError as error:
        raise EditError(str(error)) from None


def _holder(plain: Any, path: str) -> tuple[Any, Any]:
    """What holds the value at `path`, and its key there."""
    *way, last = path.split(".")
    for name in way:
        try:
            plain = plain[int(name)] if isinstance(plain, list) else plain[name]
        except (KeyError, IndexError):
            raise EditError(f"{path}: this message has no {name}") from None
    return plain, int(last) if isinstance(plain, list) else last


def _value(old: Any, value: Any) -> Any:
    if isinstance(old, dict) and "Multiplier" in old and type(value) in (int, float):
        multiplier, number = scaled(value)
        return {**old, "Multiplier": multiplier, "Value": number}
    return value


def value_at(message: Element, path: str) -> Any:
    """The value at a path, as `changed` takes it; None where the message has none."""
    at: Any = message
    for name in path.split("."):
        at = at[int(name)] if isinstance(at, list) else getattr(at, name, at if name == type(at).__name__ else None)
        if at is None:
            return None
    if isinstance(at, PhysicalValueArithmetic):
        return float(at)
    return getattr(at, "text", at.hex() if isinstance(at, bytes) else at)


def smallest(kind: type[Element]) -> Element:
    """The smallest valid message of a type: what is optional left out, of everything else the first value."""
    values: dict[str, Any] = {}
    chosen: set[str] = set()
    for field in fields(kind):
        if field.low == 0 or (field.choice is not None and field.choice in chosen):
            continue
        if field.choice is not None:
            chosen.add(field.choice)
        one = _smallest(field)
        values[field.name] = [one] * field.low if field.is_list else one
    return kind(**values)


def _smallest(field: Field) -> Any:
    kind = field.type
    if field.kind == "group":
        members = [member.type for member in field.members if not member.type.XSD.abstract]
        # what stands for direct current comes before what stands for alternating current
        return smallest(next((m for m in members if m.tag().startswith("DC_")), members[0]))
    match kind:
        case Enumerated():
            return kind.kind(0)
        case Boolean():
            return False
        case Bits() | Unsigned():
            return kind.low
        case Integer():
            return 0
        case Text():
            return "-" * kind.min_length
        case Binary():
            return bytes(max(1, kind.min_length))
    return smallest(kind)


def body_of(document: Any) -> Element:
    """What a document says: the element in its Body, or itself in the handshake."""
    body: Element | None = document.Body.BodyElement if hasattr(document, "Body") else None
    return document if body is None else body


def with_body(document: Any, body: Element) -> Element:
    """The document with another element in its Body."""
    if not hasattr(document, "Body"):
        return body
    replaced: Element = msgspec.structs.replace(document, Body=msgspec.structs.replace(document.Body, BodyElement=body))
    return replaced


def with_session(document: Any, session_id: bytes) -> Element:
    """The document with another session id."""
    if not hasattr(document, "Header"):
        raise EditError("the handshake has no session id")
    header = msgspec.structs.replace(document.Header, SessionID=session_id)
    replaced: Element = msgspec.structs.replace(document, Header=header)
    return replaced


def _like(name: str, known: Any) -> str:
    near = [other for other in known if name.startswith(other)] or difflib.get_close_matches(name, list(known), 1)
    return f"; did you mean {near[0]}?" if near else f" ({', '.join(sorted(known))})"
