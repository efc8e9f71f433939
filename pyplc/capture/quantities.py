"""The values of a message that matter: quantities by the same names in every generation, and a line for people."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from ..exi.declare import Element, Field, Simple, fields
from ..exi.plaintext import write
from ..units import spelled
from ..v2g.handshake import SupportedAppProtocolReq


class Leaf(NamedTuple):
    """One simple value of a message: the element's name, the value (a float where it has a unit), its unit."""

    name: str
    value: Any
    unit: str | None


QUANTITIES = {
    "soc_percent": ("EVRESSSOC", "PresentSOC"),
    "target_voltage": ("EVTargetVoltage",),
    "target_current": ("EVTargetCurrent",),
    "ev_voltage": ("EVPresentVoltage",),
    "evse_voltage": ("EVSEPresentVoltage",),
    "evse_current": ("EVSEPresentCurrent",),
    "ev_power": ("EVPresentActivePower",),
    "evse_power": ("EVSEPresentActivePower",),
    "ev_max_voltage": ("EVMaximumVoltageLimit", "EVMaximumVoltage", "EVMaxVoltage"),
    "ev_max_current": ("EVMaximumCurrentLimit", "EVMaximumChargeCurrent", "EVMaxCurrent"),
    "ev_max_power": ("EVMaximumPowerLimit", "EVMaximumChargePower"),
    "evse_max_voltage": ("EVSEMaximumVoltageLimit", "EVSEMaximumVoltage", "EVSENominalVoltage"),
    "evse_max_current": ("EVSEMaximumCurrentLimit", "EVSEMaximumChargeCurrent", "EVSEMaxCurrent"),
    "evse_max_power": ("EVSEMaximumPowerLimit", "EVSEMaximumChargePower", "EVSETargetActivePower"),
    "meter_wh": ("MeterReading", "ChargedEnergyReadingWh"),
}
"""Quantity to the elements that carry it, in V, A, W, Wh and percent."""
_QUANTITY = {name: quantity for quantity, names in QUANTITIES.items() for name in names}

SHORT = {
    "ResponseCode": "", "EVSEProcessing": "processing", "EVProcessing": "processing",
    "EVTargetVoltage": "target", "EVTargetCurrent": "", "EVSEPresentVoltage": "present", "EVSEPresentCurrent": "",
    "EVPresentVoltage": "EV", "EVRESSSOC": "SoC", "PresentSOC": "SoC", "EVSEIsolationStatus": "isolation",
    "EVMaximumVoltageLimit": "max", "EVMaximumCurrentLimit": "", "EVMaximumPowerLimit": "",
    "EVSEMaximumVoltageLimit": "max", "EVSEMaximumCurrentLimit": "", "EVSEMaximumPowerLimit": "",
    "EVMaximumVoltage": "max", "EVMaximumChargeCurrent": "", "EVMaximumChargePower": "",
    "EVSEMaximumVoltage": "max", "EVSEMaximumChargeCurrent": "", "EVSEMaximumChargePower": "",
    "RemainingTimeToFullSoC": "full in",
}  # fmt: skip
"""Elements that come first in a line, in this order, and what they are called there."""
_RANK = {name: rank for rank, name in enumerate(SHORT)}
USUAL = {
    "NotificationMaxDelay": 0, "EVSENotification": "None", "EVErrorCode": "NO_ERROR", "EVSEStatusCode": "EVSE_Ready",
    "EVReady": True, "BulkChargingComplete": False, "ChargingComplete": False, "EVSECurrentLimitAchieved": False,
    "EVSEVoltageLimitAchieved": False, "EVSEPowerLimitAchieved": False, "EVCabinConditioning": False,
    "EVRESSConditioning": False, "EVSEProcessing": "Finished", "EVProcessing": "Finished", "RCD": False,
    "ReceiptRequired": False, "EVSEIsolationStatus": "Valid", "MeterInfoRequested": False,
}  # fmt: skip
"""Values that nobody wants to read; other values of these elements are told."""
LONGEST = 110


def leaves(message: Any) -> Iterator[Leaf]:
    """The simple values of a message without its header, depth first; of lists the first three entries."""
    for name, field, kind in _fields(type(message)):
        value = getattr(message, name)
        if value is None:
            continue
        items = value[:3] if field.is_list else (value,)
        for item in items:
            if field.kind == "choices":
                item = item[1]
            yield from _leaf(name, field, kind, item)


def _leaf(name: str, field: Field, kind: Any, value: Any) -> Iterator[Leaf]:
    if hasattr(value, "brief"):
        unit = getattr(value, "Unit", None)
        yield Leaf(name, float(value), unit.text if unit is not None and hasattr(unit, "text") else field.unit)
    elif isinstance(value, Element):
        yield from leaves(value)
    elif isinstance(kind, Simple):
        text = type(value) in (int, float, bool, str)
        yield Leaf(name, value if text else write(kind, value), field.unit)


@cache
def _fields(cls: type[Element]) -> tuple[tuple[str, Field, Any], ...]:
    return tuple((f.name, f, f.type) for f in fields(cls) if f.name not in ("Header", "Signature") and f.kind != "any")


def quantities(body: Any) -> dict[str, float]:
    """The quantities in a message (`Message.body`), by the names of `QUANTITIES`."""
    found: dict[str, float] = {}
    for name, value, _ in leaves(body):
        quantity = _QUANTITY.get(name)
        if quantity is not None and isinstance(value, (int, float)):
            found.setdefault(quantity, float(value))
    return found


def brief(body: Any) -> str:
    """What a message says in one line: its code, what is not as usual, and its values with units."""
    if isinstance(body, SupportedAppProtocolReq):
        offers = sorted(body.AppProtocol, key=lambda offer: offer.Priority)
        return ", ".join(f"{offer.ProtocolNamespace} (id {offer.SchemaID})" for offer in offers)
    told = [leaf for leaf in leaves(body) if USUAL.get(leaf.name, _RANK) != leaf.value]
    told.sort(key=lambda leaf: _RANK.get(leaf.name, len(_RANK)))
    line = ""
    for name, value, unit in told:
        label = SHORT.get(name, name)
        text = spelled(value, unit) if isinstance(value, float) else f"{value} {unit}" if unit else str(value)
        part = f"{label} {text}" if label else text
        if line and len(line) + len(part) > LONGEST:
            return f"{line} ..."
        line = f"{line}  {part}" if line and label else f"{line} {part}" if line else part
    return line
