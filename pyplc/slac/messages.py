"""The management messages of matching and of key handling: one declaration each gives reading and writing.

A field is a name and a layout: a number of bytes, an unsigned integer ("u8", "u16" little endian, "b16" big), a constant
reserved run, or the rest. Offsets and meanings: HomePlug AV, HomePlug Green PHY, ISO 15118-3.
"""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar

import msgspec

from .mme import QUALCOMM, Mme, MmeError

ZERO17 = bytes(17)
PEV_EVSE_MATCHING = 0
NO_SECURITY = 0
NMK_KEY = 1
PROTOCOL_HLE = 4
"""PID of a key exchange with the host."""

Layout = tuple[tuple[str, str | int], ...]
M = TypeVar("M", bound="Message")


class Message(msgspec.Struct, kw_only=True, frozen=True):
    """Base: `TYPE` is the MMTYPE, `VERSION` the MMV it is sent with, `LAYOUT` the payload behind FMI and OUI."""

    TYPE: ClassVar[int]
    NAME: ClassVar[str]
    VERSION: ClassVar[int] = 1
    OUI: ClassVar[bytes] = b""
    LAYOUT: ClassVar[Layout]

    def frame(self, destination: bytes, source: bytes) -> bytes:
        """The Ethernet frame of this message."""
        return Mme(destination, source, self.VERSION, self.TYPE, self.payload(), self.OUI).pack()

    def payload(self) -> bytes:
        """The payload as `LAYOUT` says."""
        parts = []
        for name, layout in self.LAYOUT:
            value = getattr(self, name) if name else None
            match layout:
                case "u8":
                    parts.append(bytes((value,)))  # type: ignore[arg-type]
                case "u16":
                    parts.append(int(value).to_bytes(2, "little"))  # type: ignore[arg-type]
                case "counted":
                    parts.append(bytes((len(value),)) + value)  # type: ignore[arg-type]
                case "rest":
                    parts.append(value)
                case int():
                    parts.append(bytes(layout) if value is None else _exactly(name, value, layout))
        return b"".join(parts)  # type: ignore[arg-type]

    @classmethod
    def read(cls: type[M], payload: bytes) -> M:
        """The message in a payload; raises MmeError when it is too short. Padding is not looked at."""
        values: dict[str, Any] = {}
        at = 0
        for name, layout in cls.LAYOUT:
            size = {"u8": 1, "u16": 2, "counted": 1, "rest": 0}.get(layout, layout)  # type: ignore[arg-type]
            if layout == "counted":
                size = 1 + (payload[at] if at < len(payload) else 0)
            elif layout == "rest":
                size = len(payload) - at
            raw = payload[at : at + size]  # type: ignore[operator]
            if len(raw) < size:  # type: ignore[operator]
                raise MmeError(f"{cls.NAME}: {len(payload)} bytes of payload end inside {name or 'a reserved run'}")
            at += size  # type: ignore[operator]
            if name:
                values[name] = (
                    int.from_bytes(raw, "little")
                    if layout in ("u8", "u16")
                    else raw[1:]
                    if layout == "counted"
                    else raw
                )
        return cls(**values)


def _exactly(name: str, value: bytes, size: int) -> bytes:
    if len(value) != size:
        raise MmeError(f"{name} has {len(value)} bytes, the layout {size}")
    return value


class SlacParamReq(Message, kw_only=True, frozen=True):
    """A vehicle asks who is there."""

    TYPE = 0x6064
    NAME = "CM_SLAC_PARAM.REQ"
    LAYOUT = (("application", "u8"), ("security", "u8"), ("run_id", 8))
    application: int = PEV_EVSE_MATCHING
    security: int = NO_SECURITY
    run_id: bytes


class SlacParamCnf(Message, kw_only=True, frozen=True):
    """A charger answers with how it wants to be sounded; `timeout` in 100 ms."""

    TYPE = 0x6065
    NAME = "CM_SLAC_PARAM.CNF"
    LAYOUT = (
        ("sound_target", 6),
        ("sounds", "u8"),
        ("timeout", "u8"),
        ("response_type", "u8"),
        ("forwarding_sta", 6),
        ("application", "u8"),
        ("security", "u8"),
        ("run_id", 8),
    )
    sound_target: bytes = b"\xff" * 6
    sounds: int = 10
    timeout: int = 6
    response_type: int = 1
    forwarding_sta: bytes
    application: int = PEV_EVSE_MATCHING
    security: int = NO_SECURITY
    run_id: bytes


