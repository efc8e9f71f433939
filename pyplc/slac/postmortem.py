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


class Seen(NamedTuple):
    """A message that passed: seconds, message, MAC it came from and MAC it was for."""

    t: float
    message: Message
    source: bytes
    destination: bytes


def unmatched(frames: Frames, interface: str = "INTERFACE") -> list[Unmatched]:
    """Every station that tried to match and got no link, in order of appearance; empty when all went well.

    A charger is told of only where no vehicle was heard: what keeps the two apart is one thing, told once.
    """
    passed = seen(frames)
    sides = stations(passed)
    told = [mac for mac, side in sides.items() if side == "ev"] or list(sides)
    half = f" Only the {'vehicle' if 'ev' in sides.values() else 'charger'}'s half was heard."
    remark = half if len(set(sides.values())) == 1 else ""
    return [
        Unmatched(mac, sides[mac], furthest(passed, mac, sides[mac], interface)._replace(remark=remark))
        for mac in told
        if not linked(frames, mac)
    ]


def furthest(passed: Sequence[Seen], own: bytes, side: Side, interface: str = "INTERFACE") -> Failure:
    """Why the attempt of a station that came furthest, the last of those, has no link."""
    found = [explain(events_of(attempt, own), side, interface) for attempt in attempts(passed, own)]
    return max(reversed(found), key=lambda failure: failure.stage)


def attempts(passed: Sequence[Seen], own: bytes) -> list[Sequence[Seen]]:
    """A station's attempts: each begins with CM_SLAC_PARAM.REQ of another run, or with CNF where no REQ was heard.

    What comes before the first belongs to it: the key of a charger's modem, and a neighbour's messages.
    """
    begins: list[int] = []
    run: bytes | None = None
    asked = any(isinstance(entry.message, SlacParamReq) for entry in passed)
    for number, entry in enumerate(passed):
        first = SlacParamReq if asked else SlacParamCnf
        if isinstance(entry.message, first) and entry.message.run_id != run and _concerns(entry, own):
            run = entry.message.run_id
            begins.append(number)
    bounds = [0, *begins[1:], len(passed)]
    return [passed[begin:end] for begin, end in zip(bounds, bounds[1:], strict=False)]


def _concerns(entry: Seen, own: bytes) -> bool:
    return own in (entry.source, entry.destination) or entry.destination == BROADCAST


def seen(frames: Frames) -> list[Seen]:
    """The messages in frames; those that are not HomePlug, unknown, or cannot be read are left out."""
    read_all = ((t, *_read(frame)) for t, frame in frames)
    return [Seen(t, message, mme.source, mme.destination) for t, mme, message in read_all if mme and message]


def stations(passed: Iterable[Seen]) -> dict[bytes, Side]:
    """The hosts that were heard to take part in a matching, by MAC."""
    found: dict[bytes, Side] = {}
    for entry in passed:
        if isinstance(entry.message, OF_A_VEHICLE):
            found.setdefault(entry.source, "ev")
        elif isinstance(entry.message, OF_A_CHARGER):
            found.setdefault(entry.source, "evse")
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


def events_of(passed: Sequence[Seen], own: bytes) -> list[Event]:
    """The events a station with host MAC `own` had; times from the first. What is for other hosts is left out.

    Where none of its own messages were heard, what was said to it counts as its run's.
    """
    found: list[Event] = []
    zero = passed[0].t if passed else 0.0
    runs = {getattr(entry.message, "run_id", None) for entry in passed if entry.source == own} - {None}
    for t, message, source, destination in passed:
        run = getattr(message, "run_id", None)
        if source == own:
            found.append(Sent(t - zero, message, destination))
        elif destination in (own, BROADCAST) or run is None:
            found.append(Heard(t - zero, message, source, run is None or not runs or run in runs))
    return found


def _read(frame: bytes) -> tuple[Mme | None, Message | None]:
    try:
        mme = parse(frame)
        return mme, read(mme)
    except MmeError:
        return None, None
