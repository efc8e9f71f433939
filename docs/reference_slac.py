"""The pages of matching: its table of times and counts, and where the defaults are not the standard's."""

from __future__ import annotations

import ast
from pathlib import Path

from declared import MADE, remarks_of, toml

from pyplc.slac import settings, timing

OURS = ("ANNOUNCE_PAUSE", "MODEM_", "C_MODEM_", "LINK_", "C_LINK_", "LATE_PROFILE_GRACE")
"""Names, or how they begin, that are not the standard's."""


def slac_timing() -> str:
    """Every entry of `slac/timing.py`."""
    lines = [MADE, "# Times and counts of matching\n", "ISO 15118-3 Annex A; seconds, dB or counts.\n"]
    lines.append("Names in `code` are ours, from field practice. Each is measured by a test of its own.\n")
    lines += ["| name | value | what it bounds |", "|---|---|---|"]
    for name, remark in _remarks().items():
        value = getattr(timing, name)
        lines.append(f"| {shown(name)} | {value:g} | {remark} |")
    return "\n".join([*lines, ""])


def shown(name: str) -> str:
    """A name; ours as code."""
    return f"`{name}`" if name.startswith(OURS) else name


def _remarks() -> dict[str, str]:
    """The string below each assignment; entries that share a line share it."""
    body = ast.parse(Path(timing.__file__).read_text()).body
    found: dict[str, str] = {}
    for entry, after in zip(body, body[1:], strict=False):
        if isinstance(entry, ast.Assign) and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            (target,) = entry.targets
            names = target.elts if isinstance(target, ast.Tuple) else [target]
            found |= {name.id: str(after.value.value) for name in names if isinstance(name, ast.Name)}
    return found


def slac_deviations() -> list[str]:
    """The switches of `[slac]` whose default is not the standard's."""
    remarks = remarks_of(settings.SlacSettings)
    plain = settings.SlacSettings()
    lines = ["## Matching\n", "Set them in `[slac]`; with the conformance profile those left out are the standard's.\n"]
    lines += ["| name | field | conformance | what it does | why ours differs |", "|---|---|---|---|---|"]
    for name, (standard, why) in settings.DEVIATIONS.items():
        ours = toml(getattr(plain, name))
        lines.append(f"| `{name}` | {ours} | {toml(standard)} | {remarks.get(name, '')} | {why} |")
    return [*lines, ""]
