"""PIB files: real ones as modems gave them, ours as built, and any bytes at all."""

from __future__ import annotations

import json
import struct

import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st

from pyplc.slac import pib_fields as fields
from pyplc.slac.catalogue import read
from pyplc.slac.emulated_kinds import KINDS, QCA7420, ModemKind, pib_of
from pyplc.slac.mme import parse
from pyplc.slac.pib import HEADER_LENGTH, Pib, PibError, build, chain, checksum, expected
from pyplc.slac.vendor_modules import ModuleOperationCnf, Read

ADDRESS = bytes.fromhex("020000000001")
NMK, NID = bytes(range(16)), bytes(range(7))


def real(station: str) -> Pib:
    """A PIB put together from the blocks a real modem gave."""
    file = bytearray()
    with reference.path("homeplug-frames.jsonl").open() as lines:
        for known in map(json.loads, lines):
            if known.get("note", "").startswith("one block of a whole PIB") and station in known["station"]:
                message = read(parse(bytes.fromhex(known["hex"])))
                if isinstance(message, ModuleOperationCnf):
                    block = Read.of(message)
                    file[block.offset : block.offset + block.length] = block.data
    return Pib(bytes(file))


def made(role: str = "none", kind: ModemKind = QCA7420) -> Pib:
    return pib_of(kind, ADDRESS, role, NMK, NID)


@pytest.mark.parametrize(
    ("station", "length", "mac", "role", "version"),
    [
        ("TP-Link", 9796, "9848275a3ce6", "pev", "PIB-QCA7420-1.4.0.0020-00-CS-20171027:112630-Custom:Custom-1-1.5"),
        ("QCA7000", 9040, "bcf2aff1c811", "evse", "PIB-QCA7420-1.1.0.727-02-FINAL-20130826:173954-"),
    ],
)
def test_a_real_pib(station: str, length: int, mac: str, role: str, version: str) -> None:
    pib = real(station)
    assert len(pib.data) == length and pib.mac.hex() == mac and not pib.problems()
    assert fields.role_of(pib) == role and pib.length in fields.KNOWN_LENGTHS
    assert pib.manifest()["version"].startswith(version)
    assert pib.repaired() == pib
    # built again from its two images it is the same file
    manifest, image = (pib.data[part.start : part.start + part.length] for part in pib.images)
    assert build(manifest, image) == pib
    again = fields.patch_role(pib, role)
    changed = {difference.part for difference in fields.differences(pib, again)}
    assert changed <= {"user", "header or manifest"}  # all else real modems of that role have already


