"""Reading and writing a modem's modules (PIB, firmware): VS_MODULE_OPERATION, the older VS_RD_MOD and VS_WR_MOD.

VS_MODULE_OPERATION holds one operation: read from memory or flash, or the three of a write session (start, write,
close). Each has a layout of its own behind the same head, declared below as `struct` formats.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from .layout import REST, U8, U16, U32, Message
from .mme import QUALCOMM, MmeError

PIB_MODULE, FIRMWARE_MODULE = 0x7002, 0x7001
BLOCK = 1400
"""Bytes of one read or write."""
READ_MEMORY, READ_FLASH, START, WRITE, CLOSE = 0x00, 0x01, 0x10, 0x11, 0x12
FORCE, NO_RESET, FACTORY_TOO = 1 << 0, 1 << 1, 1 << 31
"""Bits of a commit code."""
HEAD = 8
"""Operation, its length, reserved: counted in `length` with the data."""
READ_HEAD = struct.Struct("<HHHI")
START_HEAD, START_MODULE = struct.Struct("<IB"), struct.Struct("<HHII")
WRITE_HEAD = struct.Struct("<IBHHHI")
CLOSE_HEAD = struct.Struct("<II")
CLOSE_RESERVED = bytes(20)
"""Counted in the length, although the shortest frame has room for 19 of them only."""
RESULT = struct.Struct("<HH")
START_LENGTH = 158 - 33
"""Bytes of data in a start request: room for ten modules."""

STATUS = {
    0x10: "bad number of operations",
    0x11: "bad operation",
    0x12: "bad session",
    0x14: "no such module",
    0x15: "bad length of module",
    0x16: "bad index",
    0x17: "bad length of data",
    0x18: "unexpected offset",
    0x19: "bad commit code",
    0x1A: "blocked by a commit",
    0x1C: "bad module",
    0x20: "no flash",
    0x21: "flash too small",
    0x22: "flash not supported",
    0x23: "flash is locked",
    0x24: "flash cannot be written",
    0x30: "wrong checksum of the module",
    0x31: "a module failed",
    0x32: "neither in flash nor in memory",
    0x40: "wrong checksum of a header",
    0x44: "wrong checksum of the PIB",
    0x50: "bad PIB",
    0x51: "the DAK is not zero",
    0x52: "the PIB has another MAC",
    0x53: "the PIB has another DAK",
    0x54: "the PIB has another manufacturer text",
    0x61: "unexpected operation",
    0x62: "no resources",
    0x63: "out of order",
    0x70: "the PIB has another length",
}


def status_text(status: int) -> str:
    """What a status of a confirmation means."""
    return f"status {status:#x} ({STATUS.get(status, 'unknown')})"


class ModuleOperationReq(Message, kw_only=True, frozen=True):
    """One operation on a module."""

    TYPE = 0xA0B0
    NAME = "VS_MODULE_OPERATION.REQ"
    VERSION = 0
    OUI = QUALCOMM
    LAYOUT = (("", 4), ("count", U8), ("operation", U16), ("length", U16), ("", 4), ("data", REST))
    count: int = 1
    operation: int
    length: int
    data: bytes


class ModuleOperationCnf(Message, kw_only=True, frozen=True):
    """Its outcome; `status` 0 is success."""

    TYPE = 0xA0B1
    NAME = "VS_MODULE_OPERATION.CNF"
    VERSION = 0
    OUI = QUALCOMM
    LAYOUT = (
        ("status", U16),
        ("error", U16),
        ("", 4),
        ("count", U8),
        ("operation", U16),
        ("length", U16),
        ("", 4),
        ("data", REST),
    )
    status: int = 0
    error: int = 0
    count: int = 1
    operation: int
    length: int
    data: bytes = b""


class Read(NamedTuple):
    """A block asked for, or given with its bytes."""

    module: int
    offset: int
    length: int
    data: bytes = b""

    @classmethod
    def of(cls, message: ModuleOperationReq | ModuleOperationCnf) -> Read:
        """The block of a request or an answer; MmeError when it is cut."""
        module, _, length, offset = _unpack(READ_HEAD, message, "a read")
        data = message.data[READ_HEAD.size : READ_HEAD.size + length]
        if isinstance(message, ModuleOperationCnf) and len(data) < length:
            raise MmeError(f"{message.NAME}: a block of {length} bytes has only {len(data)}")
        return cls(module, offset, length, data if isinstance(message, ModuleOperationCnf) else b"")

    def request(self, operation: int = READ_MEMORY) -> ModuleOperationReq:
        """Ask for it."""
        data = READ_HEAD.pack(self.module, 0, self.length, self.offset)
        return ModuleOperationReq(operation=operation, length=HEAD + len(data), data=data)

    def answer(self, operation: int) -> ModuleOperationCnf:
        """Give it."""
        data = READ_HEAD.pack(self.module, 0, len(self.data), self.offset) + self.data
        return ModuleOperationCnf(operation=operation, length=HEAD + len(data), data=data)


class Start(NamedTuple):
    """The begin of a write session of one module; `total` is its checksum."""

    session: int
    module: int
    length: int
    total: int

    @classmethod
    def of(cls, message: ModuleOperationReq) -> Start:
        """From a request; MmeError when it is cut or names not exactly one module."""
        session, modules = _unpack(START_HEAD, message, "a start")
        if modules != 1:
            raise MmeError(f"{message.NAME}: a session of {modules} modules")
        try:
            module, _, length, total = START_MODULE.unpack_from(message.data, START_HEAD.size)
        except struct.error:
            raise MmeError(f"{message.NAME}: a start without its module") from None
        return cls(session, module, length, total)

    def request(self) -> ModuleOperationReq:
        """Ask for it."""
        data = START_HEAD.pack(self.session, 1) + START_MODULE.pack(self.module, 0, self.length, self.total)
        return ModuleOperationReq(operation=START, length=HEAD + len(data), data=data.ljust(START_LENGTH, b"\0"))


class Write(NamedTuple):
    """One block of a write session."""

    session: int
    number: int
    module: int
    offset: int
    data: bytes

    @classmethod
    def of(cls, message: ModuleOperationReq) -> Write:
        """From a request; MmeError when it is cut."""
        session, number, module, _, length, offset = _unpack(WRITE_HEAD, message, "a write")
        data = message.data[WRITE_HEAD.size : WRITE_HEAD.size + length]
        if len(data) < length:
            raise MmeError(f"{message.NAME}: a block of {length} bytes has only {len(data)}")
        return cls(session, number, module, offset, data)

    def request(self) -> ModuleOperationReq:
        """Ask for it; always a full block, the last one filled with zeros."""
        head = WRITE_HEAD.pack(self.session, self.number, self.module, 0, len(self.data), self.offset)
        data = head + self.data.ljust(BLOCK, b"\0")
        return ModuleOperationReq(operation=WRITE, length=HEAD + len(data), data=data)

    def echoed(self, message: ModuleOperationCnf) -> bool:
        """Whether an answer is of this block: length and offset as asked; MmeError when it is cut."""
        *_, length, offset = _unpack(WRITE_HEAD, message, "a write")
        return (length, offset) == (len(self.data), self.offset)


class Close(NamedTuple):
    """The end of a write session: commit."""

    session: int
    code: int

    @classmethod
    def of(cls, message: ModuleOperationReq) -> Close:
        """From a request; MmeError when it is cut."""
        return cls(*_unpack(CLOSE_HEAD, message, "a close"))

    def request(self) -> ModuleOperationReq:
        """Ask for it."""
        data = CLOSE_HEAD.pack(*self) + CLOSE_RESERVED
        return ModuleOperationReq(operation=CLOSE, length=HEAD + len(data), data=data)


def _unpack(form: struct.Struct, message: ModuleOperationReq | ModuleOperationCnf, what: str) -> tuple[int, ...]:
    try:
        return form.unpack_from(message.data)
    except struct.error:
        raise MmeError(f"{message.NAME}: {len(message.data)} bytes of data, {what} has {form.size}") from None


PIB_OLD, FIRMWARE_OLD = 2, 1
OLD_BLOCK = 1024


class RdModReq(Message, kw_only=True, frozen=True):
    """Read a block the older way; `module` 1 is firmware, 2 the PIB."""

    TYPE = 0xA024
    NAME = "VS_RD_MOD.REQ"
    VERSION = 0
    OUI = QUALCOMM
    LAYOUT = (("module", U8), ("access", U8), ("length", U16), ("offset", U32), ("secret", 16))
    module: int = PIB_OLD
    access: int = 0
    length: int = OLD_BLOCK
    offset: int
    secret: bytes = bytes(16)


class RdModCnf(Message, kw_only=True, frozen=True):
    """A block with a checksum of its own; `length` of `data` count."""

    TYPE = 0xA025
    NAME = "VS_RD_MOD.CNF"
    VERSION = 0
    OUI = QUALCOMM
    LAYOUT = (
        ("status", U8),
        ("", 3),
        ("module", U8),
        ("", 1),
        ("length", U16),
        ("offset", U32),
        ("total", U32),
        ("data", REST),
    )
    status: int = 0
    module: int = PIB_OLD
    length: int = 0
    offset: int = 0
    total: int = 0
    data: bytes = bytes(OLD_BLOCK)


class WrModReq(Message, kw_only=True, frozen=True):
    """Write a block the older way; it is stored by VS_MOD_NVM."""

    TYPE = 0xA020
    NAME = "VS_WR_MOD.REQ"
    VERSION = 0
    OUI = QUALCOMM
    LAYOUT = (("module", U8), ("", 1), ("length", U16), ("offset", U32), ("total", U32), ("data", REST))
    module: int = PIB_OLD
    length: int
    offset: int
    total: int
    data: bytes


class WrModCnf(Message, kw_only=True, frozen=True):
    """`status` 0: taken."""

    TYPE = 0xA021
    NAME = "VS_WR_MOD.CNF"
    VERSION = 0
    OUI = QUALCOMM
    LAYOUT = (("status", U8), ("module", U8), ("", 1), ("length", U16), ("offset", U32))
    status: int = 0
    module: int = PIB_OLD
    length: int
    offset: int


class ModNvmReq(Message, kw_only=True, frozen=True):
    """Store what was written; the modem restarts. `module` with 0x10 added forces it."""

    TYPE = 0xA028
    NAME = "VS_MOD_NVM.REQ"
    VERSION = 0
    OUI = QUALCOMM
    LAYOUT = (("module", U8),)
    module: int = PIB_OLD


class ModNvmCnf(Message, kw_only=True, frozen=True):
    """`status` 0: stored."""

    TYPE = 0xA029
    NAME = "VS_MOD_NVM.CNF"
    VERSION = 0
    OUI = QUALCOMM
    LAYOUT = (("status", U8), ("module", U8))
    status: int = 0
    module: int = PIB_OLD


MESSAGES: tuple[type[Message], ...] = (
    ModuleOperationReq,
    ModuleOperationCnf,
    RdModReq,
    RdModCnf,
    WrModReq,
    WrModCnf,
    ModNvmReq,
    ModNvmCnf,
)
