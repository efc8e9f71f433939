"""`pyplc schema`: the fields of a message."""

from __future__ import annotations

import sys

import click


@click.command()
@click.argument("message")
@click.option("--schema", "name", metavar="NAME", help="Only in this schema.")
def command(message: str, name: str | None) -> None:
    """Fields, types, ranges and units of a message or type, and who sends it.

    \b
    Example:  pyplc schema CurrentDemandReq --schema din
    """
    from ..v2g import reference, schemas

    if name is not None and name not in schemas.SCHEMAS:
        raise click.UsageError(f"{name!r} is no schema ({', '.join(schemas.SCHEMAS)})")
    shown = False
    for candidate in [name] if name else schemas.SCHEMAS:
        cls = reference.find(candidate, message)
        if cls is not None:
            click.echo(("\n" if shown else "") + "\n".join(reference.describe(candidate, cls)))
            shown = True
    if not shown:
        close = reference.similar(message, name)
        click.echo(
            f"pyplc schema: no message {message}" + (f"; do you mean {', '.join(close)}?" if close else ""), err=True
        )
        sys.exit(1)
