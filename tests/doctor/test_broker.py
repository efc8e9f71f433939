"""Brokers: a real one on loopback, one that wants a password, none at all."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator

import pytest
from computers import Computer, look, vehicle
from field import found as program

from pyplc.config import EvSettings
from pyplc.doctor import broker
from pyplc.hw.settings import VehicleHardware

pytest.importorskip("aiomqtt")


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A mosquitto that knows nobody on this port, and everybody on the next."""
    if (mosquitto := program("mosquitto")) is None:
        pytest.skip("no mosquitto (Debian package mosquitto)")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        chosen = int(probe.getsockname()[1])
    config = tmp_path_factory.mktemp("broker") / "mosquitto.conf"
    config.write_text(
        "per_listener_settings true\n"
        f"listener {chosen} 127.0.0.1\nallow_anonymous false\n"
        f"listener {chosen + 1} 127.0.0.1\nallow_anonymous true\n"
    )
    process = subprocess.Popen([mosquitto, "-c", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", chosen + 1)) == 0:
                    break
            time.sleep(0.05)
        yield chosen
    finally:
        process.terminate()
        process.wait(10)


def watched(port: int, host: str = "127.0.0.1") -> EvSettings:
    settings = EvSettings()
    settings.watch.mqtt.host, settings.watch.mqtt.port = host, port
    return settings


async def test_one_that_answers(computer: Computer, port: int) -> None:
    found = await look(broker.broker, vehicle(computer, watched(port + 1)))
    assert (found.verdict, found.says) == ("good", f"127.0.0.1:{port + 1} answers")


async def test_one_that_wants_a_password(computer: Computer, port: int) -> None:
    found = await look(broker.broker, vehicle(computer, watched(port)))
    assert found.verdict == "failed" and "user and password in car.toml" in str(found.mend), found


async def test_none_there(computer: Computer) -> None:
    with socket.socket() as nobody:  # bound and not listening: refuses
        nobody.bind(("127.0.0.1", 0))
        found = await look(broker.broker, vehicle(computer, watched(nobody.getsockname()[1])))
    assert found.verdict == "failed" and "mosquitto" in str(found.mend), found


async def test_a_name_that_is_none(computer: Computer) -> None:
    found = await look(broker.broker, vehicle(computer, watched(1883, "broker.invalid")))
    assert found.verdict == "failed" and "getent hosts broker.invalid" in str(found.mend), found


async def test_none_is_named(computer: Computer) -> None:
    assert (await look(broker.broker, vehicle(computer))).says == "the settings name none"


def test_each_broker_is_asked_once(computer: Computer) -> None:
    settings = watched(1883, "home")
    settings.hardware = VehicleHardware(pilot="mqtt", inlet="far", battery="wrong", display=("near", "oled"))
    settings.devices = {
        "mqtt": {"broker": {"host": "home"}},
        "far": {"driver": "pyplc-mqtt", "broker": {"host": "other", "port": 1884}},
        "near": {"driver": "mqtt"},
        "wrong": {"driver": "mqtt", "brokre": {}},
    }
    found = [(one.host, one.port) for one in broker.brokers(vehicle(computer, settings))]
    assert found == [("home", 1883), ("other", 1884), ("localhost", 1883)]
