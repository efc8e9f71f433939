"""Why matching ended without a link: one paragraph from what was sent, heard and awaited.

Pure functions over events; a station's journal and a capture (`postmortem.py`) give the same ones. What was awaited is
told by the station (`Waited`), or follows from the last message (`AWAITED`).
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from ..link.ethernet import mac_text
from .attenuation import mean
from .layout import Message
from .messages import (
    AttenCharInd,
    AttenCharRsp,
    AttenProfileInd,
    GetKeyCnf,
    MnbcSoundInd,
    SetKeyCnf,
    SetKeyReq,
    SlacMatchCnf,
    SlacMatchReq,
    SlacParamCnf,
    SlacParamReq,
    StartAttenCharInd,
    ValidateCnf,
    ValidateReq,
)
from .mme import BROADCAST
from .timing import (
    C_EV_MATCH_RETRY,
    MODEM_RESPONSE,
    TT_EV_ATTEN_RESULTS,
    TT_EVSE_MATCH_MNBC,
    TT_EVSE_MATCH_SESSION,
    TT_EVSE_SLAC_INIT,
    TT_MATCH_JOIN,
    TT_MATCH_RESPONSE,
    TT_MATCH_SEQUENCE,
)
from .vendor import VsAttenCharInd

Side = Literal["ev", "evse"]
LINK = "the link"
KEY = f"{SetKeyCnf.NAME} with result 1"
CHOICE = "a usable attenuation"
PATIENCE = (1 + C_EV_MATCH_RETRY) * TT_MATCH_RESPONSE
"""How long an answer is awaited with all repetitions, seconds."""
RETRIED = "TT_match_response, C_EV_match_retry"


class Sent(NamedTuple):
    """We sent a message."""

    t: float
    message: Message
    peer: bytes


class Heard(NamedTuple):
    """A message reached us; `ours` is False when it belongs to another vehicle's run."""

    t: float
    message: Message
    peer: bytes
    ours: bool = True


class Waited(NamedTuple):
    """A wait was in vain: for what, how long in seconds, and the limit's name."""

    t: float
    awaited: str
    seconds: float
    limit: str


class SetUp(NamedTuple):
    """The own modem told what its PIB is set up for: "pev", "evse" or "none"."""

    t: float
    role: str


Event = Sent | Heard | Waited | SetUp


class Cause(enum.Enum):
    """A likely cause, and the command that tells more; `{}` is the interface."""

    UNPLUGGED = "the plug is not in, or the pilot is not in state B with 5 %", "pyplc modem list {}"
    ROLE = "the own modem is not set up for its role, so it does not carry SLAC", "pyplc modem info {}"
    NO_MODEM = "the own modem does not answer: power, cable, interface", "pyplc modem list {}"
    NO_CHARGER = (
        "no coordinator is heard: the charger's modem is off, restarts, or does not reach this one",
        "pyplc listen {}",
    )
    NO_VEHICLE = "the vehicle does not ask: asleep, without SLAC, or its modem is off", "pyplc listen {}"
    LATE_SOUNDS = "the announcement came too late or with other numbers than 10 sounds in 0.6 s", "pyplc listen {}"
    NO_ATTENUATION = (
        "the charger's modem measures no attenuation (home firmware)",
        "pyplc listen {}",
    )
    WEAK = "the attenuation is too high: another charger's, or bad coupling to the pilot line", "pyplc listen {}"
    NEIGHBOUR = "a neighbour's answer was heard: two stations share the line", "pyplc listen {}"
    LOST_FRAMES = "frames are lost on the line: bad coupling, or a level too low or too high", "pyplc modem watch {}"
    CHOSE_ANOTHER = "the other side chose another partner or gave up", "pyplc listen {}"
    REFUSED_PILOT = (
        "the toggles on the pilot were not recognised: another outlet, or a slow pilot",
        "pyplc listen {}",
    )
    KEY_REFUSED = "the modem refused the key", "pyplc modem reset {}"
    KEY_IGNORED = "the modem did not come back with the new key", "pyplc modem key get {}"
    NO_LINK = "the key is in the modem, but the other modem did not join", "pyplc modem link {}"
    SLOW = "a modem restarts more slowly than was waited (slac.join_s)", "pyplc modem watch {}"

    @property
    def text(self) -> str:
        """The cause as a clause."""
        return self.value[0]

    def command(self, interface: str) -> str:
        """What to try next."""
        return self.value[1].format(interface)


