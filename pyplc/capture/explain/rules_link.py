"""Rules below the session: the capture itself, control pilot, SLAC, SECC discovery, TCP, TLS, handshake."""

from __future__ import annotations

from collections.abc import Iterator

from ...sdp.messages import Security
from ...slac import timing as slac
from ..events import Change, Damage, HomePlug, Message, Pilot, Sdp, Tls
from . import times
from .findings import Hit, Layer, Level, Rule
from .story import Story

WEAK_DB = 40.0
"""Mean attenuation above all that was seen in sessions that worked (5 to 30 dB); levels of modems differ widely."""


def _mean(groups: bytes) -> float:
    return sum(groups) / len(groups) if groups else 0.0


def damage(story: Story) -> Iterator[Hit]:
    for event in story.events:
        if isinstance(event, Damage):
            yield Hit(event.frame, event.time or story.end, event.text)


def gaps(story: Story) -> Iterator[Hit]:
    for event in story.changes(Change.GAP):
        amount = f"{event.missing} bytes" if event.missing else "an unknown number of bytes"
        yield Hit(
            event.frame, event.time, f"{amount} of the {event.side or 'one side'} are not in the capture", event.side
        )


def midstream(story: Story) -> Iterator[Hit]:
    for event in story.changes(Change.MIDSTREAM):
        yield Hit(event.frame, event.time, "the connection was open before the capture began", group="once")


def guessed(story: Story) -> Iterator[Hit]:
    for message in story.messages:
        if message.guessed:
            yield Hit(message.frame, message.time, f"no handshake to tell the schema: {message.schema} by score")


def one_sided(story: Story) -> Iterator[Hit]:
    sides = {message.side for message in story.messages}
    if len(sides) == 1 and len(story.messages) > 2:
        message = story.messages[0]
        yield Hit(message.frame, message.time, f"only messages of the {message.side or 'same side'} are in the capture")


def pilot_fault(story: Story) -> Iterator[Hit]:
    """State E or F in a session, state A in its charge loop."""
    talking = charging = False
    for event in story.events:
        if isinstance(event, Message):
            talking = event.name != "SessionStopRes"
            charging = "CurrentDemand" in event.name or "ChargeLoop" in event.name
        if not isinstance(event, Pilot):
            continue
        if talking and event.state in ("E", "F"):
            yield Hit(event.frame, event.time, f"pilot in state {event.state}", "evse")
        elif charging and event.state == "A":
            yield Hit(event.frame, event.time, "pilot in state A: unplugged while the session ran", "ev")


def slac_unanswered(story: Story) -> Iterator[Hit]:
    asked = story.homeplug("CM_SLAC_PARAM.REQ")
    if asked and not story.homeplug("CM_SLAC_PARAM.CNF"):
        text = f"{len(asked)} CM_SLAC_PARAM.REQ in {asked[-1].time - asked[0].time:.1f} s, no CM_SLAC_PARAM.CNF"
        if story.exchanges:
            text += " in this capture, but the session came about"
        level = Level.NOTE if story.exchanges else None
        yield Hit(asked[0].frame, asked[0].time, text, "evse", level=level)


_STEPS = (
    ("CM_SLAC_PARAM.CNF", "CM_START_ATTEN_CHAR.IND", "the vehicle does not begin to sound", "ev"),
    ("CM_START_ATTEN_CHAR.IND", "CM_MNBC_SOUND.IND", "no sounds follow the announcement", "ev"),
    ("CM_MNBC_SOUND.IND", "CM_ATTEN_CHAR.IND", "the charger does not tell what it heard", "evse"),
    ("CM_ATTEN_CHAR.IND", "CM_ATTEN_CHAR.RSP", "the vehicle does not confirm the attenuation", "ev"),
    ("CM_ATTEN_CHAR.RSP", "CM_SLAC_MATCH.REQ", "the vehicle does not ask this charger to match", "ev"),
    ("CM_SLAC_MATCH.REQ", "CM_SLAC_MATCH.CNF", "the charger does not confirm the match", "evse"),
)


def slac_stuck(story: Story) -> Iterator[Hit]:
    """SLAC began, was answered, and ends before the match: tells the first step that is missing."""
    if story.homeplug("CM_SLAC_MATCH.CNF") or not story.homeplug("CM_SLAC_PARAM.CNF"):
        return
    for before, after, text, side in _STEPS:
        seen = story.homeplug(before)
        if seen and not story.homeplug(after):
            level = Level.NOTE if story.exchanges else None
            yield Hit(seen[-1].frame, seen[-1].time, f"{text}: {before} is not followed by {after}", side, level=level)
            return


