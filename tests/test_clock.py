"""Virtual time: waits take no time, timers fire in order, a hang is named."""

from __future__ import annotations

import asyncio
import os
import sys
import time

import pytest

from pyplc import clock


def test_forty_minutes_take_no_time() -> None:
    async def main() -> float:
        await asyncio.sleep(2400)
        return asyncio.get_running_loop().time()

    before = time.perf_counter()
    assert clock.run(main()) == pytest.approx(2400)
    assert time.perf_counter() - before < 1


def test_timers_fire_in_order_and_at_their_times() -> None:
    async def main() -> list[tuple[str, float]]:
        loop = asyncio.get_running_loop()
        seen: list[tuple[str, float]] = []

        async def wait(name: str, seconds: float) -> None:
            await asyncio.sleep(seconds)
            seen.append((name, round(loop.time(), 9)))

        await asyncio.gather(wait("c", 0.3), wait("a", 0.1), wait("b", 0.2), wait("a2", 0.1000001))
        return seen

    assert clock.run(main()) == [("a", 0.1), ("a2", 0.1000001), ("b", 0.2), ("c", 0.3)]


def test_a_world_in_which_nothing_can_happen_is_named() -> None:
    async def main() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(clock.Deadlock, match="no timer is set"):
        clock.run(main())


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux only")
def test_first_in_line_ends_with_its_block() -> None:
    async def scene() -> list[int]:
        seen = []
        with clock.first_in_line():
            with clock.first_in_line():
                seen.append(os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK)
            seen.append(os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK)
        return [*seen, os.sched_getscheduler(0)]

    inner, outer, after = asyncio.run(scene())
    assert inner == outer in (os.SCHED_RR, os.SCHED_OTHER) and after == os.SCHED_OTHER
    assert clock.run(scene()) == [os.SCHED_OTHER] * 3
