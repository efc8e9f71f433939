"""What a peer's codec cannot read although it is legal, so that a sender can be warned before.

`cbv2g`: EVerest's codec (libcbv2g, April 2025). It cuts lists and strings to fixed sizes and fails at most lists that
are filled to the maximum of their schema. The figures were measured against its decoder.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..exi.declare import Element, Text
from ..exi.walk import attributes, content

PEERS = ("cbv2g",)

SIZES: dict[str, dict[str, int]] = {
    "app": {"AppProtocol": 5},
    "din": {
        "Parameter": 1,
        "Service": 1,
        "Certificate": 1,
        "PaymentOption": 1,
        "SAScheduleTuple": 5,
        "PMaxScheduleEntry": 5,
        "SalesTariffEntry": 5,
        "RootCertificateID": 5,
        "ParameterSet": 5,
        "ProfileEntry": 24,
        "SelectedService": 16,
        "ConsumptionCost": 1,
        "Cost": 1,
    },
    "iso2": {"PMaxScheduleEntry": 12, "SalesTariffEntry": 12, "ParameterSet": 5, "RootCertificateID": 5},
    "iso20_common": {"ParameterSet": 4, "Parameter": 8, "PriceRuleStack": 64, "TaxCosts": 9, "OverstayRule": 4},
}
"""The longest list of an element that it reads, where that is less than its schema allows."""
SIGNATURE_SIZES = {"Reference": 4, "Transform": 1, "Object": 1, "SPKISexp": 1, "KeyName": 1, "XPath": 1}
FULL_IS_FINE = {"PaymentOption", "SAScheduleTuple", "AuthorizationServices"}
"""Lists that it reads at the maximum of their schema; all others must have one item less."""
BROKEN = {"ACDP_DisconnectReq", "ACDP_ConnectRes", "WPT_FinePositioningReq", "WPT_FinePositioningRes"}
BROKEN |= {"WPT_FinePositioningSetupReq", "WPT_FinePositioningSetupRes"}
"""Messages whose event lists are wrong in it: most of them do not interoperate."""
UNBOUNDED_TEXT = 64
"""Characters of a string without a length facet (ids, algorithms, names of issuers)."""


def warnings(message: Element, schema: str, peer: str = "cbv2g") -> list[str]:
    """What the peer's codec cannot read of a message, one sentence each; ValueError for a peer that is not known."""
    if peer not in PEERS:
        raise ValueError(f"{peer!r} is no peer whose limits are known ({', '.join(PEERS)})")
    name = message.tag()
    if name in BROKEN:
        return [f"{name}: cbv2g codes most forms of this message wrongly", *_warnings(message, schema, name)]
    return list(_warnings(message, schema, name))


def _warnings(message: Element, schema: str, path: str) -> Iterator[str]:
    counts: dict[str, tuple[int, int | None]] = {}
    for part in [*attributes(message), *content(message)]:
        here = f"{path}/{part.name}" if part.name else path
        if part.field is not None and part.field.is_list:
            count, _ = counts.get(part.name, (0, None))
            counts[part.name] = count + 1, part.field.high
        if isinstance(part.type, type):
            yield from _warnings(part.value, schema, here)
        elif isinstance(part.type, Text):
            yield from _text(part.type, part.value, here)
    for name, (count, high) in counts.items():
        limit = _limit(schema, name, high)
        if limit is not None and count > limit:
            yield f"{path}/{name}: {count} items, cbv2g reads at most {limit}"


def _text(kind: Text, value: Any, path: str) -> Iterator[str]:
    if not value.isascii():
        yield f"{path}: not ASCII, cbv2g reads nothing else"
    if kind.max_length == 100 and len(value) > 99:
        yield f"{path}: {len(value)} characters, cbv2g reads at most 99"
    if kind.max_length is None and len(value) > UNBOUNDED_TEXT:
        yield f"{path}: {len(value)} characters, cbv2g reads at most {UNBOUNDED_TEXT}"


def _limit(schema: str, name: str, high: int | None) -> int | None:
    known = SIZES.get(schema, {}).get(name, SIGNATURE_SIZES.get(name))
    if known is not None:
        return known
    if high is None or name in FULL_IS_FINE:
        return high
    return high - 1
