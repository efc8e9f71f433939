"""A modem's parameters: the PIB file of QCA6410, QCA7000, QCA7005 and QCA7420.

    header of the manifest (96 bytes) | manifest | header of the PIB (96 bytes) | PIB image

Headers are a chain: each names its image's length and checksum and the next header. A checksum is the complement of the
XOR of all 32-bit words, so a change is carried into it by XOR with the old and the new word. Numbers are little endian.
Offsets of fields (`pib_fields.py`) count from the begin of the PIB image.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

HEADER_LENGTH = 0x60
NONE = 0xFFFFFFFF
MANIFEST, PIB = 0x0E, 0x0F
"""Image types."""
LONGEST = 1 << 20
_HEADER = struct.Struct("<HHIIIIIIIIIHHH46xI")
_WORD = struct.Struct("<I")
IMAGE_CHECKSUM_AT, HEADER_CHECKSUM_AT = 0x14, 0x5C
IMAGE_NAMES = {MANIFEST: "manifest", PIB: "PIB", 0x04: "firmware"}
MANIFEST_TEXTS = {7: "release", 13: "host", 14: "user", 15: "description", 16: "version"}


class PibError(ValueError):
    """Bytes that are no PIB file, a broken chain, or a change that does not fit; the text says where."""


class Image(NamedTuple):
    """One image of the chain: where its header and its bytes begin in the file, and what the header says."""

    header: int
    start: int
    length: int
    kind: int
    checksum: int

    @property
    def name(self) -> str:
        """For people."""
        return IMAGE_NAMES.get(self.kind, f"image of type {self.kind:#x}")


def checksum(data: bytes | bytearray) -> int:
    """Complement of the XOR of all 32-bit words; a rest shorter than a word counts as padded with zeros."""
    rest = len(data) % 4
    whole = bytes(data) + bytes(4 - rest) if rest else bytes(data)
    total = 0
    for (word,) in _WORD.iter_unpack(whole):
        total ^= word
    return total ^ NONE


def chain(data: bytes) -> tuple[Image, ...]:
    """The images of a file in order; PibError when the chain is broken or there is no PIB in it."""
    images: list[Image] = []
    at, previous = 0, NONE
    while at != NONE:
        if len(data) < at + HEADER_LENGTH:
            raise PibError(f"{len(data)} bytes: the header at {at:#x} is not whole")
        major, minor, _, address, _, length, image_sum, _, following, before, kind, *_ = _HEADER.unpack_from(data, at)
        if (major, minor) != (1, 1):
            raise PibError(
                f"the header at {at:#x} has version {major}.{minor}, not 1.1: no PIB of a QCA6410, QCA7000, QCA7005 or "
                "QCA7420 (a flat PIB of an INT6x00 or AR7400 is not supported)"
            )
        if before != previous:
            raise PibError(f"the header at {at:#x} names {before:#x} as the one before it, which is at {previous:#x}")
        start = at + HEADER_LENGTH
        if address != start or length > LONGEST or len(data) < start + length:
            raise PibError(f"the image of the header at {at:#x} lies at {address:#x} with {length} bytes: outside")
        images.append(Image(at, start, length, kind, image_sum))
        if following != NONE and following < start + length:
            raise PibError(f"the header at {at:#x} names {following:#x} as the next: inside its own image")
        previous, at = at, following
    if not any(image.kind == PIB for image in images):
        raise PibError("there is no PIB image in the chain")
    return tuple(images)


class Expected(NamedTuple):
    """What the first block of a file tells: its length, and where the PIB image begins."""

    length: int
    start: int


def expected(head: bytes) -> Expected | None:
    """From the first bytes of a file that is still being read; None when they are no PIB file."""
    try:
        images = chain(head.ljust(LONGEST, b"\0"))
    except PibError:
        return None
    pib = next(image for image in images if image.kind == PIB)
    return Expected(max(image.start + image.length for image in images), pib.start)


class Pib:
    """A PIB file. Immutable: `edit` gives another one with all checksums right."""

    def __init__(self, data: bytes) -> None:
        """Raises PibError when the chain cannot be followed; checksums are not looked at, `problems` does that."""
        self.images = chain(data)
        self._image = next(image for image in self.images if image.kind == PIB)
        end = max(image.start + image.length for image in self.images)
        self.data = bytes(data[:end])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pib) and self.data == other.data

    def __hash__(self) -> int:
        return hash(self.data)

    @property
    def start(self) -> int:
        """Where the PIB image begins in the file."""
        return self._image.start

    @property
    def length(self) -> int:
        """Bytes of the PIB image."""
        return self._image.length

    @property
    def mac(self) -> bytes:
        """Whose PIB it is."""
        return self.get(0x0C, 6)

    def get(self, offset: int, size: int) -> bytes:
        """`size` bytes of the image; PibError when they are not all inside."""
        if offset < 0 or offset + size > self.length:
            raise PibError(f"offset {offset:#x} with {size} bytes is outside of this image of {self.length:#x}")
        return self.data[self.start + offset : self.start + offset + size]

    def edit(self, *changes: tuple[int, bytes]) -> Pib:
        """Another PIB with (offset, bytes) changed, image checksum and header checksum carried along."""
        data = bytearray(self.data)
        image = self._image
        for offset, value in changes:
            self.get(offset, len(value))
            first, last = offset & ~3, min((offset + len(value) + 3) & ~3, image.length)
            words = slice(image.start + first, image.start + last)
            delta = checksum(data[words])
            data[image.start + offset : image.start + offset + len(value)] = value
            delta ^= checksum(data[words])
            for at in (image.header + IMAGE_CHECKSUM_AT, image.header + HEADER_CHECKSUM_AT):
                # the header holds the image's checksum: the same difference corrects its own
                _WORD.pack_into(data, at, _WORD.unpack_from(data, at)[0] ^ delta)
        return Pib(bytes(data))

    def problems(self) -> list[str]:
        """What is wrong with the checksums, one sentence each."""
        found = []
        for image in self.images:
            if checksum(self.data[image.header : image.header + HEADER_LENGTH]):
                found.append(f"the checksum of the header of the {image.name} at {image.header:#x} is wrong")
            actual = checksum(self.data[image.start : image.start + image.length])
            if actual != image.checksum:
                found.append(f"the checksum of the {image.name} is {image.checksum:#010x}, of its bytes {actual:#010x}")
        return found

    def repaired(self) -> Pib:
        """The same bytes with all checksums computed anew."""
        data = bytearray(self.data)
        for image in self.images:
            total = checksum(data[image.start : image.start + image.length])
            _WORD.pack_into(data, image.header + IMAGE_CHECKSUM_AT, total)
            _seal(data, image.header)
        return Pib(bytes(data))

    def manifest(self) -> dict[str, str]:
        """The texts of the manifest by name; what cannot be read is left out."""
        image = next((image for image in self.images if image.kind == MANIFEST), None)
        body = self.data[image.start : image.start + image.length] if image else b""
        found = {}
        at = 0
        while at + 8 <= len(body):
            kind, length = struct.unpack_from("<II", body, at)
            if kind in MANIFEST_TEXTS and length <= len(body) - at - 8:
                found[MANIFEST_TEXTS[kind]] = body[at + 8 : at + 8 + length].split(b"\0")[0].decode("ascii", "replace")
            at += 8 + length
        return found


def build(manifest: bytes, image: bytes) -> Pib:
    """A PIB file of a manifest and an image; both must be whole words."""
    pib_at = HEADER_LENGTH + len(manifest)
    file = bytearray()
    for kind, body, memory, before, following in (
        (MANIFEST, manifest, 0, NONE, pib_at),
        (PIB, image, 0x00200000, 0, NONE),
    ):
        at = len(file)
        file += _HEADER.pack(
            1, 1, 0, at + HEADER_LENGTH, memory, len(body), checksum(body), NONE, following, before, kind, 0, 0, 0, 0
        )
        _seal(file, at)
        file += body
    return Pib(bytes(file))


def _seal(data: bytearray, at: int) -> None:
    """Compute the checksum of the header at `at`."""
    _WORD.pack_into(data, at + HEADER_CHECKSUM_AT, 0)
    _WORD.pack_into(data, at + HEADER_CHECKSUM_AT, checksum(data[at : at + HEADER_LENGTH]))
