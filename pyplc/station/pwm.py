"""The duty cycle of the control pilot and the current it allows, IEC 61851-1 Table A.8."""

from __future__ import annotations

DIGITAL = (3.0, 7.0)
"""Percent: digital communication is wanted, the duty cycle says nothing about the current."""
LEAST_CURRENT_A = 6.0


def allowed_current(duty_percent: float) -> float | None:
    """The current a duty cycle allows, A a phase; 0: none; None: digital communication decides."""
    if DIGITAL[0] <= duty_percent <= DIGITAL[1]:
        return None
    if duty_percent < 8 or duty_percent > 97:
        return 0.0
    if duty_percent <= 10:
        return LEAST_CURRENT_A
    if duty_percent <= 85:
        return duty_percent * 0.6
    return min((duty_percent - 64) * 2.5, 80.0)


def duty_for(current: float) -> float | None:
    """The duty cycle in percent that allows `current` A (6 to 80); None, the steady level, below 6 A."""
    if current < LEAST_CURRENT_A:
        return None
    if current <= 51:
        return current / 0.6
    return min(current, 80.0) / 2.5 + 64
