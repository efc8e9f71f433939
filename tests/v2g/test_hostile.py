"""hypothesis as a hostile peer: right and wrong messages in any order, bytes, silence, pilot and plug, against the
session and the station of each role, generation and energy, in virtual time.

Whatever comes, nothing crashes, no safety rule is broken, nothing stays energised, and the session ends within the
sequence time-out after the last message. What a peer may say is taken from a good session and from the schema.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Coroutine
from functools import cache
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyplc import clock
from pyplc.exi.declare import Element
from pyplc.exi.errors import ExiError
from pyplc.hw.ports import PilotState
from pyplc.hw.simulated import ac_charger_devices, ac_vehicle_devices, charger_devices, vehicle_devices
from pyplc.plant.parameters import BatteryParameters, PlantParameters
from pyplc.plant.plant import Plant
from pyplc.record import Message, Record, Recorder, Scribe, Side
from pyplc.scenario.edit import EditError, body_of, changed, messages, smallest
from pyplc.scenario.load import USUAL, merged, told
from pyplc.scenario.safety import EDGES, LASTING, LOOK_S, Safety, look
from pyplc.simulation import World
from pyplc.station.charger import ChargerSettings
from pyplc.station.charger_ac import AcCharger
from pyplc.station.charger_dc import DcCharger
from pyplc.station.vehicle import VehicleSettings
from pyplc.station.vehicle_ac import AcVehicle
from pyplc.station.vehicle_dc import DcVehicle
from pyplc.tower import alongside, judge
from pyplc.v2g import charger as charger_session
from pyplc.v2g import vehicle as vehicle_session
from pyplc.v2g.negotiate import DIN, ISO2
from pyplc.v2g.rules import Rules
from pyplc.v2g.schemas import schema
from pyplc.v2g.stream import Channel, Closed, pipe
from pyplc.v2gtp import PayloadType

KINDS = [("din", "dc"), ("iso2", "dc"), ("iso2", "ac")]
SEQUENCE_S = 60.0
WAY_DOWN_S = 15.0
CHARGER_RULES = {
    "current-pilot", "current-undemanded", "over-voltage", "hard-voltage", "over-current", "ac-closing", "ac-live",
    "live-unplugged", "end-current", "end-outlet", "end-oscillator",
}  # fmt: skip
VEHICLE_RULES = {
    "closing-pilot", "closing-unlocked", "opening-load", "unlocking", "powered-unlocked",
    "end-current", "end-vehicle", "end-pilot", "end-lock",
}  # fmt: skip
EXAMPLES = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


class Step(NamedTuple):
    """One thing a hostile peer does."""

    what: str
    name: str = ""
    data: Any = None


# what a good session says


@cache
def good_session(protocol: str, energy: str) -> tuple[tuple[Message, ...], tuple[Message, ...]]:
    """What vehicle and charger said in a good session."""
    records: list[Record] = []

    async def main() -> None:
        from pyplc.config import SimSettings

        chosen = msgspec.convert(merged(USUAL, told(protocol, energy)), SimSettings)  # type: ignore[arg-type]
        world = World(chosen, Recorder(records.append), fast=True, frames=False)
        summaries = await world.run()
        assert {s.outcome for s in summaries.values()} == {"finished"}

    clock.run(main())
    said = [r for r in records if isinstance(r, Message) and r.direction == "tx"]
    return tuple(r for r in said if r.side == "ev"), tuple(r for r in said if r.side == "evse")


def order(protocol: str, energy: str) -> list[Any]:
    """The requests of a good session, repetitions left out."""
    said = good_session(protocol, energy)[0][1:]
    return [m.body for m, before in zip(said, [None, *said], strict=False) if before is None or m.name != before.name]


def names(protocol: str, ending: str) -> list[str]:
    return sorted(name for name in messages(protocol) if name.endswith(ending) and not name.startswith("supported"))


def document(protocol: str, body: Element, session_id: bytes) -> bytes:
    import importlib

    encode = importlib.import_module(f"pyplc.v2g.{protocol}.messages").encode
    data: bytes = encode(body, session_id)
    return data


VALUES = st.one_of(
    st.floats(-1e6, 1e6).map(lambda v: round(v, 1)),
    st.integers(-(2**15), 2**15),
    st.booleans(),
    st.sampled_from(["FAILED", "OK", "EVSE_Shutdown", "EVSE_EmergencyShutdown", "Ongoing", "Finished", "Fault",
                     "StopCharging", "ReNegotiation", "Start", "Stop", "Renegotiate", "Pause", ""]),
)  # fmt: skip
PATHS = st.sampled_from([
    "ResponseCode", "EVSEProcessing", "DC_EVSEStatus.EVSEStatusCode", "DC_EVSEStatus.EVSENotification",
    "AC_EVSEStatus.EVSENotification", "AC_EVSEStatus.RCD", "EVSEMaxCurrent", "EVSEPresentVoltage", "EVSEPresentCurrent",
    "EVSEMaximumVoltageLimit", "EVSEMaximumCurrentLimit", "EVSEMaximumPowerLimit", "EVTargetVoltage", "EVTargetCurrent",
    "EVMaximumCurrentLimit", "EVMaximumVoltageLimit", "ReadyToChargeState", "ChargeProgress", "ChargingSession",
    "EVSEChargeParameter.DC_EVSEChargeParameter.EVSEMaximumVoltageLimit",
    "EVSEChargeParameter.DC_EVSEChargeParameter.EVSEMinimumVoltageLimit",
    "EVSEChargeParameter.DC_EVSEChargeParameter.EVSEMaximumCurrentLimit",
    "EVSEChargeParameter.AC_EVSEChargeParameter.EVSEMaxCurrent",
    "EVChargeParameter.DC_EVChargeParameter.EVMaximumVoltageLimit",
    "EVChargeParameter.DC_EVChargeParameter.EVMaximumCurrentLimit",
    "EVChargeParameter.AC_EVChargeParameter.EVMaxCurrent",
    "SAScheduleTupleID", "ReceiptRequired", "SelectedPaymentOption",
])  # fmt: skip


NO_NAME, NO_DATA = st.just(""), st.none()


def step(what: str, name: Any = NO_NAME, data: Any = NO_DATA) -> st.SearchStrategy[Step]:
    return st.tuples(st.just(what), name, data).map(Step._make)


def steps(protocol: str, ending: str, length: int) -> st.SearchStrategy[list[Step]]:
    """Things to do, most of them right, so that the end of a session is reached too."""
    right = st.just(Step("right"))
    other = "Req" if ending == "Res" else "Res"
    wrong = st.one_of(
        step("change", PATHS, VALUES),
        step("other", st.sampled_from(names(protocol, ending))),
        step("other", st.sampled_from(names(protocol, other))),
        step("bytes", data=st.binary(max_size=40)),
        step("raw", data=st.binary(max_size=20)),
        step("truncate", data=st.integers(0, 30)),
        step("session", data=st.binary(max_size=8)),
        step("pause", data=st.floats(0.01, 5)),
        step("pilot", data=st.sampled_from("BCD")),
        step("supply", data=st.tuples(st.floats(0, 500), st.floats(0, 125))),
        st.sampled_from([Step(what) for what in ("twice", "unplug", "close", "reset", "silence", "fault")]),
    )
    return st.lists(st.one_of(right, right, right, wrong), min_size=1, max_size=length)


# what the peer sends


class Peer:
    """One end of the stream and of the plant. `last` is the loop's time of the last message sent."""

    def __init__(self, protocol: str, channel: Channel, plant: Plant) -> None:
        self.protocol = protocol
        self.channel = channel
        self.plant = plant
        self.session_id = bytes(8)
        self.last = 0.0

    def send(self, data: bytes) -> None:
        self.last = asyncio.get_running_loop().time()
        self.channel.send(PayloadType.EXI, data)

    def say(self, body: Any) -> None:
        self.send(document(self.protocol, body, self.session_id))

    async def wrong(self, step: Step, right: Any) -> bool:
        """Do a wrong step where `right` would be said; False when nothing more shall be said at all."""
        match step.what:
            case "change":
                try:
                    self.say(changed(right, {step.name: step.data}, []))
                except (EditError, ExiError, OverflowError):
                    self.say(right)
            case "other":
                self.say(smallest(messages(self.protocol)[step.name]))
            case "bytes":
                self.send(b"\x80" + step.data)
            case "raw":
                self.channel._transport.write(step.data)  # type: ignore[union-attr]
            case "truncate":
                self.send(document(self.protocol, right, self.session_id)[: step.data])
            case "session":
                self.send(document(self.protocol, right, step.data))
            case "twice":
                self.say(right)
                self.say(right)
            case "pause":
                await asyncio.sleep(step.data)
                self.say(right)
            case "close":
                await self.channel.close()
                return False
            case "reset":
                self.channel.abort()
                return False
            case "silence":
                return False
            case _:
                self.physical(step)
                self.say(right)
        return True

    def physical(self, step: Step) -> None:
        """What this peer's own hardware does."""
        if step.what == "unplug":
            self.plant.unplug()


