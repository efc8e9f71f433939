"""The story of each session and why it stopped: known captures, our own disturbed sessions, the page, the command."""

from __future__ import annotations

import csv
import io
import json
import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest
import reference
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from making import load, pcap
from stories import CAPTURES, FAULTS, Known

from pyplc.capture.events import Key
from pyplc.capture.explain import drawing, page, talk, timeline
from pyplc.capture.explain.curves import Plot, Series, energy
from pyplc.capture.explain.findings import Finding
from pyplc.capture.explain.own import Own, recorded
from pyplc.capture.explain.report import RULES, Report, explain, told
from pyplc.capture.explain.text import COLUMNS, lines
from pyplc.capture.files import Packet
from pyplc.capture.reader import read
from pyplc.cli.explain import SUFFIXES
from pyplc.cli.main import main
from pyplc.record import Pilot, Record
from pyplc.scenario.engine import run
from pyplc.scenario.load import package_cases

SMALL = "everest/Fiat_Scudo_2024-02-20T09_37_13.153Z-2_iso2_dc.dump"
ABB = "pyplc/2022-11-25_v0.2_ABB_until_ChargeParamDiscovery.pcapng"
CASES = {case.id: case for case in package_cases()}
EMPTY_TAGS = {"meta", "br", "path", "input"}


def same(known: Known, reports: list[Report]) -> None:
    verdict = next(report.verdict for report in reports if report.session == known.session)
    found = (verdict.outcome, verdict.by, verdict.phase, verdict.rule)
    assert found == (known.outcome, known.by, known.phase, known.rule), verdict.sentence
    assert known.words in verdict.sentence


@pytest.mark.parametrize("known", CAPTURES, ids=lambda known: f"{known.source.rpartition('/')[2][:40]}-{known.session}")
def test_the_verdict_of_a_capture_is_the_known_one(known: Known) -> None:
    same(known, explain(read(reference.path(f"captures/{known.source}"))))


@pytest.mark.parametrize("known", FAULTS, ids=lambda known: known.source)
def test_the_verdict_names_the_fault_of_a_disturbed_session(known: Known) -> None:
    same(known, disturbed(known.source))


@cache
def disturbed(scenario: str) -> list[Report]:
    """What one station recorded: its own frames and records, as it would have them on its disk."""
    case = CASES[scenario]
    side = "ev" if case.role == "pev" else "evse"
    records: list[Record] = []
    run(case, reader=records.append)
    return explain(recorded([record for record in records if record.side == side], 1.7e9))


# rules that no capture and no scenario breaks


def iso2_dc() -> list[Packet]:
    return load(reference.path("captures/dsv2gshark/ISO-2_DC_SalesTariffSchedule_DS5366_RiseV2G.pcapng"))


def found_in(packets: list[Packet]) -> dict[str, Finding]:
    return {f.rule: f for report in explain(read(io.BytesIO(pcap(packets)))) for f in report.findings}


def data_frames(packets: list[Packet]) -> list[int]:
    """Where V2G messages stand: TCP data that begins with the V2GTP version."""
    return [n for n, p in enumerate(packets) if p.data[12:14] == b"\x86\xdd" and b"\x01\xfe\x80\x01" in p.data[70:90]]


def test_lost_segments_are_told() -> None:
    packets = iso2_dc()
    del packets[data_frames(packets)[40]]
    finding = found_in(packets)["segments-missing"]
    assert "bytes of the" in finding.text


def test_a_capture_of_one_side_is_told() -> None:
    packets = iso2_dc()
    frames = data_frames(packets)
    vehicle = packets[frames[0]].data[6:12]
    other = {n for n in frames if packets[n].data[6:12] != vehicle}
    assert "one-sided" in found_in([p for n, p in enumerate(packets) if n not in other])


