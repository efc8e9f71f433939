"""What an emulated QCA7420 tells about itself."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from .layout import Message
from .messages import GetKeyCnf, GetKeyReq, SetKeyCnf, SetKeyReq
from .vendor import (
    LinkStatusCnf,
    LinkStatusReq,
    Network,
    NwInfoReq,
    OpAttributesCnf,
    OpAttributesReq,
    Station,
    SwVerCnf,
    SwVerReq,
    nw_info,
)

if TYPE_CHECKING:
    from .emulated import EmulatedModem

VERSION = b"MAC-QCA7420-1.4.0.20-00-20171027-CS"
DEVICE_QCA7420 = 0x20
IDENT_QCA7420 = bytes.fromhex("fcfc1c00")
KEY_FIELD = 384
OP_ATTRIBUTES = b"QCA7420".ljust(16, b"\0") + b"MAC".ljust(16, b"\0")
OP_ATTRIBUTES_LENGTH = 1024
PHY_RATE = 9
"""Mbit/s between two GreenPHY modems."""
STATION, COORDINATOR = 0, 2


class Answers:
    """Answers to requests, from the state of one modem."""

    def __init__(self, modem: EmulatedModem, rng: random.Random) -> None:
        self._modem = modem
        self._rng = rng

    def to_host(self, request: Message) -> Message | None:
        """The answer to the own host; None for what this modem does not know."""
        match request:
            case SwVerReq():
                return self._version()
            case GetKeyReq():
                return self._key(request, granted=request.nid == self._modem.nid)
            case LinkStatusReq():
                return LinkStatusCnf(link=int(self._modem.linked))
            case NwInfoReq():
                return nw_info(self._networks())
            case OpAttributesReq():
                return OpAttributesCnf(cookie=request.cookie, data=OP_ATTRIBUTES.ljust(OP_ATTRIBUTES_LENGTH, b"\0"))
        return None

    def to_line(self, request: Message) -> Message | None:
        """The answer to a station at the far end: never the key, and no key is taken."""
        match request:
            case SwVerReq():
                return self._version()
            case GetKeyReq():
                return self._key(request, granted=False)
            case SetKeyReq():
                return SetKeyCnf(result=0, my_nonce=self._rng.randbytes(4), your_nonce=request.my_nonce)
        return None

    def _version(self) -> SwVerCnf:
        text = VERSION.ljust(254, b"\0")
        return SwVerCnf(device=DEVICE_QCA7420, length=len(VERSION), text=text, ident=IDENT_QCA7420, rest=bytes(16))

    def _key(self, request: GetKeyReq, *, granted: bool) -> GetKeyCnf:
        return GetKeyCnf(
            result=0 if granted else 1,
            my_nonce=self._rng.randbytes(4),
            your_nonce=request.my_nonce,
            nid=self._modem.nid,
            eks=int(granted),
            pmn=0xFF if granted else 0,
            key=(self._modem.nmk if granted else b"").ljust(KEY_FIELD, b"\0"),
        )

    def _networks(self) -> tuple[Network, ...]:
        """The one network, while there is another station in it; the lowest MAC coordinates."""
        peers = self._modem.peers
        if not peers:
            return ()
        cco = min(modem.address for modem in (self._modem, *peers))
        role = COORDINATOR if cco == self._modem.address else STATION
        stations = tuple(Station(p.address, min(p.hosts, default=bytes(6)), PHY_RATE, PHY_RATE) for p in peers)
        return (Network(self._modem.nid, role, cco, stations),)
