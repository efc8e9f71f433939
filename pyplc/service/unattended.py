"""What surrounds a station for the life of its process: who watches it, who may tell it things, and how well it is.

    readers    status, metrics, MQTT, syslog, the log: they outlive the sessions; each session adds its files
    control    stop, start, limit from HTTP and MQTT; low voltage and signals come the same way
    health     the loop's lag and a probe for each storey; systemd's watchdog is fed only while they are well

Nothing here may end a charge by failing: what cannot be reached (a port, a broker, a disk) is tried again and told of.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

from ..record import Reader, Recorder, Scribe, Side, Summary
from . import status as state_words
from .control import Control, Station
from .health import Health, Probe, SessionWatch, remark
from .notify import Notifier
from .retry import Backoff
from .settings import RecordSettings, ServiceSettings, WatchSettings, token_of
from .status import StatusReader, store, words
from .syslog import Send
from .watchers import Work, watchers

STORED_S = 10.0
"""The status is written at least this often: a reader knows by its age that we live."""
AGAIN_S = 1.0, 60.0
"""First and longest pause before something that failed is tried again."""
ROLES: dict[str, str] = {"ev": "pev"}
"""A side's name as a service, where it is another."""
STATUS = "status file"
PATIENCE_S = 3.0
"""For the watchers to end."""


