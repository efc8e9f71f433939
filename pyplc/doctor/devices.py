"""The devices that the settings name: composed, heard, and with readings a person would believe.

They are opened as the station opens them, in their safe state; nothing is switched on.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Iterator
from typing import Any, NamedTuple

import msgspec

from ..config import EvseSettings, EvSettings
from ..hw.compose import Hardware, compose
from ..hw.driver import Driver
from ..hw.ports import DeviceError, PilotState, fresh
from ..hw.registry import driver
from ..hw.stated import DRIVERS as STATED
from .patient import Finding, Patient, failed, good, warning

SETTLE_S = 1.5
"""From a device's first word until its readings are looked at."""


class Plausible(NamedTuple):
    """A reading: which part has it, its unit, the range a sound device can show, and what is safe at rest."""

    part: str
    name: str
    unit: str
    least: float
    most: float
    at_rest: float = math.inf


READINGS = (
    Plausible("inlet", "voltage", "V", -30, 1100, at_rest=60),
    Plausible("battery", "voltage", "V", 10, 1100),
    Plausible("supply", "voltage", "V", -30, 1100, at_rest=60),
    Plausible("supply", "current", "A", -10, 600, at_rest=2),
    Plausible("onboard", "current", "A", -5, 100, at_rest=2),
    Plausible("outlet", "current", "A", -5, 100, at_rest=2),
)
MENDS = (
    ("permission denied", "sudo usermod -aG dialout $USER, and log in again"),
    ("exclusively lock", "another program has the port: sudo systemctl stop 'pyplc-*', or end it"),
    ("resource busy", "another program has the port: sudo systemctl stop 'pyplc-*', or end it"),
    ("pip install", "install the extra that is named"),
    ("no serial port matches", "plug the device in; ls -l /dev/serial/by-id shows what there is"),
    ("no such file", "plug the device in; ls -l /dev/serial/by-id shows what there is"),
    ("needed is one for a", "make -C firmware flash ROLE={role} PORT={port}"),
    ("emergency input", "close the emergency switch, or bridge its input"),
    ("broker", "see the check of the broker"),
    ("no answer", "look at power, cable and speed of the device, and whether its firmware is what the settings name"),
)
"""A part of what a device's error says, and what helps."""
OTHERWISE = "look at its power and cable; `pyplc hw ports` lists serial ports, `pyplc hw test` tries each part"


def named(p: Patient) -> dict[str, tuple[type[Driver], dict[str, Any]]]:
    """The drivers that [hardware] names, by the file's names, with their tables; unknown ones are left out."""
    found: dict[str, tuple[type[Driver], dict[str, Any]]] = {}
    if isinstance(p.settings, (EvSettings, EvseSettings)):
        for value in msgspec.structs.astuple(p.settings.hardware):
            for name in (value,) if isinstance(value, str) else value if isinstance(value, tuple) else ():
                table = dict(p.settings.devices.get(name, {}))
                try:
                    found[name] = driver(str(table.pop("driver", name))), table
                except (DeviceError, ImportError):  # `devices` tells
                    continue
    return found


async def devices(p: Patient) -> AsyncIterator[Finding]:
    """Every device answers, and what it measures can be."""
    assert isinstance(p.settings, (EvSettings, EvseSettings))
    side: Any = p.settings.vehicle if isinstance(p.settings, EvSettings) else p.settings.charger
    try:
        made = compose(p.settings.hardware, p.settings.devices, side.energy, p.settings.plant)
    except (DeviceError, ImportError) as error:
        yield failed(str(error), f"mend [hardware] and [devices] in {p.file}")
        return
    heard = {name: found for name, found in made.drivers.items() if found.real and type(found) not in STATED.values()}
    if unreal := [f"{part} {name}" for part, name in made.named.items() if name not in heard]:
        yield good(f"nothing is measured or switched by: {', '.join(unreal)}")
    if not heard:
        return
    async with made:
        results = await asyncio.gather(*(_heard(name, found) for name, found in heard.items()))
        for finding in results:
            yield finding
        silent = {name for name, finding in zip(heard, results, strict=True) if finding.verdict == "failed"}
        parts = [part for part, name in made.named.items() if name in heard and name not in silent]
        if parts:
            await asyncio.sleep(SETTLE_S)
        for part in parts:
            for finding in measured(part, made):
                yield finding


async def _heard(name: str, device: Driver) -> Finding:
    check = f"device {name}"
    try:
        await device.ready()
        device.check()
    except DeviceError as error:
        text = str(error)
        mend = next((mend for part, mend in MENDS if part in text.lower()), OTHERWISE)
        port = getattr(device.settings, "port", "auto")
        return failed(text, mend.format(role=device.context.role, port=port), check)
    version = getattr(device, "version", None)
    port = getattr(device.settings, "port", None)
    told = f"version {getattr(version, 'version', version)}" if version else "tells no version"
    return good(f"answers{f' on {port}' if port else ''}, {told}", check)


def measured(part: str, made: Hardware) -> Iterator[Finding]:
    """What a part shows now, weighed."""
    device = getattr(made.devices, part)
    if part == "pilot":
        yield _pilot(device)
    for reading in READINGS:
        if reading.part == part:
            yield weigh(reading, device)


def _pilot(pilot: Any) -> Finding:
    state, duty = pilot.view
    says = f"state {state.value}, {'no oscillator' if duty is None else f'{duty:g} % duty cycle'}"
    if state in (PilotState.E, PilotState.F):
        return warning(says, "unplugged it should be state A: look at the wiring of CP and PE", "pilot")
    return good(says, "pilot")


def weigh(reading: Plausible, device: Any) -> Finding:
    """Whether a reading is fresh and can be true."""
    check = f"{reading.part} {reading.name}"
    try:
        value = fresh(getattr(device, reading.name), asyncio.get_running_loop().time(), reading.part)
    except DeviceError as error:
        return failed(str(error), "look at the wire of this measurement", check)
    says = f"{value:.1f} {reading.unit}"
    if not reading.least <= value <= reading.most:
        mend = f"{reading.least:g} to {reading.most:g} {reading.unit} can be: look at divider and scale"
        return failed(says, mend, check)
    if value > reading.at_rest:
        mend = "do not touch: it is live, or the scale is wrong; measure with a meter"
        return warning(f"{says} at rest, at most {reading.at_rest:g} {reading.unit} are expected", mend, check)
    return good(says, check)
