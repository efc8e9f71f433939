"""The recording of a session as a service makes it, on a disk that can be full, by a clock that can be set."""

from __future__ import annotations

import errno
import io
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, cast

import msgspec

from ..record import Note, Record, Side
from ..service.files import SessionFiles
from . import declare as d

NOON = 1_750_000_000.0
"""The wall clock at the start: a day in June 2025."""
YEAR_S = 365.25 * 86_400


class Recorded:
    """What `open` gives records one session; `steady` is the loop's time."""

    def __init__(self, unit: Side, steady: Callable[[], float]) -> None:
        self._unit, self._steady = unit, steady
        self._ahead = 0.0
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._files: SessionFiles | None = None
        self.full = False
        """No byte fits on the disk any more."""

    def wall(self) -> float:
        """The wall clock, seconds since 1970."""
        return NOON + self._steady() + self._ahead

    def open(self) -> SessionFiles:
        """The reader that records."""
        self._folder = tempfile.TemporaryDirectory()
        self._files = SessionFiles(
            Path(self._folder.name),
            self._unit,
            room=lambda folder: False,
            opened=lambda path: cast(BinaryIO, io.BufferedWriter(_File(self, path))),
            clocks=(self.wall, self._steady),
        )
        return self._files

    def apply(self, fault: d.Disk | d.Clock) -> None:
        """Do a fault now."""
        if isinstance(fault, d.Disk):
            self.full = True
        else:
            self._ahead += fault.years * YEAR_S

    def close(self) -> list[Record]:
        """End the recording; its records as they are read back, as far as the times and remarks go."""
        if self._files is None or self._folder is None:
            return []
        self._files.close()
        with self._folder:
            lines = (self._files.folder / "session.jsonl").read_bytes().split(b"\n") if self._files.folder else []
        return [_read(line) for line in lines[:-1]]


class _File(io.FileIO):
    def __init__(self, disk: Recorded, path: Path) -> None:
        super().__init__(path, "w")
        self._disk = disk

    def write(self, data: Any) -> int:
        if self._disk.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(data)


def _read(line: bytes) -> Record:
    told: dict[str, Any] = msgspec.json.decode(line)
    t = float(told["t"])
    return Note(t=t, text=told["text"]) if told["type"] == "note" else Record(t=t)
