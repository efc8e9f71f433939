"""Memory and flash of an emulated modem: its PIB in use, the stored one, and the sessions that write it.

What is stored takes effect at the next restart. A PIB is refused as a real modem refuses it: wrong length or checksums
always, another MAC, DAK or manufacturer unless forced.
"""

from __future__ import annotations

from collections.abc import Callable

from . import pib_fields as fields
from . import vendor_modules
from .layout import Message
from .mme import MmeError
from .pib import Pib, PibError, checksum
from .vendor_modules import (
    BLOCK,
    FACTORY_TOO,
    FORCE,
    HEAD,
    NO_RESET,
    OLD_BLOCK,
    PIB_MODULE,
    PIB_OLD,
    RESULT,
    Close,
    ModNvmCnf,
    ModNvmReq,
    ModuleOperationCnf,
    ModuleOperationReq,
    RdModCnf,
    RdModReq,
    Read,
    Start,
    Write,
    WrModCnf,
    WrModReq,
)

BAD_COUNT, BAD_OPERATION, BAD_SESSION, NO_MODULE = 0x10, 0x11, 0x12, 0x14
BAD_DATA_LENGTH, BAD_OFFSET, BAD_MODULE_SUM = 0x17, 0x18, 0x30
BAD_HEADER_SUM, BAD_PIB_SUM, BAD_PIB = 0x40, 0x44, 0x50
OTHER_MAC, OTHER_DAK, OTHER_MANUFACTURER, OTHER_LENGTH = 0x52, 0x53, 0x54, 0x70
OLD_BAD_MODULE, OLD_BAD_SUM, OLD_OTHER_MAC = 0x10, 0x44, 0x48
OLD_FORCE = 0x10


