"""Times and counts of matching, ISO 15118-3 Annex A, by name; seconds unless the name begins with C_."""

from __future__ import annotations

C_EV_MATCH_MNBC = 10
"""Sounds of one run."""
C_EV_MATCH_RETRY = 2
"""Repetitions of a message that is not answered."""
C_EV_START_ATTEN_CHAR_INDS = 3
C_EV_MATCH_SIGNALATTN_DIRECT = 10.0
"""Mean attenuation in dB below which a charger counts as found; above, as potentially found."""

TP_EV_BATCH_MSG_INTERVAL = 0.03
"""Between announcements and between sounds: 20 to 50 ms."""
TP_EV_MATCH_SESSION = 0.1
"""From ATTEN_CHAR.RSP to MATCH.REQ: at most 500 ms."""
TP_EVSE_AVG_ATTEN_CALC = 0.1
"""From the last sound to ATTEN_CHAR.IND: at most 100 ms."""
TT_EV_ATTEN_RESULTS = 1.2
"""From the first START_ATTEN_CHAR.IND to the last ATTEN_CHAR.IND."""
TT_EVSE_MATCH_MNBC = 0.6
"""From the first START_ATTEN_CHAR.IND until sounding counts as over."""
TT_EVSE_MATCH_SESSION = 10.0
"""From ATTEN_CHAR.RSP to MATCH.REQ."""
TT_MATCH_RESPONSE = 0.2
"""For an answer before the message is repeated."""
TT_MATCH_SEQUENCE = 0.4
"""For the next message of the sequence."""
TT_MATCH_JOIN = 12.0
"""From MATCH.CNF to the link."""
TT_MATCHING_RATE = 0.4
"""Between two attempts."""
TP_LINK_READY_NOTIFICATION = 0.2
"""From the link to telling the layer above: 0.2 to 1 s."""

SET_KEY_RESPONSE = 0.5
"""For CM_SET_KEY.CNF before the request is repeated (field: real modems need 0.5 ms)."""
C_SET_KEY_TRIES = 3
LINK_POLL = 0.25
"""Between two questions to the modem whether the link stands; it never tells by itself."""
EARLY_SOUND_GRACE = 0.045
"""After the window, for profiles that come late."""
