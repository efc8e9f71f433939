"""Every time-out of a DIN 70121 session, by name, in seconds, with its requirement or origin.

Two tables of the same names: `CONFORMANCE` has the figures of DIN SPEC 70121:2014, `FIELD` (default) is patient where
real chargers and cars were seen to need it.
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

_TABLE_75 = "DIN 70121 Table 75"
_TABLE_77 = "DIN 70121 Table 77"

CONFORMANCE = Timing(
    VehicleTiming(
        message=MessageTimes(
            default=Timer("V2G_EVCC_Msg_Timeout", 2, _TABLE_75),
            by_request={"CurrentDemandReq": message_timeout("CurrentDemandReq", 0.25, _TABLE_75)},
        ),
        communication_setup=Timer("V2G_EVCC_CommunicationSetup_Timer", 20, _TABLE_77),
        ongoing=Timer("V2G_EVCC_Ongoing_Timer", 60, "V2G-DC-863"),
        cable_check=Timer("V2G_EVCC_CableCheck_Timer", 40, _TABLE_77),
        precharge=Timer("V2G_EVCC_PreCharge_Timer", 7, _TABLE_77),
        ready_to_charge=Timer("V2G_EVCC_ReadyToCharge_Timer", 150, _TABLE_77),
        sequence_performance=Timer("V2G_EVCC_Sequence_Performance_Time", 40, "V2G2-485"),
        ramp_down=Timer("ramp down before PowerDelivery stop", 2, "IEC 61851-23 CC.3.4"),
        welding=Timer("welding detection by the vehicle", 2, "field: some outlets discharge slowly"),
        power_state=None,
    ),
    ChargerTiming(
        sequence=Timer("V2G_SECC_Sequence_Timer", 60, "V2G-DC-432"),
        communication_setup=Timer("V2G_SECC_CommunicationSetup_Performance_Time", 18, "V2G2-714"),
        ongoing_performance=Timer("V2G_SECC_Ongoing_Performance_Time", 55, "V2G-DC-866"),
        cable_check_performance=Timer("V2G_SECC_CableCheck_Performance_Time", 38, "V2G2-700"),
        power_delivery=Timer("V2G_SECC_PowerDelivery_Timeout", 20, "V2G-DC-969"),
        welding_detection=Timer("V2G_SECC_WeldingDetection_Timeout", 20, "V2G-DC-925"),
        pilot_detection=Timer("V2G_SECC_CPState_Detection_Timeout", 1.5, "V2G-DC-547"),
        oscillator_retain=Timer("V2G_SECC_CPOscillator_Retain_Time", 1.5, "V2G-DC-968"),
        performance=MessageTimes(
            default=Timer("V2G_SECC_Msg_Performance_Time", 1.5, _TABLE_75),
            by_request={"CurrentDemandReq": message_performance("CurrentDemandReq", 0.025, _TABLE_75)},
        ),
        set_point=Timer("set-point supervision", 1, "IEC 61851-23"),
        close=Timer("TCP close after SessionStopRes", 5, "V2G-DC-938"),
        contactor=None,
    ),
)

FIELD = Timing(
    msgspec.structs.replace(
        CONFORMANCE.vehicle,
        message=MessageTimes(
            default=CONFORMANCE.vehicle.message.default,
            by_request={
                "ChargeParameterDiscoveryReq": message_timeout("ChargeParameterDiscoveryReq", 5, "field: Compleo, 1 s"),
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
    ),
    msgspec.structs.replace(
        CONFORMANCE.charger,
        communication_setup=Timer("V2G_SECC_CommunicationSetup_Performance_Time", 60, "field: cars need up to 30 s"),
        ongoing_performance=Timer("V2G_SECC_Ongoing_Performance_Time", 300, "field: people look for their card"),
        cable_check_performance=Timer(
            "V2G_SECC_CableCheck_Performance_Time", 60, "field: a Tesla waited 55 s for an EVerest charger"
        ),
        performance=MessageTimes(
            default=CONFORMANCE.charger.performance.default,
            by_request={"CurrentDemandReq": message_performance("CurrentDemandReq", 0.25, "field: 7 to 87 ms")},
        ),
    ),
)
