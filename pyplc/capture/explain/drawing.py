"""Plots as inline SVG that stretches to any width: x is seconds, y is 0 (top) to 100; labels are HTML beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from .curves import HOLE_S, Plot, Series, Values

MOST = 1500
"""Points of one line; of more the least and greatest of each stretch are drawn."""
OFF_SCALE = 1.6
"""A limit this many times above all other values is told, not drawn."""
STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


class Scale(NamedTuple):
    """The values at the bottom and the top of a plot, and those with a line."""

    low: float
    high: float
    ticks: list[float]

    def y(self, value: float) -> float:
        """Where a value is drawn."""
        return 100.0 * (self.high - value) / (self.high - self.low)


def ticks(low: float, high: float, most: int) -> list[float]:
    """Round values from `low` to `high`, at most `most` of them."""
    raw = (high - low) / max(most, 1)
    if raw <= 0:
        return [low]
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in STEPS if factor * power >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(number * step, 10) for number in range(first, math.floor(high / step + 1e-9) + 1)]


def clock_ticks(low: float, high: float, most: int) -> list[float]:
    """Like `ticks` for seconds: above a minute in steps that people know."""
    raw = (high - low) / max(most, 1)
    step = next((s for s in (30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400) if s >= raw), None)
    if raw <= 20 or step is None:  # a spoiled file may last for years
        return ticks(low, high, most)
    return [float(t) for t in range(math.ceil(low / step) * step, int(high) + 1, step)]


def clock(seconds: float) -> str:
    """A moment on the axis."""
    if seconds >= 60 and seconds == int(seconds):
        return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
    return f"{seconds:g} s"


def scale(plot: Plot) -> Scale:
    """From zero (or the least value) to a little above the greatest that must be seen."""
    lines = [value for s in plot.series if not s.kind.startswith("limit") for _, value in s.values]
    lines = lines or [value for s in plot.series for _, value in s.values]
    low, high = min(0.0, *lines), max(lines, default=1.0)
    limits = [value for s in plot.series if s.kind.startswith("limit") for _, value in s.values]
    high = max([high, *(value for value in limits if value <= high * OFF_SCALE)])
    if plot.unit == "%":
        low, high = 0.0, 100.0
    high = high if high > low else low + 1.0
    marks = ticks(low, high * 1.04, 4)
    top = high + (high - low) * 0.06 if plot.unit != "%" else high
    return Scale(low, top, [mark for mark in marks if low <= mark <= top])


def thinned(values: Values) -> Values:
    """At most about `MOST` points that look the same."""
    if len(values) <= MOST:
        return values
    size = math.ceil(2 * len(values) / MOST)
    kept: Values = []
    for start in range(0, len(values), size):
        part = values[start : start + size]
        kept += sorted({min(part, key=lambda p: p[1]), max(part, key=lambda p: p[1])})
    return kept


def path(series: Series, axis: Scale) -> str:
    """The line of a series; a hole in time is a hole in it."""
    parts: list[str] = []
    last: float | None = None
    for t, value in series.values:
        pen = "L" if last is not None and (t - last <= HOLE_S or series.kind.startswith("limit")) else "M"
        parts.append(f"{pen}{t:g} {axis.y(value):.4g}")
        last = t
    if parts and all(part[0] == "M" for part in parts):
        parts.append("h0")
    return "".join(parts)


def svg(plot: Plot, axis: Scale, end: float) -> str:
    """The picture of one plot."""
    grid = "".join(f"M0 {axis.y(mark):.4g}H{end:g}" for mark in axis.ticks)
    shown = [s for s in plot.series if axis.low <= max(v for _, v in s.values) <= axis.high]
    drawn = "".join(f'<path class="s-{s.kind}" d="{path(s, axis)}"/>' for s in reversed(shown))
    title = f"{escape(plot.title)} over time"
    return (
        f'<svg viewBox="0 0 {end:g} 100" preserveAspectRatio="none" role="img" aria-label="{title}">'
        f'<path class="grid" d="{grid}"/>{drawn}</svg>'
    )


def marks(times: Sequence[float], end: float) -> str:
    """A lane of strokes, one for each moment."""
    strokes = "".join(f"M{t:g} 0V100" for t in times)
    return f'<svg viewBox="0 0 {end:g} 100" preserveAspectRatio="none" aria-hidden="true"><path d="{strokes}"/></svg>'
