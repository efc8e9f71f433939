"""A vehicle's session from the open connection: handshake, then the generation agreed on."""

from __future__ import annotations

from ..exi.errors import ExiError
from ..record import Decision, Message, Scribe
from ..v2gtp import PayloadType
from . import handshake
from .control import VehicleControl
from .din.ev import VehicleSession as DinSession
from .evcc import FIRST_SESSION_ID, Evcc
from .iso2.ev import vehicle_session as iso2_session
from .negotiate import ISO2, Protocol, accepted, offer
from .rules import Rules
from .session import Ended, PeerFailed, PeerGone, PeerWrong, StationRefused, TimedOut
from .stream import Channel, Closed


async def charge(
    channel: Channel,
    control: VehicleControl,
    scribe: Scribe,
    rules: Rules = Rules(),
    setup_by: float | None = None,
    session_id: bytes = FIRST_SESSION_ID,
) -> Ended:
    """Hold one session; raises a SessionError for every end but the orderly one.

    `session_id` is that of a paused session to be resumed.
    """
    try:
        protocol = await _handshake(channel, control, scribe, rules)
    except BaseException:
        await channel.close()
        raise
    build = iso2_session(control) if protocol is ISO2 else DinSession
    timing = rules.timing(protocol).vehicle
    session: Evcc = build(channel, control, scribe, timing, rules, setup_by, session_id)
    return await session.run()


async def _handshake(channel: Channel, control: VehicleControl, scribe: Scribe, rules: Rules) -> Protocol:
    offered = tuple(p for p in rules.protocols if p.carries(control.energy))
    if not offered:
        names = ", ".join(p.name for p in rules.protocols)
        raise StationRefused(f"none of the protocols in the settings ({names}) can carry {control.energy.upper()}")
    request = offer(offered)
    data = handshake.encode(request)
    scribe.checkpoint(400)
    scribe(Message(direction="tx", protocol="app", name="supportedAppProtocolReq", exi=data, body=request))
    timer = rules.timing(offered[0]).vehicle.message.of("supportedAppProtocolReq")
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
    protocol = accepted(response, request, offered, missing_schema_id=rules.deviations.missing_schema_id)
    names = ", ".join(p.name for p in offered)
    if protocol is None:
        raise PeerFailed(f"the charger accepts none of the offered protocols ({names})")
    scribe(Decision(what="protocol", why=f"the charger chose {protocol.name} out of {names}"))
    return protocol
