"""Every deviation from the letter of the standards, as a named switch with the peer that needs it.

The field profile switches on what real cars and chargers were seen to need, the conformance profile nothing; each can
be set by its name.
"""

from __future__ import annotations

import msgspec


class Deviations(msgspec.Struct, frozen=True, kw_only=True):
    """The switches; the defaults are the field profile."""

    stop_in_loop: bool = True
    """Charger: accept SessionStopReq while power is on; the power is switched off first. Cars that end a session in
    a hurry send it [V2G-DC-462/465 do not list it]."""
    no_pilot_gates: bool = False
    """Charger: do not demand state C or D at CableCheck and state B after PowerDelivery stop [V2G-DC-967, V2G-DC-556,
    V2G2-917, V2G2-920]. For test benches that have no control pilot; never with a real car."""
    short_renegotiation: bool = True
    """Charger, ISO 15118-2 DC: after a renegotiation accept PowerDelivery start without cable check and pre-charge.
    Some vehicle stacks keep the cable live and go straight on [V2G2-582 lists only the long way]."""
    no_charging_profile: bool = True
    """Charger, ISO 15118-2: PowerDelivery start without ChargingProfile counts as the whole PMax. The schema allows
    it; many vehicles leave it out (seen: EcoG's, in DC)."""
    loose_charging_profile: bool = True
    """Charger, ISO 15118-2: a ChargingProfile above PMax is recorded and not refused. Vehicles that compute
    3 x 230 V x 16 A meet chargers that say 11,000 W [V2G2-761]."""
    services_without_tls: bool = False
    """Charger, ISO 15118-2: offer value-added services on plain TCP too [V2G2-422 wants TLS]. For tests of vehicles."""
    receipts_without_contract: bool = False
    """Charger, ISO 15118-2: ask for an unsigned MeteringReceiptReq in sessions without contract [V2G2-691 says no].
    For tests of vehicles."""
    waiting_as_ongoing: bool = False
    """Charger, ISO 15118-2: say Ongoing where Ongoing_WaitingForCustomerInteraction is right [V2G2-854]. For vehicles
    that do not know the third value."""
    plain_setup_ok: bool = True
    """Vehicle: accept OK instead of OK_NewSessionEstablished in SessionSetupRes. ABB answers so."""
    missing_schema_id: bool = True
    """Vehicle: take the only protocol offered when supportedAppProtocolRes names no SchemaID."""
    malfunction_ends: bool = True
    """Vehicle: end the session on EVSE_Malfunction and EVSE_UtilityInterruptEvent. By the letter they inform only
    [V2G-DC-899, V2G2-880]; no car should go on charging at a charger that reports a fault."""
    no_welding_detection: bool = False
    """Vehicle: go from PowerDelivery stop to SessionStop without welding detection. For chargers that answer it with
    FAILED or not at all (seen: ABB, Alpitronic with older software); the Ioniq of 2016 never does it."""
    no_session_stop_answer: bool = True
    """Vehicle: an unanswered or refused SessionStopReq after power is off is recorded, and the session counts as
    orderly. A hanging charger must not lock the user in."""


FIELD = Deviations()
CONFORMANCE = Deviations(
    stop_in_loop=False,
    short_renegotiation=False,
    no_charging_profile=False,
    loose_charging_profile=False,
    plain_setup_ok=False,
    missing_schema_id=False,
    malfunction_ends=False,
    no_session_stop_answer=False,
)
