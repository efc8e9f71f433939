"""Simple values as XML and JSON write them, and back."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from .declare import Binary, Boolean, Enumerated, Simple, Text
from .errors import ExiValueError


def write(kind: Simple, value: Any) -> str:
    """The text of a value; a number of an enumeration that the schema does not know stays a number."""
    match kind:
        case Boolean():
            return "true" if value else "false"
        case Enumerated():
            return str(kind.kind(value).text) if 0 <= value < len(kind.kind) else str(int(value))
        case Binary():
            return base64.b64encode(value).decode() if kind.base64 else bytes(value).hex().upper()
    return str(value)


def read(kind: Simple, text: str, name: str) -> Any:
    """The value of a text; ExiValueError if it is none."""
    try:
        match kind:
            case Text():
                return text
            case Boolean():
                return {"true": True, "1": True, "false": False, "0": False}[text.strip()]
            case Enumerated():
                text = text.strip()
                return int(text) if text.isdecimal() and not _known(kind, text) else kind.kind.of(text)
            case Binary():
                return base64.b64decode(text) if kind.base64 else bytes.fromhex(text)
        return int(text)
    except (ValueError, KeyError, binascii.Error):
        raise ExiValueError(f"{name} cannot be {text!r:.80}") from None


def _known(kind: Enumerated, text: str) -> bool:
    return any(member.text == text for member in kind.kind)
