"""Starts the stand-in: ``python -m deploy.local.stripe_standin --help``.

Owns the command line. It cannot start twice on one data directory: the second process ends with
status 1 and says why.
"""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

import uvicorn

from deploy.local.stripe_standin import settings
from deploy.local.stripe_standin.server import Server
from deploy.local.stripe_standin.store import DataDirectoryError


def build_parser() -> argparse.ArgumentParser:
    """The options; times are seconds of stack time."""
    parser = argparse.ArgumentParser(
        prog="stripe_standin", description="A stateful stand-in for Stripe's API, for test money."
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on")
    add("--port", type=int, required=True, help="port to listen on")
    add("--data-dir", type=Path, required=True, help="where the one database file lives")
    add("--api-key", required=True, help="the secret key that callers send (sk_test_…)")
    add("--publishable-key", help="the card form's key; default: made from --api-key")
    add("--webhook-url", help="where events are sent; none: no delivery")
    add("--webhook-secret", action="append", default=[], help="whsec_…; twice while rotating")
    add("--webhook-events", default=",".join(settings.EVENT_TYPES), help="types that are sent")
    add("--public-url", help="this server as a browser sees it, for the 3-D Secure page")
    add("--allow-origin", action="append", default=[], help="a page that may use the card form")
    add("--available-after-seconds", type=int, default=2 * settings.DAY_SECONDS, help="from charge to available money")
    add(
        "--refund-settles-after-seconds",
        type=int,
        default=settings.DAY_SECONDS,
        help="from a pending refund to its end",
    )
    add("--database-url", help="accepted and not used: the state is a file")
    return parser


def read_settings(arguments: argparse.Namespace) -> settings.Settings:
    """The options as settings; ValueError names what is wrong."""
    events = frozenset(name for name in arguments.webhook_events.split(",") if name)
    unknown = sorted(events - set(settings.EVENT_TYPES))
    if unknown:
        raise ValueError(f"--webhook-events: not emitted here: {', '.join(unknown)}")
    if arguments.webhook_url and not arguments.webhook_secret:
        raise ValueError("--webhook-url needs --webhook-secret")
    return settings.Settings(
        data_dir=arguments.data_dir,
        api_key=arguments.api_key,
        publishable_key=arguments.publishable_key or arguments.api_key.replace("sk_", "pk_", 1),
        public_url=arguments.public_url or f"http://{arguments.host}:{arguments.port}",
        webhook_url=arguments.webhook_url,
        webhook_secrets=tuple(arguments.webhook_secret),
        webhook_events=events,
        allowed_origins=tuple(arguments.allow_origin),
        available_after_seconds=arguments.available_after_seconds,
        refund_settles_after_seconds=arguments.refund_settles_after_seconds,
    )


def main() -> int:
    """Serve until told to stop; 1 when it cannot start."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
    parser = build_parser()
    arguments = parser.parse_args()
    try:
        chosen = read_settings(arguments)
        application = Server(chosen)
    except ValueError as error:
        parser.error(str(error))
    except DataDirectoryError as error:
        logging.getLogger(__name__).error("cannot start: %s", error)
        return 1
    config = uvicorn.Config(
        application,
        host=arguments.host,
        port=arguments.port,
        log_level="warning",
        access_log=False,
        lifespan="on",
        ws="none",
        timeout_keep_alive=settings.KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=settings.STOP_SECONDS,
        proxy_headers=False,
        server_header=False,
        date_header=False,
    )
    uvicorn.Server(config).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
