"""The time line as HTML: what the vehicle says on the left, what the charger says on the right."""

from __future__ import annotations

from html import escape

from .findings import Finding
from .story import Story
from .text import span
from .timeline import Entry, Fold, timeline

MOST = 400
"""Lines shown of one folded loop."""


def html(story: Story, findings: list[Finding]) -> str:
    """The card with the time line; empty where there is nothing to tell."""
    lines = timeline(story, findings)
    if not lines:
        return ""
    rows = "".join(_fold(line) if isinstance(line, Fold) else _line(line) for line in lines)
    head = '<div class="head"><span>time</span><span>vehicle</span><span></span><span>charger</span></div>'
    return f'<div class="card"><h2>Time line</h2><div class="talk">{head}{rows}</div></div>'


def _line(entry: Entry) -> str:
    level = f" {entry.level}" if entry.level else ""
    title = f' title="frame {entry.frame}"' if entry.frame else ""
    answer = "" if entry.answer_s is None else f"&rarr; {span(entry.answer_s)}"
    return (
        f'<div class="m {entry.group}{level}"{title}><time>{entry.t:.3f} s</time>{_said(entry.left)}'
        f'<span class="ms">{answer}</span>{_said(entry.right)}</div>'
    )


def _said(said: tuple[str, str]) -> str:
    name, text = said
    return f'<p><b>{escape(name)}</b> <span class="v">{escape(text)}</span></p>' if name or text else "<p></p>"


def _fold(fold: Fold) -> str:
    answers = f", answers after {span(fold.answers[0])} to {span(fold.answers[1])}" if fold.answers else ""
    last = len(fold.entries) - MOST // 2
    shown = [e for n, e in enumerate(fold.entries) if n < MOST // 2 or n >= last]
    left = len(fold.entries) - len(shown)
    inner = "".join(_line(entry) for entry in shown)
    if left:
        inner += f'<p class="soft">{left} lines from the middle are not shown; pyplc decode shows every message.</p>'
    return (
        f'<details class="fold"><summary><b>{escape(fold.name)}</b>: {len(fold.entries)} more in '
        f"{span(fold.seconds)}{answers}</summary>{inner}</details>"
    )
