"""What a session adds up to while it runs: messages, energy, state of charge, seconds per phase."""

from __future__ import annotations

from ..record import Message, Phase, Reading, Record, Side, Summary


class Progress:
    """A record reader that follows one side and makes the summary at the end."""

    def __init__(self, side: Side) -> None:
        self._side = side
        self._phase: str | None = None
        self._since = 0.0
        self.phases: dict[str, float] = {}
        self.messages = 0
        self.soc_percent: float | None = None
        self.energy_wh = 0.0
        self.started: float | None = None

    def __call__(self, record: Record) -> None:
        if record.side != self._side:
            return
        if self.started is None:
            self.started = record.t
        if isinstance(record, Message):
            self.messages += 1
        elif isinstance(record, Reading):
            self.soc_percent = record.soc_percent if record.soc_percent is not None else self.soc_percent
            self.energy_wh = record.energy_wh if record.energy_wh is not None else self.energy_wh
        elif isinstance(record, Phase):
            self._close(record.t)
            self._phase, self._since = record.name, record.t

    def _close(self, t: float) -> None:
        if self._phase is not None:
            self.phases[self._phase] = round(self.phases.get(self._phase, 0.0) + t - self._since, 3)

    def summary(self, outcome: str, reason: str, t: float) -> Summary:
        """The summary at time `t`."""
        self._close(t)
        self._phase = None
        return Summary(
            outcome=outcome,
            reason=reason,
            soc_percent=self.soc_percent,
            energy_wh=round(self.energy_wh, 1),
            duration_s=round(t - (self.started or 0.0), 3),
            messages=self.messages,
            phases=self.phases,
        )
