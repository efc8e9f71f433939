"""Cables and the powerline in virtual time."""

from __future__ import annotations

import asyncio
import random

import pytest

from pyplc import clock
from pyplc.link.ports import LinkError
from pyplc.link.virtual import Port, Powerline, cable, sloped

A, B = bytes(5) + b"\1", bytes(5) + b"\2"


def test_a_cable_keeps_the_order_and_shows_both_directions() -> None:
    async def main() -> None:
        near, far = cable("cable", A, B, delay=0.25)
        seen: list[tuple[str, bytes]] = []
        near.tap = lambda direction, frame: seen.append((direction, frame))
        near.send(b"1")
        near.send(b"2")
        far.send(b"3")
        assert [await far.receive(), await far.receive(), await near.receive()] == [b"1", b"2", b"3"]
        assert asyncio.get_running_loop().time() == 0.25
        assert seen == [("tx", b"1"), ("tx", b"2"), ("rx", b"3")]

    clock.run(main())


def test_a_closed_link_says_so() -> None:
    async def main() -> None:
        near, _ = cable("cable", A, B)
        waiting = asyncio.ensure_future(near.receive())
        await asyncio.sleep(0)
        near.close()
        with pytest.raises(LinkError, match="cable was closed"):
            await waiting
        with pytest.raises(LinkError, match="cable was closed"):
            near.send(b"")

    clock.run(main())


def heard(seed: int, **powerline: float) -> list[int]:
    """How often each of 200 frames arrived."""
    counts = [0] * 200

    async def main() -> None:
        line = Powerline(rng=random.Random(seed), **powerline)  # type: ignore[arg-type]

        def deliver(frame: bytes, sender: Port) -> None:
            counts[frame[0]] += 1

        sender = line.attach("a", lambda frame, sender: None)
        line.attach("b", deliver)
        for number in range(200):
            sender.send(bytes((number,)))
        await asyncio.sleep(1.0)

    clock.run(main())
    return counts


def test_loss_and_duplication_follow_the_seed() -> None:
    assert heard(1) == [1] * 200
    lossy = heard(1, loss=0.2, duplicate=0.2)
    assert lossy == heard(1, loss=0.2, duplicate=0.2) != heard(2, loss=0.2, duplicate=0.2)
    assert set(lossy) == {0, 1, 2}


def test_attenuation_is_the_same_both_ways() -> None:
    line = Powerline()
    a, b, c = (line.attach(name, lambda frame, sender: None) for name in "abc")
    line.set_attenuation(a, b, 30.0)
    assert line.profile(a, b) == line.profile(b, a) == sloped(30.0)
    assert sum(sloped(30.0)) / 58 == pytest.approx(30.0, abs=0.5)
    line.set_attenuation(a, b, bytes(range(58)))
    assert line.profile(b, a) == bytes(range(58))
    assert line.profile(a, c) == sloped(10.0)
