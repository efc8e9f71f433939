"""A whole PIB from a modem and into it, by VS_MODULE_OPERATION.

Writing is a session: start with length and checksum of the file, blocks, commit. The modem checks and stores it, and
uses it after its next restart. A write that is broken off leaves the stored PIB as it was.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from .homeplug import HomePlug
from .mme import MmeError
from .modem import ModemError
from .pib import Pib, PibError, checksum, expected
from .vendor import ResetCnf, ResetReq
from .vendor_modules import (
    BLOCK,
    FORCE,
    NO_RESET,
    PIB_MODULE,
    READ_FLASH,
    READ_MEMORY,
    Close,
    ModuleOperationCnf,
    ModuleOperationReq,
    Read,
    Start,
    Write,
    status_text,
)

COMMIT = FORCE | NO_RESET
"""The bits of the chip maker's program: checked by us, so forced; restarted by us."""
LONGEST_FILE = 1 << 20
READ_S, START_S, WRITE_S, COMMIT_S = 1.0, 10.0, 80.0, 90.0
"""For an answer: a modem erases its flash meanwhile."""
RESTART_S = 40.0
"""From VS_RS_DEV until the modem answers again."""

Progress = Callable[[int, int], None]
"""Called with the bytes done so far and the bytes in all."""


class Transfer:
    """The PIB of one modem, known by its MAC; a remote one of the same network answers too."""

    def __init__(self, homeplug: HomePlug, mac: bytes) -> None:
        self._homeplug = homeplug
        self._mac = mac

    async def read(self, progress: Progress = lambda done, total: None, *, flash: bool = False) -> Pib:
        """The PIB in use, or the stored one; ModemError when it does not come, PibError when it is none."""
        file = bytearray()
        while True:
            asked = Read(PIB_MODULE, len(file), BLOCK)
            answer = await self._ask(asked.request(READ_FLASH if flash else READ_MEMORY), READ_S, "the read", tries=3)
            try:
                block = Read.of(answer)
            except MmeError as error:
                raise ModemError(f"the modem gave a broken block: {error}") from None
            if block.offset != asked.offset:
                raise ModemError(f"the modem gave the block at {block.offset:#x} instead of {asked.offset:#x}")
            file += block.data
            file_head = expected(bytes(file[:BLOCK]))
            progress(len(file), file_head.length if file_head else len(file))
            if block.length < BLOCK or len(file) > LONGEST_FILE:
                return Pib(bytes(file))

    async def write(
        self, pib: Pib, rng: random.Random, progress: Progress = lambda done, total: None, *, code: int
    ) -> None:
        """Store a PIB; `code` are the bits of the commit. PibError when its checksums are wrong; ModemError."""
        if problems := pib.problems():
            raise PibError("; ".join(problems))
        session = rng.getrandbits(32)
        await self._ask(Start(session, PIB_MODULE, len(pib.data), checksum(pib.data)).request(), START_S, "the session")
        for offset in range(0, len(pib.data), BLOCK):
            block = Write(session, 0, PIB_MODULE, offset, pib.data[offset : offset + BLOCK])
            answer = await self._ask(block.request(), WRITE_S, f"the block at {offset:#x}")
            try:
                echoed = block.echoed(answer)
            except MmeError:
                echoed = False
            if not echoed:
                raise ModemError(f"the modem confirmed another block than the one at {offset:#x}; nothing was stored")
            progress(offset + len(block.data), len(pib.data))
        await self._ask(Close(session, code).request(), COMMIT_S, "the commit")

    async def _ask(
        self, request: ModuleOperationReq, seconds: float, what: str, *, tries: int = 1
    ) -> ModuleOperationCnf:
        """A good answer; ModemError for a refusal or none."""
        answer = await self._homeplug.ask(
            request,
            ModuleOperationCnf,
            self._mac,
            tries=tries,
            seconds=seconds,
            fits=lambda message, source: source == self._mac,
        )
        if answer is None:
            raise ModemError(f"the modem did not answer {what} (VS_MODULE_OPERATION) in {tries * seconds:g} s")
        if answer[0].status:
            raise ModemError(f"the modem refused {what}: {status_text(answer[0].status)}")
        return answer[0]

    async def reset(self) -> None:
        """Restart this modem; ModemError when it does not confirm."""
        answer = await self._homeplug.ask(
            ResetReq(), ResetCnf, self._mac, fits=lambda message, source: source == self._mac
        )
        if answer is None:
            raise ModemError("the modem did not confirm VS_RS_DEV")
        if answer[0].status:
            raise ModemError(f"the modem refuses to restart: VS_RS_DEV.CNF with status {answer[0].status}")
