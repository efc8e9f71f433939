"""The devices of one station, together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .ports import (
    AcOutlet,
    Battery,
    ChargerPilot,
    Contactor,
    IsolationMonitor,
    Lock,
    OnboardCharger,
    PilotState,
    Supply,
    VehiclePilot,
    Voltmeter,
)


@dataclass
class VehicleDevices:
    """What a vehicle needs. `imagine` is told what the charger reports, for devices that have no charger to measure;
    `measured`: inlet and battery are measured each by itself.
    """

    pilot: VehiclePilot
    contactor: Contactor
    lock: Lock
    inlet: Voltmeter
    battery: Battery
    imagine: Callable[[float, float], None] | None = None
    measured: bool = True


@dataclass
class ChargerDevices:
    """What a charger needs. `imagine` is told what the vehicle asks for and `imagine_state` which pilot state its
    messages imply, for devices that have no vehicle to measure.
    """

    pilot: ChargerPilot
    contactor: Contactor
    supply: Supply
    isolation: IsolationMonitor
    load: Contactor | None = None
    """Connects a load at the outlet, for the discharge demo."""
    imagine: Callable[[float, float], None] | None = None
    imagine_state: Callable[[PilotState], None] | None = None


@dataclass
class AcVehicleDevices:
    """What an AC vehicle needs; a battery that tells its state of charge, if there is one."""

    pilot: VehiclePilot
    lock: Lock
    onboard: OnboardCharger
    battery: Battery | None = None
    imagine: Callable[[float, float], None] | None = None


@dataclass
class AcChargerDevices:
    """What an AC charger needs."""

    pilot: ChargerPilot
    contactor: Contactor
    outlet: AcOutlet
    imagine_state: Callable[[PilotState], None] | None = None
