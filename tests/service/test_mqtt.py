"""MQTT telemetry and commands at a broker inside the process, in virtual time; the real one is in test_street.py."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from pyplc import clock
from pyplc.mqtt import BrokerError, Told, Will
from pyplc.record import Checkpoint, Note, Reading, Record, Summary
from pyplc.service.control import Control
from pyplc.service.mqtt import EVENTS_KEPT, Mqtt
from pyplc.service.settings import MqttSettings
from pyplc.service.status import Status

SLOW_S = 0.05
"""What a publication takes."""


class Broker:
    """Keeps what was said; `up` False refuses, and ends what stands; `leaves` False does not answer the end."""

    def __init__(self) -> None:
        self.up = self.leaves = True
        self.said: list[tuple[str, bytes, bool]] = []
        self.subscribed: list[str] = []
        self.will: Will | None = None
        self.inbox: asyncio.Queue[Told] = asyncio.Queue()
        self._lost = asyncio.Event()

    @asynccontextmanager
    async def connect(self, will: Will | None) -> AsyncIterator[Broker]:
        if not self.up:
            raise BrokerError("refused")
        self.will = will
        self._lost.clear()
        try:
            yield self
        finally:
            if not self.leaves:
                raise BrokerError("no answer to the disconnection")

    def lose(self) -> None:
        self.up = False
        self._lost.set()

    async def publish(self, topic: str, payload: bytes, retain: bool) -> None:
        await asyncio.sleep(SLOW_S)
        if not self.up:
            raise BrokerError("gone")
        self.said.append((topic, payload, retain))

    async def subscribe(self, topic: str) -> None:
        self.subscribed.append(topic)

    async def messages(self) -> AsyncIterator[Told]:
        while True:
            waits = [asyncio.ensure_future(one) for one in (self.inbox.get(), self._lost.wait())]
            done, pending = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for task in pending:
                task.cancel()
            if waits[0] not in done:
                raise BrokerError("gone")
            yield waits[0].result()  # type: ignore[misc]  # the first is a message

    def of(self, name: str) -> list[bytes]:
        return [payload for topic, payload, _ in self.said if topic == f"home/car/{name}"]


class Bench:
    """A station's MQTT at that broker."""

    def __init__(self, **chosen: object) -> None:
        self.broker = Broker()
        self.control = Control()
        self.status = Status(role="ev", state="waiting")
        self.notes: list[str] = []
        settings = MqttSettings(host="broker", topic="home/", **chosen)  # type: ignore[arg-type]
        self.mqtt = Mqtt(
            settings, "car", lambda: self.status, self.control, lambda text, _: self.notes.append(text),
            self.broker.connect,
        )  # fmt: skip

    async def during(self, seconds: float, *acts: tuple[float, Callable[[], object]]) -> None:
        loop = asyncio.get_running_loop()
        task = asyncio.ensure_future(self.mqtt.run())
        for at, act in acts:
            loop.call_at(at, act)
        await asyncio.sleep(seconds)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    def command(self, name: str, payload: bytes = b"", *, retained: bool = False) -> None:
        self.broker.inbox.put_nowait(Told(f"home/car/command/{name}", payload, retained))


def record(one: Record) -> Record:
    one.side = "ev"
    return one


def test_it_says_that_it_is_there_and_that_it_goes() -> None:
    async def main() -> None:
        bench = Bench()
        await bench.during(3)
        assert bench.broker.will == Will("home/car/availability", b"offline")
        assert bench.broker.of("availability") == [b"online", b"offline"]
        assert [json.loads(text)["state"] for text in bench.broker.of("status")] == ["waiting"]
        assert all(retain for topic, _, retain in bench.broker.said)
        assert bench.broker.subscribed == ["home/car/command/+"]

    clock.run(main())


