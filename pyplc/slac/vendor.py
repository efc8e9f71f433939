"""Qualcomm's vendor messages that stations and the emulated modem use. The payload begins behind the OUI.

Numbers from 0xA000 on mean different things per OUI: a message is known by both.
"""

from __future__ import annotations

from typing import NamedTuple

from .layout import REST, U8, U16, Message
from .mme import QUALCOMM, MmeError


class VsAttenCharInd(Message, kw_only=True, frozen=True):
    """The same in Qualcomm's own message."""

    TYPE = 0xA14E
    NAME = "VS_ATTEN_CHAR.IND"
    VERSION = 0
    OUI = QUALCOMM
    LAYOUT = (("pev_mac", 6), ("count", U8), ("pad", U8), ("carriers", U8), ("reserved", 7), ("rest", REST))
    pev_mac: bytes
    count: int
    pad: int = 0
    carriers: int = 0x10
    reserved: bytes = bytes(7)
    rest: bytes

    @property
    def groups(self) -> bytes:
        """The attenuations; empty when the modem gives none."""
        return self.rest[: self.count]


class SwVerReq(Message, kw_only=True, frozen=True):
    """Who is there, with which firmware?"""

    TYPE = 0xA000
    NAME = "VS_SW_VER.REQ"
    VERSION = 0
    OUI = QUALCOMM
    LAYOUT = (("cookie", 4),)
    cookie: bytes = bytes(4)


class SwVerCnf(Message, kw_only=True, frozen=True):
    """A modem's chip and firmware."""

    TYPE = 0xA001
    NAME = "VS_SW_VER.CNF"
    VERSION = 0
    OUI = QUALCOMM
    LAYOUT = (("status", U8), ("device", U8), ("length", U8), ("text", 254), ("ident", 4), ("rest", REST))
    status: int = 0
    device: int
    length: int
    text: bytes
    ident: bytes = bytes(4)
    rest: bytes = b""

    @property
    def version(self) -> str:
        """The firmware's version text."""
        return self.text[: self.length].decode("ascii", "replace")


class LinkStatusReq(Message, kw_only=True, frozen=True):
    """Is the modem linked to another?"""

    TYPE = 0xA0B8
    NAME = "VS_PL_LNK_STATUS.REQ"
    VERSION = 0
    OUI = QUALCOMM
    LAYOUT = ()


class LinkStatusCnf(Message, kw_only=True, frozen=True):
    """`link` 1: linked."""

    TYPE = 0xA0B9
    NAME = "VS_PL_LNK_STATUS.CNF"
    VERSION = 0
    OUI = QUALCOMM
    LAYOUT = (("status", U8), ("link", U8))
    status: int = 0
    link: int


class ResetReq(Message, kw_only=True, frozen=True):
    """Restart the modem."""

    TYPE = 0xA01C
    NAME = "VS_RS_DEV.REQ"
    VERSION = 0
    OUI = QUALCOMM
    LAYOUT = ()


class ResetCnf(Message, kw_only=True, frozen=True):
    """The modem restarts now."""

    TYPE = 0xA01D
    NAME = "VS_RS_DEV.CNF"
    VERSION = 0
    OUI = QUALCOMM
    LAYOUT = (("status", U8),)
    status: int = 0


class OpAttributesReq(Message, kw_only=True, frozen=True):
    """What is the modem made of?"""

    TYPE = 0xA068
    NAME = "VS_OP_ATTRIBUTES.REQ"
    VERSION = 0
    OUI = QUALCOMM
    LAYOUT = (("cookie", 4), ("report", U8))
    cookie: bytes = bytes(4)
    report: int = 0


class OpAttributesCnf(Message, kw_only=True, frozen=True):
    """`data` begins with two texts of 16 bytes, family and type; the rest changed between firmwares."""

    TYPE = 0xA069
    NAME = "VS_OP_ATTRIBUTES.CNF"
    VERSION = 0
    OUI = QUALCOMM
    LAYOUT = (("status", U16), ("cookie", 4), ("report", U8), ("length", U16), ("data", REST))
    status: int = 0
    cookie: bytes
    report: int = 0
    length: int = 118
    data: bytes

    @property
    def family(self) -> str:
        """The chip, such as QCA7420."""
        return self.data[:16].rstrip(b"\0").decode("ascii", "replace")


class Station(NamedTuple):
    """A station of a network as a modem lists it: its MAC, the host behind it, PHY rates in Mbit/s."""

    mac: bytes
    host: bytes
    tx_rate: int
    rx_rate: int


class Network(NamedTuple):
    """A network a modem is in. `role` 0 is a plain station, 1 proxy coordinator, 2 coordinator."""

    nid: bytes
    role: int
    cco_mac: bytes
    stations: tuple[Station, ...]


class NwInfoReq(Message, kw_only=True, frozen=True):
    """Which networks, which stations? (MMV 1 form.)"""

    TYPE = 0xA038
    NAME = "VS_NW_INFO.REQ"
    OUI = QUALCOMM
    ONLY_VERSION = True
    LAYOUT = (("sub_version", U8),)
    sub_version: int = 0


class NwInfoCnf(Message, kw_only=True, frozen=True):
    """The networks a modem is in (MMV 1 form); `networks` reads the `length` - 2 bytes of the list."""

    TYPE = 0xA039
    NAME = "VS_NW_INFO.CNF"
    OUI = QUALCOMM
    ONLY_VERSION = True
    LAYOUT = (("sub_version", U8), ("", 1), ("length", U16), ("", 1), ("count", U8), ("rest", REST))
    sub_version: int = 0
    length: int = 2
    count: int = 0
    rest: bytes = b""

    def networks(self) -> tuple[Network, ...]:
        """The networks with their stations; MmeError when the list is cut."""
        found = []
        at = 0
        for _ in range(self.count):
            head = _exactly(self.rest, at, 32)
            at += 32
            stations = []
            for _ in range(head[26]):
                row = _exactly(self.rest, at, 24)
                at += 24
                rates = int.from_bytes(row[16:18], "little"), int.from_bytes(row[20:22], "little")
                stations.append(Station(row[:6], row[10:16], *rates))
            found.append(Network(head[:7], head[15], head[16:22], tuple(stations)))
        return tuple(found)


def nw_info(networks: tuple[Network, ...]) -> NwInfoCnf:
    """The answer that lists these networks."""
    rest = b""
    for network in networks:
        rest += network.nid + bytes(2) + b"\1\1" + bytes(4) + bytes((network.role,)) + network.cco_mac + b"\1"
        rest += bytes(3) + bytes((len(network.stations),)) + bytes(5)
        for number, station in enumerate(network.stations, 2):
            rest += station.mac + bytes((number,)) + bytes(3) + station.host
            rest += station.tx_rate.to_bytes(2, "little") + bytes(2) + station.rx_rate.to_bytes(2, "little") + bytes(2)
    return NwInfoCnf(length=2 + len(rest), count=len(networks), rest=rest)


def _exactly(data: bytes, at: int, size: int) -> bytes:
    if len(data) < at + size:
        raise MmeError(f"VS_NW_INFO.CNF: the list ends after {len(data)} bytes, inside an entry of {size} at {at}")
    return data[at : at + size]


MESSAGES: tuple[type[Message], ...] = (
    VsAttenCharInd,
    SwVerReq,
    SwVerCnf,
    LinkStatusReq,
    LinkStatusCnf,
    ResetReq,
    ResetCnf,
    OpAttributesReq,
    OpAttributesCnf,
    NwInfoReq,
    NwInfoCnf,
)