def test_a_long_way_to_power_is_told() -> None:
    packets = load(reference.path("captures/dsv2gshark/DIN_DC_DS5366_Josev.pcapng"))
    begin = data_frames(packets)[12]
    later = [p._replace(ns=p.ns + 200 * 10**9) if n > begin else p for n, p in enumerate(packets)]
    assert "V2G_EVCC_ReadyToCharge_Timer 150 s" in found_in(later)["ready-to-charge"].text


def test_an_unreadable_discovery_is_told() -> None:
    packets = iso2_dc()
    at = next(n for n, p in enumerate(packets) if b"\x01\xfe\x90\x01" in p.data)
    data = packets[at].data
    packets[at] = packets[at]._replace(data=data.replace(b"\x01\xfe\x90\x01", b"\x01\xfe\x90\x07"))
    assert "sdp-unreadable" in found_in(packets)


def test_a_key_no_modem_takes_is_told() -> None:
    packets = load(reference.path(f"captures/{ABB}"))
    cnf = [n for n, p in enumerate(packets) if p.data[12:14] == b"\x88\xe1" and p.data[15:17] == b"\x09\x60"]
    assert "key-refused" not in found_in(packets)
    for n in cnf:
        data = bytearray(packets[n].data)
        data[19] = 0
        packets[n] = packets[n]._replace(data=bytes(data))
    assert "result 0" in found_in(packets)["key-refused"].text


def test_tls_after_a_hole_is_told() -> None:
    packets = load(reference.path("captures/dsv2gshark/ISO-2_DC_PnC_TLS_Contract_DS5366_RiseV2G.pcapng"))
    records = [n for n, p in enumerate(packets) if p.data[74:77] == b"\x17\x03\x03"]
    data = bytearray(packets[records[20]].data)
    data[-1] ^= 0xFF
    packets[records[20]] = packets[records[20]]._replace(data=bytes(data))
    assert "tls-trouble" in found_in(packets)


def test_an_unknown_value_is_told() -> None:
    report, story = told(read(reference.path("captures/geynis/V2G_no_TLS.pcap")))[0]
    story.exchanges[5].answered["EVSEProcessing"] = 7
    rule = next(rule for rule in RULES if rule.key == "unknown-value")
    assert [hit.text for hit in rule.check(story)] == ["EVSEProcessing has the unknown value 7"]
    assert "unknown-value" not in {f.rule for f in report.findings}


TOLD_HERE = {
    "segments-missing", "one-sided", "ready-to-charge", "sdp-unreadable", "key-refused", "tls-trouble", "tls-alert",
    "tls-unread", "unknown-value",
}  # fmt: skip
"""Rules whose test stands in this module."""


def test_every_rule_finds_something() -> None:
    """A rule that nothing ever breaks is a rule nobody has tested."""
    seen = set(TOLD_HERE)
    for file in sorted(reference.path("captures").rglob("*")):
        if file.name.endswith(SUFFIXES):
            seen |= {f.rule for report in explain(read(file)) for f in report.findings}
    for known in FAULTS:
        seen |= {f.rule for report in disturbed(known.source) for f in report.findings}
    assert {rule.key for rule in RULES} == seen