class StartAttenCharInd(Message, kw_only=True, frozen=True):
    """A vehicle announces its sounds; `timeout` in 100 ms."""

    TYPE = 0x606A
    NAME = "CM_START_ATTEN_CHAR.IND"
    LAYOUT = (
        ("application", "u8"),
        ("security", "u8"),
        ("sounds", "u8"),
        ("timeout", "u8"),
        ("response_type", "u8"),
        ("forwarding_sta", 6),
        ("run_id", 8),
    )
    application: int = PEV_EVSE_MATCHING
    security: int = NO_SECURITY
    sounds: int = 10
    timeout: int = 6
    response_type: int = 1
    forwarding_sta: bytes
    run_id: bytes


class MnbcSoundInd(Message, kw_only=True, frozen=True):
    """One sound; `count` are still to come."""

    TYPE = 0x6076
    NAME = "CM_MNBC_SOUND.IND"
    LAYOUT = (
        ("application", "u8"),
        ("security", "u8"),
        ("sender_id", 17),
        ("count", "u8"),
        ("run_id", 8),
        ("reserved", 8),
        ("random", 16),
    )
    application: int = PEV_EVSE_MATCHING
    security: int = NO_SECURITY
    sender_id: bytes = ZERO17
    count: int
    run_id: bytes
    reserved: bytes = bytes(8)
    random: bytes


class AttenProfileInd(Message, kw_only=True, frozen=True):
    """A charger's modem measured one sound: attenuation per group of carriers, dB."""

    TYPE = 0x6086
    NAME = "CM_ATTEN_PROFILE.IND"
    LAYOUT = (("pev_mac", 6), ("count", "u8"), ("reserved", "u8"), ("rest", "rest"))
    pev_mac: bytes
    count: int
    reserved: int = 0
    rest: bytes

    @property
    def groups(self) -> bytes:
        """The attenuations; empty when the modem gives none."""
        return self.rest[: self.count]


class VsAttenCharInd(Message, kw_only=True, frozen=True):
    """The same in Qualcomm's own message."""

    TYPE = 0xA14E
    NAME = "VS_ATTEN_CHAR.IND"
    VERSION = 0
    OUI = QUALCOMM
    LAYOUT = (("pev_mac", 6), ("count", "u8"), ("pad", "u8"), ("carriers", "u8"), ("reserved", 7), ("rest", "rest"))
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


class AttenCharInd(Message, kw_only=True, frozen=True):
    """A charger tells a vehicle how well it heard it: mean attenuation per group, dB."""

    TYPE = 0x606E
    NAME = "CM_ATTEN_CHAR.IND"
    LAYOUT = (
        ("application", "u8"),
        ("security", "u8"),
        ("source_address", 6),
        ("run_id", 8),
        ("source_id", 17),
        ("response_id", 17),
        ("sounds", "u8"),
        ("groups", "counted"),
    )
    application: int = PEV_EVSE_MATCHING
    security: int = NO_SECURITY
    source_address: bytes
    run_id: bytes
    source_id: bytes = ZERO17
    response_id: bytes = ZERO17
    sounds: int
    groups: bytes


class AttenCharRsp(Message, kw_only=True, frozen=True):
    """A vehicle has it; `result` 0 is success."""

    TYPE = 0x606F
    NAME = "CM_ATTEN_CHAR.RSP"
    LAYOUT = (
        ("application", "u8"),
        ("security", "u8"),
        ("source_address", 6),
        ("run_id", 8),
        ("source_id", 17),
        ("response_id", 17),
        ("result", "u8"),
    )
    application: int = PEV_EVSE_MATCHING
    security: int = NO_SECURITY
    source_address: bytes
    run_id: bytes
    source_id: bytes = ZERO17
    response_id: bytes = ZERO17
    result: int = 0


_MATCH: Layout = (
    ("application", "u8"),
    ("security", "u8"),
    ("length", "u16"),
    ("pev_id", 17),
    ("pev_mac", 6),
    ("evse_id", 17),
    ("evse_mac", 6),
    ("run_id", 8),
    ("reserved", 8),
)


class SlacMatchReq(Message, kw_only=True, frozen=True):
    """A vehicle chose this charger."""

    TYPE = 0x607C
    NAME = "CM_SLAC_MATCH.REQ"
    LAYOUT = _MATCH
    application: int = PEV_EVSE_MATCHING
    security: int = NO_SECURITY
    length: int = 62
    pev_id: bytes = ZERO17
    pev_mac: bytes
    evse_id: bytes = ZERO17
    evse_mac: bytes
    run_id: bytes
    reserved: bytes = bytes(8)


class SlacMatchCnf(Message, kw_only=True, frozen=True):
    """The charger gives the key of its network."""

    TYPE = 0x607D
    NAME = "CM_SLAC_MATCH.CNF"
    LAYOUT = (*_MATCH, ("nid", 7), ("", 1), ("nmk", 16))
    application: int = PEV_EVSE_MATCHING
    security: int = NO_SECURITY
    length: int = 86
    pev_id: bytes = ZERO17
    pev_mac: bytes
    evse_id: bytes = ZERO17
    evse_mac: bytes
    run_id: bytes
    reserved: bytes = bytes(8)
    nid: bytes
    nmk: bytes


