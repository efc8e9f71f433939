"""The ports upward: everything a session asks of a vehicle or of a charger.

A session (storey 4) knows messages, sequence and time; the station (storey 5) knows batteries, contactors and people. A
coroutine here may take its time: a charger's session answers Ongoing meanwhile. One that cannot be fulfilled raises
`Refused`, whose text is shown to the user and whose code goes to the peer. No session knows who answers: the plant,
hardware or a remote host.

Units: V, A, W, Wh, s, percent.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, Protocol

Energy = Literal["dc", "ac"]


class Refused(Exception):
    """The station cannot do what the session asked; `code` is the response code that says so to the peer."""

    def __init__(self, reason: str, code: str = "FAILED") -> None:
        super().__init__(reason)
        self.code = code


class VehicleLimits(NamedTuple):
    """What a vehicle tells in ChargeParameterDiscoveryReq; None: not told. Zero energy means unknown."""

    max_voltage: float
    max_current: float
    max_power: float | None = None
    capacity: float | None = None
    energy_request: float | None = None
    full_soc: int | None = None
    bulk_soc: int | None = None


class VehicleStatus(NamedTuple):
    """DC_EVStatus: ready to charge, error (DC_EVErrorCode, 0 is none), state of charge in percent."""

    ready: bool
    error: int
    soc: int


class Demand(NamedTuple):
    """What a vehicle asks in each turn of the charge loop; limits it tells with it are None where it tells none."""

    voltage: float
    current: float
    complete: bool = False
    bulk_complete: bool = False
    seconds_to_full: float | None = None
    seconds_to_bulk: float | None = None
    max_voltage: float | None = None
    max_current: float | None = None
    max_power: float | None = None


class ChargerOffer(NamedTuple):
    """What a charger can do, told in ChargeParameterDiscoveryRes."""

    max_voltage: float
    max_current: float
    max_power: float | None
    min_voltage: float
    min_current: float
    ripple: float = 1.0
    tolerance: float | None = None


class Delivered(NamedTuple):
    """What a charger gives now, with its limits of the moment and which of them holds the output."""

    voltage: float
    current: float
    max_voltage: float
    max_current: float
    max_power: float
    voltage_limited: bool = False
    current_limited: bool = False
    power_limited: bool = False


class AcOffer(NamedTuple):
    """What an AC charger can do: volts between a phase and neutral, amperes a phase."""

    nominal_voltage: float
    max_current: float
    phases: int


class AcVehicleLimits(NamedTuple):
    """What a vehicle tells in ChargeParameterDiscoveryReq for AC: Wh wanted, V, amperes a phase."""

    energy: float
    max_voltage: float
    max_current: float
    min_current: float


class ScheduleEntry(NamedTuple):
    """From `start` seconds on (counted from now), at most `max_power` watt, until the next entry begins."""

    start: int
    max_power: float


class Schedule(NamedTuple):
    """A schedule of maximum power (SAScheduleTuple) that ends `duration` seconds from now."""

    id: int
    entries: tuple[ScheduleEntry, ...]
    duration: int = 86_400

    def power_at(self, t: float) -> float:
        """What the schedule allows `t` seconds from its beginning, W; 0 outside."""
        if not 0 <= t < self.duration:
            return 0.0
        return next((e.max_power for e in reversed(self.entries) if e.start <= t), 0.0)

    def later(self, seconds: float) -> Schedule:
        """The same schedule, told `seconds` later [V2G2-741]."""
        shift = round(seconds)
        running = [e._replace(start=0) for e in self.entries if e.start <= shift][-1:]
        coming = [e._replace(start=e.start - shift) for e in self.entries if e.start > shift]
        return Schedule(self.id, (*running, *coming), max(0, self.duration - shift))


class Plan(NamedTuple):
    """The schedule a vehicle chose and the power it means to take (ChargingProfile)."""

    schedule: int
    entries: tuple[ScheduleEntry, ...]


class Service(NamedTuple):
    """A value-added service: its id, name, category as the schema writes it, and parameter sets by their id."""

    id: int
    name: str | None = None
    category: str = "OtherCustom"
    scope: str | None = None
    free: bool = True
    sets: dict[int, dict[str, bool | int | float | str]] = {}


class Meter(NamedTuple):
    """A meter's name and reading, Wh."""

    id: str
    energy_wh: int


class Kept(NamedTuple):
    """What a charger keeps of a paused session [V2G2-741]; `since` is the loop time of the pause, s."""

    session_id: bytes
    evccid: bytes
    mode: str
    schedule: Schedule | None
    since: float


class VehicleControl(Protocol):
    """What every vehicle's session asks of its vehicle."""

    evccid: bytes
    energy: Energy
    modes: tuple[str, ...]
    """EnergyTransferMode it can use, the best first."""

    def departure(self) -> int | None:
        """Seconds until the user wants to leave; None: unknown."""

    def services(self, offered: tuple[Service, ...]) -> tuple[Service, ...]:
        """Which of the offered value-added services to select; their parameter sets are asked for before."""

    def plan(self, schedules: tuple[Schedule, ...], max_power: float) -> Plan:
        """Choose a schedule and the power to take, at most `max_power` W, which is what the charger's limits allow."""

    def stop_wanted(self) -> str | None:
        """Why the vehicle wants to stop now (target reached, user), or None."""

    def pause_wanted(self) -> bool:
        """Whether the stop is a pause: the session is to be resumed later."""

    def renegotiation_wanted(self) -> str | None:
        """Why the vehicle wants new parameters or a new schedule now, or None; asked once."""

    async def power_off(self) -> None:
        """Power is off: pilot to state B."""

    async def release(self) -> None:
        """The session ended in order: unlock."""


