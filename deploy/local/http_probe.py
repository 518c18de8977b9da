"""Asks addresses on this machine whether they answer 200, or for a small JSON document.

Owns two small functions over the standard library, because the status of the stack is asked often
and a full HTTP client would cost more to import than to use. They follow no redirect.
"""

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

PROBE_TIMEOUT_SECONDS = 1.0
JSON_TIMEOUT_SECONDS = 5.0
JSON_BYTES_MAX = 1024 * 1024


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


def get_json(url: str, *, timeout_seconds: float = JSON_TIMEOUT_SECONDS) -> dict[str, Any] | None:
    """Return the JSON object at an address; None when there is none in time."""
    target = urlsplit(url)
    connection = http.client.HTTPConnection(target.hostname or "localhost", target.port, timeout=timeout_seconds)
    try:
        connection.request("GET", target.path or "/", headers={"Accept": "application/json"})
        answer = connection.getresponse()
        found = json.loads(answer.read(JSON_BYTES_MAX)) if answer.status == 200 else None
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
    return found if isinstance(found, dict) else None
