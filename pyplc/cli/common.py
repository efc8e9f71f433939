"""What several verbs share: settings with overrides, readers, exit codes."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from .. import __version__, peers
from ..config import ConfigError, StationSettings, load
from ..record import Reader, Recorder, Start, Summary

S = TypeVar("S", bound=StationSettings)
F = TypeVar("F", bound=Callable[..., Any])

FAILED = 1
"""Exit code of a session that did not finish in order, and of everything that cannot be done."""
SECOND_THOUGHTS_S = 8.0
"""After the first signal: time for an orderly stop before the session is cancelled."""


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


def readers(role: str, folder: str | None, *, as_json: bool, follow: bool = True) -> tuple[list[Reader], list[Any]]:
    """The readers of records for a session, and those of them that are to be closed, in order."""
    from ..service.files import ResultsError, SessionFiles

    chosen: list[Reader] = []
    closing: list[Any] = []
    if folder:
        try:
            files = SessionFiles(Path(folder), role)
        except ResultsError as error:
            raise click.ClickException(str(error)) from None
        chosen.append(files)
        closing.append(files)
    if as_json:
        from ..service.jsonl import JsonLines

        chosen.append(JsonLines(sys.stdout))
    elif follow and sys.stdout.isatty():
        from rich.console import Console

        from ..service.terminal import Terminal

        terminal = Terminal(Console(highlight=False))
        chosen.append(terminal)
        closing.append(terminal)
    else:
        from ..service.log import LogLines

        chosen.append(LogLines(sys.stdout))
    return chosen, closing


def opening(recorder: Recorder, what: str) -> None:
    """The first record of a station on a real interface."""
    recorder.emit(Start(what=what, version=__version__, wall=datetime.now(UTC).isoformat(timespec="milliseconds")))


async def until_signal(
    session: Coroutine[Any, Any, Summary | None], stop: Callable[[str], bool], note: Callable[[str], None]
) -> Summary | None:
    """Run a session; the first SIGINT or SIGTERM asks for an orderly stop, the second, or 8 s, cancels it.

    `stop` says whether there is a session to be stopped in order; if not, it is cancelled at once.
    """
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(session)
    asked = False

    def signalled(name: str) -> None:
        nonlocal asked
        if asked:
            task.cancel()
            return
        asked = True
        note(f"{name}: ending the session")
        patience = SECOND_THOUGHTS_S if stop(f"stopped by {name}") else 0.0
        loop.call_later(patience, task.cancel)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, signalled, number.name)
    try:
        return await task
    except asyncio.CancelledError:
        return None
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def exit_code(summary: Summary | None) -> int:
    """0 for a session that finished in order."""
    return 0 if summary is not None and summary.outcome == "finished" else FAILED
