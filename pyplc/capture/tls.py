"""One TLS connection of a capture: its hellos, its keys by client random, and what its records say.

Records that come before their keys wait (`WAITING` bytes); their plain text keeps the frame and time of the record.
"""

from __future__ import annotations

from collections import deque
from typing import Any, NamedTuple

from .keylog import KeyLog
from .tls_ciphers import SUITES, Aead13, Opened, Opener, Suite, openers12
from .tls_records import (
    ALERT,
    APPLICATION,
    CHANGE_CIPHER,
    HANDSHAKE,
    RETRY,
    TLS13,
    Hello,
    Record,
    Records,
    hellos,
)

WAITING = 1 << 20
HELLO, NEGOTIATED, KEYS, NO_KEYS, ALERTED, UNREADABLE, UNVERIFIED = (
    "hello", "negotiated", "keys found", "keys missing", "alert", "unreadable record", "unverified record",
)  # fmt: skip
ALERTS = {
    0: "close_notify", 10: "unexpected_message", 20: "bad_record_mac", 22: "record_overflow", 40: "handshake_failure",
    42: "bad_certificate", 43: "unsupported_certificate", 44: "certificate_revoked", 45: "certificate_expired",
    46: "certificate_unknown", 47: "illegal_parameter", 48: "unknown_ca", 49: "access_denied", 50: "decode_error",
    51: "decrypt_error", 70: "protocol_version", 71: "insufficient_security", 80: "internal_error",
    86: "inappropriate_fallback", 90: "user_canceled", 109: "missing_extension", 110: "unsupported_extension",
    112: "unrecognized_name", 113: "bad_certificate_status_response", 116: "certificate_required",
    120: "no_application_protocol",
}  # fmt: skip
VERSIONS = {0x0301: "TLS 1.0", 0x0302: "TLS 1.1", 0x0303: "TLS 1.2", 0x0304: "TLS 1.3"}


class Note(NamedTuple):
    """Something to tell about the connection."""

    name: str
    text: str
    warning: bool = False


class Out(NamedTuple):
    """Plain text of one direction (0 or 1), a gap in it (None), or a note; `at` is the place it belongs to."""

    at: dict[str, Any]
    direction: int
    what: bytes | Note | None


