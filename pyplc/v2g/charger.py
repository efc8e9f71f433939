"""A charger's session from the open connection: handshake, then the generation agreed on."""

from __future__ import annotations

import asyncio
import random

from ..exi.errors import ExiError
from ..record import Decision, Message, Scribe
from ..v2gtp import PayloadType
from . import handshake
from .control import ChargerControl
from .din.evse import ChargerSession as DinSession
from .iso2.evse import charger_session as iso2_session
from .negotiate import ISO2, Protocol, choose
from .rules import Rules
from .secc import Secc
from .session import Ended, PeerFailed, PeerGone, PeerWrong, TimedOut
from .stream import Channel, Closed


async def serve(
    channel: Channel,
    control: ChargerControl,
    scribe: Scribe,
    rules: Rules,
    rng: random.Random,
    setup_by: float | None = None,
) -> Ended:
    """Hold one session; raises a SessionError for every end but the orderly one."""
    try:
        protocol = await _handshake(channel, control, scribe, rules, setup_by)
    except BaseException:
        await channel.close()
        raise
    build = iso2_session(control) if protocol is ISO2 else DinSession
    session: Secc = build(channel, control, scribe, rules.timing(protocol).charger, rng, rules, setup_by)
    return await session.run()


async def _handshake(
    channel: Channel, control: ChargerControl, scribe: Scribe, rules: Rules, setup_by: float | None
) -> Protocol:
    served = tuple(p for p in rules.protocols if p.carries(control.energy))
    timing = rules.din.charger
    timer, seconds = timing.sequence, timing.sequence.seconds
    if setup_by is not None:
        timer, seconds = timing.communication_setup, setup_by - asyncio.get_running_loop().time()
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
    response, protocol = choose(request, served)
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
    return protocol
