"""Session files: `results/<time>-<role>/` with `session.jsonl` (records) and `session.pcapng` (frames)."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from .. import __version__
from ..capture.pcapng import PcapngWriter
from ..record import Checkpoint, Frame, Record, Start, Summary
from .jsonl import line

BUFFER = 1 << 16


class ResultsError(OSError):
    """The folder for results cannot be made or written; the text says which and why."""


class SessionFiles:
    """A record reader that writes one session; lines are flushed at each checkpoint, so that a crash loses little."""

    def __init__(self, parent: Path, role: str, now: datetime | None = None) -> None:
        now = now or datetime.now(UTC)
        stem = f"{now:%Y-%m-%d_%H%M%S}-{role}"
        try:
            self.folder = _new_folder(parent, stem)
            self._lines: BinaryIO = open(self.folder / "session.jsonl", "wb", BUFFER)  # noqa: SIM115  # closed by close()
            self._frames: BinaryIO = open(self.folder / "session.pcapng", "wb", BUFFER)  # noqa: SIM115
        except OSError as error:
            raise ResultsError(f"cannot record sessions in {parent}: {error.strerror or error}") from error
        self._pcapng = PcapngWriter(self._frames, f"pyplc {__version__}", now.timestamp())

    def __call__(self, record: Record) -> None:
        if isinstance(record, Frame):
            self._pcapng.write(record.t, record.data, record.interface or record.side)
            return
        self._lines.write(line(record) + b"\n")
        if isinstance(record, (Checkpoint, Start, Summary)):
            self.flush()

    def flush(self) -> None:
        """Hand everything to the operating system."""
        self._lines.flush()
        self._frames.flush()

    def close(self) -> None:
        """Write everything to the disk and close."""
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
