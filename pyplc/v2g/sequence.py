"""What the sequence tables of all generations share: outcomes, and the shape of a table."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any


class Outcome(enum.Enum):
    """What a handler says happened."""

    OK = "OK"
    ONGOING = "Ongoing"
    FINISHED = "Finished"
    START = "start"
    STOP = "stop"
    RENEGOTIATE = "renegotiate"
    RECEIPT = "receipt required"
    PAUSE = "pause"


Row = Mapping[type, Mapping[Outcome, enum.Enum]]
"""Request -> outcome -> next state."""
Table = Mapping[Any, Row]
"""State -> row: what may come, and where it leads. What is not in it is a sequence error."""
