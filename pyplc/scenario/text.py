"""What a scenario says, in words: for `pyplc scenario show` and for the manual."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import declare as d
from .load import Case


def described(case: Case) -> str:
    """A scenario as a few lines."""
    scenario = case.scenario
    lines = [case.id, f"  {scenario.title}", f"  under test: {'vehicle' if case.role == 'pev' else 'charger'}"]
    lines += [f"  source: {case.source}"] if case.source else []
    lines += [f"  file: {case.file}"]
    lines += [f"  settings: {_value(scenario.settings)}"] if scenario.settings else []
    lines += ["  the peer's own time-outs are a thousand times as long"] if scenario.patient_peer else []
    lines += [f"  fault: {fault_text(fault)}" for fault in scenario.fault] or ["  no fault"]
    lines += [f"  right: {text}" for text in expectations(scenario.expect)]
    return "\n".join(lines)


def fault_text(fault: d.Fault) -> str:
    """A fault as one line: what, with which values, where."""
    values = [
        f"{name} {_value(value)}"
        for name in fault.__struct_fields__
        if name != "at" and (value := getattr(fault, name)) not in ({}, [], None)
    ]
    words = " ".join([str(fault.__struct_config__.tag), *([f"({', '.join(values)})"] if values else [])])
    return f"{words} {place(fault.at)}"


def place(at: d.At) -> str:
    """Where a fault happens."""
    if at.message is None and at.checkpoint is None:
        words = "from the start"
    elif at.checkpoint is not None:
        words = f"at checkpoint {at.checkpoint}"
    else:
        number = f" number {at.occurrence}" if at.occurrence > 1 else ""
        times = {1: "", "all": " and all later ones"}.get(at.times, f" and {at.times} in all")
        words = f"at {at.message}{number}{times}{' as the peer gets it' if at.to_peer else ''}"
    return f"{words}, {at.after_s:g} s later" if at.after_s else words


def expectations(expect: d.Expect) -> Iterator[str]:
    """Each expectation as one line."""
    yield f"ends {_either(expect.outcome)}"
    if expect.reason is not None:
        yield f"says {expect.reason!r}"
    if expect.peer_outcome is not None:
        yield f"the peer ends {_either(expect.peer_outcome)}"
    within = [f"{n} {v:g} s" for n in expect.within.__struct_fields__ if (v := getattr(expect.within, n)) is not None]
    if within:
        yield f"within {', '.join(within)}"
    if expect.answer is not None:
        fields = ", ".join(f"{path} = {_value(value)}" for path, value in expect.answer.fields.items())
        yield f"answers {expect.answer.message}{f' with {fields}' if fields else ''}"
    if expect.then:
        yield f"sends {', '.join(expect.then)}"
    if expect.never:
        yield f"never sends {', '.join(expect.never)}"
    if expect.note is not None:
        yield f"remarks {expect.note!r}"
    if expect.energy is not None:
        yield "charges" if expect.energy else "charges nothing"


def _either(words: str | list[str]) -> str:
    return words if isinstance(words, str) else " or ".join(words)


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} = {_value(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return f"[{', '.join(_value(inner) for inner in value)}]"
    return f"{value:g}" if isinstance(value, float) else str(value)
