"""`pyplc encode`: the bytes of a message."""

from __future__ import annotations

import sys

import click


@click.command()
@click.argument("text", required=False)
@click.option(
    "--schema", "name", metavar="NAME", help="app, din, iso2, iso20_common, _ac, _dc, _acdp, _wpt or xmldsig."
)
@click.option("--fragment", is_flag=True, help="One signed element; its SHA-256 is printed too.")
@click.option("--base64", "is_base64", is_flag=True, help="Write base64, not hex.")
@click.option("--peer", metavar="NAME", help="Warn of what this peer cannot read: cbv2g.")
@click.option("--strict", is_flag=True, help="Refuse texts and binaries longer or shorter than the schema allows.")
@click.option("--batch", metavar="FILE", help="A line of JSON for each line of JSON: schema, kind, xml or json.")
def command(
    text: str | None,
    name: str | None,
    fragment: bool,
    is_base64: bool,
    peer: str | None,
    strict: bool,
    batch: str | None,
) -> None:
    """Encode one message given as XML or JSON, in a file (@FILE), or - for the standard input.

    \b
    Example:
      pyplc decode --json 809a0200 ... | pyplc encode --schema din -
    """
    from ..exi.errors import ExiError
    from . import exitool

    if batch is not None:
        exitool.batch(batch, exitool.encode_line)
        return
    if text is None:
        raise click.UsageError("give the message as XML or JSON, as @FILE, or - to read the standard input")
    try:
        text = exitool.text_of(text)
        name = name or exitool.schema_of(text)
        message, tag = exitool.read(text, name)
        if strict:
            from ..exi import facets

            for problem in facets.problems(message):
                raise ExiError(problem)
        if peer is not None:
            from ..v2g import peers

            for warning in peers.warnings(message, name, peer):
                click.echo(f"warning: {warning}", err=True)
        data, digest = exitool.encode(message, name, tag if fragment else None)
    except (ExiError, OSError, ValueError) as error:
        click.echo(f"pyplc encode: {error}", err=True)
        sys.exit(1)
    import base64

    click.echo(base64.b64encode(data).decode() if is_base64 else data.hex())
    if digest:
        click.echo(f"sha256 {digest.hex()}")
