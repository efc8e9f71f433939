"""Reading capture files as a stream: pcap, pcapng, and the records of our own stations; from a file or a pipe, also
through gzip.

A file that is cut or spoiled gives what can be read and says where it stopped.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from . import files_lines, files_pcap, files_pcapng
from .items import Broken, CaptureError, Item, Noted, Packet, Secrets
from .source import Source

__all__ = ["Broken", "CaptureError", "Item", "Noted", "Packet", "Secrets", "packets"]


def packets(stream: BinaryIO) -> Iterator[Item]:
    """The packets of a capture, and what else it holds; CaptureError if it is none."""
    source = Source(stream)
    source.have(4)
    magic = source.buffer[:4]
    if magic in files_pcap.MAGICS:
        return _all(source, files_pcap.read(source, *files_pcap.MAGICS[magic]))
    if magic == files_pcapng.MAGIC:
        return _all(source, files_pcapng.read(source))
    if not magic:
        raise CaptureError(source.trouble or "the file is empty")
    if magic[:1] == b"{":
        return _all(source, files_lines.read(source))
    raise CaptureError(f"begins with {magic.hex(' ')}: neither pcap nor pcapng, nor lines of JSON")


def _all(source: Source, items: Iterator[Item]) -> Iterator[Item]:
    """The items, and whether unpacking them failed."""
    number = 0
    for item in items:
        number = number if isinstance(item, Secrets) else item.number
        yield item
    if source.trouble:
        yield Broken(number, f"{source.trouble} behind packet {number}")
