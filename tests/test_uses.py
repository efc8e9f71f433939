"""What people do besides charging a car to its target: read the state of charge, light a lamp, discharge a battery."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from typing import Literal

import pytest
import worlds
from msgspec.structs import replace
from test_tower import assert_safe

from pyplc.config import SessionSettings, SimSettings
from pyplc.plant.parameters import BatteryParameters, PlantParameters
from pyplc.record import Checkpoint, Message, Note, Pilot, Reading, Switch, VehicleData
from pyplc.service.callback import SocCallback, query
from pyplc.simulation import World
from pyplc.station.charger import ChargerSettings
from pyplc.station.soc_reader import SocReaderSettings
from pyplc.station.vehicle import BulbSettings, VehicleSettings


def reading_soc(protocol: Literal["din", "iso2"], **soc: object) -> SimSettings:
    return replace(
        worlds.short(),
        session=SessionSettings(protocols=(protocol,)),
        charger=ChargerSettings(energy="ac", communication="soc"),
        soc=SocReaderSettings(**soc),  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("protocol", ["din", "iso2"])
def test_a_wallbox_reads_the_state_of_charge_and_never_gives_dc(
    protocol: Literal["din", "iso2"], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pyplc.simulation.UNPLUG_S", 20.0)
    outcome = worlds.session(settings=reading_soc(protocol))
    (told,) = [r for r in outcome.records if isinstance(r, VehicleData)]
    assert told.evccid == "020000000001"
    assert told.soc_percent == 45
    assert told.full_soc_percent == 100
    assert told.capacity_wh == 58_000
    assert told.energy_request_wh == pytest.approx(58_000 * 0.002, abs=1)
    assert {s.outcome for s in outcome.summaries.values()} == {"finished"}
    assert outcome.messages("ev")[-1] == "SessionStopReq"
    assert not {"CableCheckReq", "CurrentDemandReq"} & set(outcome.messages("ev"))
    assert not [r for r in outcome.records if isinstance(r, Switch) and r.state == "closed"]
    duties = [r.duty_percent for r in outcome.records if isinstance(r, Pilot) and r.side == "evse"]
    assert duties[-1] is None
    assert any(d and d > 10 for d in duties)  # then it offers AC by the duty cycle
    assert_safe(outcome)


def test_a_vehicle_that_goes_on_to_cable_check_gets_no_voltage() -> None:
    """As a Tesla that ignores the wish to stop during the parameters."""

    def ignore(world: World) -> None:
        from pyplc.v2g.evcc_dc import DcPhases

        heed = DcPhases._heed
        seen = []

        def deaf(self: DcPhases, status: object) -> None:
            seen.append(status)
            if len(seen) > 1:
                heed(self, status)

        monkey.setattr(DcPhases, "_heed", deaf)

    with pytest.MonkeyPatch.context() as monkey:
        outcome = worlds.session(prepare=ignore, settings=reading_soc("din"))
    assert "CableCheckReq" in outcome.messages("ev")
    assert not [r for r in outcome.records if isinstance(r, Reading) and r.voltage > 0]
    assert_safe(outcome)


def test_without_a_session_the_wallbox_charges_all_the_same() -> None:
    settings = reading_soc("din")
    settings = replace(settings, session=SessionSettings(protocols=("din",)))

    def deaf(world: World) -> None:
        world.hosts[1].send = lambda frame: None  # type: ignore[method-assign]  # the charger's modem hears nothing

    outcome = worlds.session(lambda w: w.plant.unplug(), at=5, delay=5, prepare=deaf, settings=settings)
    assert outcome.summaries["evse"].outcome == "finished"
    assert outcome.summaries["evse"].reason == "unplugged"
    duties = [r.duty_percent for r in outcome.records if isinstance(r, Pilot) and r.side == "evse"]
    assert any(d and d > 10 for d in duties)
    assert_safe(outcome)


def test_the_values_in_the_form_of_pyplc() -> None:
    data = VehicleData(evccid="e00ee1ffd3e2", soc_percent=47, capacity_wh=28_000.0)
    expected = "current_soc=47&full_soc=-1&energy_capacity=28000&energy_request=-1&evccid=e00ee1ffd3e2"
    assert query(data) == expected


@pytest.fixture
def server() -> Iterator[tuple[str, list[str]]]:
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            return

    listening = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listening.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{listening.server_port}/soc/", asked
    listening.shutdown()
    thread.join()
    listening.server_close()


def test_the_values_are_posted(server: tuple[str, list[str]]) -> None:
    url, asked = server
    callbacks: list[SocCallback] = []

    def attach(world: World) -> None:
        recorder = world._recorder
        callbacks.append(SocCallback(url, recorder.on("evse")))
        recorder.readers.append(callbacks[0])

    worlds.session(prepare=attach, settings=reading_soc("din"))
    callbacks[0].close()
    (path,) = asked
    assert path.startswith("/soc?current_soc=45&full_soc=100&energy_capacity=58000&energy_request=")
    assert path.endswith("&evccid=020000000001")


def test_a_wallbox_that_does_not_answer_is_told_and_disturbs_nothing() -> None:
    callbacks: list[SocCallback] = []

    def attach(world: World) -> None:
        recorder = world._recorder
        callbacks.append(SocCallback("http://127.0.0.1:9/soc", recorder.on("evse")))
        recorder.readers.append(callbacks[0])

    outcome = worlds.session(prepare=attach, settings=reading_soc("din"))
    callbacks[0].close()
    assert outcome.summaries["evse"].outcome == "finished"


# the lamp

LAMP = PlantParameters(
    battery=BatteryParameters(open_circuit=((0, 0.0), (100, 0.0)), resistance=880.0, max_voltage=330.0)
)


def test_the_lamp_is_lit_when_the_voltage_is_stable() -> None:
    settings = SimSettings(vehicle=VehicleSettings(bulb=BulbSettings(), target_time=20.0), plant=LAMP)
    outcome = worlds.session(settings=settings)
    assert {s.outcome for s in outcome.summaries.values()} == {"finished"}
    lit = next(r.t for r in outcome.records if isinstance(r, Note) and r.text == "the lamp is on")
    assert lit - outcome.at("ev", 700) == pytest.approx(6.65, abs=0.1)
    on = [r for r in outcome.records if isinstance(r, Reading) and r.side == "evse" and r.t > lit + 1]
    assert on[0].voltage == pytest.approx(230, abs=1)
    assert on[0].current == pytest.approx(230 / 880, abs=0.1)
    assert not [r for r in outcome.records if isinstance(r, Checkpoint) and r.number == 590 and r.t < lit - 0.1]
    assert_safe(outcome)


def test_a_lamp_whose_contactor_sticks_ends_the_session() -> None:
    def stick(world: World) -> None:
        world.plant.contactor_stuck_open = True

    settings = SimSettings(vehicle=VehicleSettings(bulb=BulbSettings(), target_time=20.0), plant=LAMP)
    outcome = worlds.session(prepare=stick, settings=settings)
    assert outcome.summaries["ev"].outcome == "device"
    assert_safe(outcome)


# the discharge


@pytest.mark.parametrize("protocol", ["din", "iso2"])
def test_the_load_at_the_charger_discharges_the_battery(protocol: Literal["din", "iso2"]) -> None:
    settings = replace(
        worlds.short(80),
        session=SessionSettings(protocols=(protocol,)),
        charger=ChargerSettings(discharge=5.0),
    )
    settings.vehicle.target_time = 20.0
    outcome = worlds.session(settings=settings)
    assert {s.outcome for s in outcome.summaries.values()} == {"finished"}
    assert outcome.world.plant.circuit.soc_percent < 45
    assert not outcome.world.plant.circuit.load_closed
    currents = [r.current for r in outcome.records if isinstance(r, Reading) and r.side == "evse" and r.current < 0]
    assert currents[0] == pytest.approx(-354 / 50, abs=0.2)
    assert_safe(outcome)


def test_the_load_is_disconnected_whatever_ends_the_session() -> None:
    settings = replace(worlds.short(80), charger=ChargerSettings(discharge=5.0))
    outcome = worlds.session(lambda w: w.channels[0].abort(), at=705, delay=3, settings=settings)
    assert not outcome.world.plant.circuit.load_closed
    assert [r for r in outcome.records if isinstance(r, Message)]
    assert_safe(outcome)