class Limit(NamedTuple):
    """What is awaited after a message, how long, the limit, and the likely causes when it does not come."""

    awaited: str
    seconds: float
    limit: str
    causes: tuple[Cause, ...]


NO_REQUEST = Limit(
    SlacParamReq.NAME,
    TT_EVSE_SLAC_INIT,
    "TT_EVSE_SLAC_init",
    (Cause.NO_VEHICLE, Cause.ROLE, Cause.NO_MODEM, Cause.LOST_FRAMES),
)
AWAITED: dict[Side, dict[type[Message] | None, Limit]] = {
    "ev": {
        SlacParamReq: Limit(
            SlacParamCnf.NAME, PATIENCE, RETRIED, (Cause.ROLE, Cause.NO_CHARGER, Cause.UNPLUGGED, Cause.NO_MODEM)
        ),
        MnbcSoundInd: Limit(
            AttenCharInd.NAME,
            TT_EV_ATTEN_RESULTS,
            "TT_EV_atten_results",
            (Cause.LATE_SOUNDS, Cause.LOST_FRAMES, Cause.NO_ATTENUATION, Cause.NEIGHBOUR),
        ),
        AttenCharRsp: Limit(
            CHOICE, TT_EV_ATTEN_RESULTS, "TT_EV_atten_results", (Cause.NO_ATTENUATION, Cause.WEAK, Cause.NEIGHBOUR)
        ),
        ValidateReq: Limit(ValidateCnf.NAME, PATIENCE, RETRIED, (Cause.REFUSED_PILOT, Cause.NEIGHBOUR)),
        SlacMatchReq: Limit(
            SlacMatchCnf.NAME, PATIENCE, RETRIED, (Cause.NEIGHBOUR, Cause.CHOSE_ANOTHER, Cause.LOST_FRAMES)
        ),
        SetKeyReq: Limit(KEY, MODEM_RESPONSE, "MODEM_RESPONSE", (Cause.NO_MODEM, Cause.KEY_REFUSED)),
        SlacMatchCnf: Limit(LINK, TT_MATCH_JOIN, "TT_match_join", (Cause.NO_LINK, Cause.SLOW, Cause.NEIGHBOUR)),
        SetKeyCnf: Limit(LINK, TT_MATCH_JOIN, "TT_match_join", (Cause.NO_LINK, Cause.SLOW, Cause.NEIGHBOUR)),
    },
    "evse": {
        None: NO_REQUEST,
        SetKeyCnf: NO_REQUEST,
        SlacParamCnf: Limit(
            StartAttenCharInd.NAME,
            TT_MATCH_SEQUENCE,
            "TT_match_sequence",
            (Cause.CHOSE_ANOTHER, Cause.LOST_FRAMES, Cause.NEIGHBOUR),
        ),
        StartAttenCharInd: Limit(
            MnbcSoundInd.NAME, TT_EVSE_MATCH_MNBC, "TT_EVSE_match_MNBC", (Cause.LOST_FRAMES, Cause.ROLE)
        ),
        AttenCharInd: Limit(
            AttenCharRsp.NAME, PATIENCE, RETRIED, (Cause.LOST_FRAMES, Cause.NEIGHBOUR, Cause.NO_ATTENUATION)
        ),
        AttenCharRsp: Limit(
            SlacMatchReq.NAME,
            TT_EVSE_MATCH_SESSION,
            "TT_EVSE_match_session",
            (Cause.CHOSE_ANOTHER, Cause.NEIGHBOUR, Cause.NO_ATTENUATION),
        ),
        SetKeyReq: Limit(KEY, MODEM_RESPONSE, "MODEM_RESPONSE", (Cause.NO_MODEM, Cause.KEY_REFUSED)),
        SlacMatchCnf: Limit(LINK, TT_MATCH_JOIN, "TT_match_join", (Cause.NO_LINK, Cause.SLOW, Cause.CHOSE_ANOTHER)),
    },
}
"""By the last message of the matching, sent or heard: what must come next."""

