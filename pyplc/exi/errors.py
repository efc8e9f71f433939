"""The codec's own errors: nothing else leaves it, whatever bytes or values it is given."""

from __future__ import annotations


class ExiError(ValueError):
    """Bytes that are no message of the schema; `bit` is where decoding failed, counted from 0."""

    def __init__(self, reason: str, bit: int | None = None) -> None:
        super().__init__(reason if bit is None else f"bit {bit}: {reason}")
        self.reason = reason
        self.bit = bit


class ExiValueError(ExiError):
    """A value that the schema cannot carry; the text names the element."""
