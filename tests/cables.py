"""Hosts in network namespaces, each with a veth pair as its modem's cable, and the emulated modems in one more."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

PYPLC = Path(sys.executable).with_name("pyplc")


def rights() -> str | None:
    """Why this cannot be built here, None when it can."""
    if not sys.platform.startswith("linux"):
        return "network namespaces are there on Linux only"
    if shutil.which("ip") is None:
        return "no command ip (package iproute2)"
    if not PYPLC.exists():
        return "pyplc is not installed beside this Python"
    name = f"pyplc-probe-{os.getpid()}"
    probe = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True)
    subprocess.run(["ip", "netns", "del", name], capture_output=True)
    return f"no right to make network namespaces (run as root): {probe.stderr.strip()}" if probe.returncode else None


class Cables:
    """Hosts by place, such as "ev": interface `ev0` there, `m-ev` at the modem's end in the place "line"."""

    def __init__(self, folder: Path, *places: str) -> None:
        self.folder = folder
        self.places = places
        self.macs: dict[str, str] = {}
        """Of the modems."""
        self.emulator: subprocess.Popen[str] | None = None
        self._tag = f"pyplc-{places[0]}{os.getpid() % 100000}"
        self._running: list[subprocess.Popen[str]] = []

    def up(self, *options: str) -> None:
        """Build all and start the modems; `options` of `pyplc modem emulate`."""
        for place in (*self.places, "line"):
            self._ip("netns", "add", self.name(place))
        for place in self.places:
            near, far = self.name(place), self.name("line")
            self._ip("-n", near, "link", "add", f"{place}0", "type", "veth", "peer", "name", f"m-{place}", "netns", far)
            self._ip("-n", near, "link", "set", f"{place}0", "up")
            self._ip("-n", far, "link", "set", f"m-{place}", "up")
        first, *others = [f"m-{place}" for place in self.places]
        peers = [word for other in others for word in ("--peer", other)]
        self.emulator = self.start("line", "modem", "emulate", first, *peers, *options)
        told = until(self.emulator, "ready").splitlines()
        self.macs = {place: line.split()[1] for place, line in zip(self.places, told, strict=False)}

    def down(self) -> None:
        """End all processes and take the namespaces away."""
        for process in self._running:
            process.terminate()
        for process in self._running:
            with process:  # waits, and closes its pipe
                pass
        self._running.clear()
        for place in (*self.places, "line"):
            subprocess.run(["ip", "netns", "del", self.name(place)], capture_output=True)

    def name(self, place: str) -> str:
        """The namespace of a place."""
        return f"{self._tag}-{place}"

    def command(self, place: str, *words: str | Path) -> list[str]:
        """`pyplc WORDS` at a place."""
        return ["ip", "netns", "exec", self.name(place), str(PYPLC), *map(str, words)]

    def start(self, place: str, *words: str | Path) -> subprocess.Popen[str]:
        """Start `pyplc WORDS`; it ends with `down` at the latest."""
        pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        process = subprocess.Popen(self.command(place, *words), text=True, cwd=self.folder, **pipe)
        self._running.append(process)
        return process

    def run(self, *words: str | Path, place: str = "ev", code: int = 0) -> str:
        """What `pyplc WORDS` prints, its errors too; it must end with `code`."""
        command = self.command(place, *words)
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.folder, timeout=50)
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr

    def _ip(self, *words: str) -> None:
        subprocess.run(["ip", *words], check=True, capture_output=True)


def until(process: subprocess.Popen[str], word: str) -> str:
    """What a process prints up to the line with a word."""
    assert process.stdout is not None
    told = ""
    for line in process.stdout:
        told += line
        if word in line:
            return told
    raise AssertionError(f"{word!r} was not said in:\n{told}")
