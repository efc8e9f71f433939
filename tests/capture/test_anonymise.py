"""Captures made anonymous: nothing of the original left anywhere, the same story told, same for same."""

from __future__ import annotations

import base64
import io
import json
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import making
import msgspec
import pytest
import reference
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from sharks import needs_tshark, tshark

from pyplc.capture.anonymise import values
from pyplc.capture.anonymise.certificates import pseudonymous
from pyplc.capture.anonymise.frames import Rewriter
from pyplc.capture.anonymise.pseudonyms import Pseudonyms
from pyplc.capture.anonymise.run import anonymise, follow, left
from pyplc.capture.anonymise.streams import Piece, Streams, Track
from pyplc.capture.anonymise.text import Scrubber
from pyplc.capture.events import (
    Connection,
    Diagnostic,
    Event,
    HomePlug,
    Key,
    Message,
    Neighbour,
    Recorded,
    Sdp,
    Syslog,
    Tls,
)
from pyplc.capture.files import Broken, Item, Noted, Packet, Secrets, packets
from pyplc.capture.keylog import KeyLog
from pyplc.capture.reader import Reader, read
from pyplc.capture.small import keys as key_lines
from pyplc.cli.main import main
from pyplc.exi.declare import Binary, Element, Text, fields
from pyplc.exi.walk import attributes, content
from pyplc.slac.keys import nid_of
from pyplc.slac.mme import LOCAL_MODEM
from pyplc.v2g import schemas
from pyplc.v2gtp import pack

SECRET = bytes(range(32))
AT = {"frame": 0, "time": 0.0}
CAPTURES = (
    "dsv2gshark/DIN_DC_DS5366_Josev.pcapng",
    "dsv2gshark/ISO-2_DC_PnC_TLS_CertInstallation_DS5366_RiseV2G.pcapng",
    "dsv2gshark/ISO-20_TLS13_DC_DS5366_Josev.pcapng",
    "geynis/V2G_no_TLS.pcap",
    "everest/Tesla_Model_Y_11.1_din_spec_70121_2023-03-30T11_00_22.659Z-tesla_y-dinspec.dump",
    "pyplc/2024-04-20_ModelY_pyPLC_stop_in_precharge.pcapng",
    "pyplc/2025-01-21_listenMode_03_mac_spoofing_some_frames_visible.pcapng",
    "pyplc/2023-05-03_TaycanLeftside_slacFail.pcapng",
)


def made(items: list[Item], names: Pseudonyms | None = None) -> bytes:
    out = io.BytesIO()
    anonymise(lambda: iter(items), out, "test", names or Pseudonyms(SECRET))
    return out.getvalue()


def events(data: bytes) -> list[Event]:
    return list(read(io.BytesIO(data)))


def load(name: str) -> list[Item]:
    with reference.path(f"captures/{name}").open("rb") as stream:
        return list(packets(stream))


def leaves(message: Any, tag: str = "") -> Iterator[tuple[str, Any]]:
    for part in [*attributes(message), *content(message)]:
        name = part.name or tag
        if isinstance(part.type, type):
            yield from leaves(part.value, name)
        else:
            yield name, part.value


def identifiers(found: list[Event]) -> set[bytes]:
    """What must not be left, gathered from the events of the original by other code than what replaces it."""
    out: set[bytes] = set()
    for event in found:
        out |= {mac for mac in (event.source, event.destination) if mac and not mac[0] & 1}
        if isinstance(event, (Message, Connection, Sdp)):
            out |= {ip_address(end.address).packed for end in (event.sender, event.receiver)}
        if isinstance(event, Neighbour):
            out |= {ip_address(event.target).packed, event.link_address}
        if isinstance(event, Key):
            out |= {event.secret, event.client_random}
        if isinstance(event, HomePlug) and event.message is not None:
            fields = ("nmk", "nid", "run_id", "pev_mac", "evse_mac", "dak")
            out |= {
                getattr(event.message, name) for name in fields if isinstance(getattr(event.message, name, 0), bytes)
            }
        if isinstance(event, Message) and event.value is not None:
            for name, value in leaves(event.value):
                if values.KIND.get(name) not in (None, "kept", "free", "number"):
                    out.add(value.encode() if isinstance(value, str) else value if isinstance(value, bytes) else b"")
    kept = {LOCAL_MODEM}
    return {value for value in out - kept if len(value) >= 6 and len(set(value)) >= 4 and value[:1] != b"\xff"}


