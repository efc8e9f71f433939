"""The ports of storey 0: what a station asks of the devices around it, whichever they are.

Everything that switches is a coroutine that returns when the device has confirmed, or raises `DeviceError`. Everything
that is measured is a `Reading` with the time it was taken: a reading older than its device's `max_age` is no reading
and raises `StaleReading` when asked for.
"""

from __future__ import annotations

import enum
import math
from typing import NamedTuple, Protocol


class DeviceError(Exception):
    """A device refused, failed or vanished; the text names it and what was asked."""


class StaleReading(DeviceError):
    """The newest reading of a device is too old to act on."""


class PilotState(enum.Enum):
    """The states of the control pilot, IEC 61851-1: the level at the vehicle end, in volts."""

    A = "A"
    """12 V: nothing plugged in."""
    B = "B"
    """9 V: plugged in, not ready."""
    C = "C"
    """6 V: ready to charge."""
    D = "D"
    """3 V: ready, ventilation needed."""
    E = "E"
    """0 V: short circuit or charger off."""
    F = "F"
    """-12 V: charger not available."""


MAX_AGE_S = 1.0
"""A reading older than this is not acted on, unless its device says otherwise."""


class Reading(NamedTuple):
    """A measured value in its unit (V or A), the loop's time at which it was measured, and how old it may get, s."""

    value: float
    t: float
    max_age: float = MAX_AGE_S


UNREAD = Reading(math.nan, -math.inf)
"""Nothing was measured yet."""


def fresh(reading: Reading, now: float, what: str) -> float:
    """The value of a reading that is young enough and a number; StaleReading otherwise, naming `what` was measured."""
    age = now - reading.t
    if age > reading.max_age:
        if reading.t == -math.inf:
            raise StaleReading(f"{what}: there is no reading yet")
        raise StaleReading(f"{what}: the newest reading is {age:.1f} s old, at most {reading.max_age:g} s are safe")
    if not math.isfinite(reading.value):
        raise StaleReading(f"{what}: {reading.value} is no reading")
    return reading.value


class PilotView(NamedTuple):
    """What one end sees of the control pilot: the state, and the oscillator's duty cycle in percent (None: off)."""

    state: PilotState
    duty_percent: float | None


class VehiclePilot(Protocol):
    """The vehicle's end of the control pilot."""

    @property
    def view(self) -> PilotView:
        """The pilot now: state A while unplugged, the charger's duty cycle while its oscillator runs."""

    async def changed(self) -> PilotView:
        """Wait until the view differs from now; returns the new one."""

    async def set_state(self, state: PilotState) -> None:
        """Ask for state B, C or D by switching the vehicle's resistors; confirmed on return."""


class ChargerPilot(Protocol):
    """The charger's end of the control pilot."""

    @property
    def view(self) -> PilotView:
        """The pilot now: the state measured at the outlet and our own duty cycle."""

    async def changed(self) -> PilotView:
        """Wait until the view differs from now; returns the new one."""

    async def set_duty(self, percent: float | None) -> None:
        """Run the oscillator with this duty cycle (5 means digital communication), None: steady +12 V (X1)."""

    async def set_fault(self) -> None:
        """Steady -12 V: state F, charger not available."""


class Contactor(Protocol):
    """A pair of main contactors; `closed` is the confirmed state, not the wish."""

    @property
    def closed(self) -> bool: ...

    async def close(self) -> None:
        """Close; raises DeviceError if the contacts do not confirm within the device's time."""

    async def open(self) -> None:
        """Open; raises DeviceError if they stay closed (welded)."""


class Lock(Protocol):
    """The connector lock; `locked` is the confirmed state."""

    @property
    def locked(self) -> bool: ...

    async def lock(self) -> None: ...

    async def unlock(self) -> None: ...


class Supply(Protocol):
    """A DC power supply. It gives at most the set current at at most the set voltage."""

    max_voltage: float
    max_current: float
    max_power: float
    min_voltage: float
    min_current: float

    async def set(self, voltage: float, current: float) -> None:
        """Set-points in V and A; takes effect at once and ramps as the supply can."""

    async def off(self) -> None:
        """Output off: current to zero as fast as the supply can, returns when it is below 1 A."""

    @property
    def voltage(self) -> Reading:
        """Measured output voltage, V."""

    @property
    def current(self) -> Reading:
        """Measured output current, A, positive into the vehicle."""


class Voltmeter(Protocol):
    """A voltage measured somewhere: the inlet, the battery."""

    @property
    def voltage(self) -> Reading: ...


class IsolationMonitor(Protocol):
    """Measures the resistance of the high-voltage lines to earth."""

    async def measure(self) -> float:
        """One measurement with the voltage applied, in ohm; takes as long as the device takes."""


class Battery(Protocol):
    """What the vehicle's battery management tells."""

    @property
    def voltage(self) -> Reading:
        """Terminal voltage at the battery side of the contactors, V."""

    @property
    def soc_percent(self) -> float: ...

    @property
    def capacity_wh(self) -> float: ...

    @property
    def max_voltage(self) -> float: ...

    @property
    def max_current(self) -> float:
        """The current the battery takes now, A: falls as it gets full."""


class OnboardCharger(Protocol):
    """A vehicle's AC charger. Currents are a phase, A."""

    max_current: float
    min_current: float
    max_voltage: float
    phases: int

    async def draw(self, current: float) -> None:
        """Draw at most this from now on; 0 stops, confirmed on return."""

    @property
    def current(self) -> Reading:
        """What it draws, A a phase."""


class AcOutlet(Protocol):
    """An AC charger's connection: what it can give, its meter and its residual current device."""

    nominal_voltage: float
    """Between a phase and neutral, V."""
    max_current: float
    """A phase, A."""
    phases: int

    @property
    def rcd_tripped(self) -> bool: ...

    @property
    def current(self) -> Reading:
        """What flows, A a phase."""

    @property
    def energy_wh(self) -> float:
        """The meter's reading."""
