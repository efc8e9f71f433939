"""Between the plain values of `v2g/control.py` (V, A, W, Wh, s) and the messages of DIN 70121."""

from __future__ import annotations

from ..control import ChargerOffer, Delivered, VehicleLimits
from . import messages as m
from .messages import PhysicalValue, unitSymbol


def volt(value: float) -> PhysicalValue:
    """A voltage, 0.1 V kept."""
    return PhysicalValue.of(round(value, 1), unitSymbol.V)


def ampere(value: float) -> PhysicalValue:
    """A current, 0.1 A kept."""
    return PhysicalValue.of(round(value, 1), unitSymbol.A)


def watt(value: float) -> PhysicalValue:
    """A power."""
    return PhysicalValue.of(round(value), unitSymbol.W)


def watt_hours(value: float) -> PhysicalValue:
    """An energy."""
    return PhysicalValue.of(round(value), unitSymbol.Wh)


def seconds(value: float) -> PhysicalValue:
    """A time."""
    return PhysicalValue.of(round(value), unitSymbol.s)


def number(value: PhysicalValue | None) -> float | None:
    """The value in its unit; None for none."""
    return None if value is None else float(value)


def offer_of(parameter: m.DC_EVSEChargeParameter) -> ChargerOffer:
    """What a charger offers."""
    return ChargerOffer(
        max_voltage=float(parameter.EVSEMaximumVoltageLimit),
        max_current=float(parameter.EVSEMaximumCurrentLimit),
        max_power=number(parameter.EVSEMaximumPowerLimit),
        min_voltage=float(parameter.EVSEMinimumVoltageLimit),
        min_current=float(parameter.EVSEMinimumCurrentLimit),
        ripple=float(parameter.EVSEPeakCurrentRipple),
        tolerance=number(parameter.EVSECurrentRegulationTolerance),
    )


def parameter_of(limits: VehicleLimits, status: m.DC_EVStatus) -> m.DC_EVChargeParameter:
    """What a vehicle tells of itself; every optional field it knows, since some chargers refuse to do without."""
    return m.DC_EVChargeParameter(
        DC_EVStatus=status,
        EVMaximumCurrentLimit=ampere(limits.max_current),
        EVMaximumPowerLimit=None if limits.max_power is None else watt(limits.max_power),
        EVMaximumVoltageLimit=volt(limits.max_voltage),
        EVEnergyCapacity=None if limits.capacity is None else watt_hours(limits.capacity),
        EVEnergyRequest=None if limits.energy_request is None else watt_hours(limits.energy_request),
        FullSOC=limits.full_soc,
        BulkSOC=limits.bulk_soc,
    )


def limits_of(parameter: m.DC_EVChargeParameter) -> VehicleLimits:
    """What a vehicle told of itself."""
    return VehicleLimits(
        max_voltage=float(parameter.EVMaximumVoltageLimit),
        max_current=float(parameter.EVMaximumCurrentLimit),
        max_power=number(parameter.EVMaximumPowerLimit),
        capacity=number(parameter.EVEnergyCapacity),
        energy_request=number(parameter.EVEnergyRequest),
        full_soc=parameter.FullSOC,
        bulk_soc=parameter.BulkSOC,
    )


def delivered_of(response: m.CurrentDemandRes, max_voltage: float, max_current: float) -> Delivered:
    """The charger's report; a limit it does not tell is taken as our own."""
    volts = number(response.EVSEMaximumVoltageLimit)
    amperes = number(response.EVSEMaximumCurrentLimit)
    watts = number(response.EVSEMaximumPowerLimit)
    volts = max_voltage if volts is None else volts
    amperes = max_current if amperes is None else amperes
    return Delivered(
        voltage=float(response.EVSEPresentVoltage),
        current=float(response.EVSEPresentCurrent),
        max_voltage=volts,
        max_current=amperes,
        max_power=volts * amperes if watts is None else watts,
        voltage_limited=response.EVSEVoltageLimitAchieved,
        current_limited=response.EVSECurrentLimitAchieved,
        power_limited=response.EVSEPowerLimitAchieved,
    )
