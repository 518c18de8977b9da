"""A stack of one's own for a measurement: started from nothing in a folder of its own, deleted after it.

Owns the folder and the environment of such a stack, so that a measurement neither meets nor leaves anything in the
stack that a person works with, nor in databases and brokers that the environment names. It shares what is fetched once
per machine: artifacts and the built pages. It starts the platform by its own command, as a person does.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local.addresses import StackAddresses, load_addresses
from deploy.local.errors import StackError
from deploy.local.paths import REPOSITORY
from services.kit.clock import monotonic_seconds

UP_SECONDS_MAX = 900
OTHER_SECONDS_MAX = 180
WORDS_MAX = 4_000
SHARED = ("ALPMERA_ARTIFACTS", "ALPMERA_MAVEN_URL", "ALPMERA_PYTHON", "ALPMERA_JAVA")
"""Settings of the machine, not of a stack: an own stack keeps them."""


@dataclass(frozen=True)
class OwnStack:
    """A folder for one stack, and the tool's verbs upon it."""

    folder: Path

    @property
    def state(self) -> Path:
        """Where the stack keeps its data."""
        return self.folder / "state"

    def environment(self) -> dict[str, str]:
        """The machine's environment without what it names of other stacks, databases and brokers."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ALPMERA_") or name in SHARED}
        return kept | {"ALPMERA_STATE": str(self.state)}

    def addresses(self) -> StackAddresses:
        """Where the running stack answers."""
        return load_addresses(self.state)

    def run(self, *arguments: str, seconds_max: float = OTHER_SECONDS_MAX, heard: bool = False) -> str:
        """Run a verb and return what it answered; its progress is shown when `heard`. Raises StackError."""
        finished = subprocess.run(
            [str(REPOSITORY / "alpmera"), *arguments],
            cwd=REPOSITORY,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=None if heard else subprocess.PIPE,
            text=True,
            timeout=seconds_max,
            check=False,
        )
        if finished.returncode != 0:
            said = (finished.stderr or "").strip()[-WORDS_MAX:]
            raise StackError(f"./alpmera {arguments[0]} ended with status {finished.returncode}. {said}".rstrip())
        return finished.stdout

    def up(self) -> float:
        """Start the stack; returns the seconds until it was ready, its demo world included. Raises StackError."""
        began = monotonic_seconds()
        self.run("up", "--detach", seconds_max=UP_SECONDS_MAX)
        return monotonic_seconds() - began

    def down(self) -> None:
        """Stop it; its data stays."""
        self.run("down")


@contextmanager
def own_stack() -> Iterator[OwnStack]:
    """A stack of one's own, not started yet; on leaving it is stopped and deleted, whatever happened."""
    with tempfile.TemporaryDirectory(prefix="alpmera-bench-") as folder:
        # The database's own user must be able to pass.
        Path(folder).chmod(0o755)
        stack = OwnStack(Path(folder))
        try:
            yield stack
        finally:
            stack.run("reset", "--yes")