class Wellformed(HTMLParser):
    """Counts what is open; remembers addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in EMPTY_TAGS:
            self.open.append(tag)
        for name, value in attrs:
            if name in ("href", "src"):
                self.links.append(value or "")
            if name == "id":
                self.ids.append(value or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in EMPTY_TAGS

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def checked(text: str) -> Wellformed:
    """A page whose tags are closed, and which asks nobody for anything."""
    parser = Wellformed()
    parser.feed(text)
    parser.close()
    assert parser.open == []
    assert len(parser.ids) == len(set(parser.ids))
    assert not re.search(r"(?:src|href)=.?https?:|@import|url\(", text)
    inside = {link[1:] for link in parser.links if link.startswith("#")}
    assert inside <= set(parser.ids)
    return parser


CORPUS = sorted({known.source for known in CAPTURES})


@pytest.mark.parametrize("name", CORPUS, ids=lambda name: name.rpartition("/")[2][:40])
def test_every_story_has_a_page_and_a_text(name: str) -> None:
    found = told(read(reference.path(f"captures/{name}")), name)
    assert found
    text = page.html(found)
    checked(text)
    for report, story in found:
        keys = {e.message.nmk.hex() for e in story.homeplug() if hasattr(e.message, "nmk") and any(e.message.nmk)}
        assert not [key for key in keys if key in text], "a page is made to be shown"
        assert sum(phase.seconds for phase in report.phases) <= report.duration + 1e-3
        assert [f.t for f in report.findings] == sorted(f.t for f in report.findings)
        assert any("why it stopped" in line for line, _ in lines(report))
        assert report.verdict.rule in {"", *(rule.key for rule in RULES)}


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_a_spoiled_capture_still_has_a_story(data: st.DataObject) -> None:
    raw = bytearray(reference.path(f"captures/{ABB}").read_bytes())
    for at in data.draw(st.lists(st.integers(0, len(raw) - 1), max_size=30)):
        raw[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(200, len(raw)))
    try:
        found = told(read(io.BytesIO(bytes(raw[:cut]))))
    except ValueError:  # no capture at all any more
        return
    checked(page.html(found))


@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_any_packets_lost_still_make_a_story(data: st.DataObject) -> None:
    packets = load(reference.path("captures/everest/Citroen_eC4_2024-02-29T12_40_16.003Z-2_iso2_ac.dump"))
    kept = [p for p in packets if data.draw(st.booleans())] or packets[:1]
    found = told(read(io.BytesIO(pcap(kept))))
    checked(page.html(found))


def test_a_clock_that_jumps_by_decades_costs_nothing(session: Path) -> None:
    packets = load(session / "session.pcapng")
    later = [p._replace(ns=p.ns + 10**18, interface=0) if p.number > len(packets) // 2 else p for p in packets]
    found = told(read(io.BytesIO(pcap(later))))
    assert max(report.duration for report, _ in found) > 1e8
    assert len(page.html(found)) < 1_000_000


def test_tls_without_keys_is_said() -> None:
    packets = load(reference.path("captures/dsv2gshark/ISO-2_DC_PnC_TLS_Contract_DS5366_RiseV2G.pcapng"))
    kept = [p for p in packets if b"CLIENT_RANDOM" not in p.data]
    verdict = explain(read(io.BytesIO(pcap(kept))))[0].verdict
    assert (verdict.outcome, verdict.rule) == ("unknown", "tls-unread")
    assert "--keys" in verdict.causes[0]


def test_a_key_log_beside_the_capture_opens_it(tmp_path: Path) -> None:
    source = reference.path("captures/dsv2gshark/ISO-2_DC_PnC_TLS_Contract_DS5366_RiseV2G.pcapng")
    keys = [event.line for event in read(source) if isinstance(event, Key)]
    kept = [p for p in load(source) if b"CLIENT_RANDOM" not in p.data]
    (tmp_path / "tls.pcap").write_bytes(pcap(kept))
    (tmp_path / "keys.txt").write_text("\n".join(keys))
    assert explained(str(tmp_path / "tls.pcap"))[0] == 3
    code, text = explained(str(tmp_path / "tls.pcap"), "--keys", str(tmp_path / "keys.txt"))
    assert code == 0
    assert "ISO 15118-2, TLS, 190 messages" in text


def test_a_tls_handshake_that_fails_names_the_alert() -> None:
    packets = load(reference.path("captures/dsv2gshark/ISO-2_DC_PnC_TLS_Contract_DS5366_RiseV2G.pcapng"))
    hello = next(n for n, p in enumerate(packets) if p.data[74:76] == b"\x16\x03")
    answer = next(
        p for p in packets[hello + 1 :] if p.data[74:76] == b"\x16\x03" and p.data[6:12] != packets[hello].data[6:12]
    )
    alert = answer._replace(data=answer.data[:74] + bytes.fromhex("15030300020230"), length=81)
    verdict = explain(read(io.BytesIO(pcap([*packets[: hello + 1], alert]))))[0].verdict
    assert (verdict.rule, verdict.layer, verdict.by) == ("tls-alert", "TLS", "evse")
    assert "unknown_ca" in verdict.sentence


def test_what_a_capture_says_is_no_markup() -> None:
    found = told(read(reference.path(f"captures/{SMALL}")), "<script>alert(1)</script>.pcap")
    text = page.html(found)
    assert "<script>alert" not in text
    checked(text)


def test_loops_are_folded_and_nothing_is_lost() -> None:
    name = "pyplc/2023-04-16_at_home_Ioniq_in_currentDemandLoop.pcapng"
    report, story = told(read(reference.path(f"captures/{name}")))[0]
    shown = timeline.timeline(story, report.findings)
    folds = [line for line in shown if isinstance(line, timeline.Fold)]
    assert [(fold.name, len(fold.entries)) for fold in folds if fold.name == "CurrentDemand"] == [
        ("CurrentDemand", 697)
    ]
    entries = [e for line in shown for e in (line.entries if isinstance(line, timeline.Fold) else [line])]
    assert sum(entry.group == "v2g" for entry in entries) == len(story.exchanges)
    assert "lines from the middle are not shown" in talk.html(story, report.findings)


# our own recordings


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a simulated session."""
    where = tmp_path_factory.mktemp("results")
    done = CliRunner().invoke(main, ["sim", "--target-soc", "45.5", "--record", str(where), "--fast-modems"])
    assert done.exit_code == 0
    return next(where.iterdir())


