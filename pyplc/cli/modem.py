"""`pyplc modem`: PLC modems."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import Coroutine
from typing import Any

import click

from ..link import open_link
from ..link.offload import Offloaded
from ..link.ports import Link, LinkError
from ..link.virtual import Powerline
from ..slac.emulated import TIMINGS, EmulatedModem


@click.group()
def command() -> None:
    """PLC modems: emulate one."""


@command.command()
@click.argument("interface")
@click.option("--peer", help="The cable of a second modem on the same powerline.")
@click.option("--fast/--real", default=False, help="Restart at once, or in 7 s as a QCA7420 does.")
@click.option("--attenuation", type=float, default=10.0, show_default=True, help="Between the two modems, in dB.")
@click.option("--no-profiles", is_flag=True, help="Report no attenuation, as modems with home firmware do.")
@click.option("--driver", type=click.Choice(["auto", "packet", "pcap"]), default="auto", show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
def emulate(
    interface: str, peer: str | None, fast: bool, attenuation: float, no_profiles: bool, driver: str, seed: int
) -> None:
    """Be the PLC modem at the other end of INTERFACE, and with --peer a second one: together they are a powerline.

    \b
    Example:  pyplc modem emulate veth-ev --peer veth-evse --fast
    """
    names = [interface, *([peer] if peer else [])]
    try:
        asyncio.run(_emulate(names, fast, attenuation, not no_profiles, driver, seed))
    except LinkError as error:
        raise click.ClickException(str(error)) from None


async def _emulate(names: list[str], fast: bool, attenuation: float, profiles: bool, driver: str, seed: int) -> None:
    rng = random.Random(seed)
    line = Powerline()
    links: list[Link] = []
    work: list[Coroutine[Any, Any, None]] = []
    modems: list[EmulatedModem] = []
    for name in names:
        link = Offloaded(open_link(name, driver, (), promiscuous=True))
        links.append(link)
        address = b"\x02" + rng.randbytes(5)
        modem = EmulatedModem(
            link, line, address, random.Random(rng.random()), TIMINGS["fast" if fast else "real"], profiles=profiles
        )
        modems.append(modem)
        work.append(modem.run())
        click.echo(f"modem {address.hex(':')} on {name}")
    if len(modems) == 2:
        line.set_attenuation(modems[0].port, modems[1].port, attenuation)
    tasks = [asyncio.ensure_future(part) for part in work]
    stopped = asyncio.ensure_future(_signalled())
    click.echo("ready")
    try:
        done, _ = await asyncio.wait([*tasks, stopped], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in [*tasks, stopped]:
            task.cancel()
        await asyncio.gather(*tasks, stopped, return_exceptions=True)
        for opened in links:
            opened.close()


async def _signalled() -> None:
    loop = asyncio.get_running_loop()
    done = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, done.set)
    await done.wait()
