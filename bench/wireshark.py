"""What does Wireshark with our dissector cost, and what do writing for Wireshark and anonymising cost?

The largest capture of each collection of the reference material (PYPLC_REFERENCE). CPU of tshark is that of the child
process, the least of three runs; per message is what the dissector adds to tshark without it, on the same file, in the
same run. Elsewhere tshark with the native plugin dsV2Gshark takes 0.71 to 1.3 ms a message.

python bench/wireshark.py
"""

from __future__ import annotations

import io
import os
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from pyplc.capture.anonymise.pseudonyms import Pseudonyms
from pyplc.capture.anonymise.run import anonymise
from pyplc.capture.events import Message
from pyplc.capture.export import export
from pyplc.capture.files import packets
from pyplc.capture.output import Choice
from pyplc.capture.pcapng import interface, section
from pyplc.capture.reader import Reader, read
from pyplc.wireshark.lua import dissector

ROOT = Path(os.environ.get("PYPLC_REFERENCE") or Path(__file__).parents[2] / "shared" / "reference") / "captures"
ROUNDS = 3
NATIVE_MS = 0.71


def main() -> None:
    if not ROOT.exists():
        print(f"no captures at {ROOT}: set PYPLC_REFERENCE")
        return
    text = dissector()
    print(f"the dissector: {len(text) / 1000:.0f} kB, written in {1000 * least(dissector):.0f} ms")
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "pyplc.lua"
        script.write_text(text)
        for collection in ("pyplc", "everest"):
            file = max(captures(collection), key=lambda file: file.stat().st_size)
            messages = sum(isinstance(event, Message) for event in read(file))
            print(f"{file.name[:60]}: {messages} messages")
            if messages:
                dissected(file, script, messages)
                written(file, messages)


def captures(collection: str) -> list[Path]:
    return [f for f in (ROOT / collection).iterdir() if f.suffix in (".pcap", ".pcapng", ".dump")]


def dissected(file: Path, script: Path, messages: int) -> None:
    if shutil.which("tshark") is None:
        print("  no tshark: nothing to compare with")
        return
    lua = ("-X", f"lua_script:{script}")
    empty = script.with_name("empty.pcapng")
    empty.write_bytes(section("bench") + interface("none"))
    start = tshark("-r", str(empty)), tshark("-r", str(empty), *lua)
    bare, ours = tshark("-r", str(file), "-Y", "tcp.len > 0"), tshark("-r", str(file), "-Y", "v2g", *lua)
    each = 1000 * ((ours - start[1]) - (bare - start[0])) / messages
    print(f"  tshark {bare:.2f} s, with the dissector {ours:.2f} s: {each:.3f} ms a message,", end=" ")
    print(f"{each / NATIVE_MS:.2f} times the native plugin's least; loading it {1000 * (start[1] - start[0]):.0f} ms")


def written(file: Path, messages: int) -> None:
    data = file.read_bytes()

    def source() -> object:
        return packets(io.BytesIO(data))

    reading = least(lambda: sum(1 for _ in read(io.BytesIO(data))))
    for_wireshark = least(lambda: export(source, io.BytesIO(), Reader(), "bench", Choice().__call__))  # type: ignore[arg-type]
    anonymous = least(lambda: anonymise(source, io.BytesIO(), "bench", Pseudonyms(bytes(32))))  # type: ignore[arg-type]
    for what, seconds in (("--to-pcapng", for_wireshark), ("anonymise", anonymous)):
        print(f"  {what} {1e6 * seconds / messages:.0f} us a message, {seconds / reading:.1f} times reading alone")


def least(work: Callable[[], object]) -> float:
    """Seconds of CPU of this process."""
    times = []
    for _ in range(ROUNDS):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def tshark(*arguments: str) -> float:
    """Seconds of CPU of one call."""
    times = []
    for _ in range(ROUNDS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(["tshark", *arguments], capture_output=True, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(times)


if __name__ == "__main__":
    main()
