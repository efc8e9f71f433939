"""Generates decoders: for a type, a function (v, r) -> (value, r); see compile.py."""

from __future__ import annotations

from typing import Any, NamedTuple

from .compile import LIMIT, Function, Lazy, Unusual, build, later, octets
from .declare import Binary, Bits, Boolean, Element, Enumerated, Integer, Simple, Text, Unsigned, fields
from .plan import Run, Slot, Step, members_inline, runs, size, window

INLINE = 14
"""A part with at most so many simple values is written into the function of the whole."""


FIXED = -1


class Waiting(NamedTuple):
    """Bits that wait to be read: a known code, or a variable and its template; `high` of an unsigned, else FIXED."""

    width: int
    code: int | None
    variable: str = ""
    template: str = "{}"
    high: int | None = FIXED


class Generator:
    """Writes one function. Bits of known place wait in `pending` until something variable comes."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: list[str] = []
        self.depth = 1
        self.pending: list[Waiting] = []
        self.checks: list[str] = []
        self.namespace: dict[str, Any] = {"Unusual": Unusual, "octets": octets, "M": MASKS}
        self.namespace |= {"S": TEXTS.get, "short": short_text, "text": long_text}
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
        self.pending.append(Waiting(width, code))

    def take(self, width: int, variable: str, template: str = "{}") -> None:
        """Bits into a variable, through a template."""
        self.pending.append(Waiting(width, None, variable, template))

    def flush(self) -> None:
        """Read all pending bits.

        An unsigned integer counts as its usual one octet; where one of them goes on, they are read one by one.
        """
        waiting, checks = self.pending, self.checks
        self.pending, self.checks = [], []
        growing = [w for w in waiting if w.high != FIXED]
        if not growing or (len(growing) == 1 and waiting[-1] is growing[0]):
            self.read(waiting)
            if growing:
                self.more(growing[0].variable, growing[0].high)
        elif waiting:
            self.read(waiting, usual=True)
            self.line("else:")
            self.depth += 1
            for end in [i + 1 for i, w in enumerate(waiting) if w.high != FIXED] + [len(waiting)]:
                start = max((i + 1 for i, w in enumerate(waiting[: end - 1]) if w.high != FIXED), default=0)
                self.read(waiting[start:end])
                if waiting[end - 1].high != FIXED and end > start:
                    self.more(waiting[end - 1].variable, waiting[end - 1].high)
            self.depth -= 1
        for check in checks:
            self.line(check)

    def read(self, waiting: list[Waiting], usual: bool = False) -> None:
        """Read bits at once and test those that are known; `usual` makes it a condition with an else to come."""
        total = sum(w.width for w in waiting)
        if not total:
            return
        mask = code = 0
        captures: list[tuple[str, str]] = []
        left = total
        for w in waiting:
            left -= w.width
            ones = (1 << w.width) - 1
            if w.code is not None:
                mask |= ones << left
                code |= w.code << left
                continue
            if usual and w.high != FIXED:
                mask |= 128 << left
                ones = 127
            bits = "x" if total == w.width else f"x & {ones}" if not left else f"x >> {left} & {ones}"
            captures.append((w.variable, w.template.format(bits)))
        whole = (1 << total) - 1
        if usual:
            self.line(f"x = v >> r - {total} & {whole}")
            self.line(f"if x & {mask} == {code}:" if code else f"if not x & {mask}:")
            self.lines += ["    " * (self.depth + 1) + f"{name} = {expression}" for name, expression in captures]
            self.lines.append("    " * (self.depth + 1) + f"r -= {total}")
            return
        self.line(f"r -= {total}")
        if len(captures) == 1 and not mask:
            self.line(f"{captures[0][0]} = {waiting[0].template.format(f'v >> r & {whole}')}")
            return
        unlike = f" != {code}" if code else ""
        if not captures:
            self.line(f"if v >> r & {whole}{unlike}: raise Unusual")
            return
        self.line(f"x = v >> r & {whole}")
        if mask:
            self.line(f"if x & {mask}{unlike}: raise Unusual")
        for variable, expression in captures:
            self.line(f"{variable} = {expression}")

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
        single = last is None or len(last.slots) == 1
        if len(taken) > 2 and single:  # one test where nothing optional is there
            self.line(f"if {key} != {run.number}:")
            self.depth += 1
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
        if single:
            self.line(f"if {key} != {run.number}: raise Unusual")
            self.depth -= len(taken) > 2
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
        """One member of a substitution group: few are written here, many are called through a table."""
        field = step.slots[0].field
        variable = values.setdefault(field.name, self.fresh("a"))
        self.flush()
        usual = members_inline(step)
        for i, slot in usual:
            self.line(f"{'el' if i != usual[0][0] else ''}if {key} == {number + i}:")
            self.depth += 1
            self.value(slot, variable)
            self.flush()
            self.depth -= 1
        table: list[Function] = []
        for i, slot in enumerate(step.slots):
            table.append(_first(table, i, slot.type))
        if usual:
            self.line("else:")
            self.depth += 1
        if number:
            self.line(f"if {key} < {number}: raise Unusual")
        index = key if not number else f"{key} - {number}"
        self.line(f"{variable}, r = {self.share('T', table)}[{index}](v, r)")
        self.depth -= bool(usual)

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
        lead = sum(w.width for w in self.pending)
        if lead > 4 or any(w.code != 0 for w in self.pending):
            self.flush()
            lead = 0
        self.pending = []
        get, miss, width = table_of(cls, lead)
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
                self.pending.append(Waiting(8, None, variable, high=kind.high))
                if kind.low:
                    self.checks.append(f"if {variable} < {kind.low}: raise Unusual")
            case Integer():
                sign = self.fresh("s")
                self.take(1, sign)
                self.pending.append(Waiting(8, None, variable, high=kind.high))
                self.checks.append(f"if {sign}: {variable} = ~{variable}")
            case Text():
                self.text(variable)
            case Binary():
                self.bytes(variable)

    def more(self, variable: str, high: int | None) -> None:
        """Further octets of an unsigned integer, and its upper bound."""
        self.line(f"if {variable} > 127:")
        self.line("    r -= 8")
        self.line("    o = v >> r & 255")
        self.line(f"    {variable} += (o - 1) << 7")
        self.line(f"    if o > 127: {variable}, r = octets(v, r, {variable} - 16384, 14)")
        if high is not None:
            self.line(f"    if {variable} > {high}: raise Unusual")

    def bytes(self, variable: str) -> None:
        """Octets behind their count."""
        count = self.fresh("c")
        self.pending.append(Waiting(8, None, count, high=None))
        self.flush()
        self.line(f"r -= 8 * {count}")
        self.line(f"{variable} = (v >> r & (M[{count}] if {count} < 65 else (1 << 8 * {count}) - 1))")
        self.lines[-1] += f".to_bytes({count}, 'big')"

    def text(self, variable: str) -> None:
        """Characters behind their count plus 2 (less is a hit in a string table); short texts come from a table."""
        count = self.fresh("c")
        self.take(8, count)
        self.flush()
        self.line(f"if 2 <= {count} < 65:")
        self.line(f"    r -= 8 * {count} - 16")
        self.line(f"    {variable} = S(v >> r & M[{count} - 1])")
        self.line(f"    if {variable} is None: {variable} = short(v >> r & M[{count} - 1], {count} - 2)")
        self.line(f"else: {variable}, r = text(v, r, {count})")

    def function(self, head: str, tail: str) -> Function:
        self.flush()
        return build("\n".join([head, *self.lines, tail]), self.namespace, self.name)


BOOLEANS = (False, True)
MASKS = tuple((1 << 8 * n) - 1 for n in range(65))
TEXTS: dict[int, str] = {}
"""Short texts by their bits, count included."""


def short_text(bits: int, count: int) -> str:
    """An ASCII text of `count` characters that is not in the table yet."""
    data = (bits & (1 << 8 * count) - 1).to_bytes(count, "big")
    if not data.isascii():
        raise Unusual
    if len(TEXTS) >= LIMIT:
        TEXTS.clear()
    text = TEXTS[bits] = data.decode()
    return text


def long_text(v: int, r: int, count: int) -> tuple[str, int]:
    """An ASCII text whose count begins with an octet that is not the usual one."""
    if count > 127:
        count, r = octets(v, r, count & 127, 7)
    if count < 2:
        raise Unusual
    r -= 8 * (count - 2)
    data = (v >> r & (1 << 8 * (count - 2)) - 1).to_bytes(count - 2, "big")
    if not data.isascii():
        raise Unusual
    return data.decode(), r


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


KEPT: dict[tuple[type[Element], int], tuple[Function, Function, int]] = {}


def table_of(cls: type[Element], lead: int) -> tuple[Function, Function, int]:
    """Look-up, function for a miss and width of the table of a type behind `lead` zero bits."""
    if (cls, lead) not in KEPT:
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
        KEPT[cls, lead] = table.get, generator.function("def decode(v, r):\n    s = r", "    return t"), width
    return KEPT[cls, lead]


DECODERS = Lazy(_generate)
"""Decoders by type."""
