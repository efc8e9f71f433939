"""The decoder over WebSocket: words in, JSON out, and its limits."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from pyplc.capture.frames import KINDS
from pyplc.cli import serve as cli
from pyplc.service.decoder import LONGEST, answer, serve

websockets = pytest.importorskip("websockets")
V2G = "01fe80020000001380940433f88205a4d3eed3898dac6f8dd30228"
HAL = "faaf010300f0e000000185df105125000101fbbf"


@asynccontextmanager
async def served(**how: object) -> AsyncIterator[str]:
    started: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    task = asyncio.ensure_future(serve("127.0.0.1", 0, ready=started.set_result, **how))  # type: ignore[arg-type]
    try:
        await asyncio.wait({started, task}, return_when=asyncio.FIRST_COMPLETED)
        yield f"ws://127.0.0.1:{started.result()}"
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def ask(url: str, *requests: str | bytes, **how: object) -> list[dict[str, object]]:
    async with websockets.connect(url, max_size=None, proxy=None, **how) as connection:
        found = []
        for request in requests:
            await connection.send(request)
            found.append(json.loads(await connection.recv()))
        return found


async def test_the_examples_of_the_guide() -> None:
    async with served() as url:
        v2g, hal, mixed = await ask(url, f"V2G {V2G}", f"HAL {HAL}", f"  v2g {V2G.upper()} ")
    assert v2g == KINDS["V2G"](bytes.fromhex(V2G)) == mixed
    assert hal == KINDS["HAL"](bytes.fromhex(HAL))


async def test_errors_are_json_and_the_connection_lives_on() -> None:
    async with served() as url:
        *wrong, right = await ask(url, "V2G zz", "V2G", "", "GET / HTTP/1.1", b"\1\xfe", "HAL 00", f"V2G {V2G}")
    assert all(list(found) == ["error"] and found["error"] for found in wrong)
    assert right["payloadType"] == "COMMON_Message"


async def test_what_is_too_long_is_refused_and_others_are_served() -> None:
    async with served() as url:
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await ask(url, "V2G " + "0" * LONGEST)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009
        (found,) = await ask(url, f"V2G {V2G}")
        assert found["payloadLength"] == 19


async def test_the_longest_payload_that_v2gtp_is_believed_to_have_fits() -> None:
    async with served() as url:
        (found,) = await ask(url, "V2G 01fe800100020000" + "ff" * 0x20000)
    assert "no schema" in str(found["error"])


async def test_a_web_page_must_be_allowed() -> None:
    async with served(origins=["http://good"]) as url:
        with pytest.raises(websockets.InvalidStatus):
            await ask(url, "V2G", origin="http://evil")
        assert await ask(url, f"V2G {V2G}", origin="http://good")


async def test_many_clients_at_once() -> None:
    async with served() as url:
        many = await asyncio.gather(*(ask(url, *[f"V2G {V2G}"] * 5) for _ in range(20)))
    assert all(len(found) == 5 and found[-1]["decoder"] == "ISO15118_20" for found in many)


async def test_a_client_that_goes_without_a_word() -> None:
    async with served() as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        writer.write(b"GET / HTTP/1.1\r\n")
        await writer.drain()
        writer.close()
        await reader.read()
        assert await ask(url, f"V2G {V2G}")


@given(st.one_of(st.text(max_size=80), st.binary(max_size=80), st.binary(max_size=60).map(lambda b: f"V2G {b.hex()}")))
def test_every_request_has_an_answer(request: str | bytes) -> None:
    assert isinstance(json.loads(answer(request)), dict)


@pytest.mark.parametrize("port", ["1022", "65536", "0", "x"])
def test_ports_outside_the_range_are_refused(port: str) -> None:
    result = CliRunner().invoke(cli.command, ["decoder", "--port", port])
    assert result.exit_code == 2
    assert "--port" in result.output


def test_only_this_host_unless_told(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, int]] = []

    async def noted(host: str, port: int, *, origins: object, ready: Callable[[int], Awaitable[None]]) -> None:
        seen.append((host, port))

    monkeypatch.setattr("pyplc.service.decoder.serve", noted)
    for more in ([], ["--port", "1023"], ["--host", "0.0.0.0", "--port", "65535"]):
        assert CliRunner().invoke(cli.command, ["decoder", *more]).exit_code == 0
    assert seen == [("127.0.0.1", 1111), ("127.0.0.1", 1023), ("0.0.0.0", 65535)]


def test_a_port_that_is_taken_is_one_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = CliRunner().invoke(cli.command, ["decoder", "--port", str(port)])
    assert result.exit_code == 1
    assert result.output.startswith("Error: cannot listen on 127.0.0.1:")
    assert result.output.count("\n") == 1
