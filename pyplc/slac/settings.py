"""What a user may set about matching."""

from __future__ import annotations

import msgspec

from .timing import TT_MATCH_JOIN


class SlacSettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Matching: `search_s` is how long a vehicle keeps asking before it gives up (field: 29 s were needed once)."""

    search_s: float = 60.0
    run_id: str | None = None
    """Sixteen hex digits; random when absent."""
    worst_attenuation: float = 40.0
    """dB; chargers heard more weakly are not considered. Absolute values differ widely between modems."""
    join_s: float = TT_MATCH_JOIN + 2.0
    """For the link after the key was set: the standard says 12 s, one charger's modem needs 7, some 14."""
