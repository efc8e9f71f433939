"""Bytes of a capture as they come: from a file or a pipe, also through gzip."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

CHUNK = 1 << 18
GZIP = b"\x1f\x8b"


class Source:
    """Bytes of a stream as they come: `buffer[at:]` is what was not yet used."""

    def __init__(self, stream: BinaryIO) -> None:
        self.trouble = ""
        self._chunks = _chunks(stream, self)
        self.buffer = b""
        self.at = 0

    def have(self, size: int) -> bool:
        """Read until `size` bytes are there; False at the end of the stream."""
        while len(self.buffer) - self.at < size:
            chunk = next(self._chunks, b"")
            if not chunk:
                return False
            self.buffer = self.buffer[self.at :] + chunk
            self.at = 0
        return True

    @property
    def left(self) -> int:
        """Bytes that were read and not yet used."""
        return len(self.buffer) - self.at


def _chunks(stream: BinaryIO, source: Source) -> Iterator[bytes]:
    """What is there now, at once: a pipe must not wait for a full buffer."""
    read = getattr(stream, "read1", stream.read)
    first = read(CHUNK)
    while 0 < len(first) < 2 and (more := read(CHUNK)):
        first += more
    if first[:2] == GZIP:
        yield from _gunzip(first, read, source)
        return
    while first:
        yield first
        first = read(CHUNK)


def _gunzip(chunk: bytes, read: object, source: Source) -> Iterator[bytes]:
    """What was unpacked before a spoiled place is read; `trouble` tells of it."""
    unzip = zlib.decompressobj(31)
    begun = True
    while chunk:
        before = unzip.copy()
        try:
            out = unzip.decompress(chunk, CHUNK)
        except zlib.error as error:
            source.trouble = f"spoiled gzip: {error}"
            yield from _up_to_the_spot(before, chunk)
            return
        if out:
            yield out
        begun = not unzip.eof
        if unzip.eof:
            chunk = unzip.unused_data
            unzip = zlib.decompressobj(31)
        else:
            chunk = unzip.unconsumed_tail
        chunk = chunk or read(CHUNK)  # type: ignore[operator]  # the stream's read
    if begun:
        source.trouble = "cut inside gzip"


def _up_to_the_spot(unzip: Any, chunk: bytes) -> Iterator[bytes]:
    """What a chunk gives before its spoiled byte."""
    for at in range(len(chunk)):
        try:
            out = unzip.decompress(chunk[at : at + 1])
        except zlib.error:
            return
        if out:
            yield out
