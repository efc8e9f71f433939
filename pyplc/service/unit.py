"""The files that make a station a service: a systemd unit, its user, a udev rule, a network profile. All text."""

from __future__ import annotations

from typing import Literal, NamedTuple

Role = Literal["pev", "evse", "listen"]

VERBS: dict[Role, str] = {"pev": "ev", "evse": "evse", "listen": "listen"}
"""The verb that a role runs."""
ARGUMENTS: dict[Role, str] = {"listen": "--config "}
"""What stands before the settings file."""
STATIONS: dict[Role, str] = {"pev": "vehicle", "evse": "charger", "listen": "listener"}
MARK = "# made by `pyplc service install`; `pyplc service remove` takes it away\n"
NAME = "pyplc"
USER = "pyplc"
WATCHDOG_S = 15
STEPS_SINCE = 254
"""The version of systemd that learned RestartSteps; older ones restart at one pace."""

SERIAL = (
    ("2341", None, "Arduino"),
    ("2a03", None, "Arduino (arduino.org)"),
    ("1b4f", None, "SparkFun Pro Micro"),
    ("1a86", "7523", "CH340, on most copies of the Nano"),
    ("1a86", "55d4", "CH9102"),
    ("0403", "6001", "FTDI FT232, for the Pro Mini"),
    ("0403", "6015", "FTDI FT231X"),
    ("10c4", "ea60", "CP210x"),
    ("067b", "2303", "PL2303"),
)
"""USB vendor and product of the boards and adaptors in the field."""

GROUPS = ("dialout", "gpio", "i2c", "spi")
"""Those of them that the system has."""
DEVICES = (
    "char-ttyACM",
    "char-ttyUSB",
    "char-ttyAMA",
    "char-ttyS",
    "char-ttyO",
    "char-gpiochip",
    "char-i2c",
    "char-spi",
)


class Unit(NamedTuple):
    """What differs from one installation to the next. `user` is a unit of the user's own manager, without rights."""

    role: Role
    program: str
    config: str
    user: bool = False
    systemd: int = 252
    home_needed: bool = False
    """The program is installed below a home directory."""


HARDENED = """\
User={user}
CapabilityBoundingSet=CAP_NET_RAW CAP_NET_ADMIN
AmbientCapabilities=CAP_NET_RAW CAP_NET_ADMIN
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome={home}
ProtectProc=invisible
ProcSubset=all
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
PrivateTmp=yes
PrivateMounts=yes
KeyringMode=private
DevicePolicy=closed
{devices}
RestrictAddressFamilies=AF_PACKET AF_INET AF_INET6 AF_UNIX AF_NETLINK AF_CAN
RestrictNamespaces=yes
LimitRTPRIO=1
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
RemoveIPC=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources @obsolete
SystemCallFilter=sched_setscheduler
SystemCallErrorNumber=EPERM
UMask=0027
OOMScoreAdjust=-500
"""
"""CAP_NET_RAW opens the modem's frames, CAP_NET_ADMIN sets the interface up. Devices: serial ports, GPIO, I2C, SPI."""


def service(unit: Unit) -> str:
    """The unit file."""
    home = "read-only" if unit.home_needed else "yes"
    devices = "\n".join(f"DeviceAllow={name} rw" for name in DEVICES)
    hardened = "" if unit.user else HARDENED.format(user=USER, home=home, devices=devices)
    backoff = "RestartSteps=6\nRestartMaxDelaySec=60\n" if unit.systemd >= STEPS_SINCE else ""
    return f"""{MARK}
[Unit]
Description=pyplc {STATIONS[unit.role]} (CCS charging)
# no network-online, no time-sync, no broker: the station starts without them and takes them when they come
After=local-fs.target network-pre.target
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
ExecStart={_word(unit.program)} {VERBS[unit.role]} --forever {ARGUMENTS.get(unit.role, "")}{_word(unit.config)}
Environment=PYTHONUNBUFFERED=1
StateDirectory={NAME}
StateDirectoryMode=0750
RuntimeDirectory={NAME}
RuntimeDirectoryPreserve=yes
WorkingDirectory=%S/{NAME}
# fed while the event loop and every storey are well; then first the orderly end, SIGKILL only after it
WatchdogSec={WATCHDOG_S}
WatchdogSignal=SIGTERM
TimeoutStartSec=30
TimeoutStopSec=45
TimeoutAbortSec=20
KillMode=mixed
Restart=always
RestartSec={2 if backoff else 10}
{backoff}{hardened}
[Install]
WantedBy={"default.target" if unit.user else "multi-user.target"}
"""


def sysusers(groups: tuple[str, ...] = ("dialout",)) -> str:
    """The service's own user, for systemd-sysusers, with the groups that own serial ports and GPIO."""
    members = "".join(f"m {USER} {group}\n" for group in groups)
    return f'{MARK}u {USER} - "pyplc charging station" /var/lib/{NAME} -\n{members}'


def udev() -> str:
    """Serial boards: theirs is the group dialout, their name /dev/pyplc/..., and ModemManager leaves them alone."""
    lines = [MARK + "# ModemManager talks to every new serial port; an Arduino takes that for commands."]
    for vendor, product, what in SERIAL:
        of = f', ATTRS{{idProduct}}=="{product}"' if product else ""
        lines.append(f"# {what}")
        lines.append(
            f'SUBSYSTEM=="tty", SUBSYSTEMS=="usb", ATTRS{{idVendor}}=="{vendor}"{of}, ENV{{ID_MM_DEVICE_IGNORE}}="1", '
            'GROUP="dialout", MODE="0660", SYMLINK+="pyplc/%k"'
        )
    return "\n".join(lines) + "\n"


def network_manager(interface: str) -> str:
    """The PLC modem's interface: IPv6 link-local, nothing else; nobody's default route, nobody's DHCP."""
    return f"""{MARK}
[connection]
id=pyplc-{interface}
type=ethernet
interface-name={interface}
autoconnect=true
autoconnect-priority=100
autoconnect-retries=0
lldp=0
mdns=0
llmnr=0

[ipv4]
method=disabled

[ipv6]
method=link-local
addr-gen-mode=eui64
never-default=true
"""


def _word(text: str) -> str:
    """A word of ExecStart: % and quotes are special there."""
    escaped = text.replace("\\", "\\\\").replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"' if " " in escaped else escaped
