"""SECC discovery: bytes, rules of the answer, and both sides over a virtual line and over the kernel."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyplc import clock
from pyplc.link.virtual import cable
from pyplc.network import Exchange, VirtualNetwork
from pyplc.record import Dropped, Record, Recorder, silent
from pyplc.sdp import client, server
from pyplc.sdp.client import DiscoveryFailed
from pyplc.sdp.messages import PORT, SdpError, SdpRequest, SdpResponse, Security, parse
from pyplc.sdp.server import answer

REQUEST = bytes.fromhex("01fe90000000000210 00".replace(" ", ""))
RESPONSE = bytes.fromhex("01fe900100000014fe8000000000000050ad92fffe07328bc7a61000")
"""What an Alpitronic answered: port 51110, no TLS."""


def test_bytes_from_the_field() -> None:
    assert SdpRequest(Security.NONE).pack() == REQUEST
    assert parse(REQUEST) == (Security.NONE, 0)
    assert parse(RESPONSE) == ("fe80::50ad:92ff:fe07:328b", 51110, Security.NONE, 0)
    assert SdpResponse("fe80::50ad:92ff:fe07:328b", 51110, Security.NONE).pack() == RESPONSE


@given(st.binary(max_size=64))
def test_any_bytes_give_a_message_or_the_own_error(data: bytes) -> None:
    try:
        assert parse(data).pack() == data
    except SdpError:
        pass


@pytest.mark.parametrize(
    ("security", "transport", "answered"),
    [(0x10, 0, True), (0x00, 0, True), (0x10, 0x10, False), (0x05, 0, False), (0x10, 1, False)],
)
def test_which_requests_are_answered(security: int, transport: int, answered: bool) -> None:
    response = answer(SdpRequest(security, transport), "fe80::1", 15118)
    assert (response is not None) == answered
    if response is not None:
        assert response.security == Security.NONE  # TLS asked, not supported: the vehicle decides [V2G2-627]


def networks() -> tuple[VirtualNetwork, VirtualNetwork]:
    near, far = cable("line", b"\x02\0\0\0\0\1", b"\x02\0\0\0\0\2")
    exchange = Exchange()
    return VirtualNetwork(near, exchange), VirtualNetwork(far, exchange)


def test_a_vehicle_finds_a_charger_over_a_virtual_line() -> None:
    async def main() -> SdpResponse:
        vehicle, charger = networks()
        udp = await charger.udp(PORT)
        tasks = [
            asyncio.ensure_future(vehicle.run()),
            asyncio.ensure_future(charger.run()),
            asyncio.ensure_future(server.serve(udp, await charger.address(), 51111, silent("evse"))),
        ]
        found = await client.discover(await vehicle.udp(), silent("ev"))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return found

    assert clock.run(main()) == ("fe80::ff:fe00:2", 51111, Security.NONE, 0)


def test_nobody_answers() -> None:
    records: list[Record] = []

    async def main() -> float:
        vehicle, charger = networks()
        running = asyncio.ensure_future(vehicle.run())
        with pytest.raises(DiscoveryFailed, match=r"50 requests in 12.5 s.*V2G2-161"):
            await client.discover(await vehicle.udp(), Recorder(records.append).on("ev"))
        running.cancel()
        return asyncio.get_running_loop().time()

    assert clock.run(main()) == pytest.approx(12.5)


def test_foreign_datagrams_are_recorded_and_passed_over() -> None:
    records: list[Record] = []

    class Noisy:
        def __init__(self) -> None:
            self.answers = [(b"noise", ("fe80::9", 1)), (REQUEST, ("fe80::9", 1)), (RESPONSE, ("fe80::2", PORT))]

        async def receive(self) -> tuple[bytes, tuple[str, int]]:
            return self.answers.pop(0)

        def send(self, data: bytes, to: tuple[str, int]) -> None:
            assert (data, to) == (REQUEST, ("ff02::1", 15118))

        def close(self) -> None: ...

    async def main() -> SdpResponse:
        return await client.discover(Noisy(), Recorder(records.append).on("ev"))

    assert clock.run(main()).port == 51110
    assert [r.reason for r in records if isinstance(r, Dropped)] == ["5 bytes, a V2GTP header has 8"]
