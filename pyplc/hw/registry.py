"""Drivers by name: a module is loaded only when its name is asked for."""

from __future__ import annotations

import importlib
from typing import Any, Literal, overload

from ..plant.parameters import PlantParameters
from .bundles import AcChargerDevices, AcVehicleDevices, ChargerDevices, VehicleDevices
from .ports import DeviceError

DRIVERS: dict[tuple[str, str], str] = {
    ("simulated", "vehicle"): "pyplc.hw.simulated:standalone_vehicle",
    ("simulated", "charger"): "pyplc.hw.simulated:standalone_charger",
    ("simulated", "AC vehicle"): "pyplc.hw.simulated:standalone_ac_vehicle",
    ("simulated", "AC charger"): "pyplc.hw.simulated:standalone_ac_charger",
}
"""(name, role) -> module:factory; a factory makes the bundle of devices from the plant's parameters."""


@overload
def devices(name: str, role: Literal["vehicle"], plant: PlantParameters) -> VehicleDevices: ...
@overload
def devices(name: str, role: Literal["charger"], plant: PlantParameters) -> ChargerDevices: ...
@overload
def devices(name: str, role: Literal["AC vehicle"], plant: PlantParameters) -> AcVehicleDevices: ...
@overload
def devices(name: str, role: Literal["AC charger"], plant: PlantParameters) -> AcChargerDevices: ...
def devices(name: str, role: str, plant: PlantParameters) -> Any:
    """The devices of a driver; raises DeviceError with the names there are."""
    path = DRIVERS.get((name, role))
    if path is None:
        known = ", ".join(sorted(n for n, r in DRIVERS if r == role))
        raise DeviceError(f"there is no hardware {name!r} for a {role}; there is: {known}")
    module, _, factory = path.partition(":")
    return getattr(importlib.import_module(module), factory)(plant)
