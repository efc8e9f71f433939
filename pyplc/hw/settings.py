"""Which device does what: the tables [hardware] and [devices] of a station's file."""

from __future__ import annotations

from typing import Any

import msgspec

DeviceTables = dict[str, dict[str, Any]]
"""[devices.<name>]: the settings of the devices that [hardware] names."""

SIMULATED = "simulated"


class VehicleHardware(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A vehicle's devices by name. DC takes contactor and inlet, AC takes onboard."""

    pilot: str = SIMULATED
    contactor: str = SIMULATED
    lock: str = SIMULATED
    inlet: str = SIMULATED
    """The voltage at the inlet; "reported" believes the charger."""
    battery: str = SIMULATED
    """Voltage and state of charge; "load" is a light bulb or resistor with stated figures."""
    onboard: str = SIMULATED
    """The on-board charger of an AC vehicle."""
    display: str | tuple[str, ...] | None = None
    """What shows the session, or several of them; a device that is named here for its stop button alone is fine."""
    trust_simulated: bool = False
    """Let a real contactor close on a simulated battery or inlet: only where no battery can be connected."""


class ChargerHardware(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A charger's devices by name. DC takes supply and isolation, AC takes outlet."""

    pilot: str = SIMULATED
    contactor: str = SIMULATED
    supply: str = SIMULATED
    isolation: str = SIMULATED
    outlet: str = SIMULATED
    """Mains, meter and residual current device of an AC charger."""
    load: str | None = None
    """DC: connects a load at the outlet, for the discharge demo."""
    display: str | tuple[str, ...] | None = None
    """What shows the session, or several of them; a device that is named here for its stop button alone is fine."""
    trust_simulated: bool = False
    """Let a real supply run on a simulated isolation monitor: only on a bench."""


class Composition(msgspec.Struct, frozen=True):
    """The parts that a kind of station needs, and which of them cannot be real without another being real."""

    role: str
    parts: tuple[str, ...]
    depends: dict[str, tuple[str, ...]]


COMPOSITIONS = {
    ("vehicle", "dc"): Composition(
        "vehicle", ("pilot", "contactor", "lock", "inlet", "battery"), {"contactor": ("inlet", "battery")}
    ),
    ("vehicle", "ac"): Composition("vehicle", ("pilot", "lock", "onboard", "battery"), {}),
    ("charger", "dc"): Composition(
        "charger", ("pilot", "contactor", "supply", "isolation"), {"supply": ("isolation", "pilot")}
    ),
    ("charger", "ac"): Composition("charger", ("pilot", "contactor", "outlet"), {"contactor": ("pilot",)}),
}
"""(role, energy) -> what is composed."""

DISPLAY = "display"
OPTIONAL = {"vehicle": (DISPLAY,), "charger": (DISPLAY, "load")}
"""Parts that may be left out."""
