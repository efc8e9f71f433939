"""What survives: a power cut, SIGKILL, a full disk, a clock that jumps by years; and what goes: old recordings."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import dpkt
import pytest
import worlds

from pyplc.record import Checkpoint, Decision, Frame, Note, Reading, Record, Start, Summary
from pyplc.service.files import SessionFiles
from pyplc.service.rotation import make_room, rotate, sessions, too_many

NOON = datetime(2027, 1, 2, 12, 0, 0, tzinfo=UTC)
DAY = 86_400


def lines(folder: Path) -> list[dict[str, object]]:
    return [json.loads(text) for text in (folder / "session.jsonl").read_bytes().splitlines()]


def test_a_power_cut_loses_at_most_the_last_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fsync has seen is what survives: each record is in it a second after it was written, frames too."""
    real = os.fsync
    synced: list[tuple[float, str, bytes]] = []

    def fsync(descriptor: int) -> None:
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        real(descriptor)
        data = b"" if os.path.isdir(path) else Path(path).read_bytes()
        synced.append((time.monotonic(), Path(path).name, data))

    monkeypatch.setattr(os, "fsync", fsync)
    written: list[tuple[float, str, bytes]] = []

    async def main() -> None:
        files = SessionFiles(tmp_path, "ev", NOON)
        sync = asyncio.ensure_future(files.sync())
        files(Checkpoint(number=100, text=""))
        for number in range(150):
            files(Reading(voltage=400, current=float(number)))
            written.append((time.monotonic(), "session.jsonl", b'"current":%d.0,' % number))
            files(Frame(direction="tx", data=number.to_bytes(60, "big"), interface="eth1"))
            written.append((time.monotonic(), "session.pcapng", number.to_bytes(60, "big")))
            await asyncio.sleep(0.01)
        await asyncio.sleep(1.2)
        sync.cancel()
        synced.append((0.0, "", b""))  # the power is gone
        files.close()

    asyncio.run(main())
    del synced[synced.index((0.0, "", b"")) :]
    for at, name, data in written:
        survived = min(t for t, file, whole in synced if file == name and data in whole)
        assert survived - at < 1.0
    assert {name for _, name, data in synced if not data} == {tmp_path.name, "2027-01-02_120000-ev"}


KILLED = """
import asyncio, sys
from pathlib import Path
from pyplc.record import Checkpoint, Reading
from pyplc.service.files import SessionFiles

async def main():
    files = SessionFiles(Path(sys.argv[1]), "ev")
    task = asyncio.ensure_future(files.sync())
    files(Checkpoint(number=100, text=""))
    for number in range(100000):
        files(Reading(voltage=400, current=number))
        print(number, flush=True)
        await asyncio.sleep(0.01)

asyncio.run(main())
"""


def test_sigkill_loses_at_most_the_last_second(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    until = time.monotonic() + 2
    last = 0
    for text in child.stdout:
        last = int(text)
        if time.monotonic() > until:
            break
    child.send_signal(signal.SIGKILL)
    child.communicate()
    (folder,) = tmp_path.iterdir()
    readings = [entry["current"] for entry in lines(folder)[1:]]
    assert readings == list(range(len(readings)))
    assert len(readings) > last - 100


FULL = """
import sys
from pathlib import Path
import worlds
from pyplc.record import Note
from pyplc.service.files import SessionFiles

files = SessionFiles(Path(sys.argv[1]), "ev")
outcome = worlds.session(frames=True, readers=(files,), settings=worlds.short(45.5))
files.close()
for side, summary in outcome.summaries.items():
    print(side, summary.outcome)
print(*[r.text for r in outcome.records if isinstance(r, Note) and r.level == "error"], sep="\\n")
"""


def on_a_small_disk(folder: Path, size: int, *, old: int = 0) -> tuple[str, Path]:
    """A simulated charge, recorded on a tmpfs of so many bytes with two `old` recordings of so many; what was said, and
    a copy of what was recorded."""
    disk, copy = folder / "disk", folder / "copy"
    disk.mkdir()
    (folder / "child.py").write_text(FULL)
    script = f"""
mount -t tmpfs -o size={size} none {disk}
for n in $([ {old} -gt 0 ] && echo 1 2); do
    mkdir {disk}/2026-01-0${{n}}_120000-ev; echo '{{}}' > {disk}/2026-01-0${{n}}_120000-ev/session.jsonl
    head -c {old} /dev/zero > {disk}/2026-01-0${{n}}_120000-ev/session.pcapng
    touch -d 2026-01-0$n {disk}/2026-01-0${{n}}_120000-ev/*
done
{sys.executable} {folder}/child.py {disk} && cp -r {disk} {copy}
"""
    done = subprocess.run(
        ["unshare", "-m", "sh", "-ec", script],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(worlds.__file__).parent)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, copy


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> int:
    """Bytes of the charge's recording where there is room for it."""
    said, copy = on_a_small_disk(tmp_path_factory.mktemp("whole"), 100_000_000)
    assert "ev finished" in said
    return sum(file.stat().st_size for file in copy.rglob("*") if file.is_file())


def mounts() -> str | None:
    """Why no file system can be mounted here."""
    if shutil.which("unshare") is None:
        return "no command unshare"
    done = subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, text=True)
    return f"no right to mount (run as root): {done.stderr.strip()}" if done.returncode else None


