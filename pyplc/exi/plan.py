"""From declarations to a plan of steps, the common ground of the two generators.

A plan is the content of a type in the order of the wire: attributes, then elements or text. A step is what may come at
one place: its slots are the alternatives. A run is a state's list of events written down: optional steps, then the
mandatory one or the end. What the generated code refuses (wildcards, free choices, types beyond it) keeps its number.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

from .declare import Bits, Boolean, Element, Enumerated, Field, Integer, Unsigned, fields


class Slot(NamedTuple):
    """One alternative: `kind` is AT, CH or SE; `refused` where only the general codec can."""

    kind: str
    field: Field
    type: Any = None
    refused: bool = False


class Step(NamedTuple):
    """Alternatives at one place. `repeat`: "" a single value, "item" one that a list must have, "rest" the others."""

    slots: tuple[Slot, ...]
    mandatory: bool
    repeat: str = ""
    place: int = 0
    most: int | None = 1
    """How many items a "rest" may have."""


class Run(NamedTuple):
    """Optional steps with the number of their first slot, then the mandatory step (None: the end)."""

    optional: tuple[tuple[int, Step], ...]
    last: Step | None
    number: int
    """The first code of `last`."""
    events: int

    def width(self, consumed: int) -> int:
        """Bits of a code once `consumed` slots have gone by."""
        return (self.events - consumed).bit_length()


@cache
def steps(cls: type[Element]) -> tuple[Step, ...] | None:
    """The plan of a type; None where the generated code cannot follow it."""
    declared = fields(cls)
    if cls.ALTERNATIVES or any(f.together for f in declared):
        return None
    plan: list[Step] = []
    attributes = sorted((f for f in declared if f.kind == "attribute"), key=lambda f: (f.name, f.namespace))
    for f in attributes:
        plan.append(Step((Slot("AT", f, f.type),), bool(f.low)))
    label = None
    for f in declared:
        if f.kind == "attribute":
            continue
        if f.kind == "content":
            plan.append(Step((Slot("CH", f, f.type),), True))
        elif f.choice is not None and f.choice == label:
            plan[-1] = plan[-1]._replace(slots=plan[-1].slots + _slots(f))
        else:
            added = _steps(f)
            if added is None:
                return None
            plan += added
        label = f.choice
    return tuple(plan)


def _slots(field: Field) -> tuple[Slot, ...]:
    if field.kind == "any":
        return (Slot("SE", field, refused=True),)
    if field.kind == "choices":
        return (Slot("SE", field, refused=True),) * (len(field.members) + 1)
    if field.kind == "group":
        return tuple(Slot("SE", field, m.type) for m in field.members)
    if isinstance(field.type, type) and steps(field.type) is None:
        return (Slot("SE", field, refused=True),)
    return (Slot("SE", field, field.type),)


def _steps(field: Field) -> list[Step] | None:
    slots = _slots(field)
    if slots[0].refused:
        return [Step(slots, False)] if not field.low else None
    if not field.is_list:
        return [Step(slots, bool(field.low))]
    added = [Step(slots, True, "item", index) for index in range(field.low)]
    if field.high is None or field.high > field.low:
        most = None if field.high is None else field.high - field.low
        added.append(Step(slots, False, "rest", field.low, most))
    return added


@cache
def runs(cls: type[Element]) -> tuple[Run, ...]:
    """The plan of a type cut into runs; the last one ends with the end of the element."""
    plan = steps(cls)
    assert plan is not None
    out: list[Run] = []
    optional: list[tuple[int, Step]] = []
    number = 0
    for step in (*plan, None):
        if step is not None and not step.mandatory:
            optional.append((number, step))
            number += len(step.slots)
            continue
        only_attributes = step is not None and step.slots[0].kind == "AT"
        events = number + (len(step.slots) if step else 1) + int(cls.XSD.mixed and not only_attributes)
        out.append(Run(tuple(optional), step, number, events))
        optional, number = [], 0
    return tuple(out)


def members_inline(step: Step) -> list[tuple[int, Slot]]:
    """The members of a substitution group that are written into the function of the whole: one or two, or none."""
    usable = [(i, slot) for i, slot in enumerate(step.slots) if not slot.type.XSD.abstract]
    return usable if len(usable) <= 2 else []


@cache
def size(cls: type[Element]) -> int:
    """How many simple values a type has, those of its parts included."""
    total = 0
    for step in steps(cls) or ():
        if step.slots[0].field.kind == "group" and len(members_inline(step)) == 0:
            total += 1  # a call
            continue
        for slot in step.slots:
            total += size(slot.type) if isinstance(slot.type, type) else 1
    return total


@cache
def window(cls: type[Element]) -> int:
    """Bits of the usual form of a type whose values are kept; 0 if they are not.

    Kept are the small types made of numbers only, and those whose declaration says so.
    """
    if cls.XSD.window:
        return cls.XSD.window
    plan = steps(cls)
    if not plan or cls.XSD.mixed:
        return 0
    bits = sum(run.width(0) for run in runs(cls))
    for step in plan:
        slot = step.slots[0]
        if len(step.slots) > 1 or step.repeat or slot.kind != "SE":
            return 0
        match slot.type:
            case Boolean():
                bits += 3
            case Enumerated() | Bits():
                bits += 2 + slot.type.bits
            case Unsigned():
                bits += 10 if slot.type.high is not None and slot.type.high <= 0xFFFF else 34
            case Integer():
                bits += 19
            case _:
                return 0
        bits += 0 if step.mandatory else 2
    return bits if bits <= 100 else 0
