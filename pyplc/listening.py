"""A listener: follows foreign matching on one interface, records it, and joins the network where wished."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from .link.ethernet import mac_text
from .link.ports import HOMEPLUG, Link
from .link.split import Split
from .record import Frame, Recorder, Sighting, Summary
from .slac.homeplug import HomePlug
from .slac.joining import take_key
from .slac.listener import MEMBER, Follower, Half, Matching
from .slac.listener import Sighting as Seen
from .slac.modem import Modem, ModemError

ADVICE_S = 5.0
"""From a matching's last news to saying what cannot be heard."""
SILENCE_S = 60.0
"""Without any matching: say what may be wrong."""


class Listener:
    """Listens on a link until stopped. `join` takes each key that is heard into the own modem.

    `link` should hand up all EtherTypes and what this host sends not.
    """

    def __init__(self, link: Link, recorder: Recorder, *, join: bool = False, join_s: float = 14.0) -> None:
        self.scribe = recorder.on("listen")
        self.follower = Follower()
        self.frames = 0
        self._recorder = recorder
        self._link = link
        self._split = Split(link)
        self._split.tap = self._frame
        self._homeplug = HomePlug(self._split.branch(HOMEPLUG), self.scribe)
        self._modem = Modem(self._homeplug, self.scribe)
        self._join = join
        self._join_s = join_s
        self._keys: asyncio.Queue[Matching] = asyncio.Queue()
        self._news = asyncio.Event()
        self._stopped: asyncio.Future[str] | None = None

    def stop(self, reason: str) -> bool:
        """End `run`; always in order."""
        if self._stopped is not None and not self._stopped.done():
            self._stopped.set_result(reason)
        return True

    def limit(self, max_current: float | None) -> None:
        """A listener has nothing to limit."""

    async def run(self) -> Summary:
        """Listen until stopped; the summary counts what was heard. LinkError when the interface is gone."""
        self._stopped = asyncio.get_running_loop().create_future()
        work: list[Callable[[], object]] = [self._split.run, self._homeplug.run, self._advise, self._member]
        tasks = [asyncio.ensure_future(part()) for part in work]  # type: ignore[call-overload]  # coroutines, all
        try:
            done, _ = await asyncio.wait([*tasks, self._stopped], return_when=asyncio.FIRST_COMPLETED)
            for task in done - {self._stopped}:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        keys = sum(found.nmk is not None for found in self.follower.matchings.values())
        heard = f"{len(self.follower.matchings)} runs heard, {keys} keys"
        if self.follower.half is not Half.NONE:
            self.scribe.note(self.follower.advice(self._link.name))
        summary = Summary(outcome="finished", reason=heard, duration_s=round(self._recorder.now(), 3))
        self.scribe(summary)
        return summary

    def _frame(self, direction: str, frame: bytes) -> None:
        self.frames += 1
        self.scribe(Frame(direction=direction, data=frame, interface=self._link.name))
        seen = self.follower.see(self._recorder.now(), frame) if direction == "rx" else None
        if seen is None:
            return
        self._news.set()
        self.scribe(record_of(seen))
        if seen.matching.nmk is not None and seen.charger == seen.matching.chosen:
            self._keys.put_nowait(seen.matching)

    async def _advise(self) -> None:
        """Say once what cannot be heard, when a matching has had its time; and when there is none at all."""
        told = Half.BOTH
        patience = SILENCE_S
        while True:
            try:
                async with asyncio.timeout(patience):
                    await self._news.wait()
                self._news.clear()
                patience = ADVICE_S
            except TimeoutError:
                if self.follower.half not in (told, Half.BOTH):
                    told = self.follower.half
                    self.scribe.note(self.follower.advice(self._link.name), "warning")
                patience = 1e6

    async def _member(self) -> None:
        """Find the own modem, and take each key that is heard."""
        try:
            self.scribe.note(f"modem {await self._modem.find()}")
        except ModemError as error:
            self.scribe.note(f"{error}; listening all the same", "warning")
        while True:
            found = await self._keys.get()
            if not self._join or found.nmk is None:
                continue
            try:
                await take_key(self._modem, self.scribe, found.nmk, found.nid)
                await self._modem.wait_link(self._join_s)
            except ModemError as error:
                self.scribe.note(f"joining the network of {mac_text(found.chosen or b'')}: {error}", "warning")
            else:
                self.scribe.note(f"joined the network of {mac_text(found.chosen or b'')}. {MEMBER}")


def record_of(seen: Seen) -> Sighting:
    """The record of a sighting: all that is known of the matching by now."""
    found = seen.matching
    charger = seen.charger or found.chosen
    return Sighting(
        what=seen.what,
        vehicle=mac_text(found.vehicle),
        charger=mac_text(charger) if charger else None,
        run_id=found.run_id.hex(),
        attenuation=_rounded(found.attenuation.get(charger)) if charger else None,
        sounds=found.sounds.get(charger) if charger else None,
        nid=found.nid.hex() if found.nid else None,
        nmk=found.nmk.hex() if found.nmk else None,
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
