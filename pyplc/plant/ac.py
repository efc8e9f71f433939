"""One AC connection that both roles measure: mains - contactor - cable - on-board charger - battery."""

from __future__ import annotations

from .circuit import Circuit
from .parameters import AcParameters


class AcCircuit:
    """The state of the connection at `t`; setters take effect at the time of the last `advance`.

    The on-board charger draws what it was set to while the contactor is closed, the cable plugged in and the pilot in
    state C or D; what it draws fills the battery of the DC circuit.
    """

    def __init__(self, parameters: AcParameters, battery: Circuit, capacity_wh: float, t: float = 0.0) -> None:
        self.parameters = parameters
        self._battery = battery
        self._capacity_wh = capacity_wh
        self.t = t
        self.contactor_closed = False
        self.rcd_tripped = False
        self.ready = False
        """The pilot is in state C or D."""
        self.wanted = 0.0
        self.ignores_limits = False
        """A fault: the on-board charger draws its maximum whatever it was set to."""
        self.delivered_wh = 0.0
        self.cut_under_load_a = 0.0
        """The largest current that a contactor had to cut, A."""

    @property
    def current(self) -> float:
        """What flows, A a phase."""
        p = self.parameters
        if self.rcd_tripped or not (self.contactor_closed and self._battery.plugged and self.ready):
            return 0.0
        wanted = p.onboard_current if self.ignores_limits else self.wanted
        full = self._battery.soc_percent >= 100
        return 0.0 if full or wanted < p.least_current else min(wanted, p.onboard_current)

    @property
    def power(self) -> float:
        """W, all phases."""
        p = self.parameters
        return self.current * p.nominal_voltage * min(p.phases, p.onboard_phases)

    def set_contactor(self, closed: bool) -> None:
        """Close or open the charger's contactor."""
        if not closed:
            self.cut_under_load_a = max(self.cut_under_load_a, self.current)
        self.contactor_closed = closed

    def advance(self, now: float) -> None:
        """Bring the connection to `now`, in seconds; earlier times change nothing."""
        if (step := now - self.t) <= 0.0:
            return
        energy = self.power * step / 3600
        self.delivered_wh += energy
        stored = energy * self.parameters.efficiency
        self._battery.soc_percent = min(100.0, self._battery.soc_percent + stored / self._capacity_wh * 100)
        self.t = now
