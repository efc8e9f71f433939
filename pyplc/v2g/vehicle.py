"""A vehicle's session from the open connection: handshake, then the generation agreed on."""

from __future__ import annotations

from ..exi.errors import ExiError
from ..record import Decision, Message, Scribe
from ..v2gtp import PayloadType
from . import handshake
from .control import VehicleControl
from .din.ev import Pacing, VehicleSession
from .din.timing import Timing
from .negotiate import DIN, accepted, offer
from .session import Ended, PeerFailed, PeerGone, PeerWrong, TimedOut
from .stream import Channel, Closed

OFFERED = (DIN,)


async def charge(
    channel: Channel,
    control: VehicleControl,
    scribe: Scribe,
    timing: Timing,
    pacing: Pacing = Pacing(),
    setup_by: float | None = None,
) -> Ended:
    """Hold one session; raises a SessionError for every end but the orderly one."""
    try:
        await _handshake(channel, scribe, timing)
    except BaseException:
        await channel.close()
        raise
    return await VehicleSession(channel, control, scribe, timing.vehicle, pacing, setup_by).run()


async def _handshake(channel: Channel, scribe: Scribe, timing: Timing) -> None:
    request = offer(OFFERED)
    data = handshake.encode(request)
    scribe.checkpoint(400)
    scribe(Message(direction="tx", protocol="app", name="supportedAppProtocolReq", exi=data, body=request))
    timer = timing.vehicle.message.of("supportedAppProtocolReq")
    try:
        channel.send(PayloadType.EXI, data)
        payload = await channel.receive(timer.seconds)
    except TimeoutError:
        raise TimedOut(timer, "supportedAppProtocolRes") from None
    except Closed as closed:
        raise PeerGone(f"{closed} while waiting for supportedAppProtocolRes") from closed
    try:
        response = handshake.decode(payload.data)
    except ExiError as error:
        raise PeerWrong(f"supportedAppProtocolRes cannot be decoded: {error}") from error
    scribe(Message(direction="rx", protocol="app", name="supportedAppProtocolRes", exi=payload.data, body=response))
    scribe.checkpoint(403)
    if not isinstance(response, handshake.SupportedAppProtocolRes):
        raise PeerWrong("the charger answered supportedAppProtocolReq with a request")
    protocol = accepted(response, request, OFFERED)
    offered = ", ".join(p.name for p in OFFERED)
    if protocol is None:
        raise PeerFailed(f"the charger accepts none of the offered protocols ({offered})")
    scribe(Decision(what="protocol", why=f"the charger chose {protocol.name} out of {offered}"))
