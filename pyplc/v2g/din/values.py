"""Between the plain values of `v2g/control.py` and the messages of DIN 70121."""

from __future__ import annotations

from ..values import Values
from . import messages

VALUES = Values(messages)
