"""Captures that can be shared: every identifier replaced, the same one by the same pseudonym everywhere."""
