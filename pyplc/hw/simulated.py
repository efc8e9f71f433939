"""Simulated devices: the ports of `hw/ports.py` on a `Plant`, with the delays of real ones."""

from __future__ import annotations

import asyncio

from ..plant.parameters import PlantParameters
from ..plant.plant import Plant
from .bundles import AcChargerDevices, AcVehicleDevices, ChargerDevices, VehicleDevices
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


def standalone_ac_vehicle(parameters: PlantParameters) -> AcVehicleDevices:
    """A simulated AC vehicle whose charger is elsewhere: plugged in with 5 % at once, mains whenever it is ready."""
    plant = Plant(parameters)
    plant.plug_in()
    plant.pilot.set_duty(5.0)
    plant.ac.set_contactor(True)
    return ac_vehicle_devices(plant)


def standalone_ac_charger(parameters: PlantParameters) -> AcChargerDevices:
    """A simulated AC charger whose vehicle is elsewhere: plugged in at once; the pilot follows what messages imply,
    and a vehicle that is ready draws what its on-board charger can."""
    plant = Plant(parameters)
    plant.plug_in()
    plant.ac.wanted = parameters.ac.onboard_current
    devices = ac_charger_devices(plant)
    devices.imagine_state = plant.pilot.set_vehicle
    return devices


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


def standalone_vehicle(parameters: PlantParameters) -> VehicleDevices:
    """A simulated vehicle whose charger is elsewhere: plugged in with 5 % at once; the inlet shows what it reports."""
    plant = Plant(parameters)
    plant.plug_in()
    plant.pilot.set_duty(5.0)
    devices = vehicle_devices(plant)

    def imagine(voltage: float, current: float) -> None:
        plant.now().impose(voltage, current)

    devices.imagine = imagine
    return devices


def standalone_charger(parameters: PlantParameters) -> ChargerDevices:
    """A simulated charger whose vehicle is elsewhere: plugged in at once; the pilot follows what its messages imply,
    and from the first ampere it asks for, a battery with the voltage of the line is the load.
    """
    plant = Plant(parameters)
    plant.plug_in()
    devices = charger_devices(plant)

    def imagine(voltage: float, current: float) -> None:
        circuit = plant.now()
        if current > 0 and not circuit.vehicle_closed:
            circuit.imagine_battery(circuit.inlet_voltage)
            circuit.close_vehicle()

    def imagine_state(state: PilotState) -> None:
        if state is PilotState.B:
            plant.now().open_vehicle()
        plant.pilot.set_vehicle(state)

    devices.imagine, devices.imagine_state = imagine, imagine_state
    return devices
