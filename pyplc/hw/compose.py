"""A station's devices, composed from the tables [hardware] and [devices] of its file.

Each device that is named is made once, whatever it does; what is simulated shares one plant. Everything that can be
known to be wrong is said here, before anything is switched.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from ..explain import explain
from ..plant.parameters import PlantParameters
from ..plant.plant import Plant
from ..record import Reader, Record
from .bundles import AcChargerDevices, AcVehicleDevices, ChargerDevices, VehicleDevices
from .driver import Context, Driver, Note, Press
from .ports import Contactor, DeviceError, PilotState
from .registry import driver, offering
from .settings import COMPOSITIONS, DISPLAY, OPTIONAL, ChargerHardware, DeviceTables, VehicleHardware

Energy = Literal["dc", "ac"]
Bundle = VehicleDevices | ChargerDevices | AcVehicleDevices | AcChargerDevices
BUNDLES: dict[tuple[str, str], type[Bundle]] = {
    ("vehicle", "dc"): VehicleDevices,
    ("vehicle", "ac"): AcVehicleDevices,
    ("charger", "dc"): ChargerDevices,
    ("charger", "ac"): AcChargerDevices,
}
WATCH_S = 0.1
"""Between two looks whether each device is still there."""


class Hardware:
    """The devices of one station and the tasks that keep them; use it as `async with`."""

    def __init__(self, devices: Bundle, drivers: Mapping[str, Driver], named: Mapping[str, str] | None = None) -> None:
        self.devices = devices
        self.drivers = dict(drivers)
        self.named = dict(named or {})
        """Which device each part is, by the names of the file."""
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def tell(self, note: Note) -> None:
        """Who is told of devices that come and go from now on."""
        for made in self.drivers.values():
            made.note = note

    def on_press(self, stop: Press) -> None:
        """Who is asked to end the session when a stop button is pressed from now on."""
        for made in self.drivers.values():
            made.press = stop

    @property
    def display(self) -> Reader | None:
        """Tells every device that shows something each record; None where there is none."""
        reading = [made for made in self.drivers.values() if made.reads]

        def read(record: Record) -> None:
            for made in reading:
                made.read(record)

        return read if reading else None

    async def __aenter__(self) -> Hardware:
        self._tasks = {name: asyncio.ensure_future(made.run()) for name, made in self.drivers.items()}
        return self

    async def __aexit__(self, *_: object) -> None:
        for made in self.drivers.values():
            await made.close()
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def ready(self) -> None:
        """Wait until every device has spoken; DeviceError names the one that has not."""
        results = await asyncio.gather(*(made.ready() for made in self.drivers.values()), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        self.check()

    def check(self) -> None:
        """Raises DeviceError when a device failed or went silent."""
        for name, made in self.drivers.items():
            made.check()
            task = self._tasks.get(name)
            if task is not None and task.done() and not task.cancelled():
                error = task.exception()
                raise DeviceError(f"{name}: its driver ended: {error!r}") from error

    def ended(self) -> str | None:
        """Which driver's task has ended, though none may."""
        return next((f"the driver of {name} ended" for name, task in self._tasks.items() if task.done()), None)

    async def watch(self) -> None:
        """Return never; DeviceError when a device failed or went silent. A station runs this beside its session."""
        while True:
            self.check()
            await asyncio.sleep(WATCH_S)


