"""A faked computer for the checks, and how they are asked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

from pyplc.config import EvSettings, StationSettings
from pyplc.doctor.patient import Eee, Finding, Machine, Patient

SOUND = {
    "flags": "0x1003",
    "carrier": "1",
    "speed": "100",
    "duplex": "full",
    "address": "02:00:00:00:00:01",
    "type": "1",
}


class Computer(Machine):
    """Files below `root`, programs by what they are asked, the rest as fields."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.names = ["lo", "eth1"]
        self.said: dict[str, str] = {}
        self.saving: Eee | None = None
        self.follows: bool | None = True
        for name, text in SOUND.items():
            self.write(f"/sys/class/net/eth1/{name}", text)

    def write(self, path: str, text: str = "") -> None:
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text + "\n")

    def interfaces(self) -> list[str]:
        return self.names

    async def run(self, *words: str) -> str | None:
        return self.said.get(" ".join(words))

    def eee(self, interface: str) -> Eee | None:
        return self.saving

    def synchronised(self) -> bool | None:
        return self.follows


def vehicle(computer: Machine, settings: StationSettings | None = None) -> Patient:
    """A vehicle on eth1."""
    chosen = settings or EvSettings()
    chosen.network.interface = "eth1"
    return Patient(chosen, "ev", Path("car.toml"), None, computer)


async def look(check: Callable[[Patient], AsyncIterator[Finding]], patient: Patient) -> Finding:
    """The one finding of a check."""
    (found,) = [finding async for finding in check(patient)]
    return found
