"""From a management message to the declared message it holds, by MMTYPE and OUI."""

from __future__ import annotations

from . import messages, vendor
from .layout import Message
from .mme import Mme

NO_OUI = bytes(3)
"""Some modems send VS_ATTEN_CHAR.IND with an OUI of zeros."""

CATALOGUE: dict[tuple[int, bytes], type[Message]] = {
    (kind.TYPE, kind.OUI): kind for kind in (*messages.MESSAGES, *vendor.MESSAGES)
}
CATALOGUE[vendor.VsAttenCharInd.TYPE, NO_OUI] = vendor.VsAttenCharInd


def read(mme: Mme) -> Message | None:
    """The message in a management message; None for a type not declared, or a fragment; MmeError when too short."""
    kind = CATALOGUE.get((mme.type, mme.oui))
    if kind is None or mme.fragment or (kind.ONLY_VERSION and mme.version != kind.VERSION):
        return None
    return kind.read(mme.payload)
