"""The card of plots: voltage, current, power, state of charge over time, under bands of faults, phases and pilot."""

from __future__ import annotations

from html import escape

import msgspec

from . import drawing
from .curves import Plot, plots
from .findings import Level
from .report import Report
from .story import Story
from .text import span
from .timeline import lanes, pilot

COLOURS = {
    "SLAC": 0, "joining the network": 0, "SECC discovery": 1, "connection": 1, "handshake": 1, "session set-up": 2,
    "authorisation": 2, "parameters": 2, "cable check": 3, "pre-charge": 3, "power on": 3, "charging": 4,
}  # fmt: skip
"""Phase to the number of its colour; the rest is the end's."""
EDGE = ' class="edge"'
THIN = 0.06
"""A part of a bar below this share of it shows no name."""


def colour(phase: str) -> int:
    """The number of a phase's colour."""
    return COLOURS.get(phase, 5)


def share(t: float, end: float) -> str:
    """Where a moment is, in percent of the width."""
    return f"{100 * t / end:.3f}%"


class Numbers(msgspec.Struct):
    """What the script needs of one plot."""

    unit: str
    series: list[list[tuple[float, float]]]


class Data(msgspec.Struct):
    """What the script needs of one session."""

    end: float
    plots: list[Numbers]


def html(number: int, report: Report, story: Story) -> str:
    """The card of session `number` of the page."""
    end = max(report.duration, 0.001)
    shown = [p._replace(series=[s._replace(values=drawing.thinned(s.values)) for s in p.series]) for p in plots(story)]
    data = Data(end, [Numbers(p.unit, [[_short(v) for v in s.values] for s in p.series]) for p in shown])
    v = report.verdict
    fault = f'<div class="fault" data-a="{v.t:g}" style="left:{share(v.t, end)}"></div>' if v.rule else ""
    pictures = "".join(_plot(index, plot, end, fault) for index, plot in enumerate(shown))
    axis = "".join(
        f'<span{"" if t else EDGE} style="left:{share(t, end)}">{drawing.clock(t)}</span>'
        for t in drawing.clock_ticks(0.0, end, 8)
    )
    script = msgspec.json.encode(data).decode().replace("</", "<\\/")
    return (
        f'<div class="card plots"><div class="tools"><h2>What happened</h2><span class="now num"></span>'
        '<span class="hint">drag to zoom, double-click for all</span><button class="reset" disabled>all</button></div>'
        f"{_bands(number, report, story, end)}{pictures}"
        f'<div class="row"><span></span><div class="axis">{axis}</div></div>'
        f'<script type="application/json">{script}</script></div>'
    )


def _short(point: tuple[float, float]) -> tuple[float, float]:
    return point[0], float(f"{point[1]:.5g}")


def _row(name: str, inner: str) -> str:
    return f'<div class="row"><span class="name">{name}</span>{inner}</div>'


def _bands(number: int, report: Report, story: Story, end: float) -> str:
    """Findings, phases, pilot, and a lane of strokes for each kind of event."""
    out = ""
    flags = "".join(
        f'<a class="{f.level}" href="#s{number}f{index}" data-a="{f.worst_t:g}" style="left:{share(f.worst_t, end)}" '
        f'title="{escape(f.title)}: {escape(f.text)}"></a>'
        for index, f in enumerate(report.findings)
        if f.level in (Level.ERROR, Level.WARNING)
    )
    if flags:
        out += _row("faults", f'<div class="flags" data-time>{flags}</div>')
    parts = "".join(
        _part(p.name, f"c{colour(p.name)}", p.start, p.start + p.seconds, end, span(p.seconds)) for p in report.phases
    )
    if parts:
        out += _row("phases", f'<div class="band phases" data-time>{parts}<div class="cursor"></div></div>')
    states = pilot(story)
    if states:
        told = "".join(
            _part(s.state or "?", f"pilot{s.state[:1]}", s.start, s.end, end, _duty(s.duty_percent)) for s in states
        )
        out += _row("pilot", f'<div class="band" data-time>{told}<div class="cursor"></div></div>')
    for lane, times in lanes(story).items():
        if lane != "pilot":
            strokes = f'{drawing.marks(times, end)}<div class="cursor"></div>'
            out += _row(lane, f'<div class="lane {lane}" data-time>{strokes}</div>')
    return out


def _duty(percent: float | None) -> str:
    return "no oscillator" if percent is None else f"{percent:g} %"


def _part(name: str, look: str, start: float, stop: float, end: float, said: str) -> str:
    place = f"left:{share(start, end)};width:{share(stop - start, end)}"
    thin = "" if stop - start > end * THIN else " thin"
    return (
        f'<b class="{look}{thin}" data-a="{start:g}" data-b="{stop:g}" data-zoom="{start:g} {stop:g}" style="{place}" '
        f'title="{escape(name)}, {said}">{escape(name)}</b>'
    )


def _plot(index: int, plot: Plot, end: float, fault: str) -> str:
    axis = drawing.scale(plot)
    legend = "".join(
        f'<span><i class="k-{s.kind}"></i>{escape(s.label)}{_off(s.values, axis)}'
        f'<output data-of="{index}.{n}"></output></span>'
        for n, s in enumerate(plot.series)
    )
    marks = "".join(f'<span style="top:{axis.y(mark):.4g}%">{_value(mark, plot.unit)}</span>' for mark in axis.ticks)
    small = " small" if plot.unit == "%" else ""
    inner = f'{drawing.svg(plot, axis, end)}{fault}<div class="brush"></div><div class="cursor"></div>'
    return (
        f'<div class="plot"><div class="legend"><b>{escape(plot.title)}</b>{legend}</div>'
        f'<div class="row"><div class="ys">{marks}</div><div class="area{small}" data-time>{inner}</div></div></div>'
    )


def _off(values: list[tuple[float, float]], axis: drawing.Scale) -> str:
    """The value of a line that is above the picture."""
    top = max(value for _, value in values)
    return f" {top:g} (above)" if top > axis.high else ""


def _value(value: float, unit: str) -> str:
    return f"{value / 1000:g} kW" if unit == "W" else f"{value:g} {unit}"
