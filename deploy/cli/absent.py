"""What a machine may lack, in one list: what it is, how it is found, and what is left out of a run without it.

`./alpmera test` prints the list with each entry's state. Nothing else may be left out of a run for want of a tool.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

PROBE_TIMEOUT_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Absent:
    """One thing a machine may lack. `marker` is the pytest marker of the tests that need it."""

    name: str
    marker: str
    left_out: str
    present: Callable[[], bool]


def _go() -> bool:
    return shutil.which("go") is not None


def _docker() -> bool:
    """An engine that answers, not only a client."""
    docker = shutil.which("docker")
    if docker is None:
        return False
    try:
        probe = subprocess.run([docker, "info"], capture_output=True, timeout=PROBE_TIMEOUT_SECONDS, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        return False
    return probe.returncode == 0


MAY_BE_ABSENT: tuple[Absent, ...] = (
    Absent("Go", "needs_go", "the check of our payment calls against stripe-mock", _go),
    Absent(
        "Docker engine", "needs_docker", "the same suite on containers (the embedded stack serves instead)", _docker
    ),
)


def missing_markers() -> list[str]:
    """The markers of tests that this machine cannot run."""
    return [entry.marker for entry in MAY_BE_ABSENT if not entry.present()]
