"""Simulated devices: the ports of `hw/ports.py` on a `Plant`, with the delays of real ones."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from ..plant.plant import Plant
from .bundles import AcChargerDevices, AcVehicleDevices, ChargerDevices, VehicleDevices
from .driver import Driver
from .ports import DeviceError, PilotState, PilotView, Reading

CONTACTOR_S = 0.05
LOCK_S = 0.3
NO_CURRENT_A = 1.0
SAMPLE_S = 0.01


class SimulatedVehiclePilot:
    """The vehicle's end of the plant's pilot line."""

    def __init__(self, plant: Plant) -> None:
        self._line = plant.pilot

    @property
    def view(self) -> PilotView:
        return self._line.vehicle_view()

    async def changed(self) -> PilotView:
        before = self.view
        while (view := self.view) == before:
            await self._line.changed()
        return view

    async def set_state(self, state: PilotState) -> None:
        self._line.set_vehicle(state)


class SimulatedChargerPilot:
    """The charger's end of the plant's pilot line."""

    def __init__(self, plant: Plant) -> None:
        self._line = plant.pilot

    @property
    def view(self) -> PilotView:
        return self._line.charger_view()

    async def changed(self) -> PilotView:
        before = self.view
        while (view := self.view) == before:
            await self._line.changed()
        return view

    async def set_duty(self, percent: float | None) -> None:
        self._line.set_duty(percent)

    async def set_fault(self) -> None:
        self._line.set_fault()


class SimulatedVehicleContactor:
    """The vehicle's main contactors; welded or stuck as the plant says."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant

    @property
    def closed(self) -> bool:
        return self._plant.circuit.vehicle_closed

    async def close(self) -> None:
        await asyncio.sleep(CONTACTOR_S)
        if self._plant.contactor_stuck_open:
            raise DeviceError("vehicle contactors: do not close")
        self._plant.now().close_vehicle()

    async def open(self) -> None:
        if not self.closed:
            return
        await asyncio.sleep(CONTACTOR_S)
        if self._plant.contactor_welded:
            raise DeviceError("vehicle contactors: stay closed (welded)")
        self._plant.now().open_vehicle()


class SimulatedOutletContactor:
    """The charger's output contactors."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant

    @property
    def closed(self) -> bool:
        return self._plant.circuit.outlet_closed

    async def close(self) -> None:
        await asyncio.sleep(CONTACTOR_S)
        self._plant.now().outlet_closed = True

    async def open(self) -> None:
        if self.closed:
            await asyncio.sleep(CONTACTOR_S)
            self._plant.now().outlet_closed = False


class SimulatedLoad:
    """A load at the charger's outlet."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant

    @property
    def closed(self) -> bool:
        return self._plant.circuit.load_closed

    async def close(self) -> None:
        await asyncio.sleep(CONTACTOR_S)
        self._plant.now().load_closed = True

    async def open(self) -> None:
        await asyncio.sleep(CONTACTOR_S)
        self._plant.now().load_closed = False


class SimulatedLock:
    """The connector lock."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant

    @property
    def locked(self) -> bool:
        return self._plant.locked

    async def lock(self) -> None:
        await asyncio.sleep(LOCK_S)
        if self._plant.lock_stuck:
            raise DeviceError("connector lock: does not lock")
        self._plant.locked = True

    async def unlock(self) -> None:
        if self._plant.locked:
            await asyncio.sleep(LOCK_S)
            if self._plant.lock_stuck:
                raise DeviceError("connector lock: does not unlock")
            self._plant.locked = False


class SimulatedInlet:
    """The voltage at the inlet."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant

    @property
    def voltage(self) -> Reading:
        circuit = self._plant.now()
        return Reading(circuit.inlet_voltage, circuit.t)


class SimulatedBattery:
    """The battery with its management: constant current, then constant voltage."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._p = plant.parameters.battery

    @property
    def voltage(self) -> Reading:
        circuit = self._plant.now()
        return Reading(circuit.battery_voltage, circuit.t)

    @property
    def soc_percent(self) -> float:
        if self._plant.ac.contactor_closed:
            self._plant.ac_now()
        return self._plant.now().soc_percent

    @property
    def capacity_wh(self) -> float:
        return self._p.capacity_wh

    @property
    def max_voltage(self) -> float:
        return self._p.max_voltage

    @property
    def max_current(self) -> float:
        room = (self._p.max_voltage - self._plant.now().open_circuit_voltage) / self._p.resistance
        return max(0.0, min(self._p.max_current, room))


class SimulatedSupply:
    """The charger's DC supply."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        p = plant.parameters.supply
        self.max_voltage, self.min_voltage = p.max_voltage, p.min_voltage
        self.max_current, self.min_current = p.max_current, p.min_current
        self.max_power = p.max_power

    async def set(self, voltage: float, current: float) -> None:
        self._plant.now().set_supply(voltage, current)

    async def off(self) -> None:
        self._plant.now().set_supply(0.0, 0.0)
        while self._plant.now().current >= NO_CURRENT_A:  # noqa: ASYNC110  # the circuit tells nobody, it is looked at
            await asyncio.sleep(SAMPLE_S)

    @property
    def voltage(self) -> Reading:
        circuit = self._plant.now()
        return Reading(circuit.outlet_voltage, circuit.t)

    @property
    def current(self) -> Reading:
        circuit = self._plant.now()
        return Reading(circuit.current, circuit.t)


