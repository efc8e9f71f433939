"""Certificates with other names, numbers and keys, but the same shape: dates, algorithms, usages and lengths stay.

The DER of X.509 is walked; what is a name, a number, a key, an id or a signature is replaced by as many bytes. So the
result can be read by every tool, though its signature and its key are of course no longer any.
"""

from __future__ import annotations

from .pseudonyms import Pseudonyms

INTEGER, BITS, OCTETS = 0x02, 0x03, 0x04
STRINGS = (0x0C, 0x12, 0x13, 0x14, 0x16, 0x1A, 0x1E)
CONSTRUCTED, CONTEXT = 0x20, 0x80
KEPT = 8
"""Shorter octet strings (path lengths, usages) say nothing."""


class _NoDer(ValueError):
    """Bytes that are no DER."""


def pseudonymous(data: bytes, names: Pseudonyms) -> bytes:
    """A certificate with pseudonyms, as long as it was; what is no DER is replaced as a whole."""
    try:
        return _sequence(data, names, 0)
    except _NoDer:
        return names.raw(data)


def _sequence(data: bytes, names: Pseudonyms, depth: int) -> bytes:
    """Neighbouring values; _NoDer where they do not fill `data`."""
    out, at = b"", 0
    while at < len(data):
        start = _content(data, at)
        size = _length(data, at)
        if start + size > len(data) or depth > 20:
            raise _NoDer
        out += data[at:start] + _value(data[at], data[start : start + size], names, depth)
        at = start + size
    return out


def _content(data: bytes, at: int) -> int:
    if len(data) < at + 2:
        raise _NoDer
    return at + 2 + (data[at + 1] & 0x7F if data[at + 1] & 0x80 else 0)


def _length(data: bytes, at: int) -> int:
    short = data[at + 1]
    if short < 0x80:
        return short
    count = short & 0x7F
    if not 1 <= count <= 3 or len(data) < at + 2 + count:
        raise _NoDer
    return int.from_bytes(data[at + 2 : at + 2 + count], "big")


def _value(tag: int, value: bytes, names: Pseudonyms, depth: int) -> bytes:
    if tag & CONSTRUCTED:
        return _sequence(value, names, depth + 1)
    if tag == INTEGER:
        return names.number(int.from_bytes(value, "big", signed=True)).to_bytes(len(value), "big", signed=True)
    if tag == BITS:
        return _bits(value, names, depth)
    if tag in STRINGS:
        return _text(value, names)
    if tag == OCTETS or tag & 0xC0 == CONTEXT:
        return _octets(value, names, depth)
    return value


def _bits(value: bytes, names: Pseudonyms, depth: int) -> bytes:
    """Usages are short; a signature or key is DER or a point that begins with 04."""
    if len(value) <= 4:
        return value
    try:
        return value[:1] + _sequence(value[1:], names, depth + 1)
    except _NoDer:
        return value[:2] + names.raw(value[2:])


def _octets(value: bytes, names: Pseudonyms, depth: int) -> bytes:
    try:
        return _sequence(value, names, depth + 1)
    except _NoDer:
        pass
    if all(32 <= octet < 127 for octet in value):
        return _text(value, names)
    return names.raw(value) if len(value) >= KEPT else value


def _text(value: bytes, names: Pseudonyms) -> bytes:
    return names.text(value.decode("latin-1")).encode("latin-1", "replace")
