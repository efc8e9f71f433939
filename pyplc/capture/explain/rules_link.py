"""Rules below the session: the capture, control pilot, SECC discovery, TCP, TLS, handshake. SLAC is in `rules_slac`."""

from __future__ import annotations

from collections.abc import Iterator

from ...record import Pilot as OwnPilot
from ...record import Summary
from ...sdp.messages import Security
from ..events import Change, Damage, Event, Message, Pilot, Sdp, Tls
from ..tls import ALERTED, NEGOTIATED, NO_KEYS
from . import times
from .findings import Hit, Layer, Level, Rule
from .own import Own
from .rules_slac import whole
from .story import Story

TALKING_S = 0.5
"""So long after the last message the pilot still belongs to the talk."""
LOOP = ("CurrentDemand", "ChargingStatus", "AC_ChargeLoop", "DC_ChargeLoop")
SIDES = {"ev": "vehicle", "evse": "charger"}


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
    if story.exchanges and story.exchanges[0].pair == "SupportedAppProtocol":
        return  # nothing of the session is missing
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


def _pilots(story: Story) -> Iterator[tuple[Event, str, float | None, str]]:
    """Reports of the control pilot in a session that is still talking: state, duty cycle, last message before."""
    last = ""
    until = story.messages[-1].time + TALKING_S if story.messages else 0.0
    for event in story.events:
        if isinstance(event, Message):
            last = event.name
        if not last or last == "SessionStopRes" or event.time > until:
            continue
        report = event.record if isinstance(event, Own) else event
        if isinstance(report, (Pilot, OwnPilot)):
            yield event, report.state, report.duty_percent, last


def pilot_fault(story: Story) -> Iterator[Hit]:
    """State A, E or F in a session."""
    for event, state, _, _ in _pilots(story):
        if state in ("E", "F"):
            yield Hit(event.frame, event.time, f"pilot in state {state}", "evse", group=state)
        elif state == "A":
            yield Hit(event.frame, event.time, "pilot in state A: unplugged while the session ran", "ev", group=state)


def pilot_back(story: Story) -> Iterator[Hit]:
    """State B in the charge loop: the vehicle wants no more power."""
    for event, state, _, last in _pilots(story):
        if state == "B" and last.startswith(LOOP):
            yield Hit(event.frame, event.time, "pilot back in state B in the charge loop", "ev", group=state)


def pilot_silent(story: Story) -> Iterator[Hit]:
    """The oscillator stops in the charge loop."""
    oscillating = False
    for event, state, duty, last in _pilots(story):
        if duty is not None and duty < 99:
            oscillating = True
        elif oscillating and state in ("B", "C", "D") and last.startswith(LOOP):
            yield Hit(
                event.frame, event.time, "the charger stops its oscillator in the charge loop", "evse", group=state
            )


def own_word(story: Story) -> Iterator[Hit]:
    """A station recorded itself that its session did not end well."""
    for event in story.own(Summary):
        said: Summary = event.record
        if said.outcome not in ("finished", "stopped"):
            text = f"the {SIDES.get(said.side, said.side)} recorded: {said.reason}"
            yield Hit(event.frame, event.time, text, said.side if said.side in SIDES else "", group=said.side)


def no_network(story: Story) -> Iterator[Hit]:
    """Matched, but nobody looks for a charger."""
    matched = story.homeplug("CM_SLAC_MATCH.CNF")
    if matched and whole(story) and not story.sdp("Request") and not story.exchanges:
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
    if answered and not story.exchanges and not any(isinstance(e, Tls) for e in story.events):
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
    asked = next((e.name for e in reversed(story.exchanges) if e.first.time <= first.time), "")
    answered = any(e.response is not None and e.last.time <= first.time for e in story.exchanges[-1:])
    instead = f" instead of answering {asked}" if first.side == "evse" and not answered else ""
    yield Hit(first.frame, first.time, f"{who} {how} the connection without SessionStop{instead}", first.side)


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
        if isinstance(event, Tls) and event.warning and event.name not in (ALERTED, NO_KEYS):
            yield Hit(event.frame, event.time, event.text, event.side, group=event.name)


def tls_alert(story: Story) -> Iterator[Hit]:
    """An alert: before any message it is the end of the attempt."""
    level = Level.WARNING if story.exchanges else None
    for event in story.events:
        if isinstance(event, Tls) and event.warning and event.name == ALERTED:
            who = SIDES.get(event.side, "one side")
            yield Hit(event.frame, event.time, f"the {who} sends the alert: {event.text}", event.side, level=level)


def tls_unread(story: Story) -> Iterator[Hit]:
    """Negotiated, but without its keys."""
    agreed = [event for event in story.events if isinstance(event, Tls) and event.name == NEGOTIATED]
    if agreed and not story.exchanges:
        text = f"{agreed[-1].text}: the messages cannot be read without the keys of the TLS session"
        yield Hit(agreed[-1].frame, agreed[-1].time, text)


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
    Rule("own-word", Layer.CAPTURE, Level.NOTE, "the station's own word", "", own_word),
    Rule("pilot-fault", Layer.PILOT, E, "the control pilot ends the session", "IEC 61851-1", pilot_fault),
    Rule("pilot-back", Layer.PILOT, Level.WARNING, "state B while charging", "IEC 61851-1", pilot_back),
    Rule("pilot-silent", Layer.PILOT, Level.WARNING, "no oscillator while charging", "IEC 61851-1", pilot_silent),
    Rule("no-network", Layer.NETWORK, E, "matched, but no discovery", "ISO 15118-3 TT_match_join", no_network),
    Rule("sdp-unanswered", Layer.NETWORK, E, "SECC discovery is not answered", "V2G2-161", sdp_unanswered),
    Rule("sdp-unreadable", Layer.NETWORK, Level.WARNING, "unreadable SECC discovery", "", sdp_unreadable),
    Rule("tls-declined", Layer.NETWORK, Level.NOTE, "TLS asked, plain TCP given", "V2G2-627", sdp_security),
    Rule("setup-late", Layer.NETWORK, Level.DEVIATION, "communication set-up is slow", "", setup_time),
    Rule("tcp-refused", Layer.TCP, Level.WARNING, "connection refused", "", tcp_refused),
    Rule("tcp-unused", Layer.TCP, E, "no session on the connection", "", tcp_not_opened),
    Rule("tcp-lost", Layer.TCP, E, "the connection ended before the session", "", tcp_lost),
    Rule("tls-alert", Layer.TLS, E, "TLS ends with an alert", "RFC 8446 6.2", tls_alert),
    Rule("tls-unread", Layer.CAPTURE, Level.NOTE, "TLS without keys", "", tls_unread),
    Rule("tls-trouble", Layer.TLS, Level.WARNING, "TLS", "", tls_warnings),
    Rule("handshake-refused", Layer.HANDSHAKE, E, "no common protocol", "V2G2-172", handshake_refused),
    Rule("handshake-deviation", Layer.HANDSHAKE, Level.NOTE, "minor deviation", "V2G2-170", handshake_deviation),
    Rule("handshake-id", Layer.HANDSHAKE, E, "a schema that was not offered", "V2G2-169", handshake_id),
)
"""Below the session, in the order of the tower."""
