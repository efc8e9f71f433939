"""Cars and chargers as data: what captures show of real peers, and the settings that make ours behave like them.

A profile is a TOML file, shipped in `pyplc/data/vehicles` and `pyplc/data/chargers` or named by its path. Each section
`[din]`, `[iso2]` or `[ac]` is what one capture shows, and names it; a test reads the captures again and holds every
figure against them. `UNUSED` says which of the figures no session asks for yet.

V, A, W, Wh, s, percent. Requests and responses are named as in the standard.
"""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, TypeVar, cast

import msgspec

from .config import ConfigError, EvseSettings, EvSettings, ProtocolName, SimSettings, parse
from .plant.parameters import BatteryParameters
from .station.vehicle import Told
from .v2g.negotiate import PROTOCOLS

DATA = Path(__file__).parent / "data"
SectionName = Literal["din", "iso2", "ac"]
SECTIONS: tuple[SectionName, ...] = ("din", "iso2", "ac")

QUICK_ANSWER_S = 0.01
"""What a charger takes to answer when nothing is known of it: Alpitronic and Supercharger, 7 to 10 ms."""
LEAST_PACE_S = 0.02
"""Between two requests of one loop: some cars ask again at once."""
LONGEST_PACE_S = 1.0
"""What is longer was a pause: an MG4 that lost its current waited 2.5 s with its last request."""
CUSTOMARY_GOAL = 80.0
"""SoC in percent up to which a vehicle charges when nobody says otherwise."""

Hex = Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{2})*$")]


