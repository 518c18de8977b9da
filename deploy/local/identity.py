"""Tells a process from a later one with the same number.

Owns the pair (pid, start): a number alone is reused by the system, and a stack that was killed
must not end a stranger when it cleans up. A zombie counts as gone. On systems without /proc the
start is what `ps` prints, to the second, which a very fast reuse could defeat.
"""

import os
import signal
import subprocess
import time
from pathlib import Path

POLL_SECONDS = 0.05
PS_TIMEOUT_SECONDS = 5


def started_at(pid: int) -> str | None:
    """Return an opaque mark of when the process started; None when it does not run."""
    stat = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            # The program's name may contain anything, so the fields count from its closing bracket.
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] in ("Z", "X") else fields[19]
    run = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)],
        capture_output=True,
        text=True,
        timeout=PS_TIMEOUT_SECONDS,
        check=False,
    )
    text = run.stdout.strip()
    return None if not text or text.startswith("Z") else text.partition(" ")[2].strip()


def is_running(pid: int, start: str) -> bool:
    """Return whether exactly this process still runs."""
    return started_at(pid) == start


def end_process(pid: int, start: str, *, first: signal.Signals, seconds_max: float) -> bool:
    """End exactly this process: politely, then by force. Return whether force was needed."""
    if not is_running(pid, start):
        return False
    _signal(pid, first)
    if wait_gone(pid, start, seconds_max=seconds_max):
        return False
    _signal(pid, signal.SIGKILL)
    wait_gone(pid, start, seconds_max=seconds_max)
    return True


def wait_gone(pid: int, start: str, *, seconds_max: float) -> bool:
    """Wait until the process is gone; return False when it still runs after the time."""
    end = time.monotonic() + seconds_max
    while is_running(pid, start):
        if time.monotonic() > end:
            return False
        time.sleep(POLL_SECONDS)
    return True


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