def test_records_and_frames_are_on_one_time_line(session: Path) -> None:
    report, story = told(read(session / "session.pcapng"))[0]
    events = story.events
    assert [e.time for e in events] == sorted(e.time for e in events)
    states = [state.state for state in timeline.pilot(story)]
    assert "".join(dict.fromkeys(states)) == "ABC"
    assert states[-1] in ("A", "B")
    plugged = next(e for e in story.own(Pilot) if e.record.state == "B")
    first = story.homeplug("CM_SLAC_PARAM.REQ")[0]
    assert 0 <= first.time - plugged.time < 1
    closed = next(e for e in events if isinstance(e, Own) and getattr(e.record, "state", "") == "C")
    parameters = next(e for e in story.exchanges if e.pair == "ChargeParameterDiscovery")
    assert closed.time >= parameters.last.time
    assert report.verdict.witness[0].startswith("vehicle: finished: target of 45.5 %")
    assert [reached.state for reached in report.tower if reached.layer == "control pilot"] == ["passed"]
    assert len(story.homeplug("CM_SLAC_MATCH.CNF")) == 1, "two taps, one message"


def test_records_without_frames_tell_the_same_session(session: Path) -> None:
    whole, lines = explain(read(session / "session.pcapng"))[0], explain(read(session / "session.jsonl"))[0]
    assert (lines.verdict.outcome, lines.verdict.sentence) == (whole.verdict.outcome, whole.verdict.sentence)
    assert (lines.messages, lines.energy_wh) == (whole.messages, whole.energy_wh)


def test_a_spoiled_record_is_told(session: Path, tmp_path: Path) -> None:
    broken = tmp_path / "session.jsonl"
    broken.write_bytes((session / "session.jsonl").read_bytes() + b'{"type": "pilot", "st')
    report = explain(read(broken))[0]
    assert any(f.rule == "file-damaged" for f in report.findings)


# drawing


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.integers(1, 12))
def test_ticks_are_round_and_inside(low: float, width: float, most: int) -> None:
    found = drawing.ticks(low, low + width, most)
    assert len(found) <= most + 1
    assert all(low - 1e-6 * width <= t <= low + width * (1 + 1e-6) for t in found)


@given(st.lists(st.floats(-500, 500), min_size=1, max_size=5000))
def test_thinning_keeps_the_extremes(values: list[float]) -> None:
    series = [(float(t), value) for t, value in enumerate(values)]
    kept = drawing.thinned(series)
    assert len(kept) <= max(drawing.MOST * 1.1, 1)
    assert min(v for _, v in kept) == min(values)
    assert max(v for _, v in kept) == max(values)
    assert kept == sorted(kept)


