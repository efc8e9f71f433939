"""Generates encoders: for a type, a function (a, value) -> a with the value's bits behind; see compile.py."""

from __future__ import annotations

from typing import Any

from .compile import LIMIT, Function, Lazy, Unusual, build, integer, later, unsigned
from .declare import Binary, Bits, Boolean, Element, Enumerated, Integer, Simple, Text, Unsigned
from .gendecode import INLINE
from .plan import Run, Slot, Step, runs, size, window

BOOLEANS = {False: 0, True: 1}


class Generator:
    """Writes one function. Bits wait in `pending` as long as the code runs straight on."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.depth = 1
        self.pending: list[tuple[int, int | str]] = []
        self.namespace: dict[str, Any] = {"Unusual": Unusual, "unsigned": unsigned, "integer": integer, "B": BOOLEANS}
        self.namespace["from_bytes"] = int.from_bytes
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

    def put(self, width: int, bits: int | str) -> None:
        """Bits of known width: a number or an expression that is checked already."""
        if width:
            self.pending.append((width, bits))

    def gathered(self) -> tuple[int, str]:
        """Width and expression of the pending bits."""
        total = left = sum(width for width, _ in self.pending)
        constant, terms = 0, []
        for width, bits in self.pending:
            left -= width
            if isinstance(bits, int):
                constant |= bits << left
            else:
                terms.append(f"{bits} << {left}" if left else bits)
        if constant or not terms:
            terms.append(str(constant))
        self.pending = []
        return total, " | ".join(terms)

    def before(self, accumulator: str = "a") -> str:
        """An expression for the accumulator with the pending bits behind."""
        if not self.pending:
            return accumulator
        total, bits = self.gathered()
        return f"{accumulator} << {total}" if bits == "0" else f"{accumulator} << {total} | {bits}"

    def flush(self) -> None:
        """Append the pending bits."""
        if self.pending:
            self.line(f"a = {self.before()}")

    # types

    def content(self, cls: type[Element], value: str) -> None:
        """The inside of a complex element."""
        self.line(f"if {value}.__class__ is not {self.share('C', cls)}: raise Unusual")
        for run in runs(cls):
            self.run(run, value)

    def run(self, run: Run, value: str) -> None:
        taken = []
        for number, step in run.optional:
            if step.slots[0].refused:
                self.line(f"if {value}.{step.slots[0].field.name}: raise Unusual")
            else:
                taken.append((number, step))
        if not taken:
            self.last(run, value, 0)
            return
        if len(taken) == 1 and taken[0][1].most is not None and not taken[0][1].repeat and len(taken[0][1].slots) == 1:
            self.single(run, *taken[0], value)
            return
        self.flush()
        key: str | int = 0
        name = self.fresh("k")
        self.line(f"{name} = 0")
        widths = self.share("W", tuple(run.width(i) for i in range(run.events)))
        for number, step in taken:
            if step.repeat:
                self.rest(run, number, step, value, key, name, widths)
            else:
                self.optional(run, number, step, value, key, name, widths)
            key = name
        self.line(f"w = {widths}[{name}]")
        self.last(run, value, name)

    def last(self, run: Run, value: str, key: str | int) -> None:
        """The code of the mandatory step or the end, and its value."""
        step = run.last
        if step is None or len(step.slots) == 1:
            self.code(run, run.number, key)
            if step is not None:
                (slot,) = step.slots
                item = self.fresh("b")
                self.line(f"{item} = {value}.{slot.field.name}{f'[{step.place}]' if step.repeat else ''}")
                self.value(slot, item)
        else:
            self.several(run, run.number, step, value, key, True)

    def code(self, run: Run, number: int, key: str | int) -> None:
        """An event code; its width is in `w` when it depends on the way here."""
        if isinstance(key, int):
            self.put(run.width(key), number - key)
        else:
            self.flush()
            self.line(f"a = a << w | {number} - {key}")

    def single(self, run: Run, number: int, step: Step, value: str) -> None:
        """The only optional step of a run: two ways, each with codes of known width."""
        (slot,) = step.slots
        self.flush()
        item = self.fresh("b")
        self.line(f"{item} = {value}.{slot.field.name}")
        self.line(f"if {item} is not None:")
        self.depth += 1
        self.code(run, number, 0)
        self.value(slot, item)
        several = run.last is not None and len(run.last.slots) > 1
        after = number + 1
        if several:
            self.flush()
            self.line(f"w, k = {run.width(after)}, {after}")
        else:
            self.put(run.width(after), run.number - after)
            self.flush()
        self.depth -= 1
        self.line("else:")
        self.depth += 1
        if several:
            self.line(f"w, k = {run.width(0)}, 0")
        else:
            self.put(run.width(0), run.number)
            self.flush()
        self.depth -= 1
        if several:
            assert run.last is not None
            self.several(run, run.number, run.last, value, "k", True)
        elif run.last is not None:
            (slot,) = run.last.slots
            item = self.fresh("b")
            self.line(f"{item} = {value}.{slot.field.name}{'[0]' if run.last.repeat else ''}")
            self.value(slot, item)

    def optional(self, run: Run, number: int, step: Step, value: str, key: str | int, name: str, widths: str) -> None:
        if len(step.slots) > 1:
            if isinstance(key, str):
                self.line(f"w = {widths}[{key}]")
            self.several(run, number, step, value, key, False, name)
            return
        (slot,) = step.slots
        item = self.fresh("b")
        self.line(f"{item} = {value}.{slot.field.name}")
        self.line(f"if {item} is not None:")
        self.depth += 1
        if isinstance(key, str):
            self.line(f"w = {widths}[{key}]")
        self.code(run, number, key)
        self.value(slot, item)
        self.flush()
        self.line(f"{name} = {number + 1}")
        self.depth -= 1

    def rest(self, run: Run, number: int, step: Step, value: str, key: str | int, name: str, widths: str) -> None:
        """The items of a list from `index` on."""
        (slot,) = step.slots
        items, item = self.fresh("l"), self.fresh("b")
        self.line(f"{items} = {value}.{slot.field.name}")
        self.line(f"if {items}.__class__ is not list: raise Unusual")
        if step.place:
            self.line(f"{items} = {items}[{step.place}:]")
        if step.most is not None:
            self.line(f"if len({items}) > {step.most}: raise Unusual")
        if isinstance(key, str) or number:
            self.line(f"if {items}: w = {widths}[{key}]")
            self.line(f"k = {key}")
            self.line(f"for {item} in {items}:")
            self.depth += 1
            self.line(f"a = a << w | {number} - k")
            self.value(slot, item)
            self.flush()
            self.line(f"w, k = {run.width(number)}, {number}")
            self.depth -= 1
            self.line(f"if {items}: {name} = {number}")
        else:
            self.line(f"for {item} in {items}:")
            self.depth += 1
            self.put(run.width(0), 0)
            self.value(slot, item)
            self.flush()
            self.depth -= 1
        if step.most is not None:
            self.line(f"if len({items}) == {step.most}: {name} = {number + 1}")

    def several(
        self, run: Run, number: int, step: Step, value: str, key: str | int, must: bool, name: str = ""
    ) -> None:
        """One alternative of a choice of fields or of a substitution group."""
        self.flush()
        if step.slots[0].field is step.slots[-1].field:
            self.member(run, number, step, value, key, must, name)
            return
        found = self.fresh("q")
        self.line(f"{found} = 0")
        for i, slot in enumerate(step.slots):
            item = self.fresh("b")
            self.line(f"{item} = {value}.{slot.field.name}")
            if slot.refused:
                self.line(f"if {item}: raise Unusual")
                continue
            self.line(f"if {item} is not None:")
            self.depth += 1
            self.line(f"{found} += 1")
            self.code(run, number + i, key)
            self.value(slot, item)
            self.flush()
            self.depth -= 1
        self.line(f"if {found} {'!= 1' if must else '> 1'}: raise Unusual")
        if name:
            self.line(f"if {found}: {name} = {number + len(step.slots)}")

    def member(self, run: Run, number: int, step: Step, value: str, key: str | int, must: bool, name: str) -> None:
        field = step.slots[0].field
        item = self.fresh("b")
        numbers = self.share("N", {slot.type: number + i for i, slot in enumerate(step.slots)})
        self.line(f"{item} = {value}.{field.name}")
        if not must:
            self.line(f"if {item} is not None:")
            self.depth += 1
        width = str(run.width(key)) if isinstance(key, int) else "w"
        self.line(f"c = {item}.__class__")
        self.line(f"a = {self.share('E', ENCODERS)}[c](a << {width} | {numbers}[c] - {key}, {item})")
        if not must:
            self.line(f"{name} = {number + len(step.slots)}")
            self.depth -= 1

    def value(self, slot: Slot, item: str) -> None:
        """A value, the code of its start already written."""
        if isinstance(slot.type, type):
            self.complex(slot.type, item)
            return
        if slot.kind == "SE":
            self.put(1, 0)
        self.simple(slot.type, item)
        if slot.kind == "SE":
            self.put(1, 0)

    def complex(self, cls: type[Element], item: str) -> None:
        if window(cls):
            get, miss = table_of(cls)
            self.line(f"try: t = {self.share('g', get)}({item}) or {self.share('m', miss)}({item})")
            self.line(f"except TypeError: t = {self.share('m', miss)}({item})  # a list inside, as in a signature")
            if self.pending:
                self.line(f"a = ({self.before()}) << t[0] | t[1]")
            else:
                self.line("a = a << t[0] | t[1]")
        elif size(cls) <= INLINE:
            self.content(cls, item)
        else:
            name = self.fresh("f")
            later(self.namespace, name, ENCODERS, cls)
            self.line(f"a = {name}({self.before()}, {item})")

    def simple(self, kind: Simple, item: str) -> None:
        match kind:
            case Boolean():
                self.put(1, f"B[{item}]")
            case Enumerated():
                self.line(f"if not 0 <= {item} < {len(kind.kind)}: raise Unusual")
                self.put(kind.bits, item)
            case Bits():
                self.line(f"if not {kind.low} <= {item} <= {kind.high}: raise Unusual")
                self.put(kind.bits, f"({item} - {kind.low})" if kind.low else item)
            case Unsigned():
                self.small(item, kind)
            case Integer():
                self.signed(kind, item)
            case Text():
                self.line(f"if not {item}.isascii(): raise Unusual")
                self.line(f"{item} = {item}.encode()")
                self.bytes(item, 2)
            case Binary():
                self.line(f"if {item}.__class__ is not bytes: raise Unusual")
                self.bytes(item, 0)

    def small(self, item: str, kind: Unsigned) -> None:
        """An unsigned integer: one octet, or the general way."""
        total, bits = self.gathered() if self.pending else (0, "0")
        head = f"(a << {total} | {bits})" if total else "a"
        octet = f"(a << {total} | {bits}) << 8" if bits != "0" else f"a << {total + 8}"
        self.line(f"if {kind.low} <= {item} < 128: a = {octet} | {item}")
        if kind.low:
            self.line(f"elif {item} < {kind.low}: raise Unusual")
        self.line(f"else: a = unsigned({head}, {item}, {kind.high})")

    def signed(self, kind: Integer, item: str) -> None:
        """A sign and one or two octets, or the general way."""
        total, bits = self.gathered() if self.pending else (0, "0")
        head = f"(a << {total} | {bits})" if total else "a"
        self.line(f"if 0 <= {item} < 128: a = {head} << 9 | {item}")
        self.line(f"elif 128 <= {item} < 16384: a = {head} << 17 | ({item} & 127 | 128) << 8 | {item} >> 7")
        self.line(f"else: a = integer({head}, {item}, {kind.low}, {kind.high})")

    def bytes(self, item: str, offset: int) -> None:
        """Octets behind their count."""
        count = self.fresh("c")
        total, bits = self.gathered() if self.pending else (0, "0")
        head = f"(a << {total} | {bits})" if bits != "0" else f"a << {total}" if total else "a"
        ahead = f"a << {total + 8} | {bits} << 8" if bits.isdecimal() and bits != "0" else f"{head} << 8"
        plus = f" + {offset}" if offset else ""
        self.line(f"{count} = len({item})")
        self.line(f"if {count} < {128 - offset}:")
        self.line(f"    a = ({ahead} | {count}{plus}) << 8 * {count} | from_bytes({item}, 'big')")
        self.line("else:")
        self.line(f"    a = unsigned({head}, {count}{plus}, None) << 8 * {count} | from_bytes({item}, 'big')")

    def function(self, head: str, tail: str) -> Function:
        self.flush()
        return build("\n".join([head, *self.lines, tail]), self.namespace, "encode")


def _generate(cls: type[Element]) -> Function:
    generator = Generator()
    generator.content(cls, "m")
    return generator.function("def encode(a, m):", "    return a")


KEPT: dict[type[Element], tuple[Function, Function]] = {}


def table_of(cls: type[Element]) -> tuple[Function, Function]:
    """Look-up and function for a miss of the table of a type: value to (width, bits)."""
    if cls not in KEPT:
        table: dict[Element, tuple[int, int]] = {}
        generator = Generator()
        generator.namespace["table"] = table
        generator.content(cls, "m")
        generator.flush()
        generator.line("w = a.bit_length() - 1")
        generator.line("t = w, a ^ 1 << w")
        generator.line(f"if w <= {window(cls)}:")
        generator.line(f"    if len(table) >= {LIMIT}: table.clear()")
        generator.line("    table[m] = t")
        KEPT[cls] = table.get, generator.function("def encode(m):\n    a = 1", "    return t")
    return KEPT[cls]


ENCODERS = Lazy(_generate)
"""Encoders by type."""