async def held(
    session: Coroutine[Any, Any, Any], watcher: Coroutine[Any, Any, Any], secure: Awaitable[None]
) -> tuple[str, str]:
    """A session with its station's watcher and way down, as the tower holds it."""
    outcome, reason = "finished", ""
    try:
        await alongside(session, watcher)
    except Exception as error:
        outcome, reason = judge(error)
    await secure
    return outcome, reason


async def watched(plant: Plant, safety: Safety, energy: Any) -> None:
    while True:
        safety.look(look(plant, energy))
        await asyncio.sleep(LOOK_S)


def only(rules: set[str]) -> frozenset[str]:
    return frozenset({rule.name for rule in (*EDGES, *LASTING)} - rules)


def rules_of(protocol: str) -> Rules:
    return Rules(protocols=(DIN if protocol == "din" else ISO2,))


def parameters() -> PlantParameters:
    return PlantParameters(battery=BatteryParameters(soc_percent=45.0))


async def judged(
    peer: Peer, unit: asyncio.Task[tuple[str, str]], acting: asyncio.Task[None], safety: Safety, side: Side
) -> str:
    """Wait for the end and hold everything against what must be true."""
    loop = asyncio.get_running_loop()
    outcome, reason = await unit
    ended = loop.time()
    safety.talk.ended[side] = ended
    await asyncio.sleep(1.0)
    acting.cancel()
    await asyncio.gather(acting, return_exceptions=True)
    assert outcome not in ("error", "crashed"), reason
    assert not safety.breaches, (safety.breaches, outcome, reason)
    assert ended - min(peer.last, ended) <= SEQUENCE_S + WAY_DOWN_S, (outcome, reason)
    return outcome


