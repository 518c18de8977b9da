"""`python -m services.gateway`: the gateway's process, until SIGTERM or SIGINT, then an orderly stop."""

from __future__ import annotations

from typing import Any

from services.gateway.serving import serve
from services.gateway.settings import GatewaySettings

GRACEFUL_STOP_SECONDS = 25
BACKLOG = 2048
KEEP_ALIVE_SECONDS = 75
SERVER_OPTIONS: dict[str, Any] = {
    "access_log": False,
    "log_level": "warning",
    # Who may speak for a client is decided in `headers.py`; the server itself believes nobody.
    "proxy_headers": False,
    "server_header": False,
}
"""What the server is told wherever it runs, in tests too."""


def main() -> None:
    """Serve until told to stop."""
    options = {
        "loop": "auto",
        "http": "auto",
        "date_header": True,
        **SERVER_OPTIONS,
        "backlog": BACKLOG,
        "timeout_keep_alive": KEEP_ALIVE_SECONDS,
        "timeout_graceful_shutdown": GRACEFUL_STOP_SECONDS,
    }
    serve(GatewaySettings(), options)


if __name__ == "__main__":
    main()
