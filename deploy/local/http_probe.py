"""Asks an address on this machine whether it answers 200.

Owns one small function over the standard library, because the status of the stack is asked often
and a full HTTP client would cost more to import than to use. It follows no redirect and reads no
body, so it cannot judge what a page says.
"""

import http.client
from urllib.parse import urlsplit

PROBE_TIMEOUT_SECONDS = 1.0


def answers_ok(url: str, *, timeout_seconds: float = PROBE_TIMEOUT_SECONDS) -> bool:
    """Return whether a GET of the address is answered with 200 in time."""
    target = urlsplit(url)
    connection = http.client.HTTPConnection(target.hostname or "localhost", target.port, timeout=timeout_seconds)
    try:
        connection.request("GET", target.path or "/")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
