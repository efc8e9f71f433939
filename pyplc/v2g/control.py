"""The ports upward: everything a session asks of a vehicle or of a charger.

A session (storey 4) knows messages, sequence and time; the station (storey 5) knows batteries, contactors and people. A
coroutine here may take its time: a charger's session answers Ongoing meanwhile. One that cannot be fulfilled raises
`Refused`, whose text is shown to the user and whose code goes to the peer. No session knows who answers: the plant,
hardware or a remote host.

Units: V, A, W, Wh, s, percent.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol


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
    """What a vehicle asks in each turn of the charge loop."""

    voltage: float
    current: float
    complete: bool = False
    bulk_complete: bool = False
    seconds_to_full: float | None = None
    seconds_to_bulk: float | None = None


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


class VehicleControl(Protocol):
    """What a vehicle's session asks of its vehicle."""

    evccid: bytes

    def status(self) -> VehicleStatus: ...

    def limits(self) -> VehicleLimits: ...

    async def prepare(self, offer: ChargerOffer) -> None:
        """Judge the offer, lock the connector, pilot to state C, all confirmed. Refused if it does not fit."""

    def precharge_demand(self) -> Demand:
        """Target of the next PreChargeReq: the battery's voltage, and a current below 2 A."""

    def precharged(self, reported_voltage: float) -> bool:
        """Whether inlet and battery agree, by measurement and by the charger's report, so that contactors may close."""

    async def close_contactors(self) -> None:
        """Close and confirm; Refused if they do not."""

    def demand(self) -> Demand:
        """Target of the next CurrentDemandReq. Refused when a measurement is missing or impossible."""

    def observe(self, delivered: Delivered) -> None:
        """The charger's report of the charge loop. Refused when it is out of the agreed limits."""

    def stop_wanted(self) -> str | None:
        """Why the vehicle wants to stop now (target reached, user), or None."""

    async def ramp_down(self) -> bool:
        """Whether the current is low enough (below 1 A) for PowerDelivery stop."""

    async def power_off(self) -> None:
        """After PowerDeliveryRes stop: pilot to state B."""

    async def open_contactors(self) -> None:
        """Open, one measurement of welding detection may follow."""

    def welding_checked(self, reported_voltage: float) -> bool:
        """Judge the voltage after the contactors opened; True when the detection may end."""

    async def release(self) -> None:
        """The session ended in order: unlock."""


class ChargerControl(Protocol):
    """What a charger's session asks of its charger."""

    evse_id: bytes

    def offer(self) -> ChargerOffer: ...

    def vehicle(self, evccid: bytes) -> None:
        """A vehicle has introduced itself."""

    async def authorise(self) -> None:
        """Return when charging is allowed; Refused when it is not."""

    async def agree(self, limits: VehicleLimits, soc: int) -> None:
        """Judge the vehicle's limits against ours; Refused with FAILED_WrongChargeParameter if they do not fit."""

    async def power_ready(self, timeout: float) -> bool:
        """Whether the pilot is in state C or D within `timeout` seconds [V2G-DC-967]."""

    async def cable_check(self) -> None:
        """Apply the test voltage, measure the isolation; Refused on a fault."""

    async def precharge(self, voltage: float, current: float) -> float:
        """Set-points of PreChargeReq; the present voltage."""

    async def start(self) -> None:
        """PowerDelivery start; Refused with FAILED_PowerDeliveryNotApplied when we cannot."""

    async def deliver(self, demand: Demand) -> Delivered:
        """Set-points of CurrentDemandReq, clamped to our limits; what we give now."""

    async def hold(self) -> None:
        """No demand came in time: current to zero until the next one."""

    async def stop(self) -> None:
        """PowerDelivery stop: current to zero, confirmed."""

    async def power_left(self, timeout: float) -> bool:
        """Whether the pilot is back in state B (or A) within `timeout` seconds [V2G-DC-556, V2G-DC-988]."""

    async def residual_voltage(self) -> float:
        """The voltage at the outlet with the supply off, V."""

    def stop_wanted(self) -> str | None:
        """Why the charger wants to stop now (user, fault), or None."""

    async def finished(self) -> None:
        """The session ended in order."""
