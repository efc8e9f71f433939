"""A vehicle, whichever energy it takes: what its user wants, its pilot, its schedule."""

from __future__ import annotations

import asyncio
import math
from typing import Annotated, Any, Literal

import msgspec

from ..hw.ports import DeviceError, Lock, PilotState, PilotView, VehiclePilot
from ..record import Pilot, Scribe, Switch
from ..v2g.control import Energy, Plan, Refused, Schedule, ScheduleEntry, Service
from .pwm import DIGITAL

OSCILLATOR_GRACE_S = 3.0
"""How long the oscillator may be off in a session: a charger may switch it off just before it says FAILED."""
TOGGLE_S = 0.3
"""State B to C and back, to wake a charger: 200 to 400 ms, ISO 15118-3 Table 3."""

WAKE_S = 10.0
"""How long a charger that was woken may take until its 5 % returns."""

DC_MODES = ("DC_extended", "DC_core", "DC_combo_core", "DC_unique")
Percent = Annotated[float, msgspec.Meta(ge=0, le=100)]
Positive = Annotated[float, msgspec.Meta(gt=0)]


class BulbSettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A lamp instead of a battery: V, A, s."""

    voltage: Annotated[float, msgspec.Meta(ge=50, le=500)] = 230.0
    current: Positive = 1.0
    """What is demanded; chargers with a minimum current need that much."""
    delay: Annotated[float, msgspec.Meta(ge=0)] = 6.6
    """From the first turn of the charge loop to the lamp."""


class Told(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Optional figures of ChargeParameterDiscoveryReq, word for word; what is absent is left out."""

    max_power: float | None = None
    capacity_wh: float | None = None
    energy_request_wh: float | None = None
    full_soc: Annotated[int, msgspec.Meta(ge=0, le=100)] | None = None
    bulk_soc: Annotated[int, msgspec.Meta(ge=0, le=100)] | None = None


class VehicleSettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """How a vehicle charges. Voltages in V, currents in A, power in W, energy in Wh, times in s, SoC in percent."""

    energy: Energy = "dc"
    """"dc" or "ac"; AC needs ISO 15118-2, or charges by the pilot's duty cycle alone."""
    target_soc: Percent = 80.0
    """Stop at this state of charge ..."""
    target_energy: Positive | None = None
    """... or when so much was charged ..."""
    target_time: Positive | None = None
    """... or after so long."""
    departure: Annotated[int, msgspec.Meta(ge=0)] | None = None
    """ISO 15118-2: told to the charger, which makes its schedule for it."""
    pause_at: Percent | None = None
    """ISO 15118-2: pause the session at this state of charge ..."""
    pause: Annotated[float, msgspec.Meta(ge=1)] = 60.0
    """... and resume it after so long."""
    services: tuple[int, ...] = ()
    """ISO 15118-2: ids of the value-added services to select where they are offered."""
    bulb: BulbSettings | None = None
    """DC: no car, a lamp; charges until the user or `target_time` ends it."""
    max_current: Positive = 125.0
    """AC: a phase."""
    max_power: Positive | None = None
    precharge_current: Annotated[float, msgspec.Meta(ge=0, le=2)] = 1.0
    """IEC 61851-23 CC.5.2: at most 2 A, and the cars of one group ask for these."""
    precharge_difference: Annotated[float, msgspec.Meta(gt=0, le=20)] = 10.0
    """V between inlet and battery at which contactors may close; the standard's limit is 20."""
    precharge_by: Literal["measured", "reported", "both"] = "both"
    """Whose voltage must agree with the battery's: "measured" at the inlet, "reported" by the charger, or "both"."""
    evccid: Annotated[str, msgspec.Meta(pattern="^([0-9a-fA-F]{2}){1,8}$")] | None = None
    """Hex digits; the interface's MAC when absent. ISO 15118-2 takes six bytes of it."""
    told: Told | None = None
    """DC: figures to tell instead of the battery's, to be taken for another vehicle."""


class PilotFault(Exception):
    """The control pilot says that charging must end now."""


