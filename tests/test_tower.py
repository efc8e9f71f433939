"""Whole towers in virtual time: the good case, and every way a session can be cut off."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
import worlds

from pyplc.hw.ports import PilotState, Reading
from pyplc.record import Frame, Note, Pilot, Record, Switch
from pyplc.service.jsonl import line
from pyplc.simulation import World
from pyplc.v2g.control import Delivered, Demand

GOOD_CASE = [
    "supportedAppProtocolReq",
    "SessionSetupReq",
    "ServiceDiscoveryReq",
    "ServicePaymentSelectionReq",
    "ContractAuthenticationReq",
    "ChargeParameterDiscoveryReq",
    "CableCheckReq",
    "PreChargeReq",
    "PowerDeliveryReq",
    "CurrentDemandReq",
    "PowerDeliveryReq",
    "WeldingDetectionReq",
    "SessionStopReq",
]


def phases(names: list[str]) -> list[str]:
    """Names without repetitions next to each other."""
    return [name for name, before in zip(names, ["", *names], strict=False) if name != before]


def assert_safe(outcome: worlds.Outcome) -> None:
    """No current, contactors of both sides open, unlocked."""
    circuit = outcome.world.plant.circuit
    assert circuit.current == 0
    assert not circuit.vehicle_closed
    assert not circuit.outlet_closed
    assert not outcome.world.plant.locked
    assert not [r for r in outcome.records if isinstance(r, Note) and "defect" in r.text]


def test_a_whole_session() -> None:
    outcome = worlds.session()
    vehicle, charger = outcome.summaries["ev"], outcome.summaries["evse"]
    assert (vehicle.outcome, charger.outcome) == ("finished", "finished")
    assert vehicle.reason == "target of 45.2 % reached"
    assert vehicle.soc_percent == pytest.approx(45.2, abs=0.05)
    assert vehicle.messages == charger.messages
    delivered = outcome.world.plant.circuit.delivered_wh
    assert vehicle.energy_wh == pytest.approx(delivered, rel=0.05)
    assert charger.energy_wh == pytest.approx(delivered, rel=0.05)
    assert phases(outcome.messages("ev")) == GOOD_CASE
    assert outcome.world.plant.circuit.max_inrush < 100 * 10
    assert_safe(outcome)


def test_the_checkpoints_come_in_order() -> None:
    outcome = worlds.session()
    vehicle = outcome.checkpoints("ev")
    wanted = [
        4,
        100,
        102,
        103,
        104,
        150,
        160,
        170,
        190,
        200,
        203,
        301,
        303,
        400,
        403,
        500,
        506,
        560,
        570,
        590,
        600,
        700,
    ]
    wanted += [795, 800, 806, 810, 815, 850, 900, 910, 920]
    assert [number for number in vehicle if number in wanted] == wanted
    charger = outcome.checkpoints("evse")
    wanted = [1, 3, 5, 101, 110, 120, 155, 190, 201, 202, 401, 402, 505, 565, 575, 605, 705, 805, 855, 905]
    assert [number for number in charger if number in wanted] == wanted


def test_port_and_discovery_are_ready_before_the_match_is_confirmed() -> None:
    outcome = worlds.session()
    assert outcome.at("evse", 300) <= outcome.at("evse", 155)


def test_same_seed_same_bytes() -> None:
    def run(seed: int) -> list[bytes]:
        return [line(record) for record in worlds.session(seed=seed, frames=True).records]

    first = run(7)
    assert first == run(7)
    assert first != run(8)


def test_frames_are_recorded_both_ways() -> None:
    frames = [r for r in worlds.session(frames=True).records if isinstance(r, Frame)]
    kinds = {(f.side, f.direction, f.data[12:14].hex()) for f in frames}
    assert {(s, d, k) for s in ("ev", "evse") for d in ("rx", "tx") for k in ("88e1", "86dd")} <= kinds


# who wants to stop


def test_the_charger_asks_to_stop() -> None:
    outcome = worlds.session(lambda w: w.charger.stop("stop button"), at=700)
    assert outcome.summaries["ev"].outcome == "finished"
    assert outcome.summaries["ev"].reason == "the charger asked to stop (EVSE_Shutdown)"
    assert outcome.summaries["evse"].reason == "stop button"
    assert phases(outcome.messages("ev"))[-3:] == GOOD_CASE[-3:]
    assert_safe(outcome)


@pytest.mark.parametrize("at", [505, 540, 561, 570])
def test_the_charger_asks_to_stop_before_power(at: int) -> None:
    outcome = worlds.session(lambda w: w.charger.stop("stop button"), at=at, delay=0.0)
    assert outcome.summaries["ev"].outcome == "finished", outcome.summaries["ev"].reason
    assert "asked to stop" in outcome.summaries["ev"].reason
    assert_safe(outcome)


def test_the_user_stops_the_vehicle() -> None:
    outcome = worlds.session(lambda w: w.vehicle.stop("stop button in the car"), at=700)
    assert outcome.summaries["ev"].outcome == "finished"
    assert outcome.summaries["ev"].reason == "stop button in the car"
    assert phases(outcome.messages("ev")) == GOOD_CASE
    assert_safe(outcome)


# what goes wrong


def cut(world: World) -> None:
    """Break the connection off, as a pulled network cable would."""
    channel = world.channels[0]
    channel.abort()


def mute(index: int) -> Callable[[World], None]:
    """The station's messages no longer leave it, though its connection stands."""

    def disturb(world: World) -> None:
        world.channels[index].send = lambda *_: None  # type: ignore[method-assign]

    return disturb


