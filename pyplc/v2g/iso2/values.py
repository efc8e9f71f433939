"""Between the plain values of `v2g/control.py` and the messages of ISO 15118-2."""

from __future__ import annotations

from typing import Any

from ..control import (
    AcOffer,
    AcVehicleLimits,
    Meter,
    Plan,
    Schedule,
    ScheduleEntry,
    Service,
)
from ..values import Values
from . import messages as m

VALUES = Values(m)
PHASES = {"AC_single_phase_core": 1, "AC_three_phase_core": 3}
"""The requested mode decides how many phases there are."""
MAX_ENTRIES = 1024
PROFILE_ENTRIES = 24


def ac_parameter(limits: AcVehicleLimits, departure: int | None) -> m.AC_EVChargeParameter:
    """What an AC vehicle tells of itself."""
    return m.AC_EVChargeParameter(
        DepartureTime=departure,
        EAmount=VALUES.watt_hours(limits.energy),
        EVMaxVoltage=VALUES.volt(limits.max_voltage),
        EVMaxCurrent=VALUES.ampere(limits.max_current),
        EVMinCurrent=VALUES.ampere(limits.min_current),
    )


def ac_limits_of(parameter: m.AC_EVChargeParameter) -> AcVehicleLimits:
    """What an AC vehicle told of itself."""
    return AcVehicleLimits(
        energy=float(parameter.EAmount),
        max_voltage=float(parameter.EVMaxVoltage),
        max_current=float(parameter.EVMaxCurrent),
        min_current=float(parameter.EVMinCurrent),
    )


def ac_offer_of(parameter: Any, mode: str) -> AcOffer:
    """What an AC charger offers in AC_EVSEChargeParameter; above 300 V two phases were meant."""
    volts = float(parameter.EVSENominalVoltage)
    return AcOffer(volts / 3**0.5 if volts > 300 else volts, float(parameter.EVSEMaxCurrent), PHASES.get(mode, 1))


def schedule_list(schedules: tuple[Schedule, ...], max_entries: int | None) -> m.SAScheduleList:
    """SAScheduleList; the last entry carries the duration. No more entries than the vehicle can hold."""
    most = min(max_entries or MAX_ENTRIES, MAX_ENTRIES)
    return m.SAScheduleList(SAScheduleTuple=[_tuple(schedule, most) for schedule in schedules[:3]])


def _tuple(schedule: Schedule, most: int) -> m.SAScheduleTuple:
    entries = schedule.entries[:most]
    end = schedule.entries[most].start if len(schedule.entries) > most else schedule.duration
    return m.SAScheduleTuple(
        SAScheduleTupleID=schedule.id,
        PMaxSchedule=m.PMaxSchedule(
            PMaxScheduleEntry=[
                m.PMaxScheduleEntry(
                    TimeInterval=m.RelativeTimeInterval(
                        start=entry.start, duration=min(86_400, end - entry.start) if entry is entries[-1] else None
                    ),
                    PMax=VALUES.watt(entry.max_power),
                )
                for entry in entries
            ]
        ),
    )


def schedules_of(listed: m.SASchedules | None) -> tuple[Schedule, ...]:
    """The schedules a charger offers; none when it left them out."""
    if not isinstance(listed, m.SAScheduleList):
        return ()
    return tuple(_schedule(told) for told in listed.SAScheduleTuple)


def _schedule(told: m.SAScheduleTuple) -> Schedule:
    entries = []
    end = 86_400
    for entry in told.PMaxSchedule.PMaxScheduleEntry:
        interval = entry.TimeInterval
        if isinstance(interval, m.RelativeTimeInterval):
            entries.append(ScheduleEntry(interval.start, float(entry.PMax)))
            if interval.duration is not None:
                end = interval.start + interval.duration
    return Schedule(told.SAScheduleTupleID, tuple(entries), end)


def profile(plan: Plan) -> m.ChargingProfile:
    """ChargingProfile of a plan."""
    return m.ChargingProfile(
        ProfileEntry=[
            m.ProfileEntry(
                ChargingProfileEntryStart=entry.start, ChargingProfileEntryMaxPower=VALUES.watt(entry.max_power)
            )
            for entry in plan.entries[:PROFILE_ENTRIES]
        ]
    )


def plan_of(schedule: int, told: m.ChargingProfile | None) -> Plan | None:
    """The plan a vehicle told; None when it told none."""
    if told is None:
        return None
    entries = tuple(
        ScheduleEntry(e.ChargingProfileEntryStart, float(e.ChargingProfileEntryMaxPower)) for e in told.ProfileEntry
    )
    return Plan(schedule, entries)


def exceeds(plan: Plan, schedule: Schedule) -> str | None:
    """Where a plan leaves its schedule: above PMax at its start or until its end, or outside of it [V2G2-761].

    An entry of 0 W may close it at the schedule's end: some vehicles write down that they stop there.
    """
    for entry, following in zip(plan.entries, [*plan.entries[1:], None], strict=True):
        if entry.start == schedule.duration and not entry.max_power:
            continue
        if entry.start >= schedule.duration:
            return f"the entry at {entry.start} s is outside the schedule of {schedule.duration} s"
        end = following.start if following else schedule.duration
        within = [e.start for e in schedule.entries if entry.start < e.start < end]
        allowed = min(schedule.power_at(t) for t in (entry.start, *within))
        if entry.max_power > allowed:
            return f"{entry.max_power:.0f} W at {entry.start} s, PMax is {allowed:.0f} W"
    return None


def service(offered: Service) -> m.Service:
    """An entry of the ServiceList."""
    return m.Service(
        ServiceID=offered.id,
        ServiceName=offered.name,
        ServiceCategory=m.serviceCategory[offered.category],
        ServiceScope=offered.scope,
        FreeService=offered.free,
    )


def service_of(told: m.Service) -> Service:
    """A service as it was offered; its parameter sets come with ServiceDetailRes."""
    return Service(told.ServiceID, told.ServiceName, told.ServiceCategory.name, told.ServiceScope, told.FreeService)


def parameter_sets(offered: Service) -> m.ServiceParameterList | None:
    """The parameter sets of a service; None when it has none."""
    if not offered.sets:
        return None
    return m.ServiceParameterList(
        ParameterSet=[
            m.ParameterSet(ParameterSetID=number, Parameter=[_parameter(name, value) for name, value in named.items()])
            for number, named in offered.sets.items()
        ]
    )


def _parameter(name: str, value: bool | int | float | str) -> m.Parameter:
    if isinstance(value, bool):
        return m.Parameter(Name=name, boolValue=value)
    if isinstance(value, int):
        return m.Parameter(Name=name, intValue=value)
    if isinstance(value, float):
        return m.Parameter(Name=name, physicalValue=VALUES.watt(value))
    return m.Parameter(Name=name, stringValue=value)


def sets_of(told: m.ServiceParameterList | None) -> dict[int, dict[str, bool | int | float | str]]:
    """The parameter sets of a ServiceDetailRes."""
    if told is None:
        return {}
    return {s.ParameterSetID: {p.Name: _value(p) for p in s.Parameter} for s in told.ParameterSet}


def _value(p: m.Parameter) -> bool | int | float | str:
    for value in (p.boolValue, p.byteValue, p.shortValue, p.intValue, p.stringValue):
        if value is not None:
            return value
    return float(p.physicalValue) if p.physicalValue is not None else ""


def meter_info(meter: Meter | None) -> m.MeterInfo | None:
    """MeterInfo of a reading."""
    return None if meter is None else m.MeterInfo(MeterID=meter.id[:32], MeterReading=meter.energy_wh)
