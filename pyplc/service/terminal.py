"""Records for a person: what happens, as one would tell it, a progress bar while it charges, a table at the end."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.table import Table
from rich.text import Text

from ..record import (
    Checkpoint,
    Decision,
    Dropped,
    Note,
    Phase,
    Pilot,
    Reading,
    Record,
    Sighting,
    Start,
    Summary,
    Switch,
    VehicleData,
)
from .log import text_of

SIDES = {
    "ev": ("vehicle", "cyan"),
    "evse": ("charger", "green"),
    "modem": ("modem", "magenta"),
    "listen": ("listener", "yellow"),
    "sim": ("", "white"),
}
LEVELS = {"info": "", "warning": "yellow", "error": "bold red"}
CHARGING = "charging"
NUMBER = 5
"""Columns of a checkpoint's number; what is said stands behind them, also in the lines that follow."""
LEAST = 20
"""Columns for what is said, however narrow the terminal is."""


class Terminal:
    """A record reader for a terminal. `target_soc` is the end of the bar, None where it is not known.

    With `follow` False only the summary is printed.
    """

    def __init__(self, console: Console, target_soc: float | None = None, *, follow: bool = True) -> None:
        self._console = console
        self._target = target_soc
        self._follow = follow
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._start_soc: float | None = None
        self.summaries: dict[str, Summary] = {}

    def __call__(self, record: Record) -> None:
        if isinstance(record, Summary):
            self.summaries[record.side] = record
        if not self._follow:
            return
        match record:
            case Phase():
                self._phase(record)
            case Checkpoint():
                self._line(record, f"[dim]{record.number:3}[/]  {record.text}")
            case Pilot():
                duty = "oscillator off" if record.duty_percent is None else f"{record.duty_percent:.4g} % PWM"
                self._line(record, f"     pilot in state {record.state}, {duty}")
            case Switch():
                self._line(record, f"     {record.device} {record.state}")
            case Decision():
                values = ", ".join(f"{k} {_short(v)}" for k, v in record.values.items() if v is not None)
                self._line(record, f"     {record.what}: {record.why}{f' ({values})' if values else ''}")
            case VehicleData():
                self._line(record, f"     {text_of(record)}", "bold")
            case Sighting():
                self._line(record, f"     {_escape(record.text)}")
            case Note():
                self._line(record, f"     {_escape(record.text)}", LEVELS.get(record.level, ""))
            case Dropped():
                self._line(record, f"     ignored {_escape(record.what)}: {_escape(record.reason)}", "dim")
            case Reading():
                self._reading(record)
            case Start():
                self._console.print(f"[bold]pyplc {record.version}[/] {record.what}")

    def _line(self, record: Record, text: str, style: str = "") -> None:
        name, colour = SIDES.get(record.side, (record.side, "white"))
        line = Text.from_markup(f"{record.t:9.3f}  [{colour}]{name:<8}[/] {text}", style=style)
        if not self._console.is_terminal:
            self._console.print(line, soft_wrap=True)
            return
        indent = len(f"{record.t:9.3f}  {name:<8} ") + NUMBER
        head, body = line.divide([indent])
        for part in body.wrap(self._console, max(self._console.width - indent, LEAST)):
            self._console.print(head + part)
            head = Text(" " * indent)

    def _phase(self, record: Phase) -> None:
        if record.name == CHARGING:
            self._open_bar(record.t)
        elif self._bar is not None:
            self._close_bar()
        self._console.print(Text(f"{record.t:9.3f}  — {record.name} —", style="bold"))

    def _reading(self, record: Reading) -> None:
        if record.side != "ev" or record.soc_percent is None:
            if record.side == "evse" and self._task is None and self._start_soc is None:
                self._line(record, f"     {record.voltage:6.1f} V {record.current:6.1f} A")
            return
        if self._bar is None or self._task is None:
            self._line(record, f"     inlet {record.voltage:.1f} V, battery {record.battery_voltage or 0:.1f} V")
            return
        if self._start_soc is None:
            self._start_soc = record.soc_percent
        self._bar.update(
            self._task,
            completed=record.soc_percent - self._start_soc,
            total=max((self._target or 100.0) - self._start_soc, 0.01),
            volts=record.voltage,
            amps=record.current,
            soc=record.soc_percent,
            energy=(record.energy_wh or 0.0) / 1000,
            t=record.t,
        )

    def _open_bar(self, t: float) -> None:
        columns = (
            TextColumn("{task.fields[t]:7.1f}    charging"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[soc]:5.1f} %  {task.fields[volts]:5.1f} V  {task.fields[amps]:5.1f} A"),
            TextColumn("{task.fields[energy]:6.2f} kWh"),
        )
        self._bar = Progress(*columns, console=self._console, refresh_per_second=8)
        self._task = self._bar.add_task("charging", total=None, volts=0.0, amps=0.0, soc=0.0, energy=0.0, t=t)
        self._bar.start()

    def _close_bar(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = self._task = None

    def close(self) -> None:
        """Print the tables of the summaries; another session may begin after it."""
        self._close_bar()
        for side, summary in self.summaries.items():
            self._console.print(_table(side, summary))
        self.summaries.clear()
        self._start_soc = None


def _table(side: str, summary: Summary) -> Table:
    name, colour = SIDES.get(side, (side, "white"))
    good = summary.outcome == "finished"
    table = Table(
        title=f"{name}: {summary.outcome}", title_style=f"bold {colour if good else 'red'}", show_header=False
    )
    table.add_column(style="dim")
    table.add_column()
    table.add_row("why it stopped", _escape(summary.reason))
    if summary.soc_percent is not None:
        table.add_row("state of charge", f"{summary.soc_percent:.1f} %")
    if side != "listen":  # it hears matching only
        table.add_row("energy", f"{summary.energy_wh / 1000:.3f} kWh")
        table.add_row("V2G messages", str(summary.messages))
    table.add_row("duration", f"{summary.duration_s:.1f} s")
    for phase, seconds in summary.phases.items():
        table.add_row(f"  {phase}", f"{seconds:.3f} s")
    return table


def _short(value: object) -> str:
    return f"{value:.1f}" if isinstance(value, float) else str(value)


def _escape(text: str) -> str:
    return text.replace("[", "\\[")
