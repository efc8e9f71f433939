"""Generates decoders: for a type, a function (v, r) -> (value, r); see compile.py."""

from __future__ import annotations

from typing import Any

from .compile import LIMIT, Function, Lazy, Unusual, build, later, octets
from .declare import Binary, Bits, Boolean, Element, Enumerated, Integer, Simple, Text, Unsigned, fields
from .plan import Run, Slot, Step, runs, size, window

INLINE = 14
"""A part with at most so many simple values is written into the function of the whole."""


class Generator:
    """Writes one function. Bits of known place wait in `pending` until something variable comes."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: list[str] = []
        self.depth = 1
        self.pending: list[tuple[int, int | None, str, str]] = []  # width, expected code or None, variable, template
        self.checks: list[str] = []
        self.namespace: dict[str, Any] = {"Unusual": Unusual, "octets": octets}
        self.count = 0

    # small tools

    def line(self, text: str) -> None:
        self.lines.append("    " * self.depth + text)

    def fresh(self, stem: str) -> str:
        self.count += 1
        return f"{stem}{self.count}"

    def share(self, stem: str, thing: Any) -> str:
        """A name in the function's namespace for a thing."""
        for name, known in self.namespace.items():
            if known is thing:
                return name
        name = self.fresh(stem)
        self.namespace[name] = thing
        return name

    def expect(self, width: int, code: int = 0) -> None:
        """Bits that must be `code`."""
        self.pending.append((width, code, "", ""))

    def take(self, width: int, variable: str, template: str = "{}") -> None:
        """Bits into a variable, through a template."""
        self.pending.append((width, None, variable, template))

    def flush(self) -> None:
        """Read all pending bits at once."""
        total = sum(width for width, *_ in self.pending)
        if not total:
            return
        mask = code = 0
        captures: list[tuple[str, str]] = []
        left = total
        for width, expected, variable, template in self.pending:
            left -= width
            ones = (1 << width) - 1
            if expected is not None:
                mask |= ones << left
                code |= expected << left
                continue
            bits = "x" if total == width else f"x & {ones}" if not left else f"x >> {left} & {ones}"
            captures.append((variable, template.format(bits)))
        self.line(f"r -= {total}")
        self.line(f"x = v >> r & {(1 << total) - 1}")
        if mask:
            self.line(f"if x{'' if mask == (1 << total) - 1 else f' & {mask}'} != {code}: raise Unusual")
        for variable, expression in captures:
            self.line(f"{variable} = {expression}")
        for check in self.checks:
            self.line(check)
        self.pending, self.checks = [], []

    def code(self, width: int, variable: str, base: int) -> None:
        """The next event code, counted from the start of its run."""
        self.take(width, variable, f"({{}}) + {base}" if base else "{}")
        self.flush()

    # types

    def content(self, cls: type[Element]) -> str:
        """The inside of a complex element; the expression that makes it."""
        values: dict[str, str] = {}
        for run in runs(cls):
            self.run(run, values)
        arguments = [f"{f.name}={values[f.name]}" for f in fields(cls) if f.name in values]
        return f"{self.share('C', cls)}({', '.join(arguments)})"

    def run(self, run: Run, values: dict[str, str]) -> None:
        taken = [(number, step) for number, step in run.optional if not step.slots[0].refused]
        last = run.last
        if not taken and (last is None or len(last.slots) == 1):
            self.expect(run.width(0), run.number)
            if last is not None:
                self.step(last, values, None, 0)
            return
        for _, step in taken:
            self.prepare(step, values)
        key = self.fresh("k")
        self.code(run.width(0), key, 0)
        for number, step in taken:
            many = len(step.slots)
            self.line(f"if {key} == {number}:" if many == 1 else f"if {number} <= {key} < {number + many}:")
            self.depth += 1
            if step.repeat:
                self.rest(run, step, number, key, values)
            else:
                self.step(step, values, key, number)
                self.code(run.width(number + many), key, number + many)
            self.depth -= 1
        if last is None or len(last.slots) == 1:
            self.line(f"if {key} != {run.number}: raise Unusual")
        if last is not None:
            self.step(last, values, key, run.number)

    def prepare(self, step: Step, values: dict[str, str]) -> None:
        """Variables of what may be absent."""
        for slot in step.slots:
            if not slot.refused and slot.field.name not in values:
                variable = values[slot.field.name] = self.fresh("a")
                self.flush()
                self.line(f"{variable} = {'[]' if slot.field.is_list else 'None'}")

    def rest(self, run: Run, step: Step, number: int, key: str, values: dict[str, str]) -> None:
        """Items of a list as long as they come."""
        (slot,) = step.slots
        variable = values[slot.field.name]
        if step.most is not None:
            left = self.fresh("n")
            self.line(f"{left} = {step.most}")
        self.line("while True:")
        self.depth += 1
        self.item(slot, variable)
        self.flush()
        if step.most is not None:
            self.line(f"{left} -= 1")
            self.line(f"if not {left}:")
            self.depth += 1
            self.code(run.width(number + 1), key, number + 1)
            self.line("break")
            self.depth -= 1
        self.code(run.width(number), key, number)
        self.line(f"if {key} != {number}: break")
        self.depth -= 1

    def item(self, slot: Slot, variable: str) -> None:
        value = self.fresh("a")
        self.value(slot, value)
        self.flush()
        self.line(f"{variable}.append({value})")

    def step(self, step: Step, values: dict[str, str], key: str | None, number: int) -> None:
        """The value of a step whose code has been read."""
        if step.repeat == "item":
            (slot,) = step.slots
            if slot.field.name not in values:
                values[slot.field.name] = self.fresh("a")
                self.flush()
                self.line(f"{values[slot.field.name]} = []")
            self.item(slot, values[slot.field.name])
        elif len(step.slots) == 1:
            field = step.slots[0].field
            self.value(step.slots[0], values.setdefault(field.name, self.fresh("a")))
        elif step.slots[0].field is step.slots[-1].field:
            self.member(step, values, key, number)
        else:
            self.choice(step, values, key, number)

    def member(self, step: Step, values: dict[str, str], key: str | None, number: int) -> None:
        """One member of a substitution group, through a table of functions."""
        field = step.slots[0].field
        variable = values.setdefault(field.name, self.fresh("a"))
        table: list[Function] = []
        for i, slot in enumerate(step.slots):
            table.append(_first(table, i, slot.type))
        name = self.share("T", table)
        index = key if not number else f"{key} - {number}"
        if key is not None and number:
            self.line(f"if {key} < {number}: raise Unusual")
        self.line(f"{variable}, r = {name}[{index}](v, r)")

    def choice(self, step: Step, values: dict[str, str], key: str | None, number: int) -> None:
        """One of several fields."""
        self.prepare(step, values)
        for i, slot in enumerate(step.slots):
            if slot.refused:
                continue
            self.line(f"{'elif' if i else 'if'} {key} == {number + i}:")
            self.depth += 1
            self.value(slot, values[slot.field.name])
            self.flush()
            self.depth -= 1
        self.line("else: raise Unusual")

    def value(self, slot: Slot, variable: str) -> None:
        """A value, its start already read."""
        if isinstance(slot.type, type):
            self.complex(slot.type, variable)
            return
        if slot.kind == "SE":
            self.expect(1)
        self.simple(slot.type, variable)
        if slot.kind == "SE":
            self.expect(1)

    def complex(self, cls: type[Element], variable: str) -> None:
        if window(cls):
            self.kept(cls, variable)
        elif size(cls) <= INLINE:
            expression = self.content(cls)
            self.flush()
            self.line(f"{variable} = {expression}")
        else:
            self.flush()
            name = self.fresh("f")
            later(self.namespace, name, DECODERS, cls)
            self.line(f"{variable}, r = {name}(v, r)")

    def kept(self, cls: type[Element], variable: str) -> None:
        """A value from the table of its type; codes that are pending and must be zero are part of the key."""
        lead = sum(width for width, *_ in self.pending)
        if lead > 4 or any(code != 0 for _, code, *_ in self.pending):
            self.flush()
            lead = 0
        self.pending = []
        get, miss, width = _kept(cls, lead)
        self.line(f"t = {self.share('g', get)}(v >> r - {width} & {(1 << width) - 1})")
        self.line(f"if t is None: t = {self.share('m', miss)}(v, r)")
        self.line(f"{variable}, n = t")
        self.line("r -= n")

    def simple(self, kind: Simple, variable: str) -> None:
        match kind:
            case Boolean():
                self.take(1, variable, f"{self.share('B', BOOLEANS)}[{{}}]")
            case Enumerated():
                members = _enumeration(kind)
                name = self.share("E", members)
                if kind.bits:
                    self.take(kind.bits, variable, f"{name}[{{}}]")
                else:
                    self.checks.append(f"{variable} = {name}[0]")
            case Bits():
                self.take(kind.bits, variable, "{}" if not kind.low else f"({{}}) + {kind.low}")
                if kind.low + (1 << kind.bits) - 1 > kind.high:
                    self.checks.append(f"if {variable} > {kind.high}: raise Unusual")
            case Unsigned():
                self.take(8, variable)
                self.flush()
                self.more(variable, kind.high)
                if kind.low:
                    self.line(f"if {variable} < {kind.low}: raise Unusual")
            case Integer():
                sign = self.fresh("s")
                self.take(1, sign)
                self.take(8, variable)
                self.flush()
                self.more(variable, kind.high)
                self.line(f"if {sign}: {variable} = ~{variable}")
            case Text():
                self.bytes(variable, 2)
                self.line(f"if not {variable}.isascii(): raise Unusual")
                self.line(f"{variable} = {variable}.decode()")
            case Binary():
                self.bytes(variable, 0)

    def more(self, variable: str, high: int | None) -> None:
        """Further octets of an unsigned integer, and its upper bound."""
        self.line(f"if {variable} > 127:")
        self.line("    r -= 8")
        self.line("    o = v >> r & 255")
        self.line(f"    {variable} += (o - 1) << 7")
        self.line(f"    if o > 127: {variable}, r = octets(v, r, {variable} - 16384, 14)")
        if high is not None:
            self.line(f"    if {variable} > {high}: raise Unusual")

    def bytes(self, variable: str, offset: int) -> None:
        """Octets behind their count; a count below `offset` is a hit in a string table."""
        count = self.fresh("c")
        self.take(8, count)
        self.flush()
        self.more(count, None)
        if offset:
            self.line(f"if {count} < 2: raise Unusual")
            self.line(f"{count} -= 2")
        self.line(f"r -= 8 * {count}")
        self.line(f"{variable} = (v >> r & (1 << 8 * {count}) - 1).to_bytes({count}, 'big')")

    def function(self, head: str, tail: str) -> Function:
        self.flush()
        return build("\n".join([head, *self.lines, tail]), self.namespace, self.name)


