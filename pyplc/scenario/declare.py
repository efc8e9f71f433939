"""What a scenario file may say, as types: where a fault happens, what it is, and which reaction is right.

The unit under test is one station of a simulated tower; the other is its peer, and the fault is the peer's, the
world's or a device's. Times in s, voltages in V, currents in A.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

Role = Literal["pev", "evse"]
Protocol = Literal["din", "iso2"]
Energy = Literal["dc", "ac"]

Device = Literal["dieter", "celeron55", "arduino", "mqtt", "pyplc-mqtt"]

Seconds = Annotated[float, msgspec.Meta(ge=0)]
Hex = Annotated[str, msgspec.Meta(pattern="^([0-9a-fA-F]{2})*$")]
Name = Annotated[str, msgspec.Meta(pattern="^[a-z0-9]+(-[a-z0-9]+)*$")]


class At(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Where. A message by name and occurrence, a checkpoint, or neither: from the start."""

    message: str | None = None
    """Name of a message, of either side; a fault of a message needs one that the peer sends."""
    occurrence: Annotated[int, msgspec.Meta(ge=1)] = 1
    """Which one of its name, the first is 1."""
    times: Annotated[int, msgspec.Meta(ge=1)] | Literal["all"] = 1
    """How many of that name in a row a fault of a message hits; "all": every one from there on."""
    checkpoint: int | None = None
    """Number of a checkpoint of either side."""
    after_s: Seconds = 0.0
    """Faults of the world: so much later."""
    to_peer: bool = False
    """A message of the unit under test, as the peer gets it: for a peer that does not heed what it is told."""


class Fault(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True, tag_field="do"):
    """Base of every fault."""

    at: At = At()


class MessageFault(Fault, kw_only=True, frozen=True):
    """Base of what happens to a message of the peer."""


class Drop(MessageFault, kw_only=True, frozen=True, tag="drop"):
    """The message is lost."""


class Delay(MessageFault, kw_only=True, frozen=True, tag="delay"):
    """The message comes late."""

    seconds: Seconds


class Duplicate(MessageFault, kw_only=True, frozen=True, tag="duplicate"):
    """The message comes twice."""


class Change(MessageFault, kw_only=True, frozen=True, tag="change"):
    """Fields of the message have other values, or are left out."""

    set: dict[str, Any] = {}
    """Path of a field (names with dots, an index in a list) and its value; enumerations by name, a physical value as
    a number in its unit."""
    remove: list[str] = []
    """Paths of optional fields."""


class SessionId(MessageFault, kw_only=True, frozen=True, tag="session-id"):
    """The header has another session id."""

    id: Hex


class Replace(MessageFault, kw_only=True, frozen=True, tag="replace"):
    """Another message comes instead: the smallest valid one of its name, with fields as `set` says."""

    by: str
    set: dict[str, Any] = {}


class Insert(MessageFault, kw_only=True, frozen=True, tag="insert"):
    """Another message comes before it."""

    message: str
    set: dict[str, Any] = {}


class Raw(MessageFault, kw_only=True, frozen=True, tag="raw"):
    """Other bytes stand behind the V2GTP header, whose length fits them."""

    hex: Hex


class Truncate(MessageFault, kw_only=True, frozen=True, tag="truncate"):
    """The EXI stream ends early; the V2GTP length fits."""

    keep: Annotated[int, msgspec.Meta(ge=0)]
    """Bytes that are left."""


class Header(MessageFault, kw_only=True, frozen=True, tag="header"):
    """Parts of the V2GTP header are wrong."""

    version: Annotated[str, msgspec.Meta(pattern="^[0-9a-fA-F]{4}$")] | None = None
    payload_type: Annotated[int, msgspec.Meta(ge=0, le=0xFFFF)] | None = None
    length: Annotated[int, msgspec.Meta(ge=0, le=0xFFFFFFFF)] | None = None


class Split(MessageFault, kw_only=True, frozen=True, tag="split"):
    """The message comes in pieces, as TCP may cut it."""

    bytes: Annotated[int, msgspec.Meta(ge=1)] = 1
    pause_s: Seconds = 0.01


class Silence(MessageFault, kw_only=True, frozen=True, tag="silence"):
    """The peer hangs: this message and all later ones are lost, its pilot, devices and connection stay as they are."""


