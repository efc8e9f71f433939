"""What faults do to the world: pilot, supply, meters, contactors, powerline. Faults of messages are in `wire.py`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context
from typing import Any

import msgspec

from ..hw.emulated.line import EmulatedLine
from ..hw.emulated.wired import Wired
from ..hw.ports import Battery, DeviceError, PilotState, Reading, Supply, Voltmeter
from ..link.ethernet import parse_udp
from ..link.virtual import Powerline
from ..plant.plant import Plant
from ..record import Side
from ..sdp.messages import PORT as SDP_PORT
from ..service.ending import Ending
from ..simulation import World
from ..slac.layout import Message as Management
from ..slac.mme import MmeError, parse
from ..v2g.rules import Rules
from ..v2g.session import Timer
from ..v2gtp import PayloadType
from . import declare as d
from .recorded import Recorded

PATIENCE = 1000.0
"""A peer that hangs waits so many times longer than it should."""
SLOW_S = 3.0
"""A slow wire."""
STUCK = 1.05
"""A supply that does not go down keeps this much above the voltage it had."""
SDP = {"SDP request": PayloadType.SDP_REQUEST, "SDP response": PayloadType.SDP_RESPONSE}


def apply(fault: d.Fault, world: World, unit: Side, recorded: Recorded) -> None:
    """Do a fault of the world now; TypeError for one of messages, of the connection, or of the other energy."""
    plant = world.plant
    match fault:
        case d.Unplug():
            plant.unplug()
        case d.Pilot(state="F"):
            plant.pilot.set_fault()
        case d.Pilot(state=state):
            plant.pilot.set_vehicle(PilotState(state))
        case d.Duty(percent=percent):
            plant.pilot.set_duty(percent or None)
        case d.Contactor(stuck="open"):
            plant.contactor_stuck_open = True
        case d.Contactor():
            plant.contactor_welded = True
        case d.Lock():
            plant.lock_stuck = True
        case d.ResidualCurrent():
            plant.ac_now().rcd_tripped = True
        case d.Overdraw():
            plant.ac_now().ignores_limits = True
        case d.Stop(at_station="pev"):
            world.vehicle.stop("stop button")
        case d.Stop():
            world.charger.stop("stop button")
        case d.Lose():
            world.line.lose = Losing(fault, world.line)
        case d.Wire() | d.Board():
            _apply_to_device(fault, world)
        case d.Disk() | d.Clock():
            recorded.apply(fault)
        case d.Process(signal="sigterm"):
            _terminate(world, unit)
        case d.Process():
            _kill(world, unit)
        case _:
            _apply_to_dc(fault, plant, world.vehicle.devices, world.charger.devices)


def _apply_to_dc(fault: d.Fault, plant: Plant, vehicle: Any, charger: Any) -> None:
    """Faults of devices that only DC stations have, and of the battery."""
    match fault:
        case d.Supply(fault="dead"):
            plant.now().supply_fault = True
        case d.Supply() | d.Meter(of="supply"):
            charger.supply = FaultySupply(charger.supply, fault)
        case d.Isolation(hangs=True):
            charger.isolation = HangingMonitor()
        case d.Isolation(ohm=ohm):
            plant.now().isolation = ohm
        case d.Meter(of="inlet"):
            vehicle.inlet = FaultyMeter(vehicle.inlet, fault)
        case d.Meter():
            vehicle.battery = FaultyBattery(vehicle.battery, fault)
        case d.Battery(max_current=amperes):
            vehicle.battery = FaultyBattery(vehicle.battery, None, amperes)
        case _:
            raise TypeError(f"{type(fault).__name__} is no fault of the world")


def _apply_to_device(fault: d.Wire | d.Board, world: World) -> None:
    """Faults of the emulated device of the unit under test, and of its wire."""
    (hardware,) = world.hardware.values()
    assert isinstance(hardware, Wired)  # a scenario with such a fault has a device
    match fault:
        case d.Wire():
            _disturb(hardware.wire, fault.how)
            if fault.for_s is not None:
                asyncio.get_running_loop().call_later(fault.for_s, _mend, hardware.wire)
        case d.Board(how="restart"):
            hardware.device.reset()
        case d.Board(how="deaf"):
            hardware.device.deaf = True
        case d.Board():
            hardware.device.show_inlet(fault.volts)


def _disturb(wire: Any, how: str) -> None:
    match how:
        case "cut":
            wire.unplug()
        case "frozen":
            wire.frozen = True
        case "garbled":
            wire.garble = 3
        case _:
            wire.delay_s = SLOW_S


def _mend(wire: Any) -> None:
    wire.plug()
    wire.frozen, wire.delay_s = False, 0.0
    if isinstance(wire, EmulatedLine):
        wire.garble = 0


class HangingMonitor:
    """An isolation monitor that never answers."""

    async def measure(self) -> float:
        await asyncio.get_running_loop().create_future()
        raise AssertionError("nobody answers")


class FaultyMeter:
    """A voltmeter that shows what a fault says."""

    def __init__(self, meter: Voltmeter, fault: d.Meter) -> None:
        self._meter = meter
        self._fault = fault
        self._last = meter.voltage

    @property
    def voltage(self) -> Reading:
        if self._fault.shows == "frozen":
            return self._last
        now = self._meter.voltage
        return now._replace(value=float("nan") if self._fault.shows == "nan" else now.value + self._fault.offset)


class FaultyBattery:
    """A battery whose voltage or whose greatest current is not what it was."""

    def __init__(self, battery: Battery, fault: d.Meter | None, max_current: float | None = None) -> None:
        self._battery = battery
        self._meter = FaultyMeter(battery, fault) if fault else battery
        self._max_current = max_current

    @property
    def voltage(self) -> Reading:
        return self._meter.voltage

    @property
    def soc_percent(self) -> float:
        return self._battery.soc_percent

    @property
    def capacity_wh(self) -> float:
        return self._battery.capacity_wh

    @property
    def max_voltage(self) -> float:
        return self._battery.max_voltage

    @property
    def max_current(self) -> float:
        own = self._battery.max_current
        return own if self._max_current is None else min(own, self._max_current)


class FaultySupply:
    """A supply that gives or shows something else than it should."""

    def __init__(self, supply: Supply, fault: d.Supply | d.Meter) -> None:
        self._supply = supply
        self._fault = fault
        self._meter: Voltmeter = FaultyMeter(supply, fault) if isinstance(fault, d.Meter) else supply
        self._least = supply.voltage.value * STUCK, supply.current.value
        self.max_voltage, self.min_voltage = supply.max_voltage, supply.min_voltage
        self.max_current, self.min_current = supply.max_current, supply.min_current
        self.max_power = supply.max_power

    async def set(self, voltage: float, current: float) -> None:
        match self._fault:
            case d.Supply(fault="voltage", factor=factor):
                voltage *= factor
            case d.Supply(fault="current", factor=factor):
                current *= factor
            case d.Supply(fault="stuck"):
                voltage, current = self._least = max(voltage, self._least[0]), max(current, self._least[1])
        await self._supply.set(voltage, current)

    async def off(self) -> None:
        if isinstance(self._fault, d.Supply) and self._fault.fault == "stuck":
            raise DeviceError("supply: does not switch off")
        await self._supply.off()

    @property
    def voltage(self) -> Reading:
        return self._meter.voltage

    @property
    def current(self) -> Reading:
        return self._supply.current


class Losing:
    """Tells the powerline which frames to lose; what was there before goes on losing."""

    def __init__(self, fault: d.Lose, line: Powerline) -> None:
        self._before: Callable[[bytes], bool] = line.lose
        self._which = matcher(fault.frames)
        self._left = None if fault.count == "all" else fault.count
        self.lost = 0

    def __call__(self, frame: bytes) -> bool:
        if self._left != 0 and self._which(frame):
            self._left = None if self._left is None else self._left - 1
            self.lost += 1
            return True
        return self._before(frame)


def frame_names() -> list[str]:
    """What can stand in `frames`."""
    return [*SDP, "all", *sorted(_types())]


def _types() -> dict[str, int]:
    from ..slac import messages

    kinds = vars(messages).values()
    return {k.NAME: k.TYPE for k in kinds if isinstance(k, type) and issubclass(k, Management) and k is not Management}


def matcher(name: str) -> Callable[[bytes], bool]:
    """Whether a frame is one of `name`; KeyError for a name nobody knows."""
    if name == "all":
        return lambda frame: True
    if name in SDP:
        return lambda frame: _sdp(frame) == SDP[name]
    wanted = _types()[name]

    def management(frame: bytes) -> bool:
        try:
            return parse(frame).type == wanted
        except MmeError:
            return False

    return management


def _sdp(frame: bytes) -> int | None:
    datagram = parse_udp(frame)
    if datagram is None or SDP_PORT not in (datagram.source[1], datagram.destination[1]):
        return None
    return int.from_bytes(datagram.data[2:4], "big")


def patient(times: Any) -> Any:
    """Time-outs of a peer that hangs: each a thousand times as long."""
    if isinstance(times, Rules):
        return times._replace(din=patient(times.din), iso2=patient(times.iso2))
    if isinstance(times, Timer):
        return times._replace(seconds=times.seconds * PATIENCE)
    if isinstance(times, dict):
        return {name: patient(value) for name, value in times.items()}
    if isinstance(times, msgspec.Struct):
        return msgspec.structs.replace(times, **{n: patient(getattr(times, n)) for n in times.__struct_fields__})
    return times


def _terminate(world: World, unit: Side) -> None:
    """What `pyplc ev` and `pyplc evse` do at SIGTERM."""
    station = world.vehicle if unit == "ev" else world.charger
    ending = Ending(world.tasks[unit], station.stop, world.common[unit].recorder.on(unit).note)
    world.processes[unit].context.run(ending.signalled, "SIGTERM")


def _kill(world: World, unit: Side) -> None:
    """SIGKILL, and what the kernel does then: it closes what the program had open."""
    world.processes[unit].kill()
    Context().run(_close_all, world, unit)


def _close_all(world: World, unit: Side) -> None:
    if len(world.channels) > (index := 0 if unit == "ev" else 1):
        world.channels[index].hang_up()
    if unit == "evse":
        world.exchange.listeners.clear()
    for hardware in world.hardware.values():
        assert isinstance(hardware, Wired)
        hardware.wire.hang_up()
