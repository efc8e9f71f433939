"""Faults as data: files that say where, what and which reaction is right, run on whole towers in virtual time."""
