"""The times and counts of SECC discovery."""

RESPONSE_TIMEOUT_S = 0.25
"""A vehicle waits this long for each answer [V2G2-159]."""

MAX_REQUESTS = 50
"""Consecutive requests before discovery has failed [V2G2-161]: 12.5 s."""
