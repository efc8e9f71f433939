"""Safety monitors: they watch the plant and the messages the whole time, whatever a scenario is about.

A rule is broken at an edge (a contactor closes, the lock opens) or by a state that lasts longer than it may. Each has a
name; a fault that breaks a device by itself excuses the rules that nobody can keep then (`EXCUSED`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ..hw.ports import PilotState
from ..plant.plant import Plant
from ..record import Message, Record, Side, Summary
from . import declare as d

LOOK_S = 0.01
"""From one look to the next."""
POWERED = (PilotState.C, PilotState.D)
CLOSING_V = 20.0
"""IEC 61851-23: the largest difference at which contactors may close in DC."""
TOUCHABLE_V = 60.0
CURRENT_A = 1.0
"""Less is no current."""
LOAD_A = 5.0
"""More must not be switched by the vehicle's contactors; CC.3.4."""
LAST_RESORT_S = 1.9
"""After so long in state B the vehicle opens its contactors even under load."""
OVER = 1.02
"""Accuracy of a supply's voltage."""


class Seen(NamedTuple):
    """One look at the world. `pilot` is what the vehicle asks for, A while unplugged."""

    t: float
    pilot: PilotState
    duty: float | None
    current: float
    inlet: float
    outlet: float
    battery: float
    vehicle_closed: bool
    outlet_closed: bool
    locked: bool
    plugged: bool


def look(plant: Plant, energy: d.Energy = "dc") -> Seen:
    """The plant now. AC: `outlet_closed` is the charger's contactor, behind it is mains."""
    c = plant.now()
    pilot, duty = plant.pilot.asked, plant.pilot.charger_view().duty_percent
    if energy == "ac":
        ac = plant.ac_now()
        volts = ac.parameters.nominal_voltage if ac.contactor_closed else 0.0
        return Seen(c.t, pilot, duty, ac.current, volts if c.plugged else 0.0, volts, 0.0, False, ac.contactor_closed,
                    plant.locked, c.plugged)  # fmt: skip
    return Seen(c.t, pilot, duty, c.current, c.inlet_voltage, c.outlet_voltage, c.open_circuit_voltage,
                c.vehicle_closed, c.outlet_closed, plant.locked, c.plugged)  # fmt: skip


class Talk:
    """What the rules need of the conversation, from the records."""

    def __init__(self) -> None:
        self.max_voltage: float | None = None
        """Agreed: the vehicle's, as the charger received it."""
        self.max_current: float | None = None
        self.regulated = False
        """The cable check, with its own voltage, is over."""
        self.started = False
        """The vehicle has asked for power and not yet for its end."""
        self.ac_limit: float | None = None
        """AC: EVSEMaxCurrent as the charger told it last, A."""
        self.demanded_at: float | None = None
        """When the charger received the last CurrentDemandReq."""
        self.last_b: float = 0.0
        """When the pilot left C and D."""
        self.ended: dict[Side, float] = {}

    def read(self, record: Record) -> None:
        """A record reader."""
        if isinstance(record, Summary):
            self.ended[record.side] = record.t
        elif isinstance(record, Message) and record.side == "evse":
            if record.direction == "rx":
                self._heard(record.name, record.body, record.t)
            else:
                self._told(record.body)

    def _told(self, body: Any) -> None:
        parameter = getattr(body, "EVSEChargeParameter", None)
        limit = getattr(parameter, "EVSEMaxCurrent", getattr(body, "EVSEMaxCurrent", None))
        if limit is not None:
            self.ac_limit = float(limit)

    def _heard(self, name: str, body: Any, t: float) -> None:
        if name == "ChargeParameterDiscoveryReq":
            parameter = body.EVChargeParameter
            if hasattr(parameter, "EVMaximumVoltageLimit"):
                self.max_voltage = float(parameter.EVMaximumVoltageLimit)
                self.max_current = float(parameter.EVMaximumCurrentLimit)
        elif name in ("CableCheckReq", "PreChargeReq"):
            self.regulated = name == "PreChargeReq"
        elif name == "PowerDeliveryReq":
            self.started = getattr(body, "ReadyToChargeState", None) or (
                getattr(getattr(body, "ChargeProgress", None), "name", "") == "Start"
            )
        elif name == "CurrentDemandReq":
            self.demanded_at = t
            if (limit := body.EVMaximumVoltageLimit) is not None:
                self.max_voltage = min(float(limit), self.max_voltage or float(limit))
            if (limit := body.EVMaximumCurrentLimit) is not None:
                self.max_current = min(float(limit), self.max_current or float(limit))


