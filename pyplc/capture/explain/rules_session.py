"""Rules of the session: order of requests, answers and their times, response codes, status, loops."""

from __future__ import annotations

from collections.abc import Iterator

from ..events import Change
from . import times
from .findings import Hit, Layer, Level, Rule
from .story import Exchange, Story

PATIENCE = 0.9
"""A connection that ends after this part of the sequence time-out ended for it."""
STOPS = ("StopCharging", "Pause", "Terminate")
"""What a charger asks for that ends a session."""
SHUTDOWN = {
    "EVSE_Shutdown": Level.WARNING,
    "EVSE_EmergencyShutdown": Level.ERROR,
    "EVSE_Malfunction": Level.ERROR,
    "EVSE_UtilityInterruptEvent": Level.WARNING,
}


def unreadable(story: Story) -> Iterator[Hit]:
    for message in story.messages:
        if message.error:
            yield Hit(message.frame, message.time, message.error, message.side)


def unanswered(story: Story) -> Iterator[Hit]:
    """Requests without a response. Where the capture ends at once after it, nothing is known."""
    timing = times.of(story.schema)
    for number, exchange in enumerate(story.exchanges):
        if exchange.response is not None or exchange.request is None or not exchange.name:
            continue
        request, following = exchange.request, story.exchanges[number + 1 : number + 2]
        timer = timing.message.of(exchange.name)
        until = following[0].first.time if following else story.last_in_file
        waited = until - request.time
        lost = bool(story.changes()) and any(c.change == "gap" for c in story.changes())
        if following:
            text = f"{exchange.name} got no answer; {following[0].name} comes {waited:.2f} s later"
            level = Level.NOTE if lost else Level.WARNING
        elif waited < timer.seconds and story.last_in_file <= story.end:
            text, level = f"{exchange.name} is the last message; the capture ends {waited:.2f} s later", Level.NOTE
        else:
            text, level = f"{exchange.name} got no answer ({timer.name} is {timer.seconds:g} s)", Level.ERROR
        yield Hit(request.frame, request.time, text, "evse", waited, exchange.name, timer.source, level)


def unasked(story: Story) -> Iterator[Hit]:
    for exchange in story.exchanges[1:]:
        if exchange.request is None and exchange.response is not None and exchange.response.name:
            text = f"{exchange.response.name} without a request"
            yield Hit(exchange.response.frame, exchange.response.time, text, "evse", group=exchange.name)


def mismatched(story: Story) -> Iterator[Hit]:
    """A response of another name than its request."""
    for exchange in story.exchanges:
        if exchange.request is None or exchange.response is None or not exchange.response.name:
            continue
        if exchange.request.name.removesuffix("Req") != exchange.response.name.removesuffix("Res"):
            text = f"{exchange.request.name} is answered with {exchange.response.name}"
            yield Hit(exchange.response.frame, exchange.response.time, text, "evse")


def late(story: Story) -> Iterator[Hit]:
    """Answers later than the vehicle must wait."""
    timing = times.of(story.schema)
    for exchange in story.exchanges:
        seconds = exchange.seconds
        timer = timing.message.of(exchange.name)
        if seconds is not None and seconds > timer.seconds:
            text = f"{exchange.name} answered after {_span(seconds)}; {timer.name} is {_span(timer.seconds)}"
            yield _hit(exchange, text, "evse", seconds, exchange.name, timer.source)


def slow(story: Story) -> Iterator[Hit]:
    """Answers later than the charger promises, but within what the vehicle waits."""
    timing = times.of(story.schema)
    for exchange in story.exchanges:
        seconds = exchange.seconds
        promise, limit = timing.performance.of(exchange.name), timing.message.of(exchange.name)
        if seconds is not None and promise.seconds < seconds <= limit.seconds:
            text = f"{exchange.name} answered after {_span(seconds)}; {promise.name} is {_span(promise.seconds)}"
            yield _hit(exchange, text, "evse", seconds, exchange.name, promise.source)


def _span(seconds: float) -> str:
    return f"{seconds * 1e3:.0f} ms" if seconds < 1 else f"{seconds:.2f} s"


def _hit(
    exchange: Exchange, text: str, side: str, size: float = 0.0, group: str = "", source: str = "",
    level: Level | None = None,
) -> Hit:  # fmt: skip
    return Hit(exchange.last.frame, exchange.last.time, text, side, size, group, source, level)


