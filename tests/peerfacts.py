"""What a capture shows of its vehicle or charger, in the form of the profiles in `pyplc/data`.

The longest session of the capture counts. Every figure of a profile's section is found again here; a new section is
made with `python tests/peerfacts.py vehicle|charger CAPTURE`.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from typing import Any, NamedTuple

import reference

from pyplc.exi.declare import Element
from pyplc.units import PhysicalValueArithmetic
from pyplc.v2g import handshake
from pyplc.v2g.din import messages as din
from pyplc.v2g.iso2 import messages as iso2

PARAMETERS = ("EVChargeParameter", "EVPowerDeliveryParameter", "EVSEChargeParameter")
"""Where a message keeps what differs between AC and DC."""
STATUSES = ("DC_EVSEStatus", "AC_EVSEStatus", "EVSEStatus")
HANDSHAKE = "supportedAppProtocolReq"


class Seen(NamedTuple):
    """One message: time, generation, name, session id, body, TCP source port, EXI."""

    t: float
    generation: str
    name: str
    session_id: bytes
    body: Any
    port: int
    exi: bytes


class Pair(NamedTuple):
    """A request and its response."""

    request: Seen
    response: Seen


def read(message: reference.Captured) -> Seen:
    """Decode one message by its first bytes."""
    second = message.exi[1] & 0xFE
    if message.exi[0] == 0x80 and second in (0x9A, 0x98):
        schema = din if second == 0x9A else iso2
        decoded = schema.decode(message.exi)
        body = decoded.Body.BodyElement
        generation = "din" if schema is din else "iso2"
        return Seen(
            message.t, generation, type(body).__name__, decoded.Header.SessionID, body, message.port, message.exi
        )
    body = handshake.decode(message.exi)
    name = type(body).__name__
    return Seen(message.t, "app", name[0].lower() + name[1:], b"", body, message.port, message.exi)


def sessions(capture: str) -> list[list[Seen]]:
    """The sessions of a capture, each from supportedAppProtocolReq on."""
    found: list[list[Seen]] = []
    for message in map(read, reference.messages(capture)):
        if message.name == HANDSHAKE:
            found.append([])
        if found:
            found[-1].append(message)
    return found


def longest(capture: str) -> list[Seen]:
    """The longest session of a capture."""
    return max(sessions(capture), key=len)


def pairs(session: list[Seen]) -> list[Pair]:
    """Requests that were answered, in order."""
    return [
        Pair(a, b) for a, b in zip(session, session[1:], strict=False) if a.name[-3:] == "Req" and b.name[-3:] == "Res"
    ]


def number(value: Any) -> Any:
    return None if value is None else float(value)


def parameter(body: Any) -> Any:
    return next((found for name in PARAMETERS if (found := getattr(body, name, None)) is not None), None)


def present(body: Any) -> list[str]:
    """Optional elements that are there, those of the AC or DC parameters among them."""
    found = [name for name, kind in optional(body) if getattr(body, name) is not None]
    inner = parameter(body)
    return found if inner is None else found + [n for n, _ in optional(inner) if getattr(inner, n) is not None]


def optional(body: Element) -> list[tuple[str, str]]:
    declared = [
        (name, str(kind))
        for base in reversed(type(body).__mro__)
        for name, kind in vars(base).get("__annotations__", {}).items()
    ]
    return [(name, kind) for name, kind in declared if "None" in kind]


def physical(element: Any, into: dict[str, Any], depth: int = 0) -> None:
    """The physical values below an element, the first of each name."""
    for base in type(element).__mro__:
        for name in vars(base).get("__annotations__", {}):
            value = getattr(element, name, None)
            if isinstance(value, PhysicalValueArithmetic):
                into.setdefault(name, value)
            elif isinstance(value, Element) and depth < 4:
                physical(value, into, depth + 1)


def median(values: list[float]) -> float:
    return round(statistics.median(values), 3)


def form(messages: list[Seen]) -> dict[str, Any]:
    """How a side writes: optional elements, powers of ten, missing units."""
    sent: dict[str, list[str]] = {}
    values: dict[str, Any] = {}
    for message in messages:
        if message.generation == "app":
            continue
        known = sent.setdefault(message.name, [])
        known += [name for name in present(message.body) if name not in known]
        physical(message.body, values)
    return {
        "sent": {name: fields for name, fields in sent.items() if fields},
        "multipliers": {name: value.Multiplier for name, value in sorted(values.items())},
        "unitless": sorted(name for name, value in values.items() if value.Unit is None),
    }


def counted(messages: list[Seen]) -> dict[str, int]:
    rounds: dict[str, int] = {}
    for message in messages:
        if message.name != HANDSHAKE:
            rounds[message.name] = rounds.get(message.name, 0) + 1
    return rounds


def offers(session: list[Seen]) -> list[dict[str, Any]]:
    """The entries of supportedAppProtocolReq."""
    return [
        {
            "namespace": entry.ProtocolNamespace,
            "major": entry.VersionNumberMajor,
            "minor": entry.VersionNumberMinor,
            "schema_id": entry.SchemaID,
            "priority": entry.Priority,
        }
        for entry in session[0].body.AppProtocol
    ]


def vehicle(capture: str) -> dict[str, Any]:
    """The section of a vehicle profile, without what is absent."""
    session = longest(capture)
    requests = [message for message in session if message.name.endswith("Req")]
    setup = next(message for message in requests if message.name == "SessionSetupReq")
    facts: dict[str, Any] = {"capture": capture, "session_id": setup.session_id.hex(), "last": requests[-1].name}
    facts |= form(requests) | {"rounds": counted(requests), "think_s": thinking(pairs(session))}
    asked = next((message.body for message in requests if message.name == "ChargeParameterDiscoveryReq"), None)
    if asked is not None:
        facts |= parameters(asked)
    if not any(message.name == "ChargingStatusReq" for message in requests) and "soc_percent" in facts:
        facts |= demands(requests) | statuses(requests)
    elif "unitless" in facts:
        del facts["unitless"]
    return {key: value for key, value in facts.items() if value not in (None, [], {}) and value is not False}


def thinking(answered: list[Pair]) -> dict[str, float]:
    times: dict[str, list[float]] = defaultdict(list)
    for before, after in zip(answered, answered[1:], strict=False):
        if before.request.name == after.request.name:
            times[before.request.name].append(after.request.t - before.response.t)
    return {name: median(values) for name, values in times.items()}


def parameters(asked: Any) -> dict[str, Any]:
    """What ChargeParameterDiscoveryReq says."""
    told = asked.EVChargeParameter
    transfer = getattr(asked, "EVRequestedEnergyTransferType", None)
    facts = {
        "transfer": (asked.RequestedEnergyTransferMode if transfer is None else transfer).name,
        "max_schedule_entries": getattr(asked, "MaxEntriesSAScheduleTuple", None),
        "departure_s": getattr(told, "DepartureTime", None),
    }
    if not hasattr(told, "DC_EVStatus"):
        ac = {"e_amount_wh": told.EAmount, "max_voltage": told.EVMaxVoltage, "max_current": told.EVMaxCurrent,
              "min_current": told.EVMinCurrent}  # fmt: skip
        return facts | {key: number(value) for key, value in ac.items()}
    return facts | {
        "soc_percent": told.DC_EVStatus.EVRESSSOC,
        "max_voltage": number(told.EVMaximumVoltageLimit),
        "max_current": number(told.EVMaximumCurrentLimit),
        "max_power": number(told.EVMaximumPowerLimit),
        "capacity_wh": number(told.EVEnergyCapacity),
        "energy_request_wh": number(told.EVEnergyRequest),
        "full_soc": told.FullSOC,
        "bulk_soc": told.BulkSOC,
    }


def demands(requests: list[Seen]) -> dict[str, Any]:
    """What is asked of the outlet."""
    facts: dict[str, Any] = {}
    for message in requests:
        if message.name == "PreChargeReq" and "precharge_voltage" not in facts:
            facts["precharge_voltage"] = number(message.body.EVTargetVoltage)
            facts["precharge_current"] = number(message.body.EVTargetCurrent)
    loop = [message.body for message in requests if message.name == "CurrentDemandReq"]
    if loop:
        facts["first_current"] = number(loop[0].EVTargetCurrent)
        facts["target_current"] = max(float(body.EVTargetCurrent) for body in loop)
        facts["target_voltage"] = max(float(body.EVTargetVoltage) for body in loop)
        facts["soc_end_percent"] = loop[-1].DC_EVStatus.EVRESSSOC
    return facts


def statuses(requests: list[Seen]) -> dict[str, Any]:
    """What DC_EVStatus says: ready by request, errors, whether the conditioning flags are there."""
    ready: dict[str, bool] = {}
    errors: list[str] = []
    conditioning = False
    for message in requests:
        holder = message.body if hasattr(message.body, "DC_EVStatus") else parameter(message.body)
        status = getattr(holder, "DC_EVStatus", None)
        if status is None:
            continue
        name = message.name
        if name == "PowerDeliveryReq":
            progress = getattr(message.body, "ChargeProgress", None)
            on = message.body.ReadyToChargeState if progress is None else progress.name == "Start"
            name += " start" if on else " stop"
        ready.setdefault(name, status.EVReady)
        if status.EVErrorCode.value and status.EVErrorCode.name not in errors:
            errors.append(status.EVErrorCode.name)
        conditioning = conditioning or getattr(status, "EVCabinConditioning", None) is not None
    return {"ready": ready, "errors": errors, "conditioning": conditioning}


def charger(capture: str) -> dict[str, Any]:
    """The section of a charger profile, without what is absent."""
    answered = pairs(longest(capture))
    by_request: dict[str, list[Pair]] = defaultdict(list)
    for pair in answered:
        by_request[pair.request.name].append(pair)
    latency = {name: [p.response.t - p.request.t for p in found] for name, found in by_request.items()}
    responses = [pair.response for pair in answered]
    facts: dict[str, Any] = {
        "capture": capture,
        "latency_s": {name: median(values) for name, values in latency.items()},
        "slowest_s": {name: round(max(values), 3) for name, values in latency.items()},
        "codes": codes(responses),
        "status": evse_statuses(responses),
        **phases(by_request),
        **form(responses),
    }
    if "SessionSetupReq" in by_request:
        response = by_request["SessionSetupReq"][0].response
        body = response.body
        stamp = body.DateTimeNow if response.generation == "din" else body.EVSETimeStamp
        identity = body.EVSEID.hex() if isinstance(body.EVSEID, bytes) else body.EVSEID
        facts |= {"session_id": response.session_id.hex(), "evse_id": identity, "time": stamp is not None}
    if "ServiceDiscoveryReq" in by_request:
        facts |= services(by_request["ServiceDiscoveryReq"][0].response)
    if "ChargeParameterDiscoveryReq" in by_request:
        facts |= offered([pair.response.body for pair in by_request["ChargeParameterDiscoveryReq"]])
    facts["precharge_voltages"] = [number(p.response.body.EVSEPresentVoltage) for p in by_request["PreChargeReq"]][:8]
    currents = [float(p.response.body.EVSEPresentCurrent) for p in by_request["CurrentDemandReq"]]
    facts["given_current"] = max(currents, default=None)
    defaults = {"free": False, "service_id": 1, "payment": ["ExternalPayment"], "time": False}
    return {
        key: value
        for key, value in facts.items()
        if value not in (None, [], {}) and not (key in defaults and defaults[key] == value)
    }


def codes(responses: list[Seen]) -> dict[str, list[str]]:
    """ResponseCode other than OK, by response."""
    found: dict[str, list[str]] = {}
    for message in responses:
        code = message.body.ResponseCode.name
        if code != "OK" and message.generation != "app" and code not in found.setdefault(message.name, []):
            found[message.name].append(code)
    return {name: seen for name, seen in found.items() if seen}


def evse_statuses(responses: list[Seen]) -> dict[str, list[str]]:
    """Status code, isolation and notification by response, in order of appearance."""
    found: dict[str, list[str]] = {}
    for message in responses:
        holders = (message.body, parameter(message.body))
        status = next((s for holder in holders for n in STATUSES if (s := getattr(holder, n, None)) is not None), None)
        if status is None:
            continue
        if hasattr(status, "EVSEStatusCode"):
            isolation = status.EVSEIsolationStatus
            text = f"{status.EVSEStatusCode.name}/{'-' if isolation is None else isolation.name}"
        else:
            text = "RCD" if status.RCD else "no RCD"
        if status.EVSENotification.value:
            text += f"/{status.EVSENotification.name} in {status.NotificationMaxDelay} s"
        if text not in found.setdefault(message.name, []):
            found[message.name].append(text)
    return found


PHASES = {
    "authorisation": ("ContractAuthenticationReq", "AuthorizationReq"),
    "parameters": ("ChargeParameterDiscoveryReq",),
    "cable_check": ("CableCheckReq",),
}


def phases(by_request: dict[str, list[Pair]]) -> dict[str, Any]:
    """How long each phase took and how many rounds: to Finished, and of the pre-charge to its last answer."""
    takes: dict[str, float] = {}
    rounds: dict[str, int] = {}
    for phase, requests in PHASES.items():
        found = [pair for request in requests for pair in by_request.get(request, [])]
        ends = [pair for pair in found if pair.response.body.EVSEProcessing.name == "Finished"]
        if ends:
            takes[phase] = round(ends[0].response.t - found[0].request.t, 3)
        if found:
            rounds[phase] = len(found)
    if found := by_request.get("PreChargeReq", []):
        takes["precharge"] = round(found[-1].response.t - found[0].request.t, 3)
        rounds["precharge"] = len(found)
    return {"takes_s": takes, "rounds": rounds}


def services(response: Seen) -> dict[str, Any]:
    """ServiceDiscoveryRes."""
    service = response.body.ChargeService
    if response.generation == "din":
        tag, modes, payment = service.ServiceTag, [service.EnergyTransferType], response.body.PaymentOptions
    else:
        tag, modes = service, service.SupportedEnergyTransferMode.EnergyTransferMode
        payment = response.body.PaymentOptionList
    return {
        "service_id": tag.ServiceID,
        "service_name": tag.ServiceName,
        "free": service.FreeService,
        "payment": [option.name for option in payment.PaymentOption],
        "transfer": [mode.name for mode in modes],
    }


def offered(responses: list[Any]) -> dict[str, Any]:
    """What the last ChargeParameterDiscoveryRes offers."""
    told = responses[-1].EVSEChargeParameter
    facts: dict[str, Any] = {}
    if hasattr(told, "EVSEMaximumVoltageLimit"):
        facts |= {
            "max_voltage": number(told.EVSEMaximumVoltageLimit),
            "max_current": number(told.EVSEMaximumCurrentLimit),
            "max_power": number(told.EVSEMaximumPowerLimit),
            "min_voltage": number(told.EVSEMinimumVoltageLimit),
            "min_current": number(told.EVSEMinimumCurrentLimit),
            "ripple": number(told.EVSEPeakCurrentRipple),
            "tolerance": number(told.EVSECurrentRegulationTolerance),
            "energy_wh": number(told.EVSEEnergyToBeDelivered),
        }
    else:
        facts |= {"nominal_voltage": number(told.EVSENominalVoltage), "max_current": number(told.EVSEMaxCurrent)}
    tuples = getattr(responses[-1].SASchedules, "SAScheduleTuple", None)
    if not tuples:
        return facts
    entries = tuples[0].PMaxSchedule.PMaxScheduleEntry
    waiting = [body for body in responses if body.EVSEProcessing.name != "Finished"]
    schedule = {
        "tuple_id": tuples[0].SAScheduleTupleID,
        "pmax": [number(entry.PMax) for entry in entries],
        "duration": [
            entry.TimeInterval.duration if entry.TimeInterval.duration is not None else "" for entry in entries
        ],
        "pmax_id": getattr(tuples[0].PMaxSchedule, "PMaxScheduleID", None),
        "tuples": len(tuples),
        "tariff": getattr(tuples[0], "SalesTariff", None) is not None,
        "while_ongoing": (waiting[0].SASchedules is not None) if waiting else None,
    }
    defaults = {"tuples": 1, "tariff": False}
    facts["schedule"] = {
        k: v for k, v in schedule.items() if v is not None and not (k in defaults and defaults[k] == v)
    }
    return facts