def spellings(value: bytes) -> list[bytes]:
    texts = [value.hex(), value.hex().upper(), value.hex(":"), value.hex(":").upper(), base64.b64encode(value).decode()]
    if len(value) == 16:
        texts.append(str(ip_address(value)))
    return [value, *(text.encode() for text in texts)]


def told(event: Event) -> Any:
    """What must be the same before and after."""
    what: tuple[Any, ...] = (type(event), event.frame, round(event.time, 6), getattr(event, "name", ""))
    if isinstance(event, Message):
        return (*what, event.session, event.side, event.schema, event.guessed, event.payload_type, event.sender.port)
    if isinstance(event, Connection):
        return (*what, event.change, event.connection, event.session)
    if isinstance(event, Sdp):
        said = event.message._replace(address="") if event.name.endswith("Res") else event.message
        return (*what, event.side, event.receiver.port, said)
    return what


@pytest.mark.parametrize("name", CAPTURES)
def test_nothing_is_left_and_the_story_is_the_same(name: str) -> None:
    items = load(name)
    before = list(read(reference.path(f"captures/{name}")))
    data = made(items)
    after = events(data)
    text = json.dumps([repr(event) for event in after]).encode()
    hidden = identifiers(before)
    assert hidden
    for value in hidden:
        for spelling in spellings(value):
            assert spelling not in data, value.hex()
            assert spelling not in text, value.hex()
    shown = [event for event in before if not isinstance(event, (Tls, Syslog, Diagnostic))]
    broken = [event for event in shown if type(event).__name__ == "Damage"]
    assert [told(e) for e in shown if e not in broken] == [
        told(e) for e in after if not isinstance(e, (Tls, Syslog, Diagnostic))
    ]
    same_for_same(before, after)


def same_for_same(before: list[Event], after: list[Event]) -> None:
    """Values that identify nobody are as they were; the others are one for one."""
    there: dict[tuple[str, Any], Any] = {}
    back: dict[tuple[str, Any], Any] = {}
    pairs = zip(
        (e for e in before if isinstance(e, Message)), (e for e in after if isinstance(e, Message)), strict=True
    )
    for old, new in pairs:
        assert not new.encrypted
        for (name, was), (other, now) in zip(leaves(old.value), leaves(new.value), strict=True):
            assert name == other
            kind = values.KIND.get(name)
            if kind in (None, "kept") or (kind == "number" and was < 256):
                assert was == now
                continue
            assert len(was) == len(now) if hasattr(was, "__len__") else type(was) is type(now)
            assert there.setdefault((name, was), now) == now
            assert back.setdefault((name, now), was) == was
            told = any(was) if isinstance(was, bytes) else any(map(str.isalnum, was)) if isinstance(was, str) else False
            if kind in ("station", "session", "text") and told and len(was) >= 6:
                assert was != now
    macs: dict[bytes, bytes] = {}
    mmes = ([e for e in found if isinstance(e, HomePlug)] for found in (before, after))
    for e, f in zip(*mmes, strict=True):
        for was, now in ((e.source, f.source), (e.destination, f.destination)):
            assert macs.setdefault(was, now) == now
        groups = [getattr(event.message, "groups", None) for event in (e, f)]
        assert groups[0] == groups[1]


def test_every_text_and_binary_is_classified() -> None:
    seen: set[type[Element]] = set()
    names: set[str] = set()

    def walk(cls: type[Element], tag: str) -> None:
        for field in fields(cls):
            parts = [(m.name, m.type) for m in field.members] or [(field.name, field.type)]
            for name, kind in parts:
                here = tag if field.kind == "content" else name
                if isinstance(kind, (Text, Binary)):
                    names.add(here)
                elif isinstance(kind, type) and (kind, here) not in seen:
                    seen.add((kind, here))  # type: ignore[arg-type]
                    walk(kind, here)

    for name in schemas.SCHEMAS:
        for root in schemas.schema(name).roots.values():
            walk(root.type, root.name)
    assert names <= set(values.KIND), names - set(values.KIND)
    assert len(values.KIND) == sum(map(len, values.KINDS.values()))


