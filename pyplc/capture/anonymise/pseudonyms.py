"""Pseudonyms: of the same length and kind as what they stand for, the same for the same, drawn from a secret.

Without the secret nobody can tell what a pseudonym stands for; with the same secret several captures get the same ones.
What says nothing (zeros, broadcast, well-known groups and modems) stays.
"""

from __future__ import annotations

import hmac
import re
import secrets
from typing import Any

from ...slac.keys import nid_of
from ...slac.mme import LOCAL_MODEM

TRIES = 64
GROUPS = tuple(map(bytes.fromhex, ("01005e", "0180c2", "011b19", "01000c")))
"""Multicast addresses that name a protocol and nobody."""
KEPT_WORDS = frozenset(("V2G", "OEM", "MO", "CPO", "CPS"))
"""Domain components of V2G certificates: they say what a certificate is for."""
_PLACE = re.compile(r"[A-Z]{2}[A-Z0-9]{3}[EC]")
_WORD = re.compile(r"[^A-Za-z0-9]")


class Pseudonyms:
    """Everything that was replaced, by kind and value: `known[kind, value]` is the pseudonym."""

    def __init__(self, secret: bytes | None = None) -> None:
        self._secret = secret or secrets.token_bytes(32)
        self.known: dict[tuple[str, Any], Any] = {}
        self._taken: set[tuple[str, Any]] = set()
        self.addresses: dict[bytes, bytes] = {}
        """Last three bytes of the unicast IPv6 addresses of the capture, and the whole address."""
        self.nmks: dict[bytes, bytes] = {}
        """First six bytes of a NID, and the NMK it is of."""

    def _draw(self, kind: str, value: bytes, size: int) -> bytes:
        out = b""
        while len(out) < size:
            count = (len(out) // 32).to_bytes(4, "big")
            out += hmac.digest(self._secret, kind.encode() + b"\0" + count + value, "sha256")
        return out[:size]

    def _new(self, kind: str, value: Any, key: bytes, size: int, make: Any) -> Any:
        """A pseudonym that stands for nothing else and is not the value itself."""
        if (kind, value) in self.known:
            return self.known[kind, value]
        for number in range(TRIES):
            made = make(self._draw(kind, key + bytes((number,)), size))
            if made != value and (kind, made) not in self._taken:
                break
        self._taken.add((kind, made))
        self.known[kind, value] = made
        return made

    def raw(self, value: bytes, kind: str = "bytes") -> bytes:
        """Bytes: keys, session ids, signatures."""
        if not any(value) or value.count(0xFF) == len(value):
            return value
        return bytes(self._new(kind, bytes(value), bytes(value), len(value), bytes))

    def number(self, value: int) -> int:
        """A serial number; numbers of one byte say nothing."""
        size = (value.bit_length() + 7) // 8
        if abs(value) < 256:
            return value
        top = value >> 8 * (size - 1)
        key = value.to_bytes(size + 1, "big", signed=True)
        return int(self._new("number", value, key, size - 1, lambda new: int.from_bytes(bytes((top,)) + new, "big")))

    def station(self, value: bytes) -> bytes:
        """A MAC address or EVCCID as a locally administered unicast address; zeros behind the sixth byte stay."""
        if len(value) < 6 or not any(value[:6]):
            return self.raw(value)
        mac = value[:6]
        if mac in (LOCAL_MODEM, b"\xff" * 6):
            return value
        rest = value[6:] if not any(value[6:]) else self.raw(value[6:])
        return bytes(self._new("mac", mac, mac, 6, lambda new: bytes((new[0] & 0xFC | 2,)) + new[1:])) + rest

    def mac(self, value: bytes) -> bytes:
        """A link address: of a station, or of a group."""
        if len(value) != 6 or not value[0] & 1:
            return self.station(value)
        if value[:2] == b"\x33\x33":
            return value[:2] + self._group(value[2:])
        if value.startswith(GROUPS) or value == b"\xff" * 6:
            return value
        return bytes(self._new("group", value, value, 6, lambda new: bytes((new[0] | 3,)) + new[1:]))

    def _group(self, low: bytes) -> bytes:
        """The last four bytes of an IPv6 group."""
        if low[0] == 0xFF:  # solicited node: the last three bytes of an address
            address = self.addresses.get(low[1:])
            return b"\xff" + (self.ip(address)[13:] if address is not None else self.raw(low[1:], "low"))
        return low if low[:2] == b"\0\0" else self.raw(low, "low")

    def ip(self, value: bytes) -> bytes:
        """An IPv4 or IPv6 address."""
        if len(value) == 4:
            if value[0] in (0, 127) or value[0] >= 224:
                return value
            return bytes(self._new("ip", value, value, 3, lambda new: b"\x0a" + new))
        if value[0] == 0xFF:
            return value[:12] + self._group(value[12:])
        if not any(value[:15]):
            return value
        return bytes(self._new("ip", value, value, 0, lambda _: self._unicast(value)))

    def _unicast(self, value: bytes) -> bytes:
        prefix = value[:8]
        if prefix[0] != 0xFE:  # link-local ones have no prefix of their own
            prefix = b"\xfd" + self._draw("prefix", prefix, 7)
        return prefix + self._interface(value[8:])

    def _interface(self, value: bytes) -> bytes:
        """The interface id: made of the MAC where it was."""
        if value[3:5] == b"\xff\xfe":
            new = self.station(bytes((value[0] ^ 2,)) + value[1:3] + value[5:])
            return bytes((new[0] ^ 2,)) + new[1:3] + b"\xff\xfe" + new[3:]
        return self.raw(value, "interface")

    def nmk(self, value: bytes) -> bytes:
        """A network's key."""
        return self.raw(value, "nmk")

    def nid(self, value: bytes) -> bytes:
        """A network's id: that of the new key, where the key is known."""
        nmk = self.nmks.get(value[:6])
        if nmk is None or value[:6] != nid_of(nmk)[:6]:
            return self.raw(value, "nid")
        new = nid_of(self.nmk(nmk), value[6] >> 4)
        self.known["nid", value] = new
        return new

    def text(self, value: str) -> str:
        """An identifier people read: letters stay letters, digits digits, and the E or C of EVSEID and EMAID stays.

        It does not matter whether it is written with separators.
        """
        word = _WORD.sub("", value).upper()
        if not word or value.upper() in KEPT_WORDS:
            return value
        if (mac := self._hex_of_mac(word)) is not None:
            return _like(value, mac)
        kept = 5 if _PLACE.match(word) else None
        new = self._new("word", word, word.encode(), len(word), lambda drawn: _word(word, drawn, kept))
        made = _like(value, new)
        self.known["text", value] = made
        return made

    def _hex_of_mac(self, word: str) -> str | None:
        if not re.fullmatch(r"[0-9A-F]{12}", word):
            return None
        found = self.known.get(("mac", bytes.fromhex(word)))
        return found.hex().upper() if found is not None else None

    def name(self, value: str) -> str:
        """A distinguished name: the values of its parts."""
        parts = (part.partition("=") for part in value.split(","))
        return ",".join(key + sign + (self.text(of) if sign else "") for key, sign, of in parts)


def _word(word: str, drawn: bytes, kept: int | None) -> str:
    letters = (chr(65 + new % 26) if old.isalpha() else str(new % 10) for old, new in zip(word, drawn, strict=True))
    return "".join(word[i] if i == kept else letter for i, letter in enumerate(letters))


def _like(value: str, word: str) -> str:
    """The letters and digits of `word` in the dress of `value`; letters that are not in ASCII become x."""
    rest = iter(word)
    out = []
    for character in value:
        if _WORD.match(character):
            out.append("x" if character.isalnum() else character)
        else:
            new = next(rest)
            out.append(new.lower() if character.islower() else new)
    return "".join(out)
