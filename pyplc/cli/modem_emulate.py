"""`pyplc modem emulate`: modems and a powerline for programs that think they are real."""

from __future__ import annotations

import asyncio
import random
import selectors
import signal
from typing import NamedTuple

import click

from ..clock import first_in_line
from ..link import open_link
from ..link.offload import Offloaded
from ..link.ports import Link, LinkError
from ..link.virtual import Powerline
from ..slac.emulated import EmulatedModem
from ..slac.emulated_kinds import KINDS, ROLES, TIMINGS

FAULTS = ("no-profiles", "leak", "refuse-key", "silent", "no-link", "bootloader")


def fine_loop() -> asyncio.AbstractEventLoop:
    """A loop for answers 0.5 ms after the question: the usual selector rounds that up to the next millisecond."""
    return asyncio.SelectorEventLoop(selectors.SelectSelector())


class Given(NamedTuple):
    """An option's value for one interface, or for all when that is empty."""

    interface: str
    value: str


def _each(values: tuple[str, ...], names: list[str], option: str, known: tuple[str, ...]) -> list[Given]:
    """`VALUE` or `IFACE=VALUE`; a BadParameter for what is neither."""
    found = []
    for text in values:
        interface, _, value = text.rpartition("=")
        if interface and interface not in names:
            raise click.BadParameter(f"{text!r} names {interface}, which is not emulated here: {', '.join(names)}")
        if value not in known:
            raise click.BadParameter(f"{value!r} is not one of {', '.join(known)}", param_hint=option)
        found.append(Given(interface, value))
    return found


def _of(given: list[Given], name: str, default: str) -> str:
    """The last value given for an interface, its own before one for all."""
    own = [value for interface, value in given if interface == name]
    everyone = [value for interface, value in given if not interface]
    return (own or everyone or [default])[-1]


class Between(NamedTuple):
    """Attenuation between two interfaces, dB."""

    a: str
    b: str
    decibel: float


def _matrix(names: list[str], attenuation: float, crosstalk: float, given: tuple[str, ...]) -> list[Between]:
    """Every pair: the first two are a charging cable, all others are neighbours; what is given goes before."""
    matrix = {
        frozenset((a, b)): attenuation + (0.0 if {a, b} == set(names[:2]) else crosstalk)
        for number, a in enumerate(names)
        for b in names[number + 1 :]
    }
    for text in given:
        pair, _, decibel = text.rpartition("=")
        a, _, b = pair.partition(":")
        try:
            value = float(decibel)
        except ValueError:
            value = -1.0
        if frozenset((a, b)) not in matrix or not 0 <= value <= 255:
            raise click.BadParameter(f"{text!r}: write A:B=DB with two of {', '.join(names)}, 0 to 255 dB")
        matrix[frozenset((a, b))] = value
    return [Between(min(pair), max(pair), value) for pair, value in matrix.items()]


class Setup(NamedTuple):
    """All that was asked for."""

    names: list[str]
    kinds: list[Given]
    roles: list[Given]
    faults: list[Given]
    matrix: list[Between]
    timing: str
    driver: str
    seed: int
    line: dict[str, float]