# the charger and a hostile vehicle


class HostileVehicle(Peer):
    """Goes through the requests of a good session, one for each step, and does to each what the step says."""

    def physical(self, step: Step) -> None:
        super().physical(step)
        if step.what == "pilot":
            self.plant.pilot.set_vehicle(PilotState(step.data))

    async def act(self, prefix: int, todo: list[Step], requests: list[Any], hello: bytes, energy: str) -> None:
        try:
            self.send(hello)
            await self.channel.receive(5)
            for number, request in enumerate(requests):
                if number < prefix:
                    await self.polite(request, energy)
                    continue
                step = todo[number - prefix] if number - prefix < len(todo) else Step("silence")
                if step.what == "right":
                    await self.polite(request, energy)
                elif not await self.wrong(step, request):
                    return
                else:
                    await self.answer(1.0)
        except (Closed, TimeoutError):
            return

    async def polite(self, request: Any, energy: str) -> None:
        """Say it as a good vehicle does, until it is finished; pilot and contactors go with it."""
        name, plant = type(request).__name__, self.plant
        starts = getattr(request, "ReadyToChargeState", None) or "Start" in repr(getattr(request, "ChargeProgress", ""))
        if name == "CableCheckReq" or (energy == "ac" and name == "PowerDeliveryReq" and starts):
            plant.pilot.set_vehicle(PilotState.C)
        if name == "PowerDeliveryReq" and starts and energy == "dc":
            plant.now().close_vehicle()
        if name == "ChargingStatusReq":
            plant.ac_now().wanted = 16.0
        for _ in range(60):
            self.say(request)
            response = await self.answer(6.0)
            again = str(getattr(getattr(response, "EVSEProcessing", None), "name", "")).startswith("Ongoing")
            short = name == "PreChargeReq" and abs(plant.now().inlet_voltage - plant.circuit.open_circuit_voltage) > 10
            if not (again or short):
                break
            await asyncio.sleep(0.25)
        if name == "PowerDeliveryReq" and not starts:
            plant.ac_now().wanted = 0.0
            plant.pilot.set_vehicle(PilotState.B)
            plant.now().open_vehicle()

    async def answer(self, patience: float) -> Any:
        payload = await self.channel.receive(patience)
        told = schema(self.protocol).decode(payload.data)
        self.session_id = told.Header.SessionID
        return body_of(told)


