"""`pyplc ev`: be a vehicle on a real interface."""

from __future__ import annotations

from pathlib import Path

import click

from .. import peers
from ..config import EvSettings
from ..hw.bundles import AcVehicleDevices, VehicleDevices
from ..hw.compose import Hardware, compose
from ..peers import VehicleProfile
from ..tower import Common, VehicleStation
from .common import imitating, settings, told
from .station import run


@click.command()
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--driver", type=click.Choice(["auto", "packet", "pcap"]), help="How raw frames are read.")
@click.option("--interface", help="Interface of the PLC modem, instead of the file's.")
@imitating("vehicle", VehicleProfile)
@click.option("--target-soc", type=click.FloatRange(0, 100), help="Charge to this state of charge, in percent.")
@click.option("--forever", is_flag=True, help="Unattended: one charge after the other, waiting for what is missing.")
@click.option("--json", "as_json", is_flag=True, help="Print the records as JSON lines.")
def command(
    config: Path,
    driver: str | None,
    interface: str | None,
    vehicle: VehicleProfile | None,
    target_soc: float | None,
    forever: bool,
    as_json: bool,
) -> None:
    """Be a vehicle on a real interface, for one session or one after the other.

    \b
    Example:  pyplc ev config/pev.toml --interface eth1
              pyplc ev config/pev.toml --vehicle tesla-model-y
    """
    chosen = settings(config, EvSettings)
    chosen.network.driver = driver or chosen.network.driver  # type: ignore[assignment]  # a Choice of the same words
    chosen.network.interface = interface or chosen.network.interface
    if vehicle is not None:
        told(lambda: peers.be_vehicle(vehicle, chosen))
    if target_soc is not None:
        chosen.vehicle.target_soc = target_soc

    def hardware() -> Hardware:
        return compose(chosen.hardware, chosen.devices, chosen.vehicle.energy, chosen.plant)

    def build(common: Common, made: Hardware) -> VehicleStation:
        assert isinstance(made.devices, (VehicleDevices, AcVehicleDevices))  # of the role that was composed
        return VehicleStation(common, made.devices, chosen.vehicle)

    run("ev", chosen, hardware, build, config, as_json=as_json, repeat=False, forever=forever)
