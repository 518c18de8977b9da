"""The supervisor's end of the fork server: ask for a service's process, and learn when it ends.

Owns the server's process and the socket to it. A `Forked` offers what the supervisor uses of a `Popen`. The answers are
read by a thread of their own, so that the end of a process is known without asking for it; when the server itself ends,
every process that it made has ended with it and says so, and the next start makes a new server. Only on Linux, where a
child can be tied to its parent and a fork of an interpreter with these libraries is safe; elsewhere services are started
one by one (`can_fork`).
"""

import itertools
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

from deploy.local.errors import StackError
from deploy.local.identity import is_running, started_at
from deploy.local.part import Launch, rotate_log, spawn
from deploy.local.paths import REPOSITORY

START_SECONDS_MAX = 60.0
"""The first start waits for the imports."""

SERVER_GONE = -signal.SIGKILL


def can_fork() -> bool:
    """Return whether services can be forked on this machine."""
    return sys.platform == "linux" and os.environ.get("ALPMERA_GUARD") != "poll"


class Forked:
    """One process that the fork server made."""

    def __init__(self, pid: int) -> None:
        """Take the process's number; it runs."""
        self.pid = pid
        self.start = started_at(pid) or ""
        self.status: int | None = None

    def poll(self) -> int | None:
        """Return the status it ended with, as `Popen` does; None while it runs."""
        return self.status

    def send_signal(self, number: int) -> None:
        """Signal it, and never a stranger that has its number by now."""
        if self.status is None and is_running(self.pid, self.start):
            os.kill(self.pid, number)


class ForkServer:
    """Starts services by forking. Make it in the thread that lives as long as the stack."""

    def __init__(self, log: Path) -> None:
        """Start the server; it imports while the caller goes on."""
        mine, its = socket.socketpair()
        # Both are read when an interpreter starts, so a forked one could not take them from its own environment.
        environment = {"PYTHONUNBUFFERED": "1", "MALLOC_ARENA_MAX": "2"}
        command = [sys.executable, "-m", "deploy.local.fork_server", str(its.fileno())]
        launch = Launch(command=command, environment=environment, folder=str(REPOSITORY))
        self.log = log
        self.process: subprocess.Popen[bytes] = spawn(launch, log, pass_fds=(its.fileno(),))
        its.close()
        self._line = mine
        self._jobs = itertools.count(1)
        self._lock = threading.Lock()
        self._asked: dict[int, queue.SimpleQueue[Forked | None]] = {}
        self._running: dict[int, Forked] = {}
        self._gone = False
        threading.Thread(target=self._listen, name="fork-server", daemon=True).start()

    @property
    def is_gone(self) -> bool:
        """Return whether the server has ended, and everything with it."""
        return self._gone

    def start(self, launch: Launch, log: Path) -> Forked:
        """Start a launch's module and return its process. Blocking; StackError when the server does not do it."""
        log.parent.mkdir(parents=True, exist_ok=True)
        rotate_log(log)
        number, answer = next(self._jobs), queue.SimpleQueue[Forked | None]()
        job = {
            "job": number,
            "module": launch.module,
            "environment": {**os.environ, **launch.environment},
            "folder": launch.folder or str(REPOSITORY),
            "log": str(log),
            "orphan_signal": int(launch.orphan_signal),
        }
        with self._lock:
            self._asked[number] = answer
            gone = self._gone
            if not gone:
                try:
                    self._line.sendall(json.dumps(job).encode() + b"\n")
                except OSError:
                    gone = True
        try:
            made = None if gone else answer.get(timeout=START_SECONDS_MAX)
        except queue.Empty:
            made = None
        if made is None:
            raise StackError(f"The process that starts services does not answer; its words are in {self.log}.")
        return made

    def close(self) -> None:
        """Let the server end; every process it made must have ended before."""
        self._line.shutdown(socket.SHUT_RDWR)
        try:
            self.process.wait(START_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._line.close()

    def _listen(self) -> None:
        rest = b""
        while True:
            try:
                got = self._line.recv(65536)
            except OSError:
                got = b""
            if not got:
                break
            *lines, rest = (rest + got).split(b"\n")
            for said in map(json.loads, lines):
                if "job" in said:
                    made = self._running[said["pid"]] = Forked(said["pid"])
                    self._asked.pop(said["job"]).put(made)
                elif (ended := self._running.pop(said["pid"], None)) is not None:
                    ended.status = said["status"]
        with self._lock:
            self._gone = True
            waiting, self._asked = list(self._asked.values()), {}
        for each in waiting:
            each.put(None)
        for one in self._running.values():
            one.status = SERVER_GONE