def test_relations_stay() -> None:
    """A NID is of its NMK, an interface id of its MAC, a solicited-node group of its address, an EVCCID of the MAC."""
    names = Pseudonyms(SECRET)
    nmk, mac = bytes(range(16)), bytes.fromhex("fca47a14a391")
    names.nmks[nid_of(nmk)[:6]] = nmk
    assert names.nid(nid_of(nmk)) == nid_of(names.nmk(nmk)) != nid_of(nmk)
    address = bytes.fromhex("fe80000000000000fea47afffe14a391")
    names.addresses[address[13:]] = address
    new = names.ip(address)
    assert new[8:] == bytes((names.mac(mac)[0] ^ 2,)) + names.mac(mac)[1:3] + b"\xff\xfe" + names.mac(mac)[3:]
    group = bytes.fromhex("ff0200000000000000000001ff14a391")
    assert names.ip(group) == group[:13] + new[13:]
    assert names.mac(b"\x33\x33\xff" + group[13:]) == b"\x33\x33\xff" + new[13:]
    assert names.station(mac) == names.mac(mac)
    assert names.station(mac + b"\0\0") == names.mac(mac) + b"\0\0"
    assert names.text(mac.hex().upper()) == names.mac(mac).hex().upper()
    assert names.text("DE-ABC-C12345678-X").replace("-", "") == names.text("DEABCC12345678X")
    assert names.text("DE*PNX*E12345*1")[7] == "E"
    for kept in (b"\xff" * 6, LOCAL_MODEM, bytes(6), bytes.fromhex("333300000001"), bytes.fromhex("01005e0000fb")):
        assert names.mac(kept) == kept
    for kept in (bytes(16), bytes(15) + b"\1", ip_address("ff02::1").packed, ip_address("255.255.255.255").packed):
        assert names.ip(kept) == kept


def test_a_secret_makes_the_same_pseudonyms_again() -> None:
    items = load(CAPTURES[0])
    assert made(items) == made(items)
    assert made(items) != made(items, Pseudonyms())


def test_a_certificate_can_still_be_read() -> None:
    from cryptography import x509

    names = Pseudonyms(SECRET)
    found = [
        value
        for event in read(reference.path(f"captures/{CAPTURES[1]}"))
        if isinstance(event, Message)
        for name, value in leaves(event.value)
        if values.KIND.get(name) == "certificate"
    ]
    assert len(found) > 5
    for old in found:
        new = pseudonymous(old, names)
        was, now = x509.load_der_x509_certificate(old), x509.load_der_x509_certificate(new)
        assert len(new) == len(old)
        assert now.not_valid_after_utc == was.not_valid_after_utc
        assert now.signature_algorithm_oid == was.signature_algorithm_oid
        assert [e.oid for e in now.extensions] == [e.oid for e in was.extensions]
        subject = was.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value
        assert str(subject).encode() not in new
        assert old[-32:] not in new


def test_a_message_that_gets_longer_moves_the_numbers_behind_it() -> None:
    track = Track()
    track.base = 1000
    track.pieces = [Piece(0, 10, b"a" * 14), Piece(10, 20, b"b" * 4), Piece(30, 40, b"")]
    whole = track.cut(0, 50)
    assert whole == b"a" * 14 + b"b" * 4 + bytes(10) + bytes(10)
    for start in range(51):
        for end in range(start, 51):
            assert track.cut(start, end) == whole[track.place(start) : track.place(end)]
    assert [track.number(1000 + n) - 1000 for n in (0, 10, 20, 30, 40, 50)] == [0, 14, 18, 28, 28, 38]
    assert track.number(999) == 999


