"""Telling systemd how it goes: the sd_notify protocol, a datagram of `KEY=value` lines to the socket it names."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

LOOK_S = 1.0
"""Between two looks at the station's health, or less where the watchdog is in a hurry."""


class Notifier:
    """The socket of `$NOTIFY_SOCKET`; without one everything here does nothing. `watchdog_s` is what WatchdogSec says.

    Nothing raises: a service manager that does not listen must not end a charge.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._address = _address(environment.get("NOTIFY_SOCKET", ""))
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) if self._address else None
        if self._socket is not None:
            self._socket.setblocking(False)
        self.watchdog_s = _watchdog(environment) if self._socket else None
        self._status = ""

    @property
    def feed_s(self) -> float:
        """How often to feed: a third of the watchdog's time at most, so that one late look is no alarm."""
        return LOOK_S if self.watchdog_s is None else min(LOOK_S, self.watchdog_s / 3)

    def ready(self) -> None:
        """The station has started."""
        self._send("READY=1")

    def stopping(self) -> None:
        """The station goes down in order."""
        self._send("STOPPING=1")

    def status(self, text: str) -> None:
        """One line for `systemctl status`; sent when it changes."""
        if text != self._status and self._send("STATUS=" + text.replace("\n", " ")):
            self._status = text

    def alive(self) -> None:
        """Feed the watchdog."""
        if self.watchdog_s is not None:
            self._send("WATCHDOG=1")

    def close(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, text: str) -> bool:
        if self._socket is None:
            return False
        try:
            self._socket.sendto(text.encode(), self._address)
        except OSError:  # nobody listens, or its queue is full: the next line says the same
            return False
        return True


def _address(name: str) -> str:
    """A path, or an abstract name written with @ in front."""
    return "\0" + name[1:] if name.startswith("@") else name if name.startswith("/") else ""


def _watchdog(environment: Mapping[str, str]) -> float | None:
    """WatchdogSec in seconds, if it is meant for this process."""
    if environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    try:
        microseconds = int(environment.get("WATCHDOG_USEC", "0"))
    except ValueError:
        return None
    return microseconds / 1e6 if microseconds > 0 else None