class Reset(Fault, kw_only=True, frozen=True, tag="reset"):
    """The connection breaks (RST); a message of the peer that triggers it is lost."""


class Close(Fault, kw_only=True, frozen=True, tag="close"):
    """The peer closes the connection (FIN); a message of the peer that triggers it is lost."""


class Unplug(Fault, kw_only=True, frozen=True, tag="unplug"):
    """The connector is torn out."""


class Pilot(Fault, kw_only=True, frozen=True, tag="pilot"):
    """The vehicle's end of the pilot goes to state B, C or D, or the charger's to F."""

    state: Literal["B", "C", "D", "F"]


class Duty(Fault, kw_only=True, frozen=True, tag="duty"):
    """The charger's oscillator changes its duty cycle; 0 is off."""

    percent: Annotated[float, msgspec.Meta(ge=0, le=100)]


class Supply(Fault, kw_only=True, frozen=True, tag="supply"):
    """The charger's supply: "dead" gives nothing, "voltage" and "current" give `factor` times what was set, "stuck"
    does not go down."""

    fault: Literal["dead", "voltage", "current", "stuck"]
    factor: Annotated[float, msgspec.Meta(gt=0)] = 1.3


class Isolation(Fault, kw_only=True, frozen=True, tag="isolation"):
    """The high-voltage lines have this resistance to earth, or the measurement never ends (`hangs`)."""

    ohm: Annotated[float, msgspec.Meta(ge=0)] = 5e6
    hangs: bool = False


class Contactor(Fault, kw_only=True, frozen=True, tag="contactor"):
    """The contactors do not close ("open") or do not open ("welded"): in DC the vehicle's, in AC the charger's."""

    stuck: Literal["open", "welded"]


class Lock(Fault, kw_only=True, frozen=True, tag="lock"):
    """The connector lock no longer moves."""


class Meter(Fault, kw_only=True, frozen=True, tag="meter"):
    """A measurement of voltage no longer changes and ages ("frozen"), is no number ("nan"), or is wrong by `offset`."""

    of: Literal["inlet", "battery", "supply"]
    shows: Literal["frozen", "nan", "offset"]
    offset: float = 0.0


class Battery(Fault, kw_only=True, frozen=True, tag="battery"):
    """The battery takes no more than this current from now on."""

    max_current: Annotated[float, msgspec.Meta(ge=0)]


class ResidualCurrent(Fault, kw_only=True, frozen=True, tag="residual-current"):
    """AC: the residual current device trips."""


class Overdraw(Fault, kw_only=True, frozen=True, tag="overdraw"):
    """AC: the on-board charger draws its maximum whatever it was told."""


class Stop(Fault, kw_only=True, frozen=True, tag="stop"):
    """Someone presses the stop button of a station: no fault, but a case."""

    at_station: Role


class Lose(Fault, kw_only=True, frozen=True, tag="lose"):
    """Frames on the powerline are lost: management messages by name (CM_...), "SDP request", "SDP response", "all"."""

    frames: str
    count: Annotated[int, msgspec.Meta(ge=1)] | Literal["all"] = "all"


class PortLate(Fault, kw_only=True, frozen=True, tag="port-late"):
    """The charger's announced TCP port refuses the first connections."""

    refusals: Annotated[int, msgspec.Meta(ge=1)] | Literal["all"] = 1


class Wire(Fault, kw_only=True, frozen=True, tag="wire"):
    """Between the unit under test and its `device`, a serial line or a broker: cut, carries nothing ("frozen"), spoils
    every third byte of a line ("garbled"), or is 3 s late ("slow")."""

    how: Literal["cut", "frozen", "garbled", "slow"]
    for_s: Annotated[float, msgspec.Meta(gt=0)] | None = None
    """Then it is in order again."""


class Board(Fault, kw_only=True, frozen=True, tag="board"):
    """The `device` itself: it restarts, obeys nothing ("deaf"), or tells one inlet voltage for ever ("inlet")."""

    how: Literal["restart", "deaf", "inlet"]
    volts: Annotated[float, msgspec.Meta(ge=0)] = 100.0


