"""Known fields of a PIB image, what a role needs in them, and the difference of two PIBs.

Offsets count from the begin of the image. They were seen in PIBs of QCA7420 (1.4.0) and QCA7000 (1.1.0); images differ
in length, so each is checked against the image, and a role is only patched where the bytes look like this layout.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

from .pib import Pib, PibError

KNOWN_LENGTHS = {0x2284: "QCA7420 1.4.0", 0x1F90: "QCA7000 1.1.0"}
"""Lengths of images whose fields were checked against real modems."""
SECRET = "(hidden)"


class Kind(Enum):
    """How a field's bytes are shown."""

    MAC = "mac"
    HEX = "hex"
    KEY = "key"
    TEXT = "text"
    NUMBER = "number"


class Field(NamedTuple):
    """A field: `choices` names the values of a number."""

    name: str
    offset: int
    size: int
    kind: Kind
    choices: dict[int, str] = {}
    remark: str = ""

    def show(self, raw: bytes, *, keys: bool = False) -> str:
        """The value for people; keys only when asked for."""
        match self.kind:
            case Kind.MAC:
                return raw.hex(":")
            case Kind.KEY:
                return raw.hex() if keys else SECRET
            case Kind.HEX:
                return raw.hex()
            case Kind.TEXT:
                return raw.split(b"\0")[0].decode("ascii", "replace")
        value = int.from_bytes(raw, "little")
        return f"{value} ({self.choices[value]})" if value in self.choices else str(value)


SLAC_OFF, SLAC_PEV, SLAC_EVSE = 0, 1, 2
CCO_AUTO, CCO_NEVER, CCO_ALWAYS = 0, 1, 2
OFF_ON = {0: "off", 1: "on"}

MAC = Field("mac", 0x0C, 6, Kind.MAC)
DAK = Field("dak", 0x12, 16, Kind.KEY, remark="device access key")
MFG = Field("manufacturer", 0x24, 64, Kind.TEXT)
NMK = Field("nmk", 0x64, 16, Kind.KEY, remark="network membership key")
USER = Field("user", 0x74, 64, Kind.TEXT)
NETWORK = Field("network", 0xB4, 64, Kind.TEXT)
CCO = Field("cco", 0xF4, 1, Kind.NUMBER, {0: "auto", 1: "never", 2: "always", 3: "user", 4: "covert"}, "coordinator")
NID = Field("nid", 0xF8, 7, Kind.HEX, remark="preferred network")
SLAC = Field("slac", 0x1653, 1, Kind.NUMBER, {0: "off", 1: "PEV", 2: "EVSE"}, "which half of SLAC the modem hands up")
SPEED = Field("link_speed_low", 0x1C98, 4, Kind.NUMBER)
SPEED_HIGH = Field("link_speed_high", 0x1C9C, 4, Kind.NUMBER)

FIELDS = (
    MAC,
    DAK,
    MFG,
    NMK,
    USER,
    NETWORK,
    CCO,
    Field("coexistence", 0xF5, 1, Kind.NUMBER),
    Field("line_frequency", 0xF6, 1, Kind.NUMBER),
    NID,
    Field("auto_membership", 0xFF, 1, Kind.NUMBER, OFF_ON),
    Field("mdu", 0x100, 1, Kind.NUMBER),
    Field("mdu_role", 0x101, 1, Kind.NUMBER),
    Field("medium", 0x109, 1, Kind.NUMBER),
    Field("static_network", 0x10C, 1, Kind.NUMBER, OFF_ON),
    SLAC,
    Field("background_har", 0x16D2, 1, Kind.NUMBER),
    Field("fast_association", 0x16D3, 1, Kind.NUMBER, OFF_ON),
    SPEED,
    SPEED_HIGH,
    Field("dbc", 0x1F80, 1, Kind.NUMBER, OFF_ON),
    Field("simple_qos", 0x2030, 1, Kind.NUMBER, OFF_ON),
)
BY_NAME = {field.name: field for field in FIELDS}

_SPEEDS = (("link_speed_low", 10240), ("link_speed_high", 102400))
NEEDED: dict[str, tuple[tuple[str, int | str], ...]] = {
    "pev": (("user", "PEV"), ("cco", CCO_NEVER), ("slac", SLAC_PEV), *_SPEEDS),
    "evse": (("user", "EVSE"), ("cco", CCO_ALWAYS), ("slac", SLAC_EVSE), *_SPEEDS),
}
"""What a role needs, of all these chips."""
RECOMMENDED: tuple[tuple[str, int | str], ...] = (
    ("auto_membership", 0),
    ("mdu", 0),
    ("mdu_role", 0),
    ("medium", 1),
    ("static_network", 0),
    ("background_har", 0),
    ("fast_association", 1),
    ("dbc", 0),
    ("simple_qos", 0),
)
"""What the chip maker's scripts set besides, in both roles; modems work without."""


