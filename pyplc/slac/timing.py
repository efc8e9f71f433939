"""Times and counts of matching by name, ISO 15118-3 Annex A and table A.1: seconds, dB or counts.

TP is how long one's own step may take, TT how long to wait for the other, T a time in general, C a count. Names without
a prefix of the standard are ours, from field practice. Each is used, and a test asserts it.
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
C_EV_MATCH_SIGNALATTN_INDIRECT = 20.0
"""Mean attenuation in dB above which a charger counts as not found. Real ones are at 8 to 23 dB."""
C_EV_VALD_NB_TOGGLES = 3
"""Toggles of one validation, at most; at least one."""
C_EVSE_MATCH_PARALLEL = 5
"""Runs a charger must be able to hold at a time."""
C_CONN_MAX_MATCH = 3
"""Attempts a vehicle makes at least before it gives up."""
C_SEQU_RETRY = 2
"""Times a charger wakes a vehicle that does not ask."""

TP_MATCH_SEQUENCE = 0.1
"""From CM_SLAC_PARAM.CNF to the first announcement, at most."""
TP_MATCH_RESPONSE = 0.1
"""From a request to its answer, at most."""
TP_EV_SLAC_INIT = 10.0
"""From plugging in to the first CM_SLAC_PARAM.REQ, at most."""
TP_EV_BATCH_MSG_INTERVAL_MIN = 0.02
"""Between announcements and between sounds, at least: a sender that was held up does not send in one burst."""
TP_EV_BATCH_MSG_INTERVAL_MAX = 0.05
"""The same, at most."""
TP_EV_MATCH_SESSION = 0.5
"""From the end of the gathering to CM_VALIDATE.REQ or CM_SLAC_MATCH.REQ, at most."""
TP_EV_VALD_TOGGLE_MIN, TP_EV_VALD_TOGGLE_MAX = 0.6, 3.5
"""How long a vehicle may ask a charger to count toggles."""
TP_EV_VALD_STATE_DURATION = 0.3
"""Each state B or C of a toggle: 200 to 400 ms."""
TP_EVSE_AVG_ATTEN_CALC = 0.1
"""From the end of sounding to CM_ATTEN_CHAR.IND, at most."""
TP_AMP_MAP_EXCHANGE = 0.1
"""From the link to CM_AMP_MAP.REQ, at most."""
TP_LINK_READY_NOTIFICATION = 0.2
"""From the link to telling the storey above: 0.2 to 1 s."""
TP_MATCH_LEAVE = 1.0
"""To leave the network, at most."""

TT_EV_ATTEN_RESULTS = 1.2
"""From the first CM_START_ATTEN_CHAR.IND to the last CM_ATTEN_CHAR.IND."""
TT_EVSE_MATCH_MNBC = 0.6
"""From the first CM_START_ATTEN_CHAR.IND until sounding counts as over."""
TT_EVSE_MATCH_SESSION = 10.0
"""From CM_ATTEN_CHAR.RSP to CM_VALIDATE.REQ or CM_SLAC_MATCH.REQ."""
TT_EVSE_SLAC_INIT_MIN = 20.0
"""From 5 % in state B to the first CM_SLAC_PARAM.REQ, at least; then AC may go on by the duty cycle alone."""
TT_EVSE_SLAC_INIT = 50.0
"""The same, at most."""
TT_EVSE_VALD_TOGGLE = 3.5
"""The longest a charger counts toggles."""
TT_MATCH_RESPONSE = 0.2
"""For an answer before the message is repeated."""
TT_MATCH_SEQUENCE = 0.4
"""For the next message of the sequence."""
TT_MATCH_JOIN = 12.0
"""From CM_SLAC_MATCH.CNF to the link."""
TT_MATCHING_REPETITION = 10.0
"""In which a failed matching is repeated, at least."""
TT_MATCHING_RATE = 0.4
"""Between two attempts."""
TT_AMP_MAP_EXCHANGE = 0.2
"""For CM_AMP_MAP.CNF."""

T_VALD_DETECT_TIME = 0.2
"""For a charger to begin to see toggles, and to see the last of them."""
T_STEP_EF = 4.0
"""The pilot's state F that wakes a vehicle, at least."""
T_STEP_X1 = 3.0
"""State B without oscillator, between digital communication and a duty cycle, at least."""

ANNOUNCE_PAUSE = 0.02
"""From the first CM_SLAC_PARAM.CNF to the first announcement: other chargers' answers come in meanwhile."""
MODEM_RESPONSE = 0.5
"""For an answer of the own modem before it is asked again (real ones answer in 0.5 ms)."""
C_MODEM_TRIES = 3
"""Requests to the own modem before it counts as absent."""
MODEM_PAUSE = 2.0
"""From the confirmation of a restart until the modem is asked: it still answers for a moment before it goes silent."""
MODEM_BACK = 10.0
"""For a modem that was reset to answer again: real ones need 1 to 3 s, some 8."""
LINK_POLL = 0.1
"""Between two questions to the modem whether the link stands; it never tells by itself."""
LINK_WATCH = 1.0
"""The same while a session runs."""
C_LINK_LOST = 3
"""Answers "no link" running, after which the link counts as lost."""
C_MODEM_LOST = 5
"""Questions running without any answer, after which the modem counts as gone."""
LATE_PROFILE_GRACE = 0.045
"""After the last sound, for profiles that come late; leaves half of TP_EVSE_avg_atten_calc."""
