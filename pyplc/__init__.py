"""A full-stack CCS charging station: a vehicle, a charger, or a listener on a charging cable."""

__version__ = "0.1.0"
