"""A street of three network namespaces for unattended stations: the powerline, the car, the box at the wall."""

from __future__ import annotations

import ctypes
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PYPLC = Path(sys.executable).with_name("pyplc")
CLONE_NEWNET = 0x40000000
TOKEN = "a-token-of-many-characters"


def missing(*programs: str) -> str | None:
    """Why no street can be built here, None when it can."""
    if not sys.platform.startswith("linux"):
        return "network namespaces are there on Linux only"
    for program in ("ip", *programs):
        if found(program) is None:
            return f"no command {program}"
    if not PYPLC.exists():
        return "pyplc is not installed beside this Python"
    name = f"pyplc-probe-{os.getpid()}"
    probe = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True)
    subprocess.run(["ip", "netns", "del", name], capture_output=True)
    return f"no right to make network namespaces (run as root): {probe.stderr.strip()}" if probe.returncode else None


def found(program: str) -> str | None:
    return shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")


def wait_for(what: str, true: Callable[[], Any], seconds: float = 30.0) -> Any:
    """The first true value of `true()`; AssertionError with `what` after `seconds`."""
    until = time.monotonic() + seconds
    while not (value := true()):
        assert time.monotonic() < until, f"not within {seconds:g} s: {what}"
        time.sleep(0.1)
    return value


class Street:
    """Namespaces `line`, `car` and `box`; processes started here end with it. Logs are in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._tag = f"pp{os.getpid() % 100000}"
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Street:
        for name in ("line", "car", "box"):
            self._ip("netns", "add", self.namespace(name))
            self._ip("-n", self.namespace(name), "link", "set", "lo", "up")
        return self

    def __exit__(self, *_: object) -> None:
        for name in list(self.running):
            self.end(name, signal.SIGKILL)
        for name in ("line", "car", "box"):
            subprocess.run(["ip", "netns", "del", self.namespace(name)], capture_output=True)

    def namespace(self, name: str) -> str:
        return f"{self._tag}-{name}"

    def _ip(self, *words: str) -> None:
        subprocess.run(["ip", *words], check=True, capture_output=True)

    def cable(self, name: str, interface: str, *, up: bool = True) -> None:
        """Plug a modem's cable into `car` or `box`; its other end is `l<interface>` on the powerline."""
        line, here = self.namespace("line"), self.namespace(name)
        self._ip(
            "link", "add", interface, "netns", here, "type", "veth", "peer", "name", f"l{interface}", "netns", line
        )
        quiet = f"net.ipv6.conf.l{interface}.disable_ipv6=1"
        subprocess.run(["ip", "netns", "exec", line, "sysctl", "-qw", quiet], check=True)
        quick = f"net.ipv6.conf.{interface}.accept_dad=0"
        subprocess.run(["ip", "netns", "exec", here, "sysctl", "-qw", quick], check=True)
        self._ip("-n", line, "link", "set", f"l{interface}", "up")
        if up:
            self._ip("-n", here, "link", "set", interface, "up")

    def powerline(self) -> None:
        """Both cables and the modems on them."""
        self.cable("car", "ev0")
        self.cable("box", "se0")
        self.start("modem", "line", [str(PYPLC), "modem", "emulate", "lev0", "--peer", "lse0", "--fast"])
        wait_for("emulated modems", lambda: "ready" in self.log("modem"))

    def start(self, name: str, where: str, command: list[str], **environment: str) -> subprocess.Popen[bytes]:
        """Start a process in a namespace; its output is `log(name)`."""
        with (self.folder / f"{name}.log").open("wb") as out:
            self.running[name] = subprocess.Popen(
                ["ip", "netns", "exec", self.namespace(where), *command],
                cwd=self.folder,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONASYNCIODEBUG": "", **environment},
            )
        return self.running[name]

    def end(self, name: str, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; the exit code."""
        process = self.running.pop(name)
        process.send_signal(number)
        return process.wait(30)

    def log(self, name: str) -> str:
        file = self.folder / f"{name}.log"
        return file.read_text() if file.exists() else ""

    @contextmanager
    def inside(self, name: str) -> Iterator[None]:
        """Sockets that this thread makes in the block belong to the namespace."""
        libc = ctypes.CDLL(None, use_errno=True)
        with open("/proc/self/ns/net") as ours, open(f"/run/netns/{self.namespace(name)}") as theirs:
            if libc.setns(theirs.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
            try:
                yield
            finally:
                libc.setns(ours.fileno(), CLONE_NEWNET)

    def http(self, method: str, path: str, body: Any = None, token: str = TOKEN, port: int = 8080) -> tuple[int, Any]:
        """A request to the station in the box: status and what the answer holds."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        with self.inside("box"):
            connection.connect()
        try:
            data = None if body is None else json.dumps(body)
            connection.request(method, path, data, {"Authorization": f"Bearer {token}"})
            answer = connection.getresponse()
            text = answer.read().decode()
            return answer.status, json.loads(text) if "json" in answer.headers["Content-Type"] else text
        finally:
            connection.close()

    def status(self) -> dict[str, Any]:
        """What the station in the box says it does; empty while it does not answer."""
        try:
            return dict(self.http("GET", "/api/status")[1]["status"])
        except OSError:
            return {}


class Manager:
    """systemd's end of the notify socket."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "notify"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self.path))
        self.lines: list[str] = []
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        while data := self._socket.recv(65536):
            self.lines += data.decode().splitlines()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RD)
        self._thread.join()
        self._socket.close()
