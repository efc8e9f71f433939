"""Devices behind a broker: pyPLC's topics to the letter, the clean set, whole DIN charges on real brokers, faults."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import benches
import brokers
import msgspec
import pytest
import worlds
from benches import Bench, Disturb, set_device

from pyplc import clock
from pyplc.hw.board import BatterySettings
from pyplc.hw.driver import Driver
from pyplc.hw.emulated.broker import MemoryBroker, matches
from pyplc.hw.emulated.mqtt import Behind, EmulatedMqtt, EmulatedPyPlcMqtt
from pyplc.hw.mqtt import TOPICS, Mqtt, MqttSettings
from pyplc.hw.mqtt_board import MqttBoard, SupplySettings
from pyplc.hw.ports import DeviceError, PilotState
from pyplc.hw.pyplc_mqtt import PyPlcMqtt, PyPlcMqttSettings
from pyplc.mqtt import BrokerSettings, broker
from pyplc.plant.parameters import PlantParameters
from pyplc.plant.plant import Plant
from pyplc.record import Side

BATTERY = BatterySettings(max_voltage=408.0, capacity_wh=58_000)
SUPPLY = SupplySettings(max_voltage=500.0, max_current=125.0, max_power=50_000, min_voltage=150.0)
KINDS: dict[str, tuple[type[MqttBoard], type[Any], type[Behind], str]] = {
    "mqtt": (Mqtt, MqttSettings, EmulatedMqtt, "pyplc/device"),
    "pyplc-mqtt": (PyPlcMqtt, PyPlcMqttSettings, EmulatedPyPlcMqtt, "pyPlc"),
}


def role(side: Side) -> str:
    return "vehicle" if side == "ev" else "charger"


def maker(kind: str, side: Side) -> benches.Make:
    """Driver and device on a broker in memory."""
    driver, settings, device, base = KINDS[kind]

    def make(plant: Plant) -> tuple[Driver, Behind, MemoryBroker]:
        line = MemoryBroker()
        chosen = settings(battery=BATTERY, supply=SUPPLY)
        context = benches.context(role(side), plant, kind)
        return driver(chosen, context, line.connect), device(plant, role(side), base, line.connect), line

    return make


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("side", ["ev", "evse"])
def test_a_whole_charge_in_virtual_time(kind: str, side: Side) -> None:
    bench = benches.session(side, maker(kind, side))
    assert bench.summaries["ev"].outcome == "finished", bench.summaries["ev"].reason
    assert bench.summaries["evse"].outcome == "finished", bench.summaries["evse"].reason
    assert bench.plant.circuit.max_inrush < 1000
    benches.safe(bench)
    assert not bench.plant.circuit.vehicle_closed


def published(bench: Bench, topic: str) -> list[str]:
    return [payload.decode() for name, payload in bench.line.heard if name == topic]


def changes(values: list[str]) -> list[str]:
    return [v for i, v in enumerate(values) if i == 0 or values[i - 1] != v]


def test_what_pyplc_tells_of_a_vehicle() -> None:
    bench = benches.session("ev", maker("pyplc-mqtt", "ev"))
    assert changes(published(bench, "pyPlc/cpstate")) == ["B", "C", "B"]
    assert changes(published(bench, "pyPlc/relay_request")) == ["off", "on", "off"]
    assert changes(published(bench, "pyPlc/lock_request")) == ["unlock", "lock", "unlock"]
    assert published(bench, "pyPlc/charger_max_voltage") == ["500"]
    assert published(bench, "pyPlc/charger_max_current") == ["125"]
    assert max(map(float, published(bench, "pyPlc/charger_current"))) > 100
    assert not bench.line.retained


def test_what_pyplc_tells_of_a_charger() -> None:
    bench = benches.session("evse", maker("pyplc-mqtt", "evse"))
    states = changes(published(bench, "pyPlc/fsm_state"))
    assert states[:2] == ["Schema negotiated", "Session established"] and states[-1] == "SessionStop"
    assert {"CableCheck", "PreCharging", "PowerDelivery", "CurrentDemand", "WeldingDetection"} <= set(states)
    assert published(bench, "pyPlc/evccid") == ["020000000001"]
    assert published(bench, "pyPlc/battery_capacity") == ["58000"]
    assert published(bench, "pyPlc/soc")[0] == "45"
    assert max(map(float, published(bench, "pyPlc/target_current"))) == 125
    assert published(bench, "pyPlc/target_voltage")[-1] == published(bench, "pyPlc/target_current")[-1] == "0"
    assert not bench.line.retained


def test_enabled_0_ends_the_session_in_order() -> None:
    def disable(bench: Bench) -> None:
        bench.driver.press = bench.world.charger.stop
        bench.line.publish("pyPlc/enabled", b"0", False)

    bench = benches.session("evse", maker("pyplc-mqtt", "evse"), disturb=disable, at=705, settings=worlds.short(60.0))
    assert bench.summaries["ev"].outcome == "finished"
    assert "EVSE_Shutdown" in bench.summaries["ev"].reason or "charger" in bench.summaries["ev"].reason
    benches.safe(bench)


def test_a_stop_command_counts_only_when_it_is_new() -> None:
    async def main() -> list[str]:
        line, pressed = MemoryBroker(), list[str]()
        line.publish("pyplc/device/command/stop", b"last week", True)
        board = Mqtt(MqttSettings(), benches.context("vehicle", Plant(PlantParameters())), line.connect)
        board.press = pressed.append
        task = asyncio.ensure_future(board.run())
        await asyncio.sleep(1)
        line.publish("pyplc/device/command/stop", b"enough", False)
        await asyncio.sleep(1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return pressed

    assert clock.run(main()) == ["MQTT: enough"]


def test_what_a_broker_has_kept_is_no_reading() -> None:
    async def main() -> None:
        line = MemoryBroker()
        for topic, payload in (("availability", b"online"), ("state/inlet_voltage", b"355"), ("state/pilot", b"B")):
            line.publish(f"pyplc/device/{topic}", payload, True)
        board = Mqtt(MqttSettings(), benches.context("vehicle", Plant(PlantParameters()), "mqtt"), line.connect)
        inlet = board.part("inlet")
        task = asyncio.ensure_future(board.run())
        with pytest.raises(DeviceError, match="nothing heard for 10 s: no answer"):
            await board.ready()
        assert inlet.voltage.value != 355 and board.part("pilot").view.state is PilotState.A
        line.publish("pyplc/device/state/inlet_voltage", b"12.5", True)
        await board.ready()
        assert inlet.voltage.value == 12.5
        for noise in (b"", b"nan", b"-3", b"1e9", b"\xff", b"twelve"):
            line.publish("pyplc/device/state/inlet_voltage", noise, True)
        await asyncio.sleep(0.1)
        assert board.garbled == 6 and inlet.voltage.value == 12.5
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    clock.run(main())


def test_home_assistant_finds_everything() -> None:
    async def main() -> MemoryBroker:
        line = MemoryBroker()
        settings = MqttSettings(discovery="homeassistant", topic="garage/car")
        board = Mqtt(settings, benches.context("vehicle", Plant(PlantParameters()), "car"), line.connect)
        board.part("inlet"), board.part("lock")
        task = asyncio.ensure_future(board.run())
        await asyncio.sleep(1)
        await board.close()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return line

    line = clock.run(main())
    configs = {t: msgspec.json.decode(p) for t, p in line.retained.items() if t.startswith("homeassistant/")}
    inlet = configs["homeassistant/sensor/garage_car/state_inlet_voltage/config"]
    assert inlet["state_topic"] == "garage/car/state/inlet_voltage"
    assert (inlet["unit_of_measurement"], inlet["device_class"]) == ("V", "voltage")
    assert inlet["availability_topic"] == "garage/car/availability"
    assert configs["homeassistant/button/garage_car/command_stop/config"]["command_topic"] == "garage/car/command/stop"
    assert configs["homeassistant/sensor/garage_car/session_soc/config"]["availability_topic"] == "garage/car/host"
    assert not any("supply" in topic or "state_pilot" in topic for topic in configs)
    assert len({config["unique_id"] for config in configs.values()}) == len(configs) == 7
    assert line.retained["garage/car/host"] == b"offline"


def test_the_table_of_topics_is_what_is_sent() -> None:
    seen: set[str] = set()
    for side in ("ev", "evse"):
        bench = benches.session(side, maker("mqtt", side))
        seen |= {topic.removeprefix("pyplc/device/") for topic, _ in bench.line.heard}
    assert seen == {topic.name for topic in TOPICS} - {"command/stop"}


def stop_broker(bench: Bench) -> None:
    bench.line.stop()


def broker_gone_and_back(bench: Bench) -> Awaitable[None]:
    async def work() -> None:
        bench.line.stop()
        await asyncio.sleep(0.2)
        bench.line.start()

    return work()


def set_line(**fields: Any) -> Disturb:
    return benches.set_line(**fields)


FAULTS: dict[str, tuple[str, Side, Disturb, str, float | None]] = {
    # dialect, side, what, reason, seconds until the contactors of that side are open (None: it cannot be told)
    "broker gone": ("mqtt", "ev", stop_broker, "broker was lost", 2.5),
    "broker gone and back": ("mqtt", "ev", broker_gone_and_back, "broker was lost", 4.0),
    "broker frozen": ("mqtt", "ev", set_line(frozen=True), "silent for|newest reading", 4.0),
    "broker slow": ("mqtt", "ev", set_line(delay_s=3.0), "silent for|newest reading", 9.0),
    "device silent": ("mqtt", "ev", set_device(dumb=True), "silent for|newest reading", 5.0),
    "device gone": ("mqtt", "ev", set_device(stuck={"availability": "offline"}), "went offline", 4.0),
    "inlet frozen": ("mqtt", "ev", set_device(stuck={"state/inlet_voltage": "100"}), "inlet", 9.0),
    "inlet impossible": ("mqtt", "ev", set_device(stuck={"state/inlet_voltage": "-7"}), "newest reading", 5.0),
    "charger's broker gone": ("mqtt", "evse", stop_broker, "broker was lost", 2.5),
    "charger's broker frozen": ("mqtt", "evse", set_line(frozen=True), "silent for|newest reading", 4.5),
    "supply silent": ("mqtt", "evse", set_device(dumb=True), "silent for|newest reading", 4.0),
    "pyPLC's broker gone": ("pyplc-mqtt", "ev", stop_broker, "broker was lost", None),
    "pyPLC's device silent": ("pyplc-mqtt", "ev", set_device(dumb=True), "silent for|newest reading", 5.0),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_in_the_charge_loop_ends_safe(name: str) -> None:
    kind, side, disturb, reason, opens = FAULTS[name]
    bench = benches.session(side, maker(kind, side), disturb=disturb, at=700 if side == "ev" else 705,
                            settings=worlds.short(60.0))  # fmt: skip
    summary = bench.summaries[side]
    assert summary.outcome in ("device", "refused"), summary
    assert any(part in summary.reason for part in reason.split("|")), summary.reason
    assert bench.plant.circuit.current == 0
    if opens is not None:
        assert bench.contactors_opened_at is not None
        assert bench.contactors_opened_at - bench.disturbed_at <= opens
    ended = bench.at(side, 952 if side == "ev" else 961)
    assert ended - bench.disturbed_at < 20.0


def test_a_device_goes_safe_when_its_host_vanishes() -> None:
    async def main() -> None:
        plant, line = Plant(PlantParameters()), MemoryBroker()
        plant.plug_in()
        device = EmulatedMqtt(plant, "vehicle", "pyplc/device", line.connect)
        board = Mqtt(MqttSettings(), benches.context("vehicle", plant), line.connect)
        pilot = board.part("pilot")
        tasks = [asyncio.ensure_future(device.run()), asyncio.ensure_future(board.run())]
        await board.ready()
        await pilot.set_state(PilotState.C)
        assert plant.pilot.asked is PilotState.C
        tasks[1].cancel()  # nothing is said any more: the broker tells the will
        await asyncio.sleep(0.3)
        assert plant.pilot.asked is PilotState.B
        tasks[0].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    clock.run(main())


@pytest.mark.parametrize("name", brokers.NAMES)
def test_a_real_broker_goes_and_comes_back(name: str, tmp_path: Path) -> None:
    with brokers.running(name, tmp_path) as real:
        at = BrokerSettings(host="127.0.0.1", port=real.port)

        async def main() -> None:
            plant = Plant(PlantParameters())
            plant.plug_in()
            device = EmulatedMqtt(plant, "vehicle", "pyplc/device", broker(at))
            board = Mqtt(MqttSettings(broker=at), benches.context("vehicle", plant, "mqtt"))
            pilot = board.part("pilot")
            tasks = [asyncio.ensure_future(device.run()), asyncio.ensure_future(board.run())]
            for _ in range(2):
                await board.ready()
                await pilot.set_state(PilotState.C)
                await asyncio.to_thread(real.stop)
                with pytest.raises(DeviceError, match="the broker was lost"):
                    while True:
                        await asyncio.wait_for(board.changed(), 3)
                await asyncio.sleep(0.3)  # it notices a moment later than we do
                assert plant.pilot.asked is PilotState.B
                await asyncio.to_thread(real.start)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        asyncio.run(main())


@pytest.mark.parametrize(
    ("pattern", "topic", "expected"),
    [
        ("a/b", "a/b", True), ("a/+", "a/b", True), ("a/+", "a/b/c", False), ("a/#", "a/b/c", True),
        ("a/#", "a", True), ("+/b", "a/b", True), ("a/b", "a", False),
    ],
)  # fmt: skip
def test_subscriptions_of_the_broker_in_memory(pattern: str, topic: str, expected: bool) -> None:
    assert matches(pattern, topic) is expected
