"""The checks that need no running part: how each is called, and running steps two at a time.

Owns the table of static checks, which `lint` and `test` share, and the two lanes in which steps run that do not meet:
the first free lane takes the next step, so the long ones stand first. A step's output is shown only when it fails. It
adds nothing to what the tools themselves find.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from deploy.local.node import has_web
from deploy.local.paths import HOME, REPOSITORY

STEPS_AT_ONCE = 2
CHECK_SECONDS_MAX = 900
SCRIPTS = Path(sys.executable).parent


@dataclass(frozen=True, slots=True)
class Check:
    """One static check; `applies` is False where there is nothing to check yet."""

    name: str
    command: tuple[str, ...]
    quick: bool = True
    applies: Callable[[], bool] = lambda: True


@dataclass(frozen=True, slots=True)
class Result:
    """How one step of a run went; counts are of tests, and of the step itself for a check."""

    name: str
    seconds: float
    passed: int
    failed: int
    detail: str = ""
    output: str = ""


STATIC_CHECKS = (
    Check("web", (sys.executable, "-m", "deploy.local.node", "check"), quick=False, applies=has_web),
    Check("types", (str(SCRIPTS / "mypy"),)),
    Check("format", (str(SCRIPTS / "ruff"), "format", "--check", "--quiet", ".")),
    Check("lint", (str(SCRIPTS / "ruff"), "check", "--quiet", ".")),
    Check("imports", (str(SCRIPTS / "lint-imports"),)),
)


def run_checks(checks: list[Check], report: Callable[[Result], None]) -> list[Result]:
    """Run the checks, two at a time, telling of each when it ends."""
    return run_side_by_side([partial(run_check, check) for check in checks if check.applies()], report)


def run_side_by_side(steps: list[Callable[[], Result]], report: Callable[[Result], None]) -> list[Result]:
    """Run steps that do not disturb each other, two at a time in their sequence, telling of each when it ends."""

    def run(step: Callable[[], Result]) -> Result:
        result = step()
        report(result)
        return result

    with ThreadPoolExecutor(STEPS_AT_ONCE) as pool:
        return list(pool.map(run, steps))


def step_environment() -> dict[str, str]:
    """Return what a step is started with: this environment, and a folder that keeps compiled modules.

    A run starts more than a hundred interpreters. Where an environment forbids them to write beside the sources, each
    would compile the same libraries anew, which is several seconds of a core for every one that runs tests.
    """
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": str(HOME / "bytecode")}


def run_check(check: Check) -> Result:
    """Run one check to its end."""
    began = time.monotonic()
    try:
        run = subprocess.run(
            check.command,
            cwd=REPOSITORY,
            env=step_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=CHECK_SECONDS_MAX,
            check=False,
        )
        status, output = run.returncode, run.stdout
    except FileNotFoundError:
        status, output = 127, f"{check.command[0]} is missing: run ./alpmera again to complete the environment."
    except subprocess.TimeoutExpired:
        status, output = 124, f"not done after {CHECK_SECONDS_MAX} s"
    good = status == 0
    return Result(
        name=check.name,
        seconds=time.monotonic() - began,
        passed=int(good),
        failed=int(not good),
        detail="" if good else f"status {status}",
        output="" if good else output,
    )
