"""How sessions are held: times, deviations and pace, put together from a profile and what the user sets."""

from __future__ import annotations

from typing import NamedTuple

from . import deviations
from .deviations import Deviations
from .din import timing as din
from .iso2 import timing as iso2
from .negotiate import DIN, ISO2, Protocol
from .timing import Timing


class Pacing(NamedTuple):
    """Vehicle: seconds from one request to the next in each loop; the standard gives no minimum, chargers need one."""

    authentication: float = 0.5
    parameters: float = 0.25
    cable_check: float = 0.25
    precharge: float = 0.1
    charging: float = 0.1
    charging_status: float = 0.5
    welding: float = 0.25


class Rules(NamedTuple):
    """What a session goes by besides its control port."""

    din: Timing = din.FIELD
    iso2: Timing = iso2.FIELD
    deviations: Deviations = deviations.FIELD
    protocols: tuple[Protocol, ...] = (DIN, ISO2)
    """Vehicle: what is offered, the best first. Charger: what is accepted."""
    pacing: Pacing = Pacing()

    def timing(self, protocol: Protocol) -> Timing:
        """The times of a generation."""
        return self.iso2 if protocol is ISO2 else self.din


FIELD = Rules()
CONFORMANCE = Rules(din.CONFORMANCE, iso2.CONFORMANCE, deviations.CONFORMANCE)
PROFILES = {"field": FIELD, "conformance": CONFORMANCE}
