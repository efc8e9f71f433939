"""The page of `pyplc explain`: what its JSON holds, the columns of its table, every rule, every known case."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from declared import MADE, remarks_of

from pyplc.capture.explain.cases import KNOWN, Case
from pyplc.capture.explain.curves import Range
from pyplc.capture.explain.findings import Finding, Level
from pyplc.capture.explain.report import RULES, Peer, Reached, Report
from pyplc.capture.explain.story import Phase
from pyplc.capture.explain.text import COLUMNS
from pyplc.capture.explain.verdict import Verdict

WORDS = (
    (r"\bstr\b", "text"),
    (r"\b(int|float)\b", "number"),
    (r"\bbool\b", "true or false"),
    (r"^list\[(\w+)\]$", r"list of \1"),
    (r"^dict\[text, (\w+)\]$", r"object of \1"),
)
LEVELS = {
    Level.NOTE: "worth knowing; nothing is wrong",
    Level.DEVIATION: "a requirement was not kept; peers of the field tolerate it",
    Level.WARNING: "peers were seen to end sessions for it",
    Level.ERROR: "ends a session",
}


def explained() -> str:
    """The whole page."""
    lines = [MADE, "# What pyplc explain says\n"]
    lines.append("`pyplc explain FILE --json` prints one object a session, a line each:\n")
    for kind in (Report, Peer, Range, Phase, Reached, Finding, Verdict, Case):
        lines += _struct(kind)
    lines += ["## The table\n", "`--csv` has a row a session: " + ", ".join(f"`{name}`" for name in COLUMNS) + ".\n"]
    lines += ["## Levels\n", *(f"- **{level}**: {text}" for level, text in LEVELS.items()), ""]
    lines += ["## Rules\n", "| key | layer | level | rule | source |", "|---|---|---|---|---|"]
    lines += [f"| `{r.key}` | {r.layer} | {r.level} | {r.title} | {r.requirement} |" for r in RULES]
    lines.append("\nA rule may weigh less in a case: a refused connection is a note where no one announced the port.\n")
    lines += ["## Known cases\n", "| seen | what helped | source |", "|---|---|---|"]
    lines += [f"| {entry.case.text} | {entry.case.remedy} | {entry.case.source} |" for entry in KNOWN]
    return "\n".join([*lines, ""])


def _struct(kind: type[msgspec.Struct]) -> list[str]:
    remarks = remarks_of(kind)
    rows = [f"| `{f.name}` | {_type(f.type)} | {remarks.get(f.name, '')} |" for f in msgspec.structs.fields(kind)]
    doc = (kind.__doc__ or "").strip()
    return [f"### {kind.__name__}\n", f"{doc}\n", "| key | type | |", "|---|---|---|", *rows, ""]


def _type(kind: Any) -> str:
    """A type as JSON knows it."""
    text = getattr(kind, "__name__", "") if isinstance(kind, type) and not hasattr(kind, "__args__") else str(kind)
    text = re.sub(r"(?:\w+\.)+", "", text.replace(" | None", " or null"))
    for name, plain in WORDS:
        text = re.sub(name, plain, text)
    return text