class Storage:
    """The PIBs of one modem. `restart` is called when a commit asks for it."""

    def __init__(self, pib: Pib, restart: Callable[[], None]) -> None:
        self.memory = self.flash = self.factory = pib
        self._restart = restart
        self._session: Start | None = None
        self._written = bytearray()

    def boot(self) -> None:
        """What a restart does: the stored PIB comes into use."""
        self.memory = self.flash
        self._session = None

    def keep(self, *changes: tuple[int, bytes]) -> None:
        """Change fields in use and stored ones alike."""
        self.memory = self.memory.edit(*changes)
        self.flash = self.flash.edit(*changes)

    def forget(self) -> None:
        """Back to what the factory stored."""
        self.flash = self.factory

    def answer(self, request: Message) -> Message | None:
        """The answer to a read, a write, or a commit; None for other requests."""
        match request:
            case ModuleOperationReq():
                return self._operate(request)
            case RdModReq():
                return self._read_old(request)
            case WrModReq():
                return self._write_old(request)
            case ModNvmReq():
                return self._store_old(request)
        return None

    def _operate(self, request: ModuleOperationReq) -> ModuleOperationCnf:
        if request.count != 1:
            return _refused(request, BAD_COUNT)
        try:
            match request.operation:
                case vendor_modules.READ_MEMORY | vendor_modules.READ_FLASH:
                    return self._read(request)
                case vendor_modules.START:
                    return self._start(request)
                case vendor_modules.WRITE:
                    return self._write(request)
                case vendor_modules.CLOSE:
                    return self._close(request)
        except MmeError:
            return _refused(request, BAD_DATA_LENGTH)
        return _refused(request, BAD_OPERATION)

    def _read(self, request: ModuleOperationReq) -> ModuleOperationCnf:
        asked = Read.of(request)
        if asked.module != PIB_MODULE:
            return _refused(request, NO_MODULE)
        if asked.length > BLOCK:
            return _refused(request, BAD_DATA_LENGTH)
        file = (self.flash if request.operation == vendor_modules.READ_FLASH else self.memory).data
        block = file[asked.offset : asked.offset + asked.length]
        return asked._replace(data=block).answer(request.operation)

    def _start(self, request: ModuleOperationReq) -> ModuleOperationCnf:
        start = Start.of(request)
        if start.module != PIB_MODULE:
            return _refused(request, NO_MODULE)
        if start.length != len(self.memory.data):
            return _refused(request, OTHER_LENGTH)
        self._session, self._written = start, bytearray()
        return _echo(request, request.data[:5] + RESULT.pack(0, 0))

    def _write(self, request: ModuleOperationReq) -> ModuleOperationCnf:
        block = Write.of(request)
        if self._session is None or block.session != self._session.session:
            return _refused(request, BAD_SESSION)
        if block.offset != len(self._written):
            return _refused(request, BAD_OFFSET)
        self._written += block.data
        return _echo(request, request.data[:15])

    def _close(self, request: ModuleOperationReq) -> ModuleOperationCnf:
        close = Close.of(request)
        if self._session is None or close.session != self._session.session:
            return _refused(request, BAD_SESSION)
        session, self._session = self._session, None
        file = bytes(self._written)
        status = BAD_MODULE_SUM if checksum(file) != session.total else self._judge(file, bool(close.code & FORCE))
        if status:
            return _refused(request, status)
        self.flash = Pib(file)
        if close.code & FACTORY_TOO:
            self.factory = self.flash
        if not close.code & NO_RESET:
            self._restart()
        return _echo(request, request.data[:8] + b"\1" + RESULT.pack(0, 0))

    def _judge(self, file: bytes, forced: bool) -> int:
        """0 when this PIB may be stored, else the status that says why not."""
        if len(file) != len(self.memory.data):
            return OTHER_LENGTH
        try:
            pib = Pib(file)
        except PibError:
            return BAD_PIB
        problems = " ".join(pib.problems())
        if problems:
            return BAD_HEADER_SUM if "of the header" in problems else BAD_PIB_SUM
        same = ((fields.MAC, OTHER_MAC), (fields.DAK, OTHER_DAK), (fields.MFG, OTHER_MANUFACTURER))
        for field, status in () if forced else same:
            if fields.value(pib, field) != fields.value(self.memory, field):
                return status
        return 0

    # the older way

    def _read_old(self, request: RdModReq) -> RdModCnf:
        if request.module != PIB_OLD:
            return RdModCnf(status=OLD_BAD_MODULE, module=request.module)
        block = self.memory.data[request.offset : request.offset + min(request.length, OLD_BLOCK)]
        return RdModCnf(
            length=len(block), offset=request.offset, total=checksum(block), data=block.ljust(OLD_BLOCK, b"\0")
        )

    def _write_old(self, request: WrModReq) -> WrModCnf:
        block = request.data[: request.length]
        status = 0
        if request.module != PIB_OLD:
            status = OLD_BAD_MODULE
        elif checksum(block) != request.total or len(block) < request.length:
            status = OLD_BAD_SUM
        elif request.offset + len(block) > len(self.memory.data):
            status = BAD_OFFSET
        else:
            if request.offset == 0:
                self._written = bytearray()
            self._written[request.offset : request.offset + len(block)] = block
        return WrModCnf(status=status, module=request.module, length=request.length, offset=request.offset)

    def _store_old(self, request: ModNvmReq) -> ModNvmCnf:
        if request.module & ~OLD_FORCE != PIB_OLD:
            return ModNvmCnf(status=OLD_BAD_MODULE, module=request.module)
        status = self._judge(bytes(self._written), bool(request.module & OLD_FORCE))
        if status:
            return ModNvmCnf(status=OLD_OTHER_MAC if status == OTHER_MAC else status, module=request.module)
        self.flash = Pib(bytes(self._written))
        self._restart()
        return ModNvmCnf(module=request.module)


def _echo(request: ModuleOperationReq, data: bytes) -> ModuleOperationCnf:
    return ModuleOperationCnf(operation=request.operation, length=HEAD + len(data), data=data)


def _refused(request: ModuleOperationReq, status: int) -> ModuleOperationCnf:
    return ModuleOperationCnf(status=status, operation=request.operation, length=HEAD)