def value(pib: Pib, field: Field) -> bytes:
    """A field's bytes; PibError when the image is too short for it."""
    return pib.get(field.offset, field.size)


def present(pib: Pib) -> Iterator[tuple[Field, bytes]]:
    """The fields that this image has, with their bytes."""
    for field in FIELDS:
        if field.offset + field.size <= pib.length:
            yield field, value(pib, field)


def encode(field: Field, given: int | str) -> bytes:
    """Bytes of a value; PibError when it does not fit. Texts are ASCII of at most one byte less than the field."""
    try:
        if field.kind is Kind.TEXT:
            raw = str(given).encode("ascii")
            if len(raw) >= field.size:
                raise PibError(f"{field.name}: {len(raw)} characters, at most {field.size - 1} fit")
            return raw.ljust(field.size, b"\0")
        if field.kind is Kind.NUMBER:
            named = {word.lower(): number for number, word in field.choices.items()}
            number = named.get(str(given).lower())
            return (int(str(given), 0) if number is None else number).to_bytes(field.size, "little")
        raw = bytes.fromhex(str(given).replace(":", ""))
    except (ValueError, OverflowError) as error:
        if isinstance(error, PibError):
            raise
        words = f"; it is one of {', '.join(field.choices.values())}" if field.choices else ""
        raise PibError(f"{field.name} = {given!r} does not fit{words}") from None
    if len(raw) != field.size:
        raise PibError(f"{field.name}: {len(raw)} bytes, it has {field.size}")
    return raw


def role_of(pib: Pib) -> str:
    """`pev`, `evse`, or `none`."""
    if SLAC.offset >= pib.length:
        return "none"
    return {SLAC_PEV: "pev", SLAC_EVSE: "evse"}.get(value(pib, SLAC)[0], "none")


def patch_role(pib: Pib, role: str, *, thorough: bool = False) -> Pib:
    """A PIB for a vehicle's ("pev") or a charger's ("evse") modem; PibError where the layout is not the known one.

    `thorough` sets what the chip maker's scripts set besides, as far as the image reaches.
    """
    for field in (CCO, SLAC):
        if value(pib, field)[0] not in field.choices:
            raise PibError(
                f"offset {field.offset:#x} holds {value(pib, field)[0]:#04x}, which is no value of {field.name}: this "
                "PIB has another layout, and patching it could make the modem useless"
            )
    wanted = list(NEEDED[role])
    if thorough:
        wanted += [(name, given) for name, given in RECOMMENDED if BY_NAME[name].offset < pib.length]
    return pib.edit(*((BY_NAME[name].offset, encode(BY_NAME[name], given)) for name, given in wanted))


class Difference(NamedTuple):
    """A run of bytes that differ: `part` is a field's name or where it lies; offsets are the image's, or the file's."""

    part: str
    offset: int
    before: bytes
    after: bytes


def differences(before: Pib, after: Pib) -> list[Difference]:
    """Known fields first, then other runs of the image, then everything outside; PibError for different lengths."""
    if len(before.data) != len(after.data) or before.start != after.start:
        raise PibError(
            f"these PIBs have {len(before.data)} and {len(after.data)} bytes, their images begin at {before.start:#x} "
            f"and {after.start:#x}: they are of different firmwares"
        )
    found = []
    known: set[int] = set()
    for field, raw in present(before):
        known.update(range(field.offset, field.offset + field.size))
        if raw != value(after, field):
            found.append(Difference(field.name, field.offset, raw, value(after, field)))
    first, last = before.start, before.start + before.length
    inside = [at for at in _unequal(before.data, after.data, first, last) if at - first not in known]
    for begin, end in _runs(inside):
        run = Difference("unknown", begin - first, before.data[begin:end], after.data[begin:end])
        found.append(run)
    outside = [*_unequal(before.data, after.data, 0, first), *_unequal(before.data, after.data, last, len(before.data))]
    for begin, end in _runs(outside):
        found.append(Difference("header or manifest", begin, before.data[begin:end], after.data[begin:end]))
    return found


def _unequal(before: bytes, after: bytes, first: int, last: int) -> list[int]:
    return [at for at in range(first, last) if before[at] != after[at]]


def _runs(places: list[int]) -> Iterator[tuple[int, int]]:
    """Neighbouring places as (begin, end)."""
    begin = end = None
    for at in places:
        if at == end:
            end = at + 1
            continue
        if begin is not None and end is not None:
            yield begin, end
        begin, end = at, at + 1
    if begin is not None and end is not None:
        yield begin, end
