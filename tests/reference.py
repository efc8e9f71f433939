"""Reference material that lies beside the checkout: read in place, never copied; tests skip where it is absent."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import dpkt
import pytest

from pyplc.v2gtp import Framer

ROOT = Path(os.environ.get("PYPLC_REFERENCE") or Path(__file__).parents[2] / "shared" / "reference")
IONIQ = "pyplc/spi_ioniq_alpiHYC150_makerspace_landsberg_left_small_2024-04-03_ok.csv.pcap"
"""A Hyundai Ioniq at an Alpitronic HYC150, taken from the line between the car's controller and its modem."""


def path(name: str) -> Path:
    """A file of the reference material; skips the test where it is absent."""
    found = ROOT / name
    if not found.exists():
        pytest.skip(f"no {found.name}: set PYPLC_REFERENCE to the folder with the reference material")
    return found


def expected(capture: str) -> list[dict[str, Any]]:
    """What another decoder made of a capture: one dict a V2G message."""
    with gzip.open(path(f"captures/expected/{capture}.jsonl.gz"), "rt") as lines:
        return [json.loads(line) for line in lines]


ETHERNET_HEADER = 14


class Captured(NamedTuple):
    """One V2G message of a capture: time in seconds, TCP source port, EXI bytes."""

    t: float
    port: int
    exi: bytes


def messages(capture: str) -> list[Captured]:
    """The V2G messages of a capture, by our own framing: TCP payload in order of sequence numbers, each byte once."""
    found: list[Captured] = []
    framers: dict[tuple[bytes, int, int], Framer] = {}
    following: dict[tuple[bytes, int, int], int] = {}
    for t, frame in _frames(path(f"captures/{capture}")):
        ip = dpkt.ethernet.Ethernet(frame).data
        if not isinstance(ip, dpkt.ip6.IP6) or not isinstance(ip.data, dpkt.tcp.TCP):
            continue
        tcp = ip.data
        key = (ip.src, tcp.sport, tcp.dport)
        if tcp.flags & dpkt.tcp.TH_SYN:
            framers[key], following[key] = Framer(), (tcp.seq + 1) & 0xFFFFFFFF
        if key not in framers or not tcp.data or tcp.seq != following[key]:
            continue
        following[key] = (tcp.seq + len(tcp.data)) & 0xFFFFFFFF
        found += [Captured(t, tcp.sport, payload.data) for payload in framers[key].feed(tcp.data)]
    return found


def _frames(file: Path) -> Iterator[tuple[float, bytes]]:
    with file.open("rb") as handle:
        kind = dpkt.pcapng.Reader if file.suffix == ".pcapng" else dpkt.pcap.Reader
        try:
            yield from ((t, frame) for t, frame in kind(handle) if len(frame) >= ETHERNET_HEADER)
        except dpkt.NeedData:  # a file that was cut in a record
            return
