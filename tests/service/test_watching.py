"""Those who watch: the HTTP API, metrics, MQTT without a broker, syslog, the journal's levels."""

from __future__ import annotations

import asyncio
import io
import os
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import dpkt
import pytest
import worlds
from hypothesis import given
from hypothesis import strategies as st

from pyplc.record import Checkpoint, Decision, Note, Reading, Record, Start, Summary, Switch
from pyplc.service import syslog
from pyplc.service.control import Control
from pyplc.service.health import ages_of
from pyplc.service.http import Api
from pyplc.service.log import LogLines, level_of, to_journal
from pyplc.service.metrics import Metrics
from pyplc.service.settings import HttpSettings
from pyplc.service.status import Status

TOKEN = "sixteen-characters"


async def asked(
    requests: Callable[[Callable[..., Awaitable[tuple[int, Any]]]], Awaitable[None]], **chosen: Any
) -> Control:
    """Serve an API on a free port of the loopback interface; the control that was told things."""
    import aiohttp

    control = Control()
    status = Status(role="evse", state="waiting", wrong=["MQTT: away"])
    metrics = Metrics("evse", lambda: 0.25, lambda: {"supply.voltage": 0.5})
    api = Api(HttpSettings(port=1, token=TOKEN, **chosen), lambda: status, control, metrics.text)
    api.port = 0
    await api.open()
    try:
        async with aiohttp.ClientSession() as session:

            async def ask(method: str, path: str, data: bytes = b"", token: str = TOKEN) -> tuple[int, Any]:
                headers = {"Authorization": f"Bearer {token}"} if token else {}
                url = f"http://127.0.0.1:{api.port}{path}"
                async with session.request(method, url, data=data, headers=headers) as answer:
                    json = answer.content_type == "application/json"
                    return answer.status, await answer.json() if json else await answer.text()

            await requests(ask)
    finally:
        await api.close()
    return control


def test_the_api_says_and_obeys() -> None:
    async def requests(ask: Any) -> None:
        code, answer = await ask("GET", "/api/status")
        assert (code, answer["words"]) == (200, "charger: waits for a vehicle; NOT WELL: MQTT: away")
        assert answer["status"]["role"] == "evse"
        assert (await ask("POST", "/api/limit", b'{"current": 16}'))[0] == 200
        assert (await ask("POST", "/api/stop", b'{"reason": "dinner"}'))[0] == 200
        assert (await ask("GET", "/health", token=""))[0] == 503

    control = asyncio.run(asked(requests))
    assert (control.max_current, control.holds) == (16, {"asked": "stopped by dinner"})


@pytest.mark.parametrize("path", ["/api/status", "/api/stop", "/metrics", "/nowhere"])
@pytest.mark.parametrize("token", ["", "wrong", TOKEN[:-1], "ümlaut"])
def test_who_has_no_token_hears_and_changes_nothing(path: str, token: str) -> None:
    async def requests(ask: Any) -> None:
        method = "POST" if path == "/api/stop" else "GET"
        code, answer = await ask(method, path, token=token)
        assert (code, set(answer)) == (401, {"error"})

    assert asyncio.run(asked(requests)).holds == {}


@pytest.mark.parametrize(
    ("path", "data", "code", "said"),
    [
        ("/api/limit", b"", 400, "truncated"),
        ("/api/limit", b'{"current": "many"}', 400, "Expected `float | null`"),
        ("/api/limit", b'{"current": -3}', 400, "0 A or more"),
        ("/api/limit", b'{"amperes": 3}', 400, "unknown field"),
        ("/api/limit", b"\xff\xfe", 400, ""),
        ("/api/stop", b"x" * 5000, 413, "Too Large"),
        ("/api/nowhere", b"", 404, "Not Found"),
        ("/api/status", b"", 405, "Not Allowed"),
    ],
)
def test_nonsense_is_refused_with_a_reason(path: str, data: bytes, code: int, said: str) -> None:
    async def requests(ask: Any) -> None:
        status, answer = await ask("POST", path, data)
        assert status == code and said in answer["error"]

    control = asyncio.run(asked(requests))
    assert control.max_current is None and not control.holds


