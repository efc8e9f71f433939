"""`pyplc modem`: find PLC modems, ask them, give them keys and parameters, watch and emulate them."""

from __future__ import annotations

import socket
import sys

import click
import msgspec

from ..link import has_carrier
from ..link.ethernet import mac_text
from ..link.ports import LinkError
from ..slac import pib_fields as fields
from ..slac.homeplug import HomePlug
from ..slac.modem import ModemError
from ..slac.pib_transfer import RESTART_S, Transfer
from ..slac.survey import ANSWER_S, Found, detail, networks, read_fields, survey, wait_awake
from ..slac.vendor import GetNvmCnf, GetNvmReq, LinkStatusCnf, LinkStatusReq, Network, OpAttributesCnf, OpAttributesReq
from .modem_common import (
    DRIVER,
    JSON,
    MODEM,
    REMOTE,
    opened,
    plain,
    print_json,
    print_pairs,
    print_table,
    running,
    shown,
    target,
)
from .modem_emulate import emulate
from .modem_key import key
from .modem_pib import pib
from .modem_watch import watch

NOT_LINKED = 1
IDENTITY = (fields.MFG, fields.USER, fields.NETWORK)


@click.group()
def command() -> None:
    """PLC modems: find, ask, configure, watch and emulate them.

    \b
    Example:  pyplc modem list
              pyplc modem pib read eth1 mine.pib && pyplc modem pib patch mine.pib --role pev
              pyplc modem pib write eth1 mine.pib
    """


@command.command("list")
@click.argument("interfaces", nargs=-1)
@click.option("--seconds", type=click.FloatRange(0.05, 60), default=ANSWER_S, show_default=True, help="For answers.")
@DRIVER
@JSON
def list_modems(interfaces: tuple[str, ...], seconds: float, driver: str, as_json: bool) -> None:
    """Every modem in hearing on INTERFACES, or on all that are up: chip, firmware, role, who coordinates.

    The distance is known only while a vehicle sounds. Exit code 1 when there is none.

    \b
    Example:  pyplc modem list eth1
    """
    found = {name: running(_list(name, driver, seconds, many=not interfaces)) for name in interfaces or _all()}
    if as_json:
        print_json({name: [msgspec.to_builtins(m, builtin_types=(bytes,)) for m in ms] for name, ms in found.items()})
    else:
        _show(found)
    sys.exit(0 if any(found.values()) else 1)


def _all() -> list[str]:
    """Every interface but the loopback."""
    return [name for _, name in socket.if_nameindex() if name != "lo"]


async def _list(interface: str, driver: str, seconds: float, *, many: bool) -> list[Found]:
    try:
        async with opened(interface, driver) as homeplug:
            return await survey(homeplug, seconds)
    except LinkError as error:
        if many and "setcap" not in str(error):  # one of many that is down or no Ethernet
            return []
        raise


def _show(found: dict[str, list[Found]]) -> None:
    rows, troubles = [], []
    for interface, modems in found.items():
        for modem in modems:
            if modem.trouble:
                troubles.append(f"{mac_text(modem.mac)}: {modem.trouble}")
            rows.append(
                (
                    interface,
                    mac_text(modem.mac),
                    "local" if modem.local else "remote",
                    modem.chip or "-",
                    modem.version or "-",
                    shown(modem.role),
                    "now" if modem.is_cco else shown(modem.cco),
                    shown(modem.linked),
                    shown(modem.attenuation_db),
                )
            )
    if not rows:
        where = ", ".join(found) or "no interface is up"
        dead = [name for name in found if has_carrier(name) is False]
        hint = f" No carrier: {', '.join(dead)}" if dead else ""
        click.echo(f"no modem answered on {where}: is it powered, and is this its cable?{hint}", err=True)
        return
    marked = [bool(modem.trouble) for modems in found.values() for modem in modems]
    head = ("interface", "MAC", "where", "chip", "firmware", "role", "coordinator", "linked", "dB")
    print_table(head, rows, lambda number: marked[number])
    for trouble in troubles:
        click.echo(f"known to be bad: {trouble}")


@command.command()
@click.argument("interface")
@MODEM
@DRIVER
@JSON
def info(interface: str, mac: bytes | None, driver: str, as_json: bool) -> None:
    """What a modem tells about itself.

    \b
    Example:  pyplc modem info eth1
    """
    told = running(_info(interface, driver, mac))
    if as_json:
        print_json(told)
    else:
        print_pairs([(name.replace("_", " "), shown(value)) for name, value in told.items()])


