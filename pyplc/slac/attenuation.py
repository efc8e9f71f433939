"""Attenuation: what sounds add up to, and which charger is ours. Pure functions; everything in dB."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

GROUPS = 58
INVENTED = bytes([9] * 55 + [15, 19, 25])
"""A plausible profile for a modem that reports none; cars refuse all zeros. Mean 9.6 dB, low to high carriers."""


def mean_profile(profiles: Iterable[bytes]) -> bytes:
    """Mean over sounds for each group; the invented profile when no sound had groups."""
    heard = [profile for profile in profiles if len(profile) == GROUPS]
    if not heard:
        return INVENTED
    return bytes(round(sum(column) / len(heard)) for column in zip(*heard, strict=True))


def mean(groups: bytes) -> float | None:
    """Mean over groups; None for no groups or a mean of zero, which real cars take as nothing heard."""
    total = sum(groups)
    return total / len(groups) if total else None


class Heard(NamedTuple):
    """One charger's report: mean attenuation (None: nothing usable) and the sounds it counted."""

    attenuation: float | None
    sounds: int


def choose(reports: Mapping[bytes, Heard], worst: float) -> bytes | None:
    """The MAC of the charger with the lowest attenuation not above `worst`; None when there is none."""
    usable = {
        mac: heard.attenuation
        for mac, heard in reports.items()
        if heard.sounds and heard.attenuation is not None and heard.attenuation <= worst
    }
    return min(usable, key=lambda mac: (usable[mac], mac)) if usable else None
