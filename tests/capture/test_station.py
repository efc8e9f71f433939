"""Sessions of our own stations: every record on the time line of the frames, written and read back."""

from __future__ import annotations

import io
import json
import subprocess
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from shutil import which

import pytest
import worlds
from hypothesis import given
from hypothesis import strategies as st
from making import read as read_items

from pyplc.capture.events import Damage, Event, Message, Pilot, Recorded
from pyplc.capture.files import Noted, Packet
from pyplc.capture.output import Choice, Writer
from pyplc.capture.reader import read
from pyplc.capture.rows import row
from pyplc.record import Checkpoint, Decision, Frame, Note, Phase, Reading, Record
from pyplc.record import Message as MessageRecord
from pyplc.record import Pilot as PilotRecord
from pyplc.service.files import SessionFiles
from pyplc.service.jsonl import line

NOON = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)


@cache
def records() -> tuple[Record, ...]:
    return tuple(worlds.session(frames=True).records)


def recorded(folder: Path, kept: list[Record]) -> tuple[Path, Path]:
    files = SessionFiles(folder, "ev", NOON)
    for record in kept:
        files(record)
    files.close()
    (made,) = folder.iterdir()
    return made / "session.pcapng", made / "session.jsonl"


def of_vehicle() -> list[Record]:
    return [record for record in records() if record.side == "ev"]


def shape(events: list[Event]) -> list[tuple[object, ...]]:
    """Pilot, decisions, checkpoints, phases and messages with their times, in order."""
    found: list[tuple[object, ...]] = []
    for e in events:
        what = e.kind if isinstance(e, Recorded) else e.name if isinstance(e, (Message, Pilot)) else None
        if what is not None:
            found.append((round(e.time, 5), what))
    return found


def test_all_records_and_frames_share_one_time_line(tmp_path: Path) -> None:
    pcapng, _ = recorded(tmp_path, of_vehicle())
    events = list(read(pcapng))
    assert [e.time for e in events] == sorted(e.time for e in events)
    wanted = [r for r in of_vehicle() if not isinstance(r, (Frame, MessageRecord, PilotRecord))]
    found = [e for e in events if isinstance(e, Recorded)]
    assert [(e.kind, e.station) for e in found] == [(json.loads(line(r))["type"], r.side) for r in wanted]
    assert [e.time for e in found] == pytest.approx([NOON.timestamp() + r.t for r in wanted], abs=1e-5)
    pilots = [(e.state, e.duty_percent) for e in events if isinstance(e, Pilot)]
    assert pilots == [(r.state, r.duty_percent) for r in of_vehicle() if isinstance(r, PilotRecord)]
    exi = [e.exi for e in events if isinstance(e, Message)]
    assert exi == [r.exi for r in of_vehicle() if isinstance(r, MessageRecord)]


def test_comments_stand_at_the_frames(tmp_path: Path) -> None:
    pcapng, _ = recorded(tmp_path, of_vehicle())
    with pcapng.open("rb") as file:
        items = read_items(file.read())
    comments = [item.comment for item in items if isinstance(item, Packet) and item.comment]
    text = "\n".join(comments)
    for record in of_vehicle():
        if isinstance(record, Checkpoint) and 100 < record.number < 920:  # the last comes when no frame follows
            assert f"{record.t:.3f} s ev: [CHECKPOINT{record.number}] {record.text}" in text
        if isinstance(record, Decision):
            assert record.what in text
    demands = [c for c in comments if "CurrentDemandReq tx" in c]
    assert len(demands) == sum(isinstance(r, MessageRecord) and r.name == "CurrentDemandReq" for r in of_vehicle())


def test_the_lines_alone_tell_the_same_story(tmp_path: Path) -> None:
    """A station without a raw link (a WHITE beet) has no frames: its messages are read from its records."""
    kept = [record for record in of_vehicle() if not isinstance(record, Frame)]
    pcapng, jsonl = recorded(tmp_path, kept)
    from_blocks, from_lines = list(read(pcapng)), list(read(jsonl))
    assert shape(from_blocks) == [(round(t + NOON.timestamp(), 5), what) for t, what in shape(from_lines)]
    messages = [e for e in from_lines if isinstance(e, Message)]
    wanted = [r for r in kept if isinstance(r, MessageRecord)]
    assert [(m.name, m.exi) for m in messages] == [(r.name, r.exi) for r in wanted]
    assert {m.session for m in messages} == {1}
    assert {m.side for m in messages if m.name.endswith("Req")} == {"ev"}
    assert all(m.error is None and m.value is not None for m in messages)


