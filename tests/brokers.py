"""Real MQTT brokers for tests, on a loopback port of their own: Debian's mosquitto, and amqtt."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

NAMES = ("mosquitto", "amqtt")


class Broker:
    """One broker; `stop` and `start` it again on the same port."""

    def __init__(self, name: str, folder: Path) -> None:
        self.port = _free()
        self._process: subprocess.Popen[bytes] | None = None
        config = folder / f"{name}.conf"
        if name == "mosquitto":
            found = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
            if found is None:
                pytest.skip("mosquitto is not installed")
            config.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\n")
            self._command = [found, "-c", str(config)]
        else:
            if find_spec("amqtt") is None:
                pytest.skip("amqtt is not installed")
            self._command = [sys.executable, "-c", AMQTT, str(self.port)]

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 15
        while time.monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise RuntimeError("the broker did not start")

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


AMQTT = """
import asyncio, sys
from amqtt.broker import Broker
async def main():
    plugins = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}
    broker = Broker({"listeners": {"default": {"type": "tcp", "bind": "127.0.0.1:" + sys.argv[1]}}, "plugins": plugins})
    await broker.start()
    await asyncio.Event().wait()
asyncio.run(main())
"""


@contextmanager
def running(name: str, folder: Path) -> Iterator[Broker]:
    """A broker of that name; skips where it is not installed."""
    broker = Broker(name, folder)
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
