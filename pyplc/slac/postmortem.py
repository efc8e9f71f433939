"""Why the matchings of a capture came to no link: the same paragraph a station gives, from Ethernet frames alone.

A capture shows what passed one cable: both halves of the matching where it was taken between host and modem, one half
where a listener's modem hides the other. Who is vehicle and who is charger follows from what they send.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ..link.ports import IPV6
from .catalogue import read
from .failure import Event, Failure, Heard, Sent, Side, explain
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
)
from .mme import BROADCAST, Mme, MmeError, parse
from .vendor import LinkStatusCnf

Frames = Sequence[tuple[float, bytes]]
"""Seconds and Ethernet frames, in order of time. Others than HomePlug's show that a link stood."""

OF_A_VEHICLE = (SlacParamReq, StartAttenCharInd, MnbcSoundInd, AttenCharRsp, SlacMatchReq)
OF_A_CHARGER = (SlacParamCnf, AttenCharInd, SlacMatchCnf)
LINKED = 1


class Unmatched(NamedTuple):
    """A station of the capture that got no link: its host MAC, its side, and why."""

    mac: bytes
    side: Side
    failure: Failure


def unmatched(frames: Frames, interface: str = "INTERFACE") -> list[Unmatched]:
    """Every station that tried to match and got no link, in order of appearance; empty when all went well.

    A charger is told of only where no vehicle was heard: what keeps the two apart is one thing, told once.
    """
    sides = stations(frames)
    told = [mac for mac, side in sides.items() if side == "ev"] or list(sides)
    half = f" Only the {'vehicle' if 'ev' in sides.values() else 'charger'}'s half was heard."
    remark = half if len(set(sides.values())) == 1 else ""
    return [
        Unmatched(mac, sides[mac], explain(events_of(frames, mac), sides[mac], interface)._replace(remark=remark))
        for mac in told
        if not linked(frames, mac)
    ]


def stations(frames: Frames) -> dict[bytes, Side]:
    """The hosts that were heard to take part in a matching, by MAC."""
    found: dict[bytes, Side] = {}
    for _, mme, message in _messages(frames):
        if isinstance(message, OF_A_VEHICLE):
            found.setdefault(mme.source, "ev")
        elif isinstance(message, OF_A_CHARGER):
            found.setdefault(mme.source, "evse")
    return found


def linked(frames: Frames, mac: bytes) -> bool:
    """Whether a link of this station stood: after its match, IPv6 of its peer came, or its modem said so."""
    peer: bytes | None = None
    for _, frame in frames:
        mme, message = _read(frame)
        if isinstance(message, SlacMatchCnf) and mac in (message.pev_mac, message.evse_mac):
            peer = message.evse_mac if mac == message.pev_mac else message.pev_mac
        elif isinstance(message, SlacParamReq) and mme is not None and mac in (mme.source, peer):
            peer = None  # it begins anew
        elif peer is not None and (_says_linked(message) or _is_ipv6_of(peer, frame)):
            return True
    return False


def _says_linked(message: Message | None) -> bool:
    return isinstance(message, LinkStatusCnf) and message.link == LINKED


def _is_ipv6_of(mac: bytes, frame: bytes) -> bool:
    return frame[6:14] == mac + IPV6.to_bytes(2, "big")


def events_of(frames: Frames, own: bytes) -> list[Event]:
    """The events a station with host MAC `own` had, from a capture on its cable or of a listener beside it.

    Frames that are not HomePlug, cannot be read, or are for others are left out.
    """
    found: list[Event] = []
    runs: set[bytes] = set()
    for t, mme, message in _messages(frames):
        run = getattr(message, "run_id", None)
        if mme.source == own:
            if run is not None:
                runs.add(run)
            found.append(Sent(t, message, mme.destination))
        elif mme.destination in (own, BROADCAST) or run is None:
            ours = run is None or run in runs or (mme.destination == BROADCAST and isinstance(message, SlacParamReq))
            found.append(Heard(t, message, mme.source, ours))
    return found


def _messages(frames: Frames) -> Iterable[tuple[float, Mme, Message]]:
    for t, frame in frames:
        mme, message = _read(frame)
        if mme is not None and message is not None:
            yield t, mme, message


def _read(frame: bytes) -> tuple[Mme | None, Message | None]:
    try:
        mme = parse(frame)
        return mme, read(mme)
    except MmeError:
        return None, None