def requests_of(protocol: str, energy: str) -> list[Any]:
    """A good session's requests; the charge loop is long: six of it stand where one was."""
    found = order(protocol, energy)
    at = next(i for i, r in enumerate(found) if type(r).__name__ in ("CurrentDemandReq", "ChargingStatusReq"))
    return [*found[:at], *[found[at]] * 6, *found[at + 1 :]]


def against_charger(protocol: str, energy: Any, prefix: int, todo: list[Step], seed: int = 1) -> str:
    """A hostile vehicle against the charger: how it ended for the charger."""
    requests, hello = requests_of(protocol, energy), good_session(protocol, energy)[0][0].exi

    async def main() -> str:
        plant = Plant(parameters())
        plant.plug_in()
        safety = Safety(energy, only(CHARGER_RULES))
        scribe = Scribe(Recorder(safety.talk.read), "evse")
        near, far = pipe()
        devices: Any = charger_devices(plant) if energy == "dc" else ac_charger_devices(plant)
        kind: Any = DcCharger if energy == "dc" else AcCharger
        control = kind(devices, ChargerSettings(energy=energy), scribe)
        await devices.pilot.set_duty(5.0)
        session = charger_session.serve(far, control, scribe, rules_of(protocol), random.Random(seed))
        peer = HostileVehicle(protocol, near, plant)
        watching = asyncio.ensure_future(watched(plant, safety, energy))
        unit = asyncio.ensure_future(held(session, control.watch_pilot(), control.secure()))
        acting = asyncio.ensure_future(peer.act(prefix, todo, requests, hello, energy))
        outcome = await judged(peer, unit, acting, safety, "evse")
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        assert plant.now().current == 0 and plant.ac_now().current == 0
        assert not plant.circuit.outlet_closed and not plant.ac.contactor_closed
        return outcome

    return clock.run(main())


@pytest.mark.parametrize(("protocol", "energy"), KINDS)
def test_a_hostile_vehicle(protocol: str, energy: str) -> None:
    longest = len(requests_of(protocol, energy))

    @EXAMPLES
    @given(prefix=st.integers(0, longest), todo=steps(protocol, "Req", 12), seed=st.integers(0, 3))
    def run(prefix: int, todo: list[Step], seed: int) -> None:
        against_charger(protocol, energy, prefix, todo, seed)

    run()


# the vehicle and a hostile charger


