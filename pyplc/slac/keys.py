"""Keys of HomePlug networks: NMK (network membership key, 16 bytes) and NID (network id, 7 bytes)."""

from __future__ import annotations

import hashlib
import random

NMK_SALT = bytes.fromhex("08856daf7cf58186")
DAK_SALT = bytes.fromhex("08856daf7cf58185")


def nid_of(nmk: bytes, level: int = 0) -> bytes:
    """The NID of an NMK: five times SHA-256; the top nibble of the last byte is the security level (0 for SLAC)."""
    digest = nmk
    for _ in range(5):
        digest = hashlib.sha256(digest).digest()
    return digest[:6] + bytes((digest[6] >> 4 | level << 4,))


def from_password(password: str, salt: bytes = NMK_SALT) -> bytes:
    """The NMK (or with `DAK_SALT` the DAK) of a password: a thousand times SHA-256."""
    digest = password.encode() + salt
    for _ in range(1000):
        digest = hashlib.sha256(digest).digest()
    return digest[:16]


def random_nmk(rng: random.Random) -> bytes:
    """A fresh NMK; give it `random.SystemRandom` outside simulations."""
    return rng.getrandbits(128).to_bytes(16, "big")
