"""Rules of power: limits both sides agreed on, what was asked and what was reported, pre-charge, the end of current."""

from __future__ import annotations

from collections.abc import Iterator

from ...record import Reading
from .findings import Hit, Layer, Level, Rule
from .story import Exchange, Story

WINDOW_V = 20.0
"""Difference at which a vehicle may close its contactors, IEC 61851-23."""
SAFE_V = 60.0
OVERSHOOT_V = 10.0
"""What a report may be above a target while the current is regulated."""
OFF_A = 5.0
SETTLED_S = 2.0
"""A demand that has stood this long should be delivered."""
TOLERANCE_A, TOLERANCE_PART = 2.5, 0.05
"""Regulation of current: 2.5 A below 50 A, 5 % above, IEC 61851-23."""
MARGIN = 1.01
NEAR_S = 1.2
"""A reading that is not older or younger belongs to an answer."""
CLASS = 0.8
"""A charger whose highest voltage is below this part of the vehicle's is of another class (400 V, 800 V)."""


def _number(exchange: Exchange, name: str) -> float | None:
    value = exchange.answered.get(name, exchange.asked.get(name))
    return float(value) if isinstance(value, (int, float)) else None


def _hit(exchange: Exchange, text: str, side: str, size: float, group: str = "", level: Level | None = None) -> Hit:
    return Hit(exchange.last.frame, exchange.last.time, text, side, size, group, level=level)


def over_voltage(story: Story) -> Iterator[Hit]:
    for exchange in story.exchanges:
        voltage = _number(exchange, "EVSEPresentVoltage")
        if voltage is None or exchange.pair != "ChargeLoop":
            continue  # before, the test voltage of the cable check may still stand at the open contactors
        for who, limit, level in (
            ("the vehicle's limit", exchange.ev.voltage, None),
            ("the charger's limit", exchange.evse.voltage, Level.WARNING),
            ("the target", _number(exchange, "EVTargetVoltage"), Level.WARNING),
        ):
            if limit and voltage > limit * MARGIN + (0 if level is None else OVERSHOOT_V):
                text = f"{voltage:.1f} V, {who} is {limit:.1f} V"
                yield _hit(exchange, text, "evse", voltage - limit, who, level)


def over_current(story: Story) -> Iterator[Hit]:
    for exchange in story.exchanges:
        current = _number(exchange, "EVSEPresentCurrent")
        if current is None or exchange.pair != "ChargeLoop":
            continue
        for who, limit in (("vehicle", exchange.ev.current), ("charger", exchange.evse.current)):
            if limit and current > limit + _tolerance(limit):
                text = f"{current:.1f} A, the {who}'s limit is {limit:.1f} A"
                yield _hit(exchange, text, "evse", current - limit, who)


def _tolerance(current: float) -> float:
    return max(TOLERANCE_A, abs(current) * TOLERANCE_PART)


def greedy(story: Story) -> Iterator[Hit]:
    """Targets above the vehicle's own limits (a fault), or above the charger's (a wish)."""
    for exchange in story.exchanges:
        if exchange.pair not in ("ChargeLoop", "PreCharge"):
            continue
        for what, unit, name in (("voltage", "V", "EVTargetVoltage"), ("current", "A", "EVTargetCurrent")):
            target = exchange.asked.get(name)
            if not isinstance(target, (int, float)):
                continue
            own, other = getattr(exchange.ev, what), getattr(exchange.evse, what)
            if own and target > own * MARGIN:
                text = f"{name} {target:g} {unit} above its own limit of {own:g} {unit}"
                yield _hit(exchange, text, "ev", target - own, f"own {what}", Level.DEVIATION)
            elif other and target > other * MARGIN:
                text = f"{name} {target:g} {unit}, the charger can {other:g} {unit}"
                yield _hit(exchange, text, "ev", target - other, f"other {what}")


def not_delivered(story: Story) -> Iterator[Hit]:
    """A demand that has been the same for two seconds, within all limits, and is not delivered."""
    since = target = None
    for exchange in story.exchanges:
        if exchange.pair != "ChargeLoop":
            since = None
            continue
        wanted = exchange.asked.get("EVTargetCurrent")
        current = _number(exchange, "EVSEPresentCurrent")
        if not isinstance(wanted, (int, float)) or current is None:
            continue
        if target is None or abs(wanted - target) > 1.0 or since is None:
            since, target = exchange.last.time, wanted
        if exchange.last.time - since < SETTLED_S or any(
            exchange.answered.get(f"EVSE{what}LimitAchieved") for what in ("Current", "Voltage", "Power")
        ):
            continue
        due = min([float(wanted), *(limit for limit in (exchange.evse.current,) if limit is not None)])
        if abs(current - due) > _tolerance(due):
            text = f"{due:.1f} A asked for {exchange.last.time - since:.0f} s, {current:.1f} A reported, no limit flag"
            yield _hit(exchange, text, "evse", abs(current - due))


