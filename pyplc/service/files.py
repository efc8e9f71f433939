"""Session files: `results/<time>-<role>-<peer>/` with `session.jsonl` (records) and `session.pcapng`.

The latter has the frames, and the records beside them: as comments for people, in custom blocks for programs.
"""

from __future__ import annotations

import asyncio
import errno
import math
import os
import re
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from .. import __version__
from ..capture.pcapng import PcapngWriter
from ..record import Checkpoint, Decision, Frame, Message, Note, Record, Sighting, Start, Summary
from .jsonl import line
from .log import text_of
from .rotation import make_room

BUFFER = 1 << 16
KEPT = 10_000
MATCHING = range(100, 200)
"""Checkpoints of SLAC; the first of them opens the files."""
SYNC_S = 0.5
"""Between two writes to the disk itself: what is older than a second survives a power cut."""
CLOCK_JUMP_S = 60.0
"""The wall clock was set if it went so much more or less than the loop's."""
PEER = re.compile(r"^(?:charger|vehicle) ((?:[0-9a-f]{2}:){5}[0-9a-f]{2})$")
"""The decision of SLAC that names the peer."""


class ResultsError(OSError):
    """The folder for results cannot be made or written; the text says which and why."""


class SessionFiles:
    """A record reader that writes one session; lines are flushed at each checkpoint, so that a crash loses little.

    The folder is made when matching begins: a station that only waits leaves none. What came before is kept and
    written then, the newest `KEPT` records of it. `sync` as a task makes a power cut lose little, too. `room` is asked
    for when the disk is full; it says whether something was deleted. Beyond `split_mb` it goes on in a new folder.
    `clocks` are the wall's and one that nobody sets.
    """

    def __init__(
        self,
        parent: Path,
        role: str,
        now: datetime | None = None,
        room: Callable[[Path], bool] | None = None,
        split_mb: float = math.inf,
        opened: Callable[[Path], BinaryIO] | None = None,
        clocks: tuple[Callable[[], float], Callable[[], float]] = (time.time, time.monotonic),
    ) -> None:
        self._opened = opened or (lambda path: open(path, "wb", BUFFER))  # noqa: SIM115  # closed by close()
        self._wall, self._steady = clocks
        self._now = now or datetime.fromtimestamp(self._wall(), UTC)
        self._made = self._steady()
        self._most = split_mb * 1e6
        self._offset = self._wall() - self._made
        self._last = 0.0
        """When the newest record was."""
        self._parent = parent
        self._role = role
        self._peer = ""
        self._before: deque[Record] = deque(maxlen=KEPT)
        self._framed = False
        self._room = room or make_room
        self._dirty = False
        self._parts = 0
        self._new: tuple[Path, ...] = ()
        """Folders whose names are not on the disk yet."""
        self.folder: Path | None = None
        try:
            parent.mkdir(parents=True, exist_ok=True)
            if not os.access(parent, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        except OSError as error:
            raise ResultsError(f"cannot record sessions in {parent}: {error.strerror or error}") from error

    def _open(self) -> None:
        self._started = self._named()
        self.folder = _new_folder(self._parent, f"{self._started:%Y-%m-%d_%H%M%S}-{self._role}")
        self._lines = self._opened(self.folder / "session.jsonl")
        self._frames = self._opened(self.folder / "session.pcapng")
        self._pcapng = PcapngWriter(self._frames, f"pyplc {__version__}", self._now.timestamp())
        for record in self._before:
            self._write(record)
        self._before.clear()
        self._new = (self.folder, self._parent)

    def __call__(self, record: Record) -> None:
        try:
            if self.folder is None:
                if not (isinstance(record, Sighting) or (isinstance(record, Checkpoint) and record.number in MATCHING)):
                    self._before.append(record)
                    return
                self._open()
            self._write(record)
            if self._most < math.inf and self._lines.tell() + self._frames.tell() > self._most:
                self._split()
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT) or not self._room(self.folder or self._parent):
                raise  # this reader is removed, and the charge goes on
            if self.folder is None:
                self._open()
            self.flush()  # what did not fit is still in the buffers

    def _write(self, record: Record) -> None:
        self._dirty = True
        self._last = record.t
        if isinstance(record, Frame):
            self._framed = True
            self._pcapng.write(record.t, record.data, record.interface or record.side)
            return
        self._lines.write(text := line(record) + b"\n")
        self._tell(record, text)
        if isinstance(record, Decision) and record.side == self._role and (found := PEER.match(record.what)):
            self._peer = "-" + found[1].replace(":", "")
        if isinstance(record, (Checkpoint, Sighting, Start, Summary)):
            self.flush()

    def _tell(self, record: Record, json: bytes) -> None:
        """A record joins the frames, as a comment at one and whole; messages are in the frames, where there are any."""
        if message := isinstance(record, Message):
            said: str | None = f"{record.name} {record.direction}"
        else:
            said = text_of(record)
        if said is not None:
            self._pcapng.remark(f"{record.t:.3f} s {record.side}: {said}")
        if not (message and self._framed):
            self._pcapng.record(record.t, json)

    def _split(self) -> None:
        """Go on in a new folder; times go on, too."""
        self.close()
        was, self.folder = self.folder, None
        assert was is not None
        self._parts += 1
        self._open()
        self._write(Note(t=self._last, text=f"continues {was.name}"))

    def _named(self) -> datetime:
        """When this part began."""
        return self._now if not self._parts else self._now + timedelta(seconds=self._steady() - self._made)

    def flush(self) -> None:
        """Hand everything to the operating system."""
        if self.folder is None:
            return
        self._pcapng.flush()
        self._lines.flush()
        self._frames.flush()

    async def sync(self) -> None:
        """Bring everything to the disk, twice a second, until cancelled. The waiting is done in a thread."""
        while True:
            await asyncio.sleep(SYNC_S)
            if self.folder is None or not self._dirty or self._lines.closed:
                continue
            self._dirty = False
            try:
                self.flush()
            except OSError:  # a full disk: the next record asks for room, or takes this reader away
                continue
            folders, self._new = self._new, ()
            await asyncio.to_thread(_sync, (os.dup(self._lines.fileno()), os.dup(self._frames.fileno())), folders)

    def close(self) -> None:
        """Write everything to the disk, close, and give the folder its last name: the peer's and the right time's."""
        if self.folder is None or self._lines.closed:
            return
        self._correct_clock()
        try:
            self._pcapng.flush()
        except OSError:  # a full disk
            pass
        for file in (self._lines, self._frames):
            try:
                file.flush()
                os.fsync(file.fileno())
            except OSError:  # a full disk: what is there is whole up to the last line that fitted
                pass
            try:
                file.close()
            except OSError:
                file.raw.close()  # type: ignore[attr-defined]  # of a BufferedWriter
        self._rename()

    def _correct_clock(self) -> None:
        """A Pi has no clock of its own: when the time came during the session, say so and take it."""
        jump = self._wall() - self._steady() - self._offset
        if abs(jump) < CLOCK_JUMP_S:
            return
        was, self._now = self._now, datetime.fromtimestamp(self._now.timestamp() + jump, UTC)
        self._started += timedelta(seconds=jump)
        self._offset += jump
        text = f"the clock was set during the session: t = 0 was at {self._now.isoformat()}, not {was.isoformat()}"
        try:
            self._lines.write(line(Note(t=self._last, text=text, level="warning")) + b"\n")
        except OSError:  # a full disk
            pass

    def _rename(self) -> None:
        assert self.folder is not None
        try:
            self.folder = _renamed(self.folder, f"{self._started:%Y-%m-%d_%H%M%S}-{self._role}{self._peer}")
            _sync_folder(self._parent)
        except OSError:  # the first name is good enough
            pass


def _new_folder(parent: Path, stem: str) -> Path:
    for folder in _names(parent, stem):
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        return folder
    raise FileExistsError(f"{parent / stem} exists a thousand times")


def _renamed(folder: Path, stem: str) -> Path:
    for name in _names(folder.parent, stem):
        if name == folder:
            return folder
        if not name.exists():
            return folder.rename(name)
    return folder


def _names(parent: Path, stem: str) -> list[Path]:
    return [parent / (stem if number == 1 else f"{stem}-{number}") for number in range(1, 1000)]


def _sync(descriptors: tuple[int, ...], folders: tuple[Path, ...]) -> None:
    """Runs in a thread, on descriptors of its own: the session may close its files meanwhile."""
    for descriptor in descriptors:
        try:
            os.fsync(descriptor)
        except OSError:  # the file system is gone or full: writing will say so
            pass
        finally:
            os.close(descriptor)
    for folder in folders:
        try:
            _sync_folder(folder)
        except OSError:  # it was renamed meanwhile, which syncs the one above
            pass


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
