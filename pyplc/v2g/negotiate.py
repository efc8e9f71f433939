"""supportedAppProtocol: which protocol a charger chooses, and what a vehicle makes of the answer. Pure functions."""

from __future__ import annotations

from typing import NamedTuple

from . import handshake
from .handshake import AppProtocol, SupportedAppProtocolReq, SupportedAppProtocolRes


class Protocol(NamedTuple):
    """A protocol as it is offered: namespace and version."""

    name: str
    namespace: str
    major: int
    minor: int
    energies: tuple[str, ...]
    """What it can carry: "dc", "ac"."""

    def carries(self, energy: str) -> bool:
        """Whether a station of this kind of energy can use it."""
        return energy in self.energies


DIN = Protocol("DIN 70121", "urn:din:70121:2012:MsgDef", 2, 0, ("dc",))

ISO2 = Protocol("ISO 15118-2", "urn:iso:15118:2:2013:MsgDef", 2, 0, ("dc", "ac"))
PROTOCOLS = {"din": DIN, "iso2": ISO2}
"""By the short name of the settings."""


def offer(protocols: tuple[Protocol, ...]) -> SupportedAppProtocolReq:
    """A vehicle's request: our protocols, the first with the best priority, schema ids counted from 1."""
    return SupportedAppProtocolReq(
        AppProtocol=[
            AppProtocol(
                ProtocolNamespace=p.namespace,
                VersionNumberMajor=p.major,
                VersionNumberMinor=p.minor,
                SchemaID=i,
                Priority=i,
            )
            for i, p in enumerate(protocols, 1)
        ]
    )


def choose(
    request: SupportedAppProtocolReq, supported: tuple[Protocol, ...]
) -> tuple[SupportedAppProtocolRes, Protocol | None]:
    """A charger's choice [V2G2-167..172]: of the entries it can serve (namespace known, major equal) the one with the
    smallest Priority number, the first of equals; answered with the vehicle's own SchemaID. None can be served:
    Failed_NoNegotiation without SchemaID [V2G-DC-226].
    """
    ours = {p.namespace: p for p in supported}
    usable = [
        a for a in request.AppProtocol if (p := ours.get(a.ProtocolNamespace)) and p.major == a.VersionNumberMajor
    ]
    if not usable:
        return SupportedAppProtocolRes(ResponseCode=handshake.responseCode.Failed_NoNegotiation), None
    best = min(usable, key=lambda a: a.Priority)
    protocol = ours[best.ProtocolNamespace]
    exact = best.VersionNumberMinor == protocol.minor
    code = (
        handshake.responseCode.OK_SuccessfulNegotiation
        if exact
        else handshake.responseCode.OK_SuccessfulNegotiationWithMinorDeviation
    )
    return SupportedAppProtocolRes(ResponseCode=code, SchemaID=best.SchemaID), protocol


def accepted(
    response: SupportedAppProtocolRes,
    request: SupportedAppProtocolReq,
    protocols: tuple[Protocol, ...],
    *,
    missing_schema_id: bool = True,
) -> Protocol | None:
    """What a vehicle takes from the answer: the protocol agreed on, None when there is none.

    `missing_schema_id`: an answer without SchemaID means the only entry that was offered.
    """
    if response.ResponseCode == handshake.responseCode.Failed_NoNegotiation:
        return None
    if response.SchemaID is None:
        return protocols[0] if len(protocols) == 1 and missing_schema_id else None
    for entry in request.AppProtocol:
        if entry.SchemaID == response.SchemaID:
            return next((p for p in protocols if p.namespace == entry.ProtocolNamespace), None)
    return None
