"""`pyplc modem key`: the network key of the own modem."""

from __future__ import annotations

import random
from collections.abc import Callable

import click

from ..record import silent
from ..slac.keys import from_password, nid_of, random_nmk
from ..slac.modem import Modem, ModemError
from .modem_common import DRIVER, JSON, opened, print_json, print_pairs, running

WAIT = click.option(
    "--wait",
    "seconds",
    type=click.FloatRange(0, 120),
    default=15.0,
    show_default=True,
    help="Until the modem has restarted with it, in seconds; 0: do not wait.",
)


def _hex(size: int) -> Callable[[click.Context, click.Parameter, str | None], bytes | None]:
    """A callback that takes so many bytes as hex digits; colons and dashes are allowed."""

    def convert(ctx: click.Context, param: click.Parameter, value: str | None) -> bytes | None:
        if value is None:
            return None
        try:
            raw = bytes.fromhex(value.replace(":", "").replace("-", ""))
        except ValueError:
            raw = b""
        if len(raw) != size:
            raise click.BadParameter(f"{value!r} is not {size} bytes: write {2 * size} hex digits", ctx, param)
        return raw

    return convert


@click.group()
def key() -> None:
    """The network key (NMK) of the own modem: get, set, random. Every new key restarts the modem.

    \b
    Example:  pyplc modem key get eth1
    """


@key.command()
@click.argument("interface")
@DRIVER
@JSON
def get(interface: str, driver: str, as_json: bool) -> None:
    """Print NMK and NID. A modem tells its key only to its own host.

    \b
    Example:  pyplc modem key get eth1
    """
    nid, nmk = running(_get(interface, driver))
    _show(nid, nmk, as_json)


@key.command("set")
@click.argument("interface")
@click.argument("nmk", callback=_hex(16), required=False)
@click.option("--password", help="Make the key from this, as all HomePlug programs do.")
@click.option("--nid", callback=_hex(7), help="Another NID than the one that follows from the key.")
@WAIT
@DRIVER
@JSON
def set_key(
    interface: str,
    nmk: bytes | None,
    password: str | None,
    nid: bytes | None,
    seconds: float,
    driver: str,
    as_json: bool,
) -> None:
    """Give the modem the key NMK (32 hex digits), or the one of --password.

    \b
    Example:  pyplc modem key set eth1 --password HomePlugAV
    """
    if (nmk is None) == (password is None):
        raise click.UsageError("give either NMK or --password")
    chosen = from_password(password) if nmk is None and password is not None else nmk
    assert chosen is not None
    nid = nid_of(chosen) if nid is None else nid
    running(_set(interface, driver, chosen, nid, seconds))
    _show(nid, chosen, as_json)


@key.command("random")
@click.argument("interface")
@WAIT
@DRIVER
@JSON
def set_random(interface: str, seconds: float, driver: str, as_json: bool) -> None:
    """Give the modem a fresh key: it leaves its network.

    \b
    Example:  pyplc modem key random eth1
    """
    nmk = random_nmk(random.SystemRandom())
    running(_set(interface, driver, nmk, nid_of(nmk), seconds))
    _show(nid_of(nmk), nmk, as_json)


def _show(nid: bytes, nmk: bytes, as_json: bool) -> None:
    if as_json:
        print_json({"nid": nid.hex(), "nmk": nmk.hex()})
    else:
        print_pairs([("NID", nid.hex()), ("NMK", nmk.hex())])


async def _get(interface: str, driver: str) -> tuple[bytes, bytes]:
    async with opened(interface, driver) as homeplug:
        modem = Modem(homeplug, silent("modem"))
        await modem.find()
        return await modem.get_key()


async def _set(interface: str, driver: str, nmk: bytes, nid: bytes, seconds: float) -> None:
    async with opened(interface, driver) as homeplug:
        modem = Modem(homeplug, silent("modem"))
        await modem.find()
        await modem.set_key(nmk, nid)
        if seconds and not await modem.holds_key(seconds):
            raise ModemError(
                f"the modem confirmed the key and has not shown it for {seconds:g} s: see 'pyplc modem key get' later"
            )
