"""The process that service processes under test are born from: `python -m tests.faults.armed_process MODULE…`.

It imports the services' modules once, and forks at each word to start one: a killed service is up again without loading
anything, which is most of what a start takes. The child runs as `python -m MODULE` would run it, in an environment of
its own. Each line on standard input is a JSON object: `{"start": MODULE, "environment": {…}, "log": PATH}`, or
`{"arm": FAILPOINTS}` as `ALPMERA_FAILPOINT` would name them at the start. It answers with `started PID`,
`armed FAILPOINTS` and `ended CODE`. When its input ends, the child ends too. It holds one child at a time.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import random
import runpy
import select
import signal
import sys
import threading
from typing import Any

from services.kit import failpoint

READ_BYTES = 65_536


class Nursery:
    """The loop that forks, passes lines on, and tells of each end."""

    def __init__(self) -> None:
        self._buffer = b""
        self._pid = 0
        self._lines_out = -1
        self._death_in = -1

    def run(self) -> None:
        """Until the input ends."""
        while True:
            readable = [0] if self._death_in < 0 else [0, self._death_in]
            ready, _, _ = select.select(readable, [], [])
            if self._death_in in ready:
                self._tell_end()
            if 0 in ready and not self._take_lines():
                break
        if self._pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)

    def _take_lines(self) -> bool:
        read = os.read(0, READ_BYTES)
        *lines, self._buffer = (self._buffer + read).split(b"\n")
        for line in lines:
            wanted = json.loads(line)
            if "start" in wanted:
                self._start(wanted)
            elif self._pid:
                # A child that has just ended takes nothing more; its end is told.
                with contextlib.suppress(BrokenPipeError):
                    os.write(self._lines_out, wanted["arm"].encode() + b"\n")
        return bool(read)

    def _start(self, wanted: dict[str, Any]) -> None:
        lines_in, self._lines_out = os.pipe()
        self._death_in, alive = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            os.close(self._lines_out)
            os.close(self._death_in)
            os.dup2(lines_in, 0)
            _be_service(wanted)
        os.close(lines_in)
        os.close(alive)
        _say(1, f"started {self._pid}")

    def _tell_end(self) -> None:
        _, status = os.waitpid(self._pid, 0)
        os.close(self._death_in)
        os.close(self._lines_out)
        self._pid, self._death_in = 0, -1
        _say(1, f"ended {os.waitstatus_to_exitcode(status)}")


def _say(channel: int, line: str) -> None:
    os.write(channel, f"{line}\n".encode())


def _be_service(wanted: dict[str, Any]) -> None:
    """The child: its own log, environment and chance, then the service, for ever."""
    answers = os.dup(1)
    log = os.open(wanted["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.environ.update(wanted["environment"])
    random.seed()
    threading.Thread(target=_arm_each_line, args=(answers,), daemon=True).start()
    code = 1
    try:
        sys.argv = [wanted["start"]]
        runpy.run_module(wanted["start"], run_name="__main__", alter_sys=True)
        code = 0
    finally:
        sys.stderr.flush()
        os._exit(code)


def _arm_each_line(answers: int) -> None:
    with os.fdopen(0) as lines:
        for line in lines:
            failpoint.arm(line.strip())
            _say(answers, f"armed {line.strip()}")
    os._exit(1)


def main() -> None:
    """Import everything, say so, serve."""
    for module in sys.argv[1:]:
        importlib.import_module(module)
    _say(1, "ready")
    Nursery().run()


if __name__ == "__main__":
    main()
