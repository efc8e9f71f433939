"""Sessions with lost segments: 5 % of the TCP data frames dropped behind the handshake."""

from __future__ import annotations

import pytest
import reference
from making import dropped, load, messages_of, session_end

SEEDS = range(1, 9)
DIN = "dsv2gshark/DIN_DC_DS5366_Josev.pcapng"
TLS12 = "dsv2gshark/ISO-2_DC_PnC_TLS_Contract_DS5366_RiseV2G.pcapng"
TLS13 = "dsv2gshark/ISO-20_TLS13_DC_DS5366_Josev.pcapng"
PART = 0.05
FIRST_HALF = {("geynis/V2G_no_TLS.pcap", 76): 75}
"""The one message of these captures that came in two segments."""


@pytest.mark.parametrize("name, messages, wanted", [(DIN, 200, 182), (TLS12, 190, 172), (TLS13, 112, 102)])
def test_what_is_recovered(name: str, messages: int, wanted: int) -> None:
    """As many as the prototype of the reference on average, and each message is one of the whole capture's."""
    items = load(reference.path(f"captures/{name}"))
    whole = messages_of(items)
    assert len(whole) == messages
    first = session_end(items)
    counts = []
    for seed in SEEDS:
        kept, gone = dropped(items, seed, PART, first)
        found = messages_of(kept)
        known = {(m.frame, m.exi) for m in whole}
        assert [(m.frame, m.exi) for m in found] == sorted(
            {(m.frame, m.exi) for m in found} & known, key=lambda k: k[0]
        )
        lost = {m.frame for m in whole} - {m.frame for m in found}
        assert lost == lost & set(gone), seed
        counts.append(len(found))
    assert sum(counts) / len(counts) * messages >= wanted * messages, counts


@pytest.mark.parametrize("name", [DIN, "geynis/V2G_no_TLS.pcap", "everest/Audi_Q4_dc-iso2.dump"])
def test_plain_sessions_lose_only_what_was_dropped(name: str) -> None:
    items = load(reference.path(f"captures/{name}"))
    whole = {m.frame: m.exi for m in messages_of(items)}
    for seed in SEEDS:
        kept, gone = dropped(items, seed, 0.2)
        found = {m.frame: m.exi for m in messages_of(kept)}
        lost = set(whole) - set(found)
        assert all(frame in gone or FIRST_HALF.get((name, frame)) in gone for frame in lost), seed
        assert all(exi == whole[frame] for frame, exi in found.items())
