"""The interface of the PLC modem: there, up, plain Ethernet, left alone, with an address."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

from ..sdp.address import AddressError, wait_link_local
from .patient import Finding, Patient, failed, good, warning

IFF_UP = 1
ETHERNET = "1"
"""ARPHRD_ETHER in /sys/class/net/<name>/type."""
ADDRESS_S = 3.0
"""For a duplicate check that still runs."""
MANY_DOWNS = 10
"""A modem's restart is one; so many in a row are a cable, a supply or Energy Efficient Ethernet."""
MANY_ERRORS = 0.01
"""Share of the frames received."""
ACTIVATING = ("connecting", "deactivating", "connection failed")
"""States of NetworkManager in which it takes addresses away, or is about to."""
GOOD_IPV4 = ("disabled", "link-local", "manual", "shared")
GOOD_IPV6 = ("link-local", "auto", "manual", "shared", "dhcp")


def _net(p: Patient, file: str) -> str | None:
    return p.machine.read(f"/sys/class/net/{p.interface}/{file}")


async def interface(p: Patient) -> AsyncIterator[Finding]:
    """There, up, with a cable."""
    name = p.interface
    there = p.machine.interfaces()
    if name not in there:
        yield failed(
            f"there is no interface {name!r}; there are: {', '.join(there)}",
            f"`pyplc modem list` says which one has a modem; set network.interface in {p.file}",
        )
        return
    if (flags := _net(p, "flags")) and not int(flags, 16) & IFF_UP:
        yield failed(f"{name} is down", f"sudo ip link set {name} up")
    elif _net(p, "carrier") == "0":
        yield failed(f"{name} has no carrier", "plug the modem's cable in and give the modem power")
    else:
        speed = _net(p, "speed")
        pace = f", {speed} Mbit/s {_net(p, 'duplex')} duplex" if speed and int(speed) > 0 else ""
        yield good(f"{name} is up, MAC {_net(p, 'address') or 'unknown'}{pace}")


async def ethernet(p: Patient) -> AsyncIterator[Finding]:
    """Untagged Ethernet of its own: a modem understands neither VLAN tags nor the frames of a bridge's ports."""
    name, machine = p.interface, p.machine
    folder = f"/sys/class/net/{name}"
    ports = f"set network.interface in {p.file} to"
    master = re.search(r"^INTERFACE=(\S+)$", _net(p, "master/uevent") or "", re.MULTILINE)
    tagged = _tags(machine.read("/proc/net/vlan/config") or "", name)
    if machine.exists(f"/proc/net/vlan/{name}") or "DEVTYPE=vlan" in (_net(p, "uevent") or ""):
        under = name.partition(".")[0]
        yield failed(f"{name} is a VLAN: the modem drops tagged frames", f"{ports} {under}, untagged")
    elif machine.exists(f"{folder}/wireless") or machine.exists(f"{folder}/phy80211"):
        yield failed(f"{name} is a radio", f"{ports} the Ethernet port of the modem")
    elif machine.exists(f"{folder}/master"):
        whose = master[1] if master else "a bridge or bond"
        yield failed(f"{name} is a port of {whose}, which has the addresses", f"sudo ip link set {name} nomaster")
    elif (kind := _net(p, "type")) not in (None, ETHERNET):
        yield failed(f"{name} is no Ethernet (type {kind})", f"{ports} the Ethernet port of the modem")
    elif tagged:
        yield warning(
            f"{name} carries VLANs too ({', '.join(tagged)}): their frames go onto the powerline",
            f"sudo ip link delete {tagged[0]}",
        )
    else:
        yield good("plain Ethernet, no VLAN, no bridge")


async def link(p: Patient) -> AsyncIterator[Finding]:
    """Stays up and carries frames whole."""
    name = p.interface
    downs = int(_net(p, "carrier_changes") or 0) // 2
    packets, errors = (int(_net(p, f"statistics/rx_{what}") or 0) for what in ("packets", "errors"))
    says = f"went down {'once' if downs == 1 else f'{downs} times'}, {errors} of {packets} frames broken since start"
    if downs > MANY_DOWNS:
        yield warning(says, f"another cable, another supply of the modem; sudo ethtool --set-eee {name} eee off")
    elif errors > MANY_ERRORS * max(packets, 1000):
        yield warning(says, "try another cable")
    elif _net(p, "duplex") == "half":
        yield warning(f"{name} runs half duplex", f"sudo ethtool -s {name} autoneg on")
    else:
        yield good(says)


