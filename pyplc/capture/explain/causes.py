"""What usually stands behind a broken rule: a table."""

from __future__ import annotations


class Row:
    """Rules, phases (none: any), and the causes with the likeliest first."""

    def __init__(self, rules: tuple[str, ...], phases: tuple[str, ...], *texts: str) -> None:
        self.rules, self.phases, self.texts = rules, phases, texts


CAUSES = (
    Row(
        ("slac-unanswered",),
        (),
        "the charger is not in matching (no state B seen, or it waits for authorisation)",
        "no charger modem on this cable, or its firmware is not for charging stations",
        "the capture is of the wrong side",
    ),
    Row(
        ("slac-run-id",),
        (),
        "the charger invents the RunID, or builds it from the vehicle's MAC, instead of copying the request's",
    ),
    Row(
        ("slac-stuck",),
        (),
        "messages later than the times of ISO 15118-3",
        "the vehicle prefers another charger it hears",
        "RunID or MAC of an answer are not those of the request",
    ),
    Row(
        ("slac-again", "no-network"),
        (),
        "the modems do not come into one network: the key was not taken, or the modem restarts too slowly",
        "the vehicle matched with another charger",
        "supply of a modem drops while it restarts",
    ),
    Row(
        ("sdp-unanswered",),
        (),
        "the charger's SDP server starts too late or listens on another interface",
        "wrong UDP checksum",
        "no link-local IPv6 address on the charger's interface",
        "TLS asked, the charger has none",
    ),
    Row(
        ("tcp-unused", "tcp-refused"),
        (),
        "the charger opens its port a moment after it announced it",
        "the vehicle insists on TLS",
        "TLS handshake failed: certificates or cipher suites",
    ),
    Row(
        ("tls-alert",),
        (),
        "the other side's certificate is of another root, has expired, or the clock of one side is wrong",
        "no cipher suite or TLS version in common",
        "the vehicle wants a certificate chain of a V2G root, the charger has a self-made one",
    ),
    Row(
        ("tls-unread",),
        (),
        "no key log: give one with --keys, or have either side disclose its keys in the capture",
    ),
    Row(
        ("handshake-refused",),
        (),
        "the vehicle offers only protocols the charger does not speak",
        "AC and DC configuration differ",
        "ISO 15118-20 is offered on a connection without TLS 1.3",
    ),
    Row(
        ("response-code",),
        ("cable check",),
        "the charger does not see state C",
        "isolation fault, or isolation monitors of both sides measure at the same time",
        "supply or contactor of the charger failed its self test",
    ),
    Row(
        ("response-code", "charger-status"),
        ("pre-charge",),
        "the vehicle draws current in pre-charge",
        "the charger sees voltage where there should be none",
        "the control pilot left state C",
    ),
    Row(
        ("response-code", "charger-status", "notification"),
        ("charging",),
        "somebody pressed stop, or a limit of time or money was reached",
        "the charger measured a fault: isolation, temperature, current difference",
        "the control pilot left state C",
    ),
    Row(
        ("response-code",),
        (),
        "the charger did not expect the values or the order of this message",
    ),
    Row(
        ("charger-status", "notification"),
        (),
        "the charger ended it: stop button, backend, or a fault of its own; its log knows more",
    ),
    Row(
        ("vehicle-error",),
        (),
        "the vehicle's own supervision: see the code in its message",
    ),
    Row(
        ("unanswered",),
        ("cable check",),
        "the measurement of isolation holds the answer back",
        "the charger's software waits for its power module",
    ),
    Row(
        ("unanswered",),
        (),
        "the charger did not understand the request: values out of range, or out of sequence",
        "the charger closed the session inside and keeps silent",
        "the link broke: look for restarts of a modem",
    ),
    Row(
        ("late",),
        (),
        "the answer is held back by slow hardware behind the protocol",
        "the powerline repeats frames: look at the attenuation",
    ),
    Row(
        ("pause", "silent"),
        (),
        "the vehicle waits for what it did not get: a status, a voltage, a state of the pilot; look at the last answer",
        "the vehicle's software hangs, or it went to sleep",
    ),
    Row(
        ("pilot-fault", "pilot-back", "pilot-silent"),
        (),
        "the connector was pulled, or its button pressed",
        "one side switched off for a fault of its own: its log knows more",
        "the pilot is disturbed: bad contact, no protective earth, a coil in the cable",
    ),
    Row(
        ("voltage-classes", "no-offer"),
        (),
        "a charger for 400 V and a vehicle of 800 V, or the reverse",
        "the charger has no power to give: its limit is set to zero, or its power module is not ready",
    ),
    Row(
        ("session-id",),
        (),
        "the side that answers made up the id, or cut it: it is kept with the length it came with",
    ),
    Row(
        ("loop",),
        ("authorisation",),
        "nobody authorised: no card, no app",
        "the backend is slow",
    ),
    Row(
        ("loop",),
        ("cable check",),
        "the isolation measurement takes longer than the vehicle waits",
    ),
    Row(
        ("loop", "precharge-never", "precharge-not-ready"),
        ("pre-charge",),
        "the charger's voltage does not come to the target: a load on the line, or no pre-charge hardware",
        "the vehicle measures another voltage than is reported",
    ),
    Row(
        ("sequence",),
        (),
        "the peers disagree on what was agreed before: look at the answer before this request",
    ),
    Row(
        ("tcp-lost", ""),
        ("handshake", "session set-up", "authorisation"),
        "the vehicle does not want what is on offer: energy transfer modes (AC, DC) or payment options",
        "its charging is not due yet: a timer is set, or the battery is full",
    ),
    Row(
        ("",),
        ("parameters", "cable check"),
        "the vehicle cannot use the limits the charger told",
        "it saw a fault of its own: lock, isolation, temperature",
        "its charging is not due yet: a timer is set, or the battery is full",
    ),
    Row(
        ("",),
        ("pre-charge", "power on"),
        "the voltage at the inlet is not what the charger reports, or does not fit the battery",
        "the vehicle's contactors do not close",
        "its charging is not due yet: a timer is set",
    ),
    Row(
        ("tcp-lost",),
        (),
        "one side's software crashed or gave up: its log knows more",
        "unplugged",
        "the answer before was one the other could not live with",
    ),
    Row(
        ("isolation",),
        (),
        "isolation really is low: cable, inlet, or water",
        "two isolation monitors at once",
    ),
    Row(
        ("capture-ends", "one-sided"),
        (),
        "the capture was stopped, or does not see everything",
    ),
    Row(
        ("over-voltage", "over-current"),
        (),
        "values of the charger are scaled wrongly",
        "its regulation overshoots",
    ),
)
"""The first row that fits counts."""


def causes(rule: str, phase: str) -> list[str]:
    """Likely causes of a broken rule."""
    for row in CAUSES:
        if rule in row.rules and (not row.phases or phase in row.phases):
            return list(row.texts)
    return []
