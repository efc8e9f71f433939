"""Events as text of one form: a line each, trees, XML, lines of JSON, or a table of quantities as CSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping
from fnmatch import fnmatch
from typing import Any, Self

import msgspec

from ..exi.tree import lines as tree_lines
from ..exi.xmltext import to_xml
from .events import Event, Message
from .quantities import QUANTITIES, quantities
from .rows import Row, failed, plain, row, usual

Style = Callable[[str, Row], str]
COLUMNS = ("frame", "time", "session", "side", "message", *QUANTITIES)
SUFFIXES = {"list": ".txt", "tree": ".txt", "xml": ".xml.txt", "json": ".jsonl", "csv": ".csv"}


class Choice(msgspec.Struct, frozen=True):
    """Which events are shown: message names (whole, beginnings or patterns), a session, only what is wrong, or all."""

    names: tuple[str, ...] = ()
    session: int | None = None
    errors: bool = False
    everything: bool = False

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Self:
        """The choice of a command line: `only` (names, also several with commas), `session`, `errors`, `everything`."""
        names = (name.strip() for names in options["only"] for name in names.split(","))
        return cls(tuple(filter(None, names)), options["session"], options["errors"], options["everything"])

    def __call__(self, event: Event) -> bool:
        if self.session is not None and getattr(event, "session", None) != self.session:
            return False
        if isinstance(event, Message):
            return self._named(event.name) and (not self.errors or failed(event))
        if not (self.names or self.everything or usual(event)):
            return False
        if not (self.names or self.errors):
            return True
        shown = row(event)
        return self._named(shown.name) and (not self.errors or shown.error)

    def _named(self, name: str) -> bool:
        low = name.lower()
        return not self.names or any(low.startswith(n.lower()) or fnmatch(low, n.lower()) for n in self.names)


_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def _plain_line(text: str) -> str:
    """One line whatever was captured: no line ends, nothing a terminal obeys."""
    return _CONTROL.sub(" ", text).rstrip()


class Writer:
    """Turns events into text of `form` (a key of `SUFFIXES`); `style` colours a line.

    Times in lines are seconds since `start` (asked when needed: seconds since 1970), in JSON and CSV since 1970.
    """

    def __init__(
        self, form: str, *, xml: bool = False, style: Style | None = None, start: Callable[[], float] = lambda: 0.0
    ) -> None:
        self._text: Callable[[Event], str] = getattr(self, f"_{form}")
        self._with_xml = xml
        self._style = style or (lambda text, _: text)
        self._start = start
        self._encode = msgspec.json.Encoder().encode
        self.head = ",".join(COLUMNS) + "\n" if form == "csv" else ""

    def __call__(self, event: Event) -> str:
        """The text of an event, whole lines; empty where the form does not show it."""
        return self._text(event)

    def _since(self, event: Event) -> float:
        return event.time - self._start() if event.time else 0.0

    def _list(self, event: Event) -> str:
        shown = row(event)
        session = getattr(event, "session", 0)
        text = (
            f"{event.frame:6} {self._since(event):10.3f} {session or '':>2} {shown.side:4} {shown.protocol:8} "
            f"{shown.name:27} {shown.text}"
        )
        return self._style(_plain_line(text), shown) + "\n"

    def _tree(self, event: Event) -> str:
        if not isinstance(event, Message) or event.value is None:
            return self._list(event)
        body = tree_lines(event.value)
        return self._list(event) + "".join(f"         {_plain_line(line)}\n" for line in body)

    def _xml(self, event: Event) -> str:
        if not isinstance(event, Message) or event.value is None:
            return ""
        return f"<!-- frame {event.frame}, {self._since(event):.3f} s, {event.side} -->\n{to_xml(event.value)}\n"

    def _json(self, event: Event) -> str:
        line: bytes = self._encode(plain(event, self._with_xml))
        return line.decode() + "\n"

    def _csv(self, event: Event) -> str:
        if not isinstance(event, Message) or event.value is None:
            return ""
        found = quantities(event.body)
        if not found:
            return ""
        cells: list[Any] = [event.frame, f"{event.time:.6f}", event.session, event.side, event.name]
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerow([*cells, *(found.get(name, "") for name in QUANTITIES)])
        return out.getvalue()
