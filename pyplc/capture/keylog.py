"""TLS secrets by client random: read from NSS key logs, kept once, written back in the same form."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from .events import Key
from .small import keys

SESSIONS = 10_000
"""Sessions whose keys are kept; the oldest are forgotten first."""


class KeyLog:
    """Secrets of TLS sessions: client random to label to secret."""

    def __init__(self, keys: Iterable[Key] = ()) -> None:
        self.sessions: dict[bytes, dict[str, bytes]] = {}
        for key in keys:
            self.add(key)

    def add(self, key: Key) -> bool:
        """Keep a secret; False if it was known."""
        secrets = self.sessions.setdefault(key.client_random, {})
        new = secrets.get(key.label) != key.secret
        secrets[key.label] = key.secret
        if len(self.sessions) > SESSIONS:
            del self.sessions[next(iter(self.sessions))]
        return new

    def of(self, client_random: bytes | None) -> dict[str, bytes]:
        """The secrets of one session, by label."""
        return self.sessions.get(client_random, {}) if client_random is not None else {}

    def all(self) -> list[Key]:
        """Everything, in order of arrival."""
        return [
            Key(frame=0, time=0.0, label=label, client_random=random, secret=secret)
            for random, secrets in self.sessions.items()
            for label, secret in secrets.items()
        ]

    def text(self) -> str:
        """Everything as an NSS key log."""
        return "".join(f"{key.line}\n" for key in self.all())


def load(*files: Path | str) -> list[Key]:
    """The secrets in key log files; OSError for one that cannot be read."""
    return [key for file in files for key in keys({"frame": 0, "time": 0.0}, Path(file).read_bytes())]