class Process(Fault, kw_only=True, frozen=True, tag="process"):
    """The program of the unit under test gets a signal. "sigterm": it ends the session as `pyplc ev` does. "sigkill":
    not one instruction more of it runs, the kernel closes its connection, the `device` lives on."""

    signal: Literal["sigterm", "sigkill"]


class Disk(Fault, kw_only=True, frozen=True, tag="disk"):
    """The disk on which the session is recorded is full, and nothing on it may be deleted."""


class Clock(Fault, kw_only=True, frozen=True, tag="clock"):
    """The wall clock of the unit under test is set: so many years ahead, below zero back."""

    years: float


AnyFault = (
    Drop
    | Delay
    | Duplicate
    | Change
    | SessionId
    | Replace
    | Insert
    | Raw
    | Truncate
    | Header
    | Split
    | Silence
    | Reset
    | Close
    | Unplug
    | Pilot
    | Duty
    | Supply
    | Isolation
    | Contactor
    | Lock
    | Meter
    | Battery
    | ResidualCurrent
    | Overdraw
    | Stop
    | Lose
    | PortLate
    | Wire
    | Board
    | Process
    | Disk
    | Clock
)


DC_ONLY = (Supply, Isolation, Meter, Wire, Board)
NEED_DEVICE = (Wire, Board)
AC_ONLY = (ResidualCurrent, Overdraw)
RECORDED = (Disk, Clock)
"""Faults whose cases are recorded as a service does it."""


class Within(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """From the fault on, after how many seconds something holds for good."""

    state_b: Seconds | None = None
    """The vehicle's end of the pilot is in state B (or unplugged)."""
    current_zero: Seconds | None = None
    """Less than 1 A flows."""
    contactors_open: Seconds | None = None
    """The vehicle's contactors are open."""
    outlet_open: Seconds | None = None
    """The charger's contactors are open."""
    voltage_gone: Seconds | None = None
    """Less than 60 V at inlet and outlet."""
    unlocked: Seconds | None = None
    """The connector is unlocked."""
    oscillator_off: Seconds | None = None
    """The charger's oscillator is off."""
    closed: Seconds | None = None
    """The unit under test has ended its connection."""
    end: Seconds | None = None
    """The unit under test is at rest."""


class Answer(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """The first message of this name that the unit under test sends after the fault, and values in it."""

    message: str
    fields: dict[str, Any] = {}


class Expect(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Which reaction is right."""

    outcome: str | list[str]
    """How the session ends for the unit under test, one of several if a list; "killed" for a program that was."""
    reason: str | None = None
    """Words in its last sentence."""
    peer_outcome: str | list[str] | None = None
    """How it ends for the peer."""
    within: Within = Within()
    answer: Answer | None = None
    then: list[str] = []
    """Messages the unit under test sends after the fault, in this order; others may stand between."""
    never: list[str] = []
    """Messages it does not send after the fault."""
    note: str | None = None
    """Words in a remark, in the records or, where the session is recorded, in its file."""
    energy: bool | None = None
    """Whether the battery was charged."""


class Scenario(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """One case. `protocol` may be a list: the case is run with each."""

    name: Name
    title: str
    """One sentence."""
    expect: Expect
    fault: list[AnyFault] = []
    """None: the good case."""
    protocol: Protocol | list[Protocol] | None = None
    energy: Energy | None = None
    role: Role | None = None
    """The unit under test."""
    device: Device | None = None
    """DC: the unit under test has this device, emulated at the far end of its wire, instead of simulated ones. Where
    the program is killed there must be one."""
    source: str | None = None
    """Where the case comes from."""
    settings: dict[str, Any] = {}
    """What differs from the usual settings, as in a file for `pyplc sim`."""
    patient_peer: bool = False
    """The peer's own time-outs are a thousand times as long, so that those of the unit under test are seen."""
    limit_s: Annotated[float, msgspec.Meta(gt=0)] = 600.0
    """A session that has not ended after so many seconds of its own time has failed."""


class File(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A file of scenarios; what stands at its top holds for each that does not say otherwise."""

    scenario: list[Scenario]
    protocol: Protocol | list[Protocol] = "din"
    energy: Energy = "dc"
    role: Role | None = None
    source: str | None = None
