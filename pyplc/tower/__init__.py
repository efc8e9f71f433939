"""A station: its storeys put together, each run as a task, and one way down when any of them ends.

    vehicle:  plugged, 5 % - modem - SLAC - SECC discovery - connection - session - leave
    charger:  key to the modem - plugged: 5 % - SLAC, discovery and port open - connection - session - oscillator off

A paused session keeps the link: the charger switches its oscillator off, the vehicle wakes it, and discovery,
connection and session come again. AC charges by the pilot's duty cycle alone where there is no communication.

Whatever ends a session (its own end, an error, a cancelled or crashed task, a lost link), the station's shutdown runs,
then the summary is recorded. A defect in a task is reported as one, never swallowed.
"""

from .charger import ChargerStation
from .held import Common, alongside, judge
from .vehicle import VehicleStation

__all__ = ["ChargerStation", "Common", "VehicleStation", "alongside", "judge"]
