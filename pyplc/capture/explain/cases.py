"""What usually stands behind a broken rule, and cases that are known from the field: tables with their sources.

Sources: "pyPLC" is the documentation and captures of the project of that name, "issue" its reports or those of the
projects named; "capture" was measured in a recording.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from .findings import Finding
from .story import Story


class Context(NamedTuple):
    """What a case is held against."""

    rule: str
    phase: str
    outcome: str
    by: str
    story: Story
    findings: list[Finding]

    def broken(self, *rules: str) -> bool:
        """Whether any of these rules was broken anywhere in the session."""
        return any(finding.rule in rules for finding in self.findings)


class Case(msgspec.Struct, frozen=True):
    """A known case of the field."""

    text: str
    """What was seen."""
    remedy: str
    """What helped."""
    source: str
    """Where it is from."""


class Known(NamedTuple):
    """When a case is similar: one of these rules broken (the cause, or anywhere), one of these phases, a test."""

    case: Case
    rules: tuple[str, ...]
    phases: tuple[str, ...] = ()
    test: Callable[[Context], bool] | None = None


def _silent_cable_check(context: Context) -> bool:
    """A long silence of the vehicle after the cable check."""
    exchanges = context.story.exchanges
    return any(
        before.pair == "CableCheck" and after.first.time - before.last.time > 20
        for before, after in zip(exchanges, exchanges[1:], strict=False)
    )


def _precharge_rounds(context: Context) -> int:
    return sum(e.pair == "PreCharge" for e in context.story.exchanges)


def _tesla(context: Context) -> bool:
    return any(
        "tesla" in offer.ProtocolNamespace
        for e in context.story.exchanges[:2]
        for offer in getattr(e.first.body, "AppProtocol", [])
    )


def _ten_minutes(context: Context) -> bool:
    loop = [e for e in context.story.exchanges if e.pair == "ChargeLoop"]
    return bool(loop) and 540 < loop[-1].last.time - loop[0].first.time < 660


def _has_code(code: str) -> Callable[[Context], bool]:
    return lambda context: any(code in finding.text for finding in context.findings)


def _nothing_after_parameters(context: Context) -> bool:
    last = context.story.exchanges[-1] if context.story.exchanges else None
    return last is not None and last.pair == "ChargeParameterDiscovery"


KNOWN: tuple[Known, ...] = (
    Known(
        Case(
            "Modem is silent for about 5 s after it took a key: it restarts; SLAC begun again too early never ends.",
            "Wait 10 to 14 s for the link after CM_SLAC_MATCH.CNF before beginning again.",
            "pyPLC; capture: Alpitronic answers GET_KEY 7 s after the match",
        ),
        ("slac-again", "no-network"),
    ),
    Known(
        Case(
            "A car repeats CM_SLAC_PARAM.REQ every 40 s and never goes on: the charger's answer had another RunID.",
            "Copy the RunID of the request into every answer.",
            "pyPLC with a Taycan; capture 2023-05-03",
        ),
        ("slac-stuck", "slac-run-id"),
    ),
    Known(
        Case(
            "Compleo and Supercharger ignore a first CM_START_ATTEN_CHAR later than about 100 ms, or with a timeout "
            "field other than 6; Alpitronic and ABB tolerate 250 ms.",
            "Send the first announcement within 100 ms of CM_SLAC_PARAM.CNF.",
            "pyPLC",
        ),
        ("slac-late-start", "slac-stuck"),
        test=lambda context: context.rule.startswith("slac"),
    ),
    Known(
        Case(
            "AR7420 as the charger's modem reports no groups; attenuation of 0 dB everywhere is refused by an Ioniq.",
            "Use a QCA7005, or report plausible values.",
            "pyPLC; a report on the QCA7005",
        ),
        ("slac-stuck",),
        test=lambda context: context.broken("slac-attenuation"),
    ),
    Known(
        Case(
            "A charger beside this one hears the vehicle too, about 22 dB weaker, and answers.",
            "Gather all answers and take the lowest mean attenuation.",
            "capture: charging park",
        ),
        ("slac-neighbours",),
    ),
    Known(
        Case(
            "Requests with a wrong UDP checksum are dropped by most chargers.",
            "Compute the checksum after the addresses are known.",
            "pyPLC",
        ),
        ("sdp-unanswered",),
    ),
    Known(
        Case(
            "An Audi Q4 asks for TLS 50 times at 250 ms, then without; Model X Plaid and Kia EV3 ask for TLS too.",
            "Answer 'no TLS' at once: the car then goes on.",
            "pyPLC issue 42; capture 2026-02-08",
        ),
        ("sdp-unanswered", "tls-declined"),
        test=lambda context: context.broken("sdp-unanswered") and context.rule in ("sdp-unanswered", "tcp-unused", ""),
    ),
    Known(
        Case(
            "The first connection is refused because the charger opens its port a moment later.",
            "Try again for some seconds.",
            "pyPLC",
        ),
        ("tcp-refused",),
        test=lambda context: context.rule in ("tcp-refused", "tcp-unused"),
    ),
    Known(
        Case(
            "iX3 and MINI close the connection right after the handshake.",
            "Look at who sent the FIN, and at the schema that was chosen.",
            "pyPLC issues 6, 9, 35",
        ),
        ("tcp-lost", "unanswered"),
        ("handshake", "session set-up"),
    ),
    Known(
        Case(
            "Choosing the offer urn:tesla:din:2018 leads to silence.",
            "Choose DIN 70121 although the car gives it less priority.",
            "pyPLC issue 31",
        ),
        ("unanswered", "tcp-lost", "handshake-refused"),
        ("handshake", "session set-up"),
        _tesla,
    ),
    Known(
        Case(
            "After a charger ended a session, a new connection gets no answer to supportedAppProtocolReq "
            "(Alpitronic, Supercharger).",
            "Unplug before the next try: chargers wait for state A.",
            "capture",
        ),
        ("unanswered",),
        ("handshake",),
    ),
    Known(
        Case(
            "ABB answers SessionSetup with plain OK.",
            "Accept it.",
            "pyPLC with ABB",
        ),
        ("setup-code",),
        test=lambda context: context.phase in ("session set-up",),
    ),
    Known(
        Case(
            "A request with a wrong session id is answered FAILED_UnknownSession, with Ongoing for ever by some "
            "chargers.",
            "Keep the id with the length it came with; Supercharger V3 has 4 bytes.",
            "capture",
        ),
        ("response-code", "session-id"),
        test=_has_code("UnknownSession"),
    ),
    Known(
        Case(
            "Chargers answer SequenceError to ChargeParameterDiscovery when the ContractAuthentication loop is "
            "left out.",
            "Send ContractAuthenticationReq until it is Finished, in DIN 70121 too.",
            "pyPLC with Alpitronic",
        ),
        ("response-code", "sequence", "unanswered", "tcp-lost"),
        ("parameters",),
    ),
    Known(
        Case(
            "Some chargers refuse ChargeParameterDiscoveryReq without power limit and energies.",
            "Fill every optional field.",
            "pyPLC",
        ),
        ("response-code", "unanswered", "tcp-lost"),
        ("parameters",),
    ),
    Known(
        Case(
            "BMW iX3 and Togg close the connection after a ChargeParameterDiscoveryRes without SAScheduleList.",
            "Always give one schedule tuple.",
            "pyPLC issue 14",
        ),
        ("tcp-lost", "unanswered"),
        ("parameters",),
        _nothing_after_parameters,
    ),
    Known(
        Case(
            "CableCheckRes Finished with EVSE_NotReady or isolation Invalid: tolerated by Ioniq, Polestar 2, "
            "Model X and "
            "Y; an Audi Q4 stays silent for 59.5 s and then sends PowerDelivery stop.",
            "Report EVSE_Ready and Valid from the finished cable check on.",
            "capture 2026-02-08",
        ),
        ("pause", "unanswered", "tcp-lost", "loop", "cable-check-status", ""),
        ("cable check",),
        lambda context: context.broken("cable-check-status") or _silent_cable_check(context),
    ),
    Known(
        Case(
            "CableCheck FAILED: state C absent, wrong diode or resistor, no PP voltage (Supercharger pulls up to "
            "5 V with "
            "330 Ohm), unsymmetrical contactors, disturbed PWM, isolation monitors of both sides.",
            "Check the pilot at the inlet first.",
            "pyPLC issue 60",
        ),
        ("response-code", "isolation", "charger-status", "unanswered", "tcp-lost"),
        ("cable check",),
    ),
    Known(
        Case(
            "Supercharger stops after 31 rounds of CableCheck; Alpitronic needs 14 s, Compleo 10 s.",
            "A vehicle should wait 60 s.",
            "pyPLC; captures",
        ),
        ("response-code", "charger-status", "tcp-lost", "loop", "unanswered"),
        ("cable check",),
        lambda context: sum(e.pair == "CableCheck" for e in context.story.exchanges) > 25,
    ),
    Known(
        Case(
            "A bulb as load in pre-charge makes Compleo report EmergencyShutdown; Tritium, Ionity and Compleo "
            "overshoot to "
            "400 V for a target of 230 V without any load and then stop.",
            "A small bleed load is right, a heavy one wrong; never close contactors on one sample.",
            "pyPLC; capture 2022-12-13",
        ),
        ("charger-status", "response-code", "precharge-never", "precharge-overshoot"),
        ("pre-charge",),
    ),
    Known(
        Case(
            "PreChargeRes with EVSE_NotReady: a Model Y asks 119 times in 12 s although the voltage fits, then ends.",
            "Report EVSE_Ready in PreChargeRes.",
            "capture 2024-04-20",
        ),
        ("precharge-not-ready", "loop", ""),
        ("pre-charge",),
        lambda context: context.broken("precharge-not-ready"),
    ),
    Known(
        Case(
            "Polestar 2 and others measure the voltage at the inlet and end after about 13 rounds when only the "
            "report "
            "fits; Ioniq and Model X close on the report.",
            "Real pre-charge hardware.",
            "pyPLC issue 24",
        ),
        ("", "loop", "precharge-never", "tcp-lost"),
        ("pre-charge",),
        lambda context: not context.broken("precharge-not-ready") and _precharge_rounds(context) > 5,
    ),
    Known(
        Case(
            "An Ioniq ends after 10 minutes with FAILED_ChargingCurrentdifferential when reported and measured "
            "current "
            "differ.",
            "Report the real current.",
            "captures: four sessions",
        ),
        ("vehicle-error", "not-delivered", "no-current"),
        ("charging",),
        lambda context: _has_code("ChargingCurrentdifferential")(context) or _ten_minutes(context),
    ),
    Known(
        Case(
            "EVSEPresentVoltage 0 V in the charge loop was tolerated by a Model X Plaid, but is wrong.",
            "Report the measured voltage.",
            "pyPLC issue 44",
        ),
        ("zero-voltage",),
    ),
    Known(
        Case(
            "Stop button of a charger: EVSE_Shutdown in CurrentDemandRes while the current still flows; the car sends "
            "PowerDelivery stop 0.25 s later, answered after 0.6 to 1.5 s.",
            "An orderly end; nothing to mend.",
            "capture",
        ),
        ("charger-status", "notification"),
        ("charging",),
    ),
    Known(
        Case(
            "Plugit HUBE S ends when CurrentDemandReq lacks EVMaximumCurrentLimit and EVMaximumVoltageLimit.",
            "Send the optional limits.",
            "ccs32clara issue 59",
        ),
        ("response-code", "tcp-lost", "unanswered"),
        ("charging", "power on"),
        lambda context: any(
            e.pair == "ChargeLoop" and "EVMaximumCurrentLimit" not in e.asked for e in context.story.exchanges
        ),
    ),
    Known(
        Case(
            "PowerDelivery.ReadyToChargeState wrongly coded leads to SequenceError at the first CurrentDemandReq.",
            "It is a boolean in DIN 70121.",
            "pyPLC",
        ),
        ("response-code", "sequence"),
        ("charging", "power on"),
        _has_code("CurrentDemandRes FAILED_SequenceError"),
    ),
    Known(
        Case(
            "The charger checks the pilot after PowerDelivery stop: without state B within 1.5 s of "
            "WeldingDetectionReq or "
            "SessionStopReq it answers FAILED.",
            "Pilot to state B right after PowerDeliveryRes.",
            "pyPLC; ISO 15118-2 V2G2-920",
        ),
        ("response-code",),
        test=lambda context: any(
            f.rule == "response-code" and f.text in ("WeldingDetectionRes FAILED", "SessionStopRes FAILED")
            for f in context.findings
        ),
    ),
    Known(
        Case(
            "ABB does not answer WeldingDetectionReq; Alpitronic answered FAILED while the pilot was still in state C.",
            "Go on with SessionStop; judge by time, not by rounds, and do not lock the user in.",
            "pyPLC; ccs32clara issue 55",
        ),
        ("unanswered", "response-code"),
        test=lambda context: any(
            f.rule in ("unanswered", "response-code") and "Welding" in f.text for f in context.findings
        ),
    ),
    Known(
        Case(
            "Cars look for the charger very soon after the match (Tesla 0.7 s, Polestar 0.5 s), before a slow "
            "charger's server is up.",
            "Start SECC discovery and the TCP port before CM_SLAC_MATCH.CNF is sent.",
            "pyPLC; captures",
        ),
        ("sdp-unanswered", "no-network"),
        test=lambda context: context.rule in ("sdp-unanswered", "tcp-refused"),
    ),
    Known(
        Case(
            "NetworkManager or a DHCP client takes the interface down, or removes its address, while a session begins.",
            "Give the interface a profile of its own with a link-local address only.",
            "pyPLC issue 10",
        ),
        ("sdp-unanswered", "no-network", "tcp-unused"),
        test=lambda context: context.rule in ("sdp-unanswered", "no-network", "tcp-unused"),
    ),
    Known(
        Case(
            "Modem firmware 1.1.0.844 (TL-PA4010 v2.3) drops connections; a TL-PA4010 v6 does not work at all; a "
            "weak supply restarts the modem and looks like a protocol error.",
            "Look at the firmware's version and at the supply: pyplc modem info.",
            "pyPLC issue 37",
        ),
        ("tcp-lost", "no-network", "slac-again"),
        ("charging", "joining the network", "SLAC"),
    ),
    Known(
        Case(
            "After CM_SET_KEY the modem of a Circontrol charger never shows up in the network.",
            "Unsolved.",
            "pyPLC",
        ),
        ("no-network", "slac-again"),
    ),
    Known(
        Case(
            "Some chargers refuse a SessionSetupReq without EVCCID.",
            "Send the MAC of the vehicle.",
            "pyPLC",
        ),
        ("response-code", "tcp-lost", "unanswered"),
        ("session set-up",),
        lambda context: any(e.pair == "SessionSetup" and not e.asked.get("EVCCID") for e in context.story.exchanges),
    ),
    Known(
        Case(
            "Compleo answers PowerDeliveryReq after 0.9 to 1.5 s.",
            "A time-out of 6 s is proven.",
            "pyPLC; captures",
        ),
        ("late", "unanswered", "slow"),
        ("power on", "charging", "power off"),
        lambda context: any(f.rule in ("late", "unanswered") and "PowerDelivery" in f.text for f in context.findings),
    ),
    Known(
        Case(
            "A full car may refuse to talk, or stops at once because its state of charge is too close to the target.",
            "Nothing to mend; try with a battery that is not full.",
            "pyPLC issue 12; capture of a BMW iX",
        ),
        ("tcp-lost", "", "unanswered"),
        ("session set-up", "parameters", "cable check"),
        lambda context: (
            context.by == "ev" and any(float(e.asked.get("EVRESSSOC") or 0) > 70 for e in context.story.exchanges)
        ),
    ),
    Known(
        Case(
            "MEB cars (VW, Audi) try port 60918 every one to two seconds for a second service and are reset.",
            "Harmless.",
            "captures",
        ),
        ("tcp-refused",),
        test=lambda context: (
            any(f.rule == "tcp-refused" and "60918" in f.text for f in context.findings)
            and context.outcome != "finished"
        ),
    ),
)
"""Cases of the field."""


def known(context: Context) -> list[Case]:
    """The known cases that are similar: by the rule that ended it, or by a rule broken anywhere that has a test."""
    found = []
    for entry in KNOWN:
        direct = context.rule in entry.rules
        if not direct and not (entry.test is not None and context.broken(*entry.rules)):
            continue
        if entry.phases and context.phase not in entry.phases:
            continue
        if entry.test is None or entry.test(context):
            found.append(entry.case)
    return found
