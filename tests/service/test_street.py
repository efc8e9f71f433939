"""Whole unattended stations as processes: without network, clock or broker, watched, told things, and pulled down."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from field import PYPLC, TOKEN, Manager, Street, found, missing, wait_for

pytestmark = [
    pytest.mark.skipif((reason := missing("mosquitto")) is not None, reason=reason or ""),
    pytest.mark.timeout(120),
]

BOX = f"""
[network]
interface = "se0"
[record]
folder = "box-results"
max_mb = 100
[service]
retry_first_s = 0.5
retry_most_s = 1
low_voltage = "lcrit_alarm"
[plant.cable]
isolation_s = 0.2
[watch.http]
port = 8080
token = "{TOKEN}"
[watch.mqtt]
host = "127.0.0.1"
every_s = 0.2
[watch.syslog]
to = "127.0.0.1:5140"
level = "warning"
"""
CAR = """
[network]
interface = "ev0"
[vehicle]
target_soc = 90
[record]
folder = "car-results"
"""


@pytest.fixture
def street(tmp_path: Path) -> Iterator[Street]:
    (tmp_path / "box.toml").write_text(BOX)
    (tmp_path / "car.toml").write_text(CAR)
    (tmp_path / "lcrit_alarm").write_text("0\n")
    with Street(tmp_path) as made:
        try:
            yield made
        finally:
            for name in ("box", "car", "broker"):
                print(f"== {name}\n{made.log(name)[-4000:]}")


def broker(street: Street) -> None:
    street.start("broker", "box", [str(found("mosquitto")), "-p", "1883"])
    wait_for("mosquitto", lambda: "running" in street.log("broker"))


class Subscriber:
    """Somebody at the broker: the newest payload of each topic."""

    def __init__(self, street: Street) -> None:
        from paho.mqtt import client as paho

        self.topics: dict[str, str] = {}
        self.client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        self.client.on_message = self._message
        with street.inside("box"):
            self.client.connect("127.0.0.1")
        self.client.subscribe("pyplc/#")
        self.client.loop_start()

    def _message(self, client: Any, userdata: Any, message: Any) -> None:
        self.topics[message.topic.removeprefix("pyplc/evse/")] = message.payload.decode()

    def say(self, command: str, payload: str = "") -> None:
        self.client.publish(f"pyplc/evse/command/{command}", payload, qos=1)

    def status(self) -> dict[str, Any]:
        return dict(json.loads(self.topics.get("status", "{}")))

    def close(self) -> None:
        self.client.loop_stop()
        self.client.disconnect()


def charging(street: Street) -> None:
    wait_for("the charge loop", lambda: (street.status().get("current") or 0) > 10, 40)


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    made = Manager(tmp_path)
    yield made
    made.close()


def test_a_charger_that_nobody_looks_at(street: Street, manager: Manager, tmp_path: Path) -> None:
    with street.inside("box"):
        logs = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    logs.bind(("127.0.0.1", 5140))
    logs.settimeout(5)

    # neither interface nor broker: it starts, says so, and the watchdog is fed
    street.start(
        "box",
        "box",
        [str(PYPLC), "evse", "--forever", "box.toml"],
        NOTIFY_SOCKET=str(manager.path),
        WATCHDOG_USEC="3000000",
        RUNTIME_DIRECTORY=str(tmp_path),
    )
    wait_for("READY=1", lambda: "READY=1" in manager.lines, 10)
    said = wait_for("a status", lambda: [t for t in manager.lines if "no interface 'se0'" in t])
    assert said[0].startswith("STATUS=charger: tries again: ")
    wait_for("a fed watchdog", lambda: manager.lines.count("WATCHDOG=1") > 1)
    stored = json.loads((tmp_path / "evse.json").read_text())
    assert stored["state"] == "retrying"
    assert logs.recv(2000).startswith(b"<28>pyplc: evse: ")  # facility daemon, level warning
    wait_for("HTTP", street.status)
    assert street.http("GET", "/api/status", token="wrong")[0] == 401
    wait_for("the missing broker", lambda: any("MQTT" in text for text in street.status()["wrong"]))
    code, health = street.http("GET", "/health", token="")
    assert (code, health["well"]) == (503, False)

    # all of it comes
    broker(street)
    watcher = Subscriber(street)
    wait_for("availability", lambda: watcher.topics.get("availability") == "online", 20)
    street.powerline()
    wait_for("waiting", lambda: street.status()["state"] == "waiting")
    wait_for("health", lambda: street.http("GET", "/health", token="")[0] == 200)

    # a charge with a limit by HTTP, then by MQTT
    street.start("car", "car", [str(PYPLC), "ev", "car.toml"])
    charging(street)
    assert street.http("POST", "/api/limit", {"current": 20})[1]["status"]["limit"] == 20
    wait_for("20 A by HTTP", lambda: 0 < street.status()["current"] <= 20.5, 5)
    assert street.http("POST", "/api/limit", {"current": -1})[0] == 400
    watcher.say("limit", "30")
    wait_for("30 A by MQTT", lambda: 25 < watcher.status()["current"] <= 30.5, 5)
    watcher.say("limit", "lots")
    wait_for("a refusal", lambda: "limit" in watcher.topics.get("refused", ""), 5)

    # the broker goes and comes: the charge does not care
    street.end("broker", signal.SIGKILL)
    wait_for("the broker's loss", lambda: any("MQTT" in text for text in street.status()["wrong"]))
    assert street.status()["state"] == "session"
    watcher.close()
    broker(street)
    watcher = Subscriber(street)
    wait_for("availability", lambda: watcher.topics.get("availability") == "online", 20)
    wait_for("telemetry", lambda: watcher.status().get("state") == "session")
    assert street.status()["limit"] == 30

    page = street.http("GET", "/metrics")[1]
    for line in (
        'pyplc_step_seconds_count{step="match"} 1.0',
        'pyplc_round_trip_seconds_count{message="CurrentDemandReq"}',
        "pyplc_attenuation_db",
        'pyplc_retries_total{what="session"}',
        "pyplc_timeouts_total 0.0",
        "pyplc_loop_lag_seconds",
        'pyplc_device_age_seconds{device="supply.voltage"}',
        'pyplc_pilot_state{state="C"} 1.0',
    ):
        assert line in page, page

    # stop ends it in order, and holds the station until start
    assert street.http("POST", "/api/stop", {"reason": "a test"})[0] == 200
    assert street.running["car"].wait(20) == 0
    assert "finished: the charger asked to stop" in street.log("car")
    wait_for("held", lambda: street.status()["state"] == "held")
    assert "held: stopped by a test" in street.log("box")
    assert 'pyplc_sessions_total{outcome="finished"} 1.0' in street.http("GET", "/metrics")[1]
    wait_for("the summary", lambda: "finished" in watcher.topics.get("summary", ""), 5)
    watcher.say("start")
    wait_for("waiting again", lambda: street.status()["state"] == "waiting")

    # the station's own supply gives out
    street.start("car", "car", [str(PYPLC), "ev", "car.toml"])
    charging(street)
    (tmp_path / "lcrit_alarm").write_text("1\n")
    assert street.running["car"].wait(20) == 0
    wait_for("held", lambda: "low voltage" in (street.status()["remark"] or ""))

    # and down it goes
    watcher.close()
    assert street.end("box") == 0
    wait_for("STOPPING=1", lambda: "STOPPING=1" in manager.lines, 2)
    logs.close()
    folders = sorted(folder.name for folder in (tmp_path / "box-results").iterdir())
    mac = subprocess.run(
        ["ip", "-n", street.namespace("car"), "-j", "link", "show", "ev0"], capture_output=True, text=True
    )
    peer = json.loads(mac.stdout)[0]["address"].replace(":", "")
    assert len(folders) == 2 and all(name.split("-evse-")[1].startswith(peer) for name in folders)


def test_sigterm_ends_a_charge_of_the_unattended_car_and_sigkill_loses_a_second_at_most(
    street: Street, tmp_path: Path
) -> None:
    street.powerline()
    street.start("box", "box", [str(PYPLC), "evse", "--forever", "box.toml"])
    street.start("car", "car", [str(PYPLC), "ev", "--forever", "car.toml"])
    charging(street)
    assert street.end("car") == 0
    text = street.log("car")
    order = [text.index(f"CHECKPOINT{n}]") for n in (800, 810, 815, 900, 910)]
    assert order == sorted(order) and "finished: stopped by SIGTERM" in text

    street.start("car", "car", [str(PYPLC), "ev", "--forever", "car.toml"])
    wait_for("the next session", lambda: street.status().get("sessions") == 1 and street.status()["state"] == "session")
    charging(street)
    time.sleep(1.5)
    told = street.status()["energy_wh"]
    assert street.end("box", signal.SIGKILL) == -signal.SIGKILL
    (cut,) = (f for f in (tmp_path / "box-results").iterdir() if f.name.endswith("-evse"))
    lines = (cut / "session.jsonl").read_bytes().split(b"\n")
    readings = [json.loads(text) for text in lines[:-1] if b'"reading"' in text]
    last = [entry for entry in readings if entry.get("energy_wh") is not None][-1]
    assert told - last["energy_wh"] < 50 * 400 / 3600 * 3  # not more than about a second of 125 A and 400 V is missing
    ends = wait_for("the car's end", lambda: [t for t in street.log("car").splitlines() if "trying again" in t])
    assert "connection" in ends[0]
    assert street.log("car").rindex("[CHECKPOINT952]") > street.log("car").rindex("[CHECKPOINT700]")


def test_a_listener_waits_for_its_interface_and_goes_on_without_a_folder(
    street: Street, manager: Manager, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "listen.toml").write_text(
        '[network]\ninterface = "se0"\n[record]\nfolder = "file/results"\n[service]\nretry_most_s = 2\n'
    )
    street.start(
        "box",
        "box",
        [str(PYPLC), "listen", "--forever", "--config", "listen.toml"],
        NOTIFY_SOCKET=str(manager.path),
        RUNTIME_DIRECTORY=str(tmp_path),
    )
    wait_for("a status", lambda: any("no interface 'se0'" in text for text in manager.lines))
    street.cable("box", "se0", up=False)
    wait_for("listening", lambda: "STATUS=listen: waits for stations to match" in manager.lines)
    assert "se0 was down, it is up now" in street.log("box")
    assert "cannot record sessions in file/results" in street.log("box")
    assert street.end("box") == 0
    assert "0 runs heard" in street.log("box")