STEPS = (
    SlacParamReq,
    SlacParamCnf,
    StartAttenCharInd,
    MnbcSoundInd,
    AttenCharInd,
    AttenCharRsp,
    ValidateReq,
    ValidateCnf,
    SlacMatchReq,
    SlacMatchCnf,
    SetKeyReq,
    SetKeyCnf,
)
"""The steps of a matching; what else passes between a host and its modem is none."""
CARRIED = STEPS[:-2]
"""Those that come over the line."""


class Failure(NamedTuple):
    """Why there is no link. `causes` are in order of likelihood; `stage` grows the further the matching came."""

    sent: str
    heard: str
    awaited: str
    seconds: float
    limit: str
    causes: tuple[Cause, ...]
    command: str
    stage: int
    remark: str = ""

    @property
    def short(self) -> str:
        """One line."""
        return (
            f"sent {self.sent}, heard {self.heard}, and awaited {self.awaited} in vain for {self.seconds:g} s "
            f"({self.limit})"
        )

    @property
    def text(self) -> str:
        """The paragraph."""
        likely = "; ".join(f"({number}) {cause.text}" for number, cause in enumerate(self.causes, 1))
        return f"{self.short}.{self.remark} Likely, in this order: {likely}. Next: {self.command}"


def explain(events: Sequence[Event], side: Side, interface: str = "INTERFACE") -> Failure:
    """Why the matching of these events has no link. `events` are in order of time and need not be complete."""
    steps = [event for event in events if isinstance(event, (Sent, Heard)) and _is_step(event)]
    table = AWAITED[side]
    last = next((type(step.message) for step in reversed(steps) if _leads_on(step.message, table)), None)
    expected = table.get(last) or next(iter(table.values()))
    waits = [event for event in events if isinstance(event, Waited)]
    if waits:
        awaited, seconds, limit = waits[-1][1:]
        expected = next((entry for entry in table.values() if entry.awaited == awaited), expected)
    else:
        awaited, seconds, limit = expected.awaited, expected.seconds, expected.limit
    causes = _ordered(expected.causes, events, side)
    return Failure(
        sent=_told([step for step in steps if isinstance(step, Sent)], "to"),
        heard=_told([step for step in steps if isinstance(step, Heard)], "of"),
        awaited=awaited,
        seconds=seconds,
        limit=limit,
        causes=causes,
        command=_command(causes[0], events, side, interface),
        stage=list(table.values()).index(expected),
        remark="".join(f" {SET_UP[role]}." for role in _roles(events)[-1:]),
    )


def _leads_on(message: Message, table: dict[type[Message] | None, Limit]) -> bool:
    """Whether something must follow a message; a refused key leads nowhere."""
    return type(message) in table and not (isinstance(message, SetKeyCnf) and not message.result)


def _is_step(event: Sent | Heard) -> bool:
    ours = isinstance(event, Sent) or event.ours
    return ours and isinstance(event.message, STEPS)


def _told(steps: Sequence[Sent | Heard], preposition: str) -> str:
    if not steps:
        return "nothing"
    last = steps[-1]
    peer = "everyone" if last.peer == BROADCAST else mac_text(last.peer)
    return f"{last.message.NAME} {preposition} {peer} at {last.t:.1f} s"


ROLES: dict[Side, str] = {"ev": "pev", "evse": "evse"}
"""What a side's modem must be set up for."""
SET_UP = {
    "pev": "The own modem is set up as pev",
    "evse": "The own modem is set up as evse",
    "none": "The own modem is set up for no role",
}


def _roles(events: Sequence[Event]) -> list[str]:
    return [event.role for event in events if isinstance(event, SetUp)]


def _wrong_role(events: Sequence[Event], side: Side) -> bool:
    """Whether the own modem is set up for the other side, or for none and handed up nothing, as most chips do then."""
    heard = any(isinstance(event, Heard) and isinstance(event.message, CARRIED) for event in events)
    return any(role != ROLES[side] and not (role == "none" and heard) for role in _roles(events)[-1:])


