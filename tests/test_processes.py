"""Programs that can be killed: not one instruction more, and everything else goes on."""

from __future__ import annotations

import asyncio

import pytest

from pyplc import clock
from pyplc.processes import MortalLoop, Process, apart


def test_a_killed_program_does_nothing_more() -> None:
    said: list[str] = []

    async def device() -> None:
        while True:
            await asyncio.sleep(1)
            said.append("device")

    async def part() -> None:
        try:
            while True:
                await asyncio.sleep(1)
                said.append("part")
        finally:
            said.append("part: finally")

    async def program() -> None:
        asyncio.get_running_loop().call_later(2.5, said.append, "timer")
        async with asyncio.TaskGroup() as group:
            group.create_task(part())
            group.create_task(apart(device()))

    async def main() -> None:
        process = Process()
        task = process.start(program())
        await asyncio.sleep(1.5)
        assert sorted(said) == ["device", "part"]
        process.kill()
        await process.died
        await asyncio.sleep(2)
        assert sorted(said) == ["device", "device", "device", "part"]
        task.cancel()
        await asyncio.sleep(1)
        assert not task.done()  # not even a cancellation wakes the dead
        process.bury()
        await asyncio.gather(task, return_exceptions=True)
        assert "part: finally" in said

    clock.run(main(), loop=MortalLoop)


def test_others_live_on_and_may_wait_for_what_the_dead_made() -> None:
    async def main() -> None:
        first, second = Process(), Process()
        made: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        async def waits() -> str:
            return await made

        async def dies() -> None:
            await asyncio.sleep(1)
            made.set_result("done")
            first.kill()
            await asyncio.sleep(0)
            said.append("it is dead")

        said: list[str] = []
        task = first.start(dies())
        assert await second.start(waits()) == "done"
        await asyncio.sleep(1)
        assert (said, second.died.done()) == ([], False)
        task.cancel()
        first.bury()
        await asyncio.gather(task, return_exceptions=True)

    clock.run(main(), loop=MortalLoop)


def test_an_ordinary_loop_cannot_kill() -> None:
    async def main() -> None:
        with pytest.raises(RuntimeError, match="MortalLoop"):
            Process().kill()

    clock.run(main())
