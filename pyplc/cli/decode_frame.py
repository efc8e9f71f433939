"""`pyplc decode v2g|hal|mme HEX`: one frame."""

from __future__ import annotations

import sys
from typing import Any

import click

from ..capture.frames import KINDS, FrameError, tree
from ..exi.errors import ExiError
from . import exitool


def run(kind: str, text: str, form: str | None, as_xml: bool, schema: str | None) -> None:
    """Print the frame as lines, XML or the JSON of a decoder."""
    import json

    try:
        data = exitool.octets(text, False)
        more: dict[str, Any] = {"schema": schema} if kind == "v2g" and schema else {}
        found: dict[str, Any] = KINDS[kind.upper()](data, **more)
    except (FrameError, ExiError, OSError) as error:
        click.echo(f"pyplc decode: {error}", err=True)
        sys.exit(1)
    if form == "json":
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
    elif as_xml and isinstance(found.get("payload"), str):
        click.echo(found["payload"])
    else:
        body = tree(data, schema) if kind == "v2g" else []
        _lines({name: value for name, value in found.items() if not (body and name == "payload")}, 0)
        click.echo("".join(f"{line}\n" for line in body), nl=False)


def _lines(values: dict[str, Any], depth: int) -> None:
    for name, value in values.items():
        if isinstance(value, dict):
            click.echo(f"{'  ' * depth}{name}")
            _lines(value, depth + 1)
        else:
            click.echo(f"{'  ' * depth}{name} {value}")
