"""The table of times: each entry is used, and has the standard's value."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pyplc.slac import timing

ROOM = Path(timing.__file__).parent
NAMES = [name for name in vars(timing) if name.isupper()]


@pytest.mark.parametrize("name", NAMES)
def test_each_entry_is_used(name: str) -> None:
    files = [path for path in ROOM.glob("*.py") if path.name != "timing.py"]
    others = (path.read_text() for path in [*files, *(ROOM.parent / "tower").glob("*.py")])
    assert any(re.search(rf"(?<!import )\b{name}\b(?!,$)", text, re.M) for text in others)


def test_the_standards_values() -> None:
    assert timing.C_EV_MATCH_MNBC == 10
    assert timing.C_EV_START_ATTEN_CHAR_INDS == 3
    assert timing.TT_EV_ATTEN_RESULTS == 1.2
    assert timing.TT_EVSE_MATCH_MNBC == 0.6
    assert timing.TT_MATCH_RESPONSE == 0.2
    assert timing.TT_MATCH_JOIN == 12.0
    assert (timing.TP_EV_BATCH_MSG_INTERVAL_MIN, timing.TP_EV_BATCH_MSG_INTERVAL_MAX) == (0.02, 0.05)
    assert timing.LATE_PROFILE_GRACE <= timing.TP_EVSE_AVG_ATTEN_CALC == 0.1
    assert timing.ANNOUNCE_PAUSE <= timing.TP_MATCH_SEQUENCE == 0.1
