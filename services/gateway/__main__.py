"""`python -m services.gateway`: the gateway's process, until SIGTERM or SIGINT, then an orderly stop."""

from __future__ import annotations

import uvicorn

from services.gateway.app import create_app
from services.gateway.settings import GatewaySettings

GRACEFUL_STOP_SECONDS = 25
BACKLOG = 2048
KEEP_ALIVE_SECONDS = 75


def main() -> None:
    """Serve until told to stop."""
    settings = GatewaySettings()
    uvicorn.run(
        create_app(settings),
        host=settings.http_host,
        port=settings.http_port,
        loop="auto",
        http="auto",
        access_log=False,
        log_level="warning",
        proxy_headers=False,
        server_header=False,
        date_header=True,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACEFUL_STOP_SECONDS,
    )


if __name__ == "__main__":
    main()