def test_the_end_comes_although_the_broker_does_not_hear_it() -> None:
    async def main() -> None:
        for deaf in (False, True):
            bench = Bench()
            bench.broker.leaves = not deaf

            async def publish(topic: str, payload: bytes, retain: bool, deaf: bool = deaf) -> None:
                if payload == b"offline":
                    if deaf:
                        await asyncio.sleep(1000)
                    raise BrokerError("gone")

            bench.broker.publish = publish  # type: ignore[method-assign]
            async with asyncio.timeout(10):
                await bench.during(3)

    clock.run(main())


def test_whatever_happens_while_it_publishes_is_told() -> None:
    """At each moment around a publication, the last record before a silence must arrive."""

    async def main() -> None:
        for n in range(40):
            bench = Bench(every_s=0.1)
            told = record(Summary(outcome="finished", reason=str(n)))
            start = asyncio.get_running_loop().time()
            await bench.during(
                2,
                (start + 0.2, lambda: bench.mqtt(record(Checkpoint(number=900, text="")))),  # noqa: B023
                (start + 0.2 + n * 0.01, lambda: bench.mqtt(told)),  # noqa: B023
            )
            assert [json.loads(text)["reason"] for text in bench.broker.of("summary")] == [str(n)]

    clock.run(main())


def test_readings_change_the_status_at_most_so_often() -> None:
    async def main() -> None:
        bench = Bench(every_s=1.0)

        def read(n: int) -> None:
            bench.status.current = n
            bench.mqtt(record(Reading(voltage=400, current=n)))

        await bench.during(10, *((n * 0.01, lambda n=n: read(n)) for n in range(900)))  # type: ignore[misc]
        told = [json.loads(text)["current"] for text in bench.broker.of("status")]
        assert 8 <= len(told) <= 11 and told[-1] == 899
        assert bench.broker.of("event") == []

    clock.run(main())


def test_commands_are_obeyed_refused_or_too_old() -> None:
    async def main() -> None:
        bench = Bench()
        await bench.during(
            10,
            (1, lambda: bench.command("stop", b"last week", retained=True)),
            (2, lambda: bench.command("limit", b"16")),
            (3, lambda: bench.command("limit", b"nan")),
            (4, lambda: bench.command("limit", b"\xff\xfe")),
            (5, lambda: bench.command("explode")),
            (6, lambda: bench.command("stop", b"two\nlines " + b"x" * 5000)),
        )
        assert bench.control.max_current == 16
        assert list(bench.control.holds) == ["asked"] and len(bench.control.holds["asked"]) < 300
        refused = [text.decode() for text in bench.broker.of("refused")]
        assert [text.split(":")[0] for text in refused] == ["limit", "limit", "explode"]
        assert refused[2] == "explode: there is stop, start and limit"

    clock.run(main())


def test_who_only_tells_does_not_listen() -> None:
    async def main() -> None:
        bench = Bench(commands=False)
        await bench.during(3)
        assert bench.broker.subscribed == []

    clock.run(main())


def test_a_broker_that_goes_and_comes() -> None:
    async def main() -> None:
        bench = Bench()

        def happen() -> None:
            for n in range(EVENTS_KEPT + 20):
                bench.mqtt(record(Note(text=f"warning {n}", level="warning")))

        away: list[str | None] = []
        await bench.during(
            60,
            (2, lambda: away.append(bench.mqtt.away)),
            (3, bench.broker.lose),
            (5, happen),
            (6, lambda: away.append(bench.mqtt.away)),
            (20, lambda: setattr(bench.broker, "up", True)),
            (50, lambda: away.append(bench.mqtt.away)),
        )
        assert away == [None, "refused", None]
        texts = [json.loads(text)["text"] for text in bench.broker.of("event")]
        assert texts == [f"warning {n}" for n in range(20, EVENTS_KEPT + 20)]  # the newest
        assert bench.broker.of("availability") == [b"online", b"online", b"offline"]
        assert sum("trying again" in text for text in bench.notes) == 1  # not once a try

    clock.run(main())
