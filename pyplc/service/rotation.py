"""Old sessions go: by size, by age, or when the disk is full. Only folders that are sessions, oldest first."""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path
from typing import NamedTuple

NAME = re.compile(r"^\d{4}-\d{2}-\d{2}_\d{6}-[a-z]+(-[0-9a-f]{12})?(-\d+)?$")
NOT_BEFORE = 1_767_225_600.0
"""1 January 2026: a clock that says less was never set, and no age is judged by it."""
ROOM = 50e6
"""Bytes to make free when a disk is full."""


class Session(NamedTuple):
    """A recorded session: its folder, when it was last written (s, wall clock) and its size in bytes."""

    folder: Path
    written: float
    size: int


def sessions(parent: Path) -> list[Session]:
    """The recorded sessions, the one written longest ago first. What is no session is not listed."""
    found = []
    for folder in parent.iterdir() if parent.is_dir() else ():
        if not NAME.match(folder.name) or not (folder / "session.jsonl").is_file():
            continue
        try:
            stats = [file.stat() for file in folder.iterdir() if file.is_file()]
        except OSError:  # it is being deleted by somebody else
            continue
        found.append(Session(folder, max(s.st_mtime for s in stats), sum(s.st_size for s in stats)))
    return sorted(found, key=lambda session: (session.written, session.folder.name))


def too_many(
    found: list[Session], now: float, *, max_bytes: float | None, max_age_s: float | None, keep: int
) -> list[Session]:
    """Which of them are to be deleted, oldest first. `keep` of the newest stay in any case.

    A clock that jumped years ahead makes everything old; that is why so many are kept, and why nothing is judged by
    its age while the clock was never set.
    """
    total = sum(session.size for session in found)
    gone = []
    for session in found[: max(0, len(found) - keep)]:
        old = max_age_s is not None and now > NOT_BEFORE and now - session.written > max_age_s
        if old or (max_bytes is not None and total > max_bytes):
            gone.append(session)
            total -= session.size
    return gone


def rotate(parent: Path, max_mb: float | None, max_days: float | None, keep: int) -> list[Path]:
    """Delete what is too old or too much; the folders that went. One that cannot be deleted is left."""
    gone = too_many(
        sessions(parent),
        time.time(),
        max_bytes=None if max_mb is None else max_mb * 1e6,
        max_age_s=None if max_days is None else max_days * 86_400,
        keep=keep,
    )
    return [session.folder for session in gone if _delete(session.folder)]


def make_room(running: Path, keep: int = 1) -> bool:
    """The disk is full: delete the oldest sessions, never the running one; whether anything went."""
    parent = running.parent if NAME.match(running.name) else running
    freed = 0
    for session in [s for s in sessions(parent) if s.folder != running][: -keep or None]:
        if freed >= ROOM:
            break
        if _delete(session.folder):
            freed += session.size
    return freed > 0


def _delete(folder: Path) -> bool:
    shutil.rmtree(folder, ignore_errors=True)
    return not folder.exists()
