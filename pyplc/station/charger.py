"""A charger, whichever energy it gives: what its operator wants, its pilot, its schedules, its services."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec

from ..hw.ports import ChargerPilot, PilotState
from ..record import Pilot, Scribe
from ..v2g.control import Energy, Kept, Meter, Plan, Refused, Schedule, ScheduleEntry, Service

POWERED = (PilotState.C, PilotState.D)
STOP_GRACE_S = 10.0
"""In which a vehicle that was asked to stop must have done so, besides the delay it was given."""
Positive = Annotated[float, msgspec.Meta(gt=0)]


class ScheduleStep(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """From `start` seconds on at most `max_power` watt."""

    start: Annotated[int, msgspec.Meta(ge=0, le=86_400)]
    max_power: Annotated[float, msgspec.Meta(ge=0)]


class ServiceSettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A value-added service of ISO 15118-2, as Table 105 names them: 2 Certificate, 3 InternetAccess, 4 and above."""

    id: Annotated[int, msgspec.Meta(ge=2, le=0xFFFF)]
    name: Annotated[str, msgspec.Meta(max_length=32)] | None = None
    category: Literal["Internet", "ContractCertificate", "OtherCustom"] = "OtherCustom"
    scope: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    free: bool = True
    sets: dict[str, dict[str, bool | int | float | str]] = {}
    """Parameter sets by their number: name and value of each parameter."""

    def __post_init__(self) -> None:
        if not all(number.lstrip("-").isdigit() and -0x8000 <= int(number) <= 0x7FFF for number in self.sets):
            raise ValueError("the parameter sets of a service are named by numbers")


class ChargerSettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What a charger offers; None takes the supply's own limit. V, A, W, s."""

    energy: Energy = "dc"
    """"dc" or "ac"; AC needs ISO 15118-2, or charges by the pilot's duty cycle alone."""
    communication: Literal["digital", "auto", "none", "soc"] = "auto"
    """AC: "digital" wants ISO 15118-2, "none" charges by the duty cycle alone, "auto" falls back to it; "soc" reads
    the vehicle's state of charge in a DC session without power first."""
    evse_id: Annotated[str, msgspec.Meta(pattern="^([0-9a-fA-F]{2}){1,32}$")] = "00"
    """Hex digits of the EVSEID of DIN 70121; 00 when unknown [V2G-DC-620]."""
    evse_name: Annotated[str, msgspec.Meta(min_length=7, max_length=37)] = "ZZ00000"
    """EVSEID of ISO 15118-2; ZZ00000 when unknown."""
    max_voltage: Positive | None = None
    max_current: Positive | None = None
    """AC: a phase."""
    max_power: Positive | None = None
    discharge: Annotated[float, msgspec.Meta(gt=0, le=50)] | None = None
    """DC, discharge demo: in the charge loop the supply stays so many volts below the voltage of pre-charge and the
    load is connected, so that the vehicle feeds it."""
    authorisation_s: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    """How long authorisation takes; 0 is free charging."""
    parameters_s: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    """DC: how long the offer takes to be worked out."""
    cable_check_s: Annotated[float, msgspec.Meta(ge=0, le=60)] = 0.0
    """DC: how long the cable check takes at least, as where the isolation monitor tests itself first."""
    answer_s: Annotated[float, msgspec.Meta(ge=0, le=2)] = 0.0
    """How long each answer is held back, to be taken for a slower charger."""
    ripple: Annotated[float, msgspec.Meta(ge=0)] = 1.0
    """DC: EVSEPeakCurrentRipple, A."""
    tolerance: Annotated[float, msgspec.Meta(ge=0)] | None = None
    """DC: EVSECurrentRegulationTolerance, A; left out when absent."""
    stop_delay: Annotated[int, msgspec.Meta(ge=0, le=0xFFFF)] = 0
    """ISO 15118-2: how many seconds a vehicle gets when it is asked to stop."""
    meter: Annotated[str, msgspec.Meta(max_length=32)] | None = None
    """ISO 15118-2: the meter's name; without one no reading is told."""
    schedules: Annotated[tuple[tuple[ScheduleStep, ...], ...], msgspec.Meta(max_length=3)] = ()
    """ISO 15118-2: up to three schedules of power, the default first; none: full power for 24 hours."""
    services: Annotated[tuple[ServiceSettings, ...], msgspec.Meta(max_length=8)] = ()
    """ISO 15118-2: value-added services, offered over TLS."""


class PilotFault(Exception):
    """The control pilot says that charging must end now."""


