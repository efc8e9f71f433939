"""What several verbs share: settings with overrides, readers, exit codes."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .. import __version__, peers
from ..config import ConfigError, StationSettings, load
from ..link.interface import set_up
from ..record import Reader, Recorder, Side, Start, Summary
from ..service.ending import Ending
from ..service.settings import RecordSettings

if TYPE_CHECKING:
    from ..service.files import SessionFiles
    from ..service.unattended import Unattended

S = TypeVar("S", bound=StationSettings)
F = TypeVar("F", bound=Callable[..., Any])

FAILED = 1
"""Exit code of a session that did not finish in order, and of everything that cannot be done."""
SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
"""SIGHUP: whoever looked on over the network is gone."""


def settings(path: Path | None, kind: type[S]) -> S:
    """The settings of a file, or the defaults; a ConfigError becomes the command's error."""
    if path is None:
        return kind()
    try:
        return load(path, kind)
    except ConfigError as error:
        raise click.ClickException(str(error)) from None


def imitating(word: str, kind: type[peers.P]) -> Callable[[F], F]:
    """The option --vehicle or --charger: the name of a profile or a file; `list` prints what there is and ends."""

    def chosen(ctx: click.Context, param: click.Parameter, name: str | None) -> Any:
        if name is None:
            return None
        if name == "list":
            for known in peers.names(kind):
                click.echo(f"{known:20} {peers.load(known, kind).name}")
            ctx.exit()
        try:
            return peers.load(name, kind)
        except ConfigError as error:
            raise click.ClickException(str(error)) from None

    text = f"Be this {word}: a name (see `--{word} list`) or a TOML file."
    return click.option(f"--{word}", metavar="NAME", callback=chosen, is_eager=True, help=text)


def told(change: Callable[[], None]) -> None:
    """Run what may raise a ConfigError, which becomes the command's error."""
    try:
        change()
    except ConfigError as error:
        raise click.ClickException(str(error)) from None


def face(*, as_json: bool) -> Reader:
    """The reader of records for whoever looks on: JSON lines, a terminal, lines for a pipe, or for the journal."""
    if as_json:
        from ..service.jsonl import JsonLines

        return JsonLines(sys.stdout)
    if sys.stdout.isatty():
        from rich.console import Console

        from ..service.terminal import Terminal

        return Terminal(Console(highlight=False))
    from ..service.log import LogLines, to_journal

    return LogLines(sys.stdout, journal=to_journal(sys.stdout))


def unattended(side: Side, chosen: StationSettings, *, as_json: bool, forever: bool) -> Unattended:
    """What surrounds a station; the command's error when a token or the folder for recordings cannot be used.

    With `forever` it starts without the folder: a worn SD card is read-only, and charging needs none.
    """
    from ..service.files import ResultsError
    from ..service.settings import TokenError
    from ..service.unattended import Unattended

    try:
        if not forever:
            files(side, chosen.record)
        return Unattended(
            side, chosen.record, chosen.service, chosen.watch, face(as_json=as_json), search_s=chosen.slac.search_s
        )
    except (TokenError, ResultsError) as error:
        raise click.ClickException(str(error)) from None


def ready_interface(interface: str, service: Unattended) -> None:
    """Set the interface up when it is down and we may; a service with CAP_NET_ADMIN may."""
    if set_up(interface):
        service.tell(f"{interface} was down, it is up now")


def recording(side: Side, record: RecordSettings, service: Unattended) -> SessionFiles | None:
    """The recording of one session, None where none is wished or possible; the latter is told."""
    from ..service.files import ResultsError

    try:
        return files(side, record)
    except ResultsError as error:
        service.tell(f"{error}; going on without", "error")
        return None


def files(role: str, record: RecordSettings) -> SessionFiles | None:
    """The recording of one session, None where none is wished; ResultsError."""
    if not record.folder:
        return None
    from ..service.files import SessionFiles

    return SessionFiles(Path(record.folder), role, split_mb=record.split_mb)


def closed(closing: list[Callable[[], Any]], service: Unattended) -> None:
    """The end of a session: what is told from now on is no part of its recording; then close what it had open."""
    service.between()
    for close in reversed(closing):
        close()


def opening(recorder: Recorder, side: Side, interface: str) -> None:
    """The first record of a station on a real interface."""
    wall = datetime.now(UTC).isoformat(timespec="milliseconds")
    recorder.on(side)(Start(what=f"{side} on {interface}", version=__version__, wall=wall))


async def until_signal(
    session: Coroutine[Any, Any, Summary | None], stop: Callable[[str], bool], note: Callable[[str], None]
) -> Summary | None:
    """Run sessions until they end or one of `SIGNALS` comes: `Ending` says what it does."""
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(session)
    ending = Ending(task, stop, note)
    for number in SIGNALS:
        loop.add_signal_handler(number, ending.signalled, number.name)
    try:
        return await task
    except asyncio.CancelledError:
        return None
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)


def exit_code(summary: Summary | None) -> int:
    """0 for a session that finished in order."""
    return 0 if summary is not None and summary.outcome == "finished" else FAILED
