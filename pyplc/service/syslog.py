"""Log lines as UDP syslog (RFC 3164): to a host, or broadcast on the powerline as pyPLC does it. Off by default.

On the powerline everybody hears the lines, the peer too; some do not like it.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from ..record import Record
from .log import ERROR, INFO, WARNING, Thinned, level_of

DAEMON = 3 << 3
"""The facility."""
PORT = 514
LONGEST = 700
"""Bytes of text in one datagram, as pyPLC cuts them."""
LEAST = {"error": ERROR, "warning": WARNING, "info": INFO + 1}
"""info lets everything through, down to readings."""

Send = Callable[[bytes], None]


class Syslog:
    """A record reader that hands lines of at least `level` to `send`; what cannot be sent is lost."""

    def __init__(self, send: Send, level: str = "info", close: Callable[[], None] = lambda: None) -> None:
        self._send = send
        self._least = LEAST[level]
        self._thinned = Thinned()
        self.close = close

    def __call__(self, record: Record) -> None:
        level = level_of(record)
        text = self._thinned(record)
        if text is None or level > self._least:
            return
        try:
            self._send(f"<{DAEMON | level}>pyplc: {record.side}: {text}".encode()[:LONGEST])
        except OSError:  # a network that is away, a queue that is full: a log line is not worth a charge
            pass


def to_host(found: tuple[Any, ...], level: str) -> Syslog:
    """Lines to what getaddrinfo found; OSError when there is no such kind of socket."""
    family, kind, number, _, address = found
    sock = socket.socket(family, kind, number)
    sock.setblocking(False)
    return Syslog(lambda data: _sent(sock, data, address), level, sock.close)


def to_powerline(link: Callable[[], tuple[Send, bytes] | None], level: str) -> Syslog:
    """Lines as broadcast frames on the modem's interface; `link` says how to send a whole Ethernet frame, and the own
    MAC, or None while there is no link."""

    def send(data: bytes) -> None:
        if (there := link()) is not None:
            there[0](broadcast(there[1], data + b"\0"))

    return Syslog(send, level)


def broadcast(mac: bytes, text: bytes) -> bytes:
    """An Ethernet frame from `mac`: IPv4 192.168.x.y (of the MAC) to everybody, UDP 65429 to 514, no checksums.

    The IPv4 header has one, unlike pyPLC's: receivers other than Wireshark drop the datagram without it.
    """
    udp = (65429).to_bytes(2, "big") + PORT.to_bytes(2, "big") + (8 + len(text)).to_bytes(2, "big") + bytes(2) + text
    head = bytes((0x45, 0)) + (20 + len(udp)).to_bytes(2, "big") + b"\x8a\x9f" + bytes(2) + bytes((128, 17))
    addresses = bytes((192, 168, mac[4], mac[5])) + b"\xff" * 4
    return b"\xff" * 6 + mac + b"\x08\x00" + head + _checksum(head + bytes(2) + addresses) + addresses + udp


def _checksum(header: bytes) -> bytes:
    total = sum(int.from_bytes(header[i : i + 2], "big") for i in range(0, len(header), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return (total ^ 0xFFFF).to_bytes(2, "big")


def host_of(to: str) -> tuple[str, int]:
    """Host and port of "host:port"; 514 without a port, an IPv6 address with a port in brackets."""
    host, colon, port = to.rpartition(":")
    if not colon or not port.isdigit() or (":" in host and not host.startswith("[")):
        return to.strip("[]"), PORT
    return host.strip("[]"), int(port)


def _sent(sock: socket.socket, data: bytes, address: Any) -> None:
    sock.sendto(data, address)