BOOLEANS = (False, True)
_ENUMERATIONS: dict[Enumerated, tuple[Any, ...]] = {}


def _enumeration(kind: Enumerated) -> tuple[Any, ...]:
    if kind not in _ENUMERATIONS:
        _ENUMERATIONS[kind] = tuple(kind.kind)
    return _ENUMERATIONS[kind]


def _first(table: list[Function], i: int, cls: type[Element]) -> Function:
    def first(v: int, r: int) -> Any:
        table[i] = DECODERS[cls]
        return table[i](v, r)

    return first


def _generate(cls: type[Element]) -> Function:
    generator = Generator("decode")
    expression = generator.content(cls)
    return generator.function("def decode(v, r):", f"    return {expression}, r")


_KEPT: dict[tuple[type[Element], int], tuple[Function, Function, int]] = {}


def _kept(cls: type[Element], lead: int) -> tuple[Function, Function, int]:
    """Look-up, function for a miss and width of the table of a type behind `lead` zero bits."""
    if (cls, lead) not in _KEPT:
        table: dict[int, tuple[Element, int]] = {}
        width = window(cls) + lead
        generator = Generator("decode")
        if lead:
            generator.expect(lead)
        expression = generator.content(cls)
        generator.flush()
        generator.namespace["table"] = table
        generator.line(f"t = {expression}, s - r")
        generator.line(f"if s - r <= {width}:")
        generator.line(f"    if len(table) >= {LIMIT}: table.clear()")
        generator.line(f"    table[v >> s - {width} & {(1 << width) - 1}] = t")
        _KEPT[cls, lead] = table.get, generator.function("def decode(v, r):\n    s = r", "    return t"), width
    return _KEPT[cls, lead]


DECODERS = Lazy(_generate)
"""Decoders by type."""
