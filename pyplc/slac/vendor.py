"""Qualcomm's vendor messages that stations and the emulated modem use. The payload begins behind the OUI.

Numbers from 0xA000 on mean different things per OUI: a message is known by both.
"""

from __future__ import annotations

from typing import NamedTuple

from . import vendor_modules
from .layout import REST, U8, U16, U32, Message
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


class GetNvmReq(Message, kw_only=True, frozen=True):
    """Which flash is there?"""

    TYPE = 0xA010
    NAME = "VS_GET_NVM.REQ"
    VERSION = 0
    OUI = QUALCOMM
    LAYOUT = ()


class GetNvmCnf(Message, kw_only=True, frozen=True):
    """Type of the flash, bytes of a page, of a block, of all."""

    TYPE = 0xA011
    NAME = "VS_GET_NVM.CNF"
    VERSION = 0
    OUI = QUALCOMM
    LAYOUT = (("status", U8), ("kind", U32), ("page", U32), ("block", U32), ("size", U32))
    status: int = 0
    kind: int
    page: int
    block: int
    size: int


class LoopbackReq(Message, kw_only=True, frozen=True):
    """Send this back and forth for `duration` seconds."""

    TYPE = 0xA048
    NAME = "VS_FR_LBK.REQ"
    VERSION = 0
    OUI = QUALCOMM
    LAYOUT = (("duration", U8), ("", 1), ("length", U16), ("data", REST))
    duration: int
    length: int
    data: bytes


class LoopbackCnf(Message, kw_only=True, frozen=True):
    """It was sent."""

    TYPE = 0xA049
    NAME = "VS_FR_LBK.CNF"
    VERSION = 0
    OUI = QUALCOMM
    LAYOUT = (("status", U8), ("duration", U8), ("length", U16))
    status: int = 0
    duration: int
    length: int


class VsSetKeyReq(Message, kw_only=True, frozen=True):
    """A key in Qualcomm's own message: to the own modem (`peks` 15) or, with its DAK, to a remote one (0)."""

    TYPE = 0xA050
    NAME = "VS_SET_KEY.REQ"
    VERSION = 0
    OUI = QUALCOMM
    LAYOUT = (("eks", U8), ("nmk", 16), ("peks", U8), ("remote", 6), ("dak", 16))
    eks: int = 1
    nmk: bytes
    peks: int = 15
    remote: bytes = bytes(6)
    dak: bytes = bytes(16)


class VsSetKeyCnf(Message, kw_only=True, frozen=True):
    """`status` 0: taken; 0x10 bad PEKS, 0x13 the remote modem did not take it."""

    TYPE = 0xA051
    NAME = "VS_SET_KEY.CNF"
    VERSION = 0
    OUI = QUALCOMM
    LAYOUT = (("status", U8),)
    status: int = 0


class HostActionInd(Message, kw_only=True, frozen=True):
    """A modem wants something of its host: 0 firmware and PIB, 2 that a changed PIB is stored, 5 defaults."""

    TYPE = 0xA062
    NAME = "VS_HOST_ACTION.IND"
    VERSION = 0
    OUI = QUALCOMM
    LAYOUT = (("action", U8), ("major", U8), ("minor", U8))
    action: int
    major: int = 0
    minor: int = 0


class HostActionRsp(Message, kw_only=True, frozen=True):
    """The host has heard it."""

    TYPE = 0xA063
    NAME = "VS_HOST_ACTION.RSP"
    VERSION = 0
    OUI = QUALCOMM
    LAYOUT = (("status", U8),)
    status: int = 0


class EnetSettingsReq(Message, kw_only=True, frozen=True):
    """Settings of the Ethernet port."""

    TYPE = 0xA06C
    NAME = "VS_ENET_SETTINGS.REQ"
    VERSION = 0
    OUI = QUALCOMM
    LAYOUT = (("settings", 5),)
    settings: bytes = bytes(5)


class EnetSettingsCnf(Message, kw_only=True, frozen=True):
    """The settings; their meaning is not known."""

    TYPE = 0xA06D
    NAME = "VS_ENET_SETTINGS.CNF"
    VERSION = 0
    OUI = QUALCOMM
    LAYOUT = (("status", U8), ("settings", 4))
    status: int = 0
    settings: bytes = bytes.fromhex("00000103")


class FactoryDefaultsReq(Message, kw_only=True, frozen=True):
    """Forget all settings; the modem restarts."""

    TYPE = 0xA07C
    NAME = "VS_FAC_DEFAULTS.REQ"
    VERSION = 0
    OUI = QUALCOMM
    LAYOUT = ()


class FactoryDefaultsCnf(Message, kw_only=True, frozen=True):
    """They are forgotten."""

    TYPE = 0xA07D
    NAME = "VS_FAC_DEFAULTS.CNF"
    VERSION = 0
    OUI = QUALCOMM
    LAYOUT = (("status", U8),)
    status: int = 0


