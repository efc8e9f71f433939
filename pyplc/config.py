"""Typed settings, loaded from TOML. An error names the file, the path of the key and what was expected there."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from .explain import explain
from .hw.settings import ChargerHardware, DeviceTables, VehicleHardware
from .plant.parameters import PlantParameters
from .service.settings import RecordSettings, ServiceSettings, WatchSettings
from .slac.settings import SlacSettings
from .station.charger import ChargerSettings
from .station.soc_reader import SocReaderSettings
from .station.vehicle import VehicleSettings
from .v2g.deviations import Deviations
from .v2g.negotiate import PROTOCOLS
from .v2g.rules import PROFILES, Pacing, Rules
from .v2gtp import DEFAULT_MAX_PAYLOAD

Driver = Literal["auto", "packet", "pcap"]
Profile = Literal["field", "conformance"]
ProtocolName = Literal["din", "iso2"]


class ConfigError(Exception):
    """A settings file cannot be used; the text says where and what to do."""


class NetworkSettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The interface the PLC modem hangs on, and how raw frames are read from it."""

    interface: str = "eth0"
    driver: Driver = "auto"
    tcp_port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 0
    """Charger: the port to listen on; 0 lets the system choose one, as most chargers do."""


class SessionSettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """How sessions are held: patient with real peers ("field") or to the letter ("conformance")."""

    profile: Profile = "field"
    protocols: Annotated[tuple[ProtocolName, ...], msgspec.Meta(min_length=1)] = ("din", "iso2")
    """Vehicle: what is offered, the best first. Charger: what is accepted."""
    cycle_s: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.1
    """Vehicle: seconds from one CurrentDemandReq to the next."""
    pacing: dict[str, Annotated[float, msgspec.Meta(gt=0, le=10)]] = {}
    """Vehicle: seconds from one request to the next in other loops, by their names."""
    deviations: dict[str, bool] = {}
    """Single deviations from the letter of the standard switched on or off, by name."""
    max_payload: Annotated[int, msgspec.Meta(ge=1024)] = DEFAULT_MAX_PAYLOAD
    """The longest V2GTP payload accepted, in bytes; a peer that announces more is disconnected."""

    def __post_init__(self) -> None:
        _known("deviation", self.deviations, Deviations.__struct_fields__)
        _known("pace", self.pacing, Pacing._fields)


class StationSettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What both roles have."""

    network: NetworkSettings = msgspec.field(default_factory=NetworkSettings)
    session: SessionSettings = msgspec.field(default_factory=SessionSettings)
    slac: SlacSettings = msgspec.field(default_factory=SlacSettings)
    record: RecordSettings = msgspec.field(default_factory=RecordSettings)
    service: ServiceSettings = msgspec.field(default_factory=ServiceSettings)
    watch: WatchSettings = msgspec.field(default_factory=WatchSettings)
    plant: PlantParameters = msgspec.field(default_factory=PlantParameters)


class EvSettings(StationSettings, kw_only=True, forbid_unknown_fields=True):
    """A vehicle: `pyplc ev`."""

    hardware: VehicleHardware = msgspec.field(default_factory=VehicleHardware)
    devices: DeviceTables = {}
    """A table for each device that [hardware] names: its settings, and `driver` where its name is not the driver's."""
    vehicle: VehicleSettings = msgspec.field(default_factory=VehicleSettings)


class EvseSettings(StationSettings, kw_only=True, forbid_unknown_fields=True):
    """A charger: `pyplc evse`."""

    hardware: ChargerHardware = msgspec.field(default_factory=ChargerHardware)
    devices: DeviceTables = {}
    """A table for each device that [hardware] names: its settings, and `driver` where its name is not the driver's."""
    charger: ChargerSettings = msgspec.field(default_factory=ChargerSettings)
    soc: SocReaderSettings = msgspec.field(default_factory=SocReaderSettings)


class SimSettings(StationSettings, kw_only=True, forbid_unknown_fields=True):
    """Both in one process: `pyplc sim`. Recorded only where a folder is named."""

    record: RecordSettings = msgspec.field(default_factory=lambda: RecordSettings(folder=None))
    vehicle: VehicleSettings = msgspec.field(default_factory=VehicleSettings)
    charger: ChargerSettings = msgspec.field(default_factory=ChargerSettings)
    soc: SocReaderSettings = msgspec.field(default_factory=SocReaderSettings)


def rules(session: SessionSettings) -> Rules:
    """What sessions go by, from the profile and what is set besides."""
    chosen = PROFILES[session.profile]
    return chosen._replace(
        deviations=msgspec.structs.replace(chosen.deviations, **session.deviations),
        protocols=tuple(PROTOCOLS[name] for name in session.protocols),
        pacing=chosen.pacing._replace(**{"charging": session.cycle_s, **session.pacing}),
    )


def _known(word: str, given: dict[str, Any], names: tuple[str, ...]) -> None:
    for name in given:
        if name not in names:
            near = difflib.get_close_matches(name, names, 1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(names)}"
            raise ValueError(f"unknown {word} {name}; {hint}")


class ListenerSettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What a listener does with what it hears."""

    join: bool = False
    """Take each key that is heard into the own modem: its network's broadcasts are then seen."""


class ListenSettings(StationSettings, kw_only=True, forbid_unknown_fields=True):
    """A listener: `pyplc listen`."""

    listen: ListenerSettings = msgspec.field(default_factory=ListenerSettings)


S = TypeVar("S", bound=StationSettings)
D = TypeVar("D", bound=msgspec.Struct)


def load(path: Path, kind: type[S]) -> S:
    """The settings in a TOML file; raises ConfigError."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    return parse(text, kind, str(path))


def parse(text: bytes, kind: type[D], where: str) -> D:
    """The declared data in TOML text; `where` names it in errors."""
    try:
        return msgspec.toml.decode(text, type=kind)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{where}: {explain(str(error), kind)}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{where}: this is not TOML: {error}") from None
