"""Imports once what every service needs, then forks a process for each service that is to start.

Owns the process `python -m deploy.local.fork_server SOCKET`, a child of the supervisor, and what passes on its socket
(lines of JSON; see `deploy.local.forked` for the other end). Five interpreters that each import the same libraries cost
two to three seconds of a core apiece; a forked one begins where that work is done. Only libraries, contracts and kit are
imported here: a service's own modules are imported in its own process, so nothing of one service is in another.

There is one thread and no event loop, because a fork copies neither. A child dies with this process (the kernel's
signal), and this process with the supervisor (`guard.py`). What it cannot do: notice edited code; a service that starts
again has the kit and the contracts of the moment at which the stack started.
"""

import contextlib
import ctypes
import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deploy.local.guard import PR_SET_PDEATHSIG

PRELOADED = (
    "contracts.catalogue",
    "services.kit.runtime",
    "fastapi",
    "httpx",
    "sqlalchemy.ext.asyncio",
    "sqlalchemy.orm",
    "sqlalchemy.dialects.postgresql.asyncpg",
    "stripe",
    "uvicorn.lifespan.on",
    "uvicorn.protocols.http.auto",
)
LINE_BYTES_MAX = 1024 * 1024
WAKES_READ_MAX = 4096
PR_SET_NAME = 15
COMMAND_NAME_BYTES = 15


def main() -> None:
    """Serve until the supervisor closes the socket; in a forked child, run the module that it was made for."""
    line = socket.socket(fileno=int(sys.argv[1]))
    for module in PRELOADED:
        importlib.import_module(module)
    # What is there now is never garbage: no collection touches, and so copies, these shared pages.
    gc.collect()
    gc.freeze()
    job = _serve(line)
    if job is not None:
        runpy.run_module(job["module"], run_name="__main__", alter_sys=True)


def _serve(line: socket.socket) -> dict[str, Any] | None:
    """Fork on request and tell of each end. Returns None when the supervisor is gone, and a job in its own new child."""
    server = os.getpid()
    woken, waker = os.pipe()
    os.set_blocking(woken, False)
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    selector = selectors.DefaultSelector()
    selector.register(line, selectors.EVENT_READ)
    selector.register(woken, selectors.EVENT_READ)
    rest = b""
    while True:
        readable = {key.fd for key, _ in selector.select()}
        if woken in readable:
            with contextlib.suppress(BlockingIOError):
                os.read(woken, WAKES_READ_MAX)
        _tell_ends(line)
        if line.fileno() not in readable:
            continue
        got = line.recv(LINE_BYTES_MAX)
        if not got:
            return None
        *jobs, rest = (rest + got).split(b"\n")
        for job in map(json.loads, jobs):
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                selector.close()
                for each in (line.detach(), woken, waker):
                    os.close(each)
                _become(job, server)
                return dict(job)
            _tell(line, {"job": job["job"], "pid": pid})


def _tell_ends(line: socket.socket) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        _tell(line, {"pid": pid, "status": os.waitstatus_to_exitcode(status)})


def _tell(line: socket.socket, said: Mapping[str, Any]) -> None:
    # A supervisor that is gone takes this process with it.
    with contextlib.suppress(BrokenPipeError):
        line.sendall(json.dumps(said).encode() + b"\n")


def _become(job: Mapping[str, Any], server: int) -> None:
    """Make a child what a started process would be: its own session, signals, environment, folder and log."""
    os.setsid()
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(PR_SET_PDEATHSIG, int(job["orphan_signal"]), 0, 0, 0) != 0 or os.getppid() != server:
        os._exit(1)
    name = str(job["module"]).rpartition(".")[2].encode()[:COMMAND_NAME_BYTES]
    library.prctl(PR_SET_NAME, ctypes.c_char_p(name), 0, 0, 0)
    # A broken pipe stays ignored, as in every interpreter: a client that goes away must not end a service.
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(job["environment"])
    folder = Path(job["folder"])
    os.chdir(folder)
    sys.path[0] = str(folder)
    sys.argv[:] = [str(job["module"])]
    log = os.open(job["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)


if __name__ == "__main__":
    main()
