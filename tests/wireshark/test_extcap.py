"""The extcap program as Wireshark calls it: lists, and a live capture from one end of a virtual cable."""

from __future__ import annotations

import io
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import reference
from sharks import needs_tshark, tshark

from pyplc.capture.events import Message
from pyplc.capture.export_live import Wanted, write
from pyplc.capture.files import Packet, Secrets, packets
from pyplc.capture.reader import read
from pyplc.wireshark import extcap, install

DIN = "captures/dsv2gshark/DIN_DC_DS5366_Josev.pcapng"
TLS = "captures/dsv2gshark/ISO-2_DC_PnC_TLS_Contract_DS5366_RiseV2G.pcapng"
PYPLC = Path(sys.executable).with_name("pyplc")
SPACE = f"pyplcx{os.getpid() % 10000}"
REPLAY = """
import socket, sys, time
from pyplc.capture.files import packets
out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
out.bind((sys.argv[2], 0))
for i, item in enumerate(packets(open(sys.argv[1], "rb"))):
    if hasattr(item, "data"):
        out.send(item.data)
        time.sleep(0.0005)
"""


def test_lists(capsys: pytest.CaptureFixture[str]) -> None:
    assert extcap.main(["--extcap-interfaces", "--extcap-version=4.0"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("extcap {version=")
    assert "interface {value=pyplc-lo}{display=pyPLC: charging on lo}" in out
    assert extcap.main(["--extcap-interface", "pyplc-lo", "--extcap-dlts"]) == 0
    assert capsys.readouterr().out == "dlt {number=1}{name=EN10MB}{display=Ethernet}\n"
    assert extcap.main(["--extcap-interface", "pyplc-lo", "--extcap-config"]) == 0
    assert "{call=--keys}" in capsys.readouterr().out
    assert extcap.main([]) == 1


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--extcap-capture-filter", "tcp"], "capture filters are not supported"),
        (["--schema", "din2"], "is no schema"),
        (["--extcap-interface", "eth0"], "needs --fifo"),
        (["--extcap-interface", "pyplc-none", "--fifo", os.devnull], "none"),
    ],
)
def test_refusals(options: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGTERM)
    try:
        assert extcap.main(["--capture", *options]) == 1
    finally:
        signal.signal(signal.SIGTERM, before)
    assert says in capsys.readouterr().err


def test_keys_that_come_late(tmp_path: Path) -> None:
    """The key log grows while the capture runs: messages that were captured before are rows with their own time."""
    source = reference.path(TLS)
    with source.open("rb") as stream:
        items = [item for item in packets(stream) if isinstance(item, Packet) and item.data[20:21] == b"\x06"]
    wanted = [event for event in read(source) if isinstance(event, Message)]
    log = tmp_path / "keys.log"
    from pyplc.capture.reader import Reader
    from pyplc.capture.small import keys

    with source.open("rb") as stream:
        data = [item.data for item in packets(stream) if isinstance(item, Packet)]
    found = [key for each in data for key in keys({"frame": 0, "time": 0.0}, each)]
    assert found

    def live() -> Iterator[Packet]:
        for number, item in enumerate(items, 1):
            if number == len(items) // 2:
                log.write_text("".join(f"{key.line}\n" for key in found))
            yield item._replace(number=number)

    out = io.BytesIO()
    write(live(), out, "test", Wanted(str(log)))
    out.seek(0)
    written = list(packets(out))
    rows = [item for item in written if isinstance(item, Packet) and item.link_type == 252]
    assert len(rows) == len(wanted)
    assert all(abs(row.ns / 1e9 - message.time) < 1e-5 for row, message in zip(rows, wanted, strict=True))
    assert any(isinstance(item, Secrets) for item in written)
    assert Reader().packets == 0


def rights() -> str | None:
    if not sys.platform.startswith("linux") or shutil.which("ip") is None:
        return "no network namespaces here (package iproute2)"
    made = subprocess.run(["ip", "netns", "add", SPACE], capture_output=True, text=True)
    subprocess.run(["ip", "netns", "del", SPACE], capture_output=True)
    return f"no right to make network namespaces: {made.stderr.strip()}" if made.returncode else None


@pytest.fixture
def cable() -> Iterator[list[str]]:
    """A namespace with a cable of two ends, pa and pb; the words that run a program in it."""
    if (reason := rights()) is not None:
        pytest.skip(reason)
    inside = ["ip", "netns", "exec", SPACE]
    try:
        subprocess.run(["ip", "netns", "add", SPACE], check=True)
        subprocess.run([*inside, "ip", "link", "add", "pa", "type", "veth", "peer", "name", "pb"], check=True)
        for end in ("pa", "pb", "lo"):
            subprocess.run([*inside, "ip", "link", "set", end, "up"], check=True)
        yield inside
    finally:
        subprocess.run(["ip", "netns", "del", SPACE], check=False)


def replay(inside: list[str], file: Path) -> None:
    subprocess.run([*inside, sys.executable, "-c", REPLAY, str(file), "pa"], check=True, timeout=50)


def seen(file: Path) -> list[str]:
    if not file.exists():
        return []
    return [event.name for event in read(file) if isinstance(event, Message)]


def test_capture_through_a_pipe(cable: list[str], tmp_path: Path) -> None:
    source, fifo = reference.path(DIN), tmp_path / "fifo"
    wanted = [event.name for event in read(source) if isinstance(event, Message)]
    os.mkfifo(fifo)
    words = ["--capture", "--fifo", str(fifo), "--extcap-interface", "pyplc-pb", "--messages", "true"]
    running = subprocess.Popen([*cable, sys.executable, "-m", "pyplc.wireshark.extcap", *words])
    beside = subprocess.Popen([*cable, str(PYPLC), "decode", "pb", "--to-pcapng", str(tmp_path / "beside.pcapng")])
    with ThreadPoolExecutor() as pool:
        reading = pool.submit(fifo.read_bytes)
        time.sleep(1.5)
        replay(cable, source)
        time.sleep(1.0)
        running.send_signal(signal.SIGTERM)
        got = reading.result(timeout=20)
    assert running.wait(timeout=10) == 0
    beside.send_signal(signal.SIGINT)
    assert beside.wait(timeout=10) == 0
    assert seen(tmp_path / "beside.pcapng") == wanted
    (tmp_path / "got.pcapng").write_bytes(got)
    assert seen(tmp_path / "got.pcapng") == wanted
    items = [item for item in packets(io.BytesIO(got)) if isinstance(item, Packet)]
    assert sum(item.link_type == 252 for item in items) == len(wanted)
    assert sum("CurrentDemandReq" in (item.comment or "") for item in items) == wanted.count("CurrentDemandReq")


@needs_tshark
def test_capture_by_tshark(cable: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WIRESHARK_CONFIG_DIR", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    install.install(install.folders())
    source, target = reference.path(DIN), tmp_path / "live.pcapng"
    wanted = [event.name for event in read(source) if isinstance(event, Message)]
    words = [*cable, "tshark", "-q", "-i", "pyplc-pb", "-w", str(target), "-a", "duration:30"]
    running = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 15
    while not target.exists() and time.monotonic() < until:
        time.sleep(0.2)
    time.sleep(1.5)
    replay(cable, source)
    while seen(target) != wanted and time.monotonic() < until + 15:
        time.sleep(0.3)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=15)
    assert seen(target) == wanted, said
    rows = tshark("-r", str(target), "-N", "n", "-Y", "exported_pdu", home=tmp_path).splitlines()
    assert len(rows) == len(wanted)
    assert "EV" in rows[-1].split()
