"""What does the story cost beside reading the capture?

The largest captures of the reference material (PYPLC_REFERENCE), each read alone (its messages decoded), read and
explained, and made into a page, in one process and one run; the best of some rounds, CPU. Ratios are to reading alone.

python bench/explain.py
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from pyplc.capture.events import Message
from pyplc.capture.explain.page import html
from pyplc.capture.explain.report import told
from pyplc.capture.reader import read

ROOT = Path(os.environ.get("PYPLC_REFERENCE") or Path(__file__).parents[2] / "shared" / "reference") / "captures"
ROUNDS = 3
LARGEST = 4
SUFFIXES = (".pcap", ".pcapng", ".dump")


def main() -> None:
    if not ROOT.exists():
        print(f"no captures at {ROOT}: set PYPLC_REFERENCE")
        return
    files = [file for file in ROOT.rglob("*") if file.name.endswith(SUFFIXES)]
    counted = sorted(files, key=_messages, reverse=True)[:LARGEST]
    print("capture (messages)                               read      explained            page     page size")
    for file in counted:
        alone, story, page = best(_read, file), best(_told, file), best(_page, file)
        size = len(html(told(read(file)))) / 1000
        name = f"{file.name[:38]} ({_messages(file)})"
        ratios = f"{story * 1e3:6.0f} ms {story / alone:4.1f}x  {page * 1e3:6.0f} ms {page / alone:4.1f}x"
        print(f"{name:46} {alone * 1e3:5.0f} ms  {ratios}  {size:6.0f} kB")
    begin = time.process_time()
    sessions = sum(len(told(read(file))) for file in files)
    took = time.process_time() - begin
    each = took / sessions * 1e3
    print(f"all {len(files)} captures: {sessions} sessions and attempts in {took:.2f} s, {each:.0f} ms each")


def _read(file: Path) -> int:
    return sum(1 for _ in read(file))


def _told(file: Path) -> int:
    return len(told(read(file)))


def _page(file: Path) -> int:
    return len(html(told(read(file))))


def _messages(file: Path) -> int:
    return sum(isinstance(event, Message) for event in read(file))


def best(work: Callable[[Path], object], file: Path) -> float:
    """CPU seconds of the fastest round."""
    times = []
    for _ in range(ROUNDS):
        begin = time.process_time()
        work(file)
        times.append(time.process_time() - begin)
    return min(times)


if __name__ == "__main__":
    main()
