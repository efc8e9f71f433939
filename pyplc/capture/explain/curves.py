"""What was asked, delivered, measured and allowed over time: series for ranges and plots, in V, A, W and percent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from ...record import Reading
from .story import Exchange, Story

HOLE_S = 5.0
"""Energy is not counted, and no line is drawn, over longer holes between two values."""

Values = list[tuple[float, float]]
"""Seconds since the story began, and a value."""


class Range(msgspec.Struct):
    """How a value ran."""

    least: float
    greatest: float
    mean: float
    """Over time."""


class Series(NamedTuple):
    """One line of a plot. `kind` is "given", "asked", "ev" or "evse" (measured by the station itself), "limit-ev" or
    "limit-evse"."""

    kind: str
    label: str
    values: Values


class Plot(NamedTuple):
    """One quantity over time."""

    title: str
    unit: str
    series: list[Series]


def number(value: Any) -> float | None:
    """A number, or None for all that is none."""
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _given(exchange: Exchange, what: str) -> float | None:
    asked, answered = exchange.asked, exchange.answered
    if what == "voltage":
        return number(answered.get("EVSEPresentVoltage", asked.get("EVPresentVoltage")))
    if what == "current":
        return number(answered.get("EVSEPresentCurrent"))
    voltage, current = number(answered.get("EVSEPresentVoltage")), number(answered.get("EVSEPresentCurrent"))
    if voltage is not None and current is not None:
        return voltage * current
    return number(asked.get("EVPresentActivePower"))


def _asked(exchange: Exchange, what: str) -> float | None:
    asked, answered = exchange.asked, exchange.answered
    if what == "voltage":
        return number(asked.get("EVTargetVoltage"))
    if what == "current":
        return number(asked.get("EVTargetCurrent"))
    voltage, current = number(asked.get("EVTargetVoltage")), number(asked.get("EVTargetCurrent"))
    if voltage is not None and current is not None:
        return voltage * current
    return number(answered.get("EVSETargetActivePower"))


def given(story: Story, what: str) -> Values:
    """What the charger reported of "voltage", "current" or "power"."""
    return _values(story, lambda exchange: _given(exchange, what))


def asked(story: Story, what: str) -> Values:
    """What the vehicle asked for; in AC what the charger asked the vehicle to draw."""
    return _values(story, lambda exchange: _asked(exchange, what))


def soc(story: Story) -> Values:
    """The state of charge the vehicle told, in percent."""
    return _values(story, lambda exchange: number(exchange.asked.get("EVRESSSOC")))


def _values(story: Story, value_of: Any) -> Values:
    rows = ((e.last.time, value_of(e)) for e in story.exchanges)
    return [(round(time - story.start, 3), value) for time, value in rows if value is not None]


def ranges(values: dict[str, Values], only: Values) -> dict[str, Range]:
    """The range of each of `values` where `only` (the current) was told too."""
    times = {t for t, _ in only}
    found = {}
    for name, rows in values.items():
        rows = [(t, value) for t, value in rows if t in times]
        if rows:
            plain = [value for _, value in rows]
            found[name] = Range(round(min(plain), 2), round(max(plain), 2), round(_mean(rows), 2))
    return found


def _mean(rows: Values) -> float:
    """The mean over time; a value holds until the next."""
    spans = [(b[0] - a[0], a[1]) for a, b in zip(rows, rows[1:], strict=False)]
    whole = sum(span for span, _ in spans)
    return sum(span * value for span, value in spans) / whole if whole > 0 else rows[0][1]


def energy(power: Values) -> float:
    """Watt-hours: trapezoids, holes left out."""
    pairs = zip(power, power[1:], strict=False)
    return sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in pairs if b[0] - a[0] <= HOLE_S) / 3600


def metered(story: Story) -> float:
    """Watt-hours between the first and the last reading of the charger's meter in the story."""
    readings = [value for e in story.exchanges if (value := number(e.answered.get("MeterReading"))) is not None]
    return readings[-1] - readings[0] if readings else 0.0


LABELS = {"voltage": "V", "current": "A", "power": "W"}


def plots(story: Story) -> list[Plot]:
    """Voltage, current, power and state of charge, those that the session tells of."""
    found = [Plot(what.capitalize(), unit, [*_series(story, what)]) for what, unit in LABELS.items()]
    found.append(Plot("State of charge", "%", [Series("given", "reported by the vehicle", soc(story))]))
    readings = [(e.time - story.start, e.record.soc_percent) for e in story.own(Reading)]
    own = [(t, value) for t, value in readings if value is not None]
    found[-1].series.append(Series("ev", "own record", own))
    kept = [plot._replace(series=[s for s in plot.series if s.values]) for plot in found]
    return [
        plot for plot in kept if any(not s.kind.startswith("limit") for s in plot.series) or _only_limits(plot, kept)
    ]


def _only_limits(plot: Plot, plots: list[Plot]) -> bool:
    """In AC nobody tells a current: what the charger allows is all there is."""
    given = any(not s.kind.startswith("limit") for other in plots[:-1] for s in other.series)
    return plot.unit == "A" and bool(plot.series) and not given


def _series(story: Story, what: str) -> Iterator[Series]:
    yield Series("asked", "asked", asked(story, what))
    yield Series("given", "delivered (reported)", given(story, what))
    for side, name in (("ev", "vehicle"), ("evse", "charger")):
        yield Series(side, f"{name} measured", _measured(story, side, what))
    for side, name in (("ev", "vehicle"), ("evse", "charger")):
        yield Series(f"limit-{side}", f"{name}'s limit", _limits(story, side, what))


def _measured(story: Story, side: str, what: str) -> Values:
    """The station's own readings."""
    found: Values = []
    for event in story.own(Reading):
        record: Reading = event.record
        if record.side == side:
            value = record.voltage * record.current if what == "power" else getattr(record, what)
            found.append((event.time - story.start, float(value)))
    return found


def _limits(story: Story, side: str, what: str) -> Values:
    """The corners of a limit: where it was told first, where it changes, and the end."""
    found: Values = []
    t = 0.0
    for exchange in story.exchanges:
        value = getattr(getattr(exchange, side), what)
        t = exchange.last.time - story.start
        if value and (not found or found[-1][1] != value):
            if found:
                found.append((t, found[-1][1]))
            found.append((t, value))
    return [*found, (t, found[-1][1])] if found else []
