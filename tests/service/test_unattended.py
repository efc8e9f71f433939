"""What surrounds a station: holds, retries, health, the watchdog, low voltage. In virtual time where it can be."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from pyplc import clock
from pyplc.cli.common import SIGNALS, until_signal
from pyplc.record import Checkpoint, Message, Note, Phase, Pilot, Reading, Record, Start, Summary
from pyplc.service.control import Control, Refusal
from pyplc.service.files import ResultsError
from pyplc.service.health import Backlog, Health, SessionWatch
from pyplc.service.lowvoltage import GOOD_LOOKS, LOW_LOOKS, Supply
from pyplc.service.notify import Notifier
from pyplc.service.retry import Backoff
from pyplc.service.sessions import sessions
from pyplc.service.settings import HttpSettings, RecordSettings, ServiceSettings, TokenError, WatchSettings
from pyplc.service.status import Status, StatusReader, load, store, words
from pyplc.service.unattended import Unattended


class Played:
    """A station that runs for a while; what it was told is in `told`."""

    def __init__(self, seconds: float = 10.0, outcome: str = "finished", *, orderly: bool = True) -> None:
        self._seconds, self._outcome, self._orderly = seconds, outcome, orderly
        self._stop = asyncio.Event()
        self.told: list[object] = []

    async def run(self) -> Summary:
        try:
            async with asyncio.timeout(self._seconds):
                await self._stop.wait()
        except TimeoutError:
            pass
        return Summary(outcome=self._outcome, reason="played", phases={"SLAC": 1.0})

    def stop(self, reason: str) -> bool:
        self.told.append(reason)
        if self._orderly:
            self._stop.set()
        return self._orderly

    def limit(self, max_current: float | None) -> None:
        self.told.append(max_current)


class Stage:
    """Unattended sessions of played stations, and when each began."""

    def __init__(self, *outcomes: str | Exception, seconds: float = 10.0, orderly: bool = True) -> None:
        self.outcomes = list(outcomes)
        self._seconds, self._orderly = seconds, orderly
        self.records: list[Record] = []
        self.began: list[float] = []
        self.played: list[Played] = []
        self.unplugged = asyncio.Event()
        settings = ServiceSettings(retry_first_s=2, retry_most_s=5)
        self.service = Unattended(
            "ev", RecordSettings(folder=None), settings, WatchSettings(), self.records.append, environment={}
        )

    async def one(self) -> Summary | None:
        self.began.append(asyncio.get_running_loop().time())
        outcome = self.outcomes.pop(0) if self.outcomes else "finished"
        if isinstance(outcome, Exception):
            raise outcome
        self.played.append(Played(self._seconds, outcome, orderly=self._orderly))
        return await self.service.during(self.played[-1])

    async def ready(self) -> None:
        pass

    async def run(self, *, repeat: bool = False, forever: bool = True) -> Summary | None:
        return await sessions(
            self.service, self.ready, self.one, self.unplugged.wait, (OSError,), repeat=repeat, forever=forever
        )


async def during(seconds: float, running: Coroutine[Any, Any, Any], *acts: tuple[float, Callable[[], object]]) -> None:
    """Let something run, and act at times."""
    task = asyncio.ensure_future(running)
    loop = asyncio.get_running_loop()
    for at, act in acts:
        loop.call_at(at, act)
    await asyncio.sleep(seconds)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def until(true: Callable[[], bool]) -> None:
    """Wait until it is true."""
    while not true():  # noqa: ASYNC110  # nobody tells of it
        await asyncio.sleep(0.05)


def test_failures_are_tried_again_each_time_later_and_success_begins_anew() -> None:
    async def main() -> None:
        stage = Stage(OSError("no interface"), OSError("no interface"), "timeout", "finished", OSError("away"))
        await during(60, stage.run(), (30, stage.unplugged.set))
        # pauses of 2, 4 and 5 s; a charge; unplugged at 30 s; away for 2 s
        assert stage.began[:6] == [0, 2, 6, 21, 31, 33]
        levels = [r.level for r in stage.records if isinstance(r, Note) and "no interface" in r.text]
        assert levels == ["warning", "info"]  # once is enough for people

    clock.run(main())


def test_without_forever_what_is_missing_is_an_error() -> None:
    async def main() -> None:
        with pytest.raises(OSError, match="no interface"):
            await Stage(OSError("no interface")).run(forever=False)
        summary = await Stage("timeout").run(forever=False)
        assert summary is not None and summary.outcome == "timeout"

    clock.run(main())


def test_a_vehicle_that_has_charged_waits_to_be_unplugged_or_for_start() -> None:
    async def main() -> None:
        stage = Stage()
        await during(300, stage.run(), (100, stage.service.control.start), (200, stage.unplugged.set))
        assert stage.began[:3] == [0, 100, 200]

    clock.run(main())


@pytest.mark.parametrize("orderly", [True, False])
def test_a_stop_ends_the_session_and_holds_the_station(orderly: bool) -> None:
    async def main() -> None:
        stage = Stage("finished", "finished", seconds=1000, orderly=orderly)
        control = stage.service.control
        states: list[str] = []
        await during(
            90,
            stage.run(),
            (20, lambda: control.stop("somebody")),
            (21, lambda: states.append(words(stage.service.status))),
            (50, control.start),
        )
        assert stage.played[0].told == [None, "stopped by somebody"]
        assert stage.began == [0, 50]
        assert states == ["vehicle: is held: stopped by somebody"]

    clock.run(main())


def test_two_holds_and_a_limit_that_is_kept() -> None:
    async def main() -> None:
        stage = Stage(seconds=1000)
        control = stage.service.control
        control.limit(16)
        await during(
            100,
            stage.run(),
            (10, lambda: control.limit(8)),
            (20, lambda: control.hold("low voltage", "11.2 V")),
            (21, lambda: control.stop("me")),
            (40, control.start),
            (60, lambda: control.release("low voltage")),
        )
        assert stage.began == [0, 60]
        assert stage.played[0].told == [16, 8, "11.2 V"]
        assert stage.played[1].told[0] == 8

    clock.run(main())


def test_what_is_no_current_is_refused() -> None:
    control = Control()
    for wrong in (-1.0, float("nan"), float("inf")):
        with pytest.raises(Refusal):
            control.limit(wrong)
    with pytest.raises(Refusal, match="listener"):
        Control(limits=False).limit(10)
    control.limit(0)
    assert control.max_current == 0


def test_leaving_ends_the_session_in_order() -> None:
    async def main() -> None:
        stage = Stage(seconds=1000)
        loop = asyncio.get_running_loop()
        answers: list[bool] = []
        loop.call_at(5, lambda: answers.append(stage.service.leave("stopped by SIGTERM")))
        summary = await stage.run()
        assert (answers, loop.time()) == ([True], 5)
        assert summary is not None and stage.played[0].told[-1] == "stopped by SIGTERM"

    clock.run(main())


# health


def test_the_watchdog_is_fed_by_the_health_of_loop_and_storeys(tmp_path: Path) -> None:
    """On a real socket, in real time: fed while all is well, not fed while a storey hangs, fed again."""
    server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    server.bind(str(tmp_path / "notify"))
    server.setblocking(False)

    def heard() -> list[str]:
        lines: list[str] = []
        while True:
            try:
                lines += server.recv(65536).decode().splitlines()
            except BlockingIOError:
                return lines

    async def main() -> None:
        environment = {
            "NOTIFY_SOCKET": str(tmp_path / "notify"),
            "WATCHDOG_USEC": "3000000",
            "RUNTIME_DIRECTORY": str(tmp_path),
        }
        records: list[Record] = []
        wrong: list[str] = []
        service = Unattended(
            "evse", RecordSettings(folder=None), ServiceSettings(), WatchSettings(), records.append,
            environment=environment,
        )  # fmt: skip
        async with service:
            ended = service.watch("link", lambda: wrong[0] if wrong else None)
            service.health.add("broker", lambda: "away", fatal=False)
            await asyncio.sleep(0.1)
            lines = heard()
            assert lines[0] == "READY=1" and lines.count("WATCHDOG=1") == 1
            assert "STATUS=charger: starts; NOT WELL: broker: away" in lines
            wrong.append("7 frames wait and none is taken")
            await asyncio.sleep(1.2)
            lines = heard()
            assert "WATCHDOG=1" not in lines
            assert any("link: 7 frames wait" in text for text in lines)
            stored = load(tmp_path / "evse.json")
            assert stored.wrong == ["link: 7 frames wait and none is taken", "broker: away"]
            ended()
            await asyncio.sleep(1.1)
            assert "WATCHDOG=1" in heard()
        assert heard()[-1] == "STOPPING=1"
        notes = [r.text for r in records if isinstance(r, Note)]
        assert notes == [
            "not well, the watchdog is not fed: link: 7 frames wait and none is taken",
            "the station is well again",
        ]

    asyncio.run(main())
    server.close()


def test_a_loop_that_was_blocked_is_not_well() -> None:
    async def main() -> None:
        health = Health()
        task = asyncio.ensure_future(health.beat())
        await asyncio.sleep(0.3)
        assert health.look() == ([], [])
        loop = asyncio.get_running_loop()
        loop.call_soon(setattr, loop._jumping, "now", loop.time() + 5)  # type: ignore[attr-defined]  # a virtual loop: somebody took 5 s
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        fatal, _ = health.look()
        assert fatal and fatal[0].startswith("loop: ")
        await asyncio.sleep(11)
        assert health.look() == ([], [])
        health.add("broken", lambda: str(1 / 0))
        assert health.look()[0] == ["broken: ZeroDivisionError: division by zero"]
        task.cancel()

    clock.run(main())


def test_a_backlog_is_what_lies_there_while_nothing_is_taken() -> None:
    waiting, taken = 5, 0
    backlog = Backlog(lambda: waiting, lambda: taken, looks=2)
    assert backlog() is None
    assert [backlog(), backlog()] == [None, "5 frames wait and none is taken"]
    taken = 1
    assert backlog() is None
    waiting = 0
    assert [backlog(), backlog(), backlog()] == [None, None, None]


def message(name: str) -> Message:
    return Message(direction="tx", protocol="din", name=name, exi=b"", side="ev")


@pytest.mark.parametrize(
    ("records", "hangs"),
    [
        ([message("CurrentDemandReq")], "no message for"),
        ([message("SessionStopRes")], None),
        ([message("CurrentDemandReq"), Summary(outcome="lost", reason="")], None),
        ([message("PreChargeReq"), Checkpoint(number=950, text="")], "the safe shutdown takes"),
        ([Checkpoint(number=100, text="", side="ev")], "matching and connection stand still"),
        ([Checkpoint(number=101, text="", side="evse")], None),
        ([Checkpoint(number=155, text="", side="evse")], "matching and connection stand still"),
        ([message("ChargeParameterDiscoveryRes"), Pilot(state="B", duty_percent=26.7)], None),
        ([Checkpoint(number=300, text="", side="evse"), Checkpoint(number=5, text="", side="evse")], None),
    ],
)
def test_what_a_session_that_hangs_looks_like(records: list[Record], hangs: str | None) -> None:
    async def main() -> str | None:
        watch = SessionWatch(60)
        for record in records:
            watch(record)
        assert watch.probe() is None
        await asyncio.sleep(211)
        return watch.probe()

    found = clock.run(main())
    assert (found is None) if hangs is None else hangs in (found or "")


def test_the_notify_protocol_goes_to_abstract_sockets_and_says_each_status_once() -> None:
    server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    server.bind("\0pyplc-test-notify")
    server.settimeout(1)
    notifier = Notifier({"NOTIFY_SOCKET": "@pyplc-test-notify", "WATCHDOG_USEC": "15000000"})
    assert (notifier.watchdog_s, notifier.feed_s) == (15, 1)
    notifier.status("one")
    notifier.status("one")
    notifier.status("two\nlines")
    assert [server.recv(100), server.recv(100)] == [b"STATUS=one", b"STATUS=two lines"]
    server.close()
    notifier.alive()  # nobody listens: no error
    notifier.close()
    assert Notifier({}).watchdog_s is None
    hasty = Notifier({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "600000"})
    assert hasty.feed_s == pytest.approx(0.2)
    hasty.close()
    foreign = Notifier({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"})
    assert foreign.watchdog_s is None
    foreign.close()


def test_pauses_double_up_to_a_limit() -> None:
    backoff = Backoff(1, 5)
    assert [backoff.next() for _ in range(5)] == [1, 2, 4, 5, 5]
    backoff.reset()
    assert backoff.next() == 1 and backoff.first


# low voltage


@pytest.mark.parametrize(("below", "low", "good"), [(None, "1\n", "0\n"), (11.5, "11.2 V\n", "12.6\n")])
def test_low_voltage_is_an_alarm_after_three_looks(tmp_path: Path, below: float | None, low: str, good: str) -> None:
    file = tmp_path / "in0"
    supply = Supply(str(tmp_path / "i*0"), below)
    supply.look()  # not there yet
    file.write_text(low)
    for _ in range(LOW_LOOKS):
        assert supply.low is None
        supply.look()
    assert supply.low is not None and str(file) in supply.low
    file.write_text(good)
    for _ in range(GOOD_LOOKS):
        assert supply.low is not None
        supply.look()
    assert supply.low is None
    file.write_text("nonsense\n")
    supply.look()


def test_low_voltage_holds_the_station(tmp_path: Path) -> None:
    file = tmp_path / "alarm"
    file.write_text("0")

    async def main() -> None:
        stage = Stage(seconds=1000)
        settings = ServiceSettings(low_voltage=str(file))
        stage.service = Unattended(
            "ev", RecordSettings(folder=None), settings, WatchSettings(), stage.records.append, environment={}
        )
        async with stage.service:
            await during(
                200,
                stage.run(),
                (10, lambda: file.write_text("1")),
                (100, lambda: file.write_text("0")),
            )
        assert stage.began[0] == 0 and 129 <= stage.began[1] <= 131
        assert stage.played[0].told[-1] == f"low voltage: {file} says 1"

    clock.run(main())


# status


def test_the_status_follows_the_records_and_says_it_in_words(tmp_path: Path) -> None:
    reader = StatusReader("evse", lambda: 1000.0)
    told: list[str] = []
    for record in (
        Start(what="", version=""),
        Checkpoint(number=300, text=""),
        Pilot(state="B", duty_percent=5),
        Checkpoint(number=101, text=""),
        Checkpoint(number=705, text=""),
        Reading(voltage=400, current=100, energy_wh=1234),
        Summary(outcome="finished", reason="target of 80 % reached", energy_wh=20_000),
    ):
        record.side = "evse"
        reader(record)
        told.append(words(reader.status))
    assert told[1:] == [
        "charger: waits for a vehicle",
        "charger: waits for a vehicle, pilot in state B",
        "charger: SLAC",
        "charger: charging",
        "charger: charging, 400 V, 100 A, 1.23 kWh",
        "charger: waits for a vehicle, pilot in state B; the last session: finished, target of 80 % reached, 20.00 kWh",
    ]
    other = Phase(name="charging", side="ev")
    reader(other)
    assert reader.status.phase is None
    store(reader.status, tmp_path / "evse.json")
    assert load(tmp_path / "evse.json") == reader.status
    assert json.loads((tmp_path / "evse.json").read_text())["last_energy_wh"] == 20_000
    assert words(Status(role="listen", state="waiting")) == "listen: waits for stations to match"


# settings


def test_a_token_that_cannot_be_read_is_known_at_once(tmp_path: Path) -> None:
    def made(http: HttpSettings) -> Unattended:
        return Unattended("ev", RecordSettings(folder=None), ServiceSettings(), WatchSettings(http=http))

    with pytest.raises(TokenError, match="nowhere: No such file"):
        made(HttpSettings(port=8080, token_file=str(tmp_path / "nowhere")))
    (tmp_path / "short").write_text("abc\n")
    with pytest.raises(TokenError, match="less than 16"):
        made(HttpSettings(port=8080, token_file=str(tmp_path / "short")))
    with pytest.raises(ValueError, match="token_urlsafe"):
        HttpSettings(port=8080)
    assert issubclass(ResultsError, OSError)


def test_a_port_that_is_taken_is_tried_again_and_old_recordings_go(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        folder = tmp_path / f"2026-01-0{number}_120000-ev"
        folder.mkdir()
        (folder / "session.jsonl").write_bytes(bytes(600_000))
        os.utime(folder / "session.jsonl", (number, number))

    async def main() -> None:
        notes: list[Record] = []
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            http = HttpSettings(port=taken.getsockname()[1], token="sixteen-characters")
            service = Unattended(
                "ev",
                RecordSettings(folder=str(tmp_path), max_mb=1, keep=1),
                ServiceSettings(),
                WatchSettings(http=http),
                notes.append,
                environment={},
            )
            async with service:
                await until(lambda: any(text.startswith("HTTP: ") for text in service.status.wrong))
                taken.close()
                await until(lambda: service.http_port is not None)
                await until(lambda: not service.status.wrong)
        texts = [note.text for note in notes if isinstance(note, Note)]
        assert any("address already in use; it is tried again" in text for text in texts)
        assert "deleted 2 old recordings, 2026-01-01_120000-ev to 2026-01-02_120000-ev" in texts

    asyncio.run(main())
    assert [folder.name for folder in tmp_path.iterdir()] == ["2026-01-03_120000-ev"]


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_ends_a_session_in_order_and_the_second_does_not_wait(number: int) -> None:
    """SIGHUP too: the ssh connection of whoever started it broke."""

    async def main() -> None:
        for orderly in (True, False):
            station = Played(60, orderly=orderly)
            stubborn: list[str] = []
            asyncio.get_running_loop().call_later(0.05, os.kill, os.getpid(), number)
            assert (await until_signal(station.run(), station.stop, stubborn.append) is not None) == orderly
            assert stubborn == [f"{signal.Signals(number).name}: ending the session"]
        loop = asyncio.get_running_loop()
        for delay in (0.05, 0.1):
            loop.call_later(delay, os.kill, os.getpid(), number)
        begun = loop.time()
        assert await until_signal(Played(60).run(), lambda reason: True, lambda text: None) is None
        assert loop.time() - begun < 1

    asyncio.run(main())