def kill(name: str) -> Callable[[World], None]:
    """Cancel every task that runs a coroutine of this name."""

    def disturb(world: World) -> None:
        victims = [t for t in asyncio.all_tasks() if getattr(t.get_coro(), "__qualname__", "") == name]
        assert victims, f"no task runs {name}"
        for victim in victims:
            victim.cancel()

    return disturb


DISTURBANCES: dict[str, tuple[Callable[[World], object], str, str]] = {
    "connection broken": (cut, "lost|pilot", "lost|pilot"),
    "charger silent": (mute(1), "timeout|lost", "lost|pilot|timeout"),
    "vehicle silent": (mute(0), "timeout|lost|pilot", "lost|pilot|timeout"),
    "unplugged": (lambda w: w.plant.unplug(), "pilot", "pilot"),
    "state F": (lambda w: w.plant.pilot.set_fault(), "pilot", "pilot"),
    "oscillator off": (lambda w: w.plant.pilot.set_duty(None), "pilot", "lost|pilot"),
    "vehicle leaves state C": (lambda w: w.plant.pilot.set_vehicle(PilotState.B), "lost|pilot", "pilot"),
}


@pytest.mark.parametrize(
    ("name", "at"),
    [
        (name, at)
        for name in DISTURBANCES
        for at in (403, 506, 545, 561, 575, 700)
        if name != "vehicle leaves state C" or at >= 561  # it is in state B before
    ],
)
def test_a_disturbance_ends_safe(name: str, at: int) -> None:
    disturb, vehicle, charger = DISTURBANCES[name]
    outcome = worlds.session(disturb, at=at, delay=0.05)  # type: ignore[arg-type]
    assert_safe(outcome)
    assert outcome.summaries["ev"].outcome != "finished"
    assert outcome.summaries["ev"].outcome in vehicle.split("|"), outcome.summaries["ev"].reason
    assert outcome.summaries["evse"].outcome in charger.split("|"), outcome.summaries["evse"].reason
    assert outcome.summaries["ev"].reason
    assert_order(outcome)


@pytest.mark.parametrize(
    "task",
    [
        "HomePlug.run",
        "Split.run",
        "VirtualNetwork.run",
        "EmulatedModem.run",
        "Vehicle.watch_pilot",
        "DcCharger.watch_pilot",
        "VehicleStation._connected",
        "ChargerStation._linked",
        "VehicleStation.run",
        "ChargerStation.run",
        "serve",
    ],
)
def test_a_killed_task_ends_the_session_safe(task: str) -> None:
    outcome = worlds.session(kill(task), at=700)
    assert_safe(outcome)
    assert {s.outcome for s in outcome.summaries.values()} != {"finished"}


def assert_order(outcome: worlds.Outcome) -> None:
    """Pilot to state B, then the contactors, then the lock; each at its time."""
    passed = outcome.checkpoints("ev")
    assert [n for n in passed if n in (950, 951, 952)] == [950, 951, 952]
    closed = [r for r in outcome.records if isinstance(r, Switch) and (r.device, r.state) == ("contactor", "closed")]
    if [r for r in closed if r.side == "ev"]:
        assert outcome.at("ev", 951) - outcome.at("ev", 950) >= 2.0
        assert outcome.at("ev", 952) - outcome.at("ev", 951) >= 1.0


@pytest.mark.parametrize("at", [104, 700])
def test_an_interface_that_goes_down(at: int) -> None:
    """Frames can neither be sent nor received: the end is safe, and the summary says why."""

    def down(world: World) -> None:
        for link in world.hosts:
            link.close()

    outcome = worlds.session(down, at=at, delay=0.01)
    assert_safe(outcome)
    assert outcome.summaries["ev"].outcome == "network"
    assert "was closed" in outcome.summaries["ev"].reason


