"""Status, control and metrics over HTTP. Every request needs the token; bodies and answers are JSON.

GET  /api/status      what the station is doing (status.py), and the same in words
POST /api/stop        {"reason": "..."}, may be empty: end the session in order, hold the station
POST /api/start       begin again
POST /api/limit       {"current": 16}; null takes the limit away
GET  /metrics         for Prometheus
GET  /health          200 while everything is well, 503 with what is not; the only one without a token
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import msgspec
from aiohttp import web

from .control import Control, Refusal
from .settings import HttpSettings, token_of
from .status import Status, words

LONGEST_BODY = 4096
OPEN = "/health"
METRICS = "/metrics"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class StopBody(msgspec.Struct, forbid_unknown_fields=True):
    """Why to stop."""

    reason: Annotated[str, msgspec.Meta(max_length=200)] = "HTTP"


class LimitBody(msgspec.Struct, forbid_unknown_fields=True):
    """At most this current, A."""

    current: float | None


class Api:
    """The server. `open` begins to listen, on `port` (what was asked for, or what 0 became); `close` ends it."""

    def __init__(
        self,
        settings: HttpSettings,
        status: Callable[[], Status],
        control: Control,
        metrics: Callable[[], bytes],
    ) -> None:
        self._settings = settings
        self._token = token_of(settings)
        self._status, self._control, self._metrics = status, control, metrics
        self._runner: web.AppRunner | None = None
        self.port = settings.port or 0

    async def open(self) -> None:
        """Listen; OSError when the port is taken or the address is not ours."""
        app = web.Application(middlewares=[self._guard], client_max_size=LONGEST_BODY)
        app.add_routes(
            [
                web.get("/api/status", self._get_status),
                web.post("/api/stop", self._stop),
                web.post("/api/start", self._start),
                web.post("/api/limit", self._limit),
                web.get(METRICS, self._get_metrics),
                web.get(OPEN, self._health),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._settings.host, self.port)
        try:
            await site.start()
        except OSError:
            await self.close()
            raise
        self.port = int(self._runner.addresses[0][1])

    async def close(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Whoever has not the token hears nothing but that."""
        free = request.path == OPEN or (request.path == METRICS and self._settings.open_metrics)
        if not free:
            kind, _, token = request.headers.get("Authorization", "").partition(" ")
            if kind.lower() != "bearer" or not hmac.compare_digest(token.strip().encode(), self._token):
                await asyncio.sleep(0.1)  # guessing is slow
                return _json({"error": "Authorization: Bearer <token> is missing or wrong"}, 401)
        try:
            return await handler(request)
        except web.HTTPException as error:
            return _json({"error": error.reason}, error.status)
        except (Refusal, msgspec.MsgspecError) as error:
            return _json({"error": str(error)}, 400)

    async def _get_status(self, request: web.Request) -> web.Response:
        status = self._status()
        return _json({"status": status, "words": words(status)})

    async def _stop(self, request: web.Request) -> web.Response:
        self._control.stop((await _body(request, StopBody, StopBody())).reason)
        return await self._get_status(request)

    async def _start(self, request: web.Request) -> web.Response:
        self._control.start()
        return await self._get_status(request)

    async def _limit(self, request: web.Request) -> web.Response:
        self._control.limit((await _body(request, LimitBody)).current)
        return await self._get_status(request)

    async def _get_metrics(self, request: web.Request) -> web.Response:
        return web.Response(body=self._metrics(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    async def _health(self, request: web.Request) -> web.Response:
        wrong = self._status().wrong
        return _json({"well": not wrong, "wrong": wrong}, 503 if wrong else 200)


async def _body(request: web.Request, kind: type[Any], empty: Any = None) -> Any:
    data = await request.read()
    return empty if not data and empty is not None else msgspec.json.decode(data, type=kind)


def _json(value: Any, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), status=status, content_type="application/json")
