"""What every table of times holds: named timers of both sides, in seconds, with their requirement or origin.

A time-out ends the session of the side that waits; a performance time is our own promise, and breaking it is recorded.
A timer that a generation does not know is None.
"""

from __future__ import annotations

import msgspec

from .session import Timer


class MessageTimes(msgspec.Struct, frozen=True):
    """One time for each pair of messages, by the name of the request, and one for all others."""

    default: Timer
    by_request: dict[str, Timer]

    def of(self, request: str) -> Timer:
        """The time of a request by its name."""
        return self.by_request.get(request, self.default)


class VehicleTiming(msgspec.Struct, frozen=True):
    """The vehicle's times."""

    message: MessageTimes
    communication_setup: Timer
    ongoing: Timer
    cable_check: Timer
    precharge: Timer
    ready_to_charge: Timer | None
    sequence_performance: Timer
    ramp_down: Timer
    welding: Timer
    power_state: Timer | None
    """AC: from PowerDeliveryReq start to state C or D."""


class ChargerTiming(msgspec.Struct, frozen=True):
    """The charger's times."""

    sequence: Timer
    communication_setup: Timer
    ongoing_performance: Timer
    cable_check_performance: Timer
    power_delivery: Timer | None
    welding_detection: Timer | None
    pilot_detection: Timer
    oscillator_retain: Timer
    performance: MessageTimes
    set_point: Timer
    close: Timer
    contactor: Timer | None
    """AC: from PowerDeliveryReq start to closed contactors."""


class Timing(msgspec.Struct, frozen=True):
    """Both sides' times of one generation."""

    vehicle: VehicleTiming
    charger: ChargerTiming


def message_timeout(request: str, seconds: float, source: str) -> Timer:
    """V2G_EVCC_Msg_Timeout of one pair."""
    return Timer(f"V2G_EVCC_Msg_Timeout {request}", seconds, source)


def message_performance(request: str, seconds: float, source: str) -> Timer:
    """V2G_SECC_Msg_Performance_Time of one pair."""
    return Timer(f"V2G_SECC_Msg_Performance_Time {request}", seconds, source)