class HostileCharger(Peer):
    """Answers each request as a good charger did, or as the step says; its hardware cuts the current in state B."""

    def physical(self, step: Step) -> None:
        super().physical(step)
        match step.what:
            case "pilot":
                self.plant.pilot.set_duty({"B": None, "C": 5.0, "D": 50.0}[step.data])
            case "fault":
                self.plant.pilot.set_fault()
            case "supply":
                self.plant.now().set_supply(*step.data)

    async def act(self, prefix: int, todo: list[Step], responses: dict[str, Any], hello: bytes, energy: str) -> None:
        cutting = asyncio.ensure_future(self.hardware())
        try:
            await self.channel.receive(5)
            self.send(hello)
            self.session_id = b"\x01\x02\x03\x04\x05\x06\x07\x08"
            number = 0
            while True:
                payload = await self.channel.receive(400)
                request = body_of(schema(self.protocol).decode(payload.data))
                right = responses[request.tag().removesuffix("Req") + "Res"]
                step = Step("right") if number < prefix else self.step(todo, number - prefix)
                number += 1
                if step.what == "right":
                    self.say(self.follow(request, right, energy))
                elif not await self.wrong(step, self.follow(request, right, energy)):
                    return
        except (Closed, TimeoutError, KeyError):
            await self.channel.close()
        finally:
            await asyncio.sleep(120)  # silent, but there
            cutting.cancel()

    @staticmethod
    def step(todo: list[Step], number: int) -> Step:
        return todo[number] if number < len(todo) else Step("silence")

    def follow(self, request: Any, right: Any, energy: str) -> Any:
        """The good answer with the values of the moment; the plant follows."""
        circuit, name = self.plant.now(), type(request).__name__
        if energy == "ac":
            if name == "PowerDeliveryReq":
                self.plant.ac_now().set_contactor("Start" in repr(request.ChargeProgress))
            return right
        if name == "CableCheckReq":
            circuit.outlet_closed = True
        elif name in ("PreChargeReq", "CurrentDemandReq"):
            circuit.set_supply(float(request.EVTargetVoltage), float(request.EVTargetCurrent))
            values = {"EVSEPresentVoltage": round(circuit.outlet_voltage, 1)}
            if name == "CurrentDemandReq":
                values["EVSEPresentCurrent"] = round(circuit.current, 1)
            return changed(right, values, [])
        elif name == "PowerDeliveryReq" and right is not None:
            stop = request.ReadyToChargeState is False if self.protocol == "din" else "Stop" in repr(request)
            if stop:
                circuit.set_supply(0.0, 0.0)
        elif name == "WeldingDetectionReq":
            return changed(right, {"EVSEPresentVoltage": round(circuit.outlet_voltage, 1)}, [])
        return right

    async def hardware(self) -> None:
        while True:
            if self.plant.pilot.asked not in (PilotState.C, PilotState.D):
                self.plant.now().set_supply(0.0, 0.0)
                self.plant.ac_now().set_contactor(False)
            await asyncio.sleep(0.02)


def against_vehicle(protocol: str, energy: Any, prefix: int, todo: list[Step]) -> str:
    """A hostile charger against the vehicle: how it ended for the vehicle."""
    said = good_session(protocol, energy)[1]
    hello, responses = said[0].exi, {m.name: m.body for m in said[1:]}  # of loops the last: Finished

    async def main() -> str:
        plant = Plant(parameters())
        plant.plug_in()
        plant.pilot.set_duty(5.0)
        safety = Safety(energy, only(VEHICLE_RULES))
        scribe = Scribe(Recorder(safety.talk.read), "ev")
        near, far = pipe()
        devices: Any = vehicle_devices(plant) if energy == "dc" else ac_vehicle_devices(plant)
        kind: Any = DcVehicle if energy == "dc" else AcVehicle
        control = kind(devices, VehicleSettings(energy=energy, target_soc=45.02), b"\x02\0\0\0\0\1", scribe)
        session = vehicle_session.charge(near, control, scribe, rules_of(protocol))
        peer = HostileCharger(protocol, far, plant)
        watching = asyncio.ensure_future(watched(plant, safety, energy))
        unit = asyncio.ensure_future(held(session, control.watch_pilot(), control.secure()))
        acting = asyncio.ensure_future(peer.act(prefix, todo, responses, hello, energy))
        outcome = await judged(peer, unit, acting, safety, "ev")
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        assert plant.now().current == 0 and plant.ac_now().current == 0
        assert not plant.circuit.vehicle_closed and not plant.locked
        assert plant.pilot.asked not in (PilotState.C, PilotState.D)
        # 20 V at the last look, and what an outlet loses while contactors move (50 ms of 0.4 s)
        assert plant.circuit.max_inrush * plant.parameters.cable.contact_resistance < 20 + 408 * 0.12
        return outcome

    return clock.run(main())


@pytest.mark.parametrize(("protocol", "energy"), KINDS)
def test_a_hostile_charger(protocol: str, energy: str) -> None:
    @EXAMPLES
    @given(prefix=st.integers(0, 22), todo=steps(protocol, "Res", 25))
    def run(prefix: int, todo: list[Step]) -> None:
        against_vehicle(protocol, energy, prefix, todo)

    run()


@pytest.mark.parametrize(("protocol", "energy"), KINDS)
def test_a_peer_that_does_everything_right_reaches_the_end(protocol: str, energy: str) -> None:
    """So every state of a session is within reach of the hostile ones."""
    assert against_charger(protocol, energy, 99, []) == "finished"
    assert against_vehicle(protocol, energy, 9999, []) == "finished"
