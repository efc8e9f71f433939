"""`pyplc doctor`: what keeps a station from working, and the command that mends it.

Each check is a small function in the table of `examine.py`. It looks at a `Patient` (the settings, the machine) and
yields findings; nothing is changed and nothing is switched on.
"""