class PushButtonReq(Message, kw_only=True, frozen=True):
    """The button of a modem: 1 join, 2 leave, 3 status. Qualcomm's number, but the standard's header."""

    TYPE = 0x8000
    NAME = "MS_PB_ENC.REQ"
    LAYOUT = (("action", U8),)
    action: int


class PushButtonCnf(Message, kw_only=True, frozen=True):
    """`state` 1: in a network."""

    TYPE = 0x8001
    NAME = "MS_PB_ENC.CNF"
    LAYOUT = (("status", U8), ("state", U8))
    status: int = 0
    state: int


class EmIdTableReq(Message, kw_only=True, frozen=True):
    """Which stations have which number?"""

    TYPE = 0xA0DC
    NAME = "VS_EM_ID_TABLE.REQ"
    VERSION = 0
    OUI = QUALCOMM
    LAYOUT = ()


class EmIdTableCnf(Message, kw_only=True, frozen=True):
    """`count` stations: seven bytes each, MAC and number."""

    TYPE = 0xA0DD
    NAME = "VS_EM_ID_TABLE.CNF"
    VERSION = 0
    OUI = QUALCOMM
    LAYOUT = (("status", U8), ("count", U32), ("rest", REST))
    status: int = 0
    count: int
    rest: bytes


class Station(NamedTuple):
    """A station of a network as a modem lists it: MAC, the host behind it, PHY rates in Mbit/s, its number there."""

    mac: bytes
    host: bytes
    tx_rate: int
    rx_rate: int
    tei: int = 2


class Network(NamedTuple):
    """A network a modem is in. `role` 0: plain station, 1: proxy coordinator, 2: coordinator; `tei` its own number."""

    nid: bytes
    role: int
    cco_mac: bytes
    stations: tuple[Station, ...]
    tei: int = 1
    cco_tei: int = 1
    snid: int = 1


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
                stations.append(Station(row[:6], row[10:16], *rates, row[6]))
            numbers = head[10], head[22], head[9]
            found.append(Network(head[:7], head[15], head[16:22], tuple(stations), *numbers))
        return tuple(found)


def nw_info(networks: tuple[Network, ...]) -> NwInfoCnf:
    """The answer that lists these networks."""
    rest = b""
    for network in networks:
        numbers, role = bytes((network.snid, network.tei)), bytes((network.role,))
        rest += network.nid + bytes(2) + numbers + bytes(4) + role + network.cco_mac + bytes((network.cco_tei,))
        rest += bytes(3) + bytes((len(network.stations),)) + bytes(5)
        for station in network.stations:
            rest += station.mac + bytes((station.tei,)) + bytes(3) + station.host
            rest += station.tx_rate.to_bytes(2, "little") + bytes(2) + station.rx_rate.to_bytes(2, "little") + bytes(2)
    return NwInfoCnf(length=2 + len(rest), count=len(networks), rest=rest)


class NwInfo0Req(Message, kw_only=True, frozen=True):
    """The same question in the form of MMV 0: the same number, so it is not in the catalogue."""

    TYPE = 0xA038
    NAME = "VS_NW_INFO.REQ"
    VERSION = 0
    OUI = QUALCOMM
    LAYOUT = ()


class NwInfo0Cnf(Message, kw_only=True, frozen=True):
    """The answer in the form of MMV 0."""

    TYPE = 0xA039
    NAME = "VS_NW_INFO.CNF"
    VERSION = 0
    OUI = QUALCOMM
    LAYOUT = (("count", U8), ("rest", REST))
    count: int = 0
    rest: bytes = b""


def nw_info_0(networks: tuple[Network, ...]) -> NwInfo0Cnf:
    """The answer that lists these networks, MMV 0."""
    rest = b""
    for network in networks:
        rest += network.nid + bytes((network.snid, network.tei, network.role)) + network.cco_mac
        rest += bytes((network.cco_tei, len(network.stations)))
        for station in network.stations:
            rest += station.mac + bytes((station.tei,)) + station.host
            rest += bytes((min(station.tx_rate, 255), min(station.rx_rate, 255)))
    return NwInfo0Cnf(count=len(networks), rest=rest)


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
    GetNvmReq,
    GetNvmCnf,
    LoopbackReq,
    LoopbackCnf,
    VsSetKeyReq,
    VsSetKeyCnf,
    HostActionInd,
    HostActionRsp,
    EnetSettingsReq,
    EnetSettingsCnf,
    FactoryDefaultsReq,
    FactoryDefaultsCnf,
    PushButtonReq,
    PushButtonCnf,
    EmIdTableReq,
    EmIdTableCnf,
    *vendor_modules.MESSAGES,
)