def test_tls_with_keys_from_a_file(tmp_path: Path) -> None:
    items = load(CAPTURES[1])
    keys = [line for item in items if isinstance(item, Packet) for line in key_lines(AT, item.data)]
    (tmp_path / "keys.log").write_text("".join(f"{key.line}\n" for key in keys))
    bare = [i for i in items if not (isinstance(i, Packet) and b"CLIENT_RANDOM" in i.data)]
    (tmp_path / "in.pcapng").write_bytes(making.pcapng(bare))  # type: ignore[arg-type]  # packets only
    words = [
        "anonymise",
        str(tmp_path / "in.pcapng"),
        str(tmp_path / "out.pcapng"),
        "--keys",
        str(tmp_path / "keys.log"),
    ]
    done = CliRunner().invoke(main, words)
    assert (done.exit_code, "194 V2G messages" in done.output) == (0, True), done.output
    assert sum(isinstance(event, Message) for event in read(tmp_path / "out.pcapng")) == 194


def test_tls_without_keys_leaves_nothing(tmp_path: Path) -> None:
    name = CAPTURES[1]
    items = [i for i in load(name) if not (isinstance(i, Packet) and b"CLIENT_RANDOM" in i.data)]
    out = io.BytesIO()
    done = anonymise(lambda: iter(items), out, "test", Pseudonyms(SECRET))
    assert (done.counts.dropped, done.counts.decrypted, done.counts.messages) == (1, 0, 0)
    carried = [e for e in events(out.getvalue()) if isinstance(e, (Message, Tls))]
    assert carried == []
    assert b"RootCA" not in out.getvalue()


def as_linux_cooked(frame: bytes) -> bytes:
    return bytes.fromhex("000400010006") + frame[6:12] + bytes(2) + frame[12:]


def as_cooked_2(frame: bytes) -> bytes:
    return frame[12:14] + bytes(2) + bytes.fromhex("0000000200010006") + frame[6:12] + bytes(2) + frame[14:]


def with_two_tags(frame: bytes) -> bytes:
    return frame[:12] + bytes.fromhex("88a80001 81000002") + frame[12:]


@pytest.mark.parametrize(
    ("link_type", "dress"),
    [(113, as_linux_cooked), (276, as_cooked_2), (101, lambda frame: frame[14:]), (1, with_two_tags)],
)
def test_other_links(link_type: int, dress: Callable[[bytes], bytes]) -> None:
    kept = (b"\x86\xdd",) if link_type == 101 else (b"\x86\xdd", b"\x88\xe1")
    items = [
        item._replace(data=dress(item.data), link_type=link_type, length=0)
        for item in load(CAPTURES[0])
        if isinstance(item, Packet) and item.data[12:14] in kept
    ]
    items = making.numbered(items)
    before, data = making.events_of(items), made(list(items))
    assert sum(isinstance(event, Message) for event in before) == 200
    assert [told(e) for e in before] == [told(e) for e in events(data)]
    hidden = identifiers(before)
    assert not [value for value in hidden for spelling in spellings(value) if spelling in data]
    same_for_same(before, events(data))


def longer(message: Any) -> Any:
    """A change that makes messages of a session longer and shorter."""
    body = message.Body.BodyElement if hasattr(message, "Body") else None
    if body is None or not hasattr(message, "Header"):
        return message
    size = {"Req": 2, "Res": 8}[type(body).__name__[-3:]]
    header = msgspec.structs.replace(message.Header, SessionID=bytes(range(1, size + 1)))
    return msgspec.structs.replace(message, Header=header)


