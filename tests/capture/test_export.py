"""Captures written for Wireshark: what tshark makes of comments, secrets, names and exported PDUs."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import making
import pytest
import reference
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from sharks import needs_tshark, tshark

from pyplc.capture import pcapng
from pyplc.capture.events import Message
from pyplc.capture.export import describe, export
from pyplc.capture.files import Noted, Packet, Secrets, packets
from pyplc.capture.output import Choice
from pyplc.capture.reader import Reader, read
from pyplc.cli.main import main

DIN = "captures/dsv2gshark/DIN_DC_DS5366_Josev.pcapng"
TLS = {
    "captures/dsv2gshark/ISO-2_DC_PnC_TLS_Contract_DS5366_RiseV2G.pcapng": 190,
    "captures/dsv2gshark/ISO-20_TLS13_DC_DS5366_Josev.pcapng": 112,
}


def exported(name: Path, target: Path, *options: str, text: bytes | None = None) -> str:
    done = CliRunner().invoke(main, ["decode", str(name), "--to-pcapng", str(target), *options], input=text)
    assert done.exit_code == 0, done.output
    return done.output


def messages(file: Path) -> list[Message]:
    return [event for event in read(file) if isinstance(event, Message)]


def test_packets_are_as_they_were(tmp_path: Path) -> None:
    source, target = reference.path(DIN), tmp_path / "out.pcapng"
    exported(source, target)
    old, new = making.load(source), [item for item in making.load(target) if item.link_type != 252]
    assert [(p.ns, p.data, p.link_type, p.length) for p in new] == [(p.ns, p.data, p.link_type, p.length) for p in old]
    assert [(m.name, m.exi, m.time) for m in messages(target)] == [(m.name, m.exi, m.time) for m in messages(source)]


@needs_tshark
@pytest.mark.parametrize("name", [DIN, *TLS])
def test_tshark_shows_comments_and_messages(name: str, tmp_path: Path) -> None:
    source, target = reference.path(name), tmp_path / "out.pcapng"
    exported(source, target)
    found = messages(source)
    assert len(found) == TLS.get(name, len(found))
    wanted = next(m.name for m in found if m.name.endswith("PreChargeReq"))
    count = sum(m.name == wanted for m in found)
    for shown in (f'frame.comment contains "{wanted}"', f'xml.tag contains "{wanted}"'):
        assert len(tshark("-r", str(target), "-Y", shown, home=tmp_path).splitlines()) == count
    rows = tshark("-r", str(target), "-N", "n", "-Y", "exported_pdu", home=tmp_path).splitlines()
    assert len(rows) == len(found)
    for row, message in zip(rows, found, strict=True):
        sides = ("EV", "EVSE") if message.side == "ev" else ("EVSE", "EV")
        words = row.split()
        assert (words[2], words[4], words[5]) == (*sides, "V2G")
        assert message.name in row
    field = "exported_pdu.orig_fno"
    numbers = tshark("-r", str(target), "-Y", "exported_pdu", "-T", "fields", "-e", field, home=tmp_path)
    assert list(map(int, numbers.split())) == [m.frame for m in found]


@needs_tshark
@pytest.mark.parametrize("name", TLS)
def test_secrets_open_the_session_in_tshark(name: str, tmp_path: Path) -> None:
    target, bare = tmp_path / "out.pcapng", tmp_path / "bare.pcapng"
    exported(reference.path(name), target)
    follow = ("-q", "-z", "follow,tls,hex,0")
    assert "01 fe 80 01" in tshark("-r", str(target), *follow, home=tmp_path)
    kept = [item for item in making.load(target) if item.link_type == 1]
    bare.write_bytes(making.pcapng(kept))
    assert "01 fe 80 01" not in tshark("-r", str(bare), *follow, home=tmp_path)


@needs_tshark
def test_comments_that_were_there_stay(tmp_path: Path) -> None:
    source = tmp_path / "in.pcapng"
    source.write_bytes(
        making.pcapng([p._replace(comment=f"note {p.number}") for p in making.load(reference.path(DIN))])
    )
    exported(source, tmp_path / "out.pcapng")
    out = tshark("-r", str(tmp_path / "out.pcapng"), "-Y", 'frame.comment == "note 100"', "-T", "fields",
                 "-e", "frame.comment", home=tmp_path)  # fmt: skip
    assert out.startswith("note 100")


def test_from_a_pipe_compressed_and_cut(tmp_path: Path) -> None:
    source = reference.path(DIN)
    exported(source, tmp_path / "one.pcapng")
    packed = gzip.compress(source.read_bytes())
    exported(Path("-"), tmp_path / "two.pcapng", text=packed)
    assert (tmp_path / "one.pcapng").read_bytes() == (tmp_path / "two.pcapng").read_bytes()
    exported(Path("-"), tmp_path / "three.pcapng", text=source.read_bytes()[:50_000])
    assert messages(tmp_path / "three.pcapng")


def test_only_what_is_asked_for(tmp_path: Path) -> None:
    source, target = reference.path(DIN), tmp_path / "out.pcapng"
    assert "9 V2G messages" in exported(source, target, "--only", "CurrentDemandReq")
    comments = [item.comment for item in making.load(target) if item.comment]
    assert len(comments) == 9
    assert all("CurrentDemandReq" in comment for comment in comments)


def test_errors_are_sentences(tmp_path: Path) -> None:
    text = tmp_path / "text.pcap"
    text.write_text("no capture")
    done = CliRunner().invoke(main, ["decode", str(text), "--to-pcapng", str(tmp_path / "out.pcapng")])
    assert done.exit_code == 1
    assert done.output.startswith("pyplc decode: ")
    assert not (tmp_path / "out.pcapng").exists()
    done = CliRunner().invoke(main, ["decode", str(text), "--to-pcapng", str(text)])
    assert "is the capture itself" in done.output
    done = CliRunner().invoke(main, ["decode", str(tmp_path), "--to-pcapng", str(tmp_path / "out.pcapng")])
    assert "takes one capture" in done.output
    done = CliRunner().invoke(main, ["decode", str(tmp_path / "none"), "--to-pcapng", str(tmp_path / "out.pcapng")])
    assert (done.exit_code, "there is no interface" in done.output) == (1, True)
    assert not (tmp_path / "out.pcapng").exists()


def test_a_long_comment_is_cut_between_characters() -> None:
    raw = pcapng.clipped("\u00e4" * 70_000)
    assert len(raw) <= pcapng.LONGEST_OPTION
    assert raw.decode().endswith("\u00e4...")
    (item,) = making.read(pcapng.section("t") + pcapng.interface("i") + pcapng.packet(0, 1, b"x", ["\u00e4" * 70_000]))
    assert isinstance(item, Packet)
    assert item.comment is not None


packet = st.builds(
    Packet,
    st.just(1),
    st.integers(0, 2**62),
    st.sampled_from([1, 101, 113, 228, 276]),
    st.binary(max_size=200),
    st.integers(0, 3),
    st.just(0),
    st.none() | st.text(st.characters(codec="utf-8"), min_size=1, max_size=50),
)


def test_records_of_our_stations_stay(tmp_path: Path) -> None:
    noted = [Noted(2, 5_000, b'{"type":"note","text":"a"}'), Noted(4, 7_000, b'{"type":"phase","name":"SLAC"}')]
    packed = [Packet(1, 1_000, 1, bytes(60), 0, 60), Packet(3, 6_000, 1, bytes(60), 0, 60)]
    items = [packed[0], noted[0], packed[1], noted[1]]
    out = io.BytesIO()
    export(lambda: iter(items), out, Reader(), "test", Choice().__call__)
    assert making.read(out.getvalue()) == items


@settings(max_examples=50, deadline=None)
@given(st.lists(packet, max_size=12), st.binary(max_size=50))
def test_any_packets_come_back(items: list[Packet], secrets: bytes) -> None:
    numbered = making.numbered(items)
    out = io.BytesIO()
    done = export(lambda: iter([Secrets(secrets), *numbered]), out, Reader(), "test", Choice())
    out.seek(0)
    new = [item for item in packets(out) if isinstance(item, Packet) and item.link_type != 252]
    assert done.packets == len(items)
    assert [(p.ns, p.data, p.link_type) for p in new] == [(p.ns, p.data, p.link_type) for p in numbered]
    for old, back in zip(numbered, new, strict=True):
        assert old.comment is None or (back.comment or "").startswith(old.comment)


def test_the_comment_has_the_xml() -> None:
    (event, *_) = messages(reference.path(DIN))
    line, xml = describe(event).split("\n")
    assert line.startswith("ev SAP supportedAppProtocolReq urn:")
    assert xml.startswith("<n1:supportedAppProtocolReq")
