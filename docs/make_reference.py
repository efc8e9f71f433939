"""Makes the reference pages from the declarations: sequences, time-outs, checkpoints, settings, peers, scenarios.

python docs/make_reference.py [FOLDER]
"""

from __future__ import annotations

import inspect
import sys
import tomllib
from enum import Enum
from pathlib import Path
from typing import Any

import msgspec
from declared import MADE, remarks_of, toml
from reference_decode import decode
from reference_devices import devices, pyplc_ini
from reference_explain import explained
from reference_peers import profiles
from reference_scenarios import scenarios
from reference_slac import slac_deviations, slac_timing

from pyplc.checkpoints import CHECKPOINTS, PHASES
from pyplc.config import EvseSettings, EvSettings
from pyplc.v2g import deviations
from pyplc.v2g.deviations import Deviations
from pyplc.v2g.din import sequence as din_table
from pyplc.v2g.din import timing as din_times
from pyplc.v2g.din.sequence import State as DinState
from pyplc.v2g.iso2 import sequence as iso2_table
from pyplc.v2g.iso2 import timing as iso2_times
from pyplc.v2g.iso2.sequence import State
from pyplc.v2g.sequence import Table
from pyplc.v2g.session import Timer
from pyplc.v2g.timing import MessageTimes

HERE = Path(__file__).parent / "reference"


def sequence(title: str, table: Table, first: Enum, end: Enum, usual: tuple[Enum, ...]) -> str:
    """A charger's table as a diagram and as a table; `usual`: where SessionStopReq is drawn."""
    lines = [MADE, f"# The charger's sequence in {title}\n", "```mermaid", "stateDiagram-v2"]
    lines.append(f"    [*] --> {first.name}")
    rows = ["| waits for | request | outcome | then |", "|---|---|---|---|"]
    for state, requests in table.items():
        for request, outcomes in requests.items():
            for outcome, after in outcomes.items():
                rows.append(f"| {state.value} | {request.__name__} | {outcome.value} | {after.value} |")
                if request.__name__ != "SessionStopReq" or state in usual:
                    name = request.__name__.removesuffix("Req")
                    lines.append(f"    {state.name} --> {after.name}: {name} ({outcome.value})")
    lines += [f"    {end.name} --> [*]", "```", ""]
    lines.append(
        "SessionStopReq is admitted in every state after SessionSetup but the charge loop; the diagram shows only the "
        "usual one. What is not in the table is answered with FAILED_SequenceError, and the session is over.\n"
    )
    return "\n".join([*lines, *rows, "", *coverage(table)])


def coverage(table: Table) -> list[str]:
    """State by request: where a request leads, or that it is refused. Each cell is a case of a test."""
    requests = sorted({request for row in table.values() for request in row}, key=lambda r: r.__name__)
    names = [request.__name__.removesuffix("Req") for request in requests]
    lines = [
        "## State by request\n",
        "Where a request leads; empty cells are refused with FAILED_SequenceError. Each cell is a case of "
        "`test_every_request_in_every_state`; so are the requests that are never in sequence here.\n",
        f"| | {' | '.join(names)} |",
        "|---" * (len(names) + 1) + "|",
    ]
    for state, row in table.items():
        cells = [", ".join(dict.fromkeys(after.value for after in row.get(r, {}).values())) for r in requests]
        lines.append(f"| {state.value} | {' | '.join(cells)} |")
    return [*lines, ""]


def requirements() -> str:
    """The ids that the code names, and their tests."""
    table = tomllib.loads((HERE.parents[1] / "tests" / "requirements.toml").read_text())
    lines = [MADE, "# Requirements and their tests\n", "Ids as our sources give them; the words are ours.\n"]
    lines += ["| id | what it says | tests |", "|---|---|---|"]
    for number, row in table.items():
        tests = "<br>".join(f"`{name}`" for name in row["tests"])
        lines.append(f"| {number} | {row['says']} | {tests} |")
    return "\n".join([*lines, ""])


def din_sequence() -> str:
    return sequence("DIN 70121", din_table.SEQUENCE, DinState.SESSION_SETUP, DinState.END, (DinState.STOPPED,))


def iso2_dc_sequence() -> str:
    usual = (State.STOPPED, State.WELDING)
    return sequence("ISO 15118-2, DC", iso2_table.DC_SEQUENCE, State.SESSION_SETUP, State.END, usual)


def iso2_ac_sequence() -> str:
    return sequence("ISO 15118-2, AC", iso2_table.AC_SEQUENCE, State.SESSION_SETUP, State.END, (State.STOPPED,))


def timing(title: str, table: Any) -> str:
    """Every time-out of both profiles."""
    lines = [
        MADE,
        f"# Time-outs of {title}\n",
        "Seconds. `field` is the default; set `session.profile` to change it.\n",
    ]
    for side in ("vehicle", "charger"):
        lines += [f"## {side.capitalize()}\n", "| name | conformance | field | where the field value comes from |"]
        lines.append("|---|---|---|---|")
        for field in msgspec.structs.fields(getattr(table.CONFORMANCE, side)):
            strict, patient = (
                getattr(getattr(profile, side), field.name) for profile in (table.CONFORMANCE, table.FIELD)
            )
            if isinstance(strict, MessageTimes):
                lines += messages(strict, patient)
            elif strict is not None:
                lines.append(row(strict.name, strict, patient))
        lines.append("")
    return "\n".join(lines)


def switches() -> str:
    """Every deviation from the letter."""
    lines = [MADE, "# Deviations\n", (inspect.getdoc(deviations) or "").replace("\n", " ") + "\n"]
    lines.append("Set them in `[session.deviations]`.\n")
    lines += ["| name | field | conformance | |", "|---|---|---|---|"]
    remarks = remarks_of(Deviations)
    for name in Deviations.__struct_fields__:
        both = (toml(getattr(profile, name)) for profile in (deviations.FIELD, deviations.CONFORMANCE))
        lines.append(f"| `{name}` | {' | '.join(both)} | {remarks[name]} |")
    return "\n".join([*lines, "", *slac_deviations()])


def messages(strict: MessageTimes, patient: MessageTimes) -> list[str]:
    names = sorted({*strict.by_request, *patient.by_request})
    return [row(strict.default.name, strict.default, patient.default)] + [
        row(f"{strict.default.name} {name}", strict.of(name), patient.of(name)) for name in names
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


PAGES = {
    "din-sequence.md": din_sequence,
    "iso2-dc-sequence.md": iso2_dc_sequence,
    "iso2-ac-sequence.md": iso2_ac_sequence,
    "din-timing.md": lambda: timing("DIN 70121", din_times),
    "iso2-timing.md": lambda: timing("ISO 15118-2", iso2_times),
    "slac-timing.md": slac_timing,
    "deviations.md": switches,
    "requirements.md": requirements,
    "checkpoints.md": checkpoints,
    "settings.md": settings,
    "peers.md": profiles,
    "decode.md": decode,
    "scenarios.md": scenarios,
    "explain.md": explained,
    "devices.md": devices,
    "pyplc-ini.md": pyplc_ini,
}


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    for name, make in PAGES.items():
        (folder / name).write_text(make())


if __name__ == "__main__":
    main()
