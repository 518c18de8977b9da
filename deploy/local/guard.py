"""Runs one command so that it cannot outlive the process that started it.

A stand-alone script (standard library only, started as `python -I -S guard.py`), because it has
to be cheap and must work before anything else does. On Linux it asks the kernel for a signal at
the parent's death and then becomes the command, so no extra process remains. The request is made
after the user changes, since a change of user clears it. Elsewhere it stays as a small parent
that looks for its own parent's death and ends the command's process group.

It cannot catch a command that forks into the background by itself; no part of the stack does.

    guard.py PARENT_PID SIGNAL UID:GID|- COMMAND [ARGUMENT...]
"""

import ctypes
import os
import signal
import subprocess
import sys
import time

PR_SET_PDEATHSIG = 1
PARENT_CHECK_SECONDS = 0.5
STOP_SECONDS_MAX = 10.0


def main(arguments: list[str]) -> None:
    """Change the user if asked, tie the command to the parent, and become the command."""
    parent, end_signal, user, command = (
        int(arguments[0]),
        int(arguments[1]),
        arguments[2],
        arguments[3:],
    )
    if user != "-":
        uid, gid = (int(part) for part in user.split(":"))
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform != "linux" or os.environ.get("ALPMERA_GUARD") == "poll":
        sys.exit(_watch(parent, end_signal, command))
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, end_signal, 0, 0, 0) != 0:
        sys.exit(_watch(parent, end_signal, command))
    if os.getppid() != parent:
        # The parent died before the kernel knew of our wish, so no signal will ever come.
        sys.exit(1)
    # A caller that ignores or blocks signals must not pass that on to the parts.
    signal.pthread_sigmask(signal.SIG_SETMASK, set())
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    os.execvp(command[0], command)


def _watch(parent: int, end_signal: int, command: list[str]) -> int:
    child = subprocess.Popen(command, start_new_session=True)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda got, _frame: os.kill(child.pid, got))
    while child.poll() is None:
        if os.getppid() != parent:
            os.killpg(child.pid, end_signal)
            try:
                child.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
        time.sleep(PARENT_CHECK_SECONDS)
    return child.returncode


if __name__ == "__main__":
    main(sys.argv[1:])