def test_metrics_may_be_open_and_a_limit_is_taken_away_by_null() -> None:
    async def requests(ask: Any) -> None:
        code, page = await ask("GET", "/metrics", token="")
        assert code == 200 and "pyplc_loop_lag_seconds 0.25" in page
        assert 'pyplc_device_age_seconds{device="supply.voltage"} 0.5' in page
        assert (await ask("GET", "/api/status", token=""))[0] == 401
        await ask("POST", "/api/limit", b'{"current": 6}')
        await ask("POST", "/api/limit", b'{"current": null}')
        await ask("POST", "/api/stop")
        await ask("POST", "/api/start")

    control = asyncio.run(asked(requests, open_metrics=True))
    assert control.max_current is None and not control.holds


def test_a_port_that_is_taken_is_an_error_and_leaves_nothing_open() -> None:
    async def main() -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            settings = HttpSettings(port=taken.getsockname()[1], token=TOKEN)
            api = Api(settings, lambda: Status(role="ev"), Control(), lambda: b"")
            with pytest.raises(OSError):
                await api.open()

    asyncio.run(main())


# metrics


def sample(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


@pytest.mark.parametrize("side", ["ev", "evse"])
def test_metrics_count_a_whole_session(side: Any) -> None:
    metrics = Metrics(side)
    outcome = worlds.session()
    for record in outcome.records:
        metrics(record)
    assert sample(metrics, "pyplc_sessions_total", outcome="finished") == 1
    assert sample(metrics, "pyplc_timeouts_total") == 0
    begin, end = (100, 160) if side == "ev" else (101, 155)
    took = outcome.at(side, end) - outcome.at(side, begin)
    assert sample(metrics, "pyplc_step_seconds_sum", step="match") == pytest.approx(took)
    assert sample(metrics, "pyplc_attenuation_db") == pytest.approx(10.0, abs=5)
    rounds = outcome.messages("ev").count("CurrentDemandReq")
    assert sample(metrics, "pyplc_round_trip_seconds_count", message="CurrentDemandReq") == rounds
    assert sample(metrics, "pyplc_energy_wh_total") == pytest.approx(outcome.summaries[side].energy_wh, abs=0.1)
    assert sample(metrics, "pyplc_messages_total", direction="tx") == len(outcome.messages(side))
    assert sample(metrics, "pyplc_pilot_state", state="B") is not None


def test_metrics_count_retries_time_outs_and_what_was_dropped() -> None:
    metrics = Metrics("ev")
    records: list[Record] = [
        Note(text="trying again in 2 s: no interface", level="warning"),
        Note(text="connection to [fe80::1]:15118: refused; trying again"),
        Summary(outcome="timeout", reason="V2G_EVCC_Msg_Timeout"),
        Decision(what="charger 00:11:22:33:44:55", why="", values={"00:11:22:33:44:55": 23.5}),
        Note(text="defect", level="error"),
    ]
    for record in records:
        record.side = "ev"
        metrics(record)
    assert sample(metrics, "pyplc_retries_total", what="session") == 1
    assert sample(metrics, "pyplc_retries_total", what="connection") == 1
    assert sample(metrics, "pyplc_timeouts_total") == 1
    assert sample(metrics, "pyplc_sessions_total", outcome="timeout") == 1
    assert sample(metrics, "pyplc_attenuation_db") == 23.5
    assert sample(metrics, "pyplc_remarks_total", level="error") == 1


def test_the_age_of_each_device() -> None:
    async def main() -> None:
        from pyplc.hw.simulated import charger_devices
        from pyplc.plant.parameters import PlantParameters
        from pyplc.plant.plant import Plant

        class Board:
            heard = asyncio.get_running_loop().time() - 3

        drivers = {"arduino": Board(), "simulated": object()}
        ages = ages_of(charger_devices(Plant(PlantParameters())), drivers, asyncio.get_running_loop().time())
        assert ages.pop("arduino") == pytest.approx(3, abs=0.1)
        assert set(ages) == {"supply.voltage", "supply.current"} and max(ages.values()) < 0.1

    asyncio.run(main())


# lines


def sided(record: Record) -> Record:
    record.side = "evse"
    return record


@given(st.binary(max_size=800), st.binary(min_size=6, max_size=6))
def test_broadcast_syslog_is_a_whole_udp_datagram(text: bytes, mac: bytes) -> None:
    frame = dpkt.ethernet.Ethernet(syslog.broadcast(mac, text))
    assert (frame.src, frame.dst) == (mac, b"\xff" * 6)
    ip = frame.data
    assert isinstance(ip, dpkt.ip.IP) and ip.src == bytes((192, 168)) + mac[4:6] and ip.dst == b"\xff" * 4
    sent = ip.sum
    ip.sum = 0
    assert dpkt.ip.IP(bytes(ip)).sum == sent
    assert isinstance(ip.data, dpkt.udp.UDP)
    assert (ip.data.sport, ip.data.dport, ip.data.data) == (65429, 514, text)


def test_syslog_lines_have_levels_and_stay_below_one() -> None:
    sent: list[bytes] = []
    reader = syslog.Syslog(sent.append, "warning")
    for record in (Note(text="fine"), Note(text="odd", level="warning"), Note(text="bad", level="error")):
        reader(sided(record))
    reader(sided(Summary(outcome="lost", reason="gone")))
    assert sent[:2] == [b"<28>pyplc: evse: warning: odd", b"<27>pyplc: evse: error: bad"]
    assert sent[2].startswith(b"<27>pyplc: evse: lost: gone") and len(sent) == 3

    def fails(data: bytes) -> None:
        raise OSError("network is unreachable")

    syslog.Syslog(fails)(sided(Note(text="fine")))  # a log line is not worth a charge


def test_syslog_on_the_powerline_only_while_there_is_a_link() -> None:
    frames: list[bytes] = []
    links: list[Any] = [None, (frames.append, bytes.fromhex("020000000102"))]
    reader = syslog.to_powerline(lambda: links[0], "info")
    reader(sided(Note(text="nobody hears this")))
    links.pop(0)
    reader(sided(Note(text="x" * 2000)))
    assert len(frames) == 1 and len(frames[0]) == 14 + 20 + 8 + syslog.LONGEST + 1


@pytest.mark.parametrize(
    ("to", "host", "port"),
    [
        ("logs.example", "logs.example", 514),
        ("10.0.0.1:5514", "10.0.0.1", 5514),
        ("[fe80::1]:99", "fe80::1", 99),
        ("fe80::1", "fe80::1", 514),
    ],
)
def test_where_syslog_goes(to: str, host: str, port: int) -> None:
    assert syslog.host_of(to) == (host, port)


def test_the_journal_gets_levels_and_no_time() -> None:
    out = io.StringIO()
    lines = LogLines(out, journal=True)
    for record in (
        Start(what="evse on eth1", version="1"),
        Checkpoint(number=101, text="x"),
        Switch(device="contactor", state="closed"),
        Note(text="odd", level="warning"),
        Reading(voltage=400, current=10),
        Reading(voltage=401, current=10),
        Summary(outcome="timeout", reason="late"),
    ):
        lines(sided(record))
    assert [text.split(":")[0] for text in out.getvalue().splitlines()] == [
        "<5>evse", "<6>evse", "<5>evse", "<4>evse", "<7>evse", "<3>evse"
    ]  # fmt: skip
    assert level_of(Summary(outcome="finished", reason="")) == 5


def test_the_journal_is_known_by_its_stream() -> None:
    read, write = os.pipe()
    with os.fdopen(read), os.fdopen(write, "w") as out:
        stat = os.fstat(out.fileno())
        assert to_journal(out, {"JOURNAL_STREAM": f"{stat.st_dev}:{stat.st_ino}"})
        assert not to_journal(out, {"JOURNAL_STREAM": f"{stat.st_dev}:{stat.st_ino + 1}"})
        assert not to_journal(out, {})
    assert not to_journal(io.StringIO(), {})
