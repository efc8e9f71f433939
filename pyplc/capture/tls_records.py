"""TLS records in a captured stream, found again after a gap; and the hellos, which say what was agreed."""

from __future__ import annotations

from typing import NamedTuple

CHANGE_CIPHER, ALERT, HANDSHAKE, APPLICATION = 20, 21, 22, 23
HEADER = 5
LONGEST = 16384 + 2048
CLIENT_HELLO, SERVER_HELLO = 1, 2
ENCRYPT_THEN_MAC, SUPPORTED_VERSIONS = 22, 43
TLS12, TLS13 = 0x0303, 0x0304
RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
"""The random of a HelloRetryRequest, RFC 8446 section 4.1.3."""


class Record(NamedTuple):
    """One record: content type, its five bytes of header, and what it carries."""

    type: int
    header: bytes
    fragment: bytes


def is_header(data: bytes, at: int = 0) -> bool:
    """Could a record begin here? Fewer bytes than a header are compared as far as they go."""
    head = data[at : at + HEADER]
    if not head or not CHANGE_CIPHER <= head[0] <= APPLICATION:
        return False
    if head[1:2] not in (b"", b"\x03") or (len(head) > 2 and head[2] > 4):
        return False
    return len(head) < HEADER or 0 < (head[3] << 8 | head[4]) <= LONGEST


class Records:
    """Cuts one direction of a connection into records."""

    __slots__ = ("_buffer", "_in_step")

    def __init__(self) -> None:
        self._buffer = b""
        self._in_step = True

    def gap(self) -> None:
        """Bytes are missing here."""
        self._buffer, self._in_step = b"", False

    def feed(self, data: bytes) -> list[Record]:
        """The records completed by `data`."""
        if self._buffer and _is_whole(data):  # what is unfinished never ends: its length is spoiled
            self._buffer = b""
        buffer = self._buffer + data if self._buffer else data
        out: list[Record] = []
        at = 0
        while len(buffer) - at >= HEADER:
            if not self._in_step or not is_header(buffer, at):
                at = _search(buffer, at)
                self._in_step = is_header(buffer, at)
                continue
            size = buffer[at + 3] << 8 | buffer[at + 4]
            end = at + HEADER + size
            if end > len(buffer):
                break
            out.append(Record(buffer[at], buffer[at : at + HEADER], buffer[at + HEADER : end]))
            at = end
        self._buffer = buffer[at:]
        return out


def _is_whole(data: bytes) -> bool:
    """Is this one record of a V2G session from its first to its last byte?"""
    if len(data) <= HEADER or data[1:3] != b"\3\3" or not is_header(data):
        return False
    return data[3] << 8 | data[4] == len(data) - HEADER


def _search(buffer: bytes, start: int) -> int:
    """Where a record begins whose end is another's beginning or the end of what there is; the end if nowhere."""
    for at in range(start, len(buffer) - HEADER + 1):
        if not is_header(buffer, at):
            continue
        end = at + HEADER + (buffer[at + 3] << 8 | buffer[at + 4])
        if end == len(buffer) or (end < len(buffer) and is_header(buffer, end)) or (at == start and end > len(buffer)):
            return at
    return len(buffer)


class Hello(NamedTuple):
    """What a hello says: its random, the suites offered (or the one chosen), the version, and encrypt-then-MAC."""

    client: bool
    random: bytes
    suites: tuple[int, ...]
    version: int
    encrypt_then_mac: bool


def hellos(handshake: bytes) -> list[Hello]:
    """The hellos in the bytes of handshake messages, as far as they are whole and readable."""
    found: list[Hello] = []
    at = 0
    while len(handshake) - at >= 4:
        size = int.from_bytes(handshake[at + 1 : at + 4], "big")
        body = handshake[at + 4 : at + 4 + size]
        if len(body) < size:
            break
        if handshake[at] in (CLIENT_HELLO, SERVER_HELLO) and (hello := _hello(handshake[at] == CLIENT_HELLO, body)):
            found.append(hello)
        at += 4 + size
    return found


def _hello(client: bool, body: bytes) -> Hello | None:
    try:
        at = 35 + body[34]
        if client:
            size = body[at] << 8 | body[at + 1]
            suites = tuple(body[i] << 8 | body[i + 1] for i in range(at + 2, at + 2 + size, 2))
            at += 2 + size
            at += 1 + body[at]
        else:
            suites = (body[at] << 8 | body[at + 1],)
            at += 3
        extensions = _extensions(body, at)
    except IndexError:
        return None
    version = int.from_bytes(extensions.get(SUPPORTED_VERSIONS, body[:2])[:2], "big")
    return Hello(client, body[2:34], suites, version, ENCRYPT_THEN_MAC in extensions)


def _extensions(body: bytes, at: int) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    at += 2
    while at + 4 <= len(body):
        size = body[at + 2] << 8 | body[at + 3]
        found[body[at] << 8 | body[at + 1]] = body[at + 4 : at + 4 + size]
        at += 4 + size
    return found