def test_a_limit_far_above_is_told_and_not_drawn() -> None:
    plot = Plot("Current", "A", [Series("given", "given", [(0.0, 10.0)]), Series("limit-ev", "limit", [(0.0, 500.0)])])
    axis = drawing.scale(plot)
    assert axis.high < 20
    assert "s-limit-ev" not in drawing.svg(plot, axis, 1.0)


def test_energy_is_counted_over_what_is_there() -> None:
    assert energy([(0.0, 3600.0), (1.0, 3600.0), (2.0, 0.0)]) == pytest.approx(1.5)
    assert energy([(0.0, 3600.0), (60.0, 3600.0)]) == 0, "a hole"


# the command


def explained(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["explain", *arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done.exit_code, done.stdout


def test_text_names_rule_layer_causes_and_cases() -> None:
    code, text = explained(str(reference.path(f"captures/{ABB}")))
    assert code == 3
    for words in ("first rule broken: a request is not answered (session, DIN 70121", "likely:", "known:", "phases"):
        assert words in text


def test_json_is_a_line_a_session() -> None:
    code, text = explained(str(reference.path("captures/everest/Audi_Q4_ac_iso2-1.dump")), "--json")
    reports = [json.loads(line) for line in text.splitlines()]
    assert code == 0
    assert [r["session"] for r in reports] == [1, 2, 3, 4, 5]
    assert set(reports[0]) == set(Report.__struct_fields__)


def test_csv_of_a_folder_is_a_row_a_session() -> None:
    code, text = explained(str(reference.path("captures/everest")), "--csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert code == 0
    assert len(rows) == 48
    assert tuple(rows[0]) == COLUMNS


def test_a_folder_becomes_pages_with_an_index(tmp_path: Path) -> None:
    code, _ = explained(str(reference.path("captures/dsv2gshark")), "--html", str(tmp_path / "pages"))
    index = checked((tmp_path / "pages" / "index.html").read_text())
    assert code == 0
    assert len(index.links) == 9
    for link in index.links:
        file, _, anchor = link.partition("#")
        assert anchor in checked((tmp_path / "pages" / file).read_text()).ids


def test_a_recorded_session_is_read_by_its_folder(session: Path, tmp_path: Path) -> None:
    code, _ = explained(str(session), "--html", str(tmp_path / "page.html"))
    text = (tmp_path / "page.html").read_text()
    checked(text)
    assert code == 0
    assert session.name in text
    assert "vehicle: finished: target of 45.5 % reached" in text


def test_recorded_scenarios_are_explained(tmp_path: Path) -> None:
    only = ["--only", "din-dc-pev/suite-02-*", "--only", "din-dc-pev/lock-stuck"]
    done = CliRunner().invoke(main, ["scenario", "run", *only, "--record", str(tmp_path), "--json"])
    assert done.exit_code == 0, done.output
    _, text = explained(str(tmp_path), "--csv", "--jobs", "2")
    rows = {row["file"].split("/")[1]: row for row in csv.DictReader(io.StringIO(text))}
    assert rows["suite-02-cable-check"]["sentence"] == "CableCheckRes FAILED"
    assert "lock" in rows["lock-stuck"]["sentence"]


def test_errors_say_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "empty.pcap").write_bytes(b"")
    done = CliRunner().invoke(main, ["explain", str(tmp_path / "empty.pcap")])
    assert done.exit_code == 1
    assert "empty.pcap" in done.stderr
    (tmp_path / "nothing").mkdir()
    done = CliRunner().invoke(main, ["explain", str(tmp_path / "nothing")])
    assert done.exit_code == 1
    assert "no captures" in done.stderr
    done = CliRunner().invoke(main, ["explain", str(reference.path(f"captures/{SMALL}")), "--html", "/proc/nowhere/a"])
    assert done.exit_code == 1
    assert "cannot write pages" in done.stderr
