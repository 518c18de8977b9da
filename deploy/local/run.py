"""Runs the local stack in this process until it is told to end: the process behind `up`.

Owns the one-at-a-time rule (a lock on the state folder, held for life), the clearing of what a
killed predecessor may have left, and the link between the plan and the supervisor. `up` runs it in
the foreground or starts `python -m deploy.local.run` in a session of its own. The lock is the
kernel's, so it is gone with the process however that ends.
"""

import asyncio
import fcntl
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from deploy.local.board import Board, Reporter, StackRecord, UnitRecord, read_record
from deploy.local.errors import StackError
from deploy.local.identity import end_process, started_at, wait_gone
from deploy.local.paths import logs_folder, state_folder
from deploy.local.services import SERVICES, ServiceSpec
from deploy.local.stack import Stack
from deploy.local.supervisor import Supervisor

LEFTOVER_SECONDS_MAX = 15.0


class AlreadyRunningError(StackError):
    """Another supervisor holds this state folder."""


def run_stack(folder: Path, logs: Path, *, report: Reporter, services: Sequence[ServiceSpec] = SERVICES) -> None:
    """Run the stack until SIGINT or SIGTERM; StackError when it cannot start."""
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    logs.mkdir(parents=True, exist_ok=True)
    with _only_one(folder):
        before = read_record(folder)
        clear_leftovers(before)
        record = StackRecord(
            pid=os.getpid(),
            start=started_at(os.getpid()) or "",
            ports=before.ports,
            digests=before.digests,
        )
        board = Board(folder, record, report)
        board.write()
        try:
            plan = Stack(folder, board, services=services).plan()
            asyncio.run(Supervisor(plan, board, logs=logs).run())
        except StackError as error:
            record.failure = str(error)
            raise
        finally:
            record.pid, record.start, record.ready = 0, "", False
            board.write()


def clear_leftovers(record: StackRecord) -> list[str]:
    """Wait for, and if needed end, processes of a supervisor that is gone; return their names."""
    left = record.processes()
    end = time.monotonic() + LEFTOVER_SECONDS_MAX
    forced = []
    for name, (pid, start) in left.items():
        # They had the kernel's signal when their supervisor died; the database may be writing.
        if not wait_gone(pid, start, seconds_max=max(0.0, end - time.monotonic())):
            end_process(pid, start, first=signal.SIGKILL, seconds_max=LEFTOVER_SECONDS_MAX)
            forced.append(name)
    return forced


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    with (folder / "supervisor.lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunningError("The stack is already running in this folder.") from None
        yield


def log_line(name: str, unit: UnitRecord) -> None:
    """Say a unit's new state as one line of a log."""
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    sys.stderr.write(f"{moment} {name} {unit.state} {unit.detail}".rstrip() + "\n")
    sys.stderr.flush()


def main() -> int:
    """Run in the background: progress goes to the log and the board."""
    try:
        run_stack(state_folder(), logs_folder(), report=log_line)
    except StackError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