@cache
def first_messages() -> list[reference.Captured]:
    return reference.messages("dsv2gshark/DIN_DC_DS5366_Josev.pcapng")[:16]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_segments_of_any_size_order_and_loss(data: st.DataObject) -> None:
    """Retransmitted, cut anywhere, out of order, lost: the same messages at the same packets, though lengths change."""
    exchange = first_messages()
    client = exchange[0].port
    items = [making.segment("ev", 99, flags=2, ack=0), making.segment("evse", 99, flags=18, ack=100)]
    at = {"ev": 100, "evse": 100}
    for message in exchange:
        side, other = ("ev", "evse") if message.port == client else ("evse", "ev")
        whole = pack(0x8001, message.exi)
        cuts = sorted(data.draw(st.lists(st.integers(1, len(whole) - 1), max_size=2, unique=True)))
        parts = [
            making.segment(side, at[side] + start, whole[start:end], ack=at[other])
            for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)
        ]
        at[side] += len(whole)
        fate = data.draw(st.sampled_from(["whole", "whole", "twice", "reversed", "lost"]))
        parts = {"twice": parts + parts, "reversed": parts[::-1], "lost": parts[1:]}.get(fate, parts)
        items += [*parts, making.segment(other, at[other], ack=at[side])]
    items = making.numbered([item._replace(ns=item.ns + i * 10**7) for i, item in enumerate(items)])
    streams = Streams(KeyLog(), longer)
    flows = follow(lambda: items, streams)
    names = Pseudonyms(SECRET)
    rewrite = Rewriter(names, Scrubber(names), streams, flows)
    new = [rewrite(item) for item in items]
    before, after = making.messages_of(items), making.messages_of(new)
    assert [(m.frame, m.name, m.session) for m in after] == [(m.frame, m.name, m.session) for m in before]
    for message in after:
        if hasattr(message.value, "Header"):
            assert len(message.value.Header.SessionID) == (2 if message.name.endswith("Req") else 8)


@needs_tshark
def test_tshark_finds_checksums_and_streams_right(tmp_path: Path) -> None:
    file = tmp_path / "out.pcapng"
    file.write_bytes(made(load(CAPTURES[1])))
    checks = [part for name in ("tcp", "udp", "icmpv6") for part in ("-o", f"{name}.check_checksum:TRUE")]
    checks = [part for part in checks if "icmpv6" not in part][:4]
    wrong = 'tcp.checksum.status == "Bad" || udp.checksum.status == "Bad" || icmpv6.checksum.status == "Bad"'
    assert tshark("-r", str(file), *checks, "-Y", wrong, home=tmp_path) == ""
    assert tshark("-r", str(file), "-Y", "_ws.malformed", home=tmp_path) == ""
    lost = "tcp.analysis.lost_segment || tcp.analysis.ack_lost_segment || tcp.analysis.out_of_order"
    before = tshark("-r", str(reference.path(f"captures/{CAPTURES[1]}")), "-Y", lost, home=tmp_path)
    assert len(tshark("-r", str(file), "-Y", lost, home=tmp_path).splitlines()) <= len(before.splitlines())


def test_comments_and_log_lines() -> None:
    mac, line = "fc:a4:7a:14:a3:91", "EVCCID FCA47A14A391 at fe80::fea4:7aff:fe14:a391, charger DE*PNX*E12345*1"
    items = [
        item._replace(comment=f"{line} from {mac}, and 10:20:30:40:50:60")
        for item in load("geynis/V2G_no_TLS.pcap")
        if isinstance(item, Packet)
    ]
    names = Pseudonyms(SECRET)
    names.mac(bytes.fromhex("fca47a14a391"))
    names.text("DE*PNX*E12345*1")
    data = made(list(items), names)
    for word in (mac, "FCA47A14A391", "fea4:7aff", "PNX", "12345", "10:20:30:40:50:60"):
        assert word.encode() not in data
    assert b"EVCCID " in data
    assert names.mac(bytes.fromhex("fca47a14a391")).hex(":").encode() in data


def test_pyplcs_log_lines_are_scrubbed() -> None:
    names = Pseudonyms(SECRET)
    names.mac(bytes.fromhex("98ed5ce94a0b"))
    nid = names.nid(bytes.fromhex("a0a98997e89d0e"))
    scrub = Scrubber(names)
    line = "got network ID (NID) 0xa0 0xa9 0x89 0x97 0xe8 0x9d 0xe "
    assert scrub(line) == f"got network ID (NID) {' '.join(map(hex, nid))} "
    text = (
        "[PEVSLAC] sender 98:ed:5c:e9:4a:0b ip fe80::9aed:5cff:fee9:4a0b v4 192.168.7.9 U=399.9 fw-1.4.0.20-00 12:34:56"
    )
    new = scrub(text)
    assert new.startswith("[PEVSLAC] sender ")
    assert new.endswith(" U=399.9 fw-1.4.0.20-00 12:34:56")
    for word in ("98:ed", "9aed", "192.168.7.9"):
        assert word not in new
    assert scrub.raw(bytes.fromhex("0098ed5ce94a0b00")) == b"\0" + names.mac(bytes.fromhex("98ed5ce94a0b")) + b"\0"


