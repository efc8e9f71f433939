"""`pyplc decode`: what a message says."""

from __future__ import annotations

import sys

import click


@click.command()
@click.argument("data", required=False)
@click.option("--xml", "form", flag_value="xml", help="As XML.")
@click.option("--json", "form", flag_value="json", help="As JSON in the standard's names.")
@click.option("--repr", "form", flag_value="repr", help="As Python.")
@click.option(
    "--schema", "name", metavar="NAME", help="app, din, iso2, iso20_common, _ac, _dc, _acdp, _wpt or xmldsig."
)
@click.option("--fragment", is_flag=True, help="The bytes are one signed element, not a message.")
@click.option("--strict", is_flag=True, help="Refuse what V2G peers do not write and facets that are not kept.")
@click.option("--lenient", is_flag=True, help="Keep numbers of enumerations that the schema does not know.")
@click.option("--base64", "is_base64", is_flag=True, help="DATA is base64, not hex.")
@click.option("--batch", metavar="FILE", help="A line of JSON for each line of JSON: schema, kind, exi_hex.")
def command(
    data: str | None,
    form: str | None,
    name: str | None,
    fragment: bool,
    strict: bool,
    lenient: bool,
    is_base64: bool,
    batch: str | None,
) -> None:
    """Decode one message: hex (spaces, colons, 0x allowed), a file (@FILE), or - for the standard input.

    \b
    A V2GTP header may stand in front. Example:
      pyplc decode 809a02000000000000000011d01b703a84459c2000
    """
    from ..exi.errors import ExiError
    from . import exitool

    if batch is not None:
        exitool.batch(batch, exitool.decode_line)
        return
    if data is None:
        raise click.UsageError("give the message as hex, as @FILE, or - to read the standard input")
    try:
        exi, payload_type = exitool.strip_header(exitool.octets(data, is_base64))
        found = exitool.find(exi, payload_type, name, fragment)
        if not found.certain:
            click.echo(f"schema {found.schema} is {found.reason}", err=True)
        click.echo(exitool.decode_text(exi, found.schema, fragment, form or "tree", strict=strict, lenient=lenient))
    except (ExiError, OSError) as error:
        click.echo(f"pyplc decode: {error}", err=True)
        sys.exit(1)
