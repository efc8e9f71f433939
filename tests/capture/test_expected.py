"""Every real capture against what another decoder made of it: each message once, in order, with the same content."""

from __future__ import annotations

import struct
from typing import Any

import pytest
import reference

from pyplc.capture.events import Damage, Message
from pyplc.capture.reader import read
from pyplc.exi.xmltext import canonical, to_xml

EXPECTED = sorted((reference.ROOT / "captures" / "expected").rglob("*.jsonl.gz"))
NAMES = [str(file.relative_to(reference.ROOT / "captures" / "expected"))[: -len(".jsonl.gz")] for file in EXPECTED]
OTHERS = [
    str(file.relative_to(reference.ROOT / "captures"))
    for file in sorted((reference.ROOT / "captures").rglob("*"))
    if file.suffix in (".pcap", ".pcapng", ".dump")
    and not (
        reference.ROOT / "captures" / "expected" / f"{file.relative_to(reference.ROOT / 'captures')}.jsonl.gz"
    ).exists()
]
ABSENT = [pytest.param("", marks=pytest.mark.skip("no reference captures"))]


def ends_inside_a_record(data: bytes) -> bool:
    """Lengths added up, without the reader under test."""
    if data[:4] == b"\n\r\r\n":
        at = 0
        while at + 12 <= len(data):
            at += struct.unpack_from("<I", data, at + 4)[0]
        return at != len(data)
    at = 24
    while at + 16 <= len(data):
        at += 16 + struct.unpack_from("<I", data, at + 8)[0]
    return at != len(data)


def comparable(node: Any) -> Any:
    """The other decoder writes serial numbers of certificates as 0x10."""
    tag, attributes, text, children = node
    if tag.endswith("SerialNumber") and text.startswith("0x"):
        text = str(int(text, 16))
    return tag, attributes, text, [comparable(child) for child in children]


@pytest.mark.parametrize("name", NAMES or ABSENT)
def test_messages_are_the_expected_ones(name: str) -> None:
    wanted = reference.expected(name)
    found = list(read(reference.path(f"captures/{name}")))
    messages = [event for event in found if isinstance(event, Message)]
    assert [(m.frame, m.name, m.exi.hex()) for m in messages] == [(w["frame"], w["message"], w["exi"]) for w in wanted]
    for message, row in zip(messages, wanted, strict=True):
        assert row["schema"] in (message.protocol, f"Automatically detected ({message.protocol})")
        assert message.guessed or not row["schema"].startswith("Automatically")
        assert (message.source.hex(":"), message.sender.address, message.sender.port) == (
            row["mac"], row["ip"], row["port"],
        )  # fmt: skip
        assert abs(message.time - float(row["time"])) < 1e-6
        assert comparable(canonical(to_xml(message.value))) == comparable(canonical(row["xml"])), message.frame
    sides = {m.side for m in messages if m.name.endswith("Req")}, {m.side for m in messages if m.name.endswith("Res")}
    assert sides[0] <= {"ev"}
    assert sides[1] <= {"evse"}
    damaged = [event for event in found if isinstance(event, Damage)]
    assert len(damaged) == ends_inside_a_record(reference.path(f"captures/{name}").read_bytes())


@pytest.mark.parametrize("name", OTHERS or ABSENT)
def test_where_the_other_decoder_found_nothing_there_is_nothing(name: str) -> None:
    assert not [event for event in read(reference.path(f"captures/{name}")) if isinstance(event, Message)]
