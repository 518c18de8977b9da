"""The health address of a service without its own HTTP: `/healthz` (the process), `/readyz` (what it depends on)."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import uvicorn

if TYPE_CHECKING:
    from services.kit.runtime import Runtime


def health_app(running: Runtime) -> Any:
    """A tiny ASGI application with the two addresses."""

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        status, body = 404, {"code": "not_found"}
        if scope["path"] == "/healthz":
            status, body = 200, {"service": running.service.name}
        elif scope["path"] == "/readyz":
            checks = await running.ready()
            status, body = (200 if checks["ready"] else 503), checks
        await send(
            {"type": "http.response.start", "status": status, "headers": [(b"content-type", b"application/json")]}
        )
        await send({"type": "http.response.body", "body": json.dumps(body).encode()})

    return app


async def serve_health(running: Runtime, port: int | None, stop: asyncio.Event) -> None:
    """Serve health on loopback until told to stop; without a port, nothing."""
    if port is None:
        return
    server = uvicorn.Server(
        uvicorn.Config(
            health_app(running), host="127.0.0.1", port=port, log_level="warning", access_log=False, lifespan="off"
        )
    )
    serving = asyncio.create_task(server._serve())  # serve() would take over the signals of the service
    await stop.wait()
    server.should_exit = True
    await serving