def _tags(config: str, name: str) -> list[str]:
    """The VLANs on top of an interface, from the kernel's table `vlan | id | interface`."""
    rows = [[word.strip() for word in line.split("|")] for line in config.splitlines()]
    return [row[0] for row in rows if len(row) == 3 and row[2] == name]


async def managers(p: Patient) -> AsyncIterator[Finding]:
    """Nobody asks for DHCP on the interface: who gets no answer takes it down or its addresses away in a session."""
    name = p.interface
    if p.machine.exists("/run/dhcpcd/pid") or p.machine.exists("/run/dhcpcd.pid"):
        denied = re.search(rf"^denyinterfaces\b.*\b{re.escape(name)}\b", _dhcpcd(p), re.MULTILINE)
        if not denied:
            yield warning(
                f"dhcpcd runs and may ask for DHCP on {name}",
                f"echo 'denyinterfaces {name}' | sudo tee -a /etc/dhcpcd.conf && sudo systemctl restart dhcpcd",
            )
            return
    status = await p.machine.run("nmcli", "-t", "-f", "DEVICE,STATE,CONNECTION", "device")
    row = next((row for row in map(_fields, (status or "").splitlines()) if row[0] == name), None)
    if row is None:
        yield good("NetworkManager does not run" if status is None else f"NetworkManager does not know {name}")
        return
    _, state, connection = row
    if state == "unmanaged" or not connection:
        yield good(f"NetworkManager leaves {name} alone ({state})")
        return
    async for finding in _connection(p, state, connection):
        yield finding


def _dhcpcd(p: Patient) -> str:
    return p.machine.read("/etc/dhcpcd.conf") or ""


def _fields(line: str) -> list[str]:
    """The fields of nmcli's terse lines: colons in values are escaped."""
    return [part.replace(r"\:", ":") for part in [*re.split(r"(?<!\\):", line), "", ""][:3]]


async def _connection(p: Patient, state: str, connection: str) -> AsyncIterator[Finding]:
    name = p.interface
    said = await p.machine.run("nmcli", "-g", "ipv4.method,ipv6.method", "connection", "show", connection)
    ipv4, ipv6 = [*(said or "").split(), "", ""][:2]
    mend = (
        f'sudo nmcli connection modify "{connection}" ipv4.method disabled ipv6.method link-local && '
        f'sudo nmcli connection up "{connection}"'
    )
    if said is not None and ipv6 not in GOOD_IPV6:
        yield failed(f'NetworkManager\'s connection "{connection}" has IPv6 {ipv6} on {name}', mend)
    elif said is not None and ipv4 not in GOOD_IPV4:
        yield failed(
            f'NetworkManager\'s connection "{connection}" asks for DHCP on {name} ({state}); '
            "it gives up after 45 s and takes the addresses away",
            mend,
        )
    elif state.startswith(ACTIVATING):
        yield failed(f'NetworkManager\'s connection "{connection}" on {name}: {state}', mend)
    else:
        yield good(f'NetworkManager keeps {name} by "{connection}": IPv4 {ipv4 or "?"}, IPv6 {ipv6 or "?"}')


async def address(p: Patient) -> AsyncIterator[Finding]:
    """A link-local IPv6 address, checked for duplicates."""
    name = p.interface
    try:
        found = await wait_link_local(name, ADDRESS_S, lambda why: None)
    except AddressError as error:
        yield failed(
            str(error).partition(";")[0],
            f"sudo sysctl -w net.ipv6.conf.{name}.disable_ipv6=0 net.ipv6.conf.{name}.addr_gen_mode=0 && "
            f"sudo ip link set {name} down && sudo ip link set {name} up",
        )
    else:
        yield good(found.address)


async def eee(p: Patient) -> AsyncIterator[Finding]:
    """No Energy Efficient Ethernet: with it, links to PLC modems sleep and lose the first frames, or flap."""
    name = p.interface
    found = p.machine.eee(name)
    if found is None:
        yield good(f"{name} has none")
    elif found.active:
        yield failed(f"{name} uses Energy Efficient Ethernet", f"sudo ethtool --set-eee {name} eee off")
    elif found.enabled:
        yield warning(
            f"Energy Efficient Ethernet is on, this modem does not take part; another one may on {name}",
            f"sudo ethtool --set-eee {name} eee off",
        )
    else:
        yield good(f"off on {name}")
