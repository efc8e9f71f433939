"""`pyplc modem watch`: the own modem, live."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable

import click

from ..link.ethernet import mac_text
from ..slac.layout import Message
from ..slac.watching import Event, State
from ..slac.watching import watch as watching
from .modem_common import DRIVER, opened, running, shown


@click.command()
@click.argument("interface")
@click.option("--seconds", type=click.FloatRange(min=0), help="Stop after so long; default is Ctrl-C.")
@click.option("--frames", is_flag=True, help="Tell every HomePlug message that is heard, too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines.")
@DRIVER
def watch(interface: str, seconds: float | None, frames: bool, as_json: bool, driver: str) -> None:
    """Tell what happens to the modem on INTERFACE: restarts, keys, the link, stations that come and go.

    \b
    Example:  pyplc modem watch eth1
    """
    running(_watch(interface, driver, seconds, frames, as_json))


async def _watch(interface: str, driver: str, seconds: float | None, frames: bool, as_json: bool) -> None:
    def tell(event: Event) -> None:
        click.echo(json.dumps(event._asdict()) if as_json else f"{event.t:9.3f}  {event.text}")

    loop = asyncio.get_running_loop()
    async with opened(interface, driver) as homeplug:
        began = loop.time()

        def heard(message: Message, source: bytes) -> None:
            tell(Event(round(loop.time() - began, 3), "message", f"{message.NAME} of {mac_text(source)}"))

        with _status(as_json) as moment:
            try:
                async with asyncio.timeout(seconds):
                    if frames:
                        with homeplug.listening(heard):
                            await watching(homeplug, tell, moment)
                    else:
                        await watching(homeplug, tell, moment)
            except TimeoutError:
                return


class _Nothing:
    """No line of state: output goes to a file or a program."""

    def __enter__(self) -> Callable[[State], None]:
        return lambda state: None

    def __exit__(self, *_: object) -> None:
        return


class _Line:
    """The state as the last line of a terminal."""

    def __enter__(self) -> Callable[[State], None]:
        from rich.console import Console

        self._status = Console(highlight=False).status("looking for a modem")
        self._status.start()
        return self._show

    def _show(self, state: State) -> None:
        if state.mac is None:
            self._status.update("no modem answers")
            return
        link = "linked" if state.linked else "not linked"
        stations = ", ".join(f"{mac_text(mac)} {tx}/{rx} Mbit/s" for mac, tx, rx in state.stations)
        self._status.update(f"{mac_text(state.mac)}  network {shown(state.nid)}  {link}  {stations}")

    def __exit__(self, *_: object) -> None:
        self._status.stop()


def _status(as_json: bool) -> _Nothing | _Line:
    return _Line() if sys.stdout.isatty() and not as_json else _Nothing()