# what the plant has broken


def test_an_isolation_fault_ends_in_the_cable_check() -> None:
    def weak(world: World) -> None:
        world.plant.circuit.isolation = 20_000.0

    outcome = worlds.session(prepare=weak)
    assert outcome.summaries["evse"].outcome == "refused"
    assert "isolation of 20 kOhm" in outcome.summaries["evse"].reason
    assert outcome.summaries["ev"].outcome == "failed"
    assert "CableCheckRes says FAILED" in outcome.summaries["ev"].reason
    assert_safe(outcome)


def test_contactors_that_do_not_close() -> None:
    def stuck(world: World) -> None:
        world.plant.contactor_stuck_open = True

    outcome = worlds.session(prepare=stuck)
    assert outcome.summaries["ev"].outcome == "device"
    assert "do not close" in outcome.summaries["ev"].reason
    assert_safe(outcome)


def test_welded_contactors_are_noticed_and_the_way_down_goes_on() -> None:
    def weld(world: World) -> None:
        world.plant.contactor_welded = True

    outcome = worlds.session(weld, at=700)
    assert outcome.summaries["ev"].outcome == "device"
    assert "welded" in outcome.summaries["ev"].reason
    assert not outcome.world.plant.locked
    assert outcome.world.plant.circuit.current == 0
    assert [r for r in outcome.records if isinstance(r, Note) and "could not open the contactors" in r.text]


def test_a_lock_that_does_not_lock_means_no_state_c() -> None:
    def stuck(world: World) -> None:
        world.plant.lock_stuck = True

    outcome = worlds.session(prepare=stuck)
    assert outcome.summaries["ev"].outcome == "device"
    pilots: list[Record] = [r for r in outcome.records if isinstance(r, Pilot) and r.state == "C"]
    assert not pilots


def test_a_battery_the_charger_cannot_reach() -> None:
    settings = worlds.short()
    settings.charger.max_voltage = 300.0
    outcome = worlds.session(settings=settings)
    assert outcome.summaries["ev"].outcome == "refused"
    assert "the charger gives 150 to 300 V" in outcome.summaries["ev"].reason
    assert_safe(outcome)


class Frozen:
    """A voltmeter that shows its last reading for ever, as a serial line that went dead."""

    def __init__(self, reading: Reading) -> None:
        self.voltage = reading


@pytest.mark.parametrize("device", ["inlet", "battery"])
def test_a_frozen_reading_ends_the_session(device: str) -> None:
    def freeze(world: World) -> None:
        devices = world.vehicle.devices
        meter = getattr(devices, device)
        frozen = Frozen(meter.voltage)
        if device == "battery":
            for name in ("soc_percent", "capacity_wh", "max_voltage", "max_current"):
                setattr(frozen, name, getattr(meter, name))
        setattr(devices, device, frozen)

    outcome = worlds.session(freeze, at=700)
    assert outcome.summaries["ev"].outcome == "device"
    assert f"{device} voltage: the newest reading is" in outcome.summaries["ev"].reason
    assert_safe(outcome)


@pytest.mark.parametrize(
    ("given", "reason"), [((900.0, 50.0), "reports 900 V"), ((380.0, 400.0), "gives 400 A")], ids=["volts", "amperes"]
)
def test_a_charger_that_exceeds_the_agreed_limits(given: tuple[float, float], reason: str) -> None:
    def lie(world: World) -> None:
        deliver = world.charger.charger.deliver

        async def lying(demand: Demand) -> Delivered:
            return (await deliver(demand))._replace(voltage=given[0], current=given[1])

        world.charger.charger.deliver = lying  # type: ignore[method-assign]

    outcome = worlds.session(lie, at=700)
    assert outcome.summaries["ev"].outcome == "refused"
    assert reason in outcome.summaries["ev"].reason
    assert_safe(outcome)


def test_a_modem_that_refuses_the_key() -> None:
    def refuse(world: World) -> None:
        world.modems[0].refuse_key = True

    outcome = worlds.session(prepare=refuse)
    assert outcome.summaries["ev"].outcome == "modem"
    assert "refused the key" in outcome.summaries["ev"].reason
    assert_safe(outcome)


def test_no_charger_in_hearing() -> None:
    settings = worlds.short()
    settings.slac.search_s = 5.0

    def deaf(world: World) -> None:
        world.line.carry = lambda *_: None  # type: ignore[method-assign]

    outcome = worlds.session(settings=settings, prepare=deaf)
    assert outcome.summaries["ev"].outcome == "slac"
    assert "CM_SLAC_PARAM.REQ" in outcome.summaries["ev"].reason
    assert_safe(outcome)