def slac_again(story: Story) -> Iterator[Hit]:
    matched: HomePlug | None = None
    for event in story.homeplug("CM_SLAC_MATCH.CNF", "CM_SLAC_PARAM.REQ"):
        if event.name == "CM_SLAC_MATCH.CNF":
            matched = event
        elif matched is not None and event.source == matched.destination:
            after = event.time - matched.time
            text = f"the vehicle begins SLAC again {after:.1f} s after the match"
            level = None if after > slac.TT_MATCH_JOIN else Level.NOTE
            yield Hit(event.frame, event.time, text, "ev", group="again", level=level)


def slac_retries(story: Story) -> Iterator[Hit]:
    asked = story.homeplug("CM_SLAC_PARAM.REQ")
    if len(asked) > 1 + slac.C_EV_MATCH_RETRY and story.homeplug("CM_SLAC_PARAM.CNF"):
        text = f"CM_SLAC_PARAM.REQ sent {len(asked)} times (C_EV_match_retry {slac.C_EV_MATCH_RETRY})"
        yield Hit(asked[0].frame, asked[0].time, text, "ev")


def slac_late_start(story: Story) -> Iterator[Hit]:
    answered: HomePlug | None = None
    for event in story.homeplug("CM_SLAC_PARAM.CNF", "CM_START_ATTEN_CHAR.IND"):
        if event.name == "CM_SLAC_PARAM.CNF":
            answered = event
        elif answered is not None:
            late = event.time - answered.time
            answered = None
            if late > 0.1:
                yield Hit(
                    event.frame, event.time, f"first CM_START_ATTEN_CHAR.IND {late * 1e3:.0f} ms after the CNF", "ev"
                )


def slac_attenuation(story: Story) -> Iterator[Hit]:
    for event in story.homeplug("CM_ATTEN_CHAR.IND"):
        groups = getattr(event.message, "groups", b"")
        mean = _mean(groups)
        if groups and not any(groups):
            yield Hit(event.frame, event.time, "all groups are 0 dB: the modem did not measure", "evse", group="zero")
        elif mean > WEAK_DB:
            text = f"mean attenuation {mean:.1f} dB in {len(groups)} groups"
            yield Hit(event.frame, event.time, text, "evse", mean, event.source.hex(), level=Level.WARNING)
        elif mean > slac.C_EV_MATCH_SIGNALATTN_DIRECT:
            text = f"mean attenuation {mean:.1f} dB: above C_EV_match_signalattn_direct (10 dB), found 'potentially'"
            yield Hit(event.frame, event.time, text, "evse", mean, event.source.hex())


def slac_sounds(story: Story) -> Iterator[Hit]:
    for event in story.homeplug("CM_ATTEN_CHAR.IND"):
        sounds = getattr(event.message, "sounds", slac.C_EV_MATCH_MNBC)
        if sounds < slac.C_EV_MATCH_MNBC:
            text = f"the charger heard {sounds} of {slac.C_EV_MATCH_MNBC} sounds"
            yield Hit(event.frame, event.time, text, "evse", -sounds, "sounds")


def slac_neighbours(story: Story) -> Iterator[Hit]:
    heard: dict[bytes, HomePlug] = {}
    for event in story.homeplug("CM_ATTEN_CHAR.IND"):
        heard.setdefault(event.source, event)
    if len(heard) > 1:
        told = ", ".join(
            f"{mac.hex(':')} {_mean(getattr(e.message, 'groups', b'')):.1f} dB" for mac, e in heard.items()
        )
        first = next(iter(heard.values()))
        yield Hit(first.frame, first.time, f"{len(heard)} chargers heard the vehicle: {told}", "evse")


def slac_key_refused(story: Story) -> Iterator[Hit]:
    for event in story.homeplug("CM_SET_KEY.CNF"):
        result = getattr(event.message, "result", None)
        if result not in (None, 0, 1):
            yield Hit(event.frame, event.time, f"the modem answers CM_SET_KEY.REQ with result {result}", group="key")


def no_network(story: Story) -> Iterator[Hit]:
    """Matched, but nobody looks for a charger."""
    matched = story.homeplug("CM_SLAC_MATCH.CNF")
    if matched and not story.sdp("Request") and not story.exchanges:
        text = f"no SECC discovery in the {story.last_in_file - matched[-1].time:.1f} s after the match"
        yield Hit(matched[-1].frame, matched[-1].time, text, "ev")


def sdp_unanswered(story: Story) -> Iterator[Hit]:
    asked, answered = story.sdp("Request"), story.sdp("Response")
    open_requests: list[Sdp] = []
    for event in sorted([*asked, *answered], key=lambda e: e.frame):
        if event.side == "ev":
            open_requests.append(event)
            continue
        _drop_last(open_requests)
    if open_requests:
        first, last = open_requests[0], open_requests[-1]
        text = f"{len(open_requests)} of {len(asked)} requests without an answer in {last.time - first.time:.1f} s"
        level = Level.NOTE if story.exchanges or answered else None
        yield Hit(first.frame, first.time, text, "evse", level=level)


