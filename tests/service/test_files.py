"""Session files and lines: everything that happened, readable by others."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path

import dpkt
import pytest
import worlds

from pyplc.record import Checkpoint, Frame, Message, Note, Record, Recorder, Summary
from pyplc.service.files import ResultsError, SessionFiles
from pyplc.service.jsonl import JsonLines, line
from pyplc.service.log import LogLines
from pyplc.v2g.din import messages as m
from pyplc.v2gtp import Framer

NOON = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def records() -> list[Record]:
    return worlds.session(frames=True).records


def test_a_folder_with_lines_and_frames(tmp_path: Path, records: list[Record]) -> None:
    files = SessionFiles(tmp_path / "results", "sim", NOON)
    for record in records:
        files(record)
    files.close()
    folder = tmp_path / "results" / "2026-01-02_120000-sim"
    lines = [json.loads(text) for text in (folder / "session.jsonl").read_text().splitlines()]
    assert len(lines) == len([r for r in records if not isinstance(r, Frame)])
    assert all({"t", "type", "side"} <= set(entry) for entry in lines)
    with (folder / "session.pcapng").open("rb") as file:
        packets = list(dpkt.pcapng.Reader(file))
    frames = [r for r in records if isinstance(r, Frame)]
    assert [data for _, data in packets] == [frame.data for frame in frames]
    assert packets[0][0] == pytest.approx(NOON.timestamp() + frames[0].t, abs=1e-5)


def test_the_recorded_segments_hold_the_messages(records: list[Record]) -> None:
    """TCP of the recording, read by another library, gives the bytes that the vehicle sent."""
    framer, found = Framer(), []
    following: int | None = None
    for record in records:
        if not (isinstance(record, Frame) and record.side == "ev" and record.direction == "tx"):
            continue
        ip = dpkt.ethernet.Ethernet(record.data).data
        if isinstance(ip, dpkt.ip6.IP6) and isinstance(ip.data, dpkt.tcp.TCP):
            assert following in (None, ip.data.seq)
            following = ip.data.seq + len(ip.data.data)
            found += [payload.data for payload in framer.feed(ip.data.data)]
    assert found == [r.exi for r in records if isinstance(r, Message) and (r.side, r.direction) == ("ev", "tx")]


def test_a_station_that_only_waits_leaves_no_folder(tmp_path: Path) -> None:
    files = SessionFiles(tmp_path, "evse", NOON)
    files(Note(text="waiting"))
    for waiting in (1, 2, 3, 5, 300):
        files(Checkpoint(number=waiting, text=""))
    files.close()
    assert list(tmp_path.iterdir()) == []


def test_what_came_before_the_match_is_kept(tmp_path: Path) -> None:
    files = SessionFiles(tmp_path, "evse", NOON)
    files(Note(text="waiting"))
    files(Checkpoint(number=101, text=""))
    files.close()
    (folder,) = tmp_path.iterdir()
    assert [json.loads(t)["type"] for t in (folder / "session.jsonl").read_text().splitlines()] == [
        "note",
        "checkpoint",
    ]


def test_two_sessions_in_one_second(tmp_path: Path) -> None:
    for _ in range(2):
        files = SessionFiles(tmp_path, "ev", NOON)
        files(Checkpoint(number=100, text=""))
        files.close()
    assert sorted(f.name for f in tmp_path.iterdir()) == ["2026-01-02_120000-ev", "2026-01-02_120000-ev-2"]


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultsError, match="cannot record sessions in .*file"):
        SessionFiles(tmp_path / "file", "ev")


def test_messages_have_their_values_in_json() -> None:
    message = m.SessionStopRes(ResponseCode=m.responseCode.OK)
    record = Message(direction="tx", protocol="din", name="SessionStopRes", exi=b"\x80\x9a", body=message)
    assert json.loads(line(record, values=True))["value"] == {"ResponseCode": "OK"}
    assert "value" not in json.loads(line(record))
    out = io.StringIO()
    JsonLines(out)(record)
    assert json.loads(out.getvalue())["exi"] == "809a"


def test_the_log_ends_with_why_it_stopped(records: list[Record]) -> None:
    out = io.StringIO()
    log = LogLines(out)
    for record in records:
        log(record)
    last = [text for text in out.getvalue().splitlines() if "finished:" in text]
    assert "finished: target of 45.2 % reached" in last[0]
    assert "[CHECKPOINT590] vehicle closes its contactors" in out.getvalue()


def test_a_reader_that_fails_is_removed_and_told_of() -> None:
    async def main() -> None:
        seen: list[Record] = []

        def full(record: Record) -> None:
            raise OSError("No space left on device")

        recorder = Recorder(full, seen.append)
        recorder.emit(Note(text="one"))
        recorder.emit(Summary(outcome="finished", reason=""))
        assert recorder.readers == [seen.append] or len(recorder.readers) == 1
        assert any("No space left" in r.text for r in seen if isinstance(r, Note))
        assert isinstance(seen[-1], Summary)

    from pyplc import clock

    clock.run(main())
