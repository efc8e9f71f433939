"""HomePlug management messages with pseudonyms: what is declared keeps its meaning, what is not known becomes zeros."""

from __future__ import annotations

from typing import Any

import msgspec

from ...slac import catalogue, messages, vendor
from ...slac.layout import Message
from ...slac.mme import Mme, MmeError, parse
from ..events import Diagnostic, Pilot
from ..small import homeplug
from .pseudonyms import Pseudonyms
from .text import Scrubber

STATIONS = ("forwarding_sta", "source_address", "pev_mac", "evse_mac", "sound_target", "remote")
KEYS = {"nmk": "nmk", "nid": "nid", "dak": "raw", "run_id": "raw", "sender_id": "raw", "source_id": "raw",
        "response_id": "raw", "pev_id": "raw", "evse_id": "raw", "random": "raw"}  # fmt: skip
"""Fields and the kind of pseudonym they get. What is to be random has a MAC in it in some vehicles."""
KEPT = ("groups", "my_nonce", "your_nonce", "cookie", "text", "settings")
KEPT_REST = (messages.AttenProfileInd, vendor.VsAttenCharInd, messages.AmpMapReq)
"""Messages whose rest are measurements."""


def pseudonymous(frame: bytes, names: Pseudonyms, scrub: Scrubber) -> bytes:
    """An Ethernet frame (without tags) with the same message, as long as it was; addresses are not looked at."""
    try:
        mme = parse(frame)
    except MmeError:
        return frame[:14] + bytes(len(frame) - 14)
    head = frame[: len(frame) - len(mme.payload)]
    return head + _payload(frame, mme, names, scrub)[: len(mme.payload)].ljust(len(mme.payload), b"\0")


def _payload(frame: bytes, mme: Mme, names: Pseudonyms, scrub: Scrubber) -> bytes:
    event = homeplug({"frame": 0, "time": 0.0}, frame)
    if isinstance(event, Pilot):
        return mme.payload
    if isinstance(event, Diagnostic):
        return scrub.raw(mme.payload)
    try:
        message = catalogue.read(mme)
        return _changed(message, names).payload() if message is not None else b""
    except MmeError:
        return b""


def _changed(message: Message, names: Pseudonyms) -> Message:
    if isinstance(message, vendor.NwInfoCnf):
        return _networks(message, names)
    values: dict[str, Any] = {}
    for name, _ in message.LAYOUT:
        value = getattr(message, name) if name else None
        if not isinstance(value, bytes) or name in KEPT or (name == "rest" and isinstance(message, KEPT_REST)):
            continue
        if name in STATIONS:
            values[name] = names.mac(value)
        elif name in KEYS:
            values[name] = getattr(names, KEYS[name])(value)
        elif name == "key":
            values[name] = names.nmk(value[:16]) + bytes(len(value) - 16)
        else:
            values[name] = bytes(len(value))
    if isinstance(message, KEPT_REST[:2]):  # behind the groups there may be anything
        values["rest"] = message.groups
    return msgspec.structs.replace(message, **values)


def _networks(message: vendor.NwInfoCnf, names: Pseudonyms) -> Message:
    return vendor.nw_info(
        tuple(
            network._replace(
                nid=names.nid(network.nid),
                cco_mac=names.mac(network.cco_mac),
                stations=tuple(s._replace(mac=names.mac(s.mac), host=names.mac(s.host)) for s in network.stations),
            )
            for network in message.networks()
        )
    )
