"""What the makers of reference pages share: words of declarations and cells of tables."""

from __future__ import annotations

import ast
import inspect
import re
from typing import Any

import msgspec

MADE = "<!-- made by docs/make_reference.py; do not edit -->\n"


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
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, tuple):
        return f"[{', '.join(toml(item) for item in value)}]"
    return str(value)


def row_of(*cells: str) -> str:
    return f"| {' | '.join(cell or '-' for cell in cells)} |"