on_tmpfs = pytest.mark.skipif((reason := mounts()) is not None, reason=reason or "")


@on_tmpfs
def test_a_full_disk_does_not_end_a_charge(tmp_path: Path, whole: int) -> None:
    said, copy = on_a_small_disk(tmp_path, whole // 2)
    assert "ev finished" in said and "evse finished" in said
    assert "a record reader failed and was removed" in said and "No space left" in said
    (folder,) = copy.iterdir()
    assert sum(file.stat().st_size for file in folder.iterdir()) > 0.3 * whole


@on_tmpfs
def test_old_recordings_make_room_for_the_running_one(tmp_path: Path, whole: int) -> None:
    said, copy = on_a_small_disk(tmp_path, whole + 300_000, old=200_000)
    assert "ev finished" in said and "evse finished" in said
    gone, kept, running = copy / "2026-01-01_120000-ev", copy / "2026-01-02_120000-ev", sorted(copy.iterdir())[-1]
    assert kept.exists() and not gone.exists()
    recording = lines(running)
    assert {entry["side"] for entry in recording if entry["type"] == "summary"} == {"ev", "evse"}
    numbers = [entry["number"] for entry in recording if entry["type"] == "checkpoint"]
    assert {100, 160, 700, 800, 900} <= set(numbers)
    assert "error" not in said


@pytest.mark.parametrize("years", [-20, 7])
def test_a_clock_that_jumps_by_years_in_a_charge_changes_only_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, years: int
) -> None:
    plain = worlds.session()
    files = SessionFiles(tmp_path, "ev", clocks=(lambda: time.time(), time.monotonic))
    wall = time.time
    jumped = worlds.session(
        lambda world: monkeypatch.setattr(time, "time", lambda: wall() + years * 365.25 * DAY), at=700, readers=(files,)
    )
    files.close()
    assert [(r.t, type(r)) for r in jumped.records] == [(r.t, type(r)) for r in plain.records]
    (folder,) = tmp_path.iterdir()
    then = datetime.fromtimestamp(wall() + years * 365.25 * DAY, UTC)
    assert folder.name.startswith(f"{then:%Y-%m-}")
    note = [entry for entry in lines(folder) if "the clock was set" in str(entry.get("text", ""))]
    assert len(note) == 1 and str(then.year) in str(note[0]["text"])


def test_the_folder_is_named_by_time_and_peer(tmp_path: Path) -> None:
    files = SessionFiles(tmp_path, "evse", NOON)
    for record in (
        Checkpoint(number=101, text=""),
        Decision(side="ev", what="charger 00:11:22:33:44:55", why=""),  # of another side
        Decision(side="evse", what="vehicle aa:bb:cc:dd:ee:ff", why="first match"),
    ):
        files(record)
    files.close()
    assert [folder.name for folder in tmp_path.iterdir()] == ["2027-01-02_120000-evse-aabbccddeeff"]