def compose(
    hardware: VehicleHardware | ChargerHardware, tables: DeviceTables, energy: Energy, parameters: PlantParameters
) -> Hardware:
    """Make the devices that a file names; DeviceError says which key is wrong. Needs the running loop."""
    role = "vehicle" if isinstance(hardware, VehicleHardware) else "charger"
    composition = COMPOSITIONS[role, energy]
    wanted = {part: str(getattr(hardware, part)) for part in composition.parts}
    for part in OPTIONAL[role]:
        if part != DISPLAY and (name := getattr(hardware, part)) is not None:
            wanted[part] = name
    shows = (hardware.display,) if isinstance(hardware.display, str) else hardware.display or ()
    every = [*wanted.items(), *((DISPLAY, name) for name in shows)]
    plants: list[Plant] = []

    def plant() -> Plant:
        if not plants:
            plants.append(Plant(parameters))
        return plants[0]

    drivers = {name: _make(name, tables.get(name, {}), role, plant) for name in dict.fromkeys(n for _, n in every)}
    for name in tables:
        if name not in {*(str(value) for value in msgspec.structs.astuple(hardware)), *shows}:
            raise DeviceError(f"devices.{name}: no key of [hardware] names {name!r}")
    for part, name in every:
        if part not in drivers[name].parts.get(role, ()):
            there = ", ".join(offering(role, part))
            raise DeviceError(f"hardware.{part}: {name!r} cannot be a {role}'s {part}; these can: {there}")
    for part, others in composition.depends.items():
        faked = [other for other in others if wanted[other] == "simulated"]
        if drivers[wanted[part]].real and faked and not hardware.trust_simulated:
            raise DeviceError(
                f"hardware.{faked[0]}: the {part} is real, so the {faked[0]} may not be simulated; "
                "on a bench without a battery set hardware.trust_simulated = true"
            )
    parts = {part: drivers[name].part(part) for part, name in wanted.items()}
    if plants and "contactor" in parts and wanted["contactor"] != "simulated":
        parts["contactor"] = Mirrored(parts["contactor"], plants[0], role)
    for name in shows:
        drivers[name].part(DISPLAY)
    devices = BUNDLES[role, energy](**parts)
    _imagining(devices, wanted, drivers, plants[0] if plants else None)
    return Hardware(devices, drivers, wanted)


class Mirrored:
    """A real contactor that the simulated circuit follows."""

    def __init__(self, real: Contactor, plant: Plant, role: str) -> None:
        self._real, self._plant, self._role = real, plant, role

    @property
    def closed(self) -> bool:
        return self._real.closed

    async def close(self) -> None:
        await self._real.close()
        self._follow()

    async def open(self) -> None:
        try:
            await self._real.open()
        finally:
            self._follow()

    def _follow(self) -> None:
        circuit, closed = self._plant.now(), self._real.closed
        if self._role == "charger":
            circuit.outlet_closed = closed
        elif closed:
            circuit.close_vehicle()
        if not closed:
            circuit.open_vehicle()


def _make(name: str, table: dict[str, Any], role: str, plant: Any) -> Driver:
    table = dict(table)
    kind = table.pop("driver", name)
    if not isinstance(kind, str):
        raise DeviceError(f"devices.{name}.driver: expected the name of a driver")
    try:
        found = driver(kind)
    except DeviceError as error:
        hint = "" if kind != name else f" (or give it a table [devices.{name}] with the key `driver`)"
        raise DeviceError(f"hardware: {error}{hint}") from None
    try:
        settings = msgspec.convert(table, found.Settings)
    except msgspec.ValidationError as error:
        raise DeviceError(explain(str(error), found.Settings, f"devices.{name}")) from None
    return found(settings, Context(name, role, plant))


def _imagining(devices: Bundle, wanted: dict[str, str], drivers: dict[str, Driver], plant: Plant | None) -> None:
    """What has no far end to measure follows what the messages imply."""
    simulated = {part for part, name in wanted.items() if name == "simulated"}
    if plant is not None and simulated:
        plant.plug_in()
    told = list(drivers.values())
    if isinstance(devices, (VehicleDevices, AcVehicleDevices)):
        if plant is not None:
            plant.pilot.set_duty(5.0)
            plant.ac.set_contactor(True)

        def reported(voltage: float, current: float) -> None:
            if plant is not None:
                plant.now().impose(voltage, current)
            for made in told:
                made.imagine(voltage, current)

        devices.imagine = reported
        if isinstance(devices, VehicleDevices):
            those = [drivers[wanted[part]] for part in ("inlet", "battery")]
            devices.measured = all(made.real and made.measures for made in those)
        return
    if isinstance(devices, ChargerDevices):

        def asked(voltage: float, current: float) -> None:
            if plant is not None and "supply" in simulated:
                circuit = plant.now()
                if current > 0 and not circuit.vehicle_closed:
                    circuit.imagine_battery(circuit.inlet_voltage)
                    circuit.close_vehicle()
            for made in told:
                made.imagine(voltage, current)

        devices.imagine = asked
    if plant is not None and "outlet" in simulated:
        plant.ac.wanted = plant.parameters.ac.onboard_current

    def implied(state: PilotState) -> None:
        assert plant is not None
        if state is PilotState.B:
            plant.now().open_vehicle()
        plant.pilot.set_vehicle(state)

    if "pilot" in simulated:
        devices.imagine_state = implied
