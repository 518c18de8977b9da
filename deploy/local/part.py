"""What the supervisor and the tests know about a part of the stack: how to start, probe, end it.

Owns `Launch` (one command, ready to run) and `Part` (a thing that can prepare its launch and say
when it is ready). Parts are plain blocking code, so that the asynchronous supervisor (in threads)
and the synchronous test fixtures share them. Starting the process itself is not theirs: it must
happen in a thread that lives as long as the stack, because the kernel ties a child to the thread
that made it.
"""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

GUARD = Path(__file__).with_name("guard.py")
LOG_BYTES_MAX = 20 * 1024 * 1024
LOGS_KEPT = 1


@dataclass(frozen=True, slots=True)
class Launch:
    """One command with its environment and, where it may not run as root, its user. A launch that is nothing but a
    module of ours says so, because that can be forked from an interpreter that has its libraries already."""

    command: list[str]
    module: str | None = None
    environment: dict[str, str] = field(default_factory=dict)
    user: tuple[int, int] | None = None
    folder: str | None = None
    orphan_signal: signal.Signals = signal.SIGKILL
    stop_signal: signal.Signals = signal.SIGTERM

    def guarded(self) -> list[str]:
        """Return the command wrapped so that it dies with this process."""
        user = f"{self.user[0]}:{self.user[1]}" if self.user else "-"
        head = [sys.executable, "-I", "-S", str(GUARD), str(os.getpid())]
        return [*head, str(int(self.orphan_signal)), user, *self.command]


class Running(Protocol):
    """A process that was started."""

    @property
    def pid(self) -> int:
        """Its number."""
        ...

    def poll(self) -> int | None:
        """Return the status it ended with, negative for a signal; None while it runs."""
        ...

    def send_signal(self, number: int) -> None:
        """Signal it; nothing happens when it has ended."""
        ...


class Part(Protocol):
    """A part of the stack that runs as one process of its own."""

    name: str
    ready_seconds_max: float
    stop_seconds_max: float

    def prepare(self) -> Launch:
        """Make what the part needs on disk and return its command. Blocking, repeatable."""
        ...

    def is_ready(self) -> bool:
        """Return whether the part answers as it should. Blocking for a second at most."""
        ...


def rotate_log(log: Path) -> None:
    """Move a log that has grown past its bound aside; one old one is kept."""
    if log.exists() and log.stat().st_size > LOG_BYTES_MAX:
        log.replace(log.with_suffix(f".log.{LOGS_KEPT}"))


def spawn(launch: Launch, log: Path, *, pass_fds: tuple[int, ...] = ()) -> subprocess.Popen[bytes]:
    """Start a launch in the calling thread, which must live as long as the process should."""
    log.parent.mkdir(parents=True, exist_ok=True)
    rotate_log(log)
    with log.open("ab") as output:
        return subprocess.Popen(
            launch.guarded(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # A terminal's interrupt is for the supervisor alone, which ends the parts in sequence.
            start_new_session=True,
            env={**os.environ, **launch.environment},
            cwd=launch.folder,
            pass_fds=pass_fds,
        )


def last_lines(log: Path, count: int = 20) -> str:
    """Return the last lines of a log, for an error message."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 64 * 1024))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return "(no log was written)"
    return "\n".join(lines[-count:]) or "(the log is empty)"
