"""Reports as text and as rows."""

from __future__ import annotations

from collections.abc import Iterator

from .curves import Range
from .findings import Level
from .report import Report
from .story import Limits

MARK = {Level.ERROR: "!!", Level.WARNING: " !", Level.DEVIATION: " -", Level.NOTE: "  "}
COLOUR = {Level.ERROR: "red", Level.WARNING: "yellow", Level.DEVIATION: "cyan", Level.NOTE: "dim"}
Line = tuple[str, str]
"""Text and its style for a terminal; empty for none."""
GOOD, MIDDLE, BAD = "good", "mid", "bad"
TONES = {
    "finished": GOOD,
    "stopped by charger": MIDDLE,
    "stopped by vehicle": MIDDLE,
    "stopped": MIDDLE,
    "no session": "",
    "unknown": "",
}
"""How an outcome looks; the rest is bad."""
STYLES = {GOOD: "bold green", MIDDLE: "bold yellow", BAD: "bold red", "": "bold"}
SCHEMAS = {"din": "DIN 70121", "iso2": "ISO 15118-2"}


def tone(outcome: str) -> str:
    """How an outcome looks: "good", "mid", "bad" or nothing."""
    return TONES.get(outcome, BAD)


def schema_name(report: Report) -> str:
    """The standard by its name, and whether that is a guess."""
    if not report.schema:
        return "handshake only" if report.messages else "no session"
    name = "ISO 15118-20" if report.schema.startswith("iso20") else SCHEMAS.get(report.schema, report.schema)
    return f"{name} (a guess)" if report.guessed else name


def lines(report: Report) -> Iterator[Line]:
    """A report as lines for people."""
    title = f"session {report.session}" if report.session else "no session"
    yield f"{report.file}: {title}, {report.start.replace('T', ' ').replace('+00:00', ' UTC')}", "bold"
    tls = ", TLS" if report.tls else ""
    yield f"  {schema_name(report)}{tls}, {report.messages} messages in {span(report.duration)}", ""
    yield from _who(report)
    yield from _power(report)
    yield "  phases", "bold"
    width = max((len(phase.name) for phase in report.phases), default=0)
    for phase in report.phases:
        row = f"    {phase.start:9.3f} s  {phase.name:<{width}}  {span(phase.seconds):>10}  {_rounds(phase.rounds)}"
        yield row.rstrip(), ""
    if report.findings:
        yield "  what was seen", "bold"
        for f in report.findings:
            times = f" ({f.count} times)" if f.count > 1 else ""
            source = f" [{f.requirement}]" if f.requirement else ""
            frame = f"frame {f.frame}" if f.frame else ""
            yield (
                f" {MARK[f.level]} {f.t:9.3f} s  {frame:<12} {f.layer}: {f.title}: {f.text}{times}{source}",
                COLOUR[f.level],
            )
    yield from _why(report)


def _rounds(number: int) -> str:
    return f"{number} rounds" if number > 1 else ""


def _who(report: Report) -> Iterator[Line]:
    for name, peer in (("vehicle", report.ev), ("charger", report.evse)):
        parts = [peer.mac, peer.address, f"id {peer.identity}" if peer.identity else "", limits_text(peer.limits)]
        yield f"  {name}: {', '.join(part for part in parts if part) or 'not seen'}", ""
    if report.offers:
        yield f"  offered: {', '.join(report.offers)}; chosen: {report.protocol or 'none'}", ""
    chosen = [part for part in (report.mode, report.payment) if part]
    if report.attenuation_db is not None:
        chosen.append(f"attenuation {report.attenuation_db:g} dB")
    if chosen:
        yield f"  agreed: {', '.join(chosen)}", ""


def limits_text(limits: Limits) -> str:
    """The limits a side told, with units; empty for none."""
    units = (("V", 1.0), ("A", 1.0), ("kW", 1e-3))
    told = [f"{v * factor:g} {unit}" for v, (unit, factor) in zip(limits, units, strict=True) if v is not None]
    return f"at most {', '.join(told)}" if told else ""


def _power(report: Report) -> Iterator[Line]:
    for name, ranges in (("asked", report.asked), ("delivered", report.delivered)):
        parts = [
            range_text(ranges[what], unit, factor)
            for what, unit, factor in (("voltage", "V", 1.0), ("current", "A", 1.0), ("power", "kW", 1e-3))
            if what in ranges
        ]
        if parts:
            yield f"  {name}: {', '.join(parts)}", ""
    if report.energy_wh or report.soc_last is not None:
        soc = ""
        if report.soc_first is not None and report.soc_last is not None:
            soc = f", {report.soc_first:g} % to {report.soc_last:g} %"
        yield f"  energy: {report.energy_wh / 1000:.3f} kWh{soc}", ""


def range_text(r: Range, unit: str, factor: float) -> str:
    """A range with its mean."""
    least, greatest, mean = (f"{round(value * factor, 2):.4g}" for value in (r.least, r.greatest, r.mean))
    return f"{least} {unit}" if least == greatest else f"{least} to {greatest} {unit} (mean {mean})"


def _why(report: Report) -> Iterator[Line]:
    v = report.verdict
    yield "  why it stopped", "bold"
    where = f" in the phase {v.phase}" if v.phase else ""
    frame = f", frame {v.frame}" if v.frame else ""
    yield f"    {v.outcome}{where} at {v.t:.3f} s{frame}: {v.sentence}", STYLES[tone(v.outcome)]
    if v.rule:
        source = f", {v.requirement}" if v.requirement else ""
        yield f"    first rule broken: {v.title} ({v.layer}{source})", ""
    for witness in v.witness:
        yield f"    own record of the {witness}", ""
    if v.matching:
        yield f"    matching: {v.matching}", ""
    for cause in v.causes:
        yield f"    likely: {cause}", ""
    for case in v.cases:
        yield f"    known: {case.text}", ""
        yield f"           {case.remedy} [{case.source}]", "dim"


def span(seconds: float) -> str:
    """A duration for people."""
    if seconds < 1:
        return f"{seconds * 1e3:.0f} ms"
    return f"{seconds:.2f} s" if seconds < 120 else f"{int(seconds // 60)} min {seconds % 60:.0f} s"


COLUMNS = (
    "file", "session", "start", "duration_s", "schema", "guessed", "tls", "ev_mac", "evse_mac", "evccid", "evseid",
    "mode", "payment", "messages", "attenuation_db", "soc_first", "soc_last", "max_voltage_v", "max_current_a",
    "max_power_w", "energy_wh", "outcome", "by", "phase", "rule", "layer", "sentence", "errors", "warnings",
    "deviations",
)  # fmt: skip
"""One row a session."""


def row(report: Report) -> list[object]:
    """The values of `COLUMNS`."""
    v, top = report.verdict, {name: r.greatest for name, r in report.delivered.items()}
    counts = [sum(f.level is level for f in report.findings) for level in (Level.ERROR, Level.WARNING, Level.DEVIATION)]
    return [
        report.file, report.session, report.start, report.duration, report.schema, report.guessed, report.tls,
        report.ev.mac, report.evse.mac, report.ev.identity, report.evse.identity, report.mode, report.payment,
        report.messages, report.attenuation_db, report.soc_first, report.soc_last, top.get("voltage"),
        top.get("current"), top.get("power"), report.energy_wh, v.outcome, v.by, v.phase, v.rule, v.layer, v.sentence,
        *counts,
    ]  # fmt: skip
