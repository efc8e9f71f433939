"""Between the plain values of `control.py` (V, A, W, Wh, s) and the messages of a generation.

DIN 70121 and ISO 15118-2 name the DC fields alike, so one translation serves both.
"""

from __future__ import annotations

from typing import Any

from .control import ChargerOffer, Delivered, Demand, VehicleLimits, VehicleStatus


class Values:
    """The translation for the messages of the module `m`."""

    def __init__(self, m: Any) -> None:
        self._m = m
        unit = m.unitSymbol
        self._units = (unit.V, unit.A, unit.W, unit.Wh, unit.s)
        self._of = m.PhysicalValue.of

    def volt(self, value: float) -> Any:
        """A voltage, 0.1 V kept."""
        return self._of(round(value, 1), self._units[0])

    def ampere(self, value: float) -> Any:
        """A current, 0.1 A kept."""
        return self._of(round(value, 1), self._units[1])

    def watt(self, value: float) -> Any:
        """A power."""
        return self._of(round(value), self._units[2])

    def watt_hours(self, value: float) -> Any:
        """An energy."""
        return self._of(round(value), self._units[3])

    def seconds(self, value: float) -> Any:
        """A time."""
        return self._of(round(value), self._units[4])

    # the vehicle's

    def status(self, status: VehicleStatus) -> Any:
        """DC_EVStatus."""
        ready, error, soc = status
        return self._m.DC_EVStatus(EVReady=ready, EVErrorCode=self._m.DC_EVErrorCode(error), EVRESSSOC=soc)

    def parameter_of(self, limits: VehicleLimits, status: Any, **more: Any) -> Any:
        """DC_EVChargeParameter with every optional field that is known: some chargers refuse to do without."""
        return self._m.DC_EVChargeParameter(
            DC_EVStatus=status,
            EVMaximumCurrentLimit=self.ampere(limits.max_current),
            EVMaximumPowerLimit=None if limits.max_power is None else self.watt(limits.max_power),
            EVMaximumVoltageLimit=self.volt(limits.max_voltage),
            EVEnergyCapacity=None if limits.capacity is None else self.watt_hours(limits.capacity),
            EVEnergyRequest=None if limits.energy_request is None else self.watt_hours(limits.energy_request),
            FullSOC=limits.full_soc,
            BulkSOC=limits.bulk_soc,
            **more,
        )

    def demand(self, demand: Demand, limits: VehicleLimits, status: Any) -> Any:
        """CurrentDemandReq; with both limits, which some chargers need (Plugit)."""
        full, bulk = demand.seconds_to_full, demand.seconds_to_bulk
        return self._m.CurrentDemandReq(
            DC_EVStatus=status,
            EVTargetCurrent=self.ampere(demand.current),
            EVMaximumVoltageLimit=self.volt(limits.max_voltage),
            EVMaximumCurrentLimit=self.ampere(limits.max_current),
            BulkChargingComplete=demand.bulk_complete,
            ChargingComplete=demand.complete,
            RemainingTimeToFullSoC=None if full is None else self.seconds(full),
            RemainingTimeToBulkSoC=None if bulk is None else self.seconds(bulk),
            EVTargetVoltage=self.volt(demand.voltage),
        )

    # the charger's

    def limits_of(self, parameter: Any) -> VehicleLimits:
        """What a vehicle told of itself in DC_EVChargeParameter."""
        return VehicleLimits(
            max_voltage=float(parameter.EVMaximumVoltageLimit),
            max_current=float(parameter.EVMaximumCurrentLimit),
            max_power=number(parameter.EVMaximumPowerLimit),
            capacity=number(parameter.EVEnergyCapacity),
            energy_request=number(parameter.EVEnergyRequest),
            full_soc=parameter.FullSOC,
            bulk_soc=parameter.BulkSOC,
        )

    def demand_of(self, request: Any) -> Demand:
        """What a vehicle asks in CurrentDemandReq."""
        return Demand(
            voltage=float(request.EVTargetVoltage),
            current=float(request.EVTargetCurrent),
            complete=request.ChargingComplete,
            bulk_complete=bool(request.BulkChargingComplete),
            seconds_to_full=number(request.RemainingTimeToFullSoC),
            seconds_to_bulk=number(request.RemainingTimeToBulkSoC),
            max_voltage=number(request.EVMaximumVoltageLimit),
            max_current=number(request.EVMaximumCurrentLimit),
            max_power=number(request.EVMaximumPowerLimit),
        )

    def offer(self, offer: ChargerOffer, evse_status: Any) -> Any:
        """DC_EVSEChargeParameter."""
        return self._m.DC_EVSEChargeParameter(
            DC_EVSEStatus=evse_status,
            EVSEMaximumCurrentLimit=self.ampere(offer.max_current),
            EVSEMaximumPowerLimit=None if offer.max_power is None else self.watt(offer.max_power),
            EVSEMaximumVoltageLimit=self.volt(offer.max_voltage),
            EVSEMinimumCurrentLimit=self.ampere(offer.min_current),
            EVSEMinimumVoltageLimit=self.volt(offer.min_voltage),
            EVSECurrentRegulationTolerance=None if offer.tolerance is None else self.ampere(offer.tolerance),
            EVSEPeakCurrentRipple=self.ampere(offer.ripple),
        )

    def offer_of(self, parameter: Any) -> ChargerOffer:
        """What a charger offers in DC_EVSEChargeParameter."""
        return ChargerOffer(
            max_voltage=float(parameter.EVSEMaximumVoltageLimit),
            max_current=float(parameter.EVSEMaximumCurrentLimit),
            max_power=number(parameter.EVSEMaximumPowerLimit),
            min_voltage=float(parameter.EVSEMinimumVoltageLimit),
            min_current=float(parameter.EVSEMinimumCurrentLimit),
            ripple=float(parameter.EVSEPeakCurrentRipple),
            tolerance=number(parameter.EVSECurrentRegulationTolerance),
        )

    def delivered(self, code: Any, given: Delivered, evse_status: Any, **more: Any) -> Any:
        """CurrentDemandRes with the three limits, mandatory since 2024 and welcome before [V2G-DC-948 to 950]."""
        return self._m.CurrentDemandRes(
            ResponseCode=code,
            DC_EVSEStatus=evse_status,
            EVSEPresentVoltage=self.volt(given.voltage),
            EVSEPresentCurrent=self.ampere(given.current),
            EVSECurrentLimitAchieved=given.current_limited,
            EVSEVoltageLimitAchieved=given.voltage_limited,
            EVSEPowerLimitAchieved=given.power_limited,
            EVSEMaximumVoltageLimit=self.volt(given.max_voltage),
            EVSEMaximumCurrentLimit=self.ampere(given.max_current),
            EVSEMaximumPowerLimit=self.watt(given.max_power),
            **more,
        )

    def delivered_of(self, response: Any, max_voltage: float, max_current: float) -> Delivered:
        """The charger's report in CurrentDemandRes; a limit it does not tell is taken as our own."""
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


def number(value: Any) -> float | None:
    """The value in its unit; None for none."""
    return None if value is None else float(value)