class Edge(NamedTuple):
    """A rule of one moment, for DC, AC or both: says what is wrong, or None."""

    name: str
    rule: str
    broken: Callable[[Seen, Seen, Talk], str | None]
    energy: str = "dc ac"


class Lasting(NamedTuple):
    """A rule of a state that must not last longer than `seconds`: says what is wrong, or None."""

    name: str
    rule: str
    seconds: float
    broken: Callable[[Seen, Talk], str | None]
    energy: str = "dc ac"


def _closing_difference(before: Seen, now: Seen, talk: Talk) -> str | None:
    difference = abs(before.inlet - before.battery)
    if now.vehicle_closed and not before.vehicle_closed and difference > CLOSING_V:
        return f"closed on {difference:.0f} V of difference"
    return None


def _closing_pilot(before: Seen, now: Seen, talk: Talk) -> str | None:
    closed = now.vehicle_closed and not before.vehicle_closed
    unpowered = before.pilot not in POWERED and now.pilot not in POWERED
    return f"closed in state {now.pilot.value}" if closed and unpowered else None


def _closing_unlocked(before: Seen, now: Seen, talk: Talk) -> str | None:
    closed = now.vehicle_closed and not before.vehicle_closed
    return "closed while the connector was not locked" if closed and not (before.locked or now.locked) else None


def _ac_closing(before: Seen, now: Seen, talk: Talk) -> str | None:
    closed = now.outlet_closed and not before.outlet_closed
    if closed and before.pilot not in POWERED and now.pilot not in POWERED:
        return f"AC contactor closed in state {now.pilot.value}"
    return "AC contactor closed without PowerDelivery start" if closed and not talk.started else None


def _opening_load(before: Seen, now: Seen, talk: Talk) -> str | None:
    opened = before.vehicle_closed and not now.vehicle_closed
    if opened and before.current > LOAD_A and now.t - talk.last_b < LAST_RESORT_S:
        return f"opened under {before.current:.0f} A, {now.t - talk.last_b:.1f} s after state B"
    return None


def _unlocking(before: Seen, now: Seen, talk: Talk) -> str | None:
    if not before.locked or now.locked:
        return None
    if now.vehicle_closed:
        return "unlocked with closed contactors"
    if now.current >= CURRENT_A:
        return f"unlocked while {now.current:.0f} A flow"
    if now.pilot in POWERED:
        return f"unlocked in state {now.pilot.value}"
    return f"unlocked with {now.inlet:.0f} V at the inlet" if now.inlet > TOUCHABLE_V else None


def _powered_unlocked(now: Seen, talk: Talk) -> str | None:
    unlocked = now.pilot in POWERED and not now.locked
    return f"state {now.pilot.value} while the connector is not locked" if unlocked else None


def _current_pilot(now: Seen, talk: Talk) -> str | None:
    flows = now.current >= LOAD_A and now.pilot not in POWERED
    return f"{now.current:.0f} A in state {now.pilot.value}" if flows else None


def _current_undemanded(now: Seen, talk: Talk) -> str | None:
    if now.current < LOAD_A:
        return None
    if talk.demanded_at is None:
        return f"{now.current:.0f} A without a CurrentDemandReq"
    age = now.t - talk.demanded_at
    return f"{now.current:.0f} A, {age:.1f} s after the last CurrentDemandReq" if age > UNDEMANDED_S else None


def _over_voltage(now: Seen, talk: Talk) -> str | None:
    if not talk.regulated or talk.max_voltage is None or now.outlet <= talk.max_voltage * OVER:
        return None
    return f"{now.outlet:.0f} V at the outlet, agreed are {talk.max_voltage:.0f} V"


def _ac_live(now: Seen, talk: Talk) -> str | None:
    live = now.outlet_closed and now.pilot not in POWERED
    return f"AC contactor closed in state {now.pilot.value}" if live else None


def _ac_over_current(now: Seen, talk: Talk) -> str | None:
    if talk.ac_limit is None or now.current <= talk.ac_limit * 1.1 + 1:
        return None
    return f"{now.current:.0f} A a phase, allowed are {talk.ac_limit:.0f} A"


