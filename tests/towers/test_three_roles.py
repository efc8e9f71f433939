"""Vehicle, charger and listener as three processes on three cables of one emulated powerline."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cables import Cables, rights, until

HERE = Path(__file__).parent
ROLES = ("--role", "m-ev=pev", "--role", "m-se=evse", "--role", "m-li=pev", "--kind", "m-se=qca7005")

pytestmark = [
    pytest.mark.skipif((reason := rights()) is not None, reason=reason or ""),
    pytest.mark.timeout(60),
]


@pytest.fixture
def cables(tmp_path: Path) -> Iterator[Cables]:
    built = Cables(tmp_path, "ev", "se", "li")
    try:
        built.up("--fast", *ROLES)
        yield built
    finally:
        built.down()


def test_a_listener_hears_the_chargers_half_and_joins(cables: Cables) -> None:
    listener = cables.start("li", "listen", "li0", "--join", "--json")
    until(listener, "MAC-QCA7420")
    charger = cables.start("se", "evse", HERE / "evse.toml", "--interface", "se0", "--once")
    until(charger, "[CHECKPOINT300]")
    time.sleep(0.3)  # its modem restarts with the fresh key
    vehicle = cables.start("ev", "ev", HERE / "ev.toml", "--interface", "ev0")
    chosen = until(vehicle, "lowest attenuation")
    assert "potentially found" in chosen
    until(vehicle, "[CHECKPOINT303]")
    heard = [json.loads(line) for line in until(listener, "joined the network").splitlines()]
    sightings = [record for record in heard if record["type"] == "sighting"]
    assert [record["what"] for record in sightings] == [
        "a charger answers",
        "a charger reports its attenuation",
        "the charger gives its key",
    ]
    last = sightings[-1]
    assert last["attenuation"] == 10.0 and last["sounds"] == 10 and len(last["nmk"]) == 32 and len(last["nid"]) == 14
    assert last["charger"] in chosen and last["vehicle"] != last["charger"]
    advice = until(listener, "set up as PEV")
    assert "It cannot see CM_SLAC_PARAM.REQ" in advice
    listener.terminate()
    assert listener.wait(10) == 0