class DcVehicleControl(VehicleControl, Protocol):
    """What a DC session asks besides."""

    def status(self) -> VehicleStatus: ...

    def limits(self) -> VehicleLimits: ...

    async def prepare(self, offer: ChargerOffer) -> None:
        """Judge the offer, lock the connector, pilot to state C, all confirmed. Refused if it does not fit."""

    def precharge_demand(self) -> Demand:
        """Target of the next PreChargeReq: the battery's voltage, and a current below 2 A."""

    def precharged(self, reported_voltage: float) -> bool:
        """Whether inlet and battery agree, by measurement and by the charger's report, so that contactors may close."""

    async def close_contactors(self) -> None:
        """Close and confirm; Refused if they do not. Nothing to do where they are closed."""

    def demand(self) -> Demand:
        """Target of the next CurrentDemandReq. Refused when a measurement is missing or impossible."""

    def observe(self, delivered: Delivered) -> None:
        """The charger's report of the charge loop. Refused when it is out of the agreed limits."""

    async def ramp_down(self) -> bool:
        """Whether the current is low enough (below 1 A) for PowerDelivery stop."""

    async def open_contactors(self) -> None:
        """Open, one measurement of welding detection may follow."""

    def welding_checked(self, reported_voltage: float) -> bool:
        """Judge the voltage after the contactors opened; True when the detection may end."""


class AcVehicleControl(VehicleControl, Protocol):
    """What an AC session asks besides."""

    def ac_limits(self) -> AcVehicleLimits: ...

    async def prepare_ac(self, offer: AcOffer) -> None:
        """Judge the offer and lock the connector, confirmed. Refused if it does not fit."""

    async def power_on_ac(self) -> None:
        """PowerDeliveryReq start was sent: pilot to state C, confirmed [V2G2-847]."""

    async def draw(self, max_current: float | None, rcd_tripped: bool) -> None:
        """Draw at most `max_current` amperes a phase (None: what the offer said) and what the pilot's duty cycle
        allows. Refused when the charger's protection has tripped."""

    async def stop_drawing(self) -> None:
        """No more current, confirmed."""


class ChargerControl(Protocol):
    """What every charger's session asks of its charger."""

    evse_id: bytes
    """As DIN 70121 wants it; empty when unknown."""
    evse_name: str
    """As ISO 15118 wants it: 7 to 37 characters."""
    energy: Energy
    modes: tuple[str, ...]
    """EnergyTransferMode it offers."""
    services: tuple[Service, ...]
    """The catalogue of value-added services."""
    kept: Kept | None
    """A paused session that may be resumed; the session writes it."""

    def vehicle(self, evccid: bytes) -> None:
        """A vehicle has introduced itself."""

    def timestamp(self) -> int | None:
        """Unix time, s; None when there is no clock worth telling."""

    async def authorise(self) -> None:
        """Return when charging is allowed; Refused when it is not."""

    def schedules(self, mode: str, departure: int | None) -> tuple[Schedule, ...]:
        """One to three schedules for this vehicle, the default first."""

    def planned(self, schedule: Schedule, plan: Plan | None) -> None:
        """The vehicle chose this schedule and means to take this power (None: all of it)."""

    async def start(self) -> None:
        """PowerDelivery start: DC ready, or AC contactor closed and confirmed. Refused with
        FAILED_PowerDeliveryNotApplied or FAILED_ContactorError when we cannot."""

    async def stop(self) -> None:
        """PowerDelivery stop: current to zero, AC contactor open, confirmed."""

    def meter(self) -> Meter | None:
        """The energy meter, if there is one."""

    def stop_wanted(self) -> str | None:
        """Why the charger wants to stop now (user, fault), or None."""

    def stop_delay(self) -> int:
        """In how many seconds it wants to have stopped; 0: at once."""

    def renegotiation_wanted(self) -> bool:
        """Whether the charger wants new parameters or a new schedule."""

    def renegotiated(self) -> None:
        """The vehicle has taken up a renegotiation."""

    async def finished(self) -> None:
        """The session ended in order."""


class DcChargerControl(ChargerControl, Protocol):
    """What a DC session asks besides."""

    def offer(self) -> ChargerOffer: ...

    async def agree(self, limits: VehicleLimits, soc: int) -> None:
        """Judge the vehicle's limits against ours; Refused with FAILED_WrongChargeParameter if they do not fit."""

    async def power_ready(self, timeout: float) -> bool:
        """Whether the pilot is in state C or D within `timeout` seconds [V2G-DC-967, V2G2-917]."""

    async def cable_check(self) -> None:
        """Apply the test voltage, measure the isolation; Refused on a fault."""

    async def precharge(self, voltage: float, current: float) -> float:
        """Set-points of PreChargeReq; the present voltage."""

    async def deliver(self, demand: Demand) -> Delivered:
        """Set-points of CurrentDemandReq, clamped to our limits; what we give now."""

    async def hold(self) -> None:
        """No demand came in time: current to zero until the next one."""

    async def power_left(self, timeout: float) -> bool:
        """Whether the pilot is back in state B (or A) within `timeout` seconds [V2G-DC-556, V2G2-920]."""

    async def residual_voltage(self) -> float:
        """The voltage at the outlet with the supply off, V."""


class AcChargerControl(ChargerControl, Protocol):
    """What an AC session asks besides."""

    def ac_offer(self) -> AcOffer: ...

    async def agree_ac(self, limits: AcVehicleLimits) -> None:
        """Judge the vehicle's limits; Refused with FAILED_WrongChargeParameter if they do not fit."""

    def ac_limit(self) -> float:
        """What a phase may give now, A."""

    def rcd_tripped(self) -> bool:
        """Whether the residual current device has tripped."""
