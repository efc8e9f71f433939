"""supportedAppProtocol: who chooses what."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyplc.v2g import handshake
from pyplc.v2g.handshake import AppProtocol, SupportedAppProtocolReq, SupportedAppProtocolRes
from pyplc.v2g.handshake import responseCode as code
from pyplc.v2g.negotiate import DIN, ISO2, Protocol, accepted, choose, offer

TESLA = "urn:tesla:din:2018:MsgDef"
DRAFT = "urn:iso:15118:2:2010:MsgDef"


def entry(namespace: str, priority: int, schema: int, major: int = 2, minor: int = 0) -> AppProtocol:
    return AppProtocol(
        ProtocolNamespace=namespace,
        VersionNumberMajor=major,
        VersionNumberMinor=minor,
        SchemaID=schema,
        Priority=priority,
    )


def request(*entries: AppProtocol) -> SupportedAppProtocolReq:
    return SupportedAppProtocolReq(AppProtocol=list(entries))


BOTH = (DIN, ISO2)


@pytest.mark.parametrize(
    ("entries", "schema", "protocol"),
    [
        ([entry(DIN.namespace, 1, 1), entry(ISO2.namespace, 2, 0)], 1, DIN),
        ([entry(DIN.namespace, 2, 1), entry(ISO2.namespace, 1, 0)], 0, ISO2),
        ([entry(TESLA, 1, 0, 0, 7), entry(DIN.namespace, 2, 1)], 1, DIN),
        ([entry(DRAFT, 1, 1, 1, 0), entry(ISO2.namespace, 2, 2)], 2, ISO2),
        ([entry(ISO2.namespace, 3, 7), entry(DIN.namespace, 3, 8)], 7, ISO2),
        ([entry(DIN.namespace, 1, 1, 3, 0), entry(ISO2.namespace, 2, 2)], 2, ISO2),
    ],
    ids=["Polestar", "schema id 0", "Tesla", "draft of 2010", "first of equals", "another major version"],
)
def test_the_vehicles_priority_decides(entries: list[AppProtocol], schema: int, protocol: Protocol) -> None:
    response, chosen = choose(request(*entries), BOTH)
    assert chosen is protocol
    assert response.SchemaID == schema
    assert response.ResponseCode == code.OK_SuccessfulNegotiation


def test_another_minor_version_is_a_deviation() -> None:
    response, chosen = choose(request(entry(ISO2.namespace, 1, 4, 2, 1)), BOTH)
    assert chosen is ISO2
    assert response.ResponseCode == code.OK_SuccessfulNegotiationWithMinorDeviation


NOTHING = [[entry(TESLA, 1, 0, 0, 7)], [entry(ISO2.namespace, 1, 1, 1)], [entry(DIN.namespace, 1, 1)]]


@pytest.mark.parametrize("entries", NOTHING)
def test_nothing_in_common_is_said_without_a_schema_id(entries: list[AppProtocol]) -> None:
    response, chosen = choose(request(*entries), (ISO2,))
    assert chosen is None
    assert response == SupportedAppProtocolRes(ResponseCode=code.Failed_NoNegotiation)


def test_a_vehicle_takes_what_it_offered_and_nothing_else() -> None:
    asked = offer(BOTH)
    ok = code.OK_SuccessfulNegotiation
    assert [e.Priority for e in asked.AppProtocol] == [1, 2]
    assert accepted(SupportedAppProtocolRes(ResponseCode=ok, SchemaID=2), asked, BOTH) is ISO2
    assert accepted(SupportedAppProtocolRes(ResponseCode=ok, SchemaID=9), asked, BOTH) is None
    assert accepted(SupportedAppProtocolRes(ResponseCode=ok), asked, BOTH) is None
    assert accepted(SupportedAppProtocolRes(ResponseCode=code.Failed_NoNegotiation, SchemaID=1), asked, BOTH) is None


def test_a_missing_schema_id_is_tolerated_where_there_was_no_choice() -> None:
    silent = SupportedAppProtocolRes(ResponseCode=code.OK_SuccessfulNegotiation)
    assert accepted(silent, offer((DIN,)), (DIN,)) is DIN
    assert accepted(silent, offer((DIN,)), (DIN,), missing_schema_id=False) is None


ENTRIES = st.builds(
    entry,
    st.sampled_from([DIN.namespace, ISO2.namespace, TESLA, DRAFT]),
    st.integers(1, 20),
    st.integers(0, 255),
    st.integers(0, 3),
    st.integers(0, 3),
)


@given(st.lists(ENTRIES, min_size=1, max_size=20), st.sampled_from([(DIN,), (ISO2,), BOTH]))
def test_the_choice_is_always_one_of_the_offers(entries: list[AppProtocol], supported: Any) -> None:
    response, chosen = choose(handshake.decode(handshake.encode(request(*entries))), supported)  # type: ignore[arg-type]
    usable = {p.namespace: p for p in supported}
    fitting = [e for e in entries if e.ProtocolNamespace in usable and e.VersionNumberMajor == 2]
    assert (chosen is None) == (not fitting)
    if chosen is not None:
        best = min(e.Priority for e in fitting)
        assert any(e.SchemaID == response.SchemaID and e.Priority == best for e in fitting)
