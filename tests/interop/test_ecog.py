"""A foreign stack: the package `iso15118` of EcoG against our vehicle and our charger, each to SessionStop.

It runs in a Python environment of its own, which is made in pytest's cache when it is first needed, and needs Java for
its codec. Both stations hang on a pair of interfaces in two network namespaces. It has no SLAC, so ours begin with
discovery. What it says of the session and what we say of it are both asserted.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import namespaces
import pytest
import worlds
from msgspec.structs import replace
from namespaces import PYPLC, World

from pyplc.config import SessionSettings, SimSettings
from pyplc.record import Message
from pyplc.station.charger import ChargerSettings
from pyplc.v2g import handshake

HERE = Path(__file__).parent
VERSION = "0.31.2"
PACKAGES = (f"iso15118=={VERSION}", "aiofile")  # aiofile is missing in its own requirements
KINDS = [("din", "dc"), ("iso2", "dc"), ("iso2", "ac")]
SESSIONS = pytest.mark.parametrize(("protocol", "energy"), KINDS, ids=["din-dc", "iso2-dc", "iso2-ac"])
LOOP = {"dc": "CurrentDemand", "ac": "ChargingStatus"}

COMMON = ["supportedAppProtocol", "SessionSetup", "ServiceDiscovery", "ChargeParameterDiscovery", "PowerDelivery"]
STEPS = {
    "din": ["ServicePaymentSelection", "ContractAuthentication"],
    "iso2": ["PaymentServiceSelection", "Authorization"],
    "dc": ["CableCheck", "PreCharge", "CurrentDemand", "WeldingDetection"],
    "ac": ["ChargingStatus"],
}


def missing() -> str | None:
    """Why these tests cannot run here, None when they can."""
    if os.environ.get("PYPLC_INTEROP") != "1":
        return "three minutes, and installs iso15118 from PyPI: run `make interop`, or set PYPLC_INTEROP=1"
    if not sys.platform.startswith("linux") or shutil.which("ip") is None:
        return "needs Linux and the command ip (package iproute2)"
    if shutil.which("java") is None:
        return "no java (Debian package openjdk-17-jre-headless)"
    probe = subprocess.run(["ip", "netns", "add", "pyplc-ecog-probe"], capture_output=True, text=True)
    subprocess.run(["ip", "netns", "del", "pyplc-ecog-probe"], capture_output=True)
    return f"no right to make network namespaces (run as root): {probe.stderr.strip()}" if probe.returncode else None


pytestmark = [
    pytest.mark.skipif((reason := missing()) is not None, reason=reason or ""),
    pytest.mark.timeout(180),
]


@pytest.fixture(scope="module")
def python(request: pytest.FixtureRequest) -> Path:
    """The Python that has the package; skips where it cannot be made."""
    assert request.config.cache is not None
    folder = request.config.cache.mkdir(f"iso15118-{VERSION}")
    interpreter = folder / "bin" / "python"
    try:
        if not (folder / "installed").exists():
            subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True, capture_output=True)
            pip = [interpreter, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PACKAGES]
            subprocess.run(pip, check=True, capture_output=True, text=True, timeout=150)
            works = [interpreter, "-c", "import iso15118.evcc, iso15118.secc"]
            subprocess.run(works, check=True, capture_output=True, text=True)
            (folder / "installed").touch()
    except subprocess.SubprocessError as error:
        said = str(getattr(error, "stderr", "") or error).strip().splitlines()
        pytest.skip(f"{' '.join(PACKAGES)} cannot be installed: {said[-1]}")
    return interpreter


class Cable(NamedTuple):
    """Two namespaces with an interface each, for the vehicle and for the charger."""

    ev: tuple[str, str]
    se: tuple[str, str]


@pytest.fixture(scope="module")
def between() -> Iterator[Cable]:
    tag = f"pyplc-e{os.getpid() % 10000}"
    made = Cable((f"{tag}-ev", "ev0"), (f"{tag}-se", "se0"))
    for name, _ in made:
        subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        (near, ev), (far, se) = made
        pair = ["ip", "link", "add", ev, "netns", near, "type", "veth", "peer", "name", se, "netns", far]
        subprocess.run(pair, check=True)
        for name, interface in made:
            no_wait = f"net.ipv6.conf.{interface}.accept_dad=0"
            subprocess.run(["ip", "netns", "exec", name, "sysctl", "-qw", no_wait], check=True)
            for link in ("lo", interface):  # its codec is a server on loopback
                subprocess.run(["ip", "-n", name, "link", "set", link, "up"], check=True)
        yield made
    finally:
        for name, _ in made:
            subprocess.run(["ip", "netns", "del", name], check=True)


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Path]:
    """Our messages of each kind of session, as a simulation sends them: a JSON file each."""
    folder = tmp_path_factory.mktemp("samples")
    made = {}
    for protocol, energy in KINDS:
        short = worlds.short()
        settings: SimSettings = replace(
            short,
            session=SessionSettings(protocols=(protocol,)),  # type: ignore[arg-type]  # of the names declared
            vehicle=replace(short.vehicle, energy=energy, target_time=3.0),
            charger=ChargerSettings(energy=energy),  # type: ignore[arg-type]  # of the words declared
        )
        passed = {r.name: r for r in worlds.session(settings=settings).records if isinstance(r, Message)}
        made[protocol, energy] = [[r.protocol, name, r.exi.hex()] for name, r in passed.items()]
    made["all", "dc"] = made["din", "dc"] + made["iso2", "dc"]
    files = {kind: folder / f"{'-'.join(kind)}.json" for kind in made}
    for kind, file in files.items():
        file.write_text(json.dumps(made[kind]))
    return files


class Station:
    """A program in a namespace that says "ready", later a JSON object, and ends."""

    def __init__(self, namespace: str, *words: object) -> None:
        command = ["ip", "netns", "exec", namespace, *map(str, words)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.said: list[str] = []

    def ready(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.said.append(line)
            if line.strip() == "ready":
                return
        raise AssertionError("not ready:\n" + "".join(self.said))

    def result(self) -> dict[str, Any]:
        """The last line."""
        rest, _ = self._process.communicate(timeout=60)
        self.said += rest.splitlines(keepends=True)
        assert self.said and self.said[-1].startswith("{"), "no result:\n" + "".join(self.said)
        found: dict[str, Any] = json.loads(self.said[-1])
        return found

    def end(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            self._process.communicate(timeout=10)


class Bench(NamedTuple):
    """What a session needs."""

    python: Path
    between: Cable
    samples: dict[tuple[str, str], Path]

    def theirs(self, role: str, protocol: str, energy: str) -> Station:
        namespace, interface = self.between.se if role == "secc" else self.between.ev
        script = (HERE / "ecog.py", role, interface, protocol, energy, self.samples[protocol, energy])
        return Station(namespace, self.python, "-u", *script)

    def ours(self, role: str, protocol: str, energy: str) -> Station:
        namespace, interface = self.between.ev if role == "ev" else self.between.se
        protocols = "din,iso2" if protocol == "all" else protocol
        return Station(namespace, sys.executable, "-u", HERE / "ours.py", role, interface, protocols, energy)


@pytest.fixture
def bench(python: Path, between: Cable, samples: dict[tuple[str, str], Path]) -> Bench:
    return Bench(python, between, samples)


def both_complete(theirs: Station, ours: Station, energy: str) -> str:
    """Both call the session complete, and both saw the same messages, as many of each; the protocol they used."""
    try:
        mine, foreign = ours.result(), theirs.result()
    finally:
        ours.end()
        theirs.end()
    story = "".join(["ours:\n", *ours.said[-60:], "theirs:\n", *theirs.said[-60:]])
    assert mine["outcome"] == "finished" and mine["safe"] and foreign["successful"], story
    protocol = "din" if "ContractAuthenticationReq" in mine["messages"] else "iso2"
    steps = [*COMMON, *STEPS[protocol], *STEPS[energy], "SessionStop"]
    assert {f"{step}{kind}" for step in steps for kind in ("Req", "Res")} <= set(mine["messages"]), story
    assert foreign["messages"] == mine["messages"], story
    assert mine["messages"][f"{LOOP[energy]}Res"] >= 3, story
    assert foreign["differing"] == {}  # what our codec wrote
    return protocol


@SESSIONS
def test_our_vehicle_at_their_charger(bench: Bench, protocol: str, energy: str) -> None:
    charger = bench.theirs("secc", protocol, energy)
    charger.ready()
    assert both_complete(charger, bench.ours("ev", protocol, energy), energy) == protocol


@SESSIONS
def test_their_vehicle_at_our_charger(bench: Bench, protocol: str, energy: str) -> None:
    vehicle = bench.theirs("evcc", protocol, energy)  # it asks for a charger when its codec is warm, for 12 s
    charger = bench.ours("evse", protocol, energy)
    charger.ready()
    assert both_complete(vehicle, charger, energy) == protocol


def test_their_vehicle_offers_all_it_knows(bench: Bench) -> None:
    """Four protocols, in an order that changes with each start; two of them our charger declines."""
    vehicle = bench.theirs("evcc", "all", "dc")
    charger = bench.ours("evse", "all", "dc")
    charger.ready()
    both_complete(vehicle, charger, "dc")
    decided = next(line for line in charger.said if "supportedAppProtocolReq" in line).split()[-1]
    offered = handshake.decode(bytes.fromhex(decided))
    assert isinstance(offered, handshake.SupportedAppProtocolReq) and len(offered.AppProtocol) == 4


@pytest.fixture
def street(python: Path, samples: dict[tuple[str, str], Path], tmp_path: Path) -> Iterator[tuple[World, Bench]]:
    """Hosts with modems between them, as `pyplc ev` and `pyplc evse` want it; pev and evse hold the link for long."""
    if (why := namespaces.missing()) is not None:
        pytest.skip(why)
    world = World(f"pyplc-w{os.getpid() % 10000}", tmp_path, charge_s=(120, 120))
    hosts = Cable((f"{world.tag}-ev", "ev0"), (f"{world.tag}-se", "se0"))
    try:
        world.up("--fast")
        yield world, Bench(python, hosts, samples)
    finally:
        world.down()


def whole(theirs: Station, text: str, energy: str) -> dict[str, Any]:
    """What `pyplc --json` printed, against what they say of the session: the summary."""
    records = [json.loads(line) for line in text.splitlines()]
    passed = [record["name"] for record in records if record["type"] == "message"]
    foreign = theirs.result()
    assert foreign["successful"], "".join(theirs.said)
    assert foreign["messages"] == {name: passed.count(name) for name in passed}
    assert f"{LOOP[energy]}Res" in passed
    summary: dict[str, Any] = next(record for record in records if record["type"] == "summary")
    return summary


def test_pyplc_ev_at_a_charger_of_open_plc_utils_and_ecog(street: tuple[World, Bench]) -> None:
    """Nothing of ours on the other side: the program evse matches, EcoG's charger does the rest."""
    world, bench = street
    (world.folder / "car.toml").write_text("[vehicle]\ntarget_time = 2.0\n[session]\nprotocols = ['iso2']\n")
    charger = bench.theirs("secc", "iso2", "dc")
    try:
        charger.ready()
        world.start("se", "evse", "-i", "se0", "-l")
        time.sleep(1.2)  # it sets its key
        text = world.run("ev", PYPLC, "ev", "car.toml", "--interface", "ev0", "--json")
        summary = whole(charger, text, "dc")
    finally:
        charger.end()
    assert (summary["outcome"], summary["reason"]) == ("finished", "target of 2 s reached")
    assert "SLAC" in summary["phases"]


