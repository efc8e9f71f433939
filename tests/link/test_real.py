"""Both drivers on real interfaces: a veth pair in a network namespace of its own."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest

SCRIPT = """
import asyncio, os, subprocess, sys
from pyplc.link import open_link
from pyplc.link.ports import LinkError
from pyplc.slac.messages import SlacParamReq

async def main(driver):
    try:
        open_link("nowhere", driver)
    except LinkError as error:
        assert "there is no interface 'nowhere'" in str(error) and "va" in str(error), error
    try:
        open_link("down0", driver)
    except LinkError as error:
        assert "ip link set down0 up" in str(error), error
    a, b = open_link("va", driver), open_link("vb", driver)
    taps = []
    a.tap = lambda direction, frame: taps.append(direction)
    foreign = b.address + a.address + bytes([0x08, 0x06]) + bytes(46)
    frames = [SlacParamReq(run_id=bytes([n] * 8)).frame(bytes([255] * 6), a.address) for n in range(200)]
    a.send(foreign)
    for frame in frames:
        a.send(frame)
    async with asyncio.timeout(5):
        assert [await b.receive() for _ in frames] == frames
    b.send(frames[0][:6] + b.address + frames[0][12:])
    async with asyncio.timeout(5):
        assert (await a.receive())[6:12] == b.address
    assert taps == ["tx"] * 201 + ["rx"], taps[-3:]
    waiting = asyncio.ensure_future(b.receive())
    await asyncio.sleep(0.05)
    subprocess.run(["ip", "link", "del", "va"], check=True)
    try:
        async with asyncio.timeout(5):
            await waiting
    except LinkError as error:
        assert "is gone" in str(error), error
    else:
        raise AssertionError("a frame from nowhere")
    a.close()
    b.close()
    print("good")

asyncio.run(main(sys.argv[1]))
"""


@pytest.fixture
def namespace() -> Iterator[str]:
    if not sys.platform.startswith("linux") or shutil.which("ip") is None:
        pytest.skip("needs Linux and the command ip")
    name = f"pyplc-link-{os.getpid()}"
    if subprocess.run(["ip", "netns", "add", name], capture_output=True).returncode:
        pytest.skip("no right to make network namespaces")
    try:
        for command in (
            "link add va type veth peer name vb",
            "link set va up",
            "link set vb up",
            "link add down0 type veth peer name down1",
        ):
            made = subprocess.run(["ip", "-n", name, *command.split()], capture_output=True, text=True)
            if made.returncode and "veth" in command:
                pytest.skip(f"no veth pairs here: {made.stderr.strip()}")
        yield name
    finally:
        subprocess.run(["ip", "netns", "del", name], check=False)


@pytest.mark.parametrize("driver", ["packet", "pcap"])
def test_frames_cross_a_real_cable(namespace: str, driver: str) -> None:
    if driver == "pcap":
        try:
            import pcap  # noqa: F401  # only whether libpcap is there
        except (ImportError, OSError) as error:
            pytest.skip(f"no libpcap: {error}")
    ran = subprocess.run(
        ["ip", "netns", "exec", namespace, sys.executable, "-c", SCRIPT, driver],
        capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert ran.stdout.strip() == "good", ran.stderr


def test_an_unknown_driver_is_told() -> None:
    from pyplc.link import open_link
    from pyplc.link.ports import LinkError

    async def main() -> None:
        with pytest.raises(LinkError, match="auto, packet, pcap"):
            open_link("lo", "carrier pigeon")

    asyncio.run(main())
