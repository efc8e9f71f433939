"""`pyplc evse`: be a charger on a real interface."""

from __future__ import annotations

import time
from pathlib import Path

import click

from .. import peers
from ..config import EvseSettings
from ..hw.bundles import AcChargerDevices, ChargerDevices
from ..hw.compose import Hardware, compose
from ..peers import ChargerProfile
from ..service.callback import SocCallback
from ..tower import ChargerStation, Common
from .common import imitating, settings, told
from .station import run


@click.command()
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--driver", type=click.Choice(["auto", "packet", "pcap"]), help="How raw frames are read.")
@click.option("--interface", help="Interface of the PLC modem, instead of the file's.")
@click.option("--port", type=click.IntRange(0, 65535), help="TCP port to listen on; 0 lets the system choose.")
@imitating("charger", ChargerProfile)
@click.option("--once", is_flag=True, help="End after one session.")
@click.option("--forever", is_flag=True, help="Unattended: wait for an interface or device that is missing.")
@click.option("--json", "as_json", is_flag=True, help="Print the records as JSON lines.")
def command(
    config: Path,
    driver: str | None,
    interface: str | None,
    port: int | None,
    charger: ChargerProfile | None,
    once: bool,
    forever: bool,
    as_json: bool,
) -> None:
    """Be a charger on a real interface, one session after the other.

    \b
    Example:  pyplc evse config/evse.toml --interface eth1 --once
              pyplc evse config/evse.toml --charger compleo
    """
    if once and forever:
        raise click.UsageError("--once or --forever, not both")
    chosen = settings(config, EvseSettings)
    chosen.network.driver = driver or chosen.network.driver  # type: ignore[assignment]  # a Choice of the same words
    chosen.network.interface = interface or chosen.network.interface
    if charger is not None:
        told(lambda: peers.be_charger(charger, chosen))
    if port is not None:
        chosen.network.tcp_port = port

    def hardware() -> Hardware:
        return compose(chosen.hardware, chosen.devices, chosen.charger.energy, chosen.plant)

    def build(common: Common, made: Hardware) -> ChargerStation:
        assert isinstance(made.devices, (ChargerDevices, AcChargerDevices))  # of the role that was composed
        if chosen.soc.endpoint:
            common.recorder.readers.append(SocCallback(chosen.soc.endpoint, common.recorder.on("evse")))
        return ChargerStation(common, made.devices, chosen.charger, chosen.network.tcp_port, time.time, chosen.soc)

    run("evse", chosen, hardware, build, config, as_json=as_json, repeat=not once, forever=forever)
