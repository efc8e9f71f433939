"""Modem chips by what VS_SW_VER tells, and what is known of chips and firmwares.

Two numbers name a chip: the device class and the ident ("strap"). The version text names it too, but is free text.
"""

from __future__ import annotations

from typing import NamedTuple

BOOTLOADER = "BootLoader"
"""Version text of a modem without firmware: it answers boot messages only."""


class Chip(NamedTuple):
    """A chip: its name, device class, and the idents seen."""

    name: str
    device: int
    idents: tuple[int, ...] = ()


CHIPS = (
    Chip("QCA7420", 0x20, (0x001CFCFC, 0x001CFC00)),
    Chip("QCA7450", 0x20, (0x0F001D1A,)),
    Chip("QCA7451", 0x20, (0x0E001D1A,)),
    Chip("QCA6410", 0x21, (0x001B58EC,)),
    Chip("QCA6411", 0x21, (0x001B58BC,)),
    Chip("QCA7006AQ", 0x21, (0x001B58AC,)),
    Chip("QCA7000", 0x22, (0x001B58DC, 0x001B589C)),
    Chip("QCA7005", 0x22, (0x001B587C,)),
    Chip("QCA7500", 0x30, (0x001D4C00, 0x001D4C0F)),
    Chip("INT6000", 0x01),
    Chip("INT6300", 0x02),
    Chip("INT6400", 0x03),
    Chip("AR7400", 0x04),
    Chip("AR6405", 0x05),
)


class Trouble(NamedTuple):
    """A part of a version text that is known to make trouble, and what it is."""

    text: str
    why: str


TROUBLES = (
    Trouble("-1.1.0.844-", "this firmware loses connections; use another version"),
    Trouble("QCA7500", "this chip sends no SLAC requests: it is no use in a vehicle"),
    Trouble(BOOTLOADER, "the modem has no firmware: load one, or write its flash"),
)


def chip_of(device: int, ident: bytes, version: str) -> str:
    """The chip's name: by class and ident, else as the version text has it, else its class.

    A modem without firmware has the class of its boot loader: there the ident alone tells.
    """
    strap = int.from_bytes(ident, "little")
    alike = [chip for chip in CHIPS if chip.device == device or (version == BOOTLOADER and strap in chip.idents)]
    for chip in alike:
        if strap in chip.idents or not chip.idents:
            return chip.name
    parts = version.split("-")
    if len(parts) > 1 and parts[0] == "MAC":
        return parts[1]
    return f"class {device:#04x}, ident {strap:#010x}"


def trouble_of(version: str) -> str | None:
    """Why this firmware or chip is known to be bad; None when nothing is known."""
    return next((trouble.why for trouble in TROUBLES if trouble.text in version), None)
