"""Storey 1: raw Ethernet frames. `open_link` chooses the driver; each is loaded only when named."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from .ports import HOMEPLUG, Link, LinkError

DRIVERS = ("auto", "packet", "pcap")


def has_carrier(interface: str) -> bool | None:
    """Whether something answers at the other end of an interface's cable; None where the system does not tell."""
    try:
        with open(f"/sys/class/net/{interface}/carrier") as told:
            return told.read().strip() == "1"
    except OSError:
        return None


def open_link(
    interface: str,
    driver: str = "auto",
    ethertypes: Iterable[int] = (HOMEPLUG,),
    *,
    own: bool = False,
    promiscuous: bool = False,
) -> Link:
    """A link on `interface`; "auto" is AF_PACKET on Linux and libpcap elsewhere.

    `own` shows frames this host sends too; an empty `ethertypes` takes all. Raises LinkError.
    """
    if driver not in DRIVERS:
        raise LinkError(f"there is no driver {driver!r}; there are: {', '.join(DRIVERS)}")
    if driver == "pcap" or (driver == "auto" and not sys.platform.startswith("linux")):
        from .pcap import open_pcap

        return open_pcap(interface, ethertypes, own=own, promiscuous=promiscuous)
    from .packet import open_packet

    return open_packet(interface, ethertypes, own=own, promiscuous=promiscuous)