class SimulatedIsolationMonitor:
    """Measures the plant's isolation."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant

    async def measure(self) -> float:
        await asyncio.sleep(self._plant.parameters.cable.isolation_s)
        return self._plant.now().isolation


class SimulatedOnboardCharger:
    """The vehicle's AC charger."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        p = plant.parameters.ac
        self.max_current, self.min_current = p.onboard_current, p.least_current
        self.max_voltage = p.onboard_voltage
        self.phases: int = p.onboard_phases

    async def draw(self, current: float) -> None:
        self._plant.ac_now().wanted = current

    @property
    def current(self) -> Reading:
        ac = self._plant.ac_now()
        return Reading(ac.current, ac.t)


class SimulatedAcOutlet:
    """The charger's mains, meter and residual current device."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        p = plant.parameters.ac
        self.nominal_voltage, self.max_current = p.nominal_voltage, p.max_current
        self.phases: int = p.phases

    @property
    def rcd_tripped(self) -> bool:
        return self._plant.ac.rcd_tripped

    @property
    def current(self) -> Reading:
        ac = self._plant.ac_now()
        return Reading(ac.current, ac.t)

    @property
    def energy_wh(self) -> float:
        return self._plant.ac_now().delivered_wh


class SimulatedAcContactor:
    """The charger's AC contactor; stuck as the plant says."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant

    @property
    def closed(self) -> bool:
        return self._plant.ac.contactor_closed

    async def close(self) -> None:
        await asyncio.sleep(CONTACTOR_S)
        if self._plant.contactor_stuck_open:
            raise DeviceError("AC contactor: does not close")
        self._plant.ac_now().set_contactor(True)

    async def open(self) -> None:
        if self.closed:
            await asyncio.sleep(CONTACTOR_S)
            if self._plant.contactor_welded:
                raise DeviceError("AC contactor: stays closed (welded)")
            self._plant.ac_now().set_contactor(False)


def ac_vehicle_devices(plant: Plant) -> AcVehicleDevices:
    """An AC vehicle's devices on a shared plant."""
    return AcVehicleDevices(
        pilot=SimulatedVehiclePilot(plant),
        lock=SimulatedLock(plant),
        onboard=SimulatedOnboardCharger(plant),
        battery=SimulatedBattery(plant),
    )


def ac_charger_devices(plant: Plant) -> AcChargerDevices:
    """An AC charger's devices on a shared plant."""
    return AcChargerDevices(
        pilot=SimulatedChargerPilot(plant), contactor=SimulatedAcContactor(plant), outlet=SimulatedAcOutlet(plant)
    )


def vehicle_devices(plant: Plant) -> VehicleDevices:
    """A vehicle's devices on a shared plant."""
    return VehicleDevices(
        pilot=SimulatedVehiclePilot(plant),
        contactor=SimulatedVehicleContactor(plant),
        lock=SimulatedLock(plant),
        inlet=SimulatedInlet(plant),
        battery=SimulatedBattery(plant),
    )


def charger_devices(plant: Plant) -> ChargerDevices:
    """A charger's devices on a shared plant."""
    return ChargerDevices(
        pilot=SimulatedChargerPilot(plant),
        contactor=SimulatedOutletContactor(plant),
        supply=SimulatedSupply(plant),
        isolation=SimulatedIsolationMonitor(plant),
        load=SimulatedLoad(plant),
    )


class Simulated(Driver):
    """Everything, on the plant of the file's [plant]: the other side is elsewhere and its messages are believed."""

    summary = "no hardware: an electrical model of battery, supply, pilot and cable"
    parts = {
        "vehicle": ("pilot", "contactor", "lock", "inlet", "battery", "onboard"),
        "charger": ("pilot", "contactor", "supply", "isolation", "outlet"),
    }
    real = False

    def part(self, name: str) -> Any:
        return PARTS[self.context.role, name](self.context.plant())

    async def ready(self) -> None:
        """The far end that was imagined for the last session is gone, however that one ended."""
        await super().ready()
        plant = self.context.plant()
        if self.context.role == "charger":
            plant.now().open_vehicle()
            plant.circuit.imagine_battery(None)
            plant.pilot.set_vehicle(PilotState.B)
        elif not plant.circuit.vehicle_closed:
            plant.now().impose(0.0, 0.0)


class SimulatedStationContactor:
    """A charger's contactor where DC or AC is not known: both circuits follow it."""

    def __init__(self, plant: Plant) -> None:
        self._dc, self._ac = SimulatedOutletContactor(plant), SimulatedAcContactor(plant)

    @property
    def closed(self) -> bool:
        return self._dc.closed

    async def close(self) -> None:
        await self._ac.close()
        await self._dc.close()

    async def open(self) -> None:
        await self._ac.open()
        await self._dc.open()


PARTS: dict[tuple[str, str], Callable[[Plant], Any]] = {
    ("vehicle", "pilot"): SimulatedVehiclePilot,
    ("vehicle", "contactor"): SimulatedVehicleContactor,
    ("vehicle", "lock"): SimulatedLock,
    ("vehicle", "inlet"): SimulatedInlet,
    ("vehicle", "battery"): SimulatedBattery,
    ("vehicle", "onboard"): SimulatedOnboardCharger,
    ("charger", "pilot"): SimulatedChargerPilot,
    ("charger", "contactor"): SimulatedStationContactor,
    ("charger", "supply"): SimulatedSupply,
    ("charger", "isolation"): SimulatedIsolationMonitor,
    ("charger", "outlet"): SimulatedAcOutlet,
}

DRIVER = Simulated
