"""What a reader of captures yields: one typed, immutable event for each thing that was seen, in the order of frames.

Every event knows its `frame` (number in the capture, from 1; of a message: the frame that completed it), `time`
(seconds since 1970, UTC) and the link addresses (6 bytes, or none where the link type has none). Events carry
declarations of storeys below (`slac` messages, `sdp` messages, EXI elements), never the state of a session.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

import msgspec

Side = Literal["ev", "evse", ""]
"""Who speaks; empty where the capture does not tell."""


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What every event has. `interface` is the number of the capture's interface (pcapng), else 0."""

    frame: int
    time: float
    source: bytes = b""
    destination: bytes = b""
    interface: int = 0


class Endpoint(msgspec.Struct, frozen=True, gc=False):
    """An IP address as people write it, and a port."""

    address: str
    port: int

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


SPEAKERS: dict[str, Side] = {
    "CM_SLAC_PARAM.REQ": "ev", "CM_START_ATTEN_CHAR.IND": "ev", "CM_MNBC_SOUND.IND": "ev", "CM_ATTEN_CHAR.RSP": "ev",
    "CM_VALIDATE.REQ": "ev", "CM_SLAC_MATCH.REQ": "ev",
    "CM_SLAC_PARAM.CNF": "evse", "CM_ATTEN_CHAR.IND": "evse", "CM_VALIDATE.CNF": "evse", "CM_SLAC_MATCH.CNF": "evse",
    "CM_ATTEN_PROFILE.IND": "evse", "VS_ATTEN_CHAR.IND": "evse",
}  # fmt: skip
"""Who says it in matching (ISO 15118-3 annex A); the last two are the charger's modem."""


class HomePlug(Event, frozen=True, kw_only=True, gc=False):
    """A HomePlug management message.

    `message` is the declared `slac.layout.Message` where the type is known and readable; `payload` begins behind FMI
    and OUI and includes padding.
    """

    name: str
    type: int
    version: int
    oui: bytes
    payload: bytes
    message: Any = None
    error: str | None = None

    @property
    def side(self) -> Side:
        """The side whose message this is in matching."""
        return SPEAKERS.get(self.name, "")


class Pilot(Event, frozen=True, kw_only=True, gc=False):
    """A modem reports the control pilot it measures. Volts, hertz, percent; `state` is a letter A to F or empty."""

    name: str
    state: str
    duty_percent: float | None
    frequency: float | None
    voltage: float | None


class Sdp(Event, frozen=True, kw_only=True, gc=False):
    """SECC discovery; `message` is a `sdp.messages` request or response, None with `error` where it is unreadable."""

    name: str
    side: Side
    sender: Endpoint
    receiver: Endpoint
    message: Any = None
    error: str | None = None


class Neighbour(Event, frozen=True, kw_only=True, gc=False):
    """ICMPv6 neighbour discovery: who asks for, or tells, the link address of `target`."""

    name: str
    sender: str
    receiver: str
    target: str
    link_address: bytes = b""


class Change(StrEnum):
    """What happened to a TCP connection."""

    OPEN = "open"
    """The first SYN."""
    MIDSTREAM = "mid-stream"
    """Data of a connection whose beginning is not in the capture."""
    CLOSE = "close"
    """A FIN, of the side named."""
    RESET = "reset"
    """A RST, of the side named; without data before it: refused."""
    GAP = "gap"
    """`missing` bytes of the side named are not in the capture (0: an unknown number)."""


class Connection(Event, frozen=True, kw_only=True, gc=False):
    """Something happened to TCP connection `connection` (numbered from 1 in a capture).

    `sender` and `receiver` are of the segment that shows it. `session` is 0 before the first V2G message.
    """

    change: Change
    connection: int
    session: int
    side: Side
    sender: Endpoint
    receiver: Endpoint
    missing: int = 0


class Message(Event, frozen=True, kw_only=True, gc=False):
    """One V2G message of a session.

    session      number of the session in the capture, from 1: a TCP connection with V2G messages
    protocol     namespace of the message
    schema       its short name (`v2g.schemas.SCHEMAS`); empty where no schema can read it
    name         of the message, e.g. "CurrentDemandReq"; empty where it cannot be read
    value        the decoded message: of DIN 70121 and ISO 15118-2 a V2G_Message with Header and Body
    guessed      the schema was not negotiated in the capture (no handshake), or the negotiated one cannot read it
    error        why the bytes cannot be read; then `value` is None
    encrypted    it came through TLS
    """

    session: int
    connection: int
    side: Side
    sender: Endpoint
    receiver: Endpoint
    payload_type: int
    exi: bytes
    protocol: str = ""
    schema: str = ""
    name: str = ""
    value: Any = None
    guessed: bool = False
    encrypted: bool = False
    error: str | None = None

    @property
    def body(self) -> Any:
        """The message itself without its envelope: a BodyElement (DIN 70121, ISO 15118-2), else `value`."""
        return getattr(getattr(self.value, "Body", None), "BodyElement", self.value)


class Tls(Event, frozen=True, kw_only=True, gc=False):
    """A step of a TLS connection worth telling: `name` is one of the constants of `tls`, `text` a sentence."""

    name: str
    connection: int
    side: Side
    text: str
    warning: bool = False


class Key(Event, frozen=True, kw_only=True, gc=False):
    """A secret of a TLS session was disclosed: in a UDP packet, or in a secrets block of the file (frame 0)."""

    label: str
    client_random: bytes
    secret: bytes

    @property
    def line(self) -> str:
        """The line of an NSS key log file."""
        return f"{self.label} {self.client_random.hex()} {self.secret.hex()}"


class Syslog(Event, frozen=True, kw_only=True, gc=False):
    """A line of a program's log in a UDP packet (port 514)."""

    text: str
    priority: int | None = None


class Hal(Event, frozen=True, kw_only=True, gc=False):
    """A frame of the test adapter's protocol (EtherType 0x4841): a `capture.hal.HalFrame`, or None with `error`."""

    message: Any = None
    error: str | None = None


class Diagnostic(Event, frozen=True, kw_only=True, gc=False):
    """A tester's own values in a management message: `title`, and a JSON object as text."""

    title: str
    text: str


class Recorded(Event, frozen=True, kw_only=True, gc=False):
    """A record of one of our stations: `kind` as in `record` ("phase", "decision", ...), `value` its fields.

    `station` is who recorded it ("ev", "evse", "listen", "sim"), `side` the same where it is one of the two.
    """

    station: str
    side: Side
    kind: str
    value: dict[str, Any]
    text: str


class Comment(Event, frozen=True, kw_only=True, gc=False):
    """A comment that stands in the file at this frame."""

    text: str


class Damage(Event, frozen=True, kw_only=True, gc=False):
    """The file is cut or spoiled from here: what was found."""

    text: str