async def _info(interface: str, driver: str, mac: bytes | None) -> dict[str, object]:
    async with opened(interface, driver) as homeplug:
        chosen = await target(homeplug, mac)
        modem = next((found for found in await survey(homeplug) if found.mac == chosen.mac), None)
        if modem is None:
            raise ModemError(f"{mac_text(chosen.mac)} does not answer")
        told = dict(msgspec.to_builtins(modem, builtin_types=(bytes,)))
        attributes = await homeplug.ask(OpAttributesReq(), OpAttributesCnf, modem.mac, tries=2)
        flash = await homeplug.ask(GetNvmReq(), GetNvmCnf, modem.mac, tries=1)
        texts = await read_fields(homeplug, modem.mac, IDENTITY)
        told["family"] = attributes[0].family if attributes else None
        told["flash_bytes"] = flash[0].size if flash and flash[0].status == 0 else None
        for field, raw in zip(IDENTITY, texts or [], strict=False):
            told[field.name] = field.show(raw)
        return told


@command.command()
@click.argument("interface")
@MODEM
@DRIVER
@JSON
def link(interface: str, mac: bytes | None, driver: str, as_json: bool) -> None:
    """Whether a modem is linked, and with whom. Exit code 1 when it is not.

    \b
    Example:  pyplc modem link eth1 && echo linked
    """
    linked, found = running(_link(interface, driver, mac))
    if as_json:
        print_json({"linked": linked, "networks": [_network(network) for network in found]})
    else:
        click.echo("linked" if linked else "not linked")
        for network in found:
            role = "coordinator" if network.cco_tei == network.tei else "station"
            click.echo(f"network {network.nid.hex()}, coordinator {mac_text(network.cco_mac)}, this modem is a {role}")
            rows = [(mac_text(s.mac), mac_text(s.host), str(s.tx_rate), str(s.rx_rate)) for s in network.stations]
            print_table(("modem", "host behind it", "send Mbit/s", "receive Mbit/s"), rows)
    sys.exit(0 if linked else NOT_LINKED)


def _network(network: Network) -> dict[str, object]:
    stations = [plain(station._asdict()) for station in network.stations]
    return {**plain(network._asdict()), "stations": stations}


async def _link(interface: str, driver: str, mac: bytes | None) -> tuple[bool, tuple[Network, ...]]:
    async with opened(interface, driver) as homeplug:
        chosen = await target(homeplug, mac)
        answer = await homeplug.ask(
            LinkStatusReq(), LinkStatusCnf, chosen.mac, fits=lambda _, source: source == chosen.mac
        )
        if answer is None:
            raise ModemError(f"{mac_text(chosen.mac)} does not answer VS_PL_LNK_STATUS")
        return bool(answer[0].link), await networks(homeplug, chosen.mac)


@command.command()
@click.argument("interface")
@MODEM
@REMOTE
@DRIVER
@JSON
def reset(interface: str, mac: bytes | None, remote: bool, driver: str, as_json: bool) -> None:
    """Restart a modem and wait until it answers again. Key and parameters stay.

    \b
    Example:  pyplc modem reset eth1
    """
    modem = running(_reset(interface, driver, mac, remote))
    if as_json:
        print_json(msgspec.to_builtins(modem, builtin_types=(bytes,)))
    else:
        click.echo(f"{mac_text(modem.mac)} has restarted, network {shown(modem.nid)}")


async def _reset(interface: str, driver: str, mac: bytes | None, remote: bool) -> Found:
    async with opened(interface, driver) as homeplug:
        chosen = await target(homeplug, mac, change=True, remote=remote)
        await Transfer(homeplug, chosen.mac).reset()
        return await restarted(homeplug, chosen.mac, chosen.local)


async def restarted(homeplug: HomePlug, mac: bytes, local: bool) -> Found:
    """The modem once it answers again; ModemError when it does not."""
    if not await wait_awake(homeplug, mac, RESTART_S):
        raise ModemError(f"{mac_text(mac)} has confirmed the restart and has not answered for {RESTART_S:g} s")
    modem = Found(mac=mac, local=local)
    await detail(homeplug, modem)
    return modem


for part in (key, pib, watch, emulate):
    command.add_command(part)