def _hard_voltage(now: Seen, talk: Talk) -> str | None:
    limit = next((hard for agreed, hard in HARD_V if (talk.max_voltage or 0) <= agreed), HARD_V[-1][1])
    return f"{now.outlet:.0f} V at the outlet, at most {limit:.0f} V" if now.outlet > limit else None


def _over_current(now: Seen, talk: Talk) -> str | None:
    if talk.max_current is None or now.current <= max(talk.max_current * 1.05 + 2.5, LOAD_A):
        return None
    return f"{now.current:.0f} A, agreed are {talk.max_current:.0f} A"


def _live_unplugged(now: Seen, talk: Talk) -> str | None:
    return f"{now.outlet:.0f} V at an unplugged connector" if not now.plugged and now.outlet > TOUCHABLE_V else None


def _end_current(now: Seen, talk: Talk) -> str | None:
    return f"{now.current:.0f} A after the end" if talk.ended and now.current >= CURRENT_A else None


def _end_vehicle(now: Seen, talk: Talk) -> str | None:
    return "vehicle contactors closed after its end" if "ev" in talk.ended and now.vehicle_closed else None


def _end_outlet(now: Seen, talk: Talk) -> str | None:
    return "outlet contactors closed after the charger's end" if "evse" in talk.ended and now.outlet_closed else None


def _end_pilot(now: Seen, talk: Talk) -> str | None:
    powered = "ev" in talk.ended and now.pilot in POWERED
    return f"pilot left in state {now.pilot.value} by the vehicle" if powered else None


def _end_oscillator(now: Seen, talk: Talk) -> str | None:
    return "oscillator left on by the charger" if "evse" in talk.ended and now.duty is not None else None


def _end_lock(now: Seen, talk: Talk) -> str | None:
    return "the user is locked in after the end" if "ev" in talk.ended and now.locked else None


def _end_voltage(now: Seen, talk: Talk) -> str | None:
    volts = max(now.inlet, now.outlet)
    return f"{volts:.0f} V after both have ended" if len(talk.ended) == 2 and volts > TOUCHABLE_V else None


UNDEMANDED_S = 1.5
"""Set-point supervision (1 s), and the fall of the current."""
HARD_V = ((500.0, 550.0), (750.0, 825.0), (850.0, 935.0), (1000.0, 1100.0), (float("inf"), 1375.0))
"""IEC 61851-23:2023 Table 103: by the agreed maximum, V."""

EDGES = (
    Edge("closing-difference", "vehicle contactors close on at most 20 V of difference", _closing_difference, "dc"),
    Edge("closing-pilot", "vehicle contactors close in state C or D only", _closing_pilot, "dc"),
    Edge("closing-unlocked", "vehicle contactors close with the connector locked", _closing_unlocked, "dc"),
    Edge("opening-load", "vehicle contactors open below 5 A, or 2 s after state B", _opening_load, "dc"),
    Edge("ac-closing", "AC contactor closes after PowerDelivery start, in state C or D only", _ac_closing, "ac"),
    Edge("unlocking", "unlocked only with open contactors, no current, state B, below 60 V", _unlocking),
)
LASTING = (
    Lasting("powered-unlocked", "state C or D only with the connector locked", 0.0, _powered_unlocked),
    Lasting("current-pilot", "no current outside states C and D", 1.0, _current_pilot),
    Lasting("current-undemanded", "no current without a demand younger than 1.5 s", 0.0, _current_undemanded, "dc"),
    Lasting(
        "over-voltage", "no voltage above the agreed one for longer than 0.4 s and the reaction", 1.0, _over_voltage
    ),
    Lasting("hard-voltage", "never a voltage above that of Table 103", 0.0, _hard_voltage, "dc"),
    Lasting(
        "over-current", "no current above the agreed one for longer than 2 s and the reaction", 2.5, _over_current, "dc"
    ),
    Lasting("ac-live", "AC contactor open within 1 s after the vehicle left state C", 1.0, _ac_live, "ac"),
    Lasting("ac-over-current", "no AC current above the limit for longer than 6 s", 6.0, _ac_over_current, "ac"),
    Lasting("live-unplugged", "an unplugged connector is below 60 V within 1 s", 1.0, _live_unplugged),
    Lasting("end-current", "no current after the end", 0.0, _end_current),
    Lasting("end-vehicle", "vehicle contactors open at its end", 0.0, _end_vehicle),
    Lasting("end-outlet", "outlet contactors open at the charger's end", 0.0, _end_outlet),
    Lasting("end-pilot", "pilot in state B at the vehicle's end", 0.0, _end_pilot),
    Lasting("end-oscillator", "oscillator off at the charger's end", 0.0, _end_oscillator),
    Lasting("end-lock", "connector unlocked at the vehicle's end", 0.0, _end_lock),
    Lasting("end-voltage", "below 60 V one second after both ends", 1.0, _end_voltage),
)