def _drop_last(requests: list[Sdp]) -> None:
    if requests:
        requests.pop()


def sdp_security(story: Story) -> Iterator[Hit]:
    wish: Sdp | None = None
    for event in (e for e in story.events if isinstance(e, Sdp) and e.message is not None):
        if event.side == "ev":
            wish = event
        elif wish is not None and wish.message.security == Security.TLS and event.message.security == Security.NONE:
            yield Hit(event.frame, event.time, "the vehicle asks for TLS, the charger offers plain TCP", "evse")


def sdp_unreadable(story: Story) -> Iterator[Hit]:
    for event in story.events:
        if isinstance(event, Sdp) and event.error:
            yield Hit(event.frame, event.time, event.error, event.side)


def setup_time(story: Story) -> Iterator[Hit]:
    timer = times.of(story.schema).communication_setup
    done = next((e.response for e in story.exchanges if e.pair == "SessionSetup" and e.response), None)
    if done is None:
        return
    began = [e.time for e in story.homeplug("CM_SLAC_PARAM.REQ") if e.time < done.time]
    if began and done.time - began[-1] > timer.seconds:
        text = f"{done.time - began[-1]:.1f} s from SLAC to SessionSetupRes, {timer.name} is {timer.seconds:g} s"
        yield Hit(done.frame, done.time, text, requirement=timer.source)


def tcp_refused(story: Story) -> Iterator[Hit]:
    announced = {e.message.port for e in story.sdp("Response") if e.message is not None}
    opened: dict[int, int] = {}
    for event in story.changes(Change.OPEN, Change.RESET, own=False):
        if event.connection == story.connection:
            continue
        if event.change is Change.OPEN:
            opened[event.connection] = event.receiver.port
        elif event.connection in opened:
            port = opened.pop(event.connection)
            ours = port in announced
            text = f"connection to port {port} refused" + ("" if ours else ": no port the charger announced")
            level = Level.WARNING if ours else Level.NOTE
            yield Hit(event.frame, event.time, text, event.side, group=str(port), level=level)


def tcp_not_opened(story: Story) -> Iterator[Hit]:
    """A charger was found, but no V2G message follows."""
    answered = story.sdp("Response")
    if answered and not story.exchanges:
        opened = story.changes(Change.OPEN, own=False)
        text = (
            f"{len(opened)} connections, no V2G message on any" if opened else "the charger was found, nobody connects"
        )
        last = opened[-1] if opened else answered[-1]
        yield Hit(last.frame, last.time, text, "ev")


def tcp_lost(story: Story) -> Iterator[Hit]:
    """The connection ends before SessionStopRes."""
    stopped = any(e.pair == "SessionStop" and e.response is not None for e in story.exchanges)
    refused = any(e.answered.get("ResponseCode") == "Failed_NoNegotiation" for e in story.exchanges)
    ends = story.changes(Change.CLOSE, Change.RESET)
    if stopped or refused or not ends or not story.exchanges:
        return
    first = ends[0]
    how = "resets" if first.change is Change.RESET else "closes"
    who = {"ev": "the vehicle", "evse": "the charger"}.get(first.side, "one side")
    yield Hit(first.frame, first.time, f"{who} {how} the connection without SessionStop", first.side)


def capture_ends(story: Story) -> Iterator[Hit]:
    """Neither SessionStop nor the end of the connection is there."""
    stopped = any(e.pair == "SessionStop" and e.response is not None for e in story.exchanges)
    if story.exchanges and not stopped and not story.changes(Change.CLOSE, Change.RESET):
        last = story.exchanges[-1].last
        after = story.last_in_file - last.time
        if after < 5.0:
            yield Hit(last.frame, last.time, f"the capture ends {after:.1f} s after the last message")
        else:
            yield Hit(last.frame, last.time, f"silence: nothing in the {after:.0f} s until the capture ends")


def tls_warnings(story: Story) -> Iterator[Hit]:
    for event in story.events:
        if isinstance(event, Tls) and event.warning:
            yield Hit(event.frame, event.time, event.text, event.side, group=event.name)


def handshake_refused(story: Story) -> Iterator[Hit]:
    for exchange in story.exchanges:
        if exchange.answered.get("ResponseCode") == "Failed_NoNegotiation" and exchange.response is not None:
            offered = ", ".join(o.ProtocolNamespace for o in getattr(exchange.first.body, "AppProtocol", []))
            text = f"Failed_NoNegotiation: the vehicle offers {offered}"
            yield Hit(exchange.response.frame, exchange.response.time, text, "evse")


