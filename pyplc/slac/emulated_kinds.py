"""Kinds of emulated modems: what each tells about itself, and the PIB it is delivered with."""

from __future__ import annotations

import hashlib
import struct
from functools import cache
from typing import NamedTuple

from . import pib_fields as fields
from .pib import Pib, build


class ModemTiming(NamedTuple):
    """Seconds: answer to the host, old key kept after SET_KEY, silent while restarting, then until the link stands.

    The defaults were measured on a QCA7420: old key until 3.9 s, new key at 5.2 s, link at 7.8 s.
    """

    answer: float = 0.0005
    apply: float = 3.9
    restart: float = 1.3
    join: float = 2.6


REAL = ModemTiming()
FAST = ModemTiming(apply=0.0, restart=0.0, join=0.2)
TIMINGS = {"real": REAL, "fast": FAST}


class ModemKind(NamedTuple):
    """A chip with its firmware. `leak`: it tells the attenuation it measures to the whole line."""

    chip: str
    device: int
    ident: int
    stepping: int
    firmware: tuple[int, int, int, int]
    sustaining: int
    date: str
    release: str
    image_length: int
    manufacturer: str
    leak: bool = False

    @property
    def version(self) -> str:
        """The version text of its firmware."""
        number = ".".join(map(str, self.firmware))
        return f"MAC-{self.chip}-{number}-{self.sustaining:02}-{self.date}-{self.release}"


QCA7420 = ModemKind(
    "QCA7420", 0x20, 0x001CFCFC, 0, (1, 4, 0, 20), 0, "20171027", "CS", 0x2284, "pyplc emulated QCA7420"
)
QCA7005 = ModemKind(
    "QCA7005", 0x22, 0x001B587C, 1, (1, 2, 5, 3207), 0, "20180927", "CS", 0x1F90, "pyplc emulated QCA7005", True
)
QCA7000 = ModemKind(
    "QCA7000", 0x22, 0x001B58DC, 1, (1, 1, 0, 727), 2, "20130826", "FINAL", 0x1F90, "pyplc emulated QCA7000"
)
KINDS = {kind.chip.lower(): kind for kind in (QCA7420, QCA7005, QCA7000)}

ROLES = ("none", "pev", "evse")
MANIFEST_LENGTH = 0x300
SIGNATURE = 0x1234ABCD


def pib_of(kind: ModemKind, address: bytes, role: str, nmk: bytes, nid: bytes) -> Pib:
    """The PIB of one modem: its MAC, a DAK that follows from it, key, network, and role ("none", "pev", "evse")."""
    pib = _delivered(kind)
    if role != "none":
        pib = fields.patch_role(pib, role)
    dak = hashlib.sha256(b"emulated DAK" + address).digest()[:16]
    return pib.edit(
        (fields.MAC.offset, address), (fields.DAK.offset, dak), (fields.NMK.offset, nmk), (fields.NID.offset, nid)
    )


@cache
def _delivered(kind: ModemKind) -> Pib:
    """As delivered: texts set, no key, no role."""
    return build(_manifest(kind), bytes(kind.image_length)).edit(
        (fields.MFG.offset, fields.encode(fields.MFG, kind.manufacturer)),
        (fields.USER.offset, fields.encode(fields.USER, "pyplc emulated modem")),
        (fields.NETWORK.offset, fields.encode(fields.NETWORK, "pyplc emulated network")),
        (fields.SPEED.offset, fields.encode(fields.SPEED, 10240)),
        (fields.SPEED_HIGH.offset, fields.encode(fields.SPEED_HIGH, 102400)),
    )


def _manifest(kind: ModemKind) -> bytes:
    """Type, length, value; the chip is 0x7420 for all of this family, as real ones have it."""
    number = ".".join(map(str, kind.firmware))
    version = f"PIB-QCA7420-{number}-{kind.sustaining:02}-{kind.release}-{kind.date}:000000-pyplc:pyplc-1-1.2"
    entries = (
        (0, struct.pack("<I", SIGNATURE)),
        *((kind_, struct.pack("<I", value)) for kind_, value in ((1, 1), (2, 1), (3, 2), (4, 2), (5, 1), (6, 1))),
        (7, kind.release.encode().ljust(12, b"\0")),
        (8, struct.pack("<I", kind.sustaining)),
        (9, struct.pack("<I", kind.firmware[3])),
        (10, bytes.fromhex(kind.date)[::-1]),
        (11, bytes(4)),
        (12, struct.pack("<I", 0x7420)),
        (13, b"pyplc".ljust(16, b"\0")),
        (14, b"pyplc".ljust(16, b"\0")),
        (15, f"{kind.chip}-{number} emulated".encode().ljust(164, b"\0")),
        (16, version.encode().ljust(156, b"\0")),
    )
    body = b"".join(struct.pack("<II", number_, len(value)) + value for number_, value in entries)
    filler = MANIFEST_LENGTH - len(body) - 8
    return body + struct.pack("<II", 23, filler) + b"\xff" * filler
