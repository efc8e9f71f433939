"""One coupled DC circuit that both roles measure: supply - cable - inlet - contactors - battery.

           supply   outlet contactor   cable    inlet   vehicle contactors   battery
    u_ref --(CV/CC)-------/ -------- R_cable ----+-----------/ --------- R_i --- OCV(SoC)
                                                 = C, bleed

Time is brought up to date at each look (`advance`), in closed form between the ends of the supply's ramps, so a look
costs little and the result does not depend on how often one looks. Current is what the circuit gives: with the
contactors closed the supply regulates to its current limit or to its voltage, whichever gives less.
"""

from __future__ import annotations

import math

from .parameters import PlantParameters

LONGEST_STEP_S = 1.0
"""The open-circuit voltage is taken as constant for so long."""


class Circuit:
    """The state of the circuit at `t`; setters take effect at the time of the last `advance`."""

    def __init__(self, parameters: PlantParameters, t: float = 0.0) -> None:
        p = self._p = parameters
        self.t = t
        self.soc_percent = p.battery.soc_percent
        self.delivered_wh = 0.0
        self.lost_wh = 0.0
        self.max_inrush = 0.0
        self.isolation = p.cable.isolation
        self.supply_fault = False
        self.plugged = False
        self.outlet_closed = False
        self.vehicle_closed = False
        self.load_closed = False
        """The charger's load is connected: a vehicle above the supply's voltage feeds it."""
        self.current = 0.0
        self._line = 0.0
        self._volts = 0.0
        self._volts_target = 0.0
        self._amps = 0.0
        self._amps_target = 0.0
        self._fixed_ocv: float | None = None
        self._looked_up = (math.nan, 0.0)

    # looking

    @property
    def open_circuit_voltage(self) -> float:
        """The battery without load, V."""
        if self._fixed_ocv is not None:
            return self._fixed_ocv
        if self._looked_up[0] != self.soc_percent:
            self._looked_up = self.soc_percent, self._look_up(self.soc_percent)
        return self._looked_up[1]

    def _look_up(self, soc: float) -> float:
        table = self._p.battery.open_circuit
        soc = min(max(soc, table[0][0]), table[-1][0])
        for (low, v_low), (high, v_high) in zip(table, table[1:], strict=False):
            if soc <= high:
                return v_low + (v_high - v_low) * (soc - low) / (high - low)
        return table[-1][1]

    @property
    def battery_voltage(self) -> float:
        """At the battery's side of the contactors, V."""
        return self.open_circuit_voltage + self.current * self._p.battery.resistance

    @property
    def inlet_voltage(self) -> float:
        """At the vehicle's inlet, V."""
        return self.battery_voltage if self.vehicle_closed else self._line

    @property
    def outlet_voltage(self) -> float:
        """At the charger's outlet, V."""
        if self._joined and self.vehicle_closed:
            return self.battery_voltage + self.current * self._p.cable.resistance
        return self._line if self._joined or self.outlet_closed else 0.0

    @property
    def _joined(self) -> bool:
        return self.plugged and self.outlet_closed

    # switching

    def set_supply(self, voltage: float, current: float) -> None:
        """Set-points of the supply, within what it can: V, A."""
        s = self._p.supply
        self._volts_target = min(max(voltage, 0.0), s.max_voltage)
        self._amps_target = min(max(current, 0.0), s.max_current)
        if self._volts_target > 0 and self._volts == 0.0:
            self._volts = min(self._line, self._volts_target)

    def close_vehicle(self) -> None:
        """Vehicle contactors close; unequal voltages make an inrush, remembered in `max_inrush` (A)."""
        if not self.vehicle_closed:
            inrush = abs(self._line - self.open_circuit_voltage) / self._p.cable.contact_resistance
            self.max_inrush = max(self.max_inrush, inrush)
            self.vehicle_closed = True
            self._amps = 0.0

    def open_vehicle(self) -> None:
        """Vehicle contactors open; the line keeps its voltage for the moment."""
        if self.vehicle_closed:
            self._line = self.battery_voltage
            self.vehicle_closed = False
            self.current = 0.0

    def impose(self, voltage: float, current: float) -> None:
        """The far end of a line that is not simulated here: it shows this voltage and gives this current."""
        self.plugged = self.outlet_closed = True
        self._line = self._volts = self._volts_target = voltage
        if self.vehicle_closed:
            self._volts = self._volts_target = self._p.supply.max_voltage * 2
            self._amps = self._amps_target = self.current = max(current, 0.0)

    def imagine_battery(self, voltage: float | None) -> None:
        """A battery of this open-circuit voltage instead of the simulated one; None: back to it."""
        self._fixed_ocv = voltage

    # time

    def advance(self, now: float) -> None:
        """Bring the circuit to `now`, in seconds; earlier times change nothing."""
        if (left := now - self.t) <= 0.0:
            return
        while left > 1e-12:
            step = min(left, self._to_ramp_end(), LONGEST_STEP_S)
            self._step(step)
            left -= step
        self.t = now

    def _to_ramp_end(self) -> float:
        ends = math.inf
        if self._volts != self._volts_target:
            ends = abs(self._volts_target - self._volts) / self._p.supply.voltage_ramp
        if self._amps != self._amps_target:
            ends = min(ends, abs(self._amps_target - self._amps) / self._amps_rate())
        return max(ends, 1e-9)

    def _amps_rate(self) -> float:
        s = self._p.supply
        return s.current_ramp if self._amps_target > self._amps else s.current_fall

    def _step(self, h: float) -> None:
        self._volts = _toward(self._volts, self._volts_target, self._p.supply.voltage_ramp * h)
        self._amps = _toward(self._amps, self._amps_target, self._amps_rate() * h)
        if self.vehicle_closed:
            self._flow(h)
        else:
            self.current = 0.0
            self._settle(h)

    def _flow(self, h: float) -> None:
        """Contactors closed: the battery holds the line, the supply gives what its set-points and ours allow."""
        before = self.current
        resistance = self._p.battery.resistance + self._p.cable.resistance
        possible = (self._volts - self.open_circuit_voltage) / resistance
        feeding = self._joined and not self.supply_fault
        self.current = min(max(possible, 0.0), self._amps, self._power_limit(resistance)) if feeding else 0.0
        if self.load_closed and self._joined and self.current == 0.0:
            self.current = -self.open_circuit_voltage / (self._p.supply.load + resistance)
        mean = (before + self.current) / 2
        squares = (before * before + before * self.current + self.current * self.current) / 3
        stored = self.open_circuit_voltage * mean * h / 3600
        lost = self._p.battery.resistance * squares * h / 3600
        self.delivered_wh += stored + lost
        self.lost_wh += lost
        self.soc_percent = min(100.0, self.soc_percent + stored / self._p.battery.capacity_wh * 100)
        self._line = self.battery_voltage

    def _power_limit(self, resistance: float) -> float:
        """The current at which the supply gives its power: i (OCV + i R) = P."""
        ocv = self.open_circuit_voltage
        return (math.sqrt(ocv * ocv + 4 * resistance * self._p.supply.max_power) - ocv) / (2 * resistance)

    def _settle(self, h: float) -> None:
        """Contactors open: the supply charges the line quickly, only the bleed resistor discharges it."""
        cable = self._p.cable
        fallen = self._line * math.exp(-h / (cable.bleed * cable.capacitance))
        fed = self.outlet_closed and not self.supply_fault and self._amps_target > 0
        self._line = max(fallen, self._volts) if fed else fallen


def _toward(value: float, target: float, step: float) -> float:
    """`value` moved by at most `step` towards `target`."""
    return min(value + step, target) if target > value else max(value - step, target)
