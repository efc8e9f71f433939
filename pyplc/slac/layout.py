"""Declared messages: a class says its layout once; writing, reading and showing are derived from it.

A layout is a row of (field name, format). Formats: a number of bytes; `U8`, `U16`, `U32` (little endian); `COUNTED` (a
byte of length, then so many bytes); `REST` (everything to the end). A nameless field is reserved: zeros when written.
"""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar

import msgspec

from .mme import Mme, MmeError

U8, U16, U32, COUNTED, REST = "u8", "u16", "u32", "counted", "rest"
WIDTH = {U8: 1, U16: 2, U32: 4}

Layout = tuple[tuple[str, str | int], ...]
M = TypeVar("M", bound="Message")


class Message(msgspec.Struct, kw_only=True, frozen=True):
    """Base: `TYPE` is the MMTYPE, `VERSION` the MMV it is sent with, `LAYOUT` the payload behind FMI and OUI.

    `ONLY_VERSION` is for the few messages whose layout differs with the MMV.
    """

    TYPE: ClassVar[int]
    NAME: ClassVar[str]
    VERSION: ClassVar[int] = 1
    OUI: ClassVar[bytes] = b""
    ONLY_VERSION: ClassVar[bool] = False
    LAYOUT: ClassVar[Layout]

    def frame(self, destination: bytes, source: bytes) -> bytes:
        """The Ethernet frame of this message, padded to 60 bytes."""
        return Mme(destination, source, self.VERSION, self.TYPE, self.payload(), self.OUI).pack()

    def payload(self) -> bytes:
        """The payload as `LAYOUT` says; MmeError when a field does not fit its format."""
        return b"".join(_pack(name, getattr(self, name) if name else None, how) for name, how in self.LAYOUT)

    @classmethod
    def read(cls: type[M], payload: bytes) -> M:
        """The message in a payload; raises MmeError when it is too short. Padding is not looked at."""
        values: dict[str, Any] = {}
        at = 0
        for name, how in cls.LAYOUT:
            size = _size(how, payload, at)
            raw = payload[at : at + size]
            if len(raw) < size:
                raise MmeError(f"{cls.NAME}: {len(payload)} bytes of payload end inside {name or 'a reserved run'}")
            at += size
            if name:
                values[name] = int.from_bytes(raw, "little") if how in WIDTH else raw[1:] if how == COUNTED else raw
        return cls(**values)

    def fields(self) -> dict[str, Any]:
        """Names and values for people: bytes as hex."""
        values = ((name, getattr(self, name)) for name, _ in self.LAYOUT if name)
        return {name: value.hex() if isinstance(value, bytes) else value for name, value in values}


def _size(how: str | int, payload: bytes, at: int) -> int:
    if isinstance(how, int):
        return how
    if how == REST:
        return max(0, len(payload) - at)
    if how == COUNTED:
        return 1 + (payload[at] if at < len(payload) else 0)
    return WIDTH[how]


def _pack(name: str, value: Any, how: str | int) -> bytes:
    if isinstance(how, int):
        raw = bytes(how) if value is None else bytes(value)
        if len(raw) != how:
            raise MmeError(f"{name} has {len(raw)} bytes, the layout {how}")
        return raw
    try:
        if how == REST:
            return bytes(value)
        if how == COUNTED:
            return bytes((len(value),)) + bytes(value)
        return int(value).to_bytes(WIDTH[how], "little")
    except (OverflowError, ValueError):
        raise MmeError(f"{name} = {value!r} does not fit {how}") from None
