"""`pyplc decode` of captures: files, folders, a pipe, an interface."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import click

from ..capture.events import Event, Key
from ..capture.files import CaptureError, Item, packets
from ..capture.keylog import KeyLog, load
from ..capture.output import Choice, Writer
from ..capture.reader import Reader, events
from ..capture.rows import Row
from ..link.ports import LinkError
from ..v2g.schemas import SCHEMAS

COLOURS = {
    "key": "bright_magenta", "sdp": "bright_cyan", "v2g": "green", "hal": "yellow", "homeplug": "blue",
    "pilot": "bright_yellow", "tls": "magenta", "network": "bright_black", "log": "bright_black", "station": "cyan",
    "damage": "red",
}  # fmt: skip
"""Colouring groups: keys, discovery, V2G and HAL as in the customer's viewer, and ours for the rest."""
PIPE_CLOSED = 141
"""The exit code of a program that a closed pipe ends: 128 and SIGPIPE."""
LONG = 4 << 20
"""Files above this show progress."""
CAPTURES = (".pcap", ".pcapng", ".cap", ".dump")


def run(what: tuple[str, ...], form: str, with_xml: bool, schema: str | None, options: dict[str, Any]) -> None:
    """Decode each of `what` to the standard output, or a folder into a folder."""
    if form == "repr":
        raise click.UsageError("--repr is for single messages")
    if schema is not None and schema not in SCHEMAS:
        raise click.ClickException(f"{schema!r} is no schema ({', '.join(SCHEMAS)})")
    choice = Choice.of(options)
    if options["out"] or options["cluster"]:
        from .decode_folder import Job, decode_all

        if not options["out"]:
            raise click.UsageError("--cluster needs --out, the folder for the results")
        job = Job(form, with_xml, schema, choice, tuple(options["keys"]), options["write_keys"], options["hal_names"])
        decode_all(what, Path(options["out"]), job, options["jobs"], options["cluster"])
        return
    names = list(_files(what))
    keys = load(*options["keys"])
    found: list[Key] = []
    failed = shown = False
    for name in names:
        reader = Reader(keys=keys, schema=schema)
        writer = Writer(form, xml=with_xml, style=_coloured if sys.stdout.isatty() else None, start=reader.started)
        sys.stdout.write(f"== {name}\n" if len(names) > 1 and form == "list" else "")
        sys.stdout.write(writer.head if name is names[0] else "")
        try:
            shown |= _decode(name, reader, writer, choice)
        except BrokenPipeError:  # whoever read has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(PIPE_CLOSED)
        except (CaptureError, OSError, LinkError) as error:
            click.echo(f"pyplc decode: {name}: {getattr(error, 'strerror', None) or error}", err=True)
            failed = True
        found += reader.keylog.all()
    if choice.session is not None and names and not (shown or failed):
        click.echo(f"nothing to show of session {choice.session}: the number is the third column of the list", err=True)
    if options["write_keys"]:
        Path(options["write_keys"]).write_text(KeyLog(found).text())
    sys.exit(1 if failed or not names else 0)


def _coloured(text: str, row: Row) -> str:
    return click.style(text, fg="red" if row.error else COLOURS[row.group], bold=row.error)


def _files(what: tuple[str, ...]) -> Iterator[str]:
    for each in what:
        if Path(each).is_dir():
            yield from map(str, captures_in(Path(each)))
        else:
            yield each


def captures_in(folder: Path) -> list[Path]:
    """The captures in a folder and its folders, in order of name."""
    files = (file for file in folder.rglob("*") if file.name.lower().removesuffix(".gz").endswith(CAPTURES))
    return sorted(file for file in files if file.is_file())


def _decode(name: str, reader: Reader, writer: Writer, choice: Choice) -> bool:
    """Whether there was anything to show."""
    with _opened(name) as (items, live):
        try:
            shown = _print(events(items, reader), writer, choice, live)
        except KeyboardInterrupt:
            shown = _print(reader.end(), writer, choice, live)
    sys.stdout.flush()
    return shown


def _print(found: Iterable[Event], writer: Writer, choice: Choice, live: bool) -> bool:
    write, flush = sys.stdout.write, sys.stdout.flush
    shown = False
    for event in found:
        if choice(event):
            write(writer(event))
            shown = True
            if live:
                flush()
    return shown


@contextmanager
def _opened(name: str) -> Iterator[tuple[Iterator[Item], bool]]:
    """The packets of a file, of the standard input or of an interface, and whether they come live."""
    if name == "-":
        yield packets(sys.stdin.buffer), True
    elif not Path(name).exists():
        from ..capture import live

        yield live.packets(name), True
    else:
        with open(name, "rb", buffering=0) as raw:
            stream: Any = raw
            if Path(name).stat().st_size > LONG and sys.stderr.isatty() and not sys.stdout.isatty():
                with _progress(raw, name) as stream:
                    yield packets(stream), False
            else:
                yield packets(stream), False


@contextmanager
def _progress(stream: Any, name: str) -> Iterator[BinaryIO]:
    """The same stream with a bar on the terminal of its errors."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task(Path(name).name, total=Path(name).stat().st_size)

        class Watched:
            def read(self, size: int) -> bytes:
                data: bytes = stream.read(size)
                bar.advance(task, len(data))
                return data

        yield Watched()  # type: ignore[misc]  # reading is all that is asked of it
