"""Times and counts of matching by name, ISO 15118-3 Annex A and table A.1: seconds, dB or counts.

TP is how long one's own step may take, TT how long to wait for the other, C a count. Names without a prefix of the
standard are ours, from field practice. Each is used, and a test asserts it.
"""

from __future__ import annotations

C_EV_MATCH_MNBC = 10
"""Sounds of one run."""
C_EV_MATCH_RETRY = 2
"""Repetitions of a message that is not answered, both sides."""
C_EV_START_ATTEN_CHAR_INDS = 3
"""Announcements of one run."""
C_EV_MATCH_SIGNALATTN_DIRECT = 10.0
"""Mean attenuation in dB below which a charger counts as found; above, as potentially found."""
C_EVSE_MATCH_PARALLEL = 5
"""Runs a charger holds at a time."""

TP_MATCH_SEQUENCE = 0.05
"""From CM_SLAC_PARAM.CNF to the first announcement: at most 100 ms. Other chargers' answers are gathered meanwhile."""
TP_EV_BATCH_MSG_INTERVAL = 0.03
"""Between announcements and between sounds: 20 to 50 ms."""
TP_EV_BATCH_MSG_INTERVAL_MIN = 0.02
"""The same, its lower limit: so a sender that was held up does not send in one burst."""
TP_EV_MATCH_SESSION = 0.1
"""From the end of the gathering to CM_SLAC_MATCH.REQ: at most 500 ms."""
TP_LINK_READY_NOTIFICATION = 0.2
"""From the link to telling the storey above: 0.2 to 1 s."""

TT_EV_ATTEN_RESULTS = 1.2
"""From the first CM_START_ATTEN_CHAR.IND to the last CM_ATTEN_CHAR.IND."""
TT_EVSE_MATCH_MNBC = 0.6
"""From the first CM_START_ATTEN_CHAR.IND until sounding counts as over."""
TT_EVSE_MATCH_SESSION = 10.0
"""From CM_ATTEN_CHAR.RSP to CM_SLAC_MATCH.REQ."""
TT_MATCH_RESPONSE = 0.2
"""For an answer before the message is repeated."""
TT_MATCH_SEQUENCE = 0.4
"""For the next message of the sequence."""
TT_MATCH_JOIN = 12.0
"""From CM_SLAC_MATCH.CNF to the link."""
TT_MATCHING_RATE = 0.4
"""Between two attempts."""

MODEM_RESPONSE = 0.5
"""For an answer of the own modem before it is asked again (real ones answer in 0.5 ms)."""
C_MODEM_TRIES = 3
"""Requests to the own modem before it counts as absent."""
LINK_POLL = 0.1
"""Between two questions to the modem whether the link stands; it never tells by itself."""
LATE_PROFILE_GRACE = 0.045
"""After the last sound, for profiles that come late; leaves half of TP_EVSE_avg_atten_calc (100 ms)."""
