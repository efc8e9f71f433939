"""What a user may set about matching, and where the defaults are not the standard's."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from .timing import (
    ANNOUNCE_PAUSE,
    C_CONN_MAX_MATCH,
    C_EV_MATCH_SIGNALATTN_INDIRECT,
    C_EVSE_MATCH_PARALLEL,
    TP_EV_BATCH_MSG_INTERVAL_MAX,
    TP_EV_BATCH_MSG_INTERVAL_MIN,
    TP_MATCH_SEQUENCE,
    TT_MATCH_JOIN,
    TT_MATCHING_REPETITION,
)

STATION_ID_LENGTH = 17
Amplitude = Annotated[int, msgspec.Meta(ge=0, le=15)]
Seconds = Annotated[float, msgspec.Meta(ge=0)]


class SlacSettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Matching. Times in s, attenuation in dB."""

    search_s: Seconds = 60.0
    """Vehicle: how long to keep asking before giving up; a charger was met that answered only after 29 s."""
    attempts: Annotated[int, msgspec.Meta(ge=1)] = C_CONN_MAX_MATCH
    """Vehicle: attempts made even when `search_s` is over."""
    run_id: Annotated[str, msgspec.Meta(pattern="^[0-9a-fA-F]{16}$")] | None = None
    """Vehicle: sixteen hex digits; random for each attempt when absent."""
    station_id: Annotated[str, msgspec.Meta(pattern="^([0-9a-fA-F]{2}){1,17}$")] | None = None
    """PEV_ID or EVSE_ID in hex, up to 17 bytes; zeros when absent, as stations send them and some insist on."""
    sound_interval_s: Annotated[
        float, msgspec.Meta(ge=TP_EV_BATCH_MSG_INTERVAL_MIN, le=TP_EV_BATCH_MSG_INTERVAL_MAX)
    ] = 0.03
    """Vehicle: between announcements and between sounds."""
    announce_pause_s: Annotated[float, msgspec.Meta(ge=0, le=TP_MATCH_SEQUENCE)] = ANNOUNCE_PAUSE
    """Vehicle: from the first charger's answer to the first announcement."""
    worst_attenuation: float = 40.0
    """Vehicle: chargers heard more weakly are not considered. Absolute values differ widely between modems."""
    attenuation_offset: float = 0.0
    """Vehicle: taken off each charger's mean before it is compared: the loss of the own inlet and coupling."""
    validate: Literal["never", "unsure", "always"] = "never"
    """Vehicle: toggle the pilot to be recognised: "unsure" when the best charger is not below 10 dB."""
    amp_map: Annotated[tuple[Amplitude, ...], msgspec.Meta(max_length=1155)] = ()
    """Amplitude of each carrier to ask of the other side once the link stands, 0 to 15; none asked when empty."""
    join_s: Seconds = TT_MATCH_JOIN + 2.0
    """For the link after the key was set: one charger's modem needs 7 s, some 14."""
    link_watch: bool = True
    """End the session when the modem says that the link is lost, or does not answer any more."""
    attn_rx: tuple[float, ...] = ()
    """Charger: AttnRx, the receive path's own attenuation, taken off what the modem measures: one value for all
    groups, or one for each of the 58."""
    parallel: Annotated[int, msgspec.Meta(ge=C_EVSE_MATCH_PARALLEL)] = 100
    """Charger: runs held at a time; the oldest goes when there are more."""
    validation: Literal["not_required", "count", "refuse"] = "not_required"
    """Charger: what CM_VALIDATE is answered: go on without, count the toggles, or refuse."""
    wake: bool = False
    """Charger: wake a vehicle that does not ask within 50 s by state F for 4 s, twice at most."""
    invent_attenuation: bool = True
    """Charger: report a plausible profile when the modem measures none."""
    report_unheard: bool = False
    """Charger: report also when no sound was heard at all."""
    any_station_id: bool = True
    """Charger: accept a vehicle whose PEV_ID or EVSE_ID is not zero."""
    repeat_begins_anew: bool = False
    """Charger: a second CM_SLAC_PARAM.REQ begins the run anew even before the announcement."""
    answer_unplugged: bool = False
    """Charger: answer without a vehicle on the pilot, for a bench without one."""
    trust_numbers: bool = True
    """Vehicle: take a charger that asks for other numbers than 10 sounds in 0.6 s, and do as it asks."""

    @property
    def own_id(self) -> bytes:
        """The seventeen bytes of `station_id`."""
        return bytes.fromhex(self.station_id or "").ljust(STATION_ID_LENGTH, b"\0")


DEVIATIONS: dict[str, tuple[Any, str]] = {
    "search_s": (TT_MATCHING_REPETITION, "a charger answered only the twentieth request, after 29 s"),
    "worst_attenuation": (C_EV_MATCH_SIGNALATTN_INDIRECT, "real chargers reported up to 23 dB, and cars accept 40"),
    "join_s": (TT_MATCH_JOIN, "some modems need 14 s to restart and link"),
    "invent_attenuation": (False, "modems with home firmware measure nothing, and cars refuse zeros"),
    "any_station_id": (False, "the ids mean nothing to the match; MACs and run id decide"),
    "repeat_begins_anew": (True, "cars send the request twice within 20 ms; the second must not disturb the first"),
    "validate": ("unsure", "few chargers know CM_VALIDATE: some refuse it, most do not answer"),
    "trust_numbers": (False, "a charger that asks for other numbers can be served all the same"),
}
"""Settings whose default is not what ISO 15118-3 says: the standard's value, and why ours differs."""


def conformant(settings: SlacSettings) -> SlacSettings:
    """The settings with the standard's value wherever the user left a default that deviates."""
    plain = SlacSettings()
    changes = {
        name: standard for name, (standard, _) in DEVIATIONS.items() if getattr(settings, name) == getattr(plain, name)
    }
    return msgspec.structs.replace(settings, **changes)
