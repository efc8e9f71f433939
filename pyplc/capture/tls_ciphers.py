"""Opening TLS records with known secrets: AES-CBC with either order of the MAC and AEAD of TLS 1.2, AEAD of TLS 1.3.

RFC 5246 (PRF, CBC), RFC 5288 and 7905 (AEAD in 1.2), RFC 7366 (encrypt-then-MAC), RFC 8446 section 7 (TLS 1.3). After
a lost record the sequence number is looked for ahead: CBC can be read without it (its MAC then tells the number), AEAD
cannot.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any, NamedTuple, Protocol

from .tls_records import Record

LOOKAHEAD = 64
"""Sequence numbers tried after a lost record."""


class Suite(NamedTuple):
    """`cipher` is cbc, gcm, ccm, ccm8 or chacha; `mac` the hash of CBC's MAC; `hash` of the key derivation."""

    name: str
    cipher: str
    key: int
    hash: str
    mac: str = ""


SUITES = {
    0x1301: Suite("TLS_AES_128_GCM_SHA256", "gcm", 16, "sha256"),
    0x1302: Suite("TLS_AES_256_GCM_SHA384", "gcm", 32, "sha384"),
    0x1303: Suite("TLS_CHACHA20_POLY1305_SHA256", "chacha", 32, "sha256"),
    0x1304: Suite("TLS_AES_128_CCM_SHA256", "ccm", 16, "sha256"),
    0xC004: Suite("TLS_ECDH_ECDSA_WITH_AES_128_CBC_SHA", "cbc", 16, "sha256", "sha1"),
    0xC009: Suite("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "cbc", 16, "sha256", "sha1"),
    0xC00A: Suite("TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", "cbc", 32, "sha256", "sha1"),
    0xC013: Suite("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "cbc", 16, "sha256", "sha1"),
    0xC014: Suite("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "cbc", 32, "sha256", "sha1"),
    0xC023: Suite("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", "cbc", 16, "sha256", "sha256"),
    0xC024: Suite("TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384", "cbc", 32, "sha384", "sha384"),
    0xC025: Suite("TLS_ECDH_ECDSA_WITH_AES_128_CBC_SHA256", "cbc", 16, "sha256", "sha256"),
    0xC026: Suite("TLS_ECDH_ECDSA_WITH_AES_256_CBC_SHA384", "cbc", 32, "sha384", "sha384"),
    0xC027: Suite("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", "cbc", 16, "sha256", "sha256"),
    0xC02B: Suite("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "gcm", 16, "sha256"),
    0xC02C: Suite("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "gcm", 32, "sha384"),
    0xC02F: Suite("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "gcm", 16, "sha256"),
    0xC030: Suite("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "gcm", 32, "sha384"),
    0xC0AC: Suite("TLS_ECDHE_ECDSA_WITH_AES_128_CCM", "ccm", 16, "sha256"),
    0xC0AE: Suite("TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8", "ccm8", 16, "sha256"),
    0xCCA9: Suite("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "chacha", 32, "sha256"),
}
"""Suites that can be opened: those of ISO 15118 and what stacks of the field offer beside them."""


class Opened(NamedTuple):
    """The inside of a record; `verified` is False where only the padding was right."""

    type: int
    data: bytes
    verified: bool = True


class Opener(Protocol):
    """One direction of a connection; None for a record that is not to be opened."""

    def open(self, record: Record) -> Opened | None: ...


def prf(name: str, secret: bytes, label: bytes, seed: bytes, size: int) -> bytes:
    """The pseudo-random function of TLS 1.2, RFC 5246 section 5."""
    seed = label + seed
    out, a = b"", seed
    while len(out) < size:
        a = hmac.digest(secret, a, name)
        out += hmac.digest(secret, a + seed, name)
    return out[:size]


def expand_label(name: str, secret: bytes, label: str, size: int) -> bytes:
    """HKDF-Expand-Label with an empty context, RFC 8446 section 7.1."""
    full = b"tls13 " + label.encode()
    info = size.to_bytes(2, "big") + bytes((len(full),)) + full + b"\0"
    out, block, count = b"", b"", 1
    while len(out) < size:
        block = hmac.digest(secret, block + info + bytes((count,)), name)
        out, count = out + block, count + 1
    return out[:size]


def _aead(cipher: str, key: bytes) -> Any:
    from cryptography.hazmat.primitives.ciphers import aead

    if cipher == "chacha":
        return aead.ChaCha20Poly1305(key)
    return aead.AESGCM(key) if cipher == "gcm" else aead.AESCCM(key, tag_length=8 if cipher == "ccm8" else 16)


def _try(aead: Any, nonce: bytes, data: bytes, extra: bytes) -> bytes | None:
    from cryptography.exceptions import InvalidTag

    try:
        plain: bytes = aead.decrypt(nonce, data, extra)
    except (InvalidTag, ValueError):
        return None
    return plain


def openers12(suite: Suite, master: bytes, randoms: tuple[bytes, bytes], mac_last: bool) -> tuple[Opener, Opener]:
    """Client's and server's opener of TLS 1.2; `randoms` are client's and server's, `mac_last` is encrypt-then-MAC."""
    mac = hashlib.new(suite.mac).digest_size if suite.mac else 0
    iv = 0 if suite.mac else 12 if suite.cipher == "chacha" else 4
    block = prf(suite.hash, master, b"key expansion", randoms[1] + randoms[0], 2 * (mac + suite.key + iv))
    parts, at = [], 0
    for size in (mac, mac, suite.key, suite.key, iv, iv):
        parts.append(block[at : at + size])
        at += size
    if suite.mac:
        return tuple(Cbc(suite.mac, parts[i], parts[2 + i], mac_last) for i in (0, 1))  # type: ignore[return-value]
    return tuple(Aead12(suite.cipher, parts[2 + i], parts[4 + i]) for i in (0, 1))  # type: ignore[return-value]


class Cbc:
    """AES-CBC with HMAC; the order of the MAC is turned round once if the agreed one does not verify."""

    def __init__(self, mac: str, mac_key: bytes, key: bytes, mac_last: bool) -> None:
        self._mac, self._mac_key, self._key = mac, mac_key, key
        self._size = hashlib.new(mac).digest_size
        self._mac_last = mac_last
        self._sequence = 0
        self._sure = False

    def open(self, record: Record) -> Opened | None:
        found = self._open(record, self._mac_last)
        if not self._sure and (found is None or not found.verified):
            other = self._open(record, not self._mac_last)
            if other is not None and other.verified:
                self._mac_last, found = not self._mac_last, other
        self._sure = self._sure or (found is not None and found.verified)
        return found

    def _open(self, record: Record, mac_last: bool) -> Opened | None:
        body, mac = record.fragment, b""
        if mac_last:
            body, mac = body[: -self._size], body[-self._size :]
        if len(body) < 32 or len(body) % 16:
            return None
        plain = self._decrypt(body)
        pad = plain[-1] + 1
        if pad > len(plain) or plain[-pad:] != bytes((pad - 1,)) * pad:
            return None
        plain = plain[:-pad]
        if mac_last:
            return Opened(record.type, plain, self._verified(record, body, mac))
        if len(plain) < self._size:
            return None
        plain, mac = plain[: -self._size], plain[-self._size :]
        return Opened(record.type, plain, self._verified(record, plain, mac))

    def _decrypt(self, body: bytes) -> bytes:
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        decryptor = Cipher(algorithms.AES(self._key), modes.CBC(body[:16])).decryptor()
        return decryptor.update(body[16:]) + decryptor.finalize()

    def _verified(self, record: Record, covered: bytes, mac: bytes) -> bool:
        head = record.header[:3] + len(covered).to_bytes(2, "big") + covered
        for number in range(self._sequence, self._sequence + LOOKAHEAD + 1):
            if hmac.digest(self._mac_key, number.to_bytes(8, "big") + head, self._mac) == mac:
                self._sequence = number + 1
                return True
        return False


class Aead12:
    """AEAD of TLS 1.2: the nonce stands in the record (ChaCha: is the number), the number is in the extra data."""

    def __init__(self, cipher: str, key: bytes, iv: bytes) -> None:
        self._aead, self._iv = _aead(cipher, key), iv
        self._explicit = 0 if cipher == "chacha" else 8
        self._tag = 8 if cipher == "ccm8" else 16
        self._sequence = 0

    def open(self, record: Record) -> Opened | None:
        nonce, body = record.fragment[: self._explicit], record.fragment[self._explicit :]
        if len(body) < self._tag:
            return None
        size = (len(body) - self._tag).to_bytes(2, "big")
        for number in range(self._sequence, self._sequence + LOOKAHEAD + 1):
            count = number.to_bytes(8, "big")
            full = self._iv + nonce if nonce else _xor(self._iv, number)
            plain = _try(self._aead, full, body, count + record.header[:3] + size)
            if plain is not None:
                self._sequence = number + 1
                return Opened(record.type, plain)
        return None


def _xor(iv: bytes, number: int) -> bytes:
    return (int.from_bytes(iv, "big") ^ number).to_bytes(len(iv), "big")


class _Generation:
    """The keys of one traffic secret."""

    def __init__(self, suite: Suite, secret: bytes) -> None:
        self.suite, self.secret = suite, secret
        self._aead = _aead(suite.cipher, expand_label(suite.hash, secret, "key", suite.key))
        self._iv = expand_label(suite.hash, secret, "iv", 12)
        self.sequence = 0

    def open(self, record: Record, ahead: range) -> bytes | None:
        for number in ahead:
            plain = _try(self._aead, _xor(self._iv, self.sequence + number), record.fragment, record.header)
            if plain is not None:
                self.sequence += number + 1
                return plain
        return None

    def updated(self) -> _Generation:
        size = hashlib.new(self.suite.hash).digest_size
        return _Generation(self.suite, expand_label(self.suite.hash, self.secret, "traffic upd", size))


class Aead13:
    """TLS 1.3: handshake secret (if known), then traffic secret, then one after each KeyUpdate.

    A record that the present keys do not open is tried with the next ones, so that nothing in between must be seen.
    """

    def __init__(self, suite: Suite, handshake: bytes | None, traffic: bytes | None) -> None:
        known = [_Generation(suite, secret) for secret in (handshake, traffic) if secret is not None]
        self._now = known[0]
        self._next = known[1] if len(known) > 1 else None

    def open(self, record: Record) -> Opened | None:
        plain = self._now.open(record, range(1))
        if plain is not None:
            return _inner(plain)
        if self._next is None:
            self._next = self._now.updated()
        for ahead in (range(1), range(1, LOOKAHEAD + 1)):
            for generation in (self._now, self._next):
                plain = generation.open(record, ahead)
                if plain is not None:
                    if generation is self._next:
                        self._now, self._next = generation, None
                    return _inner(plain)
        return None


def _inner(plain: bytes) -> Opened:
    """The content type is the last byte that is not zero, RFC 8446 section 5.4."""
    stripped = plain.rstrip(b"\0")
    return Opened(stripped[-1], stripped[:-1]) if stripped else Opened(0, b"")
