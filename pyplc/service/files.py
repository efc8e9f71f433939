"""Session files: `results/<time>-<role>/` with `session.jsonl` (records) and `session.pcapng` (frames)."""

from __future__ import annotations

import errno
import os
from collections import deque
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from .. import __version__
from ..capture.pcapng import PcapngWriter
from ..record import Checkpoint, Frame, Record, Sighting, Start, Summary
from .jsonl import line

BUFFER = 1 << 16
KEPT = 10_000
MATCHING = range(100, 200)
"""Checkpoints of SLAC; the first of them opens the files."""


class ResultsError(OSError):
    """The folder for results cannot be made or written; the text says which and why."""


class SessionFiles:
    """A record reader that writes one session; lines are flushed at each checkpoint, so that a crash loses little.

    The folder is made when matching begins: a station that only waits leaves none. What came before is kept and
    written then, the newest `KEPT` records of it.
    """

    def __init__(self, parent: Path, role: str, now: datetime | None = None) -> None:
        self._now = now or datetime.now(UTC)
        self._parent = parent
        self._stem = f"{self._now:%Y-%m-%d_%H%M%S}-{role}"
        self._before: deque[Record] = deque(maxlen=KEPT)
        self.folder: Path | None = None
        try:
            parent.mkdir(parents=True, exist_ok=True)
            if not os.access(parent, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        except OSError as error:
            raise ResultsError(f"cannot record sessions in {parent}: {error.strerror or error}") from error

    def _open(self) -> None:
        self.folder = _new_folder(self._parent, self._stem)
        self._lines: BinaryIO = open(self.folder / "session.jsonl", "wb", BUFFER)  # noqa: SIM115  # closed by close()
        self._frames: BinaryIO = open(self.folder / "session.pcapng", "wb", BUFFER)  # noqa: SIM115
        self._pcapng = PcapngWriter(self._frames, f"pyplc {__version__}", self._now.timestamp())
        for record in self._before:
            self._write(record)
        self._before.clear()

    def __call__(self, record: Record) -> None:
        if self.folder is None:
            begins = isinstance(record, Sighting) or (isinstance(record, Checkpoint) and record.number in MATCHING)
            if not begins:
                self._before.append(record)
                return
            self._open()
        self._write(record)

    def _write(self, record: Record) -> None:
        if isinstance(record, Frame):
            self._pcapng.write(record.t, record.data, record.interface or record.side)
            return
        self._lines.write(line(record) + b"\n")
        if isinstance(record, (Checkpoint, Sighting, Start, Summary)):
            self.flush()

    def flush(self) -> None:
        """Hand everything to the operating system."""
        if self.folder is None:
            return
        self._lines.flush()
        self._frames.flush()

    def close(self) -> None:
        """Write everything to the disk and close."""
        if self.folder is None:
            return
        for file in (self._lines, self._frames):
            if not file.closed:
                file.flush()
                os.fsync(file.fileno())
                file.close()


def _new_folder(parent: Path, stem: str) -> Path:
    for number in range(1, 1000):
        folder = parent / (stem if number == 1 else f"{stem}-{number}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        return folder
    raise FileExistsError(f"{parent / stem} exists a thousand times")
