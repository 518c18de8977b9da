"""The baseline of the HTTP figures: an interface that does nothing but one statement, traced like the gateway.

`GET /row/ID` is one SELECT of a campaign's row, `POST /row` one INSERT in a transaction of its own; both behind the same
framework, server and tracing as the gateway, and through SQLAlchemy, as most of the platform reaches its databases. What the
gateway takes more than this is what it does: finding out who asks, rules, limits, headers, idempotency, commands, and more
than one row. What it takes less is what it leaves out on its busy ways: the framework's layers and SQLAlchemy's.
"""

from __future__ import annotations

import gc
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import uvicorn
from fastapi import FastAPI, Request, Response
from opentelemetry.trace import SpanKind
from sqlalchemy.ext.asyncio import create_async_engine

from contracts import telemetry as names
from services.gateway.__main__ import SERVER_OPTIONS
from services.gateway.middleware import App, Receive, Scope, Send
from services.gateway.settings import GatewaySettings
from services.kit import telemetry
from services.kit.database import create_engine, sql
from services.kit.runtime import GC_ALLOCATIONS

TABLE = "CREATE TABLE baseline_act (id uuid PRIMARY KEY, body jsonb NOT NULL, at timestamptz NOT NULL DEFAULT now())"


def baseline_app(settings: GatewaySettings) -> App:
    """The application, with one span around each request."""
    engine = create_engine(settings.database_url.get_secret_value(), pool_size=settings.database_pool_size)
    reads = create_async_engine(
        settings.database_url.get_secret_value(),
        isolation_level="AUTOCOMMIT",
        pool_size=settings.database_pool_size,
        max_overflow=settings.database_pool_size,
        connect_args={"server_settings": {"search_path": "read_1,public", "jit": "off"}},
    )

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await reads.dispose()
        await engine.dispose()

    app = FastAPI(lifespan=lifespan, openapi_url=None)

    @app.get("/row/{campaign_id}")
    async def read_row(campaign_id: UUID) -> Response:
        async with reads.connect() as connection:
            found = await connection.execute(sql("SELECT * FROM campaign WHERE id = :id"), {"id": campaign_id})
            row = dict(zip(found.keys(), found.one(), strict=True))
        return Response(json.dumps(row, default=str), media_type="application/json")

    @app.post("/row", status_code=202)
    async def insert_row(request: Request) -> Response:
        body = json.loads(await request.body())
        identity = uuid4()
        async with engine.begin() as connection:
            await connection.execute(
                sql("INSERT INTO baseline_act (id, body) VALUES (:id, CAST(:body AS jsonb))"),
                {"id": identity, "body": json.dumps(body)},
            )
        return Response(json.dumps({"id": str(identity)}), status_code=202, media_type="application/json")

    return traced(app)


def traced(app: App) -> App:
    """An application with a span around each request, as the gateway has one."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        attributes: dict[str, Any] = {names.HTTP_METHOD: scope["method"]}
        with telemetry.span(scope["method"], parent=None, kind=SpanKind.SERVER, attributes=attributes):
            await app(scope, receive, send)

    return serve


def main() -> None:
    """Serve until told to stop, on the settings of a gateway and the port given."""
    settings = GatewaySettings()
    telemetry.configure_logs("baseline")
    telemetry.configure_traces("baseline", settings)
    gc.set_threshold(GC_ALLOCATIONS, *gc.get_threshold()[1:])
    port = int(os.environ["ALPMERA_HTTP_PORT"])
    uvicorn.run(baseline_app(settings), host="127.0.0.1", port=port, loop="auto", http="auto", **SERVER_OPTIONS)


if __name__ == "__main__":
    main()
