"""What a capture holds: packets, secrets, records of stations, and the places where it is spoiled."""

from __future__ import annotations

from typing import NamedTuple


class CaptureError(ValueError):
    """A file that is no capture at all; the text says what was found."""


class Packet(NamedTuple):
    """One captured packet; `number` counts from 1, `ns` are nanoseconds since 1970, `length` was on the wire."""

    number: int
    ns: int
    link_type: int
    data: bytes
    interface: int = 0
    length: int = 0
    comment: str | None = None


class Secrets(NamedTuple):
    """The text of a decryption secrets block: lines of an NSS key log."""

    text: bytes


class Noted(NamedTuple):
    """A record of one of our stations as JSON; `number` counts with the packets, as Wireshark counts custom blocks."""

    number: int
    ns: int
    json: bytes


class Broken(NamedTuple):
    """From here on the file is cut or spoiled; `number` is of the last packet before."""

    number: int
    text: str


Item = Packet | Secrets | Noted | Broken
