"""The modem's interface, on computers of every kind."""

from __future__ import annotations

from pathlib import Path

import pytest
from computers import Computer, look, vehicle

from pyplc.doctor import interface
from pyplc.doctor.patient import Eee
from pyplc.sdp import address


async def test_a_sound_interface(computer: Computer) -> None:
    found = await look(interface.interface, vehicle(computer))
    assert found.verdict == "good" and "02:00:00:00:00:01, 100 Mbit/s full duplex" in found.says
    assert (await look(interface.ethernet, vehicle(computer))).verdict == "good"


async def test_missing_down_and_without_cable(computer: Computer) -> None:
    computer.write("/sys/class/net/eth1/carrier", "0")
    found = await look(interface.interface, vehicle(computer))
    assert "no carrier" in found.says and "power" in str(found.mend)
    computer.write("/sys/class/net/eth1/flags", "0x1002")
    found = await look(interface.interface, vehicle(computer))
    assert (found.verdict, found.mend) == ("failed", "sudo ip link set eth1 up")
    computer.names = ["lo", "eth0"]
    found = await look(interface.interface, vehicle(computer))
    assert "there are: lo, eth0" in found.says and "car.toml" in str(found.mend)


@pytest.mark.parametrize(
    ("file", "text", "verdict", "mend"),
    [
        ("/proc/net/vlan/eth1", "", "failed", "untagged"),
        ("/sys/class/net/eth1/uevent", "DEVTYPE=vlan", "failed", "untagged"),
        ("/sys/class/net/eth1/wireless", "", "failed", "Ethernet port"),
        ("/sys/class/net/eth1/master/uevent", "INTERFACE=br0", "failed", "sudo ip link set eth1 nomaster"),
        ("/sys/class/net/eth1/type", "772", "failed", "Ethernet port"),
        (
            "/proc/net/vlan/config",
            "VLAN Dev name    | VLAN ID\neth1.7         | 7  | eth1\neth0.8   | 8 | eth0",
            "warning",
            "sudo ip link delete eth1.7",
        ),
    ],
)
async def test_what_is_no_plain_ethernet(computer: Computer, file: str, text: str, verdict: str, mend: str) -> None:
    computer.write(file, text)
    found = await look(interface.ethernet, vehicle(computer))
    assert found.verdict == verdict and mend in str(found.mend)


@pytest.mark.parametrize(
    ("files", "verdict", "says"),
    [
        ({}, "good", "went down 0 times"),
        ({"carrier_changes": "9"}, "good", "went down 4 times"),
        ({"carrier_changes": "44"}, "warning", "went down 22 times"),
        ({"statistics/rx_packets": "5000", "statistics/rx_errors": "51"}, "warning", "51 of 5000 frames"),
        ({"statistics/rx_packets": "100", "statistics/rx_errors": "9"}, "good", "9 of 100 frames"),
        ({"duplex": "half"}, "warning", "half duplex"),
    ],
)
async def test_the_link(computer: Computer, files: dict[str, str], verdict: str, says: str) -> None:
    for name, text in files.items():
        computer.write(f"/sys/class/net/eth1/{name}", text)
    found = await look(interface.link, vehicle(computer))
    assert found.verdict == verdict and says in found.says and (found.mend is None) == (verdict == "good")


LIST = "nmcli -t -f DEVICE,STATE,CONNECTION device"


@pytest.mark.parametrize(
    ("row", "methods", "verdict", "says"),
    [
        (None, None, "good", "does not run"),
        ("eth0:connected:office", None, "good", "does not know eth1"),
        ("eth1:unmanaged:", None, "good", "alone"),
        ("eth1:disconnected:", None, "good", "alone"),
        ("eth1:connected:plc", "disabled\nlink-local\n", "good", "IPv4 disabled, IPv6 link-local"),
        ("eth1:connected:plc", "auto\nlink-local\n", "failed", "asks for DHCP"),
        ("eth1:connecting (getting IP configuration):plc", "auto\nauto\n", "failed", "asks for DHCP"),
        ("eth1:connected:plc", "disabled\ndisabled\n", "failed", "IPv6 disabled"),
        ("eth1:connecting (prepare):plc", "disabled\nlink-local\n", "failed", "connecting"),
    ],
)
async def test_networkmanager(
    computer: Computer, row: str | None, methods: str | None, verdict: str, says: str
) -> None:
    if row is not None:
        computer.said[LIST] = f"lo:unmanaged:\n{row}\n"
    if methods is not None:
        computer.said["nmcli -g ipv4.method,ipv6.method connection show plc"] = methods
    found = await look(interface.managers, vehicle(computer))
    assert found.verdict == verdict and says in found.says
    assert (found.mend is None) == (verdict == "good")
    if found.mend:
        assert 'nmcli connection modify "plc" ipv4.method disabled ipv6.method link-local' in found.mend


async def test_a_connection_with_colons_in_its_name(computer: Computer) -> None:
    computer.said[LIST] = "eth1:connected:Wired\\: one\n"
    computer.said["nmcli -g ipv4.method,ipv6.method connection show Wired: one"] = "auto\nauto\n"
    assert 'modify "Wired: one"' in str((await look(interface.managers, vehicle(computer))).mend)


async def test_dhcpcd(computer: Computer) -> None:
    computer.write("/run/dhcpcd/pid", "7")
    found = await look(interface.managers, vehicle(computer))
    assert found.verdict == "warning" and "denyinterfaces eth1" in str(found.mend)
    computer.write("/etc/dhcpcd.conf", "# denyinterfaces eth9\ndenyinterfaces wlan0 eth1")
    assert (await look(interface.managers, vehicle(computer))).verdict == "good"


async def test_no_link_local_address(computer: Computer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    patient = vehicle(computer)
    patient.settings.network.interface = "lo"  # it is on every computer
    monkeypatch.setattr(interface, "ADDRESS_S", 0.0)
    listed = tmp_path / "if_inet6"
    listed.write_text("")
    monkeypatch.setattr(address, "IF_INET6", listed)
    found = await look(interface.address, patient)
    assert found.verdict == "failed" and "net.ipv6.conf.lo.disable_ipv6=0" in str(found.mend)
    index = __import__("socket").if_nametoindex("lo")
    listed.write_text(f"fe800000000000000000000000000001 {index:02x} 40 20 80       lo\n")
    found = await look(interface.address, patient)
    assert (found.verdict, found.says) == ("good", "fe80::1")


@pytest.mark.parametrize(
    ("saving", "verdict"),
    [(None, "good"), (Eee(False, False), "good"), (Eee(True, False), "warning"), (Eee(True, True), "failed")],
)
async def test_energy_efficient_ethernet(computer: Computer, saving: Eee | None, verdict: str) -> None:
    computer.saving = saving
    found = await look(interface.eee, vehicle(computer))
    assert found.verdict == verdict
    assert (found.mend == "sudo ethtool --set-eee eth1 eee off") == (verdict != "good")