def refused(story: Story) -> Iterator[Hit]:
    for exchange in story.exchanges:
        code = str(exchange.answered.get("ResponseCode", "OK"))
        if not code.startswith(("OK", "Failed_NoNegotiation")):
            level = Level.WARNING if code.startswith("WARNING") else None
            yield _hit(exchange, f"{exchange.last.name} {code}", "evse", group=exchange.name + code, level=level)


def session_id(story: Story) -> Iterator[Hit]:
    known: bytes | None = None
    for exchange in story.exchanges:
        for message in (exchange.request, exchange.response):
            header = getattr(getattr(message, "value", None), "Header", None)
            if header is None or message is None:
                continue
            if exchange.pair == "SessionSetup":
                known = header.SessionID if message.name.endswith("Res") else known
            elif known is not None and header.SessionID != known:
                text = f"{message.name} has session id {header.SessionID.hex()}, the session is {known.hex()}"
                yield Hit(message.frame, message.time, text, message.side, group=message.side)


def setup_code(story: Story) -> Iterator[Hit]:
    for exchange in story.exchanges:
        if exchange.pair == "SessionSetup" and exchange.answered.get("ResponseCode") == "OK":
            yield _hit(exchange, "OK instead of OK_NewSessionEstablished", "evse")


def pauses(story: Story) -> Iterator[Hit]:
    """The vehicle lets the charger wait."""
    timer = times.of(story.schema).sequence
    for before, after in zip(story.exchanges, story.exchanges[1:], strict=False):
        waited = after.first.time - before.last.time
        if waited > timer.seconds:
            text = (
                f"nothing from the vehicle for {waited:.1f} s until {after.name}; {timer.name} is {timer.seconds:g} s"
            )
            yield Hit(after.first.frame, after.first.time, text, "ev", waited, requirement=timer.source)
        elif waited > 40:
            promise = "V2G_EVCC_Sequence_Performance_Time is 40 s"
            text = f"nothing from the vehicle for {waited:.1f} s until {after.name}; {promise}"
            yield Hit(after.first.frame, after.first.time, text, "ev", waited, "40", "V2G2-485")


def silent(story: Story) -> Iterator[Hit]:
    """The vehicle says nothing more, until the charger's patience is over."""
    timer = times.of(story.schema).sequence
    last = story.exchanges[-1] if story.exchanges else None
    if last is None or last.response is None or last.pair == "SessionStop":
        return
    closed = [event.time for event in story.changes(Change.CLOSE, Change.RESET)]
    waited = (closed[0] if closed else story.last_in_file) - last.last.time
    if waited > timer.seconds * PATIENCE:
        text = f"no request for {waited:.0f} s after {last.last.name}; {timer.name} is {timer.seconds:g} s"
        yield _hit(last, text, "ev", waited, source=timer.source)


def loops(story: Story) -> Iterator[Hit]:
    """Phases that last longer than their timer."""
    timing = times.of(story.schema)
    limits = {
        "Authorization": timing.ongoing,
        "ChargeParameterDiscovery": timing.ongoing,
        "CableCheck": timing.cable_check,
        "PreCharge": timing.precharge,
    }
    run: list[Exchange] = []
    for exchange in [*story.exchanges, None]:
        if exchange is not None and run and exchange.pair == run[0].pair:
            run.append(exchange)
            continue
        if run and (timer := limits.get(run[0].pair)) is not None:
            lasted = run[-1].last.time - run[0].first.time
            if lasted > timer.seconds:
                text = f"{run[0].pair} took {lasted:.1f} s in {len(run)} rounds; {timer.name} is {timer.seconds:g} s"
                yield _hit(run[-1], text, "evse", lasted, run[0].pair, timer.source)
        run = [exchange] if exchange is not None else []


def ready_to_charge(story: Story) -> Iterator[Hit]:
    timer = times.of(story.schema).ready_to_charge
    begin = next((e.last for e in story.exchanges if e.pair == "SessionSetup"), None)
    power = next((e.first for e in story.exchanges if e.phase == "power on"), None)
    if timer is not None and begin and power and power.time - begin.time > timer.seconds:
        text = (
            f"{power.time - begin.time:.0f} s from SessionSetupRes to PowerDelivery; {timer.name} {timer.seconds:g} s"
        )
        yield Hit(power.frame, power.time, text, requirement=timer.source)


