"""Failpoints: named places where a test may kill, raise, sleep, on the n-th pass.

`ALPMERA_FAILPOINT` holds `name=action` pairs separated by `;`. Actions: `kill`, `raise`, `sleep:SECONDS`, each with an
optional `@N` for "on the N-th pass only". Without the variable a failpoint is one dictionary look-up. The production
profile refuses to start while the variable is set (`kit.settings`).
"""

from __future__ import annotations

import os
import signal
import time
from collections import Counter


class FailpointError(Exception):
    """Raised by a failpoint whose action is `raise`."""


def _read(text: str) -> dict[str, tuple[str, int | None]]:
    actions: dict[str, tuple[str, int | None]] = {}
    for pair in filter(None, text.split(";")):
        name, _, action = pair.partition("=")
        verb, _, nth = action.partition("@")
        actions[name.strip()] = (verb.strip(), int(nth) if nth else None)
    return actions


_ACTIONS = _read(os.environ.get("ALPMERA_FAILPOINT", ""))
_PASSES: Counter[str] = Counter()


def arm(text: str) -> None:
    """Replace the armed failpoints of this process; an empty text disarms. For tests inside one process."""
    _ACTIONS.clear()
    _PASSES.clear()
    _ACTIONS.update(_read(text))


def failpoint(name: str) -> None:
    """Pass the failpoint `name`. Raises FailpointError, sleeps or kills this process when it is armed."""
    if not _ACTIONS or name not in _ACTIONS:
        return
    verb, nth = _ACTIONS[name]
    _PASSES[name] += 1
    if nth is not None and _PASSES[name] != nth:
        return
    if verb == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif verb == "raise":
        raise FailpointError(name)
    elif verb.startswith("sleep:"):
        time.sleep(float(verb.removeprefix("sleep:")))
    else:
        raise ValueError(f"unknown failpoint action {verb}")
