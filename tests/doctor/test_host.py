"""The computer itself."""

from __future__ import annotations

import os
import shutil
import socket
import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from computers import Computer, look, vehicle

from pyplc.config import EvSettings
from pyplc.doctor import host
from pyplc.hw.settings import VehicleHardware


async def test_python_and_libraries_here_are_good(computer: Computer) -> None:
    for check in (host.python, host.libraries, host.libpcap):
        assert (await look(check, vehicle(computer))).verdict == "good"


async def test_a_library_that_is_missing_is_told_with_the_command(
    computer: Computer, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = EvSettings(hardware=VehicleHardware(pilot="board"), devices={"board": {"driver": "dieter"}})
    settings.watch.mqtt.host = "broker"
    assert host.extras(vehicle(computer, settings)) == {"serial", "mqtt"}
    monkeypatch.setitem(host.LIBRARIES, "serial", "no_such_module")
    found = await look(host.libraries, vehicle(computer, settings))
    assert found.verdict == "failed" and "pip install 'pyplc[serial]'" in str(found.mend)


async def test_libpcap_is_looked_at_where_it_is_used(computer: Computer, monkeypatch: pytest.MonkeyPatch) -> None:
    patient = vehicle(computer)
    patient.settings.network.driver = "pcap"
    monkeypatch.setitem(__import__("sys").modules, "pcap", None)
    found = await look(host.libpcap, patient)
    assert found.verdict == "failed" and found.mend == "sudo apt install libpcap0.8"


async def test_without_the_right_the_command_that_grants_it(
    computer: Computer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any) -> None:
        raise PermissionError

    monkeypatch.setattr(socket, "socket", refused)
    found = await look(host.rights, vehicle(computer))
    assert found.verdict == "failed" and str(found.mend).startswith("sudo setcap cap_net_raw,cap_net_admin+eip /")


async def test_the_clock(computer: Computer, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await look(host.clock, vehicle(computer))).verdict == "good"
    computer.follows = False
    assert (await look(host.clock, vehicle(computer))).verdict == "warning"
    monkeypatch.setattr(time, "time", lambda: 1000.0)
    found = await look(host.clock, vehicle(computer))
    assert found.verdict == "failed" and "1970" in found.says and "set-ntp" in str(found.mend)


class Usage(NamedTuple):
    total: int
    used: int
    free: int


@pytest.mark.parametrize(("free_mb", "verdict"), [(5000, "good"), (100, "warning"), (5, "failed")])
async def test_room_on_the_disk(
    computer: Computer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free_mb: int, verdict: str
) -> None:
    patient = vehicle(computer)
    patient.settings.record.folder = str(tmp_path / "not" / "there" / "yet")
    monkeypatch.setattr(shutil, "disk_usage", lambda where: Usage(0, 0, free_mb * 1_000_000))
    found = await look(host.disk, patient)
    assert found.verdict == verdict and f"{free_mb:,} MB free" in found.says
    assert not (tmp_path / "not").exists()


async def test_a_folder_that_cannot_be_written(
    computer: Computer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = vehicle(computer)
    patient.settings.record.folder = str(tmp_path / "file")
    (tmp_path / "file").write_text("")
    found = await look(host.disk, patient)
    assert found.verdict == "failed" and "is no folder" in found.says

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    patient.settings.record.folder = str(tmp_path)
    monkeypatch.setattr(os, "fsync", full)
    found = await look(host.disk, patient)
    assert found.verdict == "failed" and "No space left" in found.says
    patient.settings.record.folder = None
    assert (await look(host.disk, patient)).verdict == "good"
