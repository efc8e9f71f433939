"""What the commands of `pyplc modem` share: an open interface, the modem meant, and how things are shown."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, TypeVar

import click

from ..link import open_link
from ..link.ethernet import mac_bytes, mac_text
from ..link.ports import LinkError
from ..record import silent
from ..slac.homeplug import HomePlug
from ..slac.modem import Modem, ModemError
from ..slac.pib import PibError

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])

DRIVER = click.option("--driver", type=click.Choice(["auto", "packet", "pcap"]), default="auto", show_default=True)
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def _mac(ctx: click.Context, param: click.Parameter, value: str | None) -> bytes | None:
    try:
        return None if value is None else mac_bytes(value)
    except ValueError as error:
        raise click.BadParameter(str(error), ctx, param) from None


MODEM = click.option("--modem", "mac", callback=_mac, help="Its MAC; default is the modem at the end of the cable.")
REMOTE = click.option("--remote", is_flag=True, help="Yes, the modem at the other end of the powerline is meant.")


class Target(NamedTuple):
    """The modem meant."""

    mac: bytes
    local: bool


def running(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end; what goes wrong with interface, modem or PIB becomes the command's error."""
    try:
        return asyncio.run(work)
    except (LinkError, ModemError, PibError) as error:
        raise click.ClickException(str(error)) from None
    except KeyboardInterrupt:
        sys.exit(130)


@asynccontextmanager
async def opened(interface: str, driver: str) -> AsyncIterator[HomePlug]:
    """HomePlug on an interface, received while the block runs; LinkError when the interface goes away meanwhile."""
    link = open_link(interface, driver)
    homeplug = HomePlug(link, silent("modem"))
    task = asyncio.ensure_future(homeplug.run())
    try:
        yield homeplug
    except ModemError:
        if task.done():
            task.result()
        raise
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        link.close()


async def target(homeplug: HomePlug, mac: bytes | None, *, change: bool = False, remote: bool = False) -> Target:
    """The modem meant: the local one, or the one named. Changing a remote one needs `remote`."""
    modem = Modem(homeplug, silent("modem"))
    try:
        await modem.find()
    except ModemError:
        if mac is None:
            raise
    local = mac is None or mac == modem.address
    if not local and change and not remote:
        raise ModemError(
            f"{mac_text(mac or b'')} is not the modem at the end of this cable: it may be the charger's or a "
            "neighbour's. Add --remote if you really mean it"
        )
    chosen = modem.address if local else mac
    assert chosen is not None
    return Target(chosen, local)


def plain(value: Any) -> Any:
    """For JSON: six bytes as a MAC, other bytes as hex."""
    if isinstance(value, bytes):
        return mac_text(value) if len(value) == 6 else value.hex()
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    return value


def print_json(value: Any) -> None:
    """One JSON document."""
    click.echo(json.dumps(plain(value), indent=2))


def print_table(
    head: Sequence[str], rows: Sequence[Sequence[str]], warn: Callable[[int], bool] = lambda n: False
) -> None:
    """Columns: with colour on a terminal, as `table_lines` has them; `warn` says which rows stand out."""
    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if terminal else None
    first, *others = table_lines(head, rows, width)
    click.echo(click.style(first, bold=True) if terminal else first)
    for number, line in enumerate(others):
        click.echo(click.style(line, fg="yellow") if terminal and warn(number) else line)


def table_lines(head: Sequence[str], rows: Sequence[Sequence[str]], width: int | None) -> list[str]:
    """One text for the head and for each row. Nothing is cut: where `width` (columns of the terminal, None without
    one) is too small, what is in the widest column stands below its row.
    """
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    below = None if width is None or sum(widths) + 2 * len(widths) - 2 <= width else widths.index(max(widths))
    lines = []
    for row in (head, *rows):
        kept = [text.ljust(wide) for n, (text, wide) in enumerate(zip(row, widths, strict=True)) if n != below]
        lines.append("  ".join(kept).rstrip() + ("" if below is None else f"\n    {row[below]}"))
    return lines


def print_pairs(pairs: Sequence[tuple[str, str]]) -> None:
    """Names and values, aligned."""
    width = max((len(name) for name, _ in pairs), default=0)
    for name, value in pairs:
        click.echo(f"{name.ljust(width)}  {value}")


def shown(value: Any) -> str:
    """A value for people; a dash where nothing is known."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(shown(inner) for inner in value) or "-"
    return str(plain(value))
