"""Known identifiers in free text (comments, log lines, testers' values), however they are written there."""

from __future__ import annotations

import base64
import re
import socket
from collections.abc import Iterator
from typing import Any

from .pseudonyms import Pseudonyms

SHORTEST = 4
"""Shorter identifiers would be found where they are not meant."""
_MAC = r"(?<![0-9A-Fa-f:])(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}(?![0-9A-Fa-f:])"
_SIX = r"(?<![0-9A-Fa-f:])[Ff][EeDdCc][0-9A-Fa-f]{0,2}:[0-9A-Fa-f:]{2,}"
_FOUR = r"(?<![\w.-])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![\w-]|\.[0-9])"  # versions of firmware have a dash
_SHAPES = re.compile(f"(?P<mac>{_MAC})|(?P<six>{_SIX})|(?P<four>{_FOUR})")


def telling(value: bytes) -> bool:
    """Is this long and varied enough to be an identifier wherever it stands?"""
    return len(value) >= SHORTEST and len(set(value)) >= min(4, len(value) - 1)


def forms(value: Any) -> Iterator[str]:
    """How people and programs write a value."""
    if isinstance(value, int):
        yield str(value)
        return
    if isinstance(value, str):
        yield value
        return
    text = value.hex()
    yield text
    yield text.upper()
    for sign in (":", "-", " "):
        yield value.hex(sign)
        yield value.hex(sign).upper()
    yield " ".join(map(hex, value))  # the log lines of pyPLC
    yield " ".join(f"0x{octet:02x}" for octet in value)
    yield base64.b64encode(value).decode()
    if len(value) in (4, 16):
        yield socket.inet_ntop(socket.AF_INET6 if len(value) == 16 else socket.AF_INET, value)


class Scrubber:
    """Replaces in text what `pseudonyms` knows, and whatever else looks like a MAC or IP address."""

    def __init__(self, pseudonyms: Pseudonyms) -> None:
        self._pseudonyms = pseudonyms
        self._known: dict[str, str] = {}
        self._raw: list[tuple[bytes, bytes]] = []
        for (kind, old), new in pseudonyms.known.items():
            raw = old.encode() if isinstance(old, str) else old if isinstance(old, bytes) else str(old).encode()
            if kind in ("word", "low") or len(raw) < SHORTEST or not (telling(raw) or len(raw) >= 6):
                continue
            if isinstance(old, bytes) and telling(raw):
                self._raw.append((old, new))
            if kind == "interface":
                continue  # people write whole addresses
            for was, now in zip(forms(old), forms(new), strict=True):
                self._known.setdefault(was, now)
        longest_first = sorted(self._known, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def __call__(self, text: str) -> str:
        """The text without identifiers."""
        out, at = [], 0
        for found in self._pattern.finditer(text) if self._pattern else ():
            out += [self._shapes(text[at : found.start()]), self._known[found.group()]]
            at = found.end()
        return "".join([*out, self._shapes(text[at:])])

    def raw(self, data: bytes) -> bytes:
        """The same for bytes: identifiers as they are, and as text."""
        return self(self.bytes(data).decode("latin-1")).encode("latin-1", "replace")

    def bytes(self, data: bytes) -> bytes:
        """Bytes in which known identifiers stand as they are."""
        for old, new in self._raw:
            if old in data:
                data = data.replace(old, new)
        return data

    def _shapes(self, text: str) -> str:
        return _SHAPES.sub(self._shape, text)

    def _shape(self, found: re.Match[str]) -> str:
        word, names = found.group(), self._pseudonyms
        if found.lastgroup == "mac":
            sign = word[2]
            return names.mac(bytes.fromhex(word.replace(sign, ""))).hex(sign)
        family = socket.AF_INET6 if found.lastgroup == "six" else socket.AF_INET
        try:
            return socket.inet_ntop(family, names.ip(socket.inet_pton(family, word)))
        except OSError:
            return word  # only looks like an address