class Unattended:
    """One for the life of a process, as `async with`; TokenError and ResultsError come from the constructor.

    `lasting` are readers of every session and of what lies between them; `search_s` is how long a vehicle asks for a
    charger. `environment` is where systemd says what it wants.
    """

    def __init__(
        self,
        side: Side,
        record: RecordSettings,
        service: ServiceSettings,
        watch: WatchSettings,
        *lasting: Reader,
        search_s: float = 60.0,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        if watch.http.port is not None:
            token_of(watch.http)  # a token that cannot be read is known now, not when somebody asks
        self.side = side
        self.role = ROLES.get(side, side)
        self.record, self.service, self.watching = record, service, watch
        self._told = StatusReader(side)
        self.status = self._told.status
        self.health = Health()
        self.control = Control(self._controlled, limits=side != "listen")
        self.notifier = Notifier(environment)
        self.backoff = Backoff(service.retry_first_s, service.retry_most_s)
        self.leaving: str | None = None
        """Why the process is to end."""
        self.ages: Callable[[], dict[str, float]] = dict
        """Name -> age in seconds of each device's reading."""
        self.powerline: tuple[Send, bytes] | None = None
        """How to send a frame on the modem's interface and its MAC, while there is a link."""
        self.http_port: int | None = None
        """Where HTTP is served."""
        self._lasting = lasting
        watched = SessionWatch(search_s)
        self.health.add("session", watched.probe)
        self.health.add(STATUS, lambda: self._away.get(STATUS), fatal=False)
        self._readers: list[Reader] = [self._told, watched, *lasting]
        self._recorder = Recorder(*self._readers)
        self._between = True
        """No session records now."""
        self._stored = _runtime(self.role, environment)
        self._tasks: list[asyncio.Task[None]] = []
        self._away: dict[str, str] = {}
        """What cannot be reached, and why."""

    # life

    async def __aenter__(self) -> Unattended:
        work = [("health", self.health.beat), ("watchdog", self._look), *watchers(self)]
        self._tasks = [asyncio.ensure_future(self._kept(name, one)) for name, one in work]
        self.notifier.ready()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.notifier.stopping()
        self.status.state = state_words.ENDING
        self._store()
        for task in self._tasks:
            task.cancel()
        hanging = (await asyncio.wait(self._tasks, timeout=PATIENCE_S))[1]
        if hanging:  # a library that swallows the end must not keep the process
            self.tell(f"{len(hanging)} watchers did not end within {PATIENCE_S:g} s", "warning")
        self.notifier.close()

    async def _kept(self, name: str, work: Work) -> None:
        """Keep a watcher running; whatever it raises is told, and it begins again after a pause."""
        self.health.add(name, lambda: self._away.get(name), fatal=False)
        backoff = Backoff(*AGAIN_S)
        while True:
            try:
                return await work()
            except Exception as error:  # a watcher's defect must not end a charge
                told = str(error) or type(error).__name__
                if self._away.get(name) != told:
                    self.tell(f"{name}: {told}; it is tried again", "warning")
                self._away[name] = told
                await asyncio.sleep(backoff.next())

    def reached(self, name: str) -> None:
        """A watcher has what it needs."""
        self._away.pop(name, None)

    # records

    def recorder(self, *more: Reader) -> Recorder:
        """The recorder of a session that begins; what is told from now on goes there. `more` are its own readers."""
        self._between = False
        self._recorder = Recorder(*self._readers, *more)
        return self._recorder

    def between(self) -> None:
        """No session records from now on: what is told goes only to the lasting readers."""
        if self._between:
            return
        self._between = True
        self._recorder = Recorder(*self._readers)
        for reader in self._lasting:
            if (close := getattr(reader, "close", None)) is not None:
                close()

    def tell(self, text: str, level: str = "info") -> None:
        """A remark in whatever is recorded now."""
        self._scribe.note(text, level)

    @property
    def _scribe(self) -> Scribe:
        return self._recorder.on(self.side)

    def join(self, reader: Reader) -> None:
        """One more reader, of the running session too."""
        self._readers.append(reader)
        self._recorder.readers.append(reader)

    def part(self, reader: Reader) -> None:
        """One reader less."""
        for readers in (self._readers, self._recorder.readers):
            if reader in readers:
                readers.remove(reader)

    # sessions

    async def during(self, station: Station) -> Summary | None:
        """Run a session that may be stopped and limited; None when it was cancelled because it could not be stopped in
        order."""
        task = asyncio.ensure_future(station.run())
        self.control.attach(station, task.cancel)
        try:
            return await task
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if current is not None and current.cancelling():
                raise
            return None
        finally:
            self.control.detach()

    def leave(self, reason: str) -> bool:
        """The process is to end: whether a session runs that ends in order first."""
        self.leaving = reason
        self.notifier.stopping()
        return self.control.end(reason)

    async def free(self) -> None:
        """Return when nothing holds the station."""
        if self.control.holds:
            self.between()
            self._say(state_words.HELD, "; ".join(self.control.holds.values()))
            self.tell(f"held: {self.status.remark}")
        await self.control.free()
        self.control.started.clear()

    async def pause(self, why: str) -> None:
        """Something failed: wait before the next try, each time longer; `start` shortens it."""
        seconds = self.backoff.next()
        self.between()
        known = self.status.state == state_words.RETRYING and self.status.remark == why
        self._say(state_words.RETRYING, why)
        self.tell(f"trying again in {seconds:g} s: {why}", "info" if known else "warning")
        try:
            async with asyncio.timeout(seconds):
                await self.control.started.wait()
        except TimeoutError:
            pass

    async def rest(self, unplugged: Coroutine[Any, Any, None]) -> None:
        """A charge is done: wait until it is unplugged, or until somebody asks for another."""
        self.between()
        self._say(state_words.DONE, None)
        waits = [asyncio.ensure_future(one) for one in (unplugged, self.control.started.wait())]
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in waits:
                task.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    def _say(self, state: str, why: str | None) -> None:
        self.status.state, self.status.phase, self.status.remark = state, None, why

    # health

    def watch(self, name: str, probe: Probe) -> Callable[[], None]:
        """One more storey that must be well; calling the result ends that."""
        return self.health.add(name, probe)

    async def _look(self) -> None:
        """Look after everything about once a second; feed the watchdog only while what a restart would mend is well."""
        loop = asyncio.get_running_loop()
        told, stored, due = "", None, 0.0
        well = True
        while True:
            fatal, others = self.health.look()
            self.status.wrong = fatal + others
            if not fatal:
                self.notifier.alive()
            if (not fatal) != well:
                well = not fatal
                self._scribe(remark(fatal))
            if (now := words(self.status)) != told:
                told = now
                self.notifier.status(told)
            if told != stored or loop.time() >= due:
                stored, due = told, loop.time() + STORED_S
                self._store()
            await asyncio.sleep(self.notifier.feed_s)

    def _store(self) -> None:
        if self._stored is None:
            return
        try:
            store(self.status, self._stored)
        except OSError as error:
            self._away[STATUS] = f"{self._stored}: {error.strerror}"
        else:
            self.reached(STATUS)

    # who watches, who asks

    def _controlled(self) -> None:
        self.status.limit = self.control.max_current
        if self.control.holds and self.status.state in (state_words.DONE, state_words.RETRYING):
            self._say(state_words.HELD, "; ".join(self.control.holds.values()))
        elif not self.control.holds and self.status.state == state_words.HELD:
            self._say(state_words.DONE if self.status.sessions else state_words.WAITING, None)


def _runtime(role: str, environment: Mapping[str, str]) -> Path | None:
    """Where systemd lets us keep what others may read; None without it."""
    folder = environment.get("RUNTIME_DIRECTORY", "").split(":")[0]
    return Path(folder) / f"{role}.json" if folder else None
