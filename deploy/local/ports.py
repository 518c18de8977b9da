"""Chooses free ports on the loopback address.

Owns the range the stack takes its ports from: below the range from which the kernel serves
outgoing connections, so that a port found free is not taken by a client a moment later. A second
stack that starts in the same instant can still take the port between the look and the use; the
part then fails to start and says so, and the next start takes another one.
"""

import random
import socket

LOOPBACK = "127.0.0.1"
FIRST_PORT = 20_000
LAST_PORT = 31_999
ATTEMPTS_MAX = 200

_given: set[int] = set()


def is_free(port: int) -> bool:
    """Return whether nothing listens on the port."""
    with socket.socket() as probe:
        # A port in TIME_WAIT counts as free for a server, which sets the same option.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_port(preferred: int | None = None) -> int:
    """Return a free port, the preferred one when it is free, and never the same one twice."""
    if preferred is not None and preferred not in _given and is_free(preferred):
        _given.add(preferred)
        return preferred
    chooser = random.SystemRandom()
    for _ in range(ATTEMPTS_MAX):
        port = chooser.randint(FIRST_PORT, LAST_PORT)
        if port not in _given and is_free(port):
            _given.add(port)
            return port
    raise OSError(f"no free port found between {FIRST_PORT} and {LAST_PORT}")


def answers(port: int, *, timeout_seconds: float = 0.5) -> bool:
    """Return whether something accepts a connection on the port."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=timeout_seconds):
            return True
    except OSError:
        return False
