"""HomePlug management messages: the frame around them.

    0 destination | 6 source | 12 88E1 | 14 MMV | 15 MMTYPE, little endian | 17 FMI, only MMV >= 1 | OUI, only vendor

MMTYPE is a base number with the form in its two lowest bits: REQ 0, CNF 1, IND 2, RSP 3. Numbers from 0xA000 on mean
different things per OUI. Unknown messages keep their payload as bytes.
"""

from __future__ import annotations

from typing import NamedTuple

from ..link.ports import HOMEPLUG

ETHERTYPE = HOMEPLUG.to_bytes(2, "big")
BROADCAST = b"\xff" * 6
LOCAL_MODEM = bytes.fromhex("00b052000001")
"""The modem at the end of this cable; never sent over the powerline."""
QUALCOMM = bytes.fromhex("00b052")
SHORTEST_FRAME = 60
VENDOR = 0xA000
FORMS = ("REQ", "CNF", "IND", "RSP")


class MmeError(ValueError):
    """A frame that is no HomePlug management message, or shorter than its layout; the text says where."""


class Mme(NamedTuple):
    """A management message taken out of its frame. `payload` begins behind FMI and OUI and includes padding."""

    destination: bytes
    source: bytes
    version: int
    type: int
    payload: bytes
    oui: bytes = b""
    fragment: int = 0

    def pack(self) -> bytes:
        """The frame, padded to the shortest Ethernet frame."""
        head = self.destination + self.source + ETHERTYPE + bytes((self.version,)) + self.type.to_bytes(2, "little")
        if self.version:
            head += self.fragment.to_bytes(2, "big")
        return (head + self.oui + self.payload).ljust(SHORTEST_FRAME, b"\0")


def parse(frame: bytes) -> Mme:
    """The management message in an Ethernet frame; raises MmeError for everything else."""
    if len(frame) < 17 or frame[12:14] != ETHERTYPE:
        raise MmeError(f"{len(frame)} bytes with EtherType {frame[12:14].hex() or '(none)'}: no HomePlug frame")
    version, kind = frame[14], frame[15] | frame[16] << 8
    start = 19 if version else 17
    if len(frame) < start:
        raise MmeError(f"{len(frame)} bytes, a header of MMV {version} has {start}")
    fragment = int.from_bytes(frame[17:19], "big") if version else 0
    oui = b""
    if kind >= VENDOR:
        if len(frame) < start + 3:
            raise MmeError(f"vendor message {kind:#06x} without OUI")
        oui, start = frame[start : start + 3], start + 3
    return Mme(frame[:6], frame[6:12], version, kind, frame[start:], oui, fragment)


def form(kind: int) -> str:
    """REQ, CNF, IND or RSP."""
    return FORMS[kind & 3]