def vehicle_error(story: Story) -> Iterator[Hit]:
    for exchange in story.exchanges:
        code = exchange.asked.get("EVErrorCode", "NO_ERROR")
        if code != "NO_ERROR" and exchange.request is not None:
            text = f"the vehicle reports {code} in {exchange.name}"
            yield Hit(exchange.request.frame, exchange.request.time, text, "ev", group=str(code))


def charger_status(story: Story) -> Iterator[Hit]:
    for exchange in story.exchanges:
        code = exchange.answered.get("EVSEStatusCode")
        if code in SHUTDOWN:
            text = f"the charger reports {code} in {exchange.last.name}"
            yield _hit(exchange, text, "evse", group=str(code), level=SHUTDOWN[code])


def notification(story: Story) -> Iterator[Hit]:
    for exchange in story.exchanges:
        wish = exchange.answered.get("EVSENotification", "None")
        if wish not in ("None", None):
            delay = exchange.answered.get("NotificationMaxDelay", 0)
            level = None if wish in STOPS else Level.NOTE
            yield _hit(exchange, f"the charger asks: {wish}, at most {delay} s", "evse", group=str(wish), level=level)


def isolation(story: Story) -> Iterator[Hit]:
    for exchange in story.exchanges:
        state = exchange.answered.get("EVSEIsolationStatus")
        if state in ("Fault", "Warning", "No_IMD"):
            level = {"Fault": Level.ERROR, "Warning": Level.WARNING}.get(state, Level.NOTE)
            yield _hit(exchange, f"isolation {state} in {exchange.last.name}", "evse", group=str(state), level=level)


def unknown_values(story: Story) -> Iterator[Hit]:
    for exchange in story.exchanges:
        for said in (exchange.asked, exchange.answered):
            for name in ("ResponseCode", "EVSEStatusCode", "EVErrorCode", "EVSENotification", "EVSEProcessing"):
                if isinstance(said.get(name), int):
                    yield _hit(exchange, f"{name} has the unknown value {said[name]}", group=name, side="")


def contact_unwanted(story: Story) -> Iterator[Hit]:
    """The end came before SessionStop was asked, although the connection lasted."""
    first = next((e for e in story.exchanges if e.phase == "power off"), None)
    last = story.exchanges[-1] if story.exchanges else None
    if first is not None and last is not None and last.pair != "SessionStop" and last.response is not None:
        yield _hit(last, f"power was switched off, but the last message is {last.last.name}", "ev")


E, W, D, N = Level.ERROR, Level.WARNING, Level.DEVIATION, Level.NOTE
S = Layer.SESSION
RULES = (
    Rule("unreadable", S, E, "a message cannot be read", "", unreadable),
    Rule("unanswered", S, E, "a request is not answered", "V2G_EVCC_Msg_Timeout", unanswered),
    Rule("unasked", S, W, "a response without a request", "", unasked),
    Rule("wrong-response", S, E, "another response than asked for", "V2G2-736", mismatched),
    Rule("late", S, W, "an answer after the time-out", "", late),
    Rule("slow", S, D, "slow answers", "", slow),
    Rule("response-code", S, E, "the charger refuses", "V2G2-735", refused),
    Rule("session-id", S, E, "the session id changes", "V2G2-460, V2G-DC-391", session_id),
    Rule("setup-code", S, N, "SessionSetup answered OK", "V2G2-462, V2G-DC-393", setup_code),
    Rule("pause", S, W, "the vehicle is silent", "", pauses),
    Rule("silent", S, E, "the vehicle says nothing more", "", silent),
    Rule("loop", S, W, "a loop takes too long", "", loops),
    Rule("ready-to-charge", S, D, "long way to power on", "", ready_to_charge),
    Rule("vehicle-error", S, E, "the vehicle reports an error", "V2G2-881", vehicle_error),
    Rule("charger-status", S, W, "the charger ends it", "V2G-DC-500", charger_status),
    Rule("notification", S, W, "the charger asks for something", "V2G2-679", notification),
    Rule("isolation", Layer.POWER, W, "isolation", "V2G-DC-890", isolation),
    Rule("unknown-value", S, N, "a value the schema does not know", "", unknown_values),
    Rule("no-session-stop", S, D, "power off, but no SessionStop", "V2G2-571", contact_unwanted),
)
"""Of the session."""
