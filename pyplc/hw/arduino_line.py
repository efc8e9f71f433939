"""The lines between pyplc and its own firmware (`firmware/`): frames with a checksum, fields with limits.

    :KIND field field ...*CRC        CRC-16/XMODEM of what is between : and *, four hex digits; ends with a newline

Host and emulated board both speak through this module; `docs/reference/firmware-protocol.md` explains the fields.
"""

from __future__ import annotations

import binascii
import enum
import re
from typing import NamedTuple

from .ports import PilotState

PROTOCOL = 1
"""A firmware with another number is not obeyed."""
BAUD = 38400
LONGEST_BODY = 39
"""What is longer, the firmware does not hold."""
MAX_DUTY = 970


class Flag(enum.IntFlag):
    """What the board says of itself."""

    TRIPPED = 1
    """In the safe state: it obeys nothing but an order that wants nothing."""
    EMERGENCY = 2
    """The emergency input is open."""
    CONTACTOR_CLOSED = 4
    """The auxiliary contacts say so."""
    LOCK_JAMMED = 8
    DIODE_FAULT = 16
    """The charger's diode check: the low level is not at -12 V."""
    BLIND = 32
    """It cannot measure the pilot."""
    HOST_SILENT = 64
    """It tripped because no order came for a second."""
    PILOT_GONE = 128
    """It tripped because the pilot left states B, C and D while a relay was closed."""
    TEST_LIVE = 256
    """It tripped because a relay that was tried met voltage or something plugged in."""


class Order(NamedTuple):
    """What the host wants."""

    seq: int
    state: str
    """Vehicle: B, C, D. Charger: N (oscillator or +12 V), F (-12 V). Both: S, go down safely by
    yourself; T, try relays with nothing plugged in."""
    duty: int
    """Per mille; 0: steady."""
    relays: int
    locked: bool

    def encode(self) -> bytes:
        lock = "L" if self.locked else "U"
        return frame(f"O {self.seq} {self.state} {self.duty} {self.relays} {lock}")


class Ask(NamedTuple):
    """The host asks for the version."""

    seq: int

    def encode(self) -> bytes:
        return frame(f"V {self.seq}")


class Version(NamedTuple):
    """Who the board is. `seq` 0: it has just restarted."""

    seq: int
    protocol: int
    role: str
    """ "vehicle" or "charger"."""
    version: str
    uptime_ms: int

    def encode(self) -> bytes:
        return frame(f"V {self.seq} {self.protocol} {self.role[0].upper()} {self.version} {self.uptime_ms}")


class Status(NamedTuple):
    """What the board measures and does. Voltages in V, None: no reading."""

    seq: int
    """Of the last order that was obeyed."""
    uptime_ms: int
    flags: Flag
    state: PilotState
    duty_percent: float | None
    high: float
    low: float
    proximity: float | None
    inlet: float | None
    relays: int
    lock: str
    """L locked, U unlocked, M moving."""

    def encode(self) -> bytes:
        proximity = "-" if self.proximity is None else f"{self.proximity * 1000:.0f}"
        inlet = "-" if self.inlet is None else f"{self.inlet * 10:.0f}"
        return frame(
            f"S {self.seq} {self.uptime_ms} {int(self.flags)} {self.state.value} {(self.duty_percent or 0) * 10:.0f} "
            f"{self.high * 100:.0f} {self.low * 100:.0f} {proximity} {inlet} {self.relays} {self.lock}"
        )


ROLES = {"V": "vehicle", "C": "charger"}
_ORDER = re.compile(r"O (\d{1,5}) ([BCDNFST]) (\d{1,4}) (\d) ([LU])")
_ASK = re.compile(r"V (\d{1,5})")
_VERSION = re.compile(r"V (\d{1,5}) (\d{1,5}) ([VC]) ([0-9A-Za-z.-]{1,12}) (\d{1,10})")
_STATUS = re.compile(
    r"S (\d{1,5}) (\d{1,10}) (\d{1,3}) ([A-F]) (\d{1,4}) (-?\d{1,4}) (-?\d{1,4}) (\d{1,4}|-) (\d{1,5}|-) (\d) ([LUM])"
)
MAX_SEQ = 0xFFFF
MAX_UPTIME = 0xFFFFFFFF
MAX_FLAGS = 0x1FF
MAX_PILOT_V = 15.0
MAX_PROXIMITY_V = 5.01
MAX_INLET_V = 1500.0


def frame(body: str) -> bytes:
    """A body as it goes on the line."""
    data = body.encode("ascii")
    return b":%s*%04X\n" % (data, binascii.crc_hqx(data, 0))


def body(line: bytes) -> str | None:
    """The body of a line without its end, whatever noise stood before; None when it is no frame."""
    _, colon, rest = line.rpartition(b":")
    data, star, crc = rest.rpartition(b"*")
    if not colon or not star or crc != b"%04X" % binascii.crc_hqx(data, 0) or not data.isascii():
        return None
    return data.decode("ascii")


def from_board(line: bytes) -> Version | Status | None:
    """What a board said; None for what is garbled or impossible."""
    text = body(line)
    if text is None:
        return None
    if match := _VERSION.fullmatch(text):
        seq, protocol, role, version, uptime = match.groups()
        return Version(int(seq), int(protocol), ROLES[role], version, int(uptime)) if int(seq) <= MAX_SEQ else None
    if match := _STATUS.fullmatch(text):
        return _status(*match.groups())
    return None


def _status(*fields: str) -> Status | None:
    seq, uptime, flags, state, duty, high, low, proximity, inlet, relays, lock = fields
    status = Status(
        int(seq),
        int(uptime),
        Flag(int(flags) & MAX_FLAGS),
        PilotState(state),
        int(duty) / 10 if int(duty) else None,
        int(high) / 100,
        int(low) / 100,
        None if proximity == "-" else int(proximity) / 1000,
        None if inlet == "-" else int(inlet) / 10,
        int(relays),
        lock,
    )
    possible = (
        status.seq <= MAX_SEQ
        and status.uptime_ms <= MAX_UPTIME
        and int(flags) <= MAX_FLAGS
        and (status.duty_percent or 0) < 100
        and abs(status.high) <= MAX_PILOT_V
        and abs(status.low) <= MAX_PILOT_V
        and (status.proximity or 0) <= MAX_PROXIMITY_V
        and (status.inlet or 0) <= MAX_INLET_V
        and status.relays <= 3
    )
    return status if possible else None


def from_host(line: bytes) -> Order | Ask | None:
    """What a host said, as the firmware judges it; None for what it ignores."""
    text = body(line)
    if text is None or len(text) > LONGEST_BODY:
        return None
    if match := _ASK.fullmatch(text):
        return Ask(int(match[1])) if int(match[1]) <= MAX_SEQ else None
    if match := _ORDER.fullmatch(text):
        order = Order(int(match[1]), match[2], int(match[3]), int(match[4]), match[5] == "L")
        return order if order.seq <= MAX_SEQ and order.duty <= MAX_DUTY and order.relays <= 3 else None
    return None