class SetKeyReq(Message, kw_only=True, frozen=True):
    """A host gives its modem a key."""

    TYPE = 0x6008
    NAME = "CM_SET_KEY.REQ"
    LAYOUT = (
        ("key_type", "u8"),
        ("my_nonce", 4),
        ("your_nonce", 4),
        ("pid", "u8"),
        ("prn", "u16"),
        ("pmn", "u8"),
        ("cco_capability", "u8"),
        ("nid", 7),
        ("eks", "u8"),
        ("nmk", 16),
    )
    key_type: int = NMK_KEY
    my_nonce: bytes = bytes(4)
    your_nonce: bytes = bytes(4)
    pid: int = PROTOCOL_HLE
    prn: int = 0
    pmn: int = 0
    cco_capability: int = 0
    nid: bytes
    eks: int = 1
    nmk: bytes


class SetKeyCnf(Message, kw_only=True, frozen=True):
    """The modem's answer: 1 is success with real Qualcomm modems, whatever the standard says."""

    TYPE = 0x6009
    NAME = "CM_SET_KEY.CNF"
    LAYOUT = (
        ("result", "u8"),
        ("my_nonce", 4),
        ("your_nonce", 4),
        ("pid", "u8"),
        ("prn", "u16"),
        ("pmn", "u8"),
        ("cco_capability", "u8"),
    )
    result: int
    my_nonce: bytes = bytes(4)
    your_nonce: bytes = bytes(4)
    pid: int = PROTOCOL_HLE
    prn: int = 0
    pmn: int = 0xFF
    cco_capability: int = 0


class GetKeyReq(Message, kw_only=True, frozen=True):
    """A host asks for the key of a network."""

    TYPE = 0x600C
    NAME = "CM_GET_KEY.REQ"
    LAYOUT = (
        ("request_type", "u8"),
        ("key_type", "u8"),
        ("nid", 7),
        ("my_nonce", 4),
        ("pid", "u8"),
        ("prn", "u16"),
        ("pmn", "u8"),
    )
    request_type: int = 0
    key_type: int = NMK_KEY
    nid: bytes
    my_nonce: bytes = bytes(4)
    pid: int = PROTOCOL_HLE
    prn: int = 0
    pmn: int = 0


class GetKeyCnf(Message, kw_only=True, frozen=True):
    """A modem's answer: result 0 with the key, 1 refused; its own NID stands there either way."""

    TYPE = 0x600D
    NAME = "CM_GET_KEY.CNF"
    LAYOUT = (
        ("result", "u8"),
        ("key_type", "u8"),
        ("my_nonce", 4),
        ("your_nonce", 4),
        ("nid", 7),
        ("eks", "u8"),
        ("pid", "u8"),
        ("prn", "u16"),
        ("pmn", "u8"),
        ("key", "rest"),
    )
    result: int
    key_type: int = NMK_KEY
    my_nonce: bytes = bytes(4)
    your_nonce: bytes = bytes(4)
    nid: bytes
    eks: int = 0
    pid: int = PROTOCOL_HLE
    prn: int = 0
    pmn: int = 0
    key: bytes = bytes(384)

    @property
    def nmk(self) -> bytes:
        """The key; zeros when refused."""
        return self.key[:16]


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
    LAYOUT = (("status", "u8"), ("device", "u8"), ("length", "u8"), ("text", 254), ("ident", 4), ("rest", "rest"))
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
    LAYOUT = (("status", "u8"), ("link", "u8"))
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
    LAYOUT = (("status", "u8"),)
    status: int = 0


MESSAGES: dict[tuple[int, bytes], type[Message]] = {
    (kind.TYPE, kind.OUI): kind
    for kind in (
        SlacParamReq, SlacParamCnf, StartAttenCharInd, MnbcSoundInd, AttenProfileInd, VsAttenCharInd, AttenCharInd,
        AttenCharRsp, SlacMatchReq, SlacMatchCnf, SetKeyReq, SetKeyCnf, GetKeyReq, GetKeyCnf, SwVerReq, SwVerCnf,
        LinkStatusReq, LinkStatusCnf, ResetReq, ResetCnf,
    )
}  # fmt: skip


def read(mme: Mme) -> Message | None:
    """The message in a management message, None for a type not declared here; MmeError when it is too short."""
    kind = MESSAGES.get((mme.type, mme.oui))
    return None if kind is None or mme.fragment else kind.read(mme.payload)
