"""What the sessions of every generation share: how they end, their timers, and one exchange of messages."""

from __future__ import annotations

from typing import Any, NamedTuple


class Timer(NamedTuple):
    """A named time of the standard, in seconds, with the requirement or the observation it comes from."""

    name: str
    seconds: float
    source: str

    def __str__(self) -> str:
        return f"{self.name} ({self.seconds:g} s, {self.source})"


class SessionError(Exception):
    """A session ended against the plan. `outcome` is one word for programs, the text names the rule that ended it."""

    outcome = "error"


class TimedOut(SessionError):
    """A timer of ours expired."""

    outcome = "timeout"

    def __init__(self, timer: Timer, awaited: str) -> None:
        super().__init__(f"{timer} expired while waiting for {awaited}")
        self.timer = timer


class PeerFailed(SessionError):
    """The peer answered with a FAILED code or asked for an emergency stop."""

    outcome = "failed"


class PeerWrong(SessionError):
    """The peer sent something else than the rules allow: wrong message, wrong session id, not decodable."""

    outcome = "protocol"


class PeerGone(SessionError):
    """The connection ended before the session did."""

    outcome = "lost"


class StationRefused(SessionError):
    """Our own station could not or would not go on."""

    outcome = "refused"


class StopAsked(Exception):
    """Somebody asked for an orderly stop; the text says who and why. Never leaves a session."""


class Ended(NamedTuple):
    """A session that came to its end in order: why it stopped, in words; `paused` is the session id when it may be
    resumed."""

    reason: str
    paused: bytes = b""


def name_of(message: Any) -> str:
    """A message's name as the standard writes it."""
    return type(message).__name__ if message is not None else "(empty Body)"
