"""One self-contained HTML page a capture: verdict, tower, plots, phases, findings, time line.

Nothing is loaded from anywhere; without its script the page is the same, but still.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from html import escape
from pathlib import Path

from . import charts, talk
from .findings import Finding, Level
from .report import Peer, Report
from .story import Story
from .text import limits_text, range_text, schema_name, span, tone
from .verdict import Verdict

Told = tuple[Report, Story]
WEIGHT = [Level.ERROR, Level.WARNING, Level.DEVIATION, Level.NOTE]


@cache
def asset(name: str) -> str:
    """A file that belongs into every page."""
    return Path(__file__).with_name(name).read_text("utf-8")


def frame(title: str, body: str) -> str:
    """A whole HTML document."""
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="generator" content="pyplc">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
        "script-src 'unsafe-inline'\">\n"
        f"<style>\n{asset('page.css')}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n"
        f"<script>\n{asset('page.js')}</script>\n</body>\n</html>\n"
    )


def html(told: Sequence[Told], title: str = "") -> str:
    """The page of all sessions of a capture; `title` is its name."""
    title = title or (told[0][0].file if told else "capture")
    parts = [f"<header><h1>{escape(title)}</h1></header>"]
    if len(told) > 1:
        links = (
            f'<a href="#s{number}"><i class="{tone(report.verdict.outcome)}"></i>{escape(name_of(report))}: '
            f"{escape(report.verdict.outcome)}</a>"
            for number, (report, _) in enumerate(told)
        )
        parts.append(f"<nav>{''.join(links)}</nav>")
    parts += [_session(number, report, story) for number, (report, story) in enumerate(told)]
    if not told:
        parts.append('<p class="card">Nothing of charging communication is in this capture.</p>')
    parts.append("<footer>made by pyplc explain; times are seconds since the session's first event</footer>")
    return frame(f"{title}: why it stopped", "\n".join(parts))


def name_of(report: Report) -> str:
    """A session by its number."""
    return f"session {report.session}" if report.session else "attempt without a session"


def _session(number: int, report: Report, story: Story) -> str:
    pieces = [
        _head(report),
        _verdict(report.verdict, report),
        _facts(report),
        charts.html(number, report, story),
        _phases(report),
        _findings(number, report),
        talk.html(story, report.findings),
    ]
    return f'<section class="session" id="s{number}">{"".join(pieces)}</section>'


def _head(report: Report) -> str:
    began = report.start.replace("T", " ").replace("+00:00", " UTC")
    tls = ", TLS" if report.tls else ""
    what = f"{name_of(report)} &middot; {began} &middot; {escape(schema_name(report))}{tls} &middot; "
    return f'<p class="sub">{what}{report.messages} messages in {span(report.duration)}</p>'


# why it stopped


def _verdict(v: Verdict, report: Report) -> str:
    look = tone(v.outcome)
    where = f'<span class="soft">in the phase {escape(v.phase)}</span>' if v.phase else ""
    moment = f'<span class="soft num">at {v.t:.3f} s{f", frame {v.frame}" if v.frame else ""}</span>'
    out = f'<div class="card verdict {look}"><span class="badge {look}">{escape(v.outcome)}</span> {where} {moment}'
    out += f'<p class="line">{escape(_sentence(v.sentence))}</p>'
    if v.rule:
        source = f", {escape(v.requirement)}" if v.requirement else ""
        out += (
            f'<p>First rule broken: <b>{escape(v.title)}</b> <span class="soft">({escape(v.layer)}{source})</span></p>'
        )
    out += _tower(report)
    witness = "".join(f"<li>{escape(line)}</li>" for line in v.witness)
    columns = f"<div><h3>The station's own record</h3><ul>{witness}</ul></div>" if witness else ""
    if v.causes:
        likely = "".join(f"<li>{escape(cause)}</li>" for cause in v.causes)
        columns += f"<div><h3>Likely causes</h3><ol>{likely}</ol></div>"
    if v.matching:
        columns += f"<div><h3>Matching</h3><p>{escape(_sentence(v.matching))}</p></div>"
    if v.cases:
        cases = "".join(
            f'<div class="case">{escape(c.text)}<br><b>{escape(c.remedy)}</b> <small>[{escape(c.source)}]</small></div>'
            for c in v.cases
        )
        columns += f"<div><h3>Similar known cases</h3>{cases}</div>"
    return f'{out}<div class="why">{columns}</div></div>' if columns else f"{out}</div>"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _tower(report: Report) -> str:
    said = {"passed": "seen", "broken": "here the first rule was broken", "unseen": "not in the capture"}
    items = "".join(
        f'<li class="{reached.state}" title="{said[reached.state]}">{escape(reached.layer)}</li>'
        for reached in report.tower
    )
    return f'<ul class="tower">{items}</ul>'


# who and what


def _facts(report: Report) -> str:
    agreed = [
        ("offered", ", ".join(report.offers)),
        ("chosen", report.protocol),
        ("energy transfer", report.mode),
        ("payment", report.payment),
        ("attenuation", f"{report.attenuation_db:g} dB" if report.attenuation_db is not None else ""),
    ]
    for name, ranges in (("asked", report.asked), ("delivered", report.delivered)):
        told = (
            range_text(ranges[w], u, f)
            for w, u, f in (("voltage", "V", 1.0), ("current", "A", 1.0), ("power", "kW", 1e-3))
            if w in ranges
        )
        agreed.append((name, "; ".join(told)))
    if report.energy_wh:
        agreed.append(("energy", f"{report.energy_wh / 1000:.3f} kWh"))
    if report.soc_first is not None and report.soc_last is not None:
        agreed.append(("state of charge", f"{report.soc_first:g} % to {report.soc_last:g} %"))
    cards = (
        _facts_of("Vehicle", _peer(report.ev)) + _facts_of("Charger", _peer(report.evse)) + _facts_of("Agreed", agreed)
    )
    return f'<div class="card facts">{cards}</div>'


def _peer(peer: Peer) -> list[tuple[str, str]]:
    return [("MAC", peer.mac), ("address", peer.address), ("id", peer.identity), ("limits", limits_text(peer.limits))]


def _facts_of(title: str, rows: list[tuple[str, str]]) -> str:
    told = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in rows if value)
    return f"<div><h3>{title}</h3><dl>{told or '<dt>not seen</dt><dd></dd>'}</dl></div>"


# phases and findings


def _phases(report: Report) -> str:
    if not report.phases:
        return ""
    end = max(report.duration, 0.001)
    rows = "".join(
        f'<tr data-zoom="{p.start:g} {p.start + p.seconds:g}"><td>{escape(p.name)}</td>'
        f'<td class="n">{p.start:.3f} s</td>'
        f'<td class="n">{span(p.seconds)}</td><td class="n">{p.rounds if p.rounds > 1 else ""}</td>'
        f'<td><span class="bar"><i class="c{charts.colour(p.name)}" style="left:{charts.share(p.start, end)};'
        f'width:{charts.share(p.seconds, end)}"></i></span></td></tr>'
        for p in report.phases
    )
    head = '<tr><th>phase</th><th class="n">begins</th><th class="n">lasts</th><th class="n">rounds</th><th></th></tr>'
    table = f'<table class="phases-table"><thead>{head}</thead><tbody>{rows}</tbody></table>'
    return f'<div class="card"><h2>Phases</h2><div class="scroll">{table}</div></div>'


def _findings(number: int, report: Report) -> str:
    if not report.findings:
        return '<div class="card"><h2>What was seen</h2><p class="soft">No rule was broken.</p></div>'
    order = sorted(range(len(report.findings)), key=lambda i: WEIGHT.index(report.findings[i].level))
    rows = "".join(_finding(f"s{number}f{i}", report.findings[i]) for i in order)
    return f'<div class="card"><h2>What was seen</h2>{rows}</div>'


def _finding(anchor: str, f: Finding) -> str:
    times = f", {f.count} times until {f.last_t:.3f} s" if f.count > 1 else ""
    source = f" &middot; {escape(f.requirement)}" if f.requirement else ""
    place = f"frame {f.frame}, " if f.frame else ""
    return (
        f'<div class="finding" id="{anchor}"><span><span class="lv {f.level}">{f.level}</span></span><div>'
        f"<p><b>{escape(f.title)}</b>: {escape(f.text)}</p>"
        f'<p class="meta num">{escape(f.layer)} &middot; {place}{f.t:.3f} s{times}{source}</p></div></div>'
    )