def _command(cause: Cause, events: Sequence[Event], side: Side, interface: str) -> str:
    """What to try next; for a modem seen in the wrong role, what mends it."""
    if cause is not Cause.ROLE or not _wrong_role(events, side):
        return cause.command(interface)
    role = ROLES[side]
    words = (f"read {interface} own.pib", f"patch own.pib --role {role}", f"write {interface} own.{role}.pib")
    return " && ".join(f"pyplc modem pib {word}" for word in words)


EVIDENCE: tuple[tuple[Cause, Callable[[Sequence[Event], Side], bool]], ...] = (
    (Cause.ROLE, _wrong_role),
    (Cause.KEY_REFUSED, lambda events, side: _last(events, SetKeyCnf, "result") == 0),
    (Cause.NO_MODEM, lambda events, side: _in_vain(events, KEY) and not _any(events, SetKeyCnf)),
    (Cause.KEY_IGNORED, lambda events, side: _in_vain(events, LINK) and not _keyed(events)),
    (Cause.NO_LINK, lambda events, side: _in_vain(events, LINK) and _keyed(events)),
    (Cause.WEAK, lambda events, side: _in_vain(events, CHOICE) and bool(_means(events))),
    (Cause.NO_ATTENUATION, lambda events, side: _any(events, AttenCharInd) and not any(_means(events))),
    (Cause.NO_ATTENUATION, lambda events, side: side == "evse" and _measured_nothing(events)),
    (Cause.NEIGHBOUR, lambda events, side: any(isinstance(e, Heard) and not e.ours for e in events)),
)
"""What speaks for a cause: those that hold come first, in this order."""


def _ordered(causes: tuple[Cause, ...], events: Sequence[Event], side: Side) -> tuple[Cause, ...]:
    proved = [cause for cause, holds in EVIDENCE if holds(events, side)]
    ruled_out = {Cause.ROLE} if ROLES[side] in _roles(events)[-1:] else set()
    if _roles(events) or _any(events, SetKeyCnf):
        ruled_out.add(Cause.NO_MODEM)
    likely = [cause for cause in causes if cause not in CERTAIN and cause not in ruled_out]
    return tuple(dict.fromkeys([*proved, *likely] or causes))


CERTAIN = (Cause.KEY_REFUSED, Cause.KEY_IGNORED)
"""Named only when seen."""


def _heard(events: Sequence[Event], kind: type[Message]) -> list[Message]:
    return [e.message for e in events if isinstance(e, Heard) and isinstance(e.message, kind)]


def _any(events: Sequence[Event], kind: type[Message]) -> bool:
    return bool(_heard(events, kind))


def _last(events: Sequence[Event], kind: type[Message], name: str) -> object:
    heard = _heard(events, kind)
    return getattr(heard[-1], name) if heard else None


def _in_vain(events: Sequence[Event], awaited: str) -> bool:
    return any(isinstance(e, Waited) and e.awaited == awaited for e in events)


def _keyed(events: Sequence[Event]) -> bool:
    """Whether the modem that took the last key showed its network."""
    given = [e.message.nid for e in events if isinstance(e, Sent) and isinstance(e.message, SetKeyReq)]
    own = [e.peer for e in events if isinstance(e, Heard) and isinstance(e.message, SetKeyCnf)]
    shown = [(e.peer, e.message.nid) for e in events if isinstance(e, Heard) and isinstance(e.message, GetKeyCnf)]
    return any(peer in own and nid in given[-1:] for peer, nid in shown)


def _means(events: Sequence[Event]) -> list[float]:
    reports = [m for m in _heard(events, AttenCharInd) if isinstance(m, AttenCharInd)]
    return [value for report in reports if (value := mean(report.groups)) is not None and report.sounds]


def _measured_nothing(events: Sequence[Event]) -> bool:
    """Whether sounds were heard and the modem measured none of them."""
    measured = [m for kind in (AttenProfileInd, VsAttenCharInd) for m in _heard(events, kind)]
    return _any(events, MnbcSoundInd) and not any(getattr(m, "count", 0) for m in measured)