def test_what_is_left_is_found() -> None:
    names = Pseudonyms(SECRET)
    mac = bytes.fromhex("98ed5ce94a0b")
    names.mac(mac)
    names.text("DE*PNX*E12345*1")
    assert left(bytes(100), names) == []
    for shift in range(8):
        bits = (int.from_bytes(mac, "big") << shift).to_bytes(8, "big")
        assert left(b"\x55" + bits + b"\x55", names), shift
    for text in (b"98ED5CE94A0B", b"98:ed:5c:e9:4a:0b", b"98-ED-5C-E9-4A-0B", b"DEPNXE123451"):
        assert left(b"..." + text, names), text


def test_the_command(tmp_path: Path) -> None:
    source, target = reference.path(f"captures/{CAPTURES[2]}"), tmp_path / "out.pcapng"
    done = CliRunner().invoke(main, ["anonymise", str(source), str(target)])
    assert done.exit_code == 0, done.output
    assert "112 V2G messages" in done.output
    assert "TLS connections are plain now" in done.output
    again = tmp_path / "again.pcapng"
    for secret in ("a", "a", "b"):
        assert CliRunner().invoke(main, ["anonymise", str(source), str(again), "--secret", secret]).exit_code == 0
        if secret == "a":
            first = again.read_bytes()
    assert again.read_bytes() != first
    bad = tmp_path / "bad.pcap"
    bad.write_text("no capture")
    done = CliRunner().invoke(main, ["anonymise", str(bad), str(target)])
    assert (done.exit_code, done.output.startswith("pyplc anonymise: ")) == (1, True)


MACS = st.binary(min_size=6, max_size=6)
packet = st.builds(
    Packet,
    st.just(1),
    st.integers(0, 2**62),
    st.sampled_from([1, 12, 101, 113, 228, 229, 276, 0, 252, 147]),
    st.binary(max_size=120),
    st.integers(0, 2),
    st.integers(0, 200),
    st.none() | st.text(st.characters(codec="utf-8"), max_size=60),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(packet, max_size=8))
def test_any_bytes_are_written(items: list[Packet]) -> None:
    data = made(list(making.numbered(items)))
    kept = [item for item in items if item.link_type != 252]
    assert [len(item.data) for item in making.read(data)] == [len(item.data) for item in kept]  # type: ignore[attr-defined]


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_spoiled_captures_are_written(data: st.DataObject) -> None:
    items = [item for item in load(CAPTURES[0])[60:140] if isinstance(item, Packet)]
    number = data.draw(st.integers(0, len(items) - 1))
    item = items[number]
    at = data.draw(st.integers(0, len(item.data) - 1))
    if data.draw(st.booleans()):
        spoiled = item.data[:at] + data.draw(st.binary(max_size=30)) + item.data[at + 1 :]
    else:
        spoiled = item.data[:at]
    items[number] = item._replace(data=spoiled)
    if data.draw(st.booleans()):
        del items[data.draw(st.integers(0, len(items) - 1))]
    names = Pseudonyms(SECRET)
    out = made(list(items), names)
    assert left(out, names) == []
    assert len(making.read(out)) == len(items)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=40))
def test_any_bytes_are_a_certificate_or_not(data: bytes) -> None:
    assert len(pseudonymous(data, Pseudonyms(SECRET))) == len(data)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(min_size=6, max_size=6), min_size=2, max_size=6, unique=True))