@click.command()
@click.argument("interface")
@click.option("--peer", "peers", multiple=True, help="The cable of another modem on this powerline; may be repeated.")
@click.option("--kind", "kinds", multiple=True, help=f"{', '.join(KINDS)}; for one modem IFACE=KIND.")
@click.option("--role", "roles", multiple=True, help=f"What the PIB says: {', '.join(ROLES)}; for one IFACE=ROLE.")
@click.option("--fault", "faults", multiple=True, help=f"{', '.join(FAULTS)}; for one modem IFACE=FAULT.")
@click.option("--fast/--real", default=False, help="Restart at once, or in 7 s as a QCA7420 does.")
@click.option("--attenuation", type=float, default=10.0, show_default=True, help="Between the first two modems, in dB.")
@click.option("--crosstalk", type=float, default=22.0, show_default=True, help="What all other pairs have more, in dB.")
@click.option("--between", "given", multiple=True, metavar="A:B=DB", help="Attenuation between two interfaces.")
@click.option("--delay-ms", type=click.FloatRange(0, 1000), default=1.0, show_default=True, help="Of the powerline.")
@click.option("--loss", type=click.FloatRange(0, 1), default=0.0, help="Share of frames that are lost on the line.")
@click.option("--duplicate", type=click.FloatRange(0, 1), default=0.0, help="Share of frames that arrive twice.")
@click.option("--no-profiles", is_flag=True, help="The same as --fault no-profiles: no attenuation is reported.")
@click.option("--driver", type=click.Choice(["auto", "packet", "pcap"]), default="auto", show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="Same seed: same addresses, keys and losses.")
def emulate(
    interface: str,
    peers: tuple[str, ...],
    kinds: tuple[str, ...],
    roles: tuple[str, ...],
    faults: tuple[str, ...],
    fast: bool,
    attenuation: float,
    crosstalk: float,
    given: tuple[str, ...],
    delay_ms: float,
    loss: float,
    duplicate: float,
    no_profiles: bool,
    driver: str,
    seed: int,
) -> None:
    """Be the PLC modem at the other end of INTERFACE, and with --peer more of them: together they are a powerline.

    \b
    Example:  pyplc modem emulate veth-ev --peer veth-evse --fast
              pyplc modem emulate ev0 --peer se0 --peer se1 --role ev0=pev --role evse --kind qca7005
    """
    names = [interface, *peers]
    if len(set(names)) < len(names):
        raise click.BadParameter("each interface once")
    setup = Setup(
        names,
        _each(kinds, names, "--kind", tuple(KINDS)),
        _each(roles, names, "--role", ROLES),
        _each((*faults, *(["no-profiles"] if no_profiles else [])), names, "--fault", FAULTS),
        _matrix(names, attenuation, crosstalk, given),
        "fast" if fast else "real",
        driver,
        seed,
        {"delay": delay_ms / 1000, "loss": loss, "duplicate": duplicate},
    )
    try:
        with asyncio.Runner(loop_factory=fine_loop) as runner:
            runner.run(_emulate(setup))
    except LinkError as error:
        raise click.ClickException(str(error)) from None


async def _emulate(setup: Setup) -> None:
    rng = random.Random(setup.seed)
    line = Powerline(rng=random.Random(setup.seed), **setup.line)
    links: list[Link] = []
    modems: dict[str, EmulatedModem] = {}
    try:
        for name in setup.names:
            links.append(Offloaded(open_link(name, setup.driver, (), promiscuous=True)))
            modem = modems[name] = _modem(setup, name, links[-1], line, rng)
            click.echo(f"modem {modem.address.hex(':')} on {name}: {modem.kind.version}")
        for a, b, decibel in setup.matrix:
            line.set_attenuation(modems[a].port, modems[b].port, decibel)
        await _serve(list(modems.values()))
    finally:
        for link in links:
            link.close()


def _modem(setup: Setup, name: str, link: Link, line: Powerline, rng: random.Random) -> EmulatedModem:
    kind, role = KINDS[_of(setup.kinds, name, "qca7420")], _of(setup.roles, name, "none")
    faults = {value for interface, value in setup.faults if interface in ("", name)}
    address = b"\x02" + rng.randbytes(5)
    own = random.Random(rng.random())
    modem = EmulatedModem(link, line, address, own, TIMINGS[setup.timing], kind=kind, role=role)
    modem.profiles = "no-profiles" not in faults
    modem.leak = modem.leak or "leak" in faults
    modem.refuse_key = "refuse-key" in faults
    modem.silent = "silent" in faults
    modem.joins = "no-link" not in faults
    modem.bootloader = "bootloader" in faults
    return modem


async def _serve(modems: list[EmulatedModem]) -> None:
    tasks = [asyncio.ensure_future(modem.run()) for modem in modems]
    stopped = asyncio.ensure_future(_signalled())
    click.echo("ready")
    try:
        with first_in_line():
            done, _ = await asyncio.wait([*tasks, stopped], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in [*tasks, stopped]:
            task.cancel()
        await asyncio.gather(*tasks, stopped, return_exceptions=True)


async def _signalled() -> None:
    loop = asyncio.get_running_loop()
    done = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, done.set)
    await done.wait()
