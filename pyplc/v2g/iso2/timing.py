"""Every time-out of an ISO 15118-2 session, by name, in seconds, with its requirement or origin.

Two tables of the same names: `CONFORMANCE` has the figures of ISO 15118-2:2014, `FIELD` (default) is patient where real
chargers and cars were seen to need it.
"""

from __future__ import annotations

import msgspec

from ..session import Timer
from ..timing import (
    ChargerTiming,
    MessageTimes,
    Timing,
    VehicleTiming,
    message_performance,
    message_timeout,
)

_TABLE_109 = "ISO 15118-2 Table 109"
_TABLE_111 = "ISO 15118-2 Table 111"

CONFORMANCE = Timing(
    VehicleTiming(
        message=MessageTimes(
            default=Timer("V2G_EVCC_Msg_Timeout", 2, _TABLE_109),
            by_request={
                "ServiceDetailReq": message_timeout("ServiceDetailReq", 5, _TABLE_109),
                "PowerDeliveryReq": message_timeout("PowerDeliveryReq", 5, _TABLE_109),
                "CurrentDemandReq": message_timeout("CurrentDemandReq", 0.25, _TABLE_109),
            },
        ),
        communication_setup=Timer("V2G_EVCC_CommunicationSetup_Timer", 20, "V2G2-446, " + _TABLE_111),
        ongoing=Timer("V2G_EVCC_Ongoing_Timer", 60, "V2G2-710"),
        cable_check=Timer("V2G_EVCC_CableCheck_Timer", 40, "V2G2-702"),
        precharge=Timer("V2G_EVCC_PreCharge_Timer", 7, "V2G2-706"),
        ready_to_charge=None,
        sequence_performance=Timer("V2G_EVCC_Sequence_Performance_Time", 40, "V2G2-485"),
        ramp_down=Timer("ramp down before PowerDelivery stop", 2, "IEC 61851-23 CC.3.4"),
        welding=Timer("welding detection by the vehicle", 2, "field: some outlets discharge slowly"),
        power_state=Timer("state C or D after PowerDeliveryReq start", 0.25, "V2G2-847"),
    ),
    ChargerTiming(
        sequence=Timer("V2G_SECC_Sequence_Timer", 60, "V2G2-443"),
        communication_setup=Timer("V2G_SECC_CommunicationSetup_Performance_Time", 18, "V2G2-714"),
        ongoing_performance=Timer("V2G_SECC_Ongoing_Performance_Time", 55, "V2G2-712"),
        cable_check_performance=Timer("V2G_SECC_CableCheck_Performance_Time", 38, "V2G2-700"),
        power_delivery=None,
        welding_detection=None,
        pilot_detection=Timer("V2G_SECC_Msg_Performance_Time, pilot state", 1.5, "V2G2-917, V2G2-920"),
        oscillator_retain=Timer("oscillator off after SessionStopRes", 0, "V2G2-724"),
        performance=MessageTimes(
            default=Timer("V2G_SECC_Msg_Performance_Time", 1.5, _TABLE_109),
            by_request={
                "ServiceDetailReq": message_performance("ServiceDetailReq", 4.5, _TABLE_109),
                "PowerDeliveryReq": message_performance("PowerDeliveryReq", 4.5, _TABLE_109),
                "CurrentDemandReq": message_performance("CurrentDemandReq", 0.025, _TABLE_109),
            },
        ),
        set_point=Timer("set-point supervision", 1, "IEC 61851-23"),
        close=Timer("TCP close after SessionStopRes", 4, "ISO 15118-4: below 5 s"),
        contactor=Timer("contactor closed after PowerDeliveryReq start", 4.5, "V2G2-858, V2G2-862"),
    ),
)

FIELD = Timing(
    msgspec.structs.replace(
        CONFORMANCE.vehicle,
        message=MessageTimes(
            default=CONFORMANCE.vehicle.message.default,
            by_request={
                **CONFORMANCE.vehicle.message.by_request,
                "ChargeParameterDiscoveryReq": message_timeout(
                    "ChargeParameterDiscoveryReq", 5, "field: Compleo above 1 s"
                ),
                "CableCheckReq": message_timeout("CableCheckReq", 30, "field: answers held back"),
                "PreChargeReq": message_timeout("PreChargeReq", 30, "field: answers held back"),
                "PowerDeliveryReq": message_timeout("PowerDeliveryReq", 6, "field: Compleo 0.9 to 1.5 s"),
                "CurrentDemandReq": message_timeout("CurrentDemandReq", 5, "field: proven on public chargers"),
            },
        ),
        communication_setup=Timer("V2G_EVCC_CommunicationSetup_Timer", 60, "field: TCP ports open late"),
        ongoing=Timer("V2G_EVCC_Ongoing_Timer", 300, "field: people look for their card"),
        cable_check=Timer("V2G_EVCC_CableCheck_Timer", 60, "field: Supercharger 31 rounds"),
        precharge=Timer("V2G_EVCC_PreCharge_Timer", 30, "field: pyPLC"),
        power_state=Timer("state C or D after PowerDeliveryReq start", 3, "field: EVerest waits up to 3 s"),
    ),
    msgspec.structs.replace(
        CONFORMANCE.charger,
        communication_setup=Timer("V2G_SECC_CommunicationSetup_Performance_Time", 60, "field: cars need up to 30 s"),
        ongoing_performance=Timer("V2G_SECC_Ongoing_Performance_Time", 300, "field: people look for their card"),
        oscillator_retain=Timer("oscillator off after SessionStopRes", 1.5, "field: as in DIN 70121"),
        performance=MessageTimes(
            default=CONFORMANCE.charger.performance.default,
            by_request={
                **CONFORMANCE.charger.performance.by_request,
                "CurrentDemandReq": message_performance("CurrentDemandReq", 0.25, "field: 7 to 87 ms"),
            },
        ),
    ),
)
