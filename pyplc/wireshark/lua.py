"""The dissector in Lua: `dissector.lua` with the declarations of all messages as tables.

A complex type becomes its attributes and its particles, as the grammar has them; the Lua code makes states of them as
they are reached. So one table row a type is all: the file stays below 100 kB for every generation.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files
from typing import Any

from ..capture import hal
from ..capture.frames import DECODERS, PAYLOAD_TYPES
from ..exi.declare import Binary, Bits, Boolean, Element, Enumerated, Integer, Simple, Text, Unsigned, fields
from ..exi.grammar import Grammar
from ..sdp.messages import Security, Transport
from ..v2g import schemas

MARK = "{} --@TABLES@"
SIDE_STREAMS = {0x8101: "iso20_common", 0x8102: "iso20_common", 0x8103: "iso20_acdp"}
SHARED = ("app", "din", "iso2")
"""Schemas of payload type 0x8001, told apart by their first bytes."""
INT32, UINT32, INT64, UINT64 = (
    (-(1 << 31), (1 << 31) - 1),
    (0, (1 << 32) - 1),
    (-(1 << 63), (1 << 63) - 1),
    (0, 1 << 64),
)


def dissector() -> str:
    """The text of the whole plugin."""
    frame = files(__package__).joinpath("dissector.lua").read_text(encoding="utf-8")
    head, tail = frame.split(MARK)
    return head + _Tables().text() + tail


class _Tables:
    """Names, simple and complex types by number, each written once."""

    def __init__(self) -> None:
        self._names: dict[str, int] = {}
        self._simple: dict[str, int] = {}
        self._complex: dict[type[Element], int] = {}
        self._rows: list[str] = []
        self._values: dict[str, set[Any]] = {}

    def text(self) -> str:
        roots = []
        for name, entry in schemas.SCHEMAS.items():
            if entry.payload_type is None:
                continue
            schema = schemas.schema(name)
            rows = (f"[{r.number}]={{{self._name(r.name)},{self._type(r.type)}}}" for r in schema.roots.values())
            roots.append(f"{name}={{bits={schema.bits},{','.join(rows)}}}")
        by_type = {e.payload_type: n for n, e in schemas.SCHEMAS.items() if e.payload_type and n not in SHARED}
        parts = {
            "names": _list(map(_quoted, self._names)),
            "simple": _list(self._simple),
            "complex": _list(self._rows),
            "roots": "{" + ",\n".join(roots) + "}",
            "fields": _table({name: _quoted(_kind(found)) for name, found in sorted(self._values.items())}),
            "payload_types": _table({kind: _quoted(name) for kind, name in {**by_type, **SIDE_STREAMS}.items()}),
            "payload_names": _table({int(kind): _quoted(name) for kind, name in PAYLOAD_TYPES.items()}),
            "decoders": _table({name: _quoted(DECODERS.get(name, "ISO15118_20")) for name in schemas.SCHEMAS}),
            "security": _table({int(value): _quoted(value.name) for value in Security}),
            "transport": _table({int(value): _quoted(value.name) for value in Transport}),
            "hal": _hal(),
        }
        return "{\n" + ",\n".join(f"{name}={value}" for name, value in parts.items()) + "}"

    def _name(self, name: str) -> int:
        return self._names.setdefault(name, len(self._names) + 1)

    def _type(self, cls: type[Element]) -> int:
        """The number of a complex type; its row is written when it is met first."""
        if cls in self._complex:
            return self._complex[cls]
        number = self._complex[cls] = len(self._complex) + 1
        self._rows.append("")
        grammar = Grammar(cls)
        attributes = (self._event(f.name, f.type)[:-1] + f",{int(bool(f.low))}}}" for f in grammar.attributes)
        row = f"attributes={_list(attributes)},particles={_list(self._chain(grammar.start[1]))}"
        if grammar.content is not None:
            row += f",content={{0,{-self._value(grammar.content.type)}}}"
        if grammar.mixed:
            row += ",mixed=true"
        if (exponent := _exponent(cls)) is not None:
            row += f",physical={_quoted(exponent)}"
        self._rows[number - 1] = f"{{{row}}}"
        return number

    def _event(self, name: str, kind: Any) -> str:
        """An attribute or element: the number of its name; of its complex type, or less than zero of its simple one."""
        if kind is None:
            return "{0,0}"
        if isinstance(kind, type):
            content = next((f.type for f in fields(kind) if f.kind == "content"), None)
            if (shown := float if _exponent(kind) is not None else content) is not None:
                self._values.setdefault(name, set()).add(shown)
            return f"{{{self._name(name)},{self._type(kind)}}}"
        self._values.setdefault(name, set()).add(kind)
        return f"{{{self._name(name)},{-self._value(kind)}}}"

    def _value(self, kind: Simple) -> int:
        return self._simple.setdefault(_simple(kind), len(self._simple) + 1)

    def _chain(self, cont: Any) -> list[str]:
        rows = []
        while cont:
            particle, cont = cont
            rows.append(self._particle(particle))
        return rows

    def _particle(self, particle: Any) -> str:
        low, high, (term, payload) = particle
        if term == "events":
            body, kind = _list(self._event(e.name, e.type) for e in payload), "e"
        elif term == "choice":
            body, kind = _list(_list(map(self._particle, sequence)) for sequence in payload), "c"
        else:
            body, kind = _list(map(self._particle, payload)), "s"
        return f'{{{low},{-1 if high is None else high},"{kind}",{body}}}'


def _exponent(cls: type[Element]) -> str | None:
    """The name of the exponent of a physical value; None for every other type."""
    names = {f.name for f in fields(cls)}
    if not names <= {"Multiplier", "Exponent", "Unit", "Value"} or "Value" not in names:
        return None
    return next((name for name in ("Multiplier", "Exponent") if name in names), None)


def _simple(kind: Simple) -> str:
    match kind:
        case Boolean():
            return '{"b"}'
        case Enumerated():
            return f'{{"e",{kind.bits},{_list(_quoted(member.text) for member in kind.kind)}}}'
        case Bits():
            return f'{{"n",{kind.bits},{kind.low}}}'
        case Unsigned():
            return '{"u"}'
        case Integer():
            return '{"i"}'
        case Text():
            return '{"s"}'
        case Binary():
            return '{"x"}'
    raise TypeError(kind)


def _kind(found: set[Any]) -> str:
    """The kind of Wireshark's field for the values that have this name in any schema."""
    if all(kind == Boolean() for kind in found):
        return "bool"
    if any(isinstance(kind, (Enumerated, Text, Binary, Boolean)) for kind in found):
        return "string"
    if float in found:
        return "double"
    if any(kind.low is None or kind.high is None for kind in found):
        return "string"
    low, high = min(kind.low for kind in found), max(kind.high for kind in found)
    kinds = {"int32": INT32, "uint32": UINT32, "int64": INT64, "uint64": UINT64}
    return next(name for name, (least, most) in kinds.items() if least <= low and high <= most)


def _hal() -> str:
    dotted: dict[str, dict[Any, str]] = {
        "subs": {".".join(map(str, key)): name for key, name in hal.SUB_COMPONENTS.items()},
        "commands": {".".join(map(str, key)): name for key, name in hal.COMMANDS.items()},
    }
    plain: dict[str, dict[Any, str]] = {"components": hal.COMPONENTS, "modes": hal.MODES, "acks": hal.ACKS}
    rows = {name: _table({k: _quoted(v) for k, v in of.items()}) for name, of in {**dotted, **plain}.items()}
    rows["bands"] = _list(f"{{{lowest},{_quoted(state)}}}" for lowest, state in hal.PILOT_BANDS)
    return _table(rows)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _list(items: Iterable[str]) -> str:
    return "{" + ",".join(items) + "}"


def _table(of: dict[Any, str]) -> str:
    keys = (f"[{key}]" if isinstance(key, int) else f"[{_quoted(key)}]" for key in of)
    return "{" + ",".join(f"{key}={value}" for key, value in zip(keys, of.values(), strict=True)) + "}"
