"""Follows foreign matching from whichever half of it is heard. Pure: frames in, sightings out.

An adaptor set up as PEV hands up the chargers' frames only, one set up as EVSE the vehicles' only; each half names both
MACs and the run, so what one half tells is put together here.
"""

from __future__ import annotations

import enum
from collections import OrderedDict
from typing import NamedTuple

import msgspec

from .attenuation import mean
from .catalogue import read
from .layout import Message
from .messages import (
    AttenCharInd,
    AttenCharRsp,
    MnbcSoundInd,
    SlacMatchCnf,
    SlacMatchReq,
    SlacParamCnf,
    SlacParamReq,
    StartAttenCharInd,
    ValidateCnf,
    ValidateReq,
)
from .mme import MmeError, parse

KEPT = 1000
"""Matchings remembered; the oldest goes."""


class Half(enum.Flag):
    """Whose frames were heard."""

    NONE = 0
    VEHICLE = enum.auto()
    CHARGER = enum.auto()
    BOTH = VEHICLE | CHARGER


CHARGERS_HALF = (SlacParamCnf, AttenCharInd, ValidateCnf, SlacMatchCnf)
VEHICLES_HALF = (SlacParamReq, StartAttenCharInd, MnbcSoundInd, AttenCharRsp, ValidateReq, SlacMatchReq)

ADVICE = {
    Half.NONE: (
        "No matching was heard. This adaptor must be near the charging cable, hear a coordinator, and be set up for "
        "SLAC: pyplc modem info {0}"
    ),
    Half.CHARGER: (
        "Only the chargers' half is heard, so this adaptor is set up as PEV. It cannot see "
        + ", ".join(kind.NAME for kind in VEHICLES_HALF)
        + ". Nothing is lost by that: MACs, run, attenuation and key are in the chargers' half. A second adaptor set "
        "up as EVSE, or an INT6400 (devolo dLAN 200 AVplus), which hands up both halves, shows the rest."
    ),
    Half.VEHICLE: (
        "Only the vehicles' half is heard, so this adaptor is set up as EVSE. It cannot see "
        + ", ".join(kind.NAME for kind in CHARGERS_HALF)
        + ", and so neither attenuation nor key. An adaptor set up as PEV sees them: pyplc modem pib patch --role pev; "
        "an INT6400 (devolo dLAN 200 AVplus) hands up both halves."
    ),
    Half.BOTH: "Both halves of the matching are heard.",
}
"""What can be heard with this adaptor, and what would help; `{0}` is the interface."""

MEMBER = (
    "As a member of the network this adaptor gets its broadcasts and multicasts, such as SECC discovery. What vehicle "
    "and charger send each other alone, their modems do not send to third stations: for that, put two bridged modems "
    "between them, or tap the line between a modem and its controller."
)
"""What joining with a sniffed key shows, and what not."""


class Matching(msgspec.Struct, kw_only=True):
    """One vehicle's run as far as it was heard. MACs of hosts; attenuation is each charger's mean in dB."""

    vehicle: bytes
    run_id: bytes
    chargers: set[bytes] = msgspec.field(default_factory=set)
    attenuation: dict[bytes, float | None] = msgspec.field(default_factory=dict)
    sounds: dict[bytes, int] = msgspec.field(default_factory=dict)
    sounding: bool = False
    chosen: bytes | None = None
    nid: bytes | None = None
    nmk: bytes | None = None


class Sighting(NamedTuple):
    """Something new about a matching: at `t`, in words, of which charger where it is one's."""

    t: float
    what: str
    charger: bytes | None
    matching: Matching


class Follower:
    """Give it every frame; `matchings` are by vehicle MAC and run id, `half` is what was heard so far."""

    def __init__(self) -> None:
        self.matchings: OrderedDict[tuple[bytes, bytes], Matching] = OrderedDict()
        self.half = Half.NONE

    def see(self, t: float, frame: bytes) -> Sighting | None:
        """What a frame tells that was not known; None for nothing, and for what is no matching."""
        try:
            mme = parse(frame)
            message = read(mme)
        except MmeError:
            return None
        if message is None:
            return None
        self.half |= _half_of(message)
        told = self._told(message, mme.source)
        return Sighting(t, *told) if told else None

    def advice(self, interface: str) -> str:
        """What cannot be heard with this adaptor, and what would help."""
        return ADVICE[self.half].format(interface)

    def _told(self, message: Message, source: bytes) -> tuple[str, bytes | None, Matching] | None:
        match message:
            case SlacParamReq():
                known = (source, message.run_id) in self.matchings
                found = self._of(source, message.run_id)
                return None if known else ("a vehicle asks for a charger", None, found)
            case SlacParamCnf():
                return self._answered(self._of(message.forwarding_sta, message.run_id), source)
            case StartAttenCharInd() | MnbcSoundInd():
                found = self._of(source, message.run_id)
                already, found.sounding = found.sounding, True
                return None if already else ("a vehicle sounds", None, found)
            case AttenCharInd():
                return self._reported(self._of(message.source_address, message.run_id), source, message)
            case SlacMatchReq():
                return self._chosen(self._of(source, message.run_id), message.evse_mac)
            case SlacMatchCnf():
                return self._keyed(self._of(message.pev_mac, message.run_id), source, message)
        return None

    def _of(self, vehicle: bytes, run_id: bytes) -> Matching:
        key = (vehicle, run_id)
        if key not in self.matchings:
            self.matchings[key] = Matching(vehicle=vehicle, run_id=run_id)
            if len(self.matchings) > KEPT:
                self.matchings.popitem(last=False)
        return self.matchings[key]

    def _answered(self, found: Matching, charger: bytes) -> tuple[str, bytes, Matching] | None:
        if charger in found.chargers:
            return None
        found.chargers.add(charger)
        return "a charger answers", charger, found

    def _reported(self, found: Matching, charger: bytes, report: AttenCharInd) -> tuple[str, bytes, Matching] | None:
        if found.sounds.get(charger) == report.sounds and found.attenuation.get(charger) == mean(report.groups):
            return None
        found.chargers.add(charger)
        found.attenuation[charger], found.sounds[charger] = mean(report.groups), report.sounds
        return "a charger reports its attenuation", charger, found

    def _chosen(self, found: Matching, charger: bytes) -> tuple[str, bytes, Matching] | None:
        if found.chosen == charger:
            return None
        found.chosen = charger
        found.chargers.add(charger)
        return "the vehicle chooses", charger, found

    def _keyed(self, found: Matching, charger: bytes, key: SlacMatchCnf) -> tuple[str, bytes, Matching] | None:
        if (found.nid, found.nmk) == (key.nid, key.nmk):
            return None
        found.chosen = charger
        found.chargers.add(charger)
        found.nid, found.nmk = key.nid, key.nmk
        return "the charger gives its key", charger, found


def _half_of(message: Message) -> Half:
    if isinstance(message, VEHICLES_HALF):
        return Half.VEHICLE
    return Half.CHARGER if isinstance(message, CHARGERS_HALF) else Half.NONE
