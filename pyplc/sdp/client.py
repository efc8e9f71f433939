"""The vehicle's SECC discovery: ask until a charger answers."""

from __future__ import annotations

import asyncio

from ..record import Dropped, Scribe
from .messages import MULTICAST, PORT, SdpError, SdpRequest, SdpResponse, Security, Transport, parse
from .timing import MAX_REQUESTS, RESPONSE_TIMEOUT_S
from .udp import Address, Datagrams


class DiscoveryFailed(Exception):
    """No charger answered; the text says how often was asked and what came instead."""


async def discover(udp: Datagrams, scribe: Scribe, security: Security = Security.NONE) -> SdpResponse:
    """Ask `MAX_REQUESTS` times and return the first valid answer; its port is the one to use, whatever it is.

    Raises DiscoveryFailed. Foreign datagrams are recorded and ignored.
    """
    scribe.checkpoint(200)
    request = SdpRequest(security).pack()
    heard = 0
    for _ in range(MAX_REQUESTS):
        udp.send(request, (MULTICAST, PORT))
        try:
            async with asyncio.timeout(RESPONSE_TIMEOUT_S):
                while True:
                    data, source = await udp.receive()
                    heard += 1
                    if answer := _judge(data, source, scribe):
                        scribe.checkpoint(203)
                        return answer
        except TimeoutError:
            continue
    waited = MAX_REQUESTS * RESPONSE_TIMEOUT_S
    instead = f"; {heard} other datagrams came" if heard else ""
    raise DiscoveryFailed(f"no SECC discovery response to {MAX_REQUESTS} requests in {waited:g} s{instead} [V2G2-161]")


def _judge(data: bytes, source: Address, scribe: Scribe) -> SdpResponse | None:
    try:
        answer = parse(data)
    except SdpError as error:
        scribe(Dropped(what=f"datagram from {source[0]}", reason=str(error), data=data))
        return None
    if not isinstance(answer, SdpResponse):
        return None
    if answer.transport != Transport.TCP or answer.port == 0:
        scribe(Dropped(what=f"SECC discovery response from {source[0]}", reason="not TCP, or port 0", data=data))
        return None
    return answer