def test_a_long_recording_goes_on_in_another_folder(tmp_path: Path) -> None:
    files = SessionFiles(tmp_path, "listen", NOON, split_mb=0.05)
    files(Start(what="", version=""))
    files(Checkpoint(number=100, text=""))
    for number in range(1000):
        files(Frame(t=number / 10, direction="rx", data=bytes(100) + number.to_bytes(2, "big"), interface="eth1"))
        files(Note(t=number / 10, text=f"remark {number}"))
    files.close()
    folders = sorted(tmp_path.iterdir(), key=lambda f: f.stat().st_mtime_ns)
    assert len(folders) > 3
    texts = [str(entry.get("text")) for folder in folders for entry in lines(folder)]
    assert [t for t in texts if t.startswith("remark")] == [f"remark {n}" for n in range(1000)]
    assert sum(t.startswith("continues 2027-01-02") for t in texts) == len(folders) - 1
    frames = []
    for folder in folders:
        assert sum(file.stat().st_size for file in folder.iterdir()) < 60_000
        with (folder / "session.pcapng").open("rb") as file:
            frames += list(dpkt.pcapng.Reader(file))
    assert [int.from_bytes(data[-2:], "big") for _, data in frames] == list(range(1000))
    assert frames[-1][0] == pytest.approx(NOON.timestamp() + 99.9, abs=1e-3)  # times go on, too


# rotation


def recorded(parent: Path, name: str, size: int, age: float) -> Path:
    folder = parent / name
    folder.mkdir()
    (folder / "session.jsonl").write_bytes(b"\n" * size)
    os.utime(folder / "session.jsonl", (time.time() - age, time.time() - age))
    return folder


def test_old_and_too_many_recordings_go_and_nothing_else(tmp_path: Path) -> None:
    names = [f"2026-0{n}-01_120000-ev-aabbccddeeff" for n in range(1, 7)]
    for number, name in enumerate(names):
        recorded(tmp_path, name, 300_000, (6 - number) * 10 * DAY)
    foreign = recorded(tmp_path, "holidays", 5_000_000, 1000 * DAY)
    (tmp_path / "2026-01-01_120000-ev").mkdir()  # no recording in it
    assert [s.folder.name for s in sessions(tmp_path)] == names
    assert rotate(tmp_path, None, None, 1) == []
    assert [folder.name for folder in rotate(tmp_path, None, 45, 1)] == names[:2]
    assert [folder.name for folder in rotate(tmp_path, 0.7, None, 1)] == names[2:4]
    assert [folder.name for folder in rotate(tmp_path, 0.1, 1, 2)] == []
    assert foreign.exists()


def test_a_clock_that_is_wrong_deletes_no_more_than_is_kept(tmp_path: Path) -> None:
    for number in range(1, 6):
        recorded(tmp_path, f"2026-01-0{number}_120000-ev", 10, (6 - number) * DAY)
    found = sessions(tmp_path)
    years_ahead = time.time() + 30 * 365 * DAY
    gone = too_many(found, years_ahead, max_bytes=None, max_age_s=10 * DAY, keep=3)
    assert gone == found[:2]
    assert too_many(found, 3600.0, max_bytes=None, max_age_s=0.5 * DAY, keep=1) == []  # 1970: never set


def test_room_is_made_by_the_oldest_never_by_the_running_one(tmp_path: Path) -> None:
    running = recorded(tmp_path, "2026-01-01_120000-ev", 10, 9 * DAY)  # its clock was wrong: it looks the oldest
    older = recorded(tmp_path, "2026-02-01_120000-ev", 10, 5 * DAY)
    newer = recorded(tmp_path, "2026-03-01_120000-ev", 10, 1 * DAY)
    assert make_room(running)
    assert running.exists() and newer.exists() and not older.exists()
    assert not make_room(running)


def test_the_summary_is_the_last_line(tmp_path: Path) -> None:
    files = SessionFiles(tmp_path, "ev", NOON)
    records: list[Record] = [Checkpoint(number=100, text=""), Summary(outcome="finished", reason="")]
    for record in records:
        files(record)
    assert files.folder is not None
    assert lines(files.folder)[-1]["type"] == "summary"  # flushed without close
    files.close()
