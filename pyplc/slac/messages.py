"""The standard's management messages of matching and of keys: one declaration each gives reading and writing.

Offsets and meanings: HomePlug AV and Green PHY, ISO 15118-3 Annex A. The payload begins behind FMI.
"""

from __future__ import annotations

from .layout import COUNTED, REST, U8, U16, Layout, Message

ZERO17 = bytes(17)
PEV_EVSE_MATCHING = 0
NO_SECURITY = 0
NMK_KEY = 1
PROTOCOL_HLE = 4
"""PID of a key exchange with the host."""


class SlacParamReq(Message, kw_only=True, frozen=True):
    """A vehicle asks who is there."""

    TYPE = 0x6064
    NAME = "CM_SLAC_PARAM.REQ"
    LAYOUT = (("application", U8), ("security", U8), ("run_id", 8))
    application: int = PEV_EVSE_MATCHING
    security: int = NO_SECURITY
    run_id: bytes


class SlacParamCnf(Message, kw_only=True, frozen=True):
    """A charger answers with how it wants to be sounded; `timeout` in 100 ms."""

    TYPE = 0x6065
    NAME = "CM_SLAC_PARAM.CNF"
    LAYOUT = (
        ("sound_target", 6),
        ("sounds", U8),
        ("timeout", U8),
        ("response_type", U8),
        ("forwarding_sta", 6),
        ("application", U8),
        ("security", U8),
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
        ("application", U8),
        ("security", U8),
        ("sounds", U8),
        ("timeout", U8),
        ("response_type", U8),
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
    """One sound; `count` are still to come. `random` has 16 bytes; open-plc-utils sends 9."""

    TYPE = 0x6076
    NAME = "CM_MNBC_SOUND.IND"
    LAYOUT = (
        ("application", U8),
        ("security", U8),
        ("sender_id", 17),
        ("count", U8),
        ("run_id", 8),
        ("reserved", 8),
        ("random", REST),
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
    LAYOUT = (("pev_mac", 6), ("count", U8), ("reserved", U8), ("rest", REST))
    pev_mac: bytes
    count: int
    reserved: int = 0
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
        ("application", U8),
        ("security", U8),
        ("source_address", 6),
        ("run_id", 8),
        ("source_id", 17),
        ("response_id", 17),
        ("sounds", U8),
        ("groups", COUNTED),
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
        ("application", U8),
        ("security", U8),
        ("source_address", 6),
        ("run_id", 8),
        ("source_id", 17),
        ("response_id", 17),
        ("result", U8),
    )
    application: int = PEV_EVSE_MATCHING
    security: int = NO_SECURITY
    source_address: bytes
    run_id: bytes
    source_id: bytes = ZERO17
    response_id: bytes = ZERO17
    result: int = 0


_MATCH: Layout = (
    ("application", U8),
    ("security", U8),
    ("length", U16),
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


class ValidateReq(Message, kw_only=True, frozen=True):
    """A vehicle asks to be recognised by its toggles on the control pilot; `timer` n means (n + 1) x 100 ms."""

    TYPE = 0x6078
    NAME = "CM_VALIDATE.REQ"
    LAYOUT = (("signal", U8), ("timer", U8), ("result", U8))
    signal: int = 0
    timer: int = 0
    result: int = 1


class ValidateCnf(Message, kw_only=True, frozen=True):
    """The charger's answer: `result` 0 not ready, 1 ready, 2 success, 3 failure, 4 not required."""

    TYPE = 0x6079
    NAME = "CM_VALIDATE.CNF"
    LAYOUT = (("signal", U8), ("toggles", U8), ("result", U8))
    signal: int = 0
    toggles: int = 0
    result: int


class AmpMapReq(Message, kw_only=True, frozen=True):
    """Amplitudes per carrier, four bits each, the even carrier in the low nibble; `carriers` counts them."""

    TYPE = 0x601C
    NAME = "CM_AMP_MAP.REQ"
    LAYOUT = (("carriers", U16), ("rest", REST))
    carriers: int
    rest: bytes


class AmpMapCnf(Message, kw_only=True, frozen=True):
    """`result` 0: taken."""

    TYPE = 0x601D
    NAME = "CM_AMP_MAP.CNF"
    LAYOUT = (("result", U8),)
    result: int = 0


class BrgInfoReq(Message, kw_only=True, frozen=True):
    """Which hosts are behind a modem?"""

    TYPE = 0x6020
    NAME = "CM_BRG_INFO.REQ"
    LAYOUT = ()


class BrgInfoCnf(Message, kw_only=True, frozen=True):
    """The hosts behind a modem: `count` MACs in `rest`."""

    TYPE = 0x6021
    NAME = "CM_BRG_INFO.CNF"
    LAYOUT = (("bridging", U8), ("tei", U8), ("count", U8), ("rest", REST))
    bridging: int
    tei: int
    count: int
    rest: bytes


class EncryptedPayloadRsp(Message, kw_only=True, frozen=True):
    """A modem's answer to one that tries to join with another key."""

    TYPE = 0x6007
    NAME = "CM_ENCRYPTED_PAYLOAD.RSP"
    LAYOUT = (("result", U8), ("pid", U8), ("prn", U16))
    result: int
    pid: int
    prn: int


class SetKeyReq(Message, kw_only=True, frozen=True):
    """A host gives its modem a key."""

    TYPE = 0x6008
    NAME = "CM_SET_KEY.REQ"
    LAYOUT = (
        ("key_type", U8),
        ("my_nonce", 4),
        ("your_nonce", 4),
        ("pid", U8),
        ("prn", U16),
        ("pmn", U8),
        ("cco_capability", U8),
        ("nid", 7),
        ("eks", U8),
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
        ("result", U8),
        ("my_nonce", 4),
        ("your_nonce", 4),
        ("pid", U8),
        ("prn", U16),
        ("pmn", U8),
        ("cco_capability", U8),
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
        ("request_type", U8),
        ("key_type", U8),
        ("nid", 7),
        ("my_nonce", 4),
        ("pid", U8),
        ("prn", U16),
        ("pmn", U8),
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
        ("result", U8),
        ("key_type", U8),
        ("my_nonce", 4),
        ("your_nonce", 4),
        ("nid", 7),
        ("eks", U8),
        ("pid", U8),
        ("prn", U16),
        ("pmn", U8),
        ("key", REST),
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


MESSAGES: tuple[type[Message], ...] = (
    SlacParamReq,
    SlacParamCnf,
    StartAttenCharInd,
    MnbcSoundInd,
    AttenProfileInd,
    AttenCharInd,
    AttenCharRsp,
    SlacMatchReq,
    SlacMatchCnf,
    ValidateReq,
    ValidateCnf,
    AmpMapReq,
    AmpMapCnf,
    SetKeyReq,
    SetKeyCnf,
    GetKeyReq,
    GetKeyCnf,
    BrgInfoReq,
    BrgInfoCnf,
    EncryptedPayloadRsp,
)