def test_pseudonyms_are_one_for_one(macs: list[bytes]) -> None:
    names = Pseudonyms(SECRET)
    new = [names.mac(mac) for mac in macs]
    assert len(set(new)) == len(set(macs))
    assert [names.mac(mac) for mac in macs] == new


def test_secrets_blocks_are_left_out() -> None:
    key = "CLIENT_RANDOM " + "ab" * 32 + " " + "cd" * 48
    data = made([Secrets(key.encode()), *load(CAPTURES[0])])
    assert not [item for item in packets(io.BytesIO(data)) if isinstance(item, (Secrets, Broken))]
    assert Reader().packets == 0


@cache
def recorded() -> tuple[bytes, bytes]:
    """A simulated session as its files: session.pcapng and session.jsonl."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["sim", "--protocol", "iso2", "--target-soc", "45.1", "--record", folder, "--fast-modems", "--json"]
        assert CliRunner().invoke(main, words).exit_code == 0
        (session,) = Path(folder).glob("*/session.pcapng")
        return session.read_bytes(), session.with_suffix(".jsonl").read_bytes()


@pytest.mark.parametrize("which", [0, 1])
def test_recordings_of_our_own_stations(which: int) -> None:
    source = recorded()[which]
    items = list(packets(io.BytesIO(source)))
    before, data = events(source), made(items)
    after = events(data)
    hidden = {e.source for e in before if isinstance(e, HomePlug)} - {LOCAL_MODEM}
    for event in before:
        if isinstance(event, Message):
            hidden |= {v for n, v in leaves(event.value) if values.KIND.get(n) in ("station", "session") and any(v)}
    assert hidden
    texts = json.dumps([repr(event) for event in after]).encode() + data
    for value in hidden:
        for spelling in spellings(value)[1:]:
            assert spelling not in texts, value.hex()
    records = [[e for e in found if isinstance(e, Recorded)] for found in (before, after)]
    assert [(e.frame, e.kind, e.station, e.time) for e in records[0]] == [
        (e.frame, e.kind, e.station, e.time) for e in records[1]
    ]
    assert [told(e)[:7] for e in before if isinstance(e, Message)] == [
        told(e)[:7] for e in after if isinstance(e, Message)
    ]
    same_for_same(before, after)


def test_records_name_nobody() -> None:
    names = Pseudonyms(SECRET)
    nmk, mac = bytes(range(16)), bytes.fromhex("98ed5ce94a0b")
    sighting = {
        "type": "sighting",
        "side": "listen",
        "vehicle": mac.hex(":"),
        "run_id": "0011223344556677",
        "nid": nid_of(nmk).hex(),
        "nmk": nmk.hex(),
        "attenuation": 12.5,
    }
    vehicle = {"type": "vehicle", "t": 2, "side": "evse", "evccid": "98ED5CE94A0B", "soc_percent": 45.0}
    dropped = {"type": "dropped", "what": "frame", "reason": "odd", "data": mac.hex()}
    spoiled = {
        "type": "message",
        "protocol": "din",
        "name": "SessionSetupReq",
        "exi": "809a02",
        "body": {"EVCCID": "x"},
    }
    items = [Noted(i, i, msgspec.json.encode(row)) for i, row in enumerate((sighting, vehicle, dropped, spoiled), 1)]
    data = made([*items, Noted(5, 5, b"{spoiled")], names)
    new = [item.json for item in packets(io.BytesIO(data)) if isinstance(item, Noted)]
    rows = [msgspec.json.decode(row) for row in new]
    assert rows[0]["vehicle"] == names.mac(mac).hex(":")
    assert rows[0]["nid"] == nid_of(bytes.fromhex(rows[0]["nmk"])).hex()
    assert rows[0]["attenuation"] == 12.5
    assert rows[0]["run_id"] != sighting["run_id"]
    assert rows[1] == {**vehicle, "evccid": names.mac(mac).hex().upper()}
    assert rows[2] == {**dropped, "data": "0" * 12}
    assert rows[3] == {"type": "message", "protocol": "din", "name": "SessionSetupReq", "exi": "000000"}
    assert rows[4] == ""
    assert left(data, names) == []
