"""The protocol of the CCS test adapter (EtherType 0x4841): pilot, proximity and commands between adapter and tester.

    FA AF | component | sub component | command | mode | ack | time stamp, 8 | length, 2 | payload | FB BF    big endian

Names are known for the few numbers that were seen; every other number is kept as it came. `learn` takes more of a file:

    [commands]                     # also [components] [sub_components] [modes] [acks]
    "1.3.0" = "SET_DUTY_CYCLE"     # component.sub component.command
"""

from __future__ import annotations

import base64
import struct
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

ETHERTYPE = 0x4841
START, END = b"\xfa\xaf", b"\xfb\xbf"
_HEAD = struct.Struct("!2sBBBBBQH")

COMPONENTS = {1: "CONTROL_PILOT"}
SUB_COMPONENTS = {(1, 7): "MEAS_STATUS_SUB"}
COMMANDS = {(1, 7, 3): "WATCH_PERIODIC_STATUS"}
MODES = {0x00: "MODE_EV", 0xF0: "MODE_NOT_USED"}
ACKS = {0x01: "ACK_SUCCESS", 0xE0: "ACK_NOT_USED"}
TABLES: dict[str, tuple[dict[Any, str], int]] = {
    "components": (COMPONENTS, 1), "sub_components": (SUB_COMPONENTS, 2), "commands": (COMMANDS, 3),
    "modes": (MODES, 1), "acks": (ACKS, 1),
}  # fmt: skip
"""Tables of a file of names, and of how many numbers a key is made."""
PERIODIC_STATUS = (1, 7, 3)
PILOT_BANDS = ((10.5, "STATE_A"), (7.5, "STATE_B"), (4.5, "STATE_C"), (1.5, "STATE_D"), (-1.5, "STATE_E"))
"""Lowest positive voltage of each state, IEC 61851-1 table A.4; below is state F."""


class HalError(ValueError):
    """Bytes that are no such frame; the text says where."""


class NamesError(ValueError):
    """A file of names that cannot be used; the text says where."""


def learn(file: Path | str) -> None:
    """Take the names in a TOML file; NamesError, or OSError where it cannot be read."""
    try:
        tables = tomllib.loads(Path(file).read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise NamesError(f"{file}: {error}") from None
    for title, entries in tables.items():
        if title not in TABLES or not isinstance(entries, dict):
            raise NamesError(f"{file}: {title!r} is no table of names ({', '.join(TABLES)})")
        names, size = TABLES[title]
        for key, name in entries.items():
            try:
                numbers = tuple(int(part, 0) for part in key.split("."))
            except ValueError:
                numbers = ()
            if len(numbers) != size or not isinstance(name, str):
                raise NamesError(
                    f"{file}: [{title}] {key!r} must be {size} numbers with dots between, its value a name"
                )
            names[numbers if size > 1 else numbers[0]] = name


class HalFrame(NamedTuple):
    """One frame; `payload` is as it came, `values` what is known of it."""

    component: int
    sub_component: int
    command: int
    mode: int
    ack: int
    timestamp: int
    payload: bytes
    values: dict[str, Any]

    @property
    def name(self) -> str:
        """The command's name, or its three numbers."""
        key = (self.component, self.sub_component, self.command)
        return COMMANDS.get(key, f"command {self.component}.{self.sub_component}.{self.command}")

    def plain(self) -> dict[str, Any]:
        """The JSON of the decoder: names where there are any, else numbers as hex."""
        return {
            "component": _named(COMPONENTS, self.component, self.component),
            "subComponent": _named(SUB_COMPONENTS, (self.component, self.sub_component), self.sub_component),
            "command": _named(COMMANDS, (self.component, self.sub_component, self.command), self.command),
            "mode": _named(MODES, self.mode, self.mode),
            "ack": _named(ACKS, self.ack, self.ack),
            "timestamp": self.timestamp,
            "payloadLength": len(self.payload),
            "payloadData": base64.b64encode(self.payload).decode(),
            "decoder": "HAL",
            "payload": self.values or self.payload.hex(),
        }


def _named(names: dict[Any, str], key: Any, number: int) -> str:
    return names.get(key, f"{number:#04x}")


def parse(data: bytes) -> HalFrame:
    """The frame in bytes that begin with its start mark; padding behind is ignored. HalError for everything else."""
    if data[:2] != START:
        raise HalError(f"begins {data[:2].hex(' ') or 'with nothing'}, a HAL frame begins fa af")
    if len(data) < _HEAD.size + 2:
        raise HalError(f"{len(data)} bytes, the shortest HAL frame has {_HEAD.size + 2}")
    _, component, sub, command, mode, ack, stamp, size = _HEAD.unpack_from(data)
    end = _HEAD.size + size
    if data[end : end + 2] != END:
        raise HalError(
            f"no end mark fb bf behind {size} bytes of payload (found {data[end : end + 2].hex(' ') or '-'})"
        )
    payload = data[_HEAD.size : end]
    return HalFrame(component, sub, command, mode, ack, stamp, payload, _values((component, sub, command), payload))


def _values(key: tuple[int, int, int], payload: bytes) -> dict[str, Any]:
    if key != PERIODIC_STATUS or len(payload) != 18:
        return {}
    frequency, duty, positive, negative, proximity = struct.unpack("!IIIIH", payload)
    return {
        "frequency": frequency / 1000,
        "dutyCycle": duty / 1000,
        "posVoltage": positive / 1000,
        "negVoltage": negative / 1000,
        "proximity": proximity,
        "cpState": pilot_state(positive / 1000),
    }


def pilot_state(voltage: float) -> str:
    """The state of the control pilot at this positive voltage."""
    return next((state for lowest, state in PILOT_BANDS if voltage >= lowest), "STATE_F")
