"""`pyplc decode FILE --to-pcapng OUT`: a capture that Wireshark shows without a plugin."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import click

from .. import __version__
from ..capture import live
from ..capture.export import export
from ..capture.export_live import Wanted, write
from ..capture.files import CaptureError, Item, packets
from ..capture.keylog import load
from ..capture.output import Choice
from ..capture.reader import Reader
from ..link.packet import check_interface
from ..link.ports import LinkError


def run(what: tuple[str, ...], target: str, schema: str | None, options: dict[str, Any]) -> None:
    """Write one capture, or what an interface shows, with comments, secrets, names and exported PDUs to `target`."""
    if len(what) != 1 or Path(what[0]).is_dir():
        raise click.UsageError("--to-pcapng takes one capture; for the captures of a folder call it for each")
    if what[0] != "-" and Path(target).exists() and Path(target).samefile(what[0]):
        raise click.UsageError(f"{target} is the capture itself; name another file")
    choice = Choice.of(options)
    if what[0] != "-" and not Path(what[0]).exists():
        _live(what[0], target, Wanted(next(iter(options["keys"]), ""), schema, choice=choice))
        return
    reader = Reader(keys=load(*options["keys"]), schema=schema)
    try:
        with _twice(what[0]) as stream:

            def source() -> Iterator[Item]:
                stream.seek(0)
                return packets(stream)

            next(source(), None)  # what is no capture must not leave a file
            with open(target, "wb") as out:
                done = export(source, out, reader, f"pyplc {__version__}", choice.__call__)
    except (CaptureError, OSError) as error:
        click.echo(f"pyplc decode: {what[0]}: {getattr(error, 'strerror', None) or error}", err=True)
        sys.exit(1)
    keys = f", {done.keys} TLS secrets" if done.keys else ""
    click.echo(f"{target}: {done.packets} packets, {done.comments} comments, {done.messages} V2G messages{keys}")


def _live(interface: str, target: str, wanted: Wanted) -> None:
    """Capture from an interface until Ctrl-C."""
    try:
        check_interface(interface)
        with open(target, "wb", buffering=0) as out:
            write(live.packets(interface), out, f"pyplc {__version__}", wanted)
    except KeyboardInterrupt:
        click.echo(f"{target}: written")
    except (LinkError, OSError) as error:
        click.echo(f"pyplc decode: {interface}: {error}", err=True)
        sys.exit(1)


def _twice(name: str) -> BinaryIO:
    """The file, or what comes through the pipe kept in a temporary one: it is read twice."""
    if name != "-":
        return open(name, "rb", buffering=0)
    kept = tempfile.TemporaryFile()  # noqa: SIM115  # the caller closes it
    while chunk := sys.stdin.buffer.read(1 << 18):
        kept.write(chunk)
    return kept