class Vehicle:
    """What DC and AC vehicles share of `VehicleControl`."""

    energy: Energy = "dc"
    modes: tuple[str, ...] = ()

    def __init__(self, devices: Any, settings: VehicleSettings, evccid: bytes, scribe: Scribe) -> None:
        self.evccid = evccid
        self._devices = devices
        self._pilot_end: VehiclePilot = devices.pilot
        self._lock: Lock = devices.lock
        self._settings = settings
        self._scribe = scribe
        self._stop: str | None = None
        self._pausing = False
        self._paused_once = False
        self._renegotiate: str | None = None
        self._schedule: Schedule | None = None
        self._plan_since = 0.0
        self._charging_since: float | None = None
        self._now_current = math.inf
        self._reading_due = 0.0
        self.asleep = False
        """A pause: the charger may switch its oscillator off."""
        self.energy_wh = 0.0

    # what the session asks

    def departure(self) -> int | None:
        return self._settings.departure

    def services(self, offered: tuple[Service, ...]) -> tuple[Service, ...]:
        return tuple(service for service in offered if service.id in self._settings.services)

    def plan(self, schedules: tuple[Schedule, ...], max_power: float) -> Plan:
        """The first schedule, the charger's default, with all the power it allows and we can take."""
        ours = min(max_power, self._settings.max_power or max_power)
        if not schedules:
            self._schedule = None
            return Plan(1, ())
        chosen = self._schedule = schedules[0]
        self._plan_since = self._now()
        return Plan(chosen.id, tuple(ScheduleEntry(e.start, min(e.max_power, ours)) for e in chosen.entries))

    def stop_wanted(self) -> str | None:
        if self._stop is None and self._charging_since is not None:
            self._stop = self._reached(self._charging_since)
        return self._stop

    def _reached(self, since: float) -> str | None:
        wish, soc = self._settings, self._soc()
        if soc is not None and soc >= wish.target_soc:
            return f"target of {wish.target_soc:g} % reached"
        if wish.target_energy is not None and self.energy_wh >= wish.target_energy:
            return f"target of {wish.target_energy:g} Wh reached"
        if wish.target_time is not None and self._now() - since >= wish.target_time:
            return f"target of {wish.target_time:g} s reached"
        if wish.pause_at is not None and soc is not None and soc >= wish.pause_at and not self._paused_once:
            self._pausing = self._paused_once = True
            return f"pause at {wish.pause_at:g} %"
        return None

    def pause_wanted(self) -> bool:
        return self._pausing

    def renegotiation_wanted(self) -> str | None:
        wanted, self._renegotiate = self._renegotiate, None
        if wanted is None and self._schedule and self._now() - self._plan_since >= self._schedule.duration:
            wanted = "the schedule is over [V2G2-305]"
        return wanted

    async def power_off(self) -> None:
        await self._pilot(PilotState.B)
        self._scribe.checkpoint(810)

    async def release(self) -> None:
        if self._pausing:  # the connector stays locked over a pause
            return
        await self._lock.unlock()
        self._scribe(Switch(device="lock", state="unlocked"))
        self._scribe.checkpoint(910)

    # what the user and the world ask

    def stop(self, reason: str) -> None:
        """Ask for an orderly stop; the first reason counts."""
        self._stop = self._stop or reason

    def limit(self, max_current: float | None) -> None:
        """Ask for at most this from now on, A (AC: a phase); None: what the settings say."""
        self._now_current = math.inf if max_current is None else max_current

    def ask_renegotiation(self, reason: str) -> None:
        """Ask for new parameters and a new schedule (ISO 15118-2)."""
        self._renegotiate = reason

    async def sleep(self) -> None:
        """The session is paused: wait for its end or for the charger's 5 %, or wake the charger with a toggle.

        Raises PilotFault when it does not come.
        """
        self.asleep = True
        try:
            self._scribe.note(f"paused for {self._settings.pause:g} s")
            await self._duty(False, OSCILLATOR_GRACE_S)
            if not await self._duty(True, self._settings.pause):
                await self.toggle(1)
                if not await self._duty(True, WAKE_S):
                    raise PilotFault(f"the charger does not wake up from the pause within {WAKE_S:g} s")
        finally:
            self.asleep = False
        self._stop, self._pausing, self._charging_since = None, False, None

    async def _duty(self, on: bool, seconds: float) -> bool:
        """Wait for the charger's 5 % to come or to go; False when it does not in time."""
        try:
            async with asyncio.timeout(seconds):
                while _digital(self._pilot_end.view) is not on:
                    await self._pilot_end.changed()
        except TimeoutError:
            return False
        return True

    async def toggle(self, times: int) -> None:
        """BCB toggles: state B to C and back."""
        for _ in range(times):
            for state in (PilotState.C, PilotState.B):
                await self._pilot(state)
                await asyncio.sleep(TOGGLE_S)

    async def watch_pilot(self) -> None:
        """Return never; PilotFault when the pilot ends charging: unplugged, state E or F, oscillator gone."""
        pilot = self._pilot_end
        while True:
            view = pilot.view
            self._fault(view)
            if view.duty_percent is None and not self.asleep:
                try:
                    async with asyncio.timeout(OSCILLATOR_GRACE_S):
                        view = await pilot.changed()
                except TimeoutError:
                    if self.asleep:
                        continue
                    raise PilotFault(f"the charger's oscillator is off for {OSCILLATOR_GRACE_S:g} s") from None
            else:
                view = await pilot.changed()
            self._scribe(Pilot(state=view.state.value, duty_percent=view.duty_percent))

    @staticmethod
    def _fault(view: PilotView) -> None:
        if view.state is PilotState.A:
            raise PilotFault("unplugged during the session (state A)")
        if view.state in (PilotState.E, PilotState.F):
            raise PilotFault(f"the charger is not available (state {view.state.value})")

    # helpers

    def _soc(self) -> float | None:
        """State of charge in percent; None when nobody tells it."""
        raise NotImplementedError

    def _planned_power(self) -> float | None:
        """What the schedule allows now, W; None without one."""
        if self._schedule is None or not self._schedule.entries:
            return None
        return self._schedule.power_at(self._now() - self._plan_since)

    async def _locked(self) -> None:
        await self._lock.lock()
        self._scribe.checkpoint(555)
        if not self._lock.locked:
            raise Refused("the connector lock does not confirm")
        self._scribe(Switch(device="lock", state="locked"))
        self._scribe.checkpoint(556)

    async def _pilot(self, state: PilotState) -> None:
        await self._pilot_end.set_state(state)
        view = self._pilot_end.view
        if view.state is not state:
            raise DeviceError(f"the pilot is in state {view.state.value} and not in {state.value} as asked")

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


def _digital(view: PilotView) -> bool:
    return view.duty_percent is not None and DIGITAL[0] <= view.duty_percent <= DIGITAL[1]
