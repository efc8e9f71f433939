"""Drivers by name: a module is loaded only when a file names it."""

from __future__ import annotations

import difflib
import importlib

from .driver import Driver
from .ports import DeviceError

DRIVERS: dict[str, str] = {
    "simulated": "pyplc.hw.simulated",
    "none": "pyplc.hw.stated",
    "load": "pyplc.hw.stated",
    "reported": "pyplc.hw.stated",
    "dieter": "pyplc.hw.dieter",
    "arduino": "pyplc.hw.arduino",
    "celeron55": "pyplc.hw.celeron55",
    "gpio": "pyplc.hw.gpio",
    "mqtt": "pyplc.hw.mqtt",
    "pyplc-mqtt": "pyplc.hw.pyplc_mqtt",
    "stepped": "pyplc.hw.stepped",
    "oled": "pyplc.hw.oled",
    "serial-oled": "pyplc.hw.oled",
    "can-display": "pyplc.hw.can_display",
}
"""Name -> module; the module has the class as `DRIVER`, or a table of names as `DRIVERS`."""


def driver(name: str) -> type[Driver]:
    """The class of a driver; DeviceError with the likely name when there is none."""
    if name not in DRIVERS:
        near = difflib.get_close_matches(name, DRIVERS, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"there is: {', '.join(DRIVERS)}"
        raise DeviceError(f"there is no driver {name!r}; {hint}")
    module = importlib.import_module(DRIVERS[name])
    found: type[Driver] = module.DRIVERS[name] if hasattr(module, "DRIVERS") else module.DRIVER
    return found


def offering(role: str, part: str) -> list[str]:
    """The names of the drivers that can be this part."""
    return [name for name in DRIVERS if part in driver(name).parts.get(role, ())]
