"""What an emulated modem tells about itself, and what it does when asked."""

from __future__ import annotations

import random
import struct
from typing import TYPE_CHECKING

from .chips import BOOTLOADER
from .keys import nid_of, random_nmk
from .layout import Message
from .messages import GetKeyCnf, GetKeyReq, SetKeyCnf, SetKeyReq
from .vendor import (
    EmIdTableCnf,
    EmIdTableReq,
    EnetSettingsCnf,
    EnetSettingsReq,
    FactoryDefaultsCnf,
    FactoryDefaultsReq,
    GetNvmCnf,
    GetNvmReq,
    LinkStatusCnf,
    LinkStatusReq,
    LoopbackCnf,
    LoopbackReq,
    Network,
    NwInfo0Req,
    NwInfoReq,
    OpAttributesCnf,
    OpAttributesReq,
    PushButtonCnf,
    PushButtonReq,
    ResetCnf,
    ResetReq,
    Station,
    SwVerCnf,
    SwVerReq,
    VsSetKeyCnf,
    VsSetKeyReq,
    nw_info,
    nw_info_0,
)

if TYPE_CHECKING:
    from .emulated import EmulatedModem

BOOTLOADER_DEVICE = 0x06
KEY_FIELD = 384
OP_ATTRIBUTES_LENGTH = 1024
PHY_RATE = 9
"""Mbit/s between two GreenPHY modems."""
STATION, COORDINATOR = 0, 2
JOIN, LEAVE = 1, 2
"""Actions of the button."""
LOCAL_PEKS = 15
BAD_PEKS, REMOTE_FAILED = 0x10, 0x13
FLASH = GetNvmCnf(kind=0x14, page=0x100, block=0x10000, size=0x100000)


class Answers:
    """Answers to requests, from the state of one modem."""

    def __init__(self, modem: EmulatedModem, rng: random.Random) -> None:
        self._modem = modem
        self._rng = rng

    def to_host(self, request: Message) -> Message | None:
        """The answer to the own host; None for what this modem does not know, as real ones say nothing."""
        modem = self._modem
        if modem.bootloader and not isinstance(request, SwVerReq):
            return None
        match request:
            case SetKeyReq():
                return self._take_key(request)
            case VsSetKeyReq():
                return self._take_vendor_key(request)
            case GetKeyReq():
                return self._key(request, granted=request.nid == modem.nid)
            case PushButtonReq():
                if request.action == LEAVE:
                    nmk = random_nmk(self._rng)
                    modem.take_key(nid_of(nmk), nmk)
                return PushButtonCnf(state=int(modem.linked))
        return self._about(request)

    def to_line(self, request: Message, *, everyone: bool) -> Message | None:
        """The answer to a station at the far end: never the key, and no key is taken."""
        if self._modem.bootloader:
            return None
        match request:
            case GetKeyReq():
                return self._key(request, granted=False)
            case SetKeyReq():
                return SetKeyCnf(result=0, my_nonce=self._rng.randbytes(4), your_nonce=request.my_nonce)
            case VsSetKeyReq() | PushButtonReq():
                return None
            case SwVerReq() | NwInfoReq() | NwInfo0Req():
                return self._about(request)
        return None if everyone else self._about(request)

    def _about(self, request: Message) -> Message | None:
        """What is told and done the same near and far."""
        modem = self._modem
        match request:
            case SwVerReq():
                return self._version()
            case LinkStatusReq():
                return LinkStatusCnf(link=int(modem.linked))
            case NwInfoReq():
                return nw_info(self._networks())
            case NwInfo0Req():
                return nw_info_0(self._networks())
            case OpAttributesReq():
                return OpAttributesCnf(cookie=request.cookie, data=self._attributes())
            case EmIdTableReq():
                members = (modem, *modem.peers)
                table = b"".join(member.address + bytes((tei,)) for tei, member in enumerate(members, 1))
                return EmIdTableCnf(count=len(members), rest=table)
            case GetNvmReq():
                return FLASH
            case EnetSettingsReq():
                return EnetSettingsCnf()
            case LoopbackReq():
                return LoopbackCnf(duration=request.duration, length=request.length)
            case ResetReq():
                modem.restart()
                return ResetCnf()
            case FactoryDefaultsReq():
                modem.storage.forget()
                modem.restart()
                return FactoryDefaultsCnf()
        return modem.storage.answer(request)

    def _version(self) -> SwVerCnf:
        kind = self._modem.kind
        text = (BOOTLOADER if self._modem.bootloader else kind.version).encode()
        return SwVerCnf(
            device=BOOTLOADER_DEVICE if self._modem.bootloader else kind.device,
            length=len(text),
            text=text.ljust(254, b"\0"),
            ident=kind.ident.to_bytes(4, "little"),
            rest=struct.pack("<IIII", 0, kind.stepping, 0x3F, 0),
        )

    def _attributes(self) -> bytes:
        """Family, type, five numbers, date, release, three flags, megabytes of memory; zeros where nothing is known."""
        kind = self._modem.kind
        major, minor, composite, build = kind.firmware
        texts = kind.chip.encode().ljust(16, b"\0") + b"MAC".ljust(16, b"\0")
        numbers = struct.pack("<5I", major, minor, composite, kind.sustaining, build)
        rest = kind.date.encode() + kind.release.encode().ljust(12, b"\0") + bytes(3) + struct.pack("<I", 16)
        return (texts + numbers + rest).ljust(OP_ATTRIBUTES_LENGTH, b"\0")

    def _take_key(self, request: SetKeyReq) -> SetKeyCnf:
        result = 0 if self._modem.refuse_key else 1
        if result:
            self._modem.take_key(request.nid, request.nmk)
        return SetKeyCnf(result=result, my_nonce=self._rng.randbytes(4), your_nonce=request.my_nonce)

    def _take_vendor_key(self, request: VsSetKeyReq) -> VsSetKeyCnf:
        """Qualcomm's message names no network: it follows from the key. A remote modem takes it by its DAK."""
        if request.peks == LOCAL_PEKS:
            self._modem.take_key(nid_of(request.nmk), request.nmk)
            return VsSetKeyCnf()
        if request.peks:
            return VsSetKeyCnf(status=BAD_PEKS)
        remote = self._modem.in_hearing(request.remote)
        if remote is None or remote.dak != request.dak:
            return VsSetKeyCnf(status=REMOTE_FAILED)
        remote.take_key(nid_of(request.nmk), request.nmk)
        return VsSetKeyCnf()

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
        """The one network, while there is another station in it."""
        modem = self._modem
        members = sorted((modem, *modem.peers), key=lambda member: member.address)
        cco = modem.coordinator
        if len(members) < 2 or cco is None:
            return ()
        members.remove(cco)
        teis = {member.address: tei for tei, member in enumerate((cco, *members), 1)}
        stations = tuple(
            Station(peer.address, min(peer.hosts, default=bytes(6)), PHY_RATE, PHY_RATE, teis[peer.address])
            for peer in modem.peers
        )
        role = COORDINATOR if cco is modem else STATION
        return (Network(modem.nid, role, cco.address, stations, teis[modem.address], 1),)
