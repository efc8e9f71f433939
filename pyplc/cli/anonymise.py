"""`pyplc anonymise`: a capture that can be shared."""

from __future__ import annotations

import hashlib
import io
import sys
from collections.abc import Iterator
from pathlib import Path

import click


@click.command()
@click.argument("source", type=click.Path(dir_okay=False))
@click.argument("target", type=click.Path(dir_okay=False, writable=True, path_type=Path))
@click.option("--keys", multiple=True, type=click.Path(exists=True, dir_okay=False), help="TLS keys (NSS key log).")
@click.option("--secret", metavar="TEXT", help="Same text, same pseudonyms: for several captures of one series.")
@click.option("--schema", metavar="NAME", help="Force a schema, as for pyplc decode.")
def command(source: str, target: Path, keys: tuple[str, ...], secret: str | None, schema: str | None) -> None:
    """Write capture SOURCE (- for a pipe) as pcapng TARGET without identifiers.

    MAC and IP addresses, EVCCID, EVSEID, contract and certificate data, session ids, network and TLS keys and serial
    numbers become pseudonyms, the same one wherever the same stood, inside EXI too. TLS sessions whose keys are known
    become plain; of the others nothing is left. What is not understood becomes zeros. Times stay.

    \b
    Example:  pyplc anonymise charge.pcapng share.pcapng
    """
    from .. import __version__
    from ..capture.anonymise.pseudonyms import Pseudonyms
    from ..capture.anonymise.run import anonymise, left
    from ..capture.files import CaptureError, Item, packets
    from ..capture.keylog import load
    from ..v2g.schemas import SCHEMAS

    if schema is not None and schema not in SCHEMAS:
        raise click.ClickException(f"{schema!r} is no schema ({', '.join(SCHEMAS)})")
    names = Pseudonyms(hashlib.sha256(secret.encode()).digest() if secret else None)
    try:
        data = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()

        def items() -> Iterator[Item]:
            return packets(io.BytesIO(data))

        out = io.BytesIO()
        done = anonymise(items, out, f"pyplc {__version__}", names, keys=load(*keys), schema=schema)
        found = left(out.getvalue(), names)
        if found:
            click.echo(f"pyplc anonymise: nothing written: still there would be {', '.join(found)}", err=True)
            sys.exit(1)
        target.write_bytes(out.getvalue())
    except (CaptureError, OSError) as error:
        click.echo(f"pyplc anonymise: {source}: {getattr(error, 'strerror', None) or error}", err=True)
        sys.exit(1)
    counts = done.counts
    click.echo(
        f"{target}: {done.packets} packets, {counts.messages} V2G messages, {done.identifiers} identifiers replaced"
    )
    for count, what in (
        (counts.decrypted, "TLS connections are plain now"),
        (counts.dropped, "TLS connections without keys: nothing is left of what they carried"),
        (counts.blanked, "messages could not be read or written again: zeros now"),
        (done.left_out, "exported PDUs left out: --to-pcapng makes them again"),
    ):
        if count:
            click.echo(f"  {count} {what}")