def not_measured(story: Story) -> Iterator[Hit]:
    """Reported voltage against what the vehicle measured itself just before and after."""
    readings = [e for e in story.own(Reading) if e.record.side == "ev"]
    for exchange in story.exchanges:
        reported = exchange.answered.get("EVSEPresentVoltage")
        if exchange.pair not in ("PreCharge", "ChargeLoop") or not isinstance(reported, (int, float)):
            continue
        near = [e.record.voltage for e in readings if abs(e.time - exchange.last.time) < NEAR_S]
        if len(near) > 1 and not min(near) - WINDOW_V <= reported <= max(near) + WINDOW_V:
            measured = f"{min(near):.1f} V" if max(near) - min(near) < 1 else f"{min(near):.1f} to {max(near):.1f} V"
            apart = min(abs(reported - value) for value in near)
            text = f"the charger reports {reported:.1f} V, the vehicle measures {measured}"
            yield _hit(exchange, text, "evse", apart, exchange.pair)


def zero_voltage(story: Story) -> Iterator[Hit]:
    for exchange in story.exchanges:
        lived = str(exchange.answered.get("ResponseCode", "")).startswith("OK")
        if exchange.pair == "ChargeLoop" and lived and exchange.answered.get("EVSEPresentVoltage") == 0:
            yield _hit(exchange, "EVSEPresentVoltage is 0 V in the charge loop", "evse", 0)


def no_current(story: Story) -> Iterator[Hit]:
    """The whole loop without current, although some was asked."""
    loop = [e for e in story.exchanges if e.pair == "ChargeLoop" and _number(e, "EVSEPresentCurrent") is not None]
    asked = max((float(e.asked.get("EVTargetCurrent") or 0) for e in loop), default=0.0)
    given = max((_number(e, "EVSEPresentCurrent") or 0.0 for e in loop), default=0.0)
    if loop and asked > 1.0 and given < 1.0 and loop[-1].last.time - loop[0].first.time > 5:
        text = f"up to {asked:g} A asked in {len(loop)} rounds, never more than {given:g} A reported"
        yield _hit(loop[0], text, "evse", asked)


def precharge_window(story: Story) -> Iterator[Hit]:
    """PowerDelivery start while the reported voltage is away from what was asked."""
    last: Exchange | None = None
    for exchange in story.exchanges:
        if exchange.pair == "PreCharge":
            last = exchange
        if exchange.phase != "power on" or last is None:
            continue
        target, voltage = last.asked.get("EVTargetVoltage"), last.answered.get("EVSEPresentVoltage")
        if isinstance(target, (int, float)) and isinstance(voltage, (int, float)) and abs(target - voltage) > WINDOW_V:
            text = f"contactors close at {voltage:.1f} V of {target:.1f} V: {abs(target - voltage):.1f} V apart"
            yield _hit(exchange, text, "ev", abs(target - voltage))
        last = None


def precharge_overshoot(story: Story) -> Iterator[Hit]:
    """Above the target after it had been reached; the test voltage of the cable check may still stand before."""
    reached = False
    for exchange in story.exchanges:
        if exchange.pair != "PreCharge":
            continue
        target, voltage = exchange.asked.get("EVTargetVoltage"), exchange.answered.get("EVSEPresentVoltage")
        if not isinstance(target, (int, float)) or not isinstance(voltage, (int, float)):
            continue
        reached = reached or voltage <= target + WINDOW_V
        if reached and voltage > target + WINDOW_V:
            yield _hit(exchange, f"{voltage:.1f} V reported for a target of {target:.1f} V", "evse", voltage - target)


def precharge_not_ready(story: Story) -> Iterator[Hit]:
    for exchange in story.exchanges:
        if exchange.pair == "PreCharge" and exchange.answered.get("EVSEStatusCode") == "EVSE_NotReady":
            voltage = exchange.answered.get("EVSEPresentVoltage")
            yield _hit(exchange, f"EVSE_NotReady in PreChargeRes ({voltage:g} V)", "evse", 0)


def precharge_never(story: Story) -> Iterator[Hit]:
    """Pre-charge that never comes near its target."""
    loop = [e for e in story.exchanges if e.pair == "PreCharge" and e.response is not None]
    apart = [
        abs(float(e.asked["EVTargetVoltage"]) - float(e.answered["EVSEPresentVoltage"]))
        for e in loop
        if "EVTargetVoltage" in e.asked and "EVSEPresentVoltage" in e.answered
    ]
    if apart and min(apart) > WINDOW_V and not any(e.phase == "power on" for e in story.exchanges):
        lasted = loop[-1].last.time - loop[0].first.time
        rounds = f"{len(loop)} rounds, {lasted:.1f} s"
        text = f"never within {WINDOW_V:g} V of the target in {rounds}; nearest {min(apart):.1f} V"
        yield _hit(loop[-1], text, "evse", min(apart))