class Offer(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One entry of supportedAppProtocolReq."""

    namespace: str
    major: int
    minor: int
    schema_id: int
    priority: int


class VehicleDc(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A vehicle's DC session in one generation."""

    capture: str
    """The file of the reference captures that shows it."""
    offers: list[Offer] = []
    """Where this car offered otherwise than the profile says above."""
    session_id: Hex
    """In the header of SessionSetupReq."""
    transfer: str
    """Requested energy transfer."""
    soc_percent: int
    soc_end_percent: int | None = None
    max_voltage: float
    max_current: float
    max_power: float | None = None
    capacity_wh: float | None = None
    energy_request_wh: float | None = None
    full_soc: int | None = None
    bulk_soc: int | None = None
    max_schedule_entries: int | None = None
    departure_s: int | None = None
    precharge_voltage: float | None = None
    precharge_current: float | None = None
    first_current: float | None = None
    """EVTargetCurrent of the first CurrentDemandReq."""
    target_current: float | None = None
    """The highest EVTargetCurrent; the charger's limit may have held it down."""
    target_voltage: float | None = None
    """The highest EVTargetVoltage."""
    conditioning: bool = False
    """Whether DC_EVStatus has EVCabinConditioning and EVRESSConditioning."""
    errors: list[str] = []
    """EVErrorCode other than NO_ERROR."""
    last: str
    """The last request of the session."""
    unitless: list[str] = []
    """Physical values sent without a unit."""
    ready: dict[str, bool] = {}
    """EVReady by request."""
    sent: dict[str, list[str]] = {}
    """Optional elements present, by request; what is not named is left out."""
    multipliers: dict[str, int] = {}
    """Power of ten of each physical value."""
    think_s: dict[str, float] = {}
    """From a response to the next request of the same kind, median."""
    rounds: dict[str, int] = {}
    """How many requests of each kind there were."""


class VehicleAc(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A vehicle's AC session in ISO 15118-2."""

    capture: str
    offers: list[Offer] = []
    session_id: Hex
    transfer: str | None = None
    e_amount_wh: float | None = None
    max_voltage: float | None = None
    max_current: float | None = None
    min_current: float | None = None
    max_schedule_entries: int | None = None
    departure_s: int | None = None
    last: str
    sent: dict[str, list[str]] = {}
    multipliers: dict[str, int] = {}
    think_s: dict[str, float] = {}
    rounds: dict[str, int] = {}


class VehicleProfile(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A vehicle."""

    name: str
    remarks: list[str] = []
    """What else is known, with the place it is known from."""
    evccid: Hex
    offers: list[Offer]
    din: VehicleDc | None = None
    iso2: VehicleDc | None = None
    ac: VehicleAc | None = None


class Schedule(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The SAScheduleTuple of ChargeParameterDiscoveryRes."""

    tuple_id: int
    pmax: list[float]
    """W."""
    duration: list[int | Literal[""]] = []
    """s; empty where left out."""
    pmax_id: int | None = None
    tuples: int = 1
    tariff: bool = False
    while_ongoing: bool | None = None
    """Whether Ongoing carries a schedule too; absent when there was no Ongoing."""


class _ChargerSection(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    capture: str
    evse_id: str
    """Hex digits in DIN, text in ISO 15118-2."""
    session_id: Hex
    """An example: its length is the point."""
    time: bool = False
    """Whether SessionSetupRes tells the time."""
    service_id: int = 1
    service_name: str | None = None
    free: bool = False
    payment: list[str] = []
    """Empty: ExternalPayment alone."""
    transfer: list[str] = []
    schedule: Schedule | None = None
    codes: dict[str, list[str]] = {}
    """ResponseCode other than OK, by response."""
    status: dict[str, list[str]] = {}
    """EVSEStatusCode/isolation/notification by response, in order of appearance."""
    sent: dict[str, list[str]] = {}
    multipliers: dict[str, int] = {}
    unitless: list[str] = []
    latency_s: dict[str, float] = {}
    """From request to response, median, by request."""
    slowest_s: dict[str, float] = {}
    takes_s: dict[str, float] = {}
    """From the first request of a phase to its end."""
    rounds: dict[str, int] = {}


class ChargerDc(_ChargerSection, kw_only=True, forbid_unknown_fields=True):
    """A charger's DC session in one generation."""

    max_voltage: float | None = None
    max_current: float | None = None
    max_power: float | None = None
    min_voltage: float | None = None
    min_current: float | None = None
    ripple: float | None = None
    tolerance: float | None = None
    energy_wh: float | None = None
    """EVSEEnergyToBeDelivered."""
    given_current: float | None = None
    """The highest EVSEPresentCurrent."""
    precharge_voltages: list[float] = []
    """EVSEPresentVoltage of the first PreChargeRes."""


class ChargerAc(_ChargerSection, kw_only=True, forbid_unknown_fields=True):
    """A charger's AC session in ISO 15118-2."""

    nominal_voltage: float | None = None
    max_current: float | None = None


class ChargerProfile(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A charger."""

    name: str
    remarks: list[str] = []
    ports: list[int] = []
    """TCP ports seen."""
    assumed: dict[str, float] = {}
    """Limits that no capture shows; what the others give."""
    din: ChargerDc | None = None
    iso2: ChargerDc | None = None
    ac: ChargerAc | None = None


class Knob(NamedTuple):
    """A figure of the profiles that no session asks for yet."""

    sections: str
    key: str
    where: str


UNUSED = (
    Knob("vehicle", "offers", "schema ids, priority numbers and vendors' entries of supportedAppProtocolReq"),
    Knob("vehicle din, iso2, ac", "session_id", "the header of SessionSetupReq: eight zero bytes or one"),
    Knob("vehicle din, iso2", "first_current", "a demand that begins low"),
    Knob("vehicle din, iso2", "conditioning", "two flags in DC_EVStatus"),
    Knob("vehicle din, iso2", "errors", "EVErrorCode; ours comes from the plant's faults"),
    Knob("vehicle din, iso2", "ready", "EVReady by request; ours is the pilot's state"),
    Knob("vehicle din, iso2, ac", "sent", "optional elements outside the limits of ChargeParameterDiscoveryReq"),
    Knob("vehicle din, iso2, ac", "multipliers", "the power of ten of each physical value"),
    Knob("vehicle din, iso2", "unitless", "physical values without a unit"),
    Knob("vehicle iso2, ac", "max_schedule_entries", "MaxEntriesSAScheduleTuple"),
    Knob("vehicle iso2, ac", "departure_s", "DepartureTime where a car says 0"),
    Knob("vehicle ac", "e_amount_wh", "EAmount; ours follows from battery and goal"),
    Knob("vehicle din, iso2, ac", "rounds", "how often a loop is asked; ours ends when the answer says so"),
    Knob("charger din, iso2, ac", "session_id", "length and look of the session id"),
    Knob("charger din, iso2, ac", "time", "DateTimeNow; ours tells EVSETimeStamp where there is a clock"),
    Knob("charger din, iso2, ac", "service_id, service_name, free, payment, transfer", "ServiceDiscoveryRes"),
    Knob("charger din, iso2, ac", "schedule", "ids and durations of the schedule of ChargeParameterDiscoveryRes"),
    Knob("charger din, iso2, ac", "codes", "OK instead of OK_NewSessionEstablished"),
    Knob("charger din, iso2, ac", "status", "status code and isolation by phase"),
    Knob("charger din, iso2, ac", "sent, multipliers, unitless", "the form of the responses"),
    Knob("charger din, iso2", "energy_wh", "EVSEEnergyToBeDelivered"),
    Knob("charger din, iso2, ac", "latency_s, slowest_s", "latency by message; ours is one for all"),
    Knob("charger", "ports", "the TCP port; that is network.tcp_port"),
)
"""Data that waits for its knob."""

P = TypeVar("P", VehicleProfile, ChargerProfile)
KINDS: dict[type, str] = {VehicleProfile: "vehicle", ChargerProfile: "charger"}


def names(kind: type[P]) -> list[str]:
    """The names of the profiles that ship, sorted."""
    return sorted(file.stem for file in (DATA / f"{KINDS[kind]}s").glob("*.toml"))


def load(name: str, kind: type[P]) -> P:
    """The profile of a name, or of the file at a path; ConfigError says what there is."""
    word = KINDS[kind]
    known = names(kind)
    file = DATA / f"{word}s" / f"{name}.toml" if name in known else Path(name)
    if name not in known and not (file.suffix == ".toml" or "/" in name):
        near = difflib.get_close_matches(name, known, 1, 0.4)
        hint = f"did you mean {near[0]}?" if near else "a file is named by its path, ending in .toml"
        raise ConfigError(f"there is no {word} {name!r}; {hint} Known: {', '.join(known)}")
    try:
        text = file.read_bytes()
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}") from None
    profile = parse(text, kind, str(file))
    if not known_sections(profile):
        raise ConfigError(f"{file}: a {word} needs at least one section [din], [iso2] or [ac]")
    return profile


def known_sections(profile: VehicleProfile | ChargerProfile) -> list[SectionName]:
    """The sections that a profile has."""
    return [name for name in SECTIONS if getattr(profile, name) is not None]


def offered(profile: VehicleProfile) -> list[ProtocolName]:
    """The protocols of ours that the vehicle offers, the best first."""
    ours = {protocol.namespace: name for name, protocol in PROTOCOLS.items()}
    ranked = sorted(profile.offers, key=lambda offer: offer.priority)
    return [cast(ProtocolName, ours[offer.namespace]) for offer in ranked if offer.namespace in ours]


def meeting(vehicle: VehicleProfile | None, charger: ChargerProfile | None) -> SectionName:
    """The kind of session the two hold: DC in the generation that the vehicle prefers, else AC; either may be absent.

    A vehicle known by one DC generation can be had in the other where it offers it. ConfigError when they have none.
    """
    theirs = SECTIONS if charger is None else known_sections(charger)
    wanted: list[SectionName] = list(SECTIONS)
    if vehicle is not None:
        known = known_sections(vehicle)
        wanted = [*offered(vehicle)] if vehicle.din or vehicle.iso2 else []
        wanted += ["ac"] if "ac" in known else []
    for section in wanted:
        if section in theirs:
            return section
    names = " and ".join(profile.name for profile in (vehicle, charger) if profile is not None)
    raise ConfigError(f"{names}: no kind of session in common (one knows only AC, or another generation)")


def be_vehicle(profile: VehicleProfile, settings: EvSettings | SimSettings, section: SectionName | None = None) -> None:
    """Set what is the vehicle's in `settings`: identity, offers, limits, battery, pace, goal.

    `section` as `meeting` tells it; by default what the vehicle prefers.
    """
    section = section or meeting(profile, None)
    settings.vehicle.evccid = profile.evccid or None
    settings.session.protocols = tuple(offered(profile))
    if section == "ac":
        _be_ac_vehicle(cast(VehicleAc, profile.ac), settings)
        return
    told = cast(VehicleDc, getattr(profile, section) or profile.din or profile.iso2)
    vehicle = settings.vehicle
    vehicle.energy = "dc"
    vehicle.max_current, vehicle.max_power = told.max_current, told.max_power
    vehicle.target_soc = goal(told)
    if told.precharge_current is not None:
        vehicle.precharge_current = told.precharge_current
    vehicle.told = Told(
        max_power=told.max_power,
        capacity_wh=told.capacity_wh,
        energy_request_wh=told.energy_request_wh,
        full_soc=told.full_soc,
        bulk_soc=told.bulk_soc,
    )
    settings.plant.battery = battery_of(told)
    settings.session.pacing = pacing(told)


def _be_ac_vehicle(told: VehicleAc, settings: EvSettings | SimSettings) -> None:
    settings.vehicle.energy = "ac"
    ac = settings.plant.ac
    if told.transfer is not None:
        ac.onboard_phases = 3 if "three" in told.transfer else 1
    ac.onboard_voltage = told.max_voltage or ac.onboard_voltage
    ac.onboard_current = settings.vehicle.max_current = told.max_current or ac.onboard_current
    ac.least_current = ac.least_current if told.min_current is None else told.min_current
    settings.session.pacing = pacing(told)


def goal(told: VehicleDc) -> float:
    """The SoC to charge to: 80 %, or what the vehicle calls full when it is there already."""
    full = told.full_soc or 100
    return CUSTOMARY_GOAL if told.soc_percent < CUSTOMARY_GOAL < full else float(max(full, told.soc_percent))


def battery_of(told: VehicleDc) -> BatteryParameters:
    """A battery of the recorded voltage at the recorded SoC, its curve that of the default battery to scale."""
    usual = BatteryParameters()
    battery = BatteryParameters(
        capacity_wh=told.capacity_wh or usual.capacity_wh,
        soc_percent=float(told.soc_percent),
        max_voltage=told.max_voltage,
        max_current=told.max_current,
    )
    if told.precharge_voltage is None:
        scale = told.max_voltage / usual.max_voltage
    else:
        scale = told.precharge_voltage / at_soc(usual, told.soc_percent)
    battery.open_circuit = tuple((soc, round(volts * scale, 1)) for soc, volts in usual.open_circuit)
    return battery


def at_soc(battery: BatteryParameters, soc: float) -> float:
    """Open-circuit voltage at a SoC."""
    table = battery.open_circuit
    for (low, v_low), (high, v_high) in zip(table, table[1:], strict=False):
        if soc <= high:
            return v_low + (v_high - v_low) * (soc - low) / (high - low)
    return table[-1][1]


def be_charger(
    profile: ChargerProfile, settings: EvseSettings | SimSettings, section: SectionName | None = None
) -> None:
    """Set what is the charger's in `settings`: identity, limits, supply, how long its phases and answers take.

    `section` as `meeting` tells it; by default the first that the profile has.
    """
    section = section or meeting(None, profile)
    settings.session.protocols = tuple(dict.fromkeys(_PROTOCOL[name] for name in known_sections(profile)))
    told = cast(_ChargerSection, getattr(profile, section))
    charger = settings.charger
    if section == "din":
        charger.evse_id = told.evse_id or "00"
    else:
        charger.evse_name = told.evse_id
    charger.authorisation_s = told.takes_s.get("authorisation", 0.0)
    charger.answer_s = answer_s(told)
    if isinstance(told, ChargerAc):
        charger.energy = "ac"
        ac = settings.plant.ac
        ac.nominal_voltage = told.nominal_voltage or ac.nominal_voltage
        ac.max_current = told.max_current or ac.max_current
        ac.phases = 3 if any("three" in mode for mode in told.transfer) else 1
    elif isinstance(told, ChargerDc):
        charger.energy = "dc"
        _be_dc_charger(told, profile.assumed, settings)


_PROTOCOL: dict[SectionName, ProtocolName] = {"din": "din", "iso2": "iso2", "ac": "iso2"}


def _be_dc_charger(told: ChargerDc, assumed: dict[str, float], settings: EvseSettings | SimSettings) -> None:
    charger, supply = settings.charger, settings.plant.supply
    charger.parameters_s = told.takes_s.get("parameters", 0.0)
    charger.ripple = charger.ripple if told.ripple is None else told.ripple
    charger.tolerance = told.tolerance
    for key in ("max_voltage", "max_current", "max_power", "min_voltage", "min_current"):
        value = getattr(told, key)
        value = assumed.get(key) if value is None else value
        if value is not None:
            setattr(supply, key, value)
    if "cable_check" in told.takes_s:
        charger.cable_check_s = told.takes_s["cable_check"]
        rise = min(500.0, supply.max_voltage) / supply.voltage_ramp
        measured = max(0.0, charger.cable_check_s - rise)  # the rest is the monitor's test of itself
        settings.plant.cable.isolation_s = min(settings.plant.cable.isolation_s, measured)


def imitate(settings: SimSettings, vehicle: VehicleProfile | None, charger: ChargerProfile | None) -> None:
    """Set both sides of a simulation, in the kind of session they have in common; ConfigError when there is none."""
    section = meeting(vehicle, charger)
    protocols = settings.session.protocols
    if charger is not None:
        be_charger(charger, settings, section)
    if vehicle is not None:
        be_vehicle(vehicle, settings, section)
        settings.session.pacing = answered(settings.session.pacing, settings.charger.answer_s)
    if vehicle is not None or charger is not None:
        common = [name for name in settings.session.protocols if charger is None or name in _protocols(charger)]
        settings.session.protocols = tuple(common)
        settings.vehicle.energy = settings.charger.energy = "ac" if section == "ac" else "dc"
    else:
        settings.session.protocols = protocols


def _protocols(profile: ChargerProfile) -> list[ProtocolName]:
    return [_PROTOCOL[name] for name in known_sections(profile)]


def answer_s(told: _ChargerSection) -> float:
    """How long the charger takes to answer: its median in the loops."""
    for request in ("CurrentDemandReq", "ChargingStatusReq", "PreChargeReq", "CableCheckReq", "ServiceDiscoveryReq"):
        if request in told.latency_s:
            return told.latency_s[request]
    return QUICK_ANSWER_S


LOOPS = {
    "authentication": ("ContractAuthenticationReq", "AuthorizationReq"),
    "parameters": ("ChargeParameterDiscoveryReq",),
    "cable_check": ("CableCheckReq",),
    "precharge": ("PreChargeReq",),
    "charging": ("CurrentDemandReq",),
    "charging_status": ("ChargingStatusReq",),
    "welding": ("WeldingDetectionReq",),
}
"""Which requests each pace of `Pacing` is for."""


def pacing(told: VehicleDc | VehicleAc) -> dict[str, float]:
    """The vehicle's paces at a quick charger: what it thinks and a quick answer; a loop not seen is left out."""
    return {
        loop: max(LEAST_PACE_S, round(told.think_s[request] + QUICK_ANSWER_S, 3))
        for loop, requests in LOOPS.items()
        for request in requests
        if told.think_s.get(request, LONGEST_PACE_S) < LONGEST_PACE_S
    }


def answered(paces: dict[str, float], seconds: float) -> dict[str, float]:
    """The same paces at a charger that answers in `seconds`."""
    return {loop: round(pace + max(0.0, seconds - QUICK_ANSWER_S), 3) for loop, pace in paces.items()}