@pytest.mark.parametrize("station", ["TP-Link", "QCA7000"])
@pytest.mark.parametrize("role", ["pev", "evse"])
def test_a_real_pib_for_another_role(station: str, role: str) -> None:
    before = real(station)
    after = fields.patch_role(before, role, thorough=True)
    assert not after.problems() and fields.role_of(after) == role and after.mac == before.mac
    outside = [d for d in fields.differences(before, after) if d.part == "header or manifest"]
    assert {d.offset // HEADER_LENGTH * HEADER_LENGTH for d in outside} <= {0x360}  # the manifest stays


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("role", ["none", "pev", "evse"])
def test_what_emulated_modems_are_delivered_with(kind: ModemKind, role: str) -> None:
    pib = made(role, kind)
    assert not pib.problems() and pib.length == kind.image_length and fields.role_of(pib) == role
    values = {field.name: raw for field, raw in fields.present(pib)}
    assert (values["mac"], values["nmk"], values["nid"]) == (ADDRESS, NMK, NID)
    assert values["cco"][0] == {"none": 0, "pev": 1, "evse": 2}[role]
    assert pib.manifest()["release"] == kind.release
    assert expected(pib.data[:1400]) == (len(pib.data), 0x3C0)


def test_the_needed_bytes_of_a_role() -> None:
    pib = fields.patch_role(made(), "pev")
    assert pib.get(0x74, 4) == b"PEV\0" and pib.get(0xF4, 1) == b"\1" and pib.get(0x1653, 1) == b"\1"
    assert struct.unpack("<II", pib.get(0x1C98, 8)) == (10240, 102400)
    pib = fields.patch_role(made(), "evse")
    assert pib.get(0x74, 5) == b"EVSE\0" and pib.get(0xF4, 1) == b"\2" and pib.get(0x1653, 1) == b"\2"


@pytest.mark.parametrize(("offset", "name"), [(0x1653, "slac"), (0xF4, "cco")])
def test_another_layout_is_not_patched(offset: int, name: str) -> None:
    with pytest.raises(PibError, match=f"no value of {name}: this PIB has another layout"):
        fields.patch_role(made().edit((offset, b"\x77")), "pev")


def test_an_image_too_short_for_the_role_is_not_patched() -> None:
    short = build(bytes(0x300), bytes(0x1600))
    with pytest.raises(PibError, match="0x1653 with 1 bytes is outside"):
        fields.patch_role(short, "pev")
    assert fields.role_of(short) == "none"


def test_a_checksum_is_the_complement_of_the_xor() -> None:
    assert checksum(b"") == checksum(bytes(4)) == 0xFFFFFFFF
    assert checksum(struct.pack("<II", 0x11223344, 0x0000FF00)) == 0x11223344 ^ 0xFF00 ^ 0xFFFFFFFF
    assert checksum(b"\1\2\3\4\5") == checksum(b"\1\2\3\4\5\0\0\0")


@given(st.lists(st.tuples(st.integers(0, 0x2283), st.binary(min_size=1, max_size=70)), max_size=5))
def test_whatever_is_edited_the_checksums_are_right(changes: list[tuple[int, bytes]]) -> None:
    pib = made()
    inside = [(offset, value[: pib.length - offset]) for offset, value in changes]
    after = pib.edit(*inside)
    assert not after.problems() and len(after.data) == len(pib.data)
    assert after.edit(*((0, pib.get(0, pib.length)),)) == pib
    wanted = bytearray(pib.get(0, pib.length))
    for offset, value in inside:
        wanted[offset : offset + len(value)] = value
    assert after.get(0, after.length) == wanted


@given(st.binary(max_size=300))
def test_any_bytes_give_a_pib_or_the_one_error(data: bytes) -> None:
    try:
        Pib(data).problems()
    except PibError:
        pass


@given(st.integers(0, 0x41F), st.binary(min_size=1, max_size=8))
def test_a_broken_head_gives_a_pib_or_the_one_error(at: int, value: bytes) -> None:
    data = bytearray(made().data)
    data[at : at + len(value)] = value
    try:
        pib = Pib(bytes(data))
        assert pib.data == bytes(data[: len(pib.data)])
        pib.manifest()
        if bytes(data) != made().data and pib.problems() == []:
            # an edit inside that keeps the XOR: only possible when the words changed cancel out
            assert pib.repaired() == pib
    except PibError:
        pass


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "0 bytes: the header at 0x0 is not whole"),
        (b"\2\0\1\0" + bytes(92), "version 2.1, not 1.1: .* flat PIB"),
        (made().data[:0x3BF], "the header at 0x360 is not whole"),
        (made().data[:0x2000], "outside"),
        (made().data[:0x20] + b"\1\0\0\0" + made().data[0x24:], "names 0x1 as the one before it"),
        (made().data[:0x1C] + struct.pack("<I", 0x60) + made().data[0x20:], "inside its own image"),
        (made().data[:0x1C] + b"\xff" * 4 + made().data[0x20:], "no PIB image in the chain"),
    ],
)
def test_what_is_wrong_with_a_file_is_told(data: bytes, words: str) -> None:
    with pytest.raises(PibError, match=words):
        Pib(data)


def test_wrong_checksums_are_told_and_repaired() -> None:
    data = bytearray(made().data)
    data[0x3C0 + 0x80] ^= 1
    data[0x28] ^= 1
    broken = Pib(bytes(data))
    assert [problem.split(" is ")[0] for problem in broken.problems()] == [
        "the checksum of the header of the manifest at 0x0",
        "the checksum of the PIB",
    ]
    assert not broken.repaired().problems()


def test_differences_name_the_field_or_the_place() -> None:
    before = made()
    after = before.edit((0x74, b"X"), (0x800, b"ab"), (0x803, b"c"))
    found = fields.differences(before, after)
    assert [(d.part, d.offset) for d in found[:3]] == [("user", 0x74), ("unknown", 0x800), ("unknown", 0x803)]
    assert {d.part for d in found[3:]} == {"header or manifest"}
    assert fields.differences(before, before) == []
    with pytest.raises(PibError, match="of different firmwares"):
        fields.differences(before, made(kind=KINDS["qca7005"]))


@pytest.mark.parametrize(
    ("name", "given_", "words"),
    [
        ("user", "x" * 64, "at most 63"),
        ("user", "ä", "does not fit"),
        ("cco", 256, "does not fit"),
        ("cco", "two", "does not fit; it is one of auto, never, always, user, covert"),
        ("nmk", "00", "1 bytes, it has 16"),
        ("nid", "zz", "does not fit"),
    ],
)
def test_a_value_that_does_not_fit_is_told(name: str, given_: str | int, words: str) -> None:
    with pytest.raises(PibError, match=words):
        fields.encode(fields.BY_NAME[name], given_)


def test_a_number_may_be_given_by_its_word() -> None:
    assert fields.encode(fields.CCO, "Always") == fields.encode(fields.CCO, "0x2") == fields.encode(fields.CCO, 2)


def test_keys_are_hidden_until_asked_for() -> None:
    assert fields.NMK.show(NMK) == fields.SECRET and fields.NMK.show(NMK, keys=True) == NMK.hex()
    assert fields.CCO.show(b"\2") == "2 (always)" and fields.CCO.show(b"\x63") == "99"


def test_every_field_lies_in_the_longest_image_and_none_overlaps() -> None:
    at = 0
    for field in fields.FIELDS:
        assert field.offset >= at
        at = field.offset + field.size
    assert at <= max(fields.KNOWN_LENGTHS)
    assert len(chain(made().data)) == 2
