"""Display frames on a CAN bus, 500 kbit/s, as declarations: those of FoccciCape (charger) and of clara (vehicle).

    0x678  info number, SoC, 22 33 44 55 66 77           each 0.1 s
    0x679  target voltage, target current, present voltage, present current; 16 bits, little endian, V and A
    0x67A  the vehicle's MAC, number of the log; 6 bytes and 16 bits, little endian
    0x567  seconds since the start, checkpoint; 24 and 16 bits, big endian
    0x568  the charger's voltage, the inlet's voltage; 16 bits, big endian, the second one signed, V

What is not known is 0.
"""

from __future__ import annotations

import struct

from .pyplc_status import MEANINGS

STATE, POWER, PEER, PROGRESS, VOLTAGES = 0x678, 0x679, 0x67A, 0x567, 0x568
NAMES = {STATE: "state", POWER: "power", PEER: "vehicle", PROGRESS: "progress", VOLTAGES: "voltages"}
FILLER = bytes.fromhex("223344556677")


def state(info: int, soc_percent: float | None) -> bytes:
    """0x678; an unknown state of charge is 0."""
    return bytes([info & 0xFF, _limit(soc_percent, 0, 100)]) + FILLER


def power(target_voltage: float, target_current: float, voltage: float, current: float) -> bytes:
    """0x679."""
    return struct.pack("<4H", *(_limit(v, 0, 0xFFFF) for v in (target_voltage, target_current, voltage, current)))


def peer(mac: bytes, log: int) -> bytes:
    """0x67A."""
    return mac[:6].ljust(6, b"\0") + struct.pack("<H", log & 0xFFFF)


def progress(uptime_s: float, checkpoint: int) -> bytes:
    """0x567."""
    return (int(uptime_s) & 0xFFFFFF).to_bytes(3, "big") + struct.pack(">H", checkpoint & 0xFFFF) + bytes(3)


def voltages(charger: float | None, inlet: float | None) -> bytes:
    """0x568; an unknown one is 0."""
    return struct.pack(">Hh", _limit(charger, 0, 0xFFFF), _limit(inlet, -0x8000, 0x7FFF)) + bytes(4)


def decode(number: int, data: bytes) -> dict[str, int | str] | None:
    """A frame by names; None when it is none of these, or too short for what it claims to be."""
    if number == STATE and len(data) >= 2:
        return {"info": data[0], "meaning": MEANINGS.get(data[0], "?"), "soc_percent": data[1]}
    if number == POWER and len(data) >= 8:
        names = ("target_voltage", "target_current", "voltage", "current")
        return dict(zip(names, struct.unpack("<4H", data[:8]), strict=True))
    if number == PEER and len(data) >= 8:
        return {"vehicle": data[:6].hex(":"), "log": int.from_bytes(data[6:8], "little")}
    if number == PROGRESS and len(data) >= 5:
        return {"uptime_s": int.from_bytes(data[:3], "big"), "checkpoint": int.from_bytes(data[3:5], "big")}
    if number == VOLTAGES and len(data) >= 4:
        charger, inlet = struct.unpack(">Hh", data[:4])
        return {"charger_voltage": charger, "inlet_voltage": inlet}
    return None


def _limit(value: float | None, low: int, high: int) -> int:
    return min(max(round(value or 0), low), high)
