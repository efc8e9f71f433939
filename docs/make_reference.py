"""Makes the reference pages from the declarations: sequence, time-outs, checkpoints, settings.

python docs/make_reference.py
"""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from typing import Any

import msgspec

from pyplc.checkpoints import CHECKPOINTS, PHASES
from pyplc.config import EvseSettings, EvSettings
from pyplc.v2g.din.sequence import SEQUENCE, State
from pyplc.v2g.din.timing import CONFORMANCE, FIELD, MessageTimes
from pyplc.v2g.session import Timer

HERE = Path(__file__).parent / "reference"
MADE = "<!-- made by docs/make_reference.py; do not edit -->\n"


def sequence() -> str:
    """The charger's table as a diagram and as a table."""
    lines = [MADE, "# The charger's sequence in DIN 70121\n", "```mermaid", "stateDiagram-v2"]
    lines.append(f"    [*] --> {State.SESSION_SETUP.name}")
    rows = ["| waits for | request | outcome | then |", "|---|---|---|---|"]
    for state, requests in SEQUENCE.items():
        for request, outcomes in requests.items():
            for outcome, after in outcomes.items():
                rows.append(f"| {state.value} | {request.__name__} | {outcome.value} | {after.value} |")
                if request.__name__ != "SessionStopReq" or state is State.STOPPED:
                    name = request.__name__.removesuffix("Req")
                    lines.append(f"    {state.name} --> {after.name}: {name} ({outcome.value})")
    lines += [f"    {State.END.name} --> [*]", "```", ""]
    lines.append(
        "SessionStopReq is admitted in every state after SessionSetup; the diagram shows only the usual one.\n"
    )
    return "\n".join([*lines, *rows, ""])


def timing() -> str:
    """Every time-out of both profiles."""
    lines = [
        MADE,
        "# Time-outs of DIN 70121\n",
        "Seconds. `field` is the default; set `session.profile` to change it.\n",
    ]
    for side in ("vehicle", "charger"):
        lines += [f"## {side.capitalize()}\n", "| name | conformance | field | where the field value comes from |"]
        lines.append("|---|---|---|---|")
        for field in msgspec.structs.fields(getattr(CONFORMANCE, side)):
            strict, patient = (getattr(getattr(profile, side), field.name) for profile in (CONFORMANCE, FIELD))
            if isinstance(strict, MessageTimes):
                lines += messages(strict, patient)
            else:
                lines.append(row(strict.name, strict, patient))
        lines.append("")
    return "\n".join(lines)


def messages(strict: MessageTimes, patient: MessageTimes) -> list[str]:
    names = sorted({*strict.by_request, *patient.by_request})
    return [row(strict.default.name, strict.default, patient.default)] + [
        row(f"V2G_EVCC_Msg_Timeout {name}", strict.of(name), patient.of(name)) for name in names
    ]


def row(name: str, strict: Timer, patient: Timer) -> str:
    return f"| {name} | {strict.seconds:g} ({strict.source}) | {patient.seconds:g} | {patient.source} |"


def checkpoints() -> str:
    """The vocabulary."""
    lines = [MADE, "# Checkpoints\n", "| number | meaning | begins the phase |", "|---|---|---|"]
    lines += [f"| {number} | {text} | {PHASES.get(number, '')} |" for number, text in CHECKPOINTS.items()]
    return "\n".join([*lines, ""])


def settings() -> str:
    """Every key of the TOML files."""
    lines = [MADE, "# Settings\n", "Keys of the files that `pyplc ev` and `pyplc evse` take; `pyplc sim` takes all.\n"]
    done: set[type] = set()
    for kind in (EvSettings, EvseSettings):
        lines += section(kind, "", done)
    return "\n".join(lines)


def section(kind: type[msgspec.Struct], path: str, done: set[type]) -> list[str]:
    lines, inner = [], []
    remarks = remarks_of(kind)
    for field in msgspec.structs.fields(kind):
        default = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
        name = f"{path}.{field.name}" if path else field.name
        if isinstance(default, msgspec.Struct):
            if type(default) not in done:
                done.add(type(default))
                inner += section(type(default), name, done)
        else:
            lines.append(f"| `{field.name}` | `{toml(default)}` | {remarks.get(field.name, '')} |")
    title = f"## [{path}]\n" if path else f"## {kind.__name__.removesuffix('Settings').upper()}, top level\n"
    head = [title, (inspect.getdoc(kind) or "").replace("\n", " ") + "\n", "| key | default | |", "|---|---|---|"]
    return [*(head + lines if lines else head[:2]), "", *inner]


def remarks_of(kind: type[msgspec.Struct]) -> dict[str, str]:
    """The strings below the fields of a class and of its bases."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if not issubclass(base, msgspec.Struct) or base is msgspec.Struct:
            continue
        body: list[Any] = ast.parse(inspect.getsource(base)).body[0].body  # type: ignore[attr-defined]
        for field, remark in zip(body, body[1:], strict=False):
            if isinstance(field, ast.AnnAssign) and isinstance(remark, ast.Expr):
                found[ast.unparse(field.target)] = re.sub(r"\s+", " ", ast.literal_eval(remark.value))
    return found


def toml(value: Any) -> str:
    if value is None:
        return "(absent)"
    if isinstance(value, bool):
        return str(value).lower()
    return (
        f'"{value}"' if isinstance(value, str) else str(list(map(list, value)) if isinstance(value, tuple) else value)
    )


PAGES = {
    "din-sequence.md": sequence,
    "din-timing.md": timing,
    "checkpoints.md": checkpoints,
    "settings.md": settings,
}


def main() -> None:
    for name, make in PAGES.items():
        (HERE / name).write_text(make())


if __name__ == "__main__":
    main()