def cable_check_status(story: Story) -> Iterator[Hit]:
    for exchange in story.exchanges:
        said = exchange.answered
        if exchange.pair != "CableCheck" or said.get("EVSEProcessing") != "Finished" or "EVSEStatusCode" not in said:
            continue
        code, level = said["EVSEStatusCode"], said.get("EVSEIsolationStatus", "none")
        if code == "EVSE_NotReady" or level in ("Invalid", "none"):
            yield _hit(exchange, f"cable check Finished with {code} and isolation {level}", "evse", 0)


def switched_under_current(story: Story) -> Iterator[Hit]:
    current = 0.0
    for exchange in story.exchanges:
        if exchange.pair == "ChargeLoop":
            current = _number(exchange, "EVSEPresentCurrent") or 0.0
        elif exchange.phase == "power off" and abs(current) > OFF_A:
            yield _hit(exchange, f"PowerDelivery stop with {current:.1f} A still reported", "ev", abs(current))
            current = 0.0


def welded(story: Story) -> Iterator[Hit]:
    voltages = [
        (e, float(e.answered["EVSEPresentVoltage"]))
        for e in story.exchanges
        if e.pair == "WeldingDetection" and "EVSEPresentVoltage" in e.answered
    ]
    if voltages and voltages[-1][1] > SAFE_V:
        exchange, voltage = voltages[-1]
        text = f"{voltage:.0f} V at the end of welding detection ({len(voltages)} rounds)"
        yield _hit(exchange, text, "evse", voltage)


def charge_jumps(story: Story) -> Iterator[Hit]:
    before: float | None = None
    for exchange in story.exchanges:
        soc = exchange.asked.get("EVRESSSOC")
        if not isinstance(soc, (int, float)):
            continue
        if before is not None and abs(soc - before) > 5 and exchange.pair == "ChargeLoop":
            yield _hit(exchange, f"state of charge jumps from {before:g} % to {soc:g} %", "ev", abs(soc - before))
        before = float(soc)


def no_offer(story: Story) -> Iterator[Hit]:
    for exchange in story.exchanges:
        if exchange.pair != "ChargeParameterDiscovery" or exchange.answered.get("EVSEProcessing") != "Finished":
            continue
        for what, unit in (("Voltage", "V"), ("Current", "A"), ("Power", "W")):
            limit = exchange.answered.get(f"EVSEMaximum{what}Limit")
            if isinstance(limit, (int, float)) and limit <= 0:
                yield _hit(exchange, f"the charger offers at most {limit:g} {unit}", "evse", 0, what)


def voltage_classes(story: Story) -> Iterator[Hit]:
    """Ranges of voltage that do not meet."""
    for exchange in story.exchanges:
        least = _number(exchange, "EVSEMinimumVoltageLimit")
        highest, wanted = exchange.evse.voltage, exchange.ev.voltage
        if exchange.pair != "ChargeParameterDiscovery" or not wanted or not highest:
            continue
        if highest < wanted * CLASS or (least is not None and least > wanted):
            text = f"the charger gives {least or 0:g} to {highest:g} V, the vehicle's battery may have {wanted:g} V"
            yield _hit(exchange, text, "evse", 0)


E, W, D, N = Level.ERROR, Level.WARNING, Level.DEVIATION, Level.NOTE
P = Layer.POWER
RULES = (
    Rule("over-voltage", P, E, "voltage above the agreed limit", "IEC 61851-23 CC.6.2", over_voltage),
    Rule("over-current", P, W, "current above the agreed limit", "IEC 61851-23", over_current),
    Rule("greedy", P, N, "more asked than agreed", "", greedy),
    Rule("not-delivered", P, W, "delivered and demanded differ", "IEC 61851-23", not_delivered),
    Rule("not-measured", P, W, "reported and measured differ", "IEC 61851-23", not_measured),
    Rule("zero-voltage", P, W, "the charger reports no voltage", "", zero_voltage),
    Rule("no-current", P, W, "no current at all", "", no_current),
    Rule("precharge-window", P, W, "contactors closed at a wrong voltage", "IEC 61851-23", precharge_window),
    Rule("precharge-overshoot", P, W, "pre-charge overshoots", "IEC 61851-23", precharge_overshoot),
    Rule("precharge-not-ready", P, W, "not ready in pre-charge", "V2G-DC-638", precharge_not_ready),
    Rule("precharge-never", P, W, "pre-charge does not reach its target", "IEC 61851-23", precharge_never),
    Rule("cable-check-status", P, D, "cable check finished without a valid result", "V2G-DC-893", cable_check_status),
    Rule("current-at-stop", P, D, "switched off under current", "IEC 61851-23 CC.3.4", switched_under_current),
    Rule("voltage-at-end", P, N, "voltage remains after the end", "IEC 61851-23", welded),
    Rule("charge-jumps", P, N, "state of charge jumps", "", charge_jumps),
    Rule("voltage-classes", P, W, "voltages do not meet", "IEC 61851-23", voltage_classes),
    Rule("no-offer", P, W, "the charger offers nothing", "V2G2-477", no_offer),
)
"""Of power."""