class Charger:
    """What DC and AC chargers share of `ChargerControl`."""

    energy: Energy = "dc"
    modes: tuple[str, ...] = ()

    def __init__(
        self, devices: Any, settings: ChargerSettings, scribe: Scribe, wall: Callable[[], float] | None = None
    ) -> None:
        self.evse_id = bytes.fromhex(settings.evse_id)
        self.evse_name = settings.evse_name
        self.services = tuple(_service(told) for told in settings.services)
        self.kept: Kept | None = None
        self.evccid = b""
        self._pilot_end: ChargerPilot = devices.pilot
        self._settings = settings
        self._scribe = scribe
        self._wall = wall
        self._stop: str | None = None
        self._stop_since = 0.0
        self._renegotiate = False
        self._schedule: Schedule | None = None
        self._schedule_since = 0.0
        self._reading_due = 0.0
        self.asleep = False
        """A pause: the oscillator is off."""
        self._waking = False
        self._woken = asyncio.Event()
        self.energy_wh = 0.0

    # what the session asks

    def vehicle(self, evccid: bytes) -> None:
        self.evccid = evccid
        self._scribe.note(f"vehicle {evccid.hex(':') or '(no id)'}")

    def timestamp(self) -> int | None:
        return None if self._wall is None else int(self._wall())

    async def authorise(self) -> None:
        await asyncio.sleep(self._settings.authorisation_s)

    def schedules(self, mode: str, departure: int | None) -> tuple[Schedule, ...]:
        """The settings' schedules, or full power; as long as the vehicle stays, at least 24 h without a word of it
        [V2G2-303, V2G2-304]."""
        duration = departure or 86_400
        most = self._full_power(mode)
        if not self._settings.schedules:
            return (Schedule(1, (ScheduleEntry(0, most),), duration),)
        return tuple(
            Schedule(number, tuple(ScheduleEntry(s.start, min(s.max_power, most)) for s in steps), duration)
            for number, steps in enumerate(self._settings.schedules, 1)
            if steps
        )

    def _full_power(self, mode: str) -> float:
        """What the hardware can in this mode, W, rounded up: vehicles compute 3 x 230 V x 16 A themselves."""
        raise NotImplementedError

    def planned(self, schedule: Schedule, plan: Plan | None) -> None:
        self._schedule, self._schedule_since = schedule, self._now()

    def _planned_power(self) -> float:
        """What the chosen schedule allows now, W; no limit without one."""
        if self._schedule is None:
            return math.inf
        return self._schedule.power_at(self._now() - self._schedule_since)

    def meter(self) -> Meter | None:
        return None if self._settings.meter is None else Meter(self._settings.meter, round(self.energy_wh))

    def stop_wanted(self) -> str | None:
        return self._stop

    def _obeyed(self) -> None:
        """Refused when a vehicle that was asked to stop has not done so in its time."""
        patience = self._settings.stop_delay + STOP_GRACE_S
        if self._stop is not None and self._now() - self._stop_since >= patience:
            raise Refused(f"the vehicle did not stop within {patience:g} s: {self._stop}")

    def stop_delay(self) -> int:
        gone = self._now() - self._stop_since
        return max(0, round(self._settings.stop_delay - gone))

    def renegotiation_wanted(self) -> bool:
        return self._renegotiate

    def renegotiated(self) -> None:
        self._renegotiate = False

    # what the user and the world ask

    def request_stop(self, reason: str) -> None:
        """Ask the vehicle to stop; the first reason counts."""
        if self._stop is None:
            self._stop, self._stop_since = reason, self._now()

    def request_renegotiation(self) -> None:
        """Ask the vehicle for a renegotiation (ISO 15118-2)."""
        self._renegotiate = True

    def reschedule(self, schedules: tuple[tuple[ScheduleStep, ...], ...]) -> None:
        """New schedules; a running ISO 15118-2 session is asked to renegotiate."""
        self._settings = msgspec.structs.replace(self._settings, schedules=schedules)
        self.request_renegotiation()

    def wake(self) -> None:
        """End a pause from our side: B1 to B2."""
        self._woken.set()

    async def sleep(self) -> None:
        """The session is paused: oscillator off until the vehicle toggles its pilot (BCB) or we are woken."""
        self.asleep = True
        pilot = self._pilot_end
        await pilot.set_duty(None)
        self._scribe(Pilot(state=pilot.view.state.value, duty_percent=None))
        self._woken.clear()
        woken = asyncio.ensure_future(self._woken.wait())
        toggled = asyncio.ensure_future(self._toggled())
        try:
            await asyncio.wait({woken, toggled}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            woken.cancel()
            toggled.cancel()
            self.asleep = False
        self._stop = None

    async def _toggled(self) -> None:
        pilot = self._pilot_end
        for wanted in (PilotState.C, PilotState.B):
            while pilot.view.state is not wanted:
                await pilot.changed()

    async def rouse(self, seconds: float, duty: float) -> None:
        """State F for so long, then the oscillator again: a vehicle that sleeps looks up (ISO 15118-3)."""
        pilot = self._pilot_end
        self._waking = True
        try:
            await pilot.set_fault()
            await asyncio.sleep(seconds)
            await pilot.set_duty(duty)
        finally:
            self._waking = False

    # helpers

    async def _pilot_in(self, states: tuple[PilotState, ...], timeout: float) -> bool:
        pilot = self._pilot_end
        try:
            async with asyncio.timeout(timeout):
                while pilot.view.state not in states:
                    await pilot.changed()
        except TimeoutError:
            return False
        return True

    def _unplugged_or_faulty(self, state: PilotState) -> None:
        if state is PilotState.A:
            raise PilotFault("unplugged during the session (state A) [V2G-DC-667]")
        if state in (PilotState.E, PilotState.F) and not self._waking:
            raise PilotFault(f"pilot in state {state.value} [V2G-DC-669]")

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


def _service(told: ServiceSettings) -> Service:
    sets = {int(number): parameters for number, parameters in told.sets.items()}
    return Service(told.id, told.name, told.category, told.scope, told.free, sets)
