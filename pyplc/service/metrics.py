"""Figures for Prometheus, counted from the records: SLAC, attenuation, round trips, retries, time-outs, sessions.

What no record tells (the loop's lag, the age of each device's reading) is asked for when somebody scrapes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily

from .. import __version__
from ..record import Checkpoint, Decision, Dropped, Message, Note, Pilot, Reading, Record, Side, Start, Summary

SPANS = {
    "ev": {"match": (100, 160), "join": (170, 190), "discovery": (200, 203), "connect": (301, 303)},
    "evse": {"match": (101, 155)},
}
"""Parts of the way to a session, as the checkpoints at which they begin and end."""
RETRIES = {"SLAC attempt ": "slac", "connection to ": "connection", "SLAC: dropped ": "slac", "trying again": "session"}
"""How the remark on a retry begins, and what is tried again."""
SPAN_S = (0.2, 0.5, 1, 1.5, 2, 3, 5, 8, 12, 20, 60)
TRIP_S = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
STATES = "ABCDEF"

Ages = Callable[[], dict[str, float]]


class Metrics:
    """A record reader for one side; `text` is the page. `lag` and `ages` are asked, in seconds."""

    def __init__(self, side: Side, lag: Callable[[], float] = lambda: 0.0, ages: Ages = dict) -> None:
        self._side = side
        self._begun: dict[str, float] = {}
        self._asked: tuple[str, float] | None = None
        self._energy = 0.0
        registry = self.registry = CollectorRegistry()
        self.spans = Histogram("pyplc_step_seconds", "Way to a session", ["step"], registry=registry, buckets=SPAN_S)
        self.trips = Histogram(
            "pyplc_round_trip_seconds",
            "Request to response: the vehicle waits for it, the charger takes it",
            ["message"],
            registry=registry,
            buckets=TRIP_S,
        )
        self.attenuation = Gauge("pyplc_attenuation_db", "Of the chosen peer's line", registry=registry)
        self.retries = Counter("pyplc_retries", "What was tried again", ["what"], registry=registry)
        self.timeouts = Counter("pyplc_timeouts", "Sessions that a time-out ended", registry=registry)
        self.sessions = Counter("pyplc_sessions", "By outcome", ["outcome"], registry=registry)
        self.energy = Counter("pyplc_energy_wh", "Charged, Wh", registry=registry)
        self.messages = Counter("pyplc_messages", "V2G messages", ["direction"], registry=registry)
        self.dropped = Counter("pyplc_dropped", "Frames and messages ignored", registry=registry)
        self.remarks = Counter("pyplc_remarks", "Warnings and errors", ["level"], registry=registry)
        self.voltage = Gauge("pyplc_voltage_volts", "At the inlet or outlet", registry=registry)
        self.current = Gauge("pyplc_current_amperes", "Into the vehicle", registry=registry)
        self.soc = Gauge("pyplc_soc_percent", "State of charge", registry=registry)
        self.pilot = Gauge("pyplc_pilot_state", "1 for the state it is in", ["state"], registry=registry)
        self.duty = Gauge("pyplc_pilot_duty_percent", "0: oscillator off", registry=registry)
        self.info = Gauge("pyplc_info", "What runs", ["version", "side"], registry=registry)
        self.info.labels(__version__, side).set(1)
        registry.register(_Asked(lag, ages))

    def text(self) -> bytes:
        """The page a scrape gets."""
        return generate_latest(self.registry)

    def __call__(self, record: Record) -> None:
        if record.side != self._side:
            return
        match record:
            case Message():
                self._message(record)
            case Checkpoint():
                self._checkpoint(record.number, record.t)
            case Reading():
                self._reading(record)
            case Pilot():
                for state in STATES:
                    self.pilot.labels(state).set(state == record.state)
                self.duty.set(record.duty_percent or 0.0)
            case Decision():
                self._decision(record)
            case Note():
                self._note(record)
            case Dropped():
                self.dropped.inc()
            case Start():
                self._begun.clear()
                self._asked = None
            case Summary():
                self._summary(record)

    def _message(self, record: Message) -> None:
        self.messages.labels(record.direction).inc()
        request = "tx" if self._side == "ev" else "rx"
        if record.direction == request:
            self._asked = (record.name, record.t)
        elif self._asked is not None:
            name, t = self._asked
            self._asked = None
            self.trips.labels(name).observe(record.t - t)

    def _checkpoint(self, number: int, t: float) -> None:
        for step, (begin, end) in SPANS.get(self._side, {}).items():
            if number == begin:
                self._begun[step] = t
            elif number == end and step in self._begun:
                self.spans.labels(step).observe(t - self._begun.pop(step))

    def _reading(self, record: Reading) -> None:
        self.voltage.set(record.voltage)
        self.current.set(record.current)
        if record.soc_percent is not None:
            self.soc.set(record.soc_percent)
        if record.energy_wh is not None:
            self._count(record.energy_wh)

    def _count(self, energy_wh: float) -> None:
        self.energy.inc(max(0.0, energy_wh - self._energy))
        self._energy = energy_wh

    def _decision(self, record: Decision) -> None:
        kind, _, mac = record.what.partition(" ")
        value = record.values.get("attenuation" if kind == "vehicle" else mac)
        if kind in ("vehicle", "charger") and isinstance(value, (int, float)):
            self.attenuation.set(value)

    def _note(self, record: Note) -> None:
        if record.level != "info":
            self.remarks.labels(record.level).inc()
        for begin, what in RETRIES.items():
            if record.text.startswith(begin):
                self.retries.labels(what).inc()

    def _summary(self, record: Summary) -> None:
        self.sessions.labels(record.outcome).inc()
        if record.outcome == "timeout":
            self.timeouts.inc()
        self._count(max(record.energy_wh, self._energy))
        self._energy = 0.0
        self.current.set(0.0)


class _Asked:
    """What is asked for at each scrape."""

    def __init__(self, lag: Callable[[], float], ages: Ages) -> None:
        self._lag, self._ages = lag, ages

    def collect(self) -> Iterable[Any]:
        lag = GaugeMetricFamily("pyplc_loop_lag_seconds", "The worst lateness of the event loop in the last 10 s")
        lag.add_metric([], self._lag())
        yield lag
        ages = GaugeMetricFamily("pyplc_device_age_seconds", "How old each device's reading is", labels=["device"])
        for name, age in self._ages().items():
            ages.add_metric([name], age)
        yield ages
