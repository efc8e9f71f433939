"""The charger's SECC discovery: tell who asks where we listen."""

from __future__ import annotations

from ..record import Dropped, Scribe
from .messages import SdpError, SdpRequest, SdpResponse, Security, Transport, parse
from .udp import Datagrams


def answer(request: SdpRequest, address: str, port: int) -> SdpResponse | None:
    """The response to a request, None when it is to be ignored (unknown bytes, ATS V2GTPSDP_002 to 005).

    TLS asked and not supported is answered with "none" [V2G2-627]: the vehicle decides.
    """
    if request.transport != Transport.TCP or request.security not in (Security.TLS, Security.NONE):
        return None
    return SdpResponse(address, port, Security.NONE)


async def serve(udp: Datagrams, address: str, port: int, scribe: Scribe) -> None:
    """Answer discovery requests until cancelled."""
    first = True
    while True:
        data, source = await udp.receive()
        try:
            request = parse(data)
        except SdpError as error:
            scribe(Dropped(what=f"datagram from {source[0]}", reason=str(error), data=data))
            continue
        response = answer(request, address, port) if isinstance(request, SdpRequest) else None
        if response is None:
            scribe(Dropped(what=f"SECC discovery from {source[0]}", reason="no request for TCP", data=data))
            continue
        if first:
            scribe.checkpoint(201)
        udp.send(response.pack(), source)
        if first:
            scribe.checkpoint(202)
            first = False
