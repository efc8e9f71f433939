"""A charger's session from the open connection: handshake, then the generation agreed on."""

from __future__ import annotations

import asyncio
import random

from ..exi.errors import ExiError
from ..record import Decision, Message, Scribe
from ..v2gtp import PayloadType
from . import handshake
from .control import ChargerControl
from .din.evse import ChargerSession, Switches
from .din.timing import Timing
from .negotiate import DIN, choose
from .session import Ended, PeerFailed, PeerGone, PeerWrong, TimedOut
from .stream import Channel, Closed

SUPPORTED = (DIN,)


async def serve(
    channel: Channel,
    control: ChargerControl,
    scribe: Scribe,
    timing: Timing,
    rng: random.Random,
    switches: Switches = Switches(),
    setup_by: float | None = None,
) -> Ended:
    """Hold one session; raises a SessionError for every end but the orderly one."""
    try:
        await _handshake(channel, scribe, timing, setup_by)
    except BaseException:
        await channel.close()
        raise
    return await ChargerSession(channel, control, scribe, timing.charger, rng, switches, setup_by).run()


async def _handshake(channel: Channel, scribe: Scribe, timing: Timing, setup_by: float | None) -> None:
    timer, seconds = timing.charger.sequence, timing.charger.sequence.seconds
    if setup_by is not None:
        timer, seconds = timing.charger.communication_setup, setup_by - asyncio.get_running_loop().time()
    try:
        payload = await channel.receive(max(0.0, seconds))
    except TimeoutError:
        raise TimedOut(timer, "supportedAppProtocolReq") from None
    except Closed as closed:
        raise PeerGone(f"{closed} before supportedAppProtocolReq") from closed
    try:
        request = handshake.decode(payload.data)
    except ExiError as error:  # closed without an answer
        raise PeerWrong(f"the first message is no supportedAppProtocolReq: {error}") from error
    scribe(Message(direction="rx", protocol="app", name="supportedAppProtocolReq", exi=payload.data, body=request))
    scribe.checkpoint(401)
    if not isinstance(request, handshake.SupportedAppProtocolReq):
        raise PeerWrong("the vehicle's first message is supportedAppProtocolRes")
    response, protocol = choose(request, SUPPORTED)
    data = handshake.encode(response)
    scribe(Message(direction="tx", protocol="app", name="supportedAppProtocolRes", exi=data, body=response))
    try:
        channel.send(PayloadType.EXI, data)
    except Closed as closed:
        raise PeerGone(f"{closed} before supportedAppProtocolRes could be sent") from closed
    scribe.checkpoint(402)
    offered = ", ".join(f"{a.ProtocolNamespace} ({a.Priority})" for a in request.AppProtocol)
    if protocol is None:
        raise PeerFailed(f"no common protocol: the vehicle offers {offered}")
    scribe(Decision(what="protocol", why=f"{protocol.name} out of {offered}"))
