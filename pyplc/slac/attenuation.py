"""Attenuation: what sounds add up to, and which charger is ours. Pure functions; everything in dB."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

GROUPS = 58
INVENTED = bytes([9] * 55 + [15, 19, 25])
"""A plausible profile for a modem that reports none; cars refuse all zeros. Mean 9.6 dB, low to high carriers."""
LEAST = bytes([1] * GROUPS)
"""Instead of a profile that a correction made all zeros."""


def mean_profile(profiles: Iterable[bytes], attn_rx: Sequence[float] = ()) -> bytes | None:
    """Mean over sounds for each group, less the receive path's own attenuation; None when no sound had groups.

    `attn_rx` is empty, one value for all groups, or one for each. Profiles of another length than most are left out.
    """
    heard = [profile for profile in profiles if profile]
    if not heard:
        return None
    lengths = [len(profile) for profile in heard]
    length = max(set(lengths), key=lambda size: (lengths.count(size), size))
    heard = [profile for profile in heard if len(profile) == length]
    offsets = [*attn_rx] * length if len(attn_rx) == 1 else [*attn_rx, *[0.0] * length]
    means = (sum(column) / len(heard) - off for column, off in zip(zip(*heard, strict=True), offsets, strict=False))
    found = bytes(min(255, max(0, round(value))) for value in means)
    return found if any(found) or not any(attn_rx) else LEAST[:length]


def mean(groups: bytes) -> float | None:
    """Mean over groups; None for no groups or a mean of zero, which real cars take as nothing heard."""
    total = sum(groups)
    return total / len(groups) if total else None


class Heard(NamedTuple):
    """One charger's report: mean attenuation (None: nothing usable) and the sounds it counted."""

    attenuation: float | None
    sounds: int


def rank(reports: Mapping[bytes, Heard], worst: float, offset: float = 0.0) -> list[tuple[bytes, float]]:
    """The chargers that may be ours with their attenuation less `offset`, best first; none above `worst`."""
    usable = [
        (mac, heard.attenuation - offset)
        for mac, heard in reports.items()
        if heard.sounds and heard.attenuation is not None and heard.attenuation - offset <= worst
    ]
    return sorted(usable, key=lambda found: (found[1], found[0]))
