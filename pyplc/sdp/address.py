"""Interfaces and their link-local IPv6 addresses, read anew each time: they come and go."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

IF_INET6 = Path("/proc/net/if_inet6")
TENTATIVE = 0x40
DAD_FAILED = 0x08
LINK_LOCAL_SCOPE = "20"


class AddressError(Exception):
    """An interface is missing or has no usable link-local address; the text says which command mends it."""


class LinkLocal(NamedTuple):
    """A link-local address and the index of its interface."""

    address: str
    scope: int


def link_local(interface: str) -> LinkLocal:
    """The link-local address of `interface`; raises AddressError with the mending command."""
    try:
        scope = socket.if_nametoindex(interface)
    except OSError:
        present = ", ".join(name for _, name in socket.if_nameindex())
        raise AddressError(f"there is no interface {interface!r}; there are: {present}") from None
    tentative = False
    for line in IF_INET6.read_text().splitlines() if IF_INET6.exists() else []:
        address, index, _, kind, flags, name = line.split()
        if name != interface or kind != LINK_LOCAL_SCOPE or int(index, 16) != scope:
            continue
        if int(flags, 16) & (TENTATIVE | DAD_FAILED):
            tentative = True
            continue
        return LinkLocal(socket.inet_ntop(socket.AF_INET6, bytes.fromhex(address)), scope)
    if tentative:
        raise AddressError(f"the link-local address of {interface} is still being checked for duplicates; wait 2 s")
    raise AddressError(
        f"interface {interface} has no IPv6 link-local address; "
        f"sudo sysctl -w net.ipv6.conf.{interface}.disable_ipv6=0 and sudo ip link set {interface} up give it one"
    )


async def wait_link_local(interface: str, seconds: float, waiting: Callable[[str], None]) -> LinkLocal:
    """The link-local address as soon as there is one; AddressError after `seconds`. `waiting` is told once, and why."""
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    told = False
    while True:
        try:
            return link_local(interface)
        except AddressError as error:
            if loop.time() >= until:
                raise
            if not told:
                waiting(str(error))
                told = True
        await asyncio.sleep(0.1)  # the kernel tells of addresses by netlink only; this happens once a start