class Excuse(NamedTuple):
    """Rules that nobody can keep once a fault has happened."""

    applies: Callable[[d.Fault, d.Role, d.Energy], bool]
    rules: tuple[str, ...]


EXCUSED = (
    Excuse(
        lambda f, unit, energy: isinstance(f, d.Contactor) and f.stuck == "welded" and energy == "dc",
        ("end-vehicle", "unlocking", "end-voltage"),
    ),
    Excuse(
        lambda f, unit, energy: isinstance(f, d.Contactor) and f.stuck == "welded" and energy == "ac",
        ("end-outlet", "unlocking", "end-voltage", "ac-live", "live-unplugged"),
    ),
    Excuse(lambda f, unit, energy: isinstance(f, d.Lock), ("end-lock",)),
    Excuse(
        lambda f, unit, energy: isinstance(f, (d.Wire, d.Board)),
        (
            "end-current",
            "end-vehicle",
            "end-outlet",
            "end-pilot",
            "end-oscillator",
            "end-lock",
            "end-voltage",
            "unlocking",
            "opening-load",
            "powered-unlocked",
        ),
    ),
    Excuse(lambda f, unit, energy: isinstance(f, d.Process) and f.signal == "sigkill", ("current-pilot",)),
    Excuse(lambda f, unit, energy: isinstance(f, d.Unplug), ("powered-unlocked",)),
    Excuse(
        lambda f, unit, energy: isinstance(f, d.Pilot) and f.state in ("C", "D") and unit == "evse",
        ("unlocking", "powered-unlocked", "end-pilot"),
    ),
    Excuse(lambda f, unit, energy: isinstance(f, d.Silence) and unit == "pev", ("current-undemanded",)),
)
"""What the unit under test cannot keep once a device is broken or its peer hangs. A torn-out connector has torn the
lock out with it; a charger that hangs goes on giving what it gave; a pilot held in state C is no vehicle's doing; a
device that cannot be reached, or restarts, does what it does: what is right for it stands in the scenario's `within`.
A supply whose program was killed gives until a device of it or the vehicle disconnects.
"""


def excused(faults: list[Any], unit: d.Role, energy: d.Energy) -> frozenset[str]:
    """The rules that these faults make impossible to keep."""
    return frozenset(n for f in faults for excuse in EXCUSED if excuse.applies(f, unit, energy) for n in excuse.rules)


class Safety:
    """Applies every rule at each look; `breaches` are sentences with the time, one for each rule broken."""

    def __init__(self, energy: d.Energy = "dc", excused: frozenset[str] = frozenset()) -> None:
        self.talk = Talk()
        self.breaches: dict[str, str] = {}
        self._edges = [rule for rule in EDGES if energy in rule.energy and rule.name not in excused]
        self._lasting = [rule for rule in LASTING if energy in rule.energy and rule.name not in excused]
        self._before: Seen | None = None
        self._since: dict[str, float] = {}

    def look(self, now: Seen) -> None:
        """Judge one look."""
        before = self._before or now
        self._before = now
        if now.pilot not in POWERED and before.pilot in POWERED:
            self.talk.last_b = now.t
        for edge in self._edges:
            self._note(edge.name, now.t, edge.broken(before, now, self.talk))
        for rule in self._lasting:
            wrong = rule.broken(now, self.talk)
            if wrong is None:
                self._since.pop(rule.name, None)
            elif now.t - self._since.setdefault(rule.name, now.t) >= rule.seconds:
                self._note(rule.name, now.t, wrong)

    def _note(self, name: str, t: float, wrong: str | None) -> None:
        if wrong is not None:
            self.breaches.setdefault(name, f"unsafe at {t:.2f} s: {wrong} [{name}]")