def handshake_deviation(story: Story) -> Iterator[Hit]:
    for exchange in story.exchanges:
        if "MinorDeviation" in str(exchange.answered.get("ResponseCode")) and exchange.response is not None:
            yield Hit(exchange.response.frame, exchange.response.time, str(exchange.answered["ResponseCode"]), "evse")


def handshake_id(story: Story) -> Iterator[Hit]:
    for exchange in story.exchanges:
        offers = getattr(exchange.first.body, "AppProtocol", None)
        chosen = exchange.answered.get("SchemaID")
        if offers and chosen is not None and chosen not in [o.SchemaID for o in offers]:
            yield Hit(exchange.last.frame, exchange.last.time, f"schema {chosen} was chosen, but not offered", "evse")


E = Level.ERROR
RULES = (
    Rule("file-damaged", Layer.CAPTURE, Level.NOTE, "the file is cut or spoiled", "", damage),
    Rule("segments-missing", Layer.CAPTURE, Level.WARNING, "segments are missing in the capture", "", gaps),
    Rule("began-before", Layer.CAPTURE, Level.NOTE, "the capture begins inside the connection", "", midstream),
    Rule("schema-guessed", Layer.CAPTURE, Level.NOTE, "the schema is a guess", "", guessed),
    Rule("one-sided", Layer.CAPTURE, Level.NOTE, "one side is not in the capture", "", one_sided),
    Rule("capture-ends", Layer.CAPTURE, Level.NOTE, "no end in the capture", "", capture_ends),
    Rule("pilot-fault", Layer.PILOT, E, "the control pilot ends the session", "IEC 61851-1", pilot_fault),
    Rule("slac-unanswered", Layer.SLAC, E, "SLAC is not answered", "ISO 15118-3 Annex A", slac_unanswered),
    Rule("slac-stuck", Layer.SLAC, E, "SLAC does not come to a match", "ISO 15118-3 Annex A", slac_stuck),
    Rule("slac-again", Layer.SLAC, Level.WARNING, "SLAC begins again", "TT_match_join", slac_again),
    Rule("slac-retries", Layer.SLAC, Level.DEVIATION, "SLAC needs many tries", "ISO 15118-3 table A.1", slac_retries),
    Rule("slac-late-start", Layer.SLAC, Level.DEVIATION, "sounding begins late", "TP_match_sequence", slac_late_start),
    Rule(
        "slac-attenuation",
        Layer.SLAC,
        Level.NOTE,
        "weak signal",
        "ISO 15118-3 table A.1",
        slac_attenuation,
    ),
    Rule("slac-sounds", Layer.SLAC, Level.NOTE, "sounds were missed", "C_EV_match_MNBC", slac_sounds),
    Rule("slac-neighbours", Layer.SLAC, Level.NOTE, "several chargers answer", "ISO 15118-3 Annex A", slac_neighbours),
    Rule("key-refused", Layer.SLAC, Level.WARNING, "a modem refuses the key", "", slac_key_refused),
    Rule("no-network", Layer.NETWORK, E, "matched, but no discovery", "ISO 15118-3 TT_match_join", no_network),
    Rule("sdp-unanswered", Layer.NETWORK, E, "SECC discovery is not answered", "V2G2-161", sdp_unanswered),
    Rule("sdp-unreadable", Layer.NETWORK, Level.WARNING, "unreadable SECC discovery", "", sdp_unreadable),
    Rule("tls-declined", Layer.NETWORK, Level.NOTE, "TLS asked, plain TCP given", "V2G2-627", sdp_security),
    Rule("setup-late", Layer.NETWORK, Level.DEVIATION, "communication set-up is slow", "", setup_time),
    Rule("tcp-refused", Layer.TCP, Level.WARNING, "connection refused", "", tcp_refused),
    Rule("tcp-unused", Layer.TCP, E, "no session on the connection", "", tcp_not_opened),
    Rule("tcp-lost", Layer.TCP, E, "the connection ended before the session", "", tcp_lost),
    Rule("tls-trouble", Layer.TLS, Level.WARNING, "TLS", "", tls_warnings),
    Rule("handshake-refused", Layer.HANDSHAKE, E, "no common protocol", "V2G2-172", handshake_refused),
    Rule("handshake-deviation", Layer.HANDSHAKE, Level.NOTE, "minor deviation", "V2G2-170", handshake_deviation),
    Rule("handshake-id", Layer.HANDSHAKE, E, "a schema that was not offered", "V2G2-169", handshake_id),
)
"""Below the session, in the order of the tower."""
