"""Typed settings, loaded from TOML. An error names the file, the path of the key and what was expected there."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

import msgspec

from .plant.parameters import PlantParameters
from .service.settings import RecordSettings, ServiceSettings, WatchSettings
from .slac.settings import SlacSettings
from .station.charger import ChargerSettings
from .station.vehicle import VehicleSettings
from .v2g.deviations import Deviations
from .v2g.negotiate import PROTOCOLS
from .v2g.rules import PROFILES, Rules
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
    deviations: dict[str, bool] = {}
    """Single deviations from the letter of the standard switched on or off, by name."""
    max_payload: Annotated[int, msgspec.Meta(ge=1024)] = DEFAULT_MAX_PAYLOAD
    """The longest V2GTP payload accepted, in bytes; a peer that announces more is disconnected."""

    def __post_init__(self) -> None:
        for name in self.deviations:
            if name not in Deviations.__struct_fields__:
                near = difflib.get_close_matches(name, Deviations.__struct_fields__, 1)
                hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(Deviations.__struct_fields__)}"
                raise ValueError(f"unknown deviation {name}; {hint}")


class StationSettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What both roles have."""

    hardware: str = "simulated"
    """Name of the driver for pilot, contactors, lock and meters."""
    network: NetworkSettings = msgspec.field(default_factory=NetworkSettings)
    session: SessionSettings = msgspec.field(default_factory=SessionSettings)
    slac: SlacSettings = msgspec.field(default_factory=SlacSettings)
    record: RecordSettings = msgspec.field(default_factory=RecordSettings)
    service: ServiceSettings = msgspec.field(default_factory=ServiceSettings)
    watch: WatchSettings = msgspec.field(default_factory=WatchSettings)
    plant: PlantParameters = msgspec.field(default_factory=PlantParameters)


class EvSettings(StationSettings, kw_only=True, forbid_unknown_fields=True):
    """A vehicle: `pyplc ev`."""

    vehicle: VehicleSettings = msgspec.field(default_factory=VehicleSettings)


class EvseSettings(StationSettings, kw_only=True, forbid_unknown_fields=True):
    """A charger: `pyplc evse`."""

    charger: ChargerSettings = msgspec.field(default_factory=ChargerSettings)


class SimSettings(StationSettings, kw_only=True, forbid_unknown_fields=True):
    """Both in one process: `pyplc sim`. Recorded only where a folder is named."""

    record: RecordSettings = msgspec.field(default_factory=lambda: RecordSettings(folder=None))
    vehicle: VehicleSettings = msgspec.field(default_factory=VehicleSettings)
    charger: ChargerSettings = msgspec.field(default_factory=ChargerSettings)


def rules(session: SessionSettings) -> Rules:
    """What sessions go by, from the profile and what is set besides."""
    chosen = PROFILES[session.profile]
    return chosen._replace(
        deviations=msgspec.structs.replace(chosen.deviations, **session.deviations),
        protocols=tuple(PROTOCOLS[name] for name in session.protocols),
        pacing=chosen.pacing._replace(charging=session.cycle_s),
    )


S = TypeVar("S", bound=StationSettings)


def load(path: Path, kind: type[S]) -> S:
    """The settings in a TOML file; raises ConfigError."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    return parse(text, kind, str(path))


def parse(text: bytes, kind: type[S], where: str) -> S:
    """The settings in TOML text; `where` names it in errors."""
    try:
        return msgspec.toml.decode(text, type=kind)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{where}: {_explain(str(error), kind)}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{where}: this is not TOML: {error}") from None


def _explain(error: str, kind: type) -> str:
    """msgspec's message with the key's path first, in TOML's form, and for an unknown key the likely one."""
    message, _, at = error.partition(" - at `$")
    path = at.rstrip("`").lstrip(".")
    if unknown := re.search(r"unknown field `(.+?)`", message):
        key = unknown.group(1)
        known = _fields(kind, path)
        near = difflib.get_close_matches(key, known, 1)
        hint = f"did you mean {near[0]}?" if near else f"known keys: {', '.join(known)}"
        return f"unknown key {f'{path}.{key}' if path else key}; {hint}"
    if message.startswith("Invalid enum value") and (words := _words(kind, path)):
        message = f"{message}; one of: {', '.join(words)}"
    return f"{path or 'top level'}: {message[0].lower()}{message[1:]}"


def _words(kind: Any, path: str) -> tuple[str, ...]:
    """The words allowed for the key at `path`."""
    parent, _, name = path.rpartition(".")
    hint = next((f.type for f in msgspec.structs.fields(_section(kind, parent)) if f.name == name), None)
    return tuple(str(word) for word in get_args(hint))


def _fields(kind: Any, path: str) -> list[str]:
    """The keys of the section at `path`."""
    return [f.name for f in msgspec.structs.fields(_section(kind, path))]


def _section(kind: Any, path: str) -> Any:
    for name in filter(None, path.split(".")):
        hint = next((f.type for f in msgspec.structs.fields(kind) if f.name == name), None)
        kind = next((t for t in (hint, *get_args(hint)) if isinstance(t, type) and issubclass(t, msgspec.Struct)), kind)
    return kind