def test_both_sides_in_one_recording_give_each_message_once(tmp_path: Path) -> None:
    pcapng, jsonl = recorded(tmp_path, [record for record in records() if not isinstance(record, Frame)])
    wanted = [r.exi for r in of_vehicle() if isinstance(r, MessageRecord)]
    for file in (pcapng, jsonl):
        assert [e.exi for e in read(file) if isinstance(e, Message)] == wanted


def test_lines_with_frames_are_a_capture() -> None:
    """`pyplc sim --json --frames`: messages are in the frames and not told twice."""
    text = b"".join(line(record) + b"\n" for record in of_vehicle())
    found = [e for e in read(io.BytesIO(text)) if isinstance(e, Message)]
    assert [e.exi for e in found] == [r.exi for r in of_vehicle() if isinstance(r, MessageRecord)]
    assert all(e.connection for e in found)


def test_every_kind_of_record_has_a_line(tmp_path: Path) -> None:
    pcapng, _ = recorded(tmp_path, list(records()))
    write, seen = Writer("list"), set()
    for event in read(pcapng):
        if isinstance(event, Recorded):
            seen.add(event.kind)
            assert "{" not in write(event)
            assert row(event).text or event.kind == "note"
    assert {"phase", "checkpoint", "decision", "switch", "reading", "summary", "note"} <= seen
    quiet = Recorded(frame=1, time=0.0, station="ev", side="ev", kind="reading", value={}, text="")
    assert not Choice()(quiet)
    assert Choice(everything=True)(quiet)


def test_what_went_wrong_is_an_error(tmp_path: Path) -> None:
    pcapng, _ = recorded(
        tmp_path, [Checkpoint(number=100, text="x", side="ev"), Note(text="hot", level="error", side="ev")]
    )
    assert [row(e).text for e in read(pcapng) if Choice(errors=True)(e)] == ["hot"]


NAMES = ("type", "t", "side", "exi", "name", "protocol", "direction", "wall", "data", "state", "duty_percent")
WORDS = ("message", "pilot", "frame", "start", "note", "ev", "din")


@given(
    json_text=st.one_of(
        st.binary(max_size=60),
        st.dictionaries(
            st.sampled_from(NAMES), st.one_of(st.none(), st.integers(), st.text(max_size=5), st.sampled_from(WORDS))
        ).map(lambda record: json.dumps(record).encode()),
    )
)
def test_no_record_raises(json_text: bytes) -> None:
    events = list(read(io.BytesIO(b'{"type":"start","t":0,"side":"ev"}\n' + json_text + b"\n")))
    for event in events:
        for form in ("list", "json", "csv", "tree", "xml"):
            Writer(form)(event)


def test_a_spoiled_record_is_damage() -> None:
    found = list(
        read(io.BytesIO(b'{"type":"start","t":0,"side":"ev"}\n{"t":1}\nxx\n{"type":"note","t":2,"text":"on"}'))
    )
    assert [type(e) for e in found] == [Recorded, Damage, Damage, Recorded]


@pytest.mark.skipif(which("tshark") is None, reason="no tshark")
def test_tshark_reads_our_session_file_and_counts_frames_the_same(tmp_path: Path) -> None:
    kept: list[Record] = [r for r in of_vehicle() if not isinstance(r, Reading)]
    pcapng, _ = recorded(tmp_path, kept)
    fields = ["-T", "fields", "-e", "frame.number", "-e", "frame.comment"]
    done = subprocess.run(["tshark", "-r", str(pcapng), *fields], capture_output=True, text=True, check=True)
    theirs = {int(row[0]): row[1] for text in done.stdout.splitlines() if (row := text.split("\t"))}
    with pcapng.open("rb") as file:
        items = read_items(file.read())
    assert len(theirs) == items[-1].number  # type: ignore[attr-defined]
    ours = {item.number: item.comment for item in items if isinstance(item, Packet) and item.comment}
    for number, comment in ours.items():
        assert comment.split("\n")[0] in theirs[number]
    assert sum(isinstance(item, Noted) for item in items) == sum(
        not isinstance(r, (Frame, MessageRecord)) for r in kept
    )
    assert sum(isinstance(r, Phase) for r in kept) > 5
