"""The figures of the electrical world, with defaults of a 400 V car at a 50 kW charger. V, A, W, Wh, ohm, farad, s."""

from __future__ import annotations

from typing import Literal

import msgspec


class BatteryParameters(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A lithium battery: open-circuit voltage over SoC as a table, one internal resistance."""

    capacity_wh: float = 58_000.0
    soc_percent: float = 45.0
    open_circuit: tuple[tuple[float, float], ...] = ((0, 316.0), (10, 336.0), (50, 357.0), (80, 381.0), (100, 401.0))
    """(SoC in percent, V), rising."""
    resistance: float = 0.08
    max_voltage: float = 408.0
    max_current: float = 125.0
    """What the battery management asks for below the voltage limit."""


class SupplyParameters(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A DC supply with output capacitor and discharge resistor."""

    max_voltage: float = 500.0
    min_voltage: float = 150.0
    max_current: float = 125.0
    min_current: float = 0.0
    max_power: float = 50_000.0
    voltage_ramp: float = 250.0
    """V/s, up and down."""
    current_ramp: float = 100.0
    """A/s upwards; old cars dislike more."""
    load: float = 50.0
    """Ohm of the load that the discharge demo connects."""
    current_fall: float = 500.0
    """A/s downwards; IEC 61851-23 wants at least 100."""


class CableParameters(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What lies between: cable, inlet, insulation."""

    resistance: float = 0.01
    capacitance: float = 20e-6
    """Outlet, cable and inlet together."""
    bleed: float = 20_000.0
    """Discharge resistance: with 20 uF a time constant of 0.4 s."""
    isolation: float = 5e6
    isolation_s: float = 2.0
    """How long the isolation monitor measures."""
    contact_resistance: float = 0.02
    """What limits the inrush when contactors close on unequal voltages."""


class AcParameters(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """An AC connection and a vehicle's on-board charger; currents a phase."""

    nominal_voltage: float = 230.0
    phases: Literal[1, 3] = 3
    max_current: float = 16.0
    onboard_phases: Literal[1, 3] = 3
    onboard_current: float = 16.0
    onboard_voltage: float = 400.0
    """The most the on-board charger bears."""
    least_current: float = 6.0
    efficiency: float = 0.9


class PlantParameters(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Battery, supply and what lies between."""

    battery: BatteryParameters = msgspec.field(default_factory=BatteryParameters)
    supply: SupplyParameters = msgspec.field(default_factory=SupplyParameters)
    cable: CableParameters = msgspec.field(default_factory=CableParameters)
    ac: AcParameters = msgspec.field(default_factory=AcParameters)
