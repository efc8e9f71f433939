"""ISO 15118-20: `common`, `ac`, `dc`, `acdp`, `wpt`, each a schema with `encode` and `decode`, loaded when named."""

from __future__ import annotations

import importlib
from types import ModuleType

SCHEMAS = ("common", "ac", "dc", "acdp", "wpt")


def __getattr__(name: str) -> ModuleType:
    if name in SCHEMAS:
        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