class TlsConnection:
    """Takes the bytes of both directions; gives `Out`s. `client` is the direction of the client, where it is known."""

    def __init__(self, keys: KeyLog, client: int | None) -> None:
        self._keys = keys
        self._records = (Records(), Records())
        self._plain_handshake = [b"", b""]
        self._encrypted = [False, False]
        self._client = client
        self._client_random: bytes | None = None
        self._server: Hello | None = None
        self._is_13 = False
        self._openers: list[Opener | None] = [None, None]
        self._waiting: deque[tuple[dict[str, Any], int, Record | None]] = deque()
        self._waiting_bytes = 0
        self.lost = 0

    def feed(self, at: dict[str, Any], direction: int, data: bytes) -> list[Out]:
        """Bytes in order."""
        out: list[Out] = []
        for record in self._records[direction].feed(data):
            self._record(at, direction, record, out)
        return out

    def gap(self, at: dict[str, Any], direction: int) -> list[Out]:
        """Bytes of a direction are missing here."""
        self._records[direction].gap()
        self._plain_handshake[direction] = b""
        if self._waiting:
            self._waiting.append((at, direction, None))
            return []
        return [Out(at, direction, None)]

    def retry(self) -> list[Out]:
        """New keys may have come: what waits is opened, if they are the right ones."""
        if not self._waiting or not self._find_keys():
            return []
        out = [Out(self._waiting[0][0], self._waiting[0][1], Note(KEYS, self._found_text()))]
        while self._waiting:
            at, direction, record = self._waiting.popleft()
            if record is None:
                out.append(Out(at, direction, None))
            else:
                self._open(at, direction, record, out)
        self._waiting_bytes = 0
        return out

    def waits_for(self) -> bytes | None:
        """The client random whose keys are missing, if records wait for them."""
        return self._client_random if self._waiting or self.lost else None

    def unread(self, at: dict[str, Any]) -> list[Out]:
        """The capture is over: a note if records could not be read for want of keys."""
        if not self._waiting:
            return []
        count = sum(record is not None for _, _, record in self._waiting) + self.lost
        random = self._client_random
        why = f"the keys of client random {random.hex()} are not known" if random else "its hello is not in the capture"
        return [Out(at, self._waiting[-1][1], Note(NO_KEYS, f"{count} records are not read: {why}", warning=True))]

    def _record(self, at: dict[str, Any], direction: int, record: Record, out: list[Out]) -> None:
        if record.type == CHANGE_CIPHER:
            self._encrypted[direction] = not self._is_13
        elif record.type == APPLICATION or self._encrypted[direction]:
            self._protected(at, direction, record, out)
        elif record.type == HANDSHAKE:
            self._handshake(at, direction, record.fragment, out)
        elif record.type == ALERT:
            out.append(Out(at, direction, _alert(record.fragment)))

    def _handshake(self, at: dict[str, Any], direction: int, data: bytes, out: list[Out]) -> None:
        whole = self._plain_handshake[direction] + data
        found = hellos(whole)
        self._plain_handshake[direction] = b"" if found or len(whole) > 1 << 16 else whole
        for hello in found:
            self._client = direction if hello.client else 1 - direction
            if hello.client:
                if hello.random != self._client_random:
                    self._new(hello.random)
                out.append(Out(at, direction, Note(HELLO, _offer(hello))))
                continue
            self._is_13 = hello.version == TLS13
            if hello.random != RETRY:
                self._server = hello
                out.append(Out(at, direction, Note(NEGOTIATED, _choice(hello))))

    def _new(self, client_random: bytes) -> None:
        self._client_random, self._server = client_random, None
        self._openers, self._encrypted = [None, None], [False, False]

    def _protected(self, at: dict[str, Any], direction: int, record: Record, out: list[Out]) -> None:
        if self._openers[0] is None:
            if self._waiting or not self._find_keys():
                self._wait(at, direction, record)
                return
            out.append(Out(at, direction, Note(KEYS, self._found_text())))
        self._open(at, direction, record, out)

    def _wait(self, at: dict[str, Any], direction: int, record: Record) -> None:
        self._waiting.append((at, direction, record))
        self._waiting_bytes += len(record.fragment)
        while self._waiting_bytes > WAITING:
            _, _, oldest = self._waiting.popleft()
            self._waiting_bytes -= len(oldest.fragment) if oldest else 0
            self.lost += 1

    def _find_keys(self) -> bool:
        """Make openers from the secrets of this session, if they are known by now."""
        secrets = self._keys.of(self._client_random)
        client = self._client if self._client is not None else 0
        made = self._openers12(secrets) or self._openers13(secrets)
        if made is None:
            return False
        self._openers[client], self._openers[1 - client] = made
        return True

    def _openers12(self, secrets: dict[str, bytes]) -> tuple[Opener, Opener] | None:
        master, server = secrets.get("CLIENT_RANDOM"), self._server
        if master is None or server is None or server.version == TLS13 or self._client_random is None:
            return None
        suite = SUITES.get(server.suites[0])
        if suite is None:
            return None
        return openers12(suite, master, (self._client_random, server.random), server.encrypt_then_mac)

    def _openers13(self, secrets: dict[str, bytes]) -> tuple[Opener, Opener] | None:
        if "CLIENT_TRAFFIC_SECRET_0" not in secrets or "SERVER_TRAFFIC_SECRET_0" not in secrets:
            return None
        chosen = SUITES.get(self._server.suites[0]) if self._server is not None else None
        size = len(secrets["CLIENT_TRAFFIC_SECRET_0"])
        suites = [chosen] if chosen else [SUITES[0x1302]] if size == 48 else [SUITES[0x1303], SUITES[0x1301]]
        pairs = [
            (secrets.get(f"{who}_HANDSHAKE_TRAFFIC_SECRET"), secrets[f"{who}_TRAFFIC_SECRET_0"])
            for who in ("CLIENT", "SERVER")
        ]
        made = [_any_of([Aead13(suite, *pair) for suite in suites]) for pair in pairs]
        return made[0], made[1]

    def _open(self, at: dict[str, Any], direction: int, record: Record, out: list[Out]) -> None:
        opener = self._openers[direction]
        opened = opener.open(record) if opener is not None else None
        if opened is None:
            self.lost += 1
            out.append(Out(at, direction, None))
            text = f"a record of {len(record.fragment)} bytes is not opened by the keys"
            out.append(Out(at, direction, Note(UNREADABLE, text, warning=True)))
            return
        if not opened.verified:
            out.append(Out(at, direction, Note(UNVERIFIED, "the MAC of a record does not verify", warning=True)))
        if opened.type == APPLICATION:
            out.append(Out(at, direction, opened.data))
        elif opened.type == ALERT:
            out.append(Out(at, direction, _alert(opened.data)))

    def _found_text(self) -> str:
        return f"the keys of client random {(self._client_random or b'').hex()[:16]}... are known"


class _Any:
    """Several openers of which one is right: the suite is not in the capture."""

    def __init__(self, openers: list[Aead13]) -> None:
        self._openers = openers

    def open(self, record: Record) -> Opened | None:
        for opener in self._openers:
            found = opener.open(record)
            if found is not None:
                self._openers = [opener]
                return found
        return None


def _any_of(openers: list[Aead13]) -> Opener:
    return openers[0] if len(openers) == 1 else _Any(openers)


def suite_name(number: int) -> str:
    """The name of a suite, or its number."""
    suite: Suite | None = SUITES.get(number)
    return suite.name if suite else f"suite {number:#06x}"


def _offer(hello: Hello) -> str:
    names = [suite_name(number) for number in hello.suites if number in SUITES]
    return f"{len(hello.suites)} suites offered, of V2G: {', '.join(names) or 'none'}"


def _choice(hello: Hello) -> str:
    order = ", encrypt-then-MAC" if hello.encrypt_then_mac else ""
    version = VERSIONS.get(hello.version, f"version {hello.version:#06x}")
    return f"{version}, {suite_name(hello.suites[0])}{order}"


def _alert(data: bytes) -> Note:
    if len(data) < 2:
        return Note(ALERTED, "an alert that is cut", warning=True)
    name = ALERTS.get(data[1], f"alert {data[1]}")
    return Note(ALERTED, name, warning=data[1] != 0)
