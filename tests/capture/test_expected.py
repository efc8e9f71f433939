"""Every real capture against what another decoder made of it: each message once, in order, with the same content."""

from __future__ import annotations

from typing import Any

import pytest
import reference

from pyplc.capture.events import Damage, Message
from pyplc.capture.reader import read
from pyplc.exi.xmltext import canonical, to_xml

EXPECTED = sorted((reference.ROOT / "captures" / "expected").rglob("*.jsonl.gz"))
NAMES = [str(file.relative_to(reference.ROOT / "captures" / "expected"))[: -len(".jsonl.gz")] for file in EXPECTED]
CUT = {"BYD_Atto3_2023-04-18T15_30", "BYD_Atto3_2023-04-18T15_31", "BYD_Atto3_2023-04-18T15_33", "MG_MG4_electric_iso-2-AC",
       "Opel_Ampera-E_2023-01-13-din_spec_70121_session_ampera_dc_din_3", "VW_id.3_iso_15118-2_DC_2023-04-14T12_44"}  # fmt: skip


def comparable(node: Any) -> Any:
    """The other decoder writes serial numbers of certificates as 0x10."""
    tag, attributes, text, children = node
    if tag.endswith("SerialNumber") and text.startswith("0x"):
        text = str(int(text, 16))
    return tag, attributes, text, [comparable(child) for child in children]


@pytest.mark.parametrize("name", NAMES or [pytest.param("", marks=pytest.mark.skip("no reference captures"))])
def test_messages_are_the_expected_ones(name: str) -> None:
    wanted = reference.expected(name)
    found = list(read(reference.path(f"captures/{name}")))
    messages = [event for event in found if isinstance(event, Message)]
    assert [(m.frame, m.name, m.exi.hex()) for m in messages] == [(w["frame"], w["message"], w["exi"]) for w in wanted]
    for message, row in zip(messages, wanted, strict=True):
        assert row["schema"] in (message.protocol, f"Automatically detected ({message.protocol})")
        assert message.guessed or not row["schema"].startswith("Automatically")
        assert (message.source.hex(":"), message.sender.address, message.sender.port) == (
            row["mac"], row["ip"], row["port"],
        )  # fmt: skip
        assert abs(message.time - float(row["time"])) < 1e-6
        assert comparable(canonical(to_xml(message.value))) == comparable(canonical(row["xml"])), message.frame
    sides = {m.side for m in messages if m.name.endswith("Req")}, {m.side for m in messages if m.name.endswith("Res")}
    assert sides[0] <= {"ev"}
    assert sides[1] <= {"evse"}
    damaged = [event for event in found if isinstance(event, Damage)]
    assert len(damaged) == sum(name.rpartition("/")[2].startswith(start) for start in CUT)