def test_pyplc_evse_with_a_vehicle_of_open_plc_utils_and_ecog(street: tuple[World, Bench]) -> None:
    world, bench = street
    (world.folder / "box.toml").write_text("[charger]\nenergy = 'dc'\n")
    charger = world.start("se", PYPLC, "evse", "box.toml", "--interface", "se0", "--once", "--json")
    vehicle = bench.theirs("evcc", "din", "dc")
    try:
        vehicle.ready()  # it asks for a charger from now on, for 12 s
        world.start("ev", "pev", "-i", "ev0")
        text, _ = charger.communicate(timeout=50)
        summary = whole(vehicle, text, "dc")
    finally:
        vehicle.end()
    assert (summary["outcome"], summary["reason"]) == ("finished", "the vehicle ended the session")


@pytest.mark.parametrize("protocol", ["din", "iso2"])
def test_our_wallbox_reads_the_state_of_charge_of_their_vehicle(bench: Bench, protocol: str) -> None:
    """Their vehicle goes on after EVSE_Shutdown and leaves at the cable check; the pilot then charges it."""
    vehicle = bench.theirs("evcc", protocol, "dc")
    wallbox = bench.ours("soc", protocol, "ac")
    wallbox.ready()
    try:
        mine, foreign = wallbox.result(), vehicle.result()
    finally:
        wallbox.end()
        vehicle.end()
    story = "".join([*wallbox.said, *vehicle.said])
    assert mine["outcome"] == "finished" and mine["safe"] and "duty cycle" in mine["reason"], story
    assert not {"PreChargeReq", "CurrentDemandReq"} & set(mine["messages"]), story
    assert foreign["messages"] == mine["messages"], story
    told = mine["vehicle"]
    assert told["soc_percent"] == 10 and told["evccid"]
    if protocol == "iso2":
        assert (told["full_soc_percent"], told["capacity_wh"], told["energy_request_wh"]) == (90, 70_000, 60_000)
