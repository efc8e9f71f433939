"""The reference page of cars and chargers."""

from __future__ import annotations

from typing import Any

from declared import MADE, row_of

from pyplc import peers
from pyplc.peers import SECTIONS, UNUSED, ChargerProfile, VehicleProfile


def profiles() -> str:
    """Every car and charger that ships."""
    lines = [
        MADE,
        "# Cars and chargers\n",
        "`pyplc sim --vehicle NAME --charger NAME`, `pyplc ev --vehicle NAME`, `pyplc evse --charger NAME`; a NAME may "
        "be the path of a file of your own. Every figure is read from a capture and held against it by a test; the "
        "files with all of them are in `pyplc/data`. A sign of a dash: the capture does not show it.\n",
        "## Vehicles\n",
        "| name | car | offers, best first (schema id) | limits | SoC | thinks | captures |",
        "|---|---|---|---|---|---|---|",
    ]
    vehicles = {name: peers.load(name, VehicleProfile) for name in peers.names(VehicleProfile)}
    chargers = {name: peers.load(name, ChargerProfile) for name in peers.names(ChargerProfile)}
    lines += [vehicle_row(name, profile) for name, profile in vehicles.items()]
    lines += ["", "## Chargers\n"]
    lines += [
        "| name | charger | limits | authorises | cable check | answers | captures |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [charger_row(name, profile) for name, profile in chargers.items()]
    lines += ["", "## What is known besides\n"]
    every: list[VehicleProfile | ChargerProfile] = [*vehicles.values(), *chargers.values()]
    for profile in every:
        lines += [f"- {profile.name}: {remark}." for remark in profile.remarks]
    lines += ["", "## What is recorded and not yet imitated\n", "| section | key | what it is |", "|---|---|---|"]
    lines += [
        f"| {knob.sections} | {', '.join(f'`{key}`' for key in knob.key.split(', '))} | {knob.where} |"
        for knob in UNUSED
    ]
    return "\n".join([*lines, ""])


def sections(profile: VehicleProfile | ChargerProfile) -> list[tuple[str, Any]]:
    return [(name, getattr(profile, name)) for name in SECTIONS if getattr(profile, name) is not None]


def vehicle_row(name: str, profile: VehicleProfile) -> str:
    ranked = sorted(profile.offers, key=lambda offer: offer.priority)
    offers = ", ".join(
        f"{offer.namespace.removesuffix(':MsgDef').removeprefix('urn:')} ({offer.schema_id})" for offer in ranked
    )
    told = [(word, section) for word, section in sections(profile) if section.max_voltage is not None]
    limits = "; ".join(f"{word}: {span(section)}" for word, section in told)
    soc = ", ".join(f"{section.soc_percent} %" for word, section in told if word != "ac")
    loops = ("CurrentDemandReq", "ChargingStatusReq")
    times = [section.think_s[loop] for _, section in sections(profile) for loop in loops if loop in section.think_s]
    return row_of(f"`{name}`", profile.name, offers, limits, soc, milliseconds(times), captures(profile))


def charger_row(name: str, profile: ChargerProfile) -> str:
    told = [(word, section) for word, section in sections(profile) if section.max_current is not None]
    limits = "; ".join(f"{word}: {span(section)}" for word, section in told)
    takes = [
        ", ".join(f"{s.takes_s[phase]:.3g} s" for _, s in sections(profile) if phase in s.takes_s)
        for phase in ("authorisation", "cable_check")
    ]
    times = [peers.answer_s(section) for _, section in sections(profile)]
    return row_of(f"`{name}`", profile.name, limits, *takes, milliseconds(times), captures(profile))


def span(section: Any) -> str:
    parts = []
    if (low := getattr(section, "min_voltage", None)) is not None:
        parts.append(f"{low:g} to")
    voltage = section.nominal_voltage if hasattr(section, "nominal_voltage") else section.max_voltage
    parts.append(f"{voltage:g} V, {section.max_current:g} A")
    if (power := getattr(section, "max_power", None)) is not None:
        parts[-1] += f", {power / 1000:g} kW"
    return " ".join(parts)


def milliseconds(times: list[float]) -> str:
    return ", ".join(f"{t * 1000:.0f} ms" for t in dict.fromkeys(times))


def captures(profile: VehicleProfile | ChargerProfile) -> str:
    return "<br>".join(f"{name}: {section.capture}" for name, section in sections(profile))
