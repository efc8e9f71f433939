"""A charger and a vehicle that do as they are told: control ports for session tests, of every generation and energy."""

from __future__ import annotations

import asyncio

from pyplc.v2g.control import (
    AcOffer,
    AcVehicleLimits,
    ChargerOffer,
    Delivered,
    Demand,
    Energy,
    Kept,
    Meter,
    Plan,
    Refused,
    Schedule,
    ScheduleEntry,
    Service,
    VehicleLimits,
    VehicleStatus,
)


class ObedientCharger:
    """Does everything at once; `refuse` names the question it refuses, `slow` how long each takes."""

    evse_id = b"\0"
    evse_name = "DE*PNX*E1"

    def __init__(self, refuse: str = "", code: str = "FAILED", slow: float = 0.0, energy: Energy = "dc") -> None:
        self.refuse, self.code, self.slow = refuse, code, slow
        self.energy = energy
        self.modes: tuple[str, ...] = ("DC_extended",) if energy == "dc" else ("AC_three_phase_core",)
        self.services: tuple[Service, ...] = ()
        self.kept: Kept | None = None
        self.stop_reason: str | None = None
        self.delay = 0
        self.renegotiate = False
        self.in_c = self.in_b = True
        self.offered: tuple[Schedule, ...] = (Schedule(1, (ScheduleEntry(0, 50_000),)),)
        self.chosen: tuple[Schedule, Plan | None] | None = None
        self.reading: Meter | None = None
        self.tripped = False
        self.calls: list[str] = []

    async def _did(self, name: str) -> None:
        self.calls.append(name)
        if self.slow:
            await asyncio.sleep(self.slow)
        if name == self.refuse:
            raise Refused(f"{name} refused", self.code)

    def vehicle(self, evccid: bytes) -> None:
        self.calls.append("vehicle")

    def timestamp(self) -> int | None:
        return 1_700_000_000

    async def authorise(self) -> None:
        await self._did("authorise")

    def schedules(self, mode: str, departure: int | None) -> tuple[Schedule, ...]:
        return self.offered

    def planned(self, schedule: Schedule, plan: Plan | None) -> None:
        self.chosen = schedule, plan

    async def start(self) -> None:
        await self._did("start")

    async def stop(self) -> None:
        self.calls.append("stop")

    def meter(self) -> Meter | None:
        return self.reading

    def stop_wanted(self) -> str | None:
        return self.stop_reason

    def stop_delay(self) -> int:
        return self.delay

    def renegotiation_wanted(self) -> bool:
        return self.renegotiate

    def renegotiated(self) -> None:
        self.renegotiate = False
        self.calls.append("renegotiated")

    async def finished(self) -> None:
        self.calls.append("finished")

    # DC

    def offer(self) -> ChargerOffer:
        return ChargerOffer(500, 125, 50_000, 150, 1)

    async def agree(self, limits: VehicleLimits, soc: int) -> None:
        await self._did("agree")

    async def power_ready(self, timeout: float) -> bool:
        return self.in_c

    async def cable_check(self) -> None:
        await self._did("cable_check")

    async def precharge(self, voltage: float, current: float) -> float:
        self.calls.append("precharge")
        return voltage

    async def deliver(self, demand: Demand) -> Delivered:
        self.calls.append("deliver")
        return Delivered(demand.voltage, demand.current, 500, 125, 50_000)

    async def hold(self) -> None:
        self.calls.append("hold")

    async def power_left(self, timeout: float) -> bool:
        return self.in_b

    async def residual_voltage(self) -> float:
        return 12.0

    # AC

    def ac_offer(self) -> AcOffer:
        return AcOffer(230, 16, 3)

    async def agree_ac(self, limits: AcVehicleLimits) -> None:
        await self._did("agree")

    def ac_limit(self) -> float:
        return 16.0

    def rcd_tripped(self) -> bool:
        return self.tripped


class WillingVehicle:
    """Charges for a few turns; what it did is in `calls`."""

    evccid = bytes(6)

    def __init__(self, turns: int = 3, energy: Energy = "dc") -> None:
        self.turns = turns
        self.energy = energy
        self.modes: tuple[str, ...] = ("DC_extended", "DC_core") if energy == "dc" else ("AC_three_phase_core",)
        self.pause = False
        self.wants: tuple[int, ...] = ()
        self.renegotiations: list[str] = []
        self.chosen: tuple[Schedule, ...] = ()
        self.offer: ChargerOffer | AcOffer | None = None
        self.limit_told: float | None = None
        self.calls: list[str] = []

    def departure(self) -> int | None:
        return 7200

    def services(self, offered: tuple[Service, ...]) -> tuple[Service, ...]:
        return tuple(s for s in offered if s.id in self.wants)

    def plan(self, schedules: tuple[Schedule, ...], max_power: float) -> Plan:
        self.chosen = schedules
        return Plan(schedules[0].id, schedules[0].entries) if schedules else Plan(1, ())

    def stop_wanted(self) -> str | None:
        return "enough" if self.turns <= 0 else None

    def pause_wanted(self) -> bool:
        return self.pause

    def renegotiation_wanted(self) -> str | None:
        return self.renegotiations.pop() if self.renegotiations else None

    async def power_off(self) -> None:
        self.calls.append("state B")

    async def release(self) -> None:
        self.calls.append("release")

    # DC

    def status(self) -> VehicleStatus:
        return VehicleStatus(True, 0, 50)

    def limits(self) -> VehicleLimits:
        return VehicleLimits(400, 100, 40_000, 50_000, 20_000)

    async def prepare(self, offer: ChargerOffer) -> None:
        self.offer = offer
        self.calls.append("prepare")

    def precharge_demand(self) -> Demand:
        return Demand(380, 1)

    def precharged(self, reported_voltage: float) -> bool:
        return abs(reported_voltage - 380) < 10

    async def close_contactors(self) -> None:
        self.calls.append("close")

    def demand(self) -> Demand:
        return Demand(400, 50)

    def observe(self, delivered: Delivered) -> None:
        self.turns -= 1

    async def ramp_down(self) -> bool:
        return True

    async def open_contactors(self) -> None:
        self.calls.append("open")

    def welding_checked(self, reported_voltage: float) -> bool:
        return reported_voltage < 300

    # AC

    def ac_limits(self) -> AcVehicleLimits:
        return AcVehicleLimits(20_000, 400, 16, 6)

    async def prepare_ac(self, offer: AcOffer) -> None:
        self.offer = offer
        self.calls.append("prepare")

    async def power_on_ac(self) -> None:
        self.calls.append("state C")

    async def draw(self, max_current: float | None, rcd_tripped: bool) -> None:
        self.limit_told = max_current
        self.turns -= 1

    async def stop_drawing(self) -> None:
        self.calls.append("no current")
